//! Rows that one formula leaves over though nobody changed them: a whole second, a null or a missing offset is written
//! otherwise than the rest.

use super::evaluate::Sample;
use super::search::clocks;
use crate::chain::form::Form;
use crate::chain::recipe::{Formula, Item, Null, Piece};

/// Rows that are looked at.
const ROWS: usize = 40;

/// What a null may be written as.
const NOTHING: [&str; 6] = ["", "null", "None", "NULL", "undefined", "nil"];

/// Adds formulas that differ from a known one in the spelling of one kind of value, and explain rows it leaves over.
pub(super) fn spelled(sample: &Sample, formulas: &mut Vec<Formula>, items: &[Item], key: Option<&[u8]>) {
    let mut buffer = Vec::new();
    let Some(first) = formulas.first().cloned() else { return };
    let mut explains = |formula: &Formula, row: usize| sample.matches_row(formula, items, key, row, &mut buffer);
    let open: Vec<usize> = (0..sample.rows.len())
        .filter(|row| sample.hashes[*row].is_some() && !formulas.iter().any(|formula| explains(formula, *row)))
        .take(ROWS)
        .collect();
    if open.is_empty() {
        return;
    }
    let others = others(&first, items);
    for row in open {
        if formulas.iter().any(|formula| explains(formula, row)) {
            continue;
        }
        if let Some(other) = others.iter().find(|other| explains(other, row)) {
            formulas.push(other.clone());
        }
    }
}

/// The formula with all its times in another spelling, or with another word for nothing.
fn others(formula: &Formula, items: &[Item]) -> Vec<Formula> {
    let with = |change: &dyn Fn(&mut Piece) -> bool| {
        let mut other = formula.clone();
        let mut changed = false;
        for piece in &mut other.pieces {
            match piece {
                Piece::Joined(_, pieces) => pieces.iter_mut().for_each(|piece| changed |= change(piece)),
                piece => changed |= change(piece),
            }
        }
        changed.then_some(other)
    };
    let clocks = clocks().into_iter().filter_map(|clock| {
        with(&|piece| match piece {
            Piece::Item { at, form, .. } if items[*at].kind.is_time() => {
                match (form, &clock) {
                    (Form::Json(_, within), Form::Time(clock)) => *within = Some(clock.clone()),
                    (Form::Json(..), _) => return false,
                    (form, clock) => *form = clock.clone(),
                }
                true
            }
            _ => false,
        })
    });
    let nothing = NOTHING.into_iter().filter_map(|word| {
        with(&|piece| match piece {
            Piece::Item { null, .. } => {
                *null = Null::Bytes(word.as_bytes().to_vec());
                true
            }
            _ => false,
        })
    });
    clocks.chain(nothing).collect()
}
