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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::algorithm::Algorithm;
    use crate::chain::recipe::{Context, Item};
    use crate::chain::value::{Fields, Kind};

    /// Made with PostgreSQL's own functions, and with docs/chains/verify.py: seq 1, actor é, object null, previous hash 11….
    const GOLDEN: &str = "548669e0a8334143eeb4e48da71fe55c69b4265acf683e9b37b277771eb9b65a";

    #[test]
    fn the_golden_vector_comes_out_in_one_piece_and_in_several() {
        let frame = |value: Option<&[u8]>| match value {
            Some(value) => [&u32::try_from(value.len()).unwrap().to_be_bytes()[..], value].concat(),
            None => vec![0xff; 4],
        };
        let prev = [0x11; 32];
        let values = [Some(&1_i64.to_be_bytes()[..]), Some("é".as_bytes()), None, Some(&prev[..])];
        let tuple = [vec![0, 4], values.iter().flat_map(|value| frame(*value)).collect()].concat();
        let mut fields = Fields::default();
        assert!(fields.read(&tuple));
        let item = |sql: &str, kind| Item { sql: sql.into(), kind, column: Some(sql.into()) };
        let mut items = vec![
            item("seq", Kind::Int),
            item("actor", Kind::Text),
            item("object", Kind::Text),
            item("prev_hash", Kind::Bytes),
        ];
        let framed = |at| Piece::Item { at, form: Form::Framed, null: Null::Bytes(vec![0xff; 4]) };
        let lead = [Piece::Literal(TAG.to_vec()), Piece::item(3, Form::Raw)];
        let formula = Formula::new(Algorithm::Sha256, lead.into_iter().chain((0..3).map(framed)).collect(), NAME);
        let whole = contiguous(&formula, &mut items).unwrap();
        assert!(matches!(whole.pieces.last(), Some(Piece::Frames(3))));
        for formula in [formula, whole] {
            let hash = formula.hash(&items, &fields, &tuple, &Context::default(), &mut Vec::new());
            assert_eq!(hash.unwrap().hex(), GOLDEN);
        }
    }
}
