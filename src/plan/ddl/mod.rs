//! What a statement of a plan does, as far as its safe form, its lock and its opposite depend on it.

mod cursor;
mod table;

pub(crate) use cursor::{Cursor, Name};
pub(crate) use table::{Action, Added, Column, switch};

use squawk_lexer::TokenKind;

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ddl {
    AlterTable {
        table: Name,
        actions: Vec<Action>,
    },
    CreateIndex {
        unique: bool,
        name: Option<String>,
        table: Name,
        rest: String,
    },
    DropIndex(Name),
    CreatePolicy {
        policy: String,
        table: Name,
    },
    AlterPolicy {
        policy: String,
        table: Name,
    },
    DropPolicy {
        policy: String,
        table: Name,
    },
    CreateTrigger {
        name: String,
        table: Name,
        replace: bool,
    },
    DropTrigger {
        name: String,
        table: Name,
    },
    DropRule {
        name: String,
        table: Name,
    },
    /// `kind`: `function` or `procedure`; the arguments as written.
    CreateRoutine {
        kind: &'static str,
        name: Name,
        arguments: String,
        replace: bool,
    },
    /// A table, schema, type, sequence, view, publication or role that was not there.
    Create {
        kind: &'static str,
        name: Name,
        replace: bool,
    },
    /// `alter view … set ( … )`, or reset.
    AlterView {
        view: Name,
        materialized: bool,
        rest: String,
    },
    /// The arguments as written; what is changed, in lower case.
    AlterRoutine {
        kind: String,
        name: Name,
        arguments: String,
        rest: String,
    },
    AlterRole {
        role: String,
        rest: String,
    },
    AlterEnum {
        name: Name,
    },
    /// Privileges, or membership where `on` is none.
    Grant(Rights),
    Revoke(Rights),
    /// `alter default privileges …`, whole.
    DefaultPrivileges,
    Comment {
        on: String,
    },
    /// An anonymous block.
    Do,
    Other,
}

/// What is granted or revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    /// What, each with its columns, which may be none; a role where `on` is none.
    pub(crate) privileges: Vec<(String, Vec<String>)>,
    /// The kind of object, `table` where none is said, and the object as written.
    pub(crate) on: Option<(String, String)>,
    /// As PostgreSQL stores them; `public` is PUBLIC.
    pub(crate) roles: Vec<String>,
}

/// Reads one statement, without its semicolon.
pub(crate) fn read(sql: &str) -> Ddl {
    let mut at = Cursor::new(sql);
    statement(&mut at).unwrap_or(Ddl::Other)
}

fn statement(at: &mut Cursor<'_>) -> Option<Ddl> {
    if at.take("alter table") {
        return table::alter(at);
    }
    if at.take("create") {
        return create(at);
    }
    if at.take("drop") {
        return drop(at);
    }
    if at.take("alter") {
        return alter(at);
    }
    if at.take("grant") {
        return rights(at, "to").map(Ddl::Grant);
    }
    if at.take("revoke") {
        return rights(at, "from").map(Ddl::Revoke);
    }
    if at.take("comment on") {
        return Some(Ddl::Comment { on: at.up_to(&["is"]).to_owned() });
    }
    at.take("do").then_some(Ddl::Do)
}

fn create(at: &mut Cursor<'_>) -> Option<Ddl> {
    let replace = at.take("or replace");
    if at.take("policy") {
        let policy = at.ident()?;
        at.take("on").then_some(())?;
        return Some(Ddl::CreatePolicy { policy, table: at.name()? });
    }
    let unique = at.take("unique");
    if at.take("index") {
        at.take("concurrently");
        at.take("if not exists");
        let name = if at.take("on") { None } else { Some(at.ident()?) };
        if name.is_some() {
            at.take("on").then_some(())?;
        }
        at.take("only");
        return Some(Ddl::CreateIndex { unique, name, table: at.name()?, rest: at.rest().to_owned() });
    }
    at.take("constraint");
    if at.take("trigger") {
        let name = at.ident()?;
        at.up_to(&["on"]);
        at.take("on").then_some(())?;
        return Some(Ddl::CreateTrigger { name, table: at.name()?, replace });
    }
    for kind in ["function", "procedure"] {
        if at.take(kind) {
            let name = at.name()?;
            let arguments = at.parenthesised()?.to_owned();
            return Some(Ddl::CreateRoutine { kind, name, arguments, replace });
        }
    }
    at.take("unlogged");
    at.take("recursive");
    for kind in ["table", "schema", "type", "sequence", "materialized view", "view", "publication", "role"] {
        if at.take(kind) {
            at.take("if not exists");
            return Some(Ddl::Create { kind, name: at.name()?, replace });
        }
    }
    None
}

fn drop(at: &mut Cursor<'_>) -> Option<Ddl> {
    let on = |at: &mut Cursor<'_>| {
        at.take("if exists");
        let name = at.ident()?;
        at.take("on").then_some(())?;
        Some((name, at.name()?))
    };
    if at.take("policy") {
        return on(at).map(|(policy, table)| Ddl::DropPolicy { policy, table });
    }
    if at.take("trigger") {
        return on(at).map(|(name, table)| Ddl::DropTrigger { name, table });
    }
    if at.take("rule") {
        return on(at).map(|(name, table)| Ddl::DropRule { name, table });
    }
    if at.take("index") {
        at.take("concurrently");
        at.take("if exists");
        return at.name().map(Ddl::DropIndex);
    }
    None
}

fn alter(at: &mut Cursor<'_>) -> Option<Ddl> {
    if at.take("policy") {
        let policy = at.ident()?;
        at.take("on").then_some(())?;
        return Some(Ddl::AlterPolicy { policy, table: at.name()? });
    }
    let materialized = at.take("materialized view");
    if materialized || at.take("view") {
        return Some(Ddl::AlterView { view: at.name()?, materialized, rest: at.rest().to_lowercase() });
    }
    for kind in ["function", "procedure", "routine"] {
        if at.take(kind) {
            let name = at.name()?;
            let arguments = at.parenthesised()?.to_owned();
            return Some(Ddl::AlterRoutine { kind: kind.to_owned(), name, arguments, rest: at.rest().to_owned() });
        }
    }
    if at.take("role") {
        return Some(Ddl::AlterRole { role: at.ident()?, rest: at.rest().to_owned() });
    }
    if at.take("type") {
        return Some(Ddl::AlterEnum { name: at.name()? });
    }
    at.take("default privileges").then_some(Ddl::DefaultPrivileges)
}

fn rights(at: &mut Cursor<'_>, end: &str) -> Option<Rights> {
    at.take("grant option for");
    let mut list = Cursor::new(at.up_to(&["on", end]));
    let mut privileges = Vec::new();
    while !list.is_done() {
        let mut item = Cursor::new(list.item());
        let word = item.until_sign(TokenKind::OpenParen).to_owned();
        let columns = item.parenthesised().map(|columns| Cursor::new(columns).idents()).unwrap_or_default();
        privileges.push((word, columns));
        if !comma(&mut list) {
            break;
        }
    }
    let on = at.take("on").then(|| {
        let kinds = [
            "table",
            "function",
            "procedure",
            "routine",
            "schema",
            "sequence",
            "database",
            "foreign server",
            "parameter",
            "type",
        ];
        let kind = kinds.into_iter().find(|kind| at.take(kind)).unwrap_or("table");
        (kind.to_owned(), at.up_to(&[end]).to_owned())
    });
    at.take(end).then_some(())?;
    let roles = at.idents();
    for (word, _) in &mut privileges {
        *word = if on.is_some() { word.to_lowercase() } else { Cursor::new(word).ident()? };
    }
    Some(Rights { privileges, on, roles })
}

/// The columns or expressions of `( … )` in an index or a key, as plain names; none where one is no plain name.
pub(crate) fn plain_columns(text: &str) -> Option<Vec<String>> {
    let mut at = Cursor::new(text);
    let columns = at.idents();
    (at.is_done() && !columns.is_empty()).then_some(columns)
}

/// Whether more follows a comma.
pub(super) fn comma(at: &mut Cursor<'_>) -> bool {
    at.sign(TokenKind::Comma)
}
