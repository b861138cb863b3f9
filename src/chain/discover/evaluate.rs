//! Which sampled rows a formula explains.

use crate::chain::algorithm::Digest;
use crate::chain::recipe::{Context, Formula, Item};
use crate::chain::value::Row;

/// Rows of one chain or of several, in order, with what their formulas should give.
#[derive(Debug)]
pub(super) struct Sample {
    /// As the stream of the formulas has them.
    pub rows: Vec<Row>,
    /// The stored hash.
    pub hashes: Vec<Option<Digest>>,
    /// The stored hash of the row before, in the same chain.
    pub before: Vec<Option<Digest>>,
}

impl Sample {
    /// The rows a formula explains.
    pub(super) fn matches(&self, formula: &Formula, items: &[Item], key: Option<&[u8]>) -> Vec<bool> {
        let mut buffer = Vec::new();
        (0..self.rows.len()).map(|row| self.matches_row(formula, items, key, row, &mut buffer)).collect()
    }

    /// Whether a formula explains one row.
    pub(super) fn matches_row(
        &self,
        formula: &Formula,
        items: &[Item],
        key: Option<&[u8]>,
        row: usize,
        buffer: &mut Vec<u8>,
    ) -> bool {
        let context = Context { last: self.before[row].as_ref(), key, instead: None };
        let Row { tuple, fields } = &self.rows[row];
        self.hashes[row].is_some() && formula.hash(items, fields, tuple, &context, buffer) == self.hashes[row]
    }

    /// Rows that have a hash to be explained.
    pub(super) fn explainable(&self) -> usize {
        self.hashes.iter().flatten().count()
    }
}
