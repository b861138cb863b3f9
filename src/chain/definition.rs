//! A chain that was found: where it is, how it goes on, and how its rows are hashed.

use super::algorithm::Digest;
use super::items::Column;
use super::recipe::{Formula, Item};
use super::relation::Relation;
use super::segment::Position;
use crate::check::quote;
use crate::facts::derive::log_columns;

/// A table joined to the chain, whose rows it vouches for.
#[derive(Clone, Debug)]
pub struct Beside {
    /// `schema.name`, quoted.
    pub sql: String,
    /// For people.
    pub shown: String,
    /// Column of the chain, column of the table.
    pub on: (String, String),
    /// An item that is null where the joined row is gone.
    pub present: usize,
}

/// A column that holds a digest of other columns, and is itself hashed by the chain.
#[derive(Clone, Debug)]
pub struct Commitment {
    /// The item of the digest.
    pub at: usize,
    /// Its column.
    pub column: String,
    /// How it is computed.
    pub formulas: Vec<Formula>,
    /// It covers one payload, which may lawfully be gone.
    pub is_payload: bool,
    /// Items of the columns it covers.
    pub of: Vec<usize>,
}

/// A chain, or all chains of one table that are told apart by a key.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The table.
    pub relation: Relation,
    /// The table beside it.
    pub beside: Option<Beside>,
    /// The stream.
    pub items: Vec<Item>,
    /// The item of the previous hash.
    pub prev: Option<usize>,
    /// The item of the row's own hash.
    pub hash: usize,
    /// Items that tell chains apart.
    pub partition: Vec<usize>,
    /// Items that order rows.
    pub order: Vec<usize>,
    /// The formulas, the commonest first; a row fits if one does. None were found where this is empty.
    pub formulas: Vec<Formula>,
    /// Digests that the chain covers.
    pub commitments: Vec<Commitment>,
    /// Digests that a first row may name.
    pub genesis: Vec<Digest>,
    /// In which sessions the server renders.
    pub time_zone: String,
    /// Positions come from a sequence, which leaves gaps by itself.
    pub sequenced: bool,
    /// Items whose values may be written in ways nobody has met yet: those of the formulas, where they were found by
    /// search, then those of each commitment. None where it is written down how rows are hashed.
    pub watched: Vec<Vec<usize>>,
    /// Why no formula was found, where none was.
    pub unexplained: Option<String>,
    /// Columns that no hash covers.
    pub uncovered: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Chain {
    /// What is said of the recipe: where the formula was found.
    pub fn recipe(&self) -> Option<String> {
        self.formulas.first().map(|formula| {
            let keyed = if formula.keyed { "hmac-" } else { "" };
            let weaker = if self.is_weaker() { ", rendered by the server" } else { "" };
            format!("{keyed}{}, {}{weaker}", formula.algorithm.name(), formula.source)
        })
    }

    /// The server computes a part of the preimage.
    pub fn is_weaker(&self) -> bool {
        self.formulas.iter().any(|formula| {
            formula.computed.is_some()
                || formula.reads().iter().any(|at| self.items.get(*at).is_some_and(|item| item.column.is_none()))
        })
    }

    /// `FROM …` of every query.
    pub fn from(&self) -> String {
        let relation = self.relation.sql();
        match &self.beside {
            None => format!("{relation} t"),
            Some(beside) => format!(
                "{relation} t left join {} e on e.{} = t.{}",
                beside.sql,
                crate::check::quote::ident(&beside.on.1),
                crate::check::quote::ident(&beside.on.0)
            ),
        }
    }

    /// The items as a select list.
    pub fn select(&self) -> String {
        self.items.iter().map(|item| item.sql.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// SQL that sorts an item as the engine compares it.
    pub fn sort(&self, at: usize) -> String {
        let item = &self.items[at];
        let sql = item.sql.strip_suffix("::text").unwrap_or(&item.sql);
        let is_text = self.column(at).is_some_and(|column| matches!(column.type_name.as_str(), "text" | "varchar"));
        // An index in the table's own collation is of more use than an order by byte, where order is only grouping.
        if is_text && self.order.contains(&at) { format!("{sql} collate \"C\"") } else { sql.to_owned() }
    }

    /// A condition over `t`: the row stands in this place.
    pub fn is_at(&self, at: &Position) -> String {
        let is = |(item, key): (&usize, &String)| {
            let sql = self.items[*item].sql.trim_end_matches("::text");
            let literal = quote::literal(key);
            if key == Position::NULL {
                format!("({sql} is null or {sql}::text = {literal})")
            } else {
                format!("{sql} = {literal}")
            }
        };
        self.order.iter().zip(&at.keys).map(is).collect::<Vec<_>>().join(" and ")
    }

    /// A condition over `t`: the row stands behind this place, or in it, too. Behind a null, which is sorted last, there is nothing.
    pub fn is_behind(&self, at: &Position, or_in_it: bool) -> String {
        if at.keys.iter().any(|key| key == Position::NULL) {
            return if or_in_it { self.is_at(at) } else { "false".to_owned() };
        }
        let columns: Vec<String> = self.order.iter().map(|at| self.sort(*at)).collect();
        let values: Vec<String> = at.keys.iter().map(|key| quote::literal(key)).collect();
        let than = if or_in_it { ">=" } else { ">" };
        format!("({}) {than} ({})", columns.join(", "), values.join(", "))
    }

    /// The column of an item.
    pub fn column(&self, at: usize) -> Option<&Column> {
        let name = self.items[at].column.as_deref()?;
        self.relation.column(name)
    }

    /// The order is one whole number, and no moment written as one: numbers between two moments are of no rows.
    pub fn is_numbered(&self) -> bool {
        let [order] = self.order.as_slice() else { return false };
        self.column(*order).is_some_and(|column| {
            let whole = column.kind == super::value::Kind::Int || column.type_name == "numeric";
            whole && !log_columns("time").any(|moment| moment.is(&column.name))
        })
    }
}
