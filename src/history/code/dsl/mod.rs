//! What the schema builders of each framework are asked to do. Table and column names as the database gets them.

mod alembic;
mod blocks;
mod django;
mod efcore;
mod filled;
mod javascript;
mod seaorm;

use super::bind::Bindings;
use super::call::{self, Value};
use super::lex::{Language, Token};
use crate::history::event::{Column, Constraint, CreateTable, Event, Name, What};

/// The events of a file's builder calls.
pub(super) fn read(
    text: &str,
    tokens: &[Token],
    language: Language,
    tool: &str,
    name: &str,
    bindings: &Bindings,
) -> Vec<Event> {
    let bare = matches!(language, Language::Ruby | Language::Elixir);
    let chains = match language {
        Language::Go | Language::Java | Language::Kotlin => Vec::new(),
        _ => filled::filled(call::chains(text, tokens, bare), bindings),
    };
    match language {
        Language::Python if tool == "django" => django::read(&chains, name),
        Language::Python => alembic::read(text, &chains),
        Language::Ruby | Language::Elixir => blocks::read(&chains),
        Language::JavaScript => javascript::read(&chains),
        Language::CSharp => efcore::read(&chains),
        Language::Rust => seaorm::read(&chains),
        Language::Go | Language::Java | Language::Kotlin => Vec::new(),
    }
}

/// The tables that the lines of a block belong to: the one that was named last, or in a loop all that one call named.
#[derive(Default)]
struct Current {
    at: usize,
    /// Each with the event that makes it, while it is made.
    tables: Vec<(Name, Option<usize>)>,
}

impl Current {
    fn begin(&mut self, at: usize, name: Name, made: Option<usize>) {
        if self.at != at {
            self.tables.clear();
        }
        self.at = at;
        self.tables.push((name, made));
    }

    /// Adds a column to each of them.
    fn column(&self, events: &mut Vec<Event>, at: usize, found: &Column) {
        for (target, made) in &self.tables {
            match made.and_then(|made| events.get_mut(made)) {
                Some(Event { what: What::CreateTable(made), .. }) => made.columns.push(found.clone()),
                _ => events.push(Event { at, what: What::AddColumn(target.clone(), found.clone()) }),
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = Name> {
        self.tables.iter().map(|(name, _)| name.clone())
    }
}

/// `schema.table` in one string, or a table in a schema of its own.
fn table(name: &str, schema: Option<&str>) -> Name {
    match (schema, name.split_once('.')) {
        (Some(schema), _) => Name { schema: Some(schema.to_owned()), name: name.to_owned() },
        (None, Some((schema, name))) => Name { schema: Some(schema.to_owned()), name: name.to_owned() },
        (None, None) => Name::bare(name),
    }
}

fn column(name: &str, type_name: &str) -> Column {
    Column { name: name.to_owned(), type_name: type_name.to_owned(), ..Column::default() }
}

/// A table that is put together call by call.
#[derive(Default)]
struct Building {
    made: CreateTable,
    at: usize,
}

impl Building {
    fn event(self) -> Event {
        Event { at: self.at, what: What::CreateTable(self.made) }
    }
}

/// A CHECK that is written as SQL.
fn check(condition: &str) -> Option<Constraint> {
    let (done, _) = crate::history::sql::one(&format!("alter table t add check ({condition})"));
    done.into_iter().find_map(|what| match what {
        What::AddConstraint(_, constraint) => Some(constraint),
        _ => None,
    })
}

/// The strings of every argument without a name.
fn positional_texts(call: &call::Call) -> Vec<String> {
    call.arguments.iter().filter(|a| a.name.is_none()).flat_map(|a| Value::texts(&a.value)).collect()
}
