//! What a run of rows says, and how two neighbouring runs are joined: the order of joining does not matter.

use super::algorithm::Digest;
use super::loose::Loose;
use super::traits::Traits;
use std::collections::HashMap;

/// Where a row stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The ordering columns, as text; what the row is looked up by.
    pub keys: Vec<String>,
    /// The number, where one number orders the rows.
    pub number: Option<i64>,
}

impl Position {
    /// The key of a row that has none: what orders it is null.
    pub const NULL: &str = "null";

    /// For people and JSON.
    pub fn shown(&self) -> String {
        self.keys.join(", ")
    }
}

/// What is wrong with a row by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No formula gives its hash. `recomputed` is what the first formula gives.
    Content {
        /// By the first formula.
        recomputed: Option<Digest>,
        /// It would fit, had it named the row before it.
        fits_before: bool,
    },
    /// A digest it stores is not that of what it covers: the number of the commitment.
    Commitment(usize),
    /// The row beside it is gone.
    Gone,
    /// It has no hash.
    Unreadable,
    /// It does not name the row before it.
    Link,
}

impl Flaw {
    /// What watches the values by which it may have come about: the formulas (0), or a commitment (its number and one).
    pub fn by(&self) -> Option<usize> {
        match self {
            Self::Content { .. } => Some(0),
            Self::Commitment(number) => Some(number + 1),
            _ => None,
        }
    }
}

/// A row with a flaw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub flaw: Flaw,
    /// Which chain of the table.
    pub partition: Vec<Option<String>>,
    /// Where.
    pub at: Position,
    /// The row before it in the chain.
    pub before: Option<Position>,
    /// What it says its hash is.
    pub hash: Option<Digest>,
    /// Of the values whose spelling was searched for, one for each item.
    pub traits: Vec<Traits>,
}

/// One chain in a run of rows.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Values of the partition columns, as text.
    pub partition: Vec<Option<String>>,
    /// What the first row names as the row before it, as stored.
    pub first_prev: Option<Vec<u8>>,
    /// Where it begins.
    pub first: Position,
    /// The hash of the first row.
    pub first_hash: Option<Digest>,
    /// Where it ends.
    pub last: Position,
    /// The hash of the last row.
    pub last_hash: Option<Digest>,
    /// Rows.
    pub rows: u64,
    /// Rows at the beginning that were never chained: no hash and no previous hash.
    pub unchained: u64,
    /// Rows that do not name the row before them.
    pub unlinked: u64,
}

impl Thread {
    /// The chain counts its own rows: its numbers are dense, and not those of the whole table.
    pub fn is_counted(&self) -> bool {
        let (Some(first), Some(last)) = (self.first.number, self.last.number) else { return false };
        let span = u64::try_from(last.saturating_sub(first)).unwrap_or(u64::MAX).saturating_add(1);
        span <= self.rows.saturating_add(self.rows / 2).saturating_add(1)
    }
}

/// A run of rows, verified.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    /// Rows read.
    pub rows: u64,
    /// The chains in it.
    pub threads: HashMap<Vec<u8>, Thread>,
    /// The first faults.
    pub faults: Vec<Fault>,
    /// All faults but links, kept or not.
    pub flawed: u64,
    /// Payloads that are gone while their digests stay, as after an erasure.
    pub erased: u64,
    /// Traits of the values in rows that were explained: one for each item that is watched, by what watches it.
    pub seen: Vec<Vec<Traits>>,
    /// Rows each formula explained.
    pub explained: Vec<u64>,
    /// Numbers that are missing though the rows beside them are linked: first and last missing, the row behind them.
    pub holes: Vec<(i64, i64, Vec<u8>)>,
    /// Heads that were looked for and found, with their places.
    pub heads: Vec<(Digest, Position, Vec<u8>)>,
    /// The first number and the last, where rows were read as they are stored.
    pub span: Option<(i64, i64)>,
    /// They are not stored in their order.
    pub disordered: bool,
    /// Every hash in order, by chain, where trees are grown.
    pub leaves: HashMap<Vec<u8>, Vec<Digest>>,
    /// Chains that are read in any order.
    pub loose: HashMap<Vec<u8>, Loose>,
}

/// Most faults that are kept of one run.
pub const KEPT: usize = 1000;

impl Segment {
    fn see(&mut self, others: Vec<Vec<Traits>>) {
        self.seen.resize(self.seen.len().max(others.len()), Vec::new());
        for (mine, theirs) in self.seen.iter_mut().zip(others) {
            mine.resize(mine.len().max(theirs.len()), Traits::default());
            mine.iter_mut().zip(theirs).for_each(|(mine, other)| mine.0 |= other.0);
        }
    }

    /// Adds the run that follows this one. Seams between the two are compared by the caller's rule `names`:
    /// whether a stored previous hash names a digest.
    pub fn join(&mut self, next: Self, names: impl Fn(Option<&[u8]>, Option<&Digest>) -> bool) {
        self.disordered |= next.disordered;
        if let (Some((_, last)), Some((first, _))) = (self.span, next.span) {
            self.disordered |= first <= last;
        }
        self.span = match (self.span, next.span) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (mine, theirs) => mine.or(theirs),
        };
        self.rows += next.rows;
        self.flawed += next.flawed;
        self.erased += next.erased;
        self.see(next.seen);
        self.explained.resize(self.explained.len().max(next.explained.len()), 0);
        for (mine, theirs) in self.explained.iter_mut().zip(&next.explained) {
            *mine += theirs;
        }
        let room = KEPT.saturating_sub(self.faults.len());
        self.faults.extend(next.faults.into_iter().take(room));
        self.holes.extend(next.holes.into_iter().take(KEPT));
        self.heads.extend(next.heads);
        for (key, thread) in next.threads {
            let Some(mine) = self.threads.get_mut(&key) else {
                self.threads.insert(key, thread);
                continue;
            };
            if !names(thread.first_prev.as_deref(), mine.last_hash.as_ref()) {
                mine.unlinked += 1;
                if self.faults.len() < KEPT {
                    self.faults.push(Fault {
                        flaw: Flaw::Link,
                        partition: mine.partition.clone(),
                        at: thread.first.clone(),
                        before: Some(mine.last.clone()),
                        hash: thread.first_hash,
                        traits: Vec::new(),
                    });
                }
            } else if let (Some(before), Some(after)) = (mine.last.number, thread.first.number)
                && after > before.saturating_add(1)
            {
                self.holes.push((before + 1, after - 1, key.clone()));
            }
            mine.rows += thread.rows;
            mine.unlinked += thread.unlinked;
            mine.last = thread.last;
            mine.last_hash = thread.last_hash;
        }
    }
}
