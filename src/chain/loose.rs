//! Links of a table that no index orders, in whatever order its rows are stored.
//!
//! In a chain that holds, every hash but the last is named once, and nothing else is named but the beginning. So the sum
//! over all hashes less the sum over all that is named is the last hash less the beginning, whatever comes first. What is
//! summed up is a keyed image of each hash under a key made for this run, so that nobody can aim at the sum; that needs
//! the memory of one row. It only ever says that all is well: whatever does not add up is read again in order.

use super::algorithm::Digest;
use super::definition::Chain;
use super::discover::{Key, key};
use super::encoding;
use super::genesis;
use super::segment::{Position, Segment, Thread};
use super::value::{Fields, Kind};
use super::walk::Walker;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// The key of one run.
#[derive(Clone, Debug, Default)]
pub struct Image(RandomState, RandomState);

impl Image {
    fn of(&self, digest: &Digest) -> u128 {
        u128::from(self.0.hash_one(digest)) << 64 | u128::from(self.1.hash_one(digest))
    }
}

/// A row at one end of a chain.
#[derive(Clone, Debug)]
struct End {
    rank: Vec<Key>,
    at: Position,
    prev: Option<Vec<u8>>,
    hash: Digest,
}

/// One chain, its rows in any order.
#[derive(Clone, Debug)]
pub struct Loose {
    partition: Vec<Option<String>>,
    rows: u64,
    /// Images of the hashes, less images of those that are named.
    sum: u128,
    /// Rows that name none.
    beginnings: u64,
    first: End,
    last: End,
}

impl Loose {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.sum = self.sum.wrapping_add(other.sum);
        self.beginnings += other.beginnings;
        if other.first.rank < self.first.rank {
            self.first = other.first;
        }
        if other.last.rank > self.last.rank {
            self.last = other.last;
        }
    }
}

/// Whether a chain can be read so: its rows name each other, and a row that changes places no longer fits its hash.
pub fn may(chain: &Chain) -> bool {
    let covered = |at: &usize| chain.column(*at).is_some_and(|column| !chain.uncovered.contains(&column.name));
    chain.prev.is_some() && !chain.formulas.is_empty() && chain.order.iter().all(covered)
}

impl Walker<'_> {
    /// A row of a chain that is read in any order; `false` where it must be read in order.
    pub(super) fn loosely(&mut self, image: &Image, tuple: &[u8], fields: &Fields) -> bool {
        let chain = self.against.chain;
        let Some(prev_at) = chain.prev else { return false };
        let is_bytes = chain.items[chain.hash].kind == Kind::Bytes;
        let hash = fields.get(tuple, chain.hash).and_then(|hash| encoding::decode(hash, is_bytes));
        let Some((hash, _)) = hash else { return false };
        let rank = |at: &usize| key(chain.items[*at].kind, fields.get(tuple, *at)?);
        let Some(rank) = chain.order.iter().map(rank).collect::<Option<Vec<_>>>() else { return false };
        let mut flaws = Vec::new();
        if self.content(tuple, fields, &hash, None, None).is_some() {
            return false;
        }
        self.commitments(tuple, fields, &mut flaws);
        if !flaws.is_empty() {
            return false;
        }
        if self.against.heads.contains(&hash) {
            let at = self.position_of(tuple, fields);
            self.segment.heads.push((hash, at, self.key.clone()));
        }
        let prev = fields.get(tuple, prev_at);
        let is_bytes = chain.items[prev_at].kind == Kind::Bytes;
        let begins = genesis::is(prev, is_bytes, &chain.genesis);
        let named = prev.filter(|_| !begins).and_then(|prev| encoding::decode(prev, is_bytes));
        let sum = image.of(&hash).wrapping_sub(named.map_or(0, |(named, _)| image.of(&named)));
        let end = |walker: &Self, rank: Vec<Key>| End {
            rank,
            at: walker.position_of(tuple, fields),
            prev: prev.map(<[u8]>::to_vec),
            hash,
        };
        let Some(loose) = self.segment.loose.get_mut(&self.key) else {
            let first = end(self, rank);
            let (last, partition) = (first.clone(), self.partition(tuple, fields));
            let loose = Loose { partition, rows: 1, sum, beginnings: u64::from(begins), first, last };
            self.segment.loose.insert(self.key.clone(), loose);
            return true;
        };
        loose.rows += 1;
        loose.sum = loose.sum.wrapping_add(sum);
        loose.beginnings += u64::from(begins);
        let (lower, higher) = (rank < loose.first.rank, rank > loose.last.rank);
        if lower || higher {
            let end = end(self, rank);
            if let Some(loose) = self.segment.loose.get_mut(&self.key) {
                *(if lower { &mut loose.first } else { &mut loose.last }) = end;
            }
        }
        true
    }
}

impl Segment {
    /// Adds the chains of a run that stands anywhere.
    pub(super) fn add_loose(&mut self, mut next: Self) {
        for (key, loose) in std::mem::take(&mut next.loose) {
            match self.loose.get_mut(&key) {
                Some(mine) => mine.add(loose),
                None => _ = self.loose.insert(key, loose),
            }
        }
        self.join(next, |_, _| true);
    }

    /// Chains that were read in any order, as if they had been read in theirs; `false` where they do not add up.
    pub(super) fn settle(&mut self, chain: &Chain, image: &Image) -> bool {
        let is_bytes = chain.prev.is_some_and(|prev| chain.items[prev].kind == Kind::Bytes);
        for (key, loose) in std::mem::take(&mut self.loose) {
            let Loose { partition, rows, sum, beginnings, first, last } = loose;
            let begins = genesis::is(first.prev.as_deref(), is_bytes, &chain.genesis);
            let named = first.prev.as_deref().filter(|_| !begins).and_then(|prev| encoding::decode(prev, is_bytes));
            let ends = image.of(&last.hash).wrapping_sub(named.map_or(0, |(named, _)| image.of(&named)));
            let dense = match (first.at.number, last.at.number) {
                (Some(first), Some(last)) => {
                    last.checked_sub(first).is_some_and(|span| span.unsigned_abs() + 1 == rows)
                }
                _ => true,
            };
            if sum != ends || beginnings != u64::from(begins) || !dense && !chain.sequenced {
                return false;
            }
            let thread = Thread {
                partition,
                first_prev: first.prev,
                first: first.at,
                first_hash: Some(first.hash),
                last: last.at,
                last_hash: Some(last.hash),
                rows,
                unchained: 0,
                unlinked: 0,
            };
            self.threads.insert(key, thread);
        }
        true
    }
}
