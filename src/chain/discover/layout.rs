//! In which order a chain goes on, and whether there are several in one table: what links the most neighbours.

use super::pair::{Digests, Pair};
use crate::chain::items::Column;
use crate::chain::relation::Index;
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
    /// Those of them that no gap in the sample explains.
    contradictions: usize,
}

impl Layout {
    /// Nothing is said against it yet.
    pub(super) fn of(order: Vec<usize>, partition: Vec<usize>) -> Self {
        Self { order, partition, breaks: 0, contradictions: 0 }
    }
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
            let next = explained(columns, rows, pair, &linked, Layout::of(order.clone(), partition));
            // Of partitions that explain as much the simplest wins. A second column may just part the pieces of the sample.
            let explains_more = |own: &Layout| {
                next.breaks < own.breaks && (next.partition.len() < 2 || next.contradictions < own.contradictions)
            };
            if own.as_ref().is_none_or(explains_more) {
                own = Some(next);
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

/// An index over the previous hash says what it is unique within: chains go on being told apart by that where the rows of today
/// would do with less, so that a checkpoint still names them when there are more.
pub(super) fn indexed(columns: &[Column], indexes: &[Index], rows: &[Row], pair: &Pair, found: Layout) -> Layout {
    let Some(prev) = pair.prev else { return found };
    let linked: HashMap<usize, usize> = pair.links.iter().map(|(parent, child)| (*child, *parent)).collect();
    let number = |name: &String| columns.iter().position(|column| column.name == *name);
    let within = indexes.iter().find_map(|index| {
        let (last, within) = index.columns.split_last()?;
        (number(last) == Some(prev) && !within.is_empty())
            .then(|| within.iter().map(number).collect::<Option<Vec<_>>>())?
    });
    let Some(within) = within.filter(|within| *within != found.partition) else { return found };
    let next = explained(columns, rows, pair, &linked, Layout::of(found.order.clone(), within));
    if next.breaks <= found.breaks { next } else { found }
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

/// How badly a layout explains the links. A row whose parent is not in the sample contradicts nothing, unless it begins
/// a chain: with nothing before it, or with what others begin with.
fn explained(
    columns: &[Column],
    rows: &[Row],
    pair: &Pair,
    linked: &HashMap<usize, usize>,
    mut layout: Layout,
) -> Layout {
    let before = |row: usize| pair.prev.and_then(|prev| rows[row].get(prev));
    let mut beginnings: HashMap<Option<&[u8]>, usize> = HashMap::new();
    for row in (0..rows.len()).filter(|row| !linked.contains_key(row)) {
        *beginnings.entry(before(row)).or_default() += 1;
    }
    let in_a_gap = |row: usize| !linked.contains_key(&row) && before(row).is_some() && beginnings[&before(row)] == 1;
    for group in sorted(columns, rows, &layout.order, &layout.partition) {
        let headless = usize::from(group.first().is_some_and(|first| linked.contains_key(first)));
        let parted = || group.windows(2).filter(|two| linked.get(&two[1]) != Some(&two[0]));
        layout.breaks += headless + parted().count();
        layout.contradictions += headless + parted().filter(|two| !in_a_gap(two[1])).count();
    }
    layout
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::discover::pair;
    use crate::chain::value::Fields;

    fn column(name: &str, kind: Kind) -> Column {
        let (name, type_name) = (name.to_owned(), "text".to_owned());
        Column { name, kind, type_name, beside: false, not_null: true, sequenced: false }
    }

    /// A row as COPY sends it.
    fn row(number: i64, texts: &[String]) -> Row {
        let mut tuple = i16::try_from(texts.len() + 1).unwrap().to_be_bytes().to_vec();
        let number = number.to_be_bytes();
        for field in std::iter::once(&number[..]).chain(texts.iter().map(|text| text.as_bytes())) {
            tuple.extend(i32::try_from(field.len()).unwrap().to_be_bytes());
            tuple.extend(field);
        }
        let mut fields = Fields::default();
        assert!(fields.read(&tuple));
        Row { tuple, fields }
    }

    #[test]
    fn chains_are_told_apart_by_what_an_index_says() {
        let names = ["seq", "team", "lane", "prev", "hash"];
        let columns: Vec<_> =
            names.iter().map(|name| column(name, if *name == "seq" { Kind::Int } else { Kind::Text })).collect();
        let hash = |team: i64, seq: i64| format!("{:064x}", team * 1_000_003 + seq * 7_919);
        let index = |over: &[&str]| Index { columns: over.iter().map(|&name| name.to_owned()).collect(), unique: true };
        let told = |teams: i64, over: &[&str]| {
            let mut rows = Vec::new();
            for seq in 1..20 {
                for team in 1..=teams {
                    let (of, lane) = (format!("team-{team}"), format!("{team}/0"));
                    rows.push(row(seq, &[of, lane, hash(team, seq - 1), hash(team, seq)]));
                }
            }
            let digests = pair::digests(&columns, &rows);
            let pairs = pair::find(&columns, &digests);
            let found = find(&columns, &rows, &digests, &pairs[0]).unwrap();
            indexed(&columns, &[index(over)], &rows, &pairs[0], found).partition
        };
        // Rows of today would do with the team, or with nothing.
        assert_eq!((told(3, &["hash"]), told(3, &["lane", "prev"])), (vec![1], vec![2]));
        assert_eq!((told(1, &["hash"]), told(1, &["lane", "prev"])), (vec![], vec![2]));
        // An index that the links contradict says nothing.
        assert_eq!(told(3, &["seq", "prev"]), vec![1]);
    }

    #[test]
    fn what_parts_the_pieces_of_a_sample_parts_no_chains() {
        let columns = [
            column("seq", Kind::Int),
            column("team", Kind::Text),
            column("action", Kind::Text),
            column("prev", Kind::Text),
            column("hash", Kind::Text),
        ];
        let hash = |team: i64, seq: i64| match seq {
            0 => "0".repeat(64),
            _ => format!("{:064x}", team * 1_000_003 + seq * 7_919),
        };
        let mut rows = Vec::new();
        // From the beginning, where every action is the same, and from the end.
        for (action, seqs) in [("backfilled", 1..40), ("live", 300..340)] {
            for seq in seqs {
                for team in 1..4 {
                    let texts = [format!("team-{team}"), action.to_owned(), hash(team, seq - 1), hash(team, seq)];
                    rows.push(row(seq, &texts));
                }
            }
        }
        let digests = pair::digests(&columns, &rows);
        let pairs = pair::find(&columns, &digests);
        let layout = find(&columns, &rows, &digests, &pairs[0]).unwrap();
        assert_eq!((layout.order, layout.partition), (vec![0], vec![1]));
    }
}
