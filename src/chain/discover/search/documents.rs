//! JSON objects of fields, as applications hash them.

use super::{Left, MOST, Search, clocks};
use crate::chain::form::Form;
use crate::chain::json_form::Style;
use crate::chain::recipe::{Formula, Null, Piece};

/// A document takes as long as so many joined fields.
const COST: u32 = 4;

impl Search<'_> {
    /// JSON objects of fields, the previous hash inside, before or behind.
    pub(super) fn documents(&self, target: usize, mut left: Left) -> Option<Formula> {
        let mut buffer = Vec::new();
        let fields: Vec<_> = self.fields.iter().copied().take(MOST).collect();
        let camels = [false, true];
        let times = fields.iter().any(|at| self.items.list[*at].kind.is_time());
        let clocks: Vec<_> = if times { clocks() } else { vec![Form::Text] };
        // Who hashes a document leaves out little of the row: the fewest first, in every spelling.
        for left_out in 0..fields.len() {
            for algorithm in self.algorithms(target) {
                for style in Style::ALL {
                    for (camel, clock) in
                        camels.iter().flat_map(|camel| clocks.iter().map(move |clock| (*camel, clock)))
                    {
                        // 0: inside, 1: before, 2: behind, 3: not at all
                        for place in if self.chained { 0..3 } else { 3..4 } {
                            for separator in if place == 0 || place == 3 { &["", "", ""][..1] } else { &["", "|", ":"] }
                            {
                                for subset in subsets(fields.len(), left_out) {
                                    if !left.take(COST) {
                                        return None;
                                    }
                                    let chosen: Vec<usize> = (0..fields.len())
                                        .filter(|bit| subset >> bit & 1 == 1)
                                        .map(|bit| fields[bit])
                                        .collect();
                                    let pieces = self.document(&chosen, style, camel, clock, place, separator);
                                    let formula = Formula::new(algorithm, pieces, "found by search");
                                    if self.holds(&formula, target, &mut buffer) {
                                        return Some(formula);
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        None
    }

    fn document(
        &self,
        fields: &[usize],
        style: Style,
        camel: bool,
        clock: &Form,
        place: u8,
        separator: &str,
    ) -> Vec<Piece> {
        let name = |at: usize| {
            let name = self.column(at).map_or("prev_hash", |column| column.name.as_str());
            if camel { camelled(name) } else { name.to_owned() }
        };
        let clock = match clock {
            Form::Time(clock) => Some(clock.clone()),
            _ => None,
        };
        let mut entries: Vec<(String, Piece)> = Vec::new();
        for at in fields {
            let form = Form::Json(style, clock.clone());
            entries.push((name(*at), Piece::Item { at: *at, form, null: Null::Bytes(b"null".to_vec()) }));
        }
        if place == 0
            && let Some(at) = self.prev
        {
            let form = Form::Json(style, None);
            entries.push((name(at), Piece::Item { at, form, null: Null::Bytes(b"null".to_vec()) }));
        }
        if style.sorted {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
        }
        let mut pieces = vec![Piece::literal("{")];
        for (at, (key, piece)) in entries.into_iter().enumerate() {
            let mut lead = if at == 0 { Vec::new() } else { style.comma.as_bytes().to_vec() };
            style.string(&key, &mut lead);
            lead.extend_from_slice(style.colon.as_bytes());
            pieces.extend([Piece::Literal(lead), piece]);
        }
        pieces.push(Piece::literal("}"));
        match place {
            1 => {
                pieces.insert(0, self.previous(Form::Hex, b""));
                pieces.insert(1, Piece::literal(separator));
            }
            2 => pieces.extend([Piece::literal(separator), self.previous(Form::Hex, b"")]),
            _ => {}
        }
        pieces
    }
}

/// Subsets of `count` things, as bits, that leave out so many of them.
fn subsets(count: usize, left_out: usize) -> impl Iterator<Item = usize> {
    (1..1_usize << count).rev().filter(move |subset| subset.count_ones() as usize + left_out == count)
}

/// `previous_hash` as `previousHash`.
fn camelled(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
