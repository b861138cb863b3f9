//! The values of a row that PostgreSQL sends, in its own text form.

use crate::facts::value::Value;
use sqlx::postgres::PgRow;
use sqlx::{Column, Row, TypeInfo, ValueRef};

/// Rows for one table of the facts, laid end to end.
pub(super) struct Filled {
    pub(super) table: &'static str,
    /// Names of its columns, and which hold integers.
    pub(super) header: Vec<(String, bool)>,
    pub(super) values: Vec<Value>,
}

impl Filled {
    /// No rows yet; `row` says which columns they have.
    pub(super) fn new(table: &'static str, row: &PgRow) -> Self {
        let is_integer = |kind: &str| matches!(kind, "INT2" | "INT4" | "INT8" | "OID");
        let column =
            |column: &sqlx::postgres::PgColumn| (column.name().to_owned(), is_integer(column.type_info().name()));
        Self { table, header: row.columns().iter().map(column).collect(), values: Vec::new() }
    }

    /// One row after the other.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[Value]> {
        self.values.chunks(self.header.len())
    }

    /// One more row. In a database without an encoding a name may be no UTF-8.
    pub(super) fn push(&mut self, row: &PgRow) {
        let value = |(index, (_, is_integer)): (usize, &(String, bool))| {
            let raw = row.try_get_raw(index).ok().filter(|value| !value.is_null());
            match raw.and_then(|value| value.as_bytes().ok()).map(String::from_utf8_lossy) {
                None => Value::Null,
                Some(text) => match text.parse() {
                    Ok(number) if *is_integer => Value::Integer(number),
                    _ => Value::Text(text.into_owned()),
                },
            }
        };
        self.values.extend(self.header.iter().enumerate().map(value));
    }
}

impl Value {
    /// Its text, where it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Integer(_) => None,
        }
    }

    /// Its number, where it is one, else 0.
    pub(super) fn number(&self) -> i64 {
        match self {
            Self::Integer(number) => *number,
            Self::Null | Self::Text(_) => 0,
        }
    }
}
