//! Pieces in the order in which they are safe, put together into migrations.
//!
//! By stage, then by phase. What locks a table that is in use is a migration of its own, so that no transaction holds two
//! such locks: a deadlock with the application could be the application's to lose.

use super::change::{Closes, Phase};
use super::ddl::Name;
use super::piece::{FINISH, Piece, UNIQUE, VALIDATE};
use super::step::Step;
use std::collections::{BTreeMap, BTreeSet};

/// What one migration holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    stage: u8,
    phase: Phase,
    segment: u8,
    table: Option<Name>,
    /// Order among those that are kept whole.
    own: usize,
}

/// Orders and groups them.
pub(crate) fn order(pieces: Vec<Piece>) -> Vec<Step> {
    let mut groups: BTreeMap<Place, Vec<Piece>> = BTreeMap::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        groups.entry(place(&piece, index)).or_default().push(piece);
    }
    let mut names = BTreeSet::new();
    groups
        .into_iter()
        .filter_map(|(place, pieces)| step(&place, pieces, &mut names))
        .enumerate()
        .map(|(index, step)| Step { n: index + 1, ..step })
        .collect()
}

fn place(piece: &Piece, index: usize) -> Place {
    let whole = piece.name.is_some();
    // What takes the same lock on a table for a moment is done in one.
    let phase = match (piece.phase, piece.segment) {
        (Phase::Fill, _) if piece.table.is_some() => Phase::Column,
        (Phase::Constraint, FINISH) => Phase::Policy,
        (phase, _) => phase,
    };
    // Indexes are built one after the other and lock nothing that matters.
    let alone = piece.phase != Phase::Index || piece.transaction;
    let segment = if matches!(phase, Phase::Constraint | Phase::Table) {
        piece.segment
    } else {
        u8::from(piece.phase == Phase::Index && piece.transaction)
    };
    Place {
        stage: piece.stage,
        phase,
        segment,
        table: piece.table.clone().filter(|_| alone && !whole),
        own: if whole { index + 1 } else { 0 },
    }
}

fn step(place: &Place, mut pieces: Vec<Piece>, names: &mut BTreeSet<String>) -> Option<Step> {
    // Policies stand before they are enabled.
    if place.phase == Phase::Policy || place.phase == Phase::Guard {
        pieces.sort_by_key(|piece| piece.segment);
    }
    let transaction = pieces.iter().all(|piece| piece.transaction);
    let long = pieces.iter().any(|piece| piece.long);
    let mut up = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        // A piece that lifts FORCE for its while needs each of its statements, also where another has the same.
        if piece.transaction {
            let new: Vec<_> = piece.up.iter().filter(|statement| !up.contains(*statement)).cloned().collect();
            up.extend(new);
        } else if pieces[..at].iter().all(|known| known.up != piece.up) {
            up.extend(piece.up.iter().cloned());
        }
    }
    let mut down: Vec<String> = Vec::new();
    for statement in pieces.iter().rev().flat_map(|piece| &piece.down) {
        if !down.contains(statement) {
            down.push(statement.clone());
        }
    }
    if up.is_empty() {
        return None;
    }
    let lock = pieces.iter().map(|piece| piece.lock).max().unwrap_or_default();
    let table = pieces.iter().find(|piece| piece.lock == lock).and_then(|piece| piece.table.clone());
    let several = pieces.iter().any(|piece| piece.table != table);
    let mut closes: Vec<Closes> = pieces.iter().flat_map(|piece| piece.closes.clone()).collect();
    closes.sort();
    closes.dedup();
    let mut questions: Vec<_> = pieces.iter().flat_map(|piece| piece.questions.clone()).collect();
    questions.sort_unstable();
    questions.dedup();
    let mut notes: Vec<String> = Vec::new();
    let mut lost: Vec<_> = pieces.iter().flat_map(|piece| &piece.lost).collect();
    lost.sort();
    lost.dedup();
    notes.extend(lost.iter().map(|lost| format!("Not brought back by the way back: {lost}.")));
    for note in pieces.iter().flat_map(|piece| &piece.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    let name = match pieces.iter().find_map(|piece| piece.name.clone()) {
        Some(name) => name,
        None => named(place, &pieces),
    };
    let joined = joined_rls(up);
    let one = place.table.is_some() && !joined.iter().any(|sql| sql.starts_with("lock table "));
    let wait = if one { ALONE } else { WAIT };
    Some(Step {
        n: 0,
        name: unique(&name, names),
        stage: place.stage,
        kind: kind(place, &pieces),
        why: why(&pieces),
        transaction,
        up: with_timeouts(joined, transaction, long, wait),
        down: if down.is_empty() { Vec::new() } else { with_timeouts(down, transaction, false, wait) },
        closes,
        lock: lock.words(if several { None } else { table.as_ref() }),
        reversible: lost.is_empty(),
        notes,
        questions,
    })
}

/// What is done to one table after the other.
fn kind(place: &Place, pieces: &[Piece]) -> Option<&'static str> {
    let of_a_table = place.table.is_some() || pieces.iter().any(|piece| piece.table.is_some());
    match (place.phase, place.segment) {
        (Phase::Backfill, _) => Some("backfill"),
        _ if !of_a_table => None,
        (Phase::Column | Phase::Fill, _) => Some("extend"),
        (Phase::Follow, _) => Some("fill_new_rows"),
        (Phase::Index, 1) => Some("index"),
        (Phase::Constraint, UNIQUE) => Some("key"),
        (Phase::Constraint, VALIDATE) => Some("validate"),
        (Phase::Constraint, _) if pieces.iter().any(|piece| piece.name.is_some()) => Some("refer"),
        (Phase::Constraint, _) => Some("constrain"),
        (Phase::Policy, _) => Some("isolate"),
        (Phase::SideDoor, _) => Some("close_ways_around"),
        (Phase::Guard, _) => Some("guard"),
        _ => None,
    }
}

fn why(pieces: &[Piece]) -> String {
    let mut each: Vec<&str> = Vec::new();
    for piece in pieces {
        if !each.contains(&piece.why.as_str()) {
            each.push(&piece.why);
        }
    }
    match each.as_slice() {
        [one] => (*one).to_owned(),
        [first, rest @ ..] => format!("{first} And {} more of the kind.", rest.len()),
        [] => String::new(),
    }
}

/// ENABLE and FORCE of a table as one statement: there is no moment at which it is enabled and its owner not bound.
fn joined_rls(up: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for statement in up {
        let force = statement
            .strip_suffix(" force row level security")
            .map(|start| format!("{start} enable row level security"));
        match force.and_then(|enable| joined.iter().position(|known| *known == enable)) {
            Some(at) => joined[at].push_str(", force row level security"),
            None => joined.push(statement),
        }
    }
    joined
}

/// Less than the second after which PostgreSQL looks for a deadlock (`deadlock_timeout`): whoever finds one is its victim,
/// and that must not be the application.
pub(crate) const WAIT: &str = "900ms";

/// What locks one table deadlocks with nobody. After `deadlock_timeout` an autovacuum gives way, which would otherwise keep a table
/// that was just filled in for minutes.
const ALONE: &str = "1500ms";

fn with_timeouts(statements: Vec<String>, transaction: bool, long: bool, wait: &str) -> Vec<String> {
    let mut all = Vec::new();
    if transaction {
        all.push(format!("set local lock_timeout = '{wait}'"));
        all.push(format!("set local statement_timeout = '{}'", if long { "0" } else { "30s" }));
        all.extend(statements);
    } else {
        // Building an index concurrently waits for old transactions, and lets everybody else work meanwhile.
        all.push("set lock_timeout = '0'".to_owned());
        all.push("set statement_timeout = '0'".to_owned());
        all.extend(statements);
        all.push("reset lock_timeout".to_owned());
        all.push("reset statement_timeout".to_owned());
    }
    all
}

fn named(place: &Place, pieces: &[Piece]) -> String {
    let table = place.table.clone().or_else(|| pieces.iter().find_map(|piece| piece.table.clone()));
    let slug = table.map_or_else(String::new, |table| slug(&table.name));
    let of = |start: &str, end: &str| {
        if slug.is_empty() { format!("{start}_stage_{}", place.stage) } else { format!("{start}_{end}{slug}") }
    };
    match (place.phase, place.segment) {
        (Phase::Ground, _) => format!("functions_for_stage_{}", place.stage),
        (Phase::Table, _) => format!("more_functions_for_stage_{}", place.stage),
        (Phase::Column, _) => of("extend", ""),
        (Phase::Fill | Phase::Follow, _) => of("fill_new_rows", "of_"),
        (Phase::Backfill, _) => of("backfill", ""),
        (Phase::Index, 0) => format!("indexes_for_stage_{}", place.stage),
        (Phase::Index, _) => of("index", ""),
        (Phase::Constraint, UNIQUE) => of("key", "of_"),
        (Phase::Constraint, VALIDATE) => of("validate", ""),
        (Phase::Constraint, _) => of("constrain", ""),
        (Phase::Policy, _) => of("isolate", ""),
        (Phase::SideDoor, _) => of("close_way_around", "by_"),
        (Phase::Guard, _) => of("guard", ""),
        (Phase::Right, _) => of("rights", "of_"),
        (Phase::Note, _) => of("labels", "of_"),
    }
}

/// A name of a file from a name of a table, whatever that is.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars().take(30) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('_') && !slug.is_empty() {
            slug.push('_');
        }
    }
    let slug = slug.trim_end_matches('_').to_owned();
    if slug.is_empty() { "table".to_owned() } else { slug }
}

fn unique(name: &str, names: &mut BTreeSet<String>) -> String {
    for number in 1.. {
        let candidate = if number == 1 { name.to_owned() } else { format!("{name}_{number}") };
        if names.insert(candidate.clone()) {
            return candidate;
        }
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::piece::Lock;
    use super::*;

    /// Two foreign keys to one table that binds its owner: FORCE is lifted for each of them.
    #[test]
    fn what_is_lifted_for_one_is_lifted_for_the_next() {
        let of = |name: &str| Piece {
            stage: 2,
            phase: Phase::Constraint,
            segment: VALIDATE,
            table: Some(Name { schema: Some("app".into()), name: "lines".into() }),
            transaction: false,
            long: true,
            lock: Lock::ShareUpdateExclusive,
            up: vec!["lift".into(), format!("validate {name}"), "force".into()],
            down: Vec::new(),
            lost: Vec::new(),
            notes: Vec::new(),
            name: None,
            why: String::new(),
            closes: Vec::new(),
            questions: Vec::new(),
        };
        let steps = order(vec![of("a"), of("b"), of("a")]);
        let [step] = steps.as_slice() else { panic!("{steps:?}") };
        let kept: Vec<_> = step.up.iter().map(String::as_str).filter(|it| !it.contains("timeout")).collect();
        assert_eq!(kept, ["lift", "validate a", "force", "lift", "validate b", "force"]);
    }
}
