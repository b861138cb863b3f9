//! From what rows and links say to what happened: one break for one act, at its place, with its likely cause.

use super::definition::Chain;
use super::links::{self, Found, Oddity};
use super::lost::{Lost, Stretch};
use super::segment::{Fault, Flaw, Position, Thread};
use super::verdict::{Break, BreakKind};
use std::collections::BTreeSet;

/// Rows apart that concurrent writers may swap.
const NEAR: usize = 64;

/// What is known of one chain when it is diagnosed.
#[derive(Debug)]
pub struct Case<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// Its ends.
    pub thread: &'a Thread,
    /// Flaws of its rows.
    pub faults: Vec<&'a Fault>,
    /// What its links show.
    pub found: &'a [Found],
    /// Missing numbers behind which the link holds.
    pub holes: &'a [(i64, i64)],
    /// Its number among the chains of the table.
    pub at: usize,
    /// Numbers of the whole table that are missing.
    pub lost: &'a Lost,
    /// Rows behind missing numbers that were written again after the rows behind them.
    pub later: &'a [Position],
}

impl Case<'_> {
    fn new_break(&self, kind: BreakKind, at: String, detail: String) -> Break {
        let values = self.thread.partition.iter().map(|value| value.as_deref().unwrap_or("null"));
        let partition = values.collect::<Vec<_>>().join(", ");
        Break {
            kind,
            at,
            partition: Some(partition).filter(|_| !self.thread.partition.is_empty()),
            detail,
            cause: None,
            before: None,
            after: None,
            look: None,
        }
    }

    fn at(&self, kind: BreakKind, at: &Position, before: Option<&Position>, detail: String) -> Break {
        Break {
            look: Some(links::look(self.chain, at, &self.thread.partition)),
            before: before.map(Position::shown),
            ..self.new_break(kind, at.shown(), detail)
        }
    }

    /// The breaks of this chain, and remarks that are none.
    pub fn breaks(&self) -> (Vec<Break>, Vec<String>) {
        let mut breaks = Vec::new();
        let mut notes = Vec::new();
        let mut settled: BTreeSet<&Position> = BTreeSet::new();
        for fault in &self.faults {
            self.fault(fault, &mut breaks, &mut settled);
        }
        // What follows a row whose hash was erased names that hash.
        let erased: BTreeSet<&Position> =
            self.faults.iter().filter(|fault| fault.flaw == Flaw::Unreadable).map(|fault| &fault.at).collect();
        let names_erased = |found: &Found| {
            found.oddity == Oddity::Orphan && found.before.as_ref().is_some_and(|before| erased.contains(&before.at))
        };
        // What a row that was changed says of the row before it is a part of the change.
        let changed: BTreeSet<&Position> = self
            .faults
            .iter()
            .filter(|fault| matches!(fault.flaw, Flaw::Content { .. }))
            .map(|fault| &fault.at)
            .collect();
        let is_told = |found: &Found| matches!(found.oddity, Oddity::Fork { .. }) && changed.contains(&found.row.at);
        let mut overtaken = 0_usize;
        for found in self
            .found
            .iter()
            .filter(|found| !settled.contains(&found.row.at) && !names_erased(found) && !is_told(found))
        {
            match self.oddity(found) {
                Some(found) => breaks.extend(found),
                None => overtaken += 1,
            }
        }
        if overtaken > 0 {
            notes.push(format!(
                "{overtaken} rows were chained in another order than they are numbered, as writers that wait for each other do"
            ));
        }
        self.burned(&mut breaks);
        breaks.sort_by_key(rank);
        (breaks, notes)
    }

    fn fault<'a>(&'a self, fault: &'a Fault, breaks: &mut Vec<Break>, settled: &mut BTreeSet<&'a Position>) {
        let before = fault.before.as_ref();
        match &fault.flaw {
            Flaw::Link => {}
            Flaw::Unreadable => {
                let mut it = self.at(
                    BreakKind::Unreadable,
                    &fault.at,
                    before,
                    "the row has no hash that can be read".to_owned(),
                );
                it.cause = Some("the trigger was off when it was written, or the hash was erased".to_owned());
                breaks.push(it);
            }
            Flaw::Gone => {
                let beside = self.chain.beside.as_ref().map_or("the table beside", |beside| &beside.shown);
                let detail = format!("the row of {beside} that this link vouches for is gone");
                breaks.push(self.at(BreakKind::Gap, &fault.at, before, detail));
            }
            Flaw::Commitment(number) => {
                let others = self
                    .faults
                    .iter()
                    .any(|other| other.at == fault.at && matches!(other.flaw, Flaw::Content { .. } | Flaw::Unreadable));
                if others {
                    return; // the digest was edited, which the row's own hash says already
                }
                let commitment = &self.chain.commitments[*number];
                let kind = if commitment.is_payload { BreakKind::Payload } else { BreakKind::Content };
                let what = if commitment.is_payload { "the payload" } else { "the row" };
                let detail = format!("{what} was changed: it does not hash to {}", commitment.column);
                breaks.push(self.at(kind, &fault.at, before, detail));
            }
            Flaw::Content { recomputed, fits_before } => {
                let counted = fault.at.number.zip(before.and_then(|before| before.number));
                let builds =
                    self.chain.prev.is_none() && self.chain.formulas.iter().any(super::recipe::Formula::needs_last);
                if let (true, Some((number, last))) = (builds, counted)
                    && number != last.saturating_add(1)
                {
                    // It builds upon a row that is not there, or upon another than the one in front of it.
                    breaks.push(if number > last {
                        self.gap(last.saturating_add(1), number.saturating_sub(1), before, &fault.at)
                    } else {
                        let detail = format!("two rows have the position {}", fault.at.shown());
                        self.at(BreakKind::Duplicate, &fault.at, before, detail)
                    });
                    return;
                }
                if let (true, None, Some(first)) = (builds, before, fault.at.number)
                    && first > 1
                    && self.chain.partition.is_empty()
                {
                    breaks.push(self.gap(1, first - 1, None, &fault.at));
                    return;
                }
                if *fits_before {
                    settled.insert(&fault.at);
                    let detail = "the previous hash of the row was overwritten: with that of the row before it the hash is right";
                    breaks.push(self.at(BreakKind::Link, &fault.at, before, detail.to_owned()));
                    return;
                }
                let mut detail = "the row was changed: its values do not hash to what it stores".to_owned();
                let follower = self.found.iter().find(|found| {
                    found.oddity == Oddity::Orphan && found.before.as_ref().is_some_and(|row| row.at == fault.at)
                });
                if let (Some(follower), Some(recomputed)) = (follower, recomputed)
                    && follower.row.prev == Some(*recomputed)
                {
                    settled.insert(&follower.row.at);
                    detail =
                        "the hash of the row was overwritten: its values hash to what the next row names".to_owned();
                }
                let mut it = self.at(BreakKind::Content, &fault.at, before, detail);
                let relinked = self.hole_before(&fault.at, before);
                if !relinked.is_empty() {
                    breaks.extend(relinked.into_iter().map(|gap| Break {
                        cause: Some("rows were deleted and the next row was linked over them".to_owned()),
                        ..gap
                    }));
                    it.cause = Some("it was linked anew over deleted rows".to_owned());
                }
                breaks.push(it);
            }
        }
    }

    /// Numbers missing in front of a row, though it names the row before it; none where numbers are left out everywhere.
    fn hole_before(&self, at: &Position, before: Option<&Position>) -> Vec<Break> {
        if self.lost.burned {
            return Vec::new();
        }
        let hole = at.number.and_then(|number| self.holes.iter().copied().find(|(_, to)| to + 1 == number));
        match hole.filter(|_| self.later.contains(at)) {
            Some((from, to)) => self.gaps(from, to, before, at).unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// A gap for each run of missing numbers between two rows; none where nobody asked for them.
    fn gaps(&self, from: i64, to: i64, before: Option<&Position>, after: &Position) -> Option<Vec<Break>> {
        let stretch = Stretch { thread: self.at, from, to };
        let runs = self.lost.of(stretch)?;
        if let (Some(count), Some((first, _))) = (self.lost.vague.get(&stretch), runs.first()) {
            let detail = format!(
                "rows are missing behind {}: {count} numbers up to {} belong to no row, and not all of them need have",
                first - 1,
                after.shown()
            );
            return Some(vec![Break { detail, ..self.gap(*first, *first, before, after) }]);
        }
        Some(runs.iter().map(|(from, to)| self.gap(*from, *to, before, after)).collect())
    }

    fn gap(&self, from: i64, to: i64, before: Option<&Position>, after: &Position) -> Break {
        let detail = if from == to {
            format!("row {from} is missing")
        } else {
            format!("rows {from} to {to} are missing ({})", to.saturating_sub(from).saturating_add(1))
        };
        let mut it = self.new_break(BreakKind::Gap, from.to_string(), detail);
        it.before = before.map(Position::shown);
        it.after = Some(after.shown());
        it.look = Some(links::look(self.chain, after, &self.thread.partition));
        it
    }

    /// A break; none where writers merely overtook each other.
    fn oddity(&self, found: &Found) -> Option<Vec<Break>> {
        let before = found.before.as_ref().map(|row| &row.at);
        let at = &found.row.at;
        Some(vec![match &found.oddity {
            Oddity::Duplicate => {
                let detail = format!("two rows have the position {}", at.shown());
                self.at(BreakKind::Duplicate, at, before, detail)
            }
            Oddity::Fork { other, shared } => {
                let of = shared
                    .as_ref()
                    .map_or_else(|| "the beginning".to_owned(), |shared| format!("row {}", shared.shown()));
                let detail = format!("rows {} and {} both follow {of}", other.shown(), at.shown());
                let mut it = self.at(BreakKind::Fork, at, before, detail);
                it.cause = Some(if found.rewritten || found.before_rewritten {
                    "one of them was written again later than the rows behind it".to_owned()
                } else {
                    "two writers read the same last row: the chain takes no lock; or one row was slipped in".to_owned()
                });
                it
            }
            Oddity::Displaced { parent, distance } => {
                let natural = self.chain.sequenced || !self.chain.is_numbered();
                if natural && *distance <= NEAR && !found.rewritten && !found.before_rewritten {
                    return None;
                }
                let detail = format!("it follows row {}, which is not the row before it", parent.shown());
                self.at(BreakKind::Link, at, before, detail)
            }
            Oddity::Restart => self.at(
                BreakKind::Link,
                at,
                before,
                "it begins a chain of its own in the middle of this one".to_owned(),
            ),
            Oddity::Orphan => return Some(self.orphan(found)),
        }])
    }

    /// The row a row names is nowhere: deleted, or replaced by one with another hash.
    fn orphan(&self, found: &Found) -> Vec<Break> {
        let at = &found.row.at;
        let before = found.before.as_ref().map(|row| &row.at);
        let replaced = |cause: &str| {
            let previous =
                before.map_or_else(|| "the row before it".to_owned(), |before| format!("row {}", before.shown()));
            let detail = format!("it names a hash that no row has; {previous} has another");
            vec![Break { cause: Some(cause.to_owned()), ..self.at(BreakKind::Link, at, before, detail) }]
        };
        let is_rewritten = found.before_rewritten || found.rewritten;
        let again = "the row before it was written again later than the rows behind it";
        if let (Some(low), Some(high)) = (before.and_then(|before| before.number), at.number) {
            // Numbers that are missing here are missing everywhere; that a row was written again says what happened.
            if self.lost.burned && is_rewritten {
                return replaced(again);
            }
            return match self.gaps(low.saturating_add(1), high.saturating_sub(1), before, at) {
                Some(gaps) if !gaps.is_empty() => gaps,
                _ => replaced("the row before it was replaced, or this row's previous hash was"),
            };
        }
        if is_rewritten {
            return replaced(again);
        }
        let between = before
            .map_or_else(|| "before it".to_owned(), |before| format!("between {} and {}", before.shown(), at.shown()));
        let mut it = self.at(
            BreakKind::Gap,
            at,
            before,
            format!("a row is missing {between}: no row has the hash this one names"),
        );
        it.after = Some(at.shown());
        it.cause = Some("it was deleted, or replaced by a row with another hash".to_owned());
        vec![it]
    }

    /// Numbers that nothing but a deletion leaves out: they come from no sequence, and are dense but for this.
    fn burned(&self, breaks: &mut Vec<Break>) {
        if self.chain.sequenced || !self.chain.partition.is_empty() && !self.thread.is_counted() {
            return;
        }
        for (from, to) in self.holes {
            let after = Position { keys: vec![(to + 1).to_string()], number: Some(to + 1) };
            let known = breaks
                .iter()
                .any(|known| known.kind == BreakKind::Gap && known.after.as_deref() == Some(&after.keys[0]));
            if !known && self.holes.len() <= 3 {
                let before = Position { keys: vec![(from - 1).to_string()], number: Some(from - 1) };
                let mut it = self.gap(*from, *to, Some(&before), &after);
                it.cause = Some(
                    "the numbers come from no sequence, so a row was deleted and those behind it hashed anew"
                        .to_owned(),
                );
                breaks.push(it);
            }
        }
    }

    /// The beginning is not one: what was before it is gone.
    pub fn headless(&self) -> Vec<Break> {
        let first = &self.thread.first;
        let gaps = first.number.and_then(|number| self.gaps(1, number.saturating_sub(1), None, first));
        if let Some(gaps) = gaps.filter(|gaps| !gaps.is_empty()) {
            return gaps;
        }
        let detail = "the first row names a row before it, which is gone";
        let mut it = self.at(BreakKind::Gap, first, None, detail.to_owned());
        it.after = Some(first.shown());
        vec![it]
    }
}

/// Rows that are gone, of one of several chains.
pub fn of_nobody(from: i64, to: i64) -> Break {
    let rows = if from == to { format!("row {from} is") } else { format!("rows {from} to {to} are") };
    Break {
        kind: BreakKind::Gap,
        at: from.to_string(),
        partition: None,
        detail: format!("{rows} missing, from one of the chains that lost rows here"),
        cause: None,
        before: None,
        after: None,
        look: None,
    }
}

/// By number where the place is one.
fn rank(it: &Break) -> (i64, String) {
    (it.at.parse().unwrap_or(i64::MAX), it.at.clone())
}
