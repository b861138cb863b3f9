//! The previous hash between the fields, as those write it who put a tag, a tenant or a number in front.

use super::tries::{Left, Spellings, Try};
use super::{MOST, Search, clocks};
use crate::chain::form::Form;
use crate::chain::json_form::Style;
use crate::chain::recipe::{Formula, Piece};
use crate::chain::value::Kind;

/// Most fields that are left out here.
const LEFT_OUT: u32 = 2;

impl Search<'_> {
    /// Nearly all fields in the order of the table, the previous hash behind any of them but the last.
    pub(super) fn middle(&self, target: usize, left: &mut Left) -> Option<Formula> {
        if !self.chained {
            return None;
        }
        let fields: Vec<_> = self.fields.iter().copied().take(MOST).collect();
        let of_kind = |test: fn(Kind) -> bool| fields.iter().any(|at| test(self.items.list[*at].kind));
        let clocks = if of_kind(Kind::is_time) { clocks() } else { vec![Form::Text] };
        let jsons: Vec<Option<Style>> = if of_kind(Kind::is_document) {
            std::iter::once(None).chain(Style::ALL.map(Some)).collect()
        } else {
            vec![None]
        };
        let algorithms: Vec<_> = self.keyed(target).collect();
        let all_of_them = (1_usize << fields.len()) - 1;
        let few = |subset: &usize| subset.count_ones() + LEFT_OUT >= all_of_them.count_ones();
        let nearly: Vec<usize> = (1..=all_of_them).rev().filter(few).collect();
        let mut before: Vec<(Piece, Vec<u8>)> = Vec::new();
        for form in [Form::Hex, Form::Text] {
            let piece = self.previous(form, b"");
            let bytes = self.bytes(target, &piece)?;
            if !before.iter().any(|(_, known)| *known == bytes) {
                before.push((piece, bytes));
            }
        }
        let mut spellings = Spellings::default();
        let mut buffer = Vec::new();
        let mut tried = || {
            for (json, clock) in jsons.iter().flat_map(|json| clocks.iter().map(move |clock| (*json, clock))) {
                let all: Vec<Piece> = fields.iter().map(|at| self.field(*at, clock, json, b"")).collect();
                let Some(values) = all.iter().map(|piece| self.bytes(target, piece)).collect::<Option<Vec<_>>>() else {
                    continue;
                };
                for subset in spellings.new_in(values.clone(), &nearly) {
                    let chosen: Vec<usize> = (0..all.len()).filter(|bit| subset >> bit & 1 == 1).collect();
                    for (previous, before) in &before {
                        for separator in ["|", "", ":", ","] {
                            for place in 1..chosen.len() {
                                write(&chosen, place, separator, before, &values, &mut buffer);
                                self.attempt(target, &algorithms, &buffer, left, Some(&self.tried), || {
                                    pieces(&chosen, place, separator, previous, &all)
                                })?;
                            }
                        }
                    }
                }
            }
            Try::Continue(())
        };
        tried().break_value().flatten()
    }
}

fn write(chosen: &[usize], place: usize, separator: &str, before: &[u8], values: &[Vec<u8>], out: &mut Vec<u8>) {
    out.clear();
    for (number, bit) in chosen.iter().enumerate() {
        if number > 0 {
            out.extend_from_slice(separator.as_bytes());
        }
        if number == place {
            out.extend_from_slice(before);
            out.extend_from_slice(separator.as_bytes());
        }
        out.extend_from_slice(&values[*bit]);
    }
}

fn pieces(chosen: &[usize], place: usize, separator: &str, previous: &Piece, all: &[Piece]) -> Vec<Piece> {
    let mut list: Vec<Piece> = chosen.iter().map(|bit| all[*bit].clone()).collect();
    list.insert(place, previous.clone());
    let mut pieces = Vec::new();
    for piece in list {
        if !pieces.is_empty() && !separator.is_empty() {
            pieces.push(Piece::literal(separator));
        }
        pieces.push(piece);
    }
    pieces
}
