//! One field alone, in every spelling it may have: the commonest of digests.

use super::{Search, clocks};
use crate::chain::form::Form;
use crate::chain::json_form::Style;
use crate::chain::recipe::{Formula, Null, Piece, SEARCHED};
use crate::chain::value::Kind;

impl Search<'_> {
    /// A field, before or behind the previous hash where there is one.
    pub(super) fn single(&self, target: usize) -> Option<Formula> {
        let mut buffer = Vec::new();
        for at in &self.fields {
            for form in spellings(self.items.list[*at].kind) {
                let field = Piece::Item { at: *at, form, null: Null::All };
                for pieces in self.around(&field) {
                    for algorithm in self.algorithms(target) {
                        for keyed in [false, true].into_iter().filter(|keyed| !keyed || self.key.is_some()) {
                            let formula = Formula { keyed, ..Formula::new(algorithm, pieces.clone(), SEARCHED) };
                            if self.holds(&formula, target, &mut buffer) {
                                return Some(formula);
                            }
                        }
                    }
                }
            }
        }
        None
    }

    fn around(&self, field: &Piece) -> Vec<Vec<Piece>> {
        if !self.chained {
            return vec![vec![field.clone()]];
        }
        let mut all = Vec::new();
        for form in [Form::Hex, Form::Digest] {
            let previous = self.previous(form, b"");
            for separator in ["", "|", ":"] {
                all.push(vec![previous.clone(), Piece::literal(separator), field.clone()]);
                all.push(vec![field.clone(), Piece::literal(separator), previous.clone()]);
            }
        }
        all
    }
}

fn spellings(kind: Kind) -> Vec<Form> {
    match kind {
        Kind::Json | Kind::Jsonb => {
            std::iter::once(Form::Text).chain(Style::ALL.into_iter().map(Form::Rewritten)).collect()
        }
        Kind::Bytes => vec![Form::Raw, Form::Hex],
        kind if kind.is_time() => clocks(),
        kind if kind.is_text() => vec![Form::Text],
        _ => vec![Form::Text, Form::Raw],
    }
}
