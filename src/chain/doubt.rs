//! Rows that a searched formula does not explain: changed, or the first of their sort.
//!
//! A value with a trait that no explained row has may be hashed in a way nobody has met. Then the hash proves nothing, and
//! what remains is whether the row was written again after the rows behind it: who changes a row leaves that behind.

use super::definition::Chain;
use super::links;
use super::segment::{Fault, Flaw, Segment};
use super::traits::Traits;
use super::variant;
use crate::error::Stop;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Rows whose place in the table is looked at.
const INSPECTED: usize = 40;

/// What cannot be decided.
#[derive(Debug, Default)]
pub struct Doubts {
    /// Numbers of the faults.
    pub faults: BTreeSet<usize>,
    /// Rows, those included that were not kept.
    pub rows: u64,
    /// Those among the kept ones of which no formula gives the hash.
    pub content: u64,
    /// What is new about them, the commonest first.
    pub said: Vec<String>,
}

/// Tells changed rows from rows of a new sort.
///
/// # Errors
/// The session is lost.
pub async fn weigh(connection: &mut PgConnection, chain: &Chain, segment: &Segment) -> Result<Doubts, Stop> {
    let mut doubts = Doubts::default();
    // Where nothing is explained there is nothing to compare with.
    if segment.explained.iter().all(|rows| *rows == 0) {
        return Ok(doubts);
    }
    let sorts: Vec<(usize, Vec<Traits>)> = segment
        .faults
        .iter()
        .enumerate()
        .map(|(at, fault)| (at, unseen(segment, fault)))
        .filter(|(_, traits)| traits.iter().any(|traits| !traits.is_none()))
        .collect();
    let mut said: BTreeMap<String, u64> = BTreeMap::new();
    let new: BTreeSet<usize> = sorts.iter().map(|(at, _)| *at).collect();
    let is_plain = |fault: &Fault| matches!(fault.flaw, Flaw::Content { fits_before: false, .. });
    let plain = segment.faults.iter().enumerate().filter(|(at, fault)| is_plain(fault) && !new.contains(at));
    let plain: Vec<usize> = plain.map(|(at, _)| at).collect();
    for variant in variant::find(connection, chain, segment, &plain).await? {
        // One that was written again, and all of them may have been given this value.
        if later(connection, chain, segment, &variant.faults).await?.is_empty() {
            let rows = if plain.len() == variant.faults.len() {
                segment.flawed - new.len() as u64
            } else {
                variant.faults.len() as u64
            };
            said.insert(format!("{} has a value", variant.column), rows);
            doubts.content += variant.faults.len() as u64;
            doubts.faults.extend(variant.faults);
        }
    }
    let new: Vec<usize> = new.into_iter().collect();
    let later = later(connection, chain, segment, &new).await?;
    for (at, traits) in sorts.into_iter().filter(|(at, _)| !later.contains(at)) {
        let by = segment.faults[at].flaw.by().and_then(|by| chain.watched.get(by));
        for (traits, item) in traits.iter().zip(by.into_iter().flatten()) {
            let column = chain.column(*item).map_or("a value", |column| column.name.as_str());
            // The first says it best.
            if let Some(what) = traits.said().next() {
                *said.entry(format!("{column} {what}")).or_default() += 1;
            }
        }
        doubts.content += u64::from(segment.faults[at].flaw.by() == Some(0));
        doubts.faults.insert(at);
    }
    if doubts.faults.is_empty() {
        return Ok(doubts);
    }
    doubts.rows = doubts.faults.len() as u64;
    let others = segment.faults.iter().filter(|fault| fault.flaw.by().is_some()).count() as u64 - doubts.rows;
    if others == 0 && doubts.rows > 0 {
        // Those beyond the kept ones are no different.
        doubts.rows = doubts.rows.max(segment.flawed);
    }
    let mut said: Vec<(String, u64)> = said.into_iter().collect();
    said.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    doubts.said = said.into_iter().take(3).map(|(what, rows)| format!("in {rows} {what}")).collect();
    Ok(doubts)
}

/// Traits of a row that no explained row has.
fn unseen(segment: &Segment, fault: &Fault) -> Vec<Traits> {
    // It would fit, had it named another row: its values are understood.
    if matches!(fault.flaw, Flaw::Content { fits_before: true, .. }) {
        return Vec::new();
    }
    let Some(seen) = fault.flaw.by().and_then(|by| segment.seen.get(by)) else { return Vec::new() };
    fault.traits.iter().zip(seen).map(|(own, seen)| own.beyond(*seen)).collect()
}

/// Faults whose row was written again after the rows behind it, where rows are not written again as a matter of course.
async fn later(
    connection: &mut PgConnection,
    chain: &Chain,
    segment: &Segment,
    faults: &[usize],
) -> Result<BTreeSet<usize>, Stop> {
    let mut later = BTreeSet::new();
    let (mut beside, mut beside_later) = (0, 0);
    let failing: BTreeSet<_> = segment.faults.iter().map(|fault| &fault.at).collect();
    for at in faults.iter().take(INSPECTED) {
        let fault = &segment.faults[*at];
        let is_last = segment.threads.values().any(|thread| thread.last == fault.at);
        let is_later = if is_last {
            // Nothing is behind the last row to compare it with.
            chain.relation.changed > 0
                && links::is_behind_a_hole(connection, chain, &fault.partition, &fault.at).await?
        } else {
            links::written_later(connection, chain, &fault.partition, &fault.at).await?
        };
        if is_later {
            later.insert(*at);
        }
        if let Some(before) = fault.before.as_ref().filter(|before| !failing.contains(before)) {
            beside += 1;
            beside_later += u32::from(links::written_later(connection, chain, &fault.partition, before).await?);
        }
    }
    if beside_later * 3 > beside {
        later.clear();
    }
    Ok(later)
}
