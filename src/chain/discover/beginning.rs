//! What the first row of a chain hashes where others hash the row before: nothing stores it.

use super::evaluate::Sample;
use crate::chain::algorithm::Algorithm;
use crate::chain::encoding::hex;
use crate::chain::genesis;
use crate::chain::recipe::{Formula, Item, Null, Piece};

/// The formulas, with the spelling of nothing under which they explain the first rows they left over.
pub(super) fn spelled(
    sample: &Sample,
    mut formulas: Vec<Formula>,
    prev: Option<usize>,
    constants: &[String],
    items: &[Item],
    key: Option<&[u8]>,
) -> Vec<Formula> {
    let mut buffer = Vec::new();
    let mut explains = |formula: &Formula, row: usize| sample.matches_row(formula, items, key, row, &mut buffer);
    let open: Vec<usize> = (0..sample.rows.len())
        .filter(|row| sample.before[*row].is_none() && sample.hashes[*row].is_some())
        .filter(|row| prev.is_none_or(|prev| sample.rows[*row].get(prev).is_none()))
        .filter(|row| !formulas.iter().any(|formula| explains(formula, *row)))
        .collect();
    if open.is_empty() {
        return formulas;
    }
    let spellings = spellings(constants);
    for formula in &mut formulas {
        let with = |spelling: &Vec<u8>| {
            let mut other = formula.clone();
            begin_all(&mut other.pieces, prev, spelling).then_some(other)
        };
        let found = spellings.iter().filter_map(with).find(|other| open.iter().any(|row| explains(other, *row)));
        if let Some(other) = found {
            *formula = other;
            break;
        }
    }
    formulas
}

/// Words, zeros, and hashes of words.
fn spellings(constants: &[String]) -> Vec<Vec<u8>> {
    let words = genesis::WORDS.iter().map(|word| (*word).to_owned()).chain(constants.iter().cloned());
    let mut all: Vec<Vec<u8>> = words.map(String::into_bytes).collect();
    let hashed: Vec<Vec<u8>> = all.iter().map(|word| Algorithm::Sha256.digest(None, word).bytes().to_vec()).collect();
    all.extend(["None", "undefined", "nil", "-"].map(|word| word.as_bytes().to_vec()));
    all.extend([32, 40, 64, 96, 128].map(|digits| vec![b'0'; digits]));
    all.extend([1, 20, 32, 48, 64].map(|bytes| vec![0; bytes]));
    all.extend(hashed.iter().map(|digest| hex(digest).into_bytes()));
    all.extend(hashed);
    // A document has them in quotes.
    all.extend(all.clone().into_iter().map(|word| [&b"\""[..], &word, &b"\""[..]].concat()));
    all
}

fn begin_all(pieces: &mut [Piece], prev: Option<usize>, spelling: &[u8]) -> bool {
    // All of them: a formula may name it twice.
    pieces.iter_mut().map(|piece| begin_with(piece, prev, spelling)).filter(|begun| *begun).count() > 0
}

/// Has the piece stand for this where there is no row before; whether it is such a piece.
fn begin_with(piece: &mut Piece, prev: Option<usize>, spelling: &[u8]) -> bool {
    match piece {
        Piece::Item { at, null, .. } if Some(*at) == prev => {
            *null = Null::Bytes(spelling.to_vec());
            true
        }
        Piece::Last { genesis, .. } => {
            *genesis = spelling.to_vec();
            true
        }
        other => begin_all(other.within(), prev, spelling),
    }
}
