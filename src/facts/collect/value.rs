//! The values of a row that PostgreSQL sends, in its own text form.

use crate::facts::value::Value;
use sqlx::postgres::PgRow;
use sqlx::{Column, Row, TypeInfo, ValueRef};

/// Rows for one table of the facts, laid end to end.
pub(super) struct Filled {
    pub(super) table: &'static str,
    pub(super) columns: Vec<String>,
    pub(super) values: Vec<Value>,
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

/// Names of a result's columns, and which hold integers.
pub(super) fn header(row: &PgRow) -> Vec<(String, bool)> {
    let is_integer = |kind: &str| matches!(kind, "INT2" | "INT4" | "INT8" | "OID");
    row.columns().iter().map(|column| (column.name().to_owned(), is_integer(column.type_info().name()))).collect()
}

/// The values of a row. In a database without an encoding a name may be no UTF-8.
pub(super) fn values(row: &PgRow, header: &[(String, bool)]) -> impl Iterator<Item = Value> {
    header.iter().enumerate().map(|(index, (_, is_integer))| {
        let bytes =
            row.try_get_raw(index).ok().filter(|value| !value.is_null()).and_then(|value| value.as_bytes().ok());
        let text = bytes.map(String::from_utf8_lossy);
        match text {
            None => Value::Null,
            Some(text) => match text.parse() {
                Ok(number) if *is_integer => Value::Integer(number),
                _ => Value::Text(text.into_owned()),
            },
        }
    })
}
