//! What the schema builders of each framework are asked to do. Table and column names as the database gets them.

mod alembic;
mod blocks;
mod django;
mod efcore;
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
    path: &str,
    _: &Bindings,
) -> Vec<Event> {
    match language {
        Language::Python if tool == "django" => django::read(&call::chains(text, tokens, false), path),
        Language::Python => alembic::read(&call::chains(text, tokens, false)),
        Language::Ruby | Language::Elixir => blocks::read(&call::chains(text, tokens, true)),
        Language::JavaScript => javascript::read(&call::chains(text, tokens, false)),
        Language::CSharp => efcore::read(&call::chains(text, tokens, false)),
        Language::Rust => seaorm::read(&call::chains(text, tokens, false)),
        Language::Go => Vec::new(),
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
