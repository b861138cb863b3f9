//! Recipe v1, `govctl.chain/1`: what `plan-stage 4` writes.
//!
//! ```text
//! F(x)     = int4be(octet_length(b(x))) ‖ b(x), and ff ff ff ff for null; b is PostgreSQL's binary send form
//! row_hash = SHA-256("govctl/chain/1" 00 ‖ prev_hash ‖ F(c1) ‖ … ‖ F(cn))
//! ```
//! The frames are byte for byte what `COPY … (FORMAT binary)` sends, so a row is hashed as it arrives.

use super::form::Form;
use super::recipe::{Formula, Null, Piece};

/// The name of the recipe.
pub const NAME: &str = "govctl.chain/1";

/// What every preimage begins with.
pub const TAG: &[u8] = b"govctl/chain/1\0";

/// Lays the stream out so that the framed columns are its first items, and lets the formula hash them in one piece.
pub fn contiguous(formula: &Formula, items: &mut Vec<super::recipe::Item>) -> Option<Formula> {
    let (lead, framed): (Vec<&Piece>, Vec<&Piece>) =
        formula.pieces.iter().partition(|piece| !matches!(piece, Piece::Item { form: Form::Framed, .. }));
    let order: Vec<usize> = framed
        .iter()
        .filter_map(|piece| match piece {
            Piece::Item { at, null: Null::Bytes(null), .. } if null == &[0xff; 4] => Some(*at),
            _ => None,
        })
        .collect();
    let in_one_piece = formula.pieces[lead.len().min(formula.pieces.len())..].len() == order.len()
        && formula.pieces[..lead.len()].iter().eq(lead.iter().copied());
    let distinct = order.iter().enumerate().all(|(at, item)| !order[..at].contains(item));
    if order.len() < 2 || !in_one_piece || !distinct {
        return None;
    }
    let rest = (0..items.len()).filter(|at| !order.contains(at));
    let new: Vec<usize> = order.iter().copied().chain(rest).collect();
    let moved = |at: usize| new.iter().position(|old| *old == at).unwrap_or(at);
    let mut pieces: Vec<Piece> = lead
        .into_iter()
        .map(|piece| match piece.clone() {
            Piece::Item { at, form, null } => Piece::Item { at: moved(at), form, null },
            other => other,
        })
        .collect();
    pieces.push(Piece::Frames(order.len()));
    *items = new.iter().map(|at| items[*at].clone()).collect();
    Some(Formula { pieces, ..formula.clone() })
}
