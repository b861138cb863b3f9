//! `ALTER TABLE`, action by action.

use super::{Cursor, Ddl, comma};

/// One thing that is done to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    EnableRls,
    DisableRls,
    Force,
    NoForce,
    AddColumn(Column),
    DropColumn(String),
    Add(Added),
    DropConstraint(String),
    Validate(String),
    SetNotNull(String),
    DropNotNull(String),
    SetDefault {
        column: String,
        value: String,
    },
    DropDefault(String),
    /// What follows `alter column x type`.
    SetType {
        column: String,
        rest: String,
    },
    /// `state`: `always`, `replica`, `origin` or `disabled`.
    Trigger {
        name: String,
        state: &'static str,
    },
    Owner(String),
    Other(String),
}

/// The words that bring a trigger into a state, as the facts name it (`pg_trigger.tgenabled`).
pub(crate) fn switch(state: &str) -> &'static str {
    match state {
        "always" => "enable always",
        "replica" => "enable replica",
        "disabled" => "disable",
        _ => "enable",
    }
}

/// A column that is added: its type, and apart from it what would scan or rewrite the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) if_not_exists: bool,
    /// With collation.
    pub(crate) type_name: String,
    pub(crate) not_null: bool,
    pub(crate) unique: bool,
    pub(crate) default: Option<String>,
    /// `check ( … )` or `references …`, each as written.
    pub(crate) constraints: Vec<String>,
}

/// A constraint that is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) name: Option<String>,
    /// `check`, `foreign key`, `unique`, `primary key`, `not null` or `exclude`.
    pub(crate) kind: &'static str,
    /// What is in the first parentheses.
    pub(crate) columns: String,
    /// All of it without name and `not valid`.
    pub(crate) definition: String,
    pub(crate) not_valid: bool,
}

pub(super) fn alter(at: &mut Cursor<'_>) -> Option<Ddl> {
    at.take("if exists");
    at.take("only");
    let table = at.name()?;
    let mut actions = Vec::new();
    loop {
        actions.push(action(at)?);
        if !comma(at) {
            break;
        }
    }
    at.is_done().then_some(Ddl::AlterTable { table, actions })
}

fn action(at: &mut Cursor<'_>) -> Option<Action> {
    for (words, action) in [
        ("enable row level security", Action::EnableRls),
        ("disable row level security", Action::DisableRls),
        ("force row level security", Action::Force),
        ("no force row level security", Action::NoForce),
    ] {
        if at.take(words) {
            return Some(action);
        }
    }
    for (words, state) in [
        ("enable always trigger", "always"),
        ("enable replica trigger", "replica"),
        ("enable trigger", "origin"),
        ("disable trigger", "disabled"),
    ] {
        if at.take(words) {
            return Some(Action::Trigger { name: at.ident()?, state });
        }
    }
    if at.take("owner to") {
        return at.ident().map(Action::Owner);
    }
    if at.take("validate constraint") {
        return at.ident().map(Action::Validate);
    }
    if at.take("drop constraint") {
        at.take("if exists");
        return at.ident().map(Action::DropConstraint);
    }
    if at.take("alter") {
        at.take("column");
        return altered(at);
    }
    if at.take("drop") {
        at.take("column");
        at.take("if exists");
        return at.ident().map(Action::DropColumn);
    }
    if at.take("add") {
        return added(at);
    }
    Some(Action::Other(at.item().to_owned()))
}

fn altered(at: &mut Cursor<'_>) -> Option<Action> {
    let column = at.ident()?;
    if at.take("set not null") {
        return Some(Action::SetNotNull(column));
    }
    if at.take("drop not null") {
        return Some(Action::DropNotNull(column));
    }
    if at.take("set default") {
        return Some(Action::SetDefault { column, value: at.item().to_owned() });
    }
    if at.take("drop default") {
        return Some(Action::DropDefault(column));
    }
    if at.take("set data type") || at.take("type") {
        return Some(Action::SetType { column, rest: at.item().to_owned() });
    }
    Some(Action::Other(at.item().to_owned()))
}

fn added(at: &mut Cursor<'_>) -> Option<Action> {
    let name = if at.take("constraint") { Some(at.ident()?) } else { None };
    for kind in ["check", "foreign key", "unique", "primary key", "not null", "exclude"] {
        // A column may be called `check`; then it is quoted.
        let mut look = Cursor::new(at.rest());
        if look.take(kind) {
            let mut text = at.item().trim();
            let not_valid = text.to_lowercase().ends_with("not valid");
            if not_valid {
                text = text[..text.len() - "not valid".len()].trim_end();
            }
            let columns = look.parenthesised().unwrap_or_default().to_owned();
            return Some(Action::Add(Added { name, kind, columns, definition: text.to_owned(), not_valid }));
        }
    }
    if name.is_some() {
        return None;
    }
    at.take("column");
    let if_not_exists = at.take("if not exists");
    let mut column = Column { name: at.ident()?, if_not_exists, ..Column::default() };
    let rest = at.item();
    let mut part = Cursor::new(rest);
    let ends = ["not", "null", "default", "unique", "primary", "check", "references", "constraint", "generated"];
    column.type_name = part.up_to(&ends).to_owned();
    while !part.is_done() {
        if part.take("not null") {
            column.not_null = true;
        } else if part.take("unique") {
            column.unique = true;
        } else if part.take("default") {
            column.default = Some(default_of(&mut part, &ends));
        } else if part.take("null") {
        } else if part.take("check") {
            column.constraints.push(format!("check ({})", part.parenthesised()?));
        } else if part.take("references") {
            column.constraints.push(format!("references {}", part.up_to(&ends)));
        } else {
            // Generated, a key, a named constraint: left as it is written.
            return Some(Action::Other(format!("add column {}{rest}", crate::check::quote::ident(&column.name) + " ")));
        }
    }
    Some(Action::AddColumn(column))
}

/// The first word of a default is part of it, whatever it is: `default null`.
fn default_of(part: &mut Cursor<'_>, ends: &[&str]) -> String {
    let rest = part.rest();
    let first = part.any().unwrap_or_default();
    let more = part.up_to(ends);
    let length = if more.is_empty() { first.len() } else { rest.find(more).map_or(first.len(), |at| at + more.len()) };
    rest[..length].trim().to_owned()
}
