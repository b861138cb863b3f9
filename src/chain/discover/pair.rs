//! Which columns are a chain: one that repeats what another held in an earlier row.
//!
//! This needs no formula and no order: a value of 8 bytes or more that stands in two columns of two rows is no accident.

use crate::chain::algorithm::Digest;
use crate::chain::encoding;
use crate::chain::items::Column;
use crate::chain::source::is_hash_name;
use crate::chain::value::{Kind, Row};
use std::collections::HashMap;

/// A column of digests, and those of the sampled rows.
#[derive(Clone, Debug)]
pub(super) struct Digests {
    /// Its number among the columns.
    pub column: usize,
    /// One a row; none where the value is null or something else.
    pub values: Vec<Option<Digest>>,
}

/// A pair of columns, and which rows it links.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// The column that names the row before; none where each hash only builds upon the one before it.
    pub prev: Option<usize>,
    /// The column of a row's own hash.
    pub hash: usize,
    /// Parent and child, as numbers of rows.
    pub links: Vec<(usize, usize)>,
    /// Only the name of the column speaks for it: without a formula that needs the row before, it is no chain.
    pub guessed: bool,
}

/// Columns that hold digests in most rows that hold anything.
pub(super) fn digests(columns: &[Column], rows: &[Row]) -> Vec<Digests> {
    let of = |(column, about): (usize, &Column)| {
        if !matches!(about.kind, Kind::Text | Kind::Bytes | Kind::Rendered) {
            return None;
        }
        let named = is_hash_name(&about.name);
        let read = |row: &Row| {
            let (digest, _) = encoding::decode(row.get(column)?, about.kind == Kind::Bytes)?;
            (named || digest.bytes().len() > encoding::SHORTEST).then_some(digest)
        };
        let values: Vec<_> = rows.iter().map(read).collect();
        let held = rows.iter().filter(|row| row.get(column).is_some_and(|value| !value.is_empty())).count();
        let read = values.iter().flatten().count();
        (read > 0 && read * 2 >= held).then_some(Digests { column, values })
    };
    columns.iter().enumerate().filter_map(of).collect()
}

/// The pairs that link rows, the one that links most first. No column is in two pairs.
pub(super) fn find(columns: &[Column], digests: &[Digests]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for hash in digests {
        let mut holders: HashMap<&Digest, usize> = HashMap::new();
        for (row, value) in hash.values.iter().enumerate() {
            if let Some(value) = value {
                holders.entry(value).or_insert(row);
            }
        }
        for prev in digests.iter().filter(|prev| prev.column != hash.column) {
            let link = |(child, value): (usize, &Option<Digest>)| {
                holders.get(value.as_ref()?).filter(|parent| **parent != child).map(|parent| (*parent, child))
            };
            let links: Vec<_> = prev.values.iter().enumerate().filter_map(link).collect();
            let held = prev.values.iter().flatten().count();
            let named = is_hash_name(&columns[hash.column].name) && is_hash_name(&columns[prev.column].name);
            let enough = if named { links.len() * 10 >= held } else { links.len() * 2 >= held && links.len() >= 3 };
            if enough && !links.is_empty() {
                pairs.push(Pair { prev: Some(prev.column), hash: hash.column, links, guessed: false });
            }
        }
    }
    // Where hashes repeat, both directions link, and a damaged chain more rows in the wrong one: a name tells which is back.
    let back = |pair: &Pair| pair.prev.is_some_and(|prev| names_before(&columns[prev].name));
    let rank = |pair: &Pair| {
        let turned = pairs.iter().find(|other| other.prev == Some(pair.hash) && pair.prev == Some(other.hash));
        match turned {
            Some(turned) if back(pair) && !back(turned) => (pair.links.len().max(turned.links.len()), true),
            _ => (pair.links.len(), back(pair)),
        }
    };
    let mut ranked: Vec<_> = pairs.iter().map(|pair| (std::cmp::Reverse(rank(pair)), pair.clone())).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let pairs = ranked.into_iter().map(|(_, pair)| pair);
    let mut chosen: Vec<Pair> = Vec::new();
    for pair in pairs {
        let taken = |column: usize| chosen.iter().any(|other| other.hash == column || other.prev == Some(column));
        if !taken(pair.hash) && !pair.prev.is_some_and(taken) {
            chosen.push(pair);
        }
    }
    chosen
}

/// `prev_hash`, `previous_hash`, `parent_hash`, `hash_anterior`, …
pub(super) fn names_before(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["prev", "parent", "last", "prior", "anterior", "before", "back", "preced", "vorig", "vorher"]
        .iter()
        .any(|part| name.contains(part))
}
