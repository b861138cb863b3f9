//! The stream of a chain under construction: which columns and which rendered expressions its recipe reads.

use super::recipe::Item;
use super::source::token::BESIDE;
use super::value::Kind;
use crate::check::quote;

/// A column of the table, or of the table beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its binary form means.
    pub kind: Kind,
    /// The base type, for people.
    pub type_name: String,
    /// Of the table whose rows a side table chains.
    pub beside: bool,
    /// `NOT NULL`.
    pub not_null: bool,
    /// Its values come from a sequence.
    pub sequenced: bool,
}

impl Column {
    /// SQL that gives its value.
    pub fn sql(&self) -> String {
        let name = format!("{}.{}", if self.beside { 'e' } else { 't' }, quote::ident(&self.name));
        if self.kind == Kind::Rendered { format!("{name}::text") } else { name }
    }

    /// How expressions name it.
    pub fn key(&self) -> String {
        if self.beside { format!("{BESIDE}{}", self.name) } else { self.name.clone() }
    }
}

/// Items as they are asked for; each once.
#[derive(Clone, Debug)]
pub struct Items {
    /// Columns that exist.
    pub columns: Vec<Column>,
    /// The stream.
    pub list: Vec<Item>,
}

impl Items {
    /// Over these columns; nothing asked for yet.
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, list: Vec::new() }
    }

    /// A column by the name expressions have for it.
    pub fn known(&self, key: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.key() == key)
    }

    /// The item of a column.
    pub fn column(&mut self, key: &str) -> Option<usize> {
        let column = self.known(key)?;
        let item = Item { sql: column.sql(), kind: column.kind, column: Some(column.key()) };
        Some(self.item(item))
    }

    /// The item of a column exactly as the server sends it, whatever its type.
    pub fn sent(&mut self, key: &str) -> Option<usize> {
        let column = self.known(key)?;
        let sql = Column { kind: Kind::Bytes, ..column.clone() }.sql();
        let item = Item { sql, kind: Kind::Bytes, column: Some(column.key()) };
        Some(self.item(item))
    }

    /// The item of an expression that the server renders; it reads these columns.
    pub fn rendered(&mut self, sql: String, kind: Kind) -> usize {
        self.item(Item { sql, kind, column: None })
    }

    fn item(&mut self, item: Item) -> usize {
        self.list.iter().position(|known| known.sql == item.sql && known.kind == item.kind).unwrap_or_else(|| {
            self.list.push(item);
            self.list.len() - 1
        })
    }
}
