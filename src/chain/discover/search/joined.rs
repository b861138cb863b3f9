//! Fields with a separator between them, in the order of the table.

use super::subsets::{WIDEST, stages};
use super::{Left, Search, clocks};
use crate::chain::form::Form;
use crate::chain::json_form::Style;
use crate::chain::recipe::{Context, Formula, Piece};
use crate::chain::value::Kind;

const SEPARATORS: [&str; 10] = ["|", "", ":", "||", ",", "\n", "-", ";", " ", "_"];

impl Search<'_> {
    /// Fields with a separator, the previous hash first or last.
    pub(super) fn joined(&self, target: usize, left: Left) -> Option<Formula> {
        let fields: Vec<_> = self.fields.iter().copied().take(WIDEST).collect();
        let stages = stages(fields.len());
        let shares = [left.0 / 2, left.0 / 3, left.0 / 3];
        stages.iter().zip(shares).find_map(|(stage, share)| self.joined_of(target, &fields, stage, Left(share)))
    }

    fn joined_of(&self, target: usize, fields: &[usize], stage: &[usize], mut left: Left) -> Option<Formula> {
        let mut buffer = Vec::new();
        let times = fields.iter().any(|at| self.items.list[*at].kind.is_time());
        let clocks = if times { clocks() } else { vec![Form::Text] };
        let nulls: &[&[u8]] = if self.null_of_row(target) { &[b"", b"null", b"None", b"NULL"] } else { &[b""] };
        let prevs: Vec<(usize, Form)> = if self.chained {
            vec![(0, Form::Hex), (1, Form::Hex), (0, Form::Text), (0, Form::Digest), (1, Form::Digest), (1, Form::Text)]
        } else {
            vec![(2, Form::Text)]
        };
        let mut jsons: Vec<(Option<Style>, bool)> = vec![(None, false)];
        if fields.iter().any(|at| self.is(*at, Kind::Jsonb) || self.is(*at, Kind::Json)) {
            jsons.extend([false, true].iter().flat_map(|digested| Style::ALL.map(|style| (Some(style), *digested))));
        }
        let bools: &[Option<(&'static str, &'static str)>] = if fields.iter().any(|at| self.is(*at, Kind::Bool)) {
            &[None, Some(("True", "False")), Some(("1", "0")), Some(("t", "f"))]
        } else {
            &[None]
        };
        let spellings: Vec<_> = bools.iter().flat_map(|words| jsons.iter().map(move |json| (*words, *json))).collect();
        for algorithm in self.algorithms(target) {
            for keyed in [false, true].into_iter().filter(|keyed| !keyed || self.key.is_some()) {
                for (words, (json, digested)) in &spellings {
                    for clock in &clocks {
                        for separator in SEPARATORS {
                            for null in nulls {
                                let render = |at: usize| match (self.field(at, clock, *json, null), words) {
                                    (Piece::Item { at, form: Form::Rewritten(style), null }, _) if *digested => {
                                        Piece::Item { at, form: Form::Digested(style), null }
                                    }
                                    (Piece::Item { at, null, .. }, Some((yes, no))) if self.is(at, Kind::Bool) => {
                                        Piece::Item { at, form: Form::Bool(yes, no), null }
                                    }
                                    (piece, _) => piece,
                                };
                                let all: Vec<Piece> = fields.iter().map(|at| render(*at)).collect();
                                let context =
                                    Context { last: self.sample.before[target].as_ref(), key: self.key, instead: None };
                                let row = &self.sample.rows[target];
                                let bytes = |piece: &Piece| {
                                    let mut out = Vec::new();
                                    piece
                                        .write(&self.items.list, &row.fields, &row.tuple, &context, &mut out)
                                        .then_some(out)
                                };
                                let Some(spelled) = all.iter().map(bytes).collect::<Option<Vec<_>>>() else { continue };
                                for (place, form) in &prevs {
                                    let previous = self.previous(form.clone(), b"");
                                    let Some(before) = bytes(&previous) else { continue };
                                    let key = if keyed { self.key } else { None };
                                    for subset in stage.iter().copied() {
                                        if !left.take(1) {
                                            return None;
                                        }
                                        concatenate(&spelled, subset, &before, *place, separator, &mut buffer);
                                        if Some(algorithm.digest(key, &buffer)) == self.sample.hashes[target] {
                                            let chosen = (0..fields.len())
                                                .filter(|bit| subset >> bit & 1 == 1)
                                                .map(|bit| &all[bit]);
                                            let pieces = assemble(chosen, &previous, *place, separator);
                                            let formula =
                                                Formula { keyed, ..Formula::new(algorithm, pieces, "found by search") };
                                            if self.holds(&formula, target, &mut Vec::new()) {
                                                return Some(formula);
                                            }
                                        }
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
}

/// The same as [`assemble`], over bytes that are known: most candidates fail, and fail fast.
fn concatenate(spelled: &[Vec<u8>], subset: usize, before: &[u8], place: usize, separator: &str, out: &mut Vec<u8>) {
    out.clear();
    let mut any = false;
    let mut push = |bytes: &[u8], out: &mut Vec<u8>| {
        if std::mem::replace(&mut any, true) {
            out.extend_from_slice(separator.as_bytes());
        }
        out.extend_from_slice(bytes);
    };
    if place == 0 {
        push(before, out);
    }
    for (bit, bytes) in spelled.iter().enumerate() {
        if subset >> bit & 1 == 1 {
            push(bytes, out);
        }
    }
    if place == 1 {
        push(before, out);
    }
}

/// Pieces with a separator between them; the previous hash first (0), last (1) or not at all (2).
fn assemble<'a>(
    fields: impl Iterator<Item = &'a Piece>,
    previous: &Piece,
    place: usize,
    separator: &str,
) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(16);
    let mut push = |piece: &Piece| {
        if !pieces.is_empty() && !separator.is_empty() {
            pieces.push(Piece::literal(separator));
        }
        pieces.push(piece.clone());
    };
    if place == 0 {
        push(previous);
    }
    fields.for_each(&mut push);
    if place == 1 {
        push(previous);
    }
    pieces
}
