//! What may still be tried, and what was.

use crate::chain::algorithm::Algorithm;
use crate::chain::recipe::Formula;
use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher};
use std::ops::ControlFlow;

/// Whether to try on: not where a formula was found, nor where there is no work left.
pub(super) type Try = ControlFlow<Option<Formula>>;

/// Work that may still be done. It is counted, not timed, so that every machine finds the same.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Left(u64);

/// A digest of a few hundred bytes by an algorithm that processors know; a text that was hashed before costs an eighth.
const DIGEST: u64 = 8;

impl Left {
    /// So many digests.
    pub(super) fn digests(count: u32) -> Self {
        Self(u64::from(count) * DIGEST)
    }

    /// A part of it: so many of 64.
    pub(super) fn share(self, parts: u32) -> Self {
        Self(self.0 / 64 * u64::from(parts))
    }

    /// Adds a part of the work to what is left of others.
    pub(super) fn add(&mut self, other: Self) {
        self.0 += other.0;
    }

    /// The same, with it.
    pub(super) fn with(&mut self, other: Self) -> &mut Self {
        self.add(other);
        self
    }

    /// No more than that.
    pub(super) fn at_most(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// One more text; `false` where that is too many.
    fn take(&mut self, cost: u64) -> bool {
        self.0 = self.0.saturating_sub(cost);
        self.0 > 0
    }

    /// A text that is hashed.
    pub(super) fn hash(&mut self, algorithm: Algorithm, keyed: bool, around: usize) -> bool {
        let once = if algorithm.is_usual() { DIGEST } else { 2 * DIGEST };
        let keyed = if keyed { 2 } else { 1 };
        // What stands around a digest is short.
        self.take(once * keyed * (2 + around as u64) / 2)
    }

    /// A text that was hashed before, or is none.
    pub(super) fn pass(&mut self) -> bool {
        self.take(1)
    }
}

/// Marks of the last texts: several shapes come to the same one. As many as stay in a processor's cache.
#[derive(Debug)]
pub(in crate::chain::discover) struct Tried(RefCell<Vec<u32>>);

const MARKS: usize = 1 << 19;

impl Default for Tried {
    fn default() -> Self {
        Self(RefCell::new(vec![0; MARKS]))
    }
}

impl Tried {
    /// Whether a text was not tried before under this algorithm; from now on it was.
    pub(super) fn is_new(&self, text: &[u8], algorithm: Algorithm, keyed: bool) -> bool {
        let mut hasher = foldhash::fast::FixedState::default().build_hasher();
        hasher.write(text);
        hasher.write_u8(algorithm as u8 * 2 + u8::from(keyed));
        let hash = hasher.finish();
        // Half for the place, half for the mark.
        let (place, [.., a, b, c, d]) = (hash >> 32, hash.to_be_bytes());
        let (place, mark) = (usize::try_from(place).unwrap_or(0) % MARKS, u32::from_be_bytes([a, b, c, d]));
        let known = std::mem::replace(&mut self.0.borrow_mut()[place], mark);
        known != mark
    }
}

/// The values of one row as they were written so far. A spelling is tried where it writes something new.
#[derive(Debug, Default)]
pub(super) struct Spellings(Vec<Vec<Vec<u8>>>);

impl Spellings {
    /// Of these choices of fields (as bits) those that this spelling writes as none before it did.
    pub(super) fn new_in(&mut self, values: Vec<Vec<u8>>, choices: &[usize]) -> Vec<usize> {
        let from = |other: &Vec<Vec<u8>>| -> usize {
            (0..values.len()).filter(|bit| other[*bit] != values[*bit]).map(|bit| 1 << bit).sum()
        };
        let mut differ: Vec<usize> = self.0.iter().map(from).collect();
        differ.sort_unstable();
        differ.dedup();
        if differ.first() == Some(&0) {
            return Vec::new();
        }
        self.0.push(values);
        let is_new = |choice: &usize| differ.iter().all(|differ| differ & choice != 0);
        choices.iter().copied().filter(is_new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_is_tried_where_it_differs() {
        let mut spellings = Spellings::default();
        let row = |a: &str, b: &str| vec![a.as_bytes().to_vec(), b.as_bytes().to_vec()];
        assert_eq!(spellings.new_in(row("x", "1.0"), &[3, 2, 1]), [3, 2, 1]);
        assert_eq!(spellings.new_in(row("x", "1"), &[3, 2, 1]), [3, 2]);
        assert_eq!(spellings.new_in(row("x", "1"), &[3, 2, 1]), [0; 0]);
        assert_eq!(spellings.new_in(row("X", "1"), &[3, 2, 1]), [3, 1]);
    }

    #[test]
    fn work_ends_and_texts_are_tried_once() {
        let (tried, sha256) = (Tried::default(), Algorithm::Sha256);
        assert!(tried.is_new(b"text", sha256, false) && tried.is_new(b"text", sha256, true));
        assert!(!tried.is_new(b"text", sha256, false));
        let mut left = Left::digests(3);
        let hashed = (0..10).take_while(|_| left.hash(sha256, false, 0)).count();
        assert_eq!((hashed, left.pass()), (2, false));
    }
}
