//! In which order a chain goes on, and whether there are several in one table: what links the most neighbours.

use super::pair::{Digests, Pair};
use crate::chain::items::Column;
use crate::chain::value::{Kind, Row, int};
use std::collections::{BTreeMap, HashMap};

/// Order and partition of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::chain) struct Layout {
    /// Numbers of the columns that order rows.
    pub order: Vec<usize>,
    /// Numbers of the columns whose values tell one chain from another.
    pub partition: Vec<usize>,
    /// Neighbours in this order that are not linked, and chains that begin at a row with one before it.
    pub breaks: usize,
}

/// A value to sort by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Whole numbers and times.
    Number(i128),
    /// By byte, as `COLLATE "C"` does.
    Bytes(Vec<u8>),
}

/// The key of a value; none of a null or of a type that has no order here.
pub fn key(kind: Kind, value: &[u8]) -> Option<Key> {
    match kind {
        Kind::Int | Kind::Timestamptz | Kind::Timestamp | Kind::Date => {
            int(value).map(|number| Key::Number(number.into()))
        }
        Kind::Uuid | Kind::Text => Some(Key::Bytes(value.to_vec())),
        Kind::Rendered => std::str::from_utf8(value).ok()?.parse().ok().map(Key::Number),
        _ => None,
    }
}

/// The best layout for a pair; none where no column orders the rows.
pub(super) fn find(columns: &[Column], rows: &[Row], digests: &[Digests], pair: &Pair) -> Option<Layout> {
    let hashes: Vec<usize> = digests.iter().map(|digests| digests.column).collect();
    let rising = rising(columns, rows, pair, &hashes);
    let same = same(columns, rows, pair, &hashes);
    let linked: HashMap<usize, usize> = pair.links.iter().map(|(parent, child)| (*child, *parent)).collect();
    let mut best: Option<Layout> = None;
    for order in orders(&rising, rows, columns) {
        let mut own: Option<Layout> = None;
        for partition in partitions(&same, &order) {
            let breaks = breaks(columns, rows, &linked, &order, &partition);
            // Of partitions that explain as much the simplest wins.
            if own.as_ref().is_none_or(|own| breaks < own.breaks) {
                own = Some(Layout { order: order.clone(), partition, breaks });
            }
        }
        // The likeliest order stays unless another is clearly better: damage must not choose the order that hides it.
        let slack = (rows.len() / 10).max(6);
        if let Some(own) = own
            && best.as_ref().is_none_or(|best| own.breaks + slack < best.breaks)
        {
            best = Some(own);
        }
    }
    best
}

/// Columns that rise along the links, the likeliest order first.
fn rising(columns: &[Column], rows: &[Row], pair: &Pair, hashes: &[usize]) -> Vec<usize> {
    let mut found = Vec::new();
    for (at, column) in columns.iter().enumerate().filter(|(at, _)| !hashes.contains(at)) {
        let value = |row: usize| rows[row].get(at).and_then(|value| key(column.kind, value));
        let (mut up, mut same) = (0_usize, 0_usize);
        for (parent, child) in &pair.links {
            match (value(*parent), value(*child)) {
                (Some(a), Some(b)) if a < b => up += 1,
                (Some(a), Some(b)) if a == b => same += 1,
                _ => {}
            }
        }
        let links = pair.links.len().max(1);
        // Two of ten may be out of order in a damaged chain; a random column has five.
        if (up + same) * 10 >= links * 7 && up > 0 {
            let share = up * 100 / links;
            found.push((std::cmp::Reverse((share + preference(column), column.kind == Kind::Int)), at));
        }
    }
    found.sort();
    found.into_iter().map(|(_, at)| at).collect()
}

/// What people call the order of a chain.
fn preference(column: &Column) -> usize {
    let name = column.name.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match column.kind {
        Kind::Int | Kind::Rendered
            if is(&["seq", "position", "height", "chain_index", "block", "ordinal", "nr", "num"]) =>
        {
            12
        }
        Kind::Int if name == "id" || name.ends_with("_id") && column.sequenced => 10,
        Kind::Int if is(&["index", "idx", "version", "counter", "offset", "log"]) => 8,
        Kind::Int => 4,
        Kind::Timestamptz | Kind::Timestamp if is(&["created", "recorded", "inserted", "logged"]) => 2,
        Kind::Timestamptz | Kind::Timestamp => 1,
        _ => 0,
    }
}

/// Columns in which a row equals the row before it, though not all rows are equal.
fn same(columns: &[Column], rows: &[Row], pair: &Pair, hashes: &[usize]) -> Vec<usize> {
    let constant = |at: usize| rows.windows(2).all(|two| two[0].get(at) == two[1].get(at));
    let fits = |at: &usize| {
        let at = *at;
        let column = &columns[at];
        let keyed =
            matches!(column.kind, Kind::Int | Kind::Text | Kind::Uuid | Kind::Rendered | Kind::Bool | Kind::Date);
        if !keyed || hashes.contains(&at) || constant(at) {
            return false;
        }
        let equal = pair.links.iter().filter(|(parent, child)| rows[*parent].get(at) == rows[*child].get(at)).count();
        equal * 100 >= pair.links.len() * 90
    };
    (0..columns.len()).filter(fits).collect()
}

fn orders(rising: &[usize], rows: &[Row], columns: &[Column]) -> Vec<Vec<usize>> {
    let mut orders: Vec<Vec<usize>> = rising.iter().take(8).map(|column| vec![*column]).collect();
    // A time with ties needs something behind it.
    for first in rising.iter().take(4).filter(|column| columns[**column].kind.is_time()) {
        for second in (0..columns.len())
            .filter(|column| columns[*column].kind == Kind::Int && !columns[*column].name.contains("hash"))
        {
            if second != *first && has_ties(rows, *first) {
                orders.push(vec![*first, second]);
            }
        }
    }
    orders
}

fn has_ties(rows: &[Row], column: usize) -> bool {
    let mut values: Vec<_> = rows.iter().map(|row| row.get(column)).collect();
    values.sort_unstable();
    values.windows(2).any(|two| two[0] == two[1])
}

fn partitions(same: &[usize], order: &[usize]) -> Vec<Vec<usize>> {
    let same: Vec<_> = same.iter().copied().filter(|column| !order.contains(column)).take(6).collect();
    let mut all = vec![Vec::new()];
    all.extend(same.iter().map(|column| vec![*column]));
    for (at, first) in same.iter().enumerate() {
        all.extend(same[at + 1..].iter().map(|second| vec![*first, *second]));
    }
    all
}

/// How badly a layout explains the links.
fn breaks(
    columns: &[Column],
    rows: &[Row],
    linked: &HashMap<usize, usize>,
    order: &[usize],
    partition: &[usize],
) -> usize {
    let mut breaks = 0;
    for group in sorted(columns, rows, order, partition) {
        breaks += usize::from(group.first().is_some_and(|first| linked.contains_key(first)));
        breaks += group.windows(2).filter(|two| linked.get(&two[1]) != Some(&two[0])).count();
    }
    breaks
}

/// The rows of each chain, in order, as numbers.
pub(super) fn sorted(columns: &[Column], rows: &[Row], order: &[usize], partition: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<Vec<Option<&[u8]>>, Vec<usize>> = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        groups.entry(partition.iter().map(|column| row.get(*column)).collect()).or_default().push(number);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    for group in &mut groups {
        group.sort_by_cached_key(|number| {
            let value = |column: &usize| rows[*number].get(*column).and_then(|value| key(columns[*column].kind, value));
            order.iter().map(value).collect::<Vec<_>>()
        });
    }
    groups
}
