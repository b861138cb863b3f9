//! Recipe v1 over columns nobody named.

use super::{MOST, Search};
use crate::chain::algorithm::Algorithm;
use crate::chain::form::Form;
use crate::chain::recipe::{Formula, Null, Piece};
use crate::chain::value::Kind;

impl Search<'_> {
    /// Recipe v1 over any run of columns.
    pub(super) fn framed(&self, target: usize) -> Option<Formula> {
        let mut buffer = Vec::new();
        let fields: Vec<_> = self.fields.iter().copied().filter(|at| !self.is(*at, Kind::Rendered)).collect();
        for from in 0..fields.len() {
            for to in (from + 1..=fields.len()).rev() {
                let mut pieces = vec![Piece::Literal(crate::chain::v1::TAG.to_vec()), self.previous(Form::Digest, &[])];
                let framed = |at: &usize| Piece::Item { at: *at, form: Form::Framed, null: Null::Bytes(vec![0xff; 4]) };
                pieces.extend(fields[from..to].iter().map(framed));
                let formula = Formula::new(Algorithm::Sha256, pieces, crate::chain::v1::NAME);
                if self.holds(&formula, target, &mut buffer) {
                    return Some(formula);
                }
            }
        }
        let fields = &fields[..fields.len().min(MOST)];
        (1..1_usize << fields.len()).rev().find_map(|subset| {
            let mut pieces = vec![Piece::Literal(crate::chain::v1::TAG.to_vec()), self.previous(Form::Digest, &[])];
            let chosen = (0..fields.len()).filter(|bit| subset >> bit & 1 == 1).map(|bit| fields[bit]);
            pieces.extend(chosen.map(|at| Piece::Item { at, form: Form::Framed, null: Null::Bytes(vec![0xff; 4]) }));
            let formula = Formula::new(Algorithm::Sha256, pieces, crate::chain::v1::NAME);
            self.holds(&formula, target, &mut buffer).then_some(formula)
        })
    }
}
