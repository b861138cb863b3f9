//! The previous hash between the fields, as those write it who put a tag, a tenant or a number in front.

use super::{Left, MOST, Search, clocks};
use crate::chain::form::Form;
use crate::chain::json_form::Style;
use crate::chain::recipe::{Formula, Piece};
use crate::chain::value::Kind;

/// Most fields that are left out here.
const LEFT_OUT: u32 = 2;

impl Search<'_> {
    /// Nearly all fields in the order of the table, the previous hash behind any of them but the last.
    pub(super) fn middle(&self, target: usize, mut left: Left) -> Option<Formula> {
        if !self.chained {
            return None;
        }
        let fields: Vec<_> = self.fields.iter().copied().take(MOST).collect();
        let of_kind = |test: fn(Kind) -> bool| fields.iter().any(|at| test(self.items.list[*at].kind));
        let clocks = if of_kind(Kind::is_time) { clocks() } else { vec![Form::Text] };
        let jsons: Vec<Option<Style>> = if of_kind(|kind| matches!(kind, Kind::Json | Kind::Jsonb)) {
            std::iter::once(None).chain(Style::ALL.map(Some)).collect()
        } else {
            vec![None]
        };
        let mut buffer = Vec::new();
        for (algorithm, keyed) in self.keyed(target) {
            for (json, clock) in jsons.iter().flat_map(|json| clocks.iter().map(move |clock| (*json, clock))) {
                let all: Vec<Piece> = fields.iter().map(|at| self.field(*at, clock, json, b"")).collect();
                let Some(spelled) = all.iter().map(|piece| self.bytes(target, piece)).collect::<Option<Vec<_>>>()
                else {
                    continue;
                };
                for form in [Form::Hex, Form::Text] {
                    let previous = self.previous(form, b"");
                    let Some(before) = self.bytes(target, &previous) else { continue };
                    for separator in ["|", "", ":", ","] {
                        for subset in (1..1_usize << fields.len()).rev() {
                            if subset.count_ones() + LEFT_OUT < all.len() as u32 {
                                continue;
                            }
                            let chosen: Vec<usize> = (0..all.len()).filter(|bit| subset >> bit & 1 == 1).collect();
                            for place in 1..chosen.len() {
                                if !left.take(1) {
                                    return None;
                                }
                                buffer.clear();
                                for (number, bit) in chosen.iter().enumerate() {
                                    if number == place {
                                        buffer.extend_from_slice(&before);
                                        buffer.extend_from_slice(separator.as_bytes());
                                    }
                                    buffer.extend_from_slice(&spelled[*bit]);
                                    if number + 1 < chosen.len() {
                                        buffer.extend_from_slice(separator.as_bytes());
                                    }
                                }
                                let key = if keyed { self.key } else { None };
                                if Some(algorithm.digest(key, &buffer)) != self.sample.hashes[target] {
                                    continue;
                                }
                                let mut list: Vec<Piece> = chosen.iter().map(|bit| all[*bit].clone()).collect();
                                list.insert(place, previous.clone());
                                let mut pieces = Vec::new();
                                for piece in list {
                                    if !pieces.is_empty() && !separator.is_empty() {
                                        pieces.push(Piece::literal(separator));
                                    }
                                    pieces.push(piece);
                                }
                                let formula = Formula { keyed, ..Formula::new(algorithm, pieces, "found by search") };
                                if self.holds(&formula, target, &mut buffer) {
                                    return Some(formula);
                                }
                            }
                        }
                    }
                }
            }
        }
        None
    }
}
