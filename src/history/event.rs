//! What one statement of a migration does to the schema, as far as governance goes.

use squawk_syntax::plpgsql::Plpgsql;
use squawk_syntax::{Parse, SourceFile};

/// A possibly qualified name, as PostgreSQL stores it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl Name {
    pub(crate) fn bare(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into() }
    }

    /// `a.b`, or `b`.
    pub(crate) fn of(parts: &[String]) -> Option<Self> {
        let (name, rest) = parts.split_last()?;
        Some(Self { schema: rest.last().cloned(), name: name.clone() })
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A column as a migration writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type's own name without schema, size or brackets, lower case unless quoted.
    pub(crate) type_name: String,
    pub(crate) references: Option<Name>,
    /// What a CHECK on this column, or an inline enum, allows.
    pub(crate) labels: Vec<String>,
}

/// A table constraint that matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Constraint {
    ForeignKey {
        columns: Vec<String>,
        target: Name,
    },
    Unique(Vec<String>),
    /// Columns with the constants they are compared with.
    Check {
        column: String,
        labels: Vec<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CreateTable {
    pub(crate) table: Name,
    pub(crate) columns: Vec<Column>,
    pub(crate) constraints: Vec<Constraint>,
    /// `PARTITION OF` or `LIKE`: its columns come too.
    pub(crate) like: Option<Name>,
    pub(crate) temporary: bool,
    pub(crate) if_not_exists: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rls {
    Enable,
    Disable,
    Force,
    NoForce,
}

/// An expression, parsed as `SELECT` of it.
pub(crate) type Expression = Parse<SourceFile>;

/// Parses an expression where it is found, file by file at once, and not where the files come together.
pub(crate) fn expression(text: &str) -> Expression {
    SourceFile::parse(&format!("select {text}"))
}

/// One policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) table: Name,
    pub(crate) name: String,
    pub(crate) restrictive: bool,
    pub(crate) command: String,
    pub(crate) using: Option<Expression>,
    pub(crate) check: Option<Expression>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trigger {
    pub(crate) table: Name,
    pub(crate) name: String,
    pub(crate) before: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
    pub(crate) conditional: bool,
    pub(crate) function: Name,
}

/// What a privilege is taken from or given on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Tables(Vec<Name>),
    Schema(String),
}

/// Bodies are kept as written and read when somebody asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: Name,
    pub(crate) parameters: Vec<String>,
    /// The whole CREATE FUNCTION statement.
    pub(crate) statement: String,
    pub(crate) returns_trigger: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    CreateTable(CreateTable),
    DropTable(Name),
    RenameTable(Name, String),
    SetSchema(Name, String),
    AddColumn(Name, Column),
    DropColumn(Name, String),
    RenameColumn {
        table: Name,
        from: String,
        to: String,
    },
    SetType {
        table: Name,
        column: String,
        type_name: String,
    },
    AddConstraint(Name, Constraint),
    Rls(Name, Rls),
    CreatePolicy(Policy),
    AlterPolicy(Policy),
    DropPolicy {
        table: Name,
        name: String,
    },
    CreateEnum {
        name: Name,
        labels: Vec<String>,
    },
    AddLabel {
        name: Name,
        label: String,
        was: Option<String>,
    },
    RenameType(Name, String),
    CreateTrigger(Trigger),
    DropTrigger {
        table: Name,
        name: String,
    },
    /// `DISABLE TRIGGER` (false) or `ENABLE TRIGGER`; no name means all.
    SwitchTrigger {
        table: Name,
        name: Option<String>,
        on: bool,
    },
    /// `ON UPDATE|DELETE TO table DO INSTEAD NOTHING`.
    NothingRule {
        table: Name,
        event: String,
    },
    Revoke {
        privileges: Vec<String>,
        on: On,
        from: Vec<String>,
    },
    Grant {
        privileges: Vec<String>,
        on: On,
        to: Vec<String>,
    },
    Role {
        name: String,
        bypass_rls: Option<bool>,
        created: bool,
    },
    CreateSchema(String),
    SearchPath(Vec<String>),
    CreateFunction(Function),
    /// Or a materialized view.
    CreateView(Name),
    /// The body of a DO block in PL/pgSQL, and where the block begins in the text that the body's places count from.
    Do {
        body: Box<Plpgsql>,
        start: usize,
    },
    /// `SELECT f('a')`, `CALL p('a')`: the whole statement, and the function.
    Call {
        function: Name,
        statement: String,
    },
    /// A statement that is put together at run time and could not be resolved.
    Dynamic(String),
}

/// What happens, and where its statement begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Byte offset into the file.
    pub(crate) at: usize,
    pub(crate) what: What,
}
