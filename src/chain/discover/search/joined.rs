//! Fields with a separator between them, in the order of the table.

use super::subsets::{WIDEST, stages};
use super::tries::{Left, Spellings, Try};
use super::{Search, clocks};
use crate::chain::form::Form;
use crate::chain::json_form::Style;
use crate::chain::recipe::{Formula, Piece};
use crate::chain::value::Kind;

const SEPARATORS: [&str; 10] = ["|", "", ":", "||", ",", "\n", "-", ";", " ", "_"];

impl Search<'_> {
    /// Fields with a separator, the previous hash first or last.
    pub(super) fn joined(&self, target: usize, left: &mut Left) -> Option<Formula> {
        let fields: Vec<_> = self.fields.iter().copied().take(WIDEST).collect();
        let whole = *left;
        *left = Left::default();
        stages(fields.len()).iter().zip([24, 20, 20]).find_map(|(stage, parts)| {
            left.add(whole.share(parts));
            self.joined_of(target, &fields, stage, left).break_value().flatten()
        })
    }

    fn joined_of(&self, target: usize, fields: &[usize], stage: &[usize], left: &mut Left) -> Try {
        let mut buffer = Vec::new();
        let algorithms: Vec<_> = self.keyed(target).collect();
        let previous: Vec<(usize, Piece, Vec<u8>)> = self.around_lists(target);
        let mut spellings = Spellings::default();
        for all in self.written_ways(target, fields) {
            let Some(values) = all.iter().map(|piece| self.bytes(target, piece)).collect::<Option<Vec<_>>>() else {
                continue;
            };
            let choices = spellings.new_in(values.clone(), stage);
            if choices.is_empty() {
                continue;
            }
            for separator in SEPARATORS {
                for (place, previous, before) in &previous {
                    for subset in &choices {
                        concatenate(&values, *subset, before, *place, separator, &mut buffer);
                        self.attempt(target, &algorithms, &buffer, left, Some(&self.tried), || {
                            let chosen = (0..fields.len()).filter(|bit| subset >> bit & 1 == 1);
                            assemble(chosen.map(|bit| &all[bit]), previous, *place, separator)
                        })?;
                    }
                }
            }
        }
        Try::Continue(())
    }

    /// The previous hash in its spellings: before the fields (0), behind them (1), or nowhere (2).
    fn around_lists(&self, target: usize) -> Vec<(usize, Piece, Vec<u8>)> {
        if !self.chained {
            return vec![(2, Piece::literal(""), Vec::new())];
        }
        let all = [Form::Hex, Form::Text, Form::Digest].into_iter().flat_map(|form| [(0, form.clone()), (1, form)]);
        let with = |(place, form): (usize, Form)| {
            let piece = self.previous(form, b"");
            let bytes = self.bytes(target, &piece)?;
            Some((place, piece, bytes))
        };
        let mut known: Vec<(usize, Piece, Vec<u8>)> = Vec::new();
        for next in all.filter_map(with) {
            if !known.iter().any(|(place, _, bytes)| (place, bytes) == (&next.0, &next.2)) {
                known.push(next);
            }
        }
        known
    }

    /// All fields in every spelling, the plainest first.
    fn written_ways(&self, target: usize, fields: &[usize]) -> impl Iterator<Item = Vec<Piece>> {
        let times = fields.iter().any(|at| self.items.list[*at].kind.is_time());
        let clocks = if times { clocks() } else { vec![Form::Text] };
        let nulls: &'static [&'static [u8]] =
            if self.null_of_row(target) { &[b"", b"null", b"None", b"NULL"] } else { &[b""] };
        let mut jsons: Vec<(Option<Style>, bool)> = vec![(None, false)];
        if fields.iter().any(|at| self.is(*at, Kind::Jsonb) || self.is(*at, Kind::Json)) {
            jsons.extend([false, true].iter().flat_map(|digested| Style::ALL.map(|style| (Some(style), *digested))));
        }
        type Words = Option<(&'static str, &'static str)>;
        let bools: &'static [Words] = if fields.iter().any(|at| self.is(*at, Kind::Bool)) {
            &[None, Some(("True", "False")), Some(("1", "0")), Some(("t", "f"))]
        } else {
            &[None]
        };
        let mut ways = Vec::new();
        for words in bools {
            for json in &jsons {
                for clock in &clocks {
                    ways.extend(nulls.iter().map(|null| (*words, *json, clock.clone(), *null)));
                }
            }
        }
        ways.into_iter().map(move |(words, (json, digested), clock, null)| {
            let render = |at: &usize| match (self.field(*at, &clock, json, null), words) {
                (Piece::Item { at, form: Form::Rewritten(style), null }, _) if digested => {
                    Piece::Item { at, form: Form::Digested(Box::new(Form::Rewritten(style))), null }
                }
                (Piece::Item { at, null, .. }, Some((yes, no))) if self.is(at, Kind::Bool) => {
                    Piece::Item { at, form: Form::Bool(yes, no), null }
                }
                (piece, _) => piece,
            };
            fields.iter().map(render).collect()
        })
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
