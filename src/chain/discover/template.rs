//! A bounded search for a formula nobody wrote down: fields in the order of the table, separators, the place of the
//! previous hash, spellings of times and of nothing, JSON.
//!
//! One matching row of thirty-two bytes is proof, so the search is fast: every candidate is tried on one row, and only
//! what fits there is tried on the others.

use super::evaluate::Sample;
use crate::chain::algorithm::Algorithm;
use crate::chain::form::Form;
use crate::chain::items::{Column, Items};
use crate::chain::json_form::Style;
use crate::chain::recipe::{Context, Formula, Item, Null, Piece};
use crate::chain::time::{Clock, Fraction};
use crate::chain::value::Kind;
use std::time::{Duration, Instant};

/// What is searched.
pub(super) struct Search<'a> {
    /// The stream: one item a column.
    pub items: &'a Items,
    /// Items that may be hashed, in the order of the table.
    pub fields: Vec<usize>,
    /// The item of the previous hash; none where the sample's own order says it.
    pub prev: Option<usize>,
    /// The previous hash is part of the preimage at all.
    pub chained: bool,
    /// Rows.
    pub sample: &'a Sample,
    /// Rows to explain.
    pub unexplained: Vec<usize>,
    /// The secret of a keyed chain.
    pub key: Option<&'a [u8]>,
    /// How long it may take.
    pub budget: Duration,
}

/// Most fields of which every subset is tried.
const MOST: usize = 13;

const SEPARATORS: [&str; 10] = ["|", "", ":", "||", ",", "\n", "-", ";", " ", "_"];

fn clocks() -> Vec<Form> {
    let clock = |between, fraction, suffix| Form::Time(Clock { between, fraction, suffix: Some(suffix), place: None });
    let mut forms = vec![Form::Text];
    for suffix in ["Z", "+00:00", ""] {
        for fraction in [
            Fraction::Fixed(3),
            Fraction::Fixed(6),
            Fraction::Python,
            Fraction::Trimmed,
            Fraction::Thirds,
            Fraction::Fixed(0),
        ] {
            forms.push(clock(b'T', fraction, suffix));
        }
    }
    forms.extend([
        clock(b' ', Fraction::Fixed(6), ""),
        clock(b' ', Fraction::Python, "+00:00"),
        clock(b' ', Fraction::Fixed(0), ""),
    ]);
    forms.extend([
        clock(b'T', Fraction::Fixed(9), "Z"),
        clock(b' ', Fraction::Trimmed, ""),
        clock(b' ', Fraction::Fixed(3), ""),
    ]);
    forms.extend([
        Form::Epoch(1),
        Form::Epoch(1000),
        Form::Epoch(1_000_000),
        Form::Epoch(1_000_000_000),
        Form::EpochText,
    ]);
    forms
}

impl Search<'_> {
    /// The first formula that explains at least two rows (or the only one there is).
    pub(super) fn run(&self) -> Option<Formula> {
        // A row that was tampered with explains nothing, and one with nulls too much: try several, the fullest first.
        let nulls =
            |row: usize| self.fields.iter().filter(|field| self.sample.rows[row].get(**field).is_none()).count();
        let mut rows: Vec<usize> =
            self.unexplained.iter().copied().filter(|row| self.sample.before[*row].is_some()).collect();
        if rows.is_empty() {
            rows.clone_from(&self.unexplained);
        }
        rows.sort_by_key(|row| nulls(*row));
        let fullest = rows.iter().take_while(|row| nulls(**row) == nulls(rows[0])).count();
        let mut targets = Vec::new();
        for at in [fullest / 2, 0, fullest.checked_sub(1)?] {
            targets.extend(rows.get(at).filter(|row| !targets.contains(*row)).copied().into_iter().collect::<Vec<_>>());
        }
        let share = self.budget / u32::try_from(targets.len()).unwrap_or(1);
        targets.into_iter().find_map(|target| {
            // Each search has a time of its own: a slow one takes nothing from the next.
            self.framed(target)
                .or_else(|| self.joined(target, Instant::now() + share / 2))
                .or_else(|| self.documents(target, Instant::now() + share / 2))
                .or_else(|| self.permuted(target, Instant::now() + share / 2))
        })
    }

    fn algorithms(&self, target: usize) -> impl Iterator<Item = Algorithm> {
        let length = self.sample.hashes[target].map_or(0, |digest| digest.bytes().len());
        Algorithm::ALL.into_iter().filter(move |algorithm| algorithm.length() == length)
    }

    /// Whether a candidate holds: on the row it was tried on, and on another.
    fn holds(&self, formula: &Formula, target: usize, buffer: &mut Vec<u8>) -> bool {
        let items = &self.items.list;
        self.sample.matches_row(formula, items, self.key, target, buffer) && {
            let others = self.unexplained.iter().filter(|row| **row != target);
            let mut others = others.map(|row| self.sample.matches_row(formula, items, self.key, *row, buffer));
            self.unexplained.len() == 1 || others.any(|matches| matches)
        }
    }

    fn is(&self, at: usize, kind: Kind) -> bool {
        self.items.list[at].kind == kind
    }

    fn column(&self, at: usize) -> Option<&Column> {
        self.items.known(self.items.list[at].column.as_deref()?)
    }

    /// The previous hash in a spelling.
    fn previous(&self, form: Form, genesis: &[u8]) -> Piece {
        match self.prev {
            Some(at) => Piece::Item { at, form, null: Null::Bytes(genesis.to_vec()) },
            None => Piece::Last { form, genesis: genesis.to_vec() },
        }
    }

    fn null_of_row(&self, target: usize) -> bool {
        self.fields.iter().any(|field| self.sample.rows[target].get(*field).is_none())
    }

    /// Recipe v1 over any run of columns.
    fn framed(&self, target: usize) -> Option<Formula> {
        let mut buffer = Vec::new();
        let fields: Vec<_> = self.fields.iter().copied().filter(|at| !self.is(*at, Kind::Rendered)).collect();
        for from in 0..fields.len() {
            for to in (from + 1..=fields.len()).rev() {
                let mut pieces = vec![Piece::Literal(crate::chain::v1::TAG.to_vec()), self.previous(Form::Digest, &[])];
                let framed = |at: &usize| Piece::Item { at: *at, form: Form::Framed, null: Null::Bytes(vec![0xff; 4]) };
                pieces.extend(fields[from..to].iter().map(framed));
                let formula = Formula::new(Algorithm::Sha256, pieces, crate::chain::v1::NAME);
                if self.holds(&formula, target, &mut buffer) {
                    return Some(formula);
                }
            }
        }
        let fields = &fields[..fields.len().min(MOST)];
        (1..1_usize << fields.len()).rev().find_map(|subset| {
            let mut pieces = vec![Piece::Literal(crate::chain::v1::TAG.to_vec()), self.previous(Form::Digest, &[])];
            let chosen = (0..fields.len()).filter(|bit| subset >> bit & 1 == 1).map(|bit| fields[bit]);
            pieces.extend(chosen.map(|at| Piece::Item { at, form: Form::Framed, null: Null::Bytes(vec![0xff; 4]) }));
            let formula = Formula::new(Algorithm::Sha256, pieces, crate::chain::v1::NAME);
            self.holds(&formula, target, &mut buffer).then_some(formula)
        })
    }

    /// Fields with a separator, the previous hash first or last.
    fn joined(&self, target: usize, deadline: Instant) -> Option<Formula> {
        let mut buffer = Vec::new();
        let fields: Vec<_> = self.fields.iter().copied().take(MOST).collect();
        let times = fields.iter().any(|at| self.items.list[*at].kind.is_time());
        let clocks = if times { clocks() } else { vec![Form::Text] };
        let nulls: &[&[u8]] = if self.null_of_row(target) { &[b"", b"null", b"None", b"NULL"] } else { &[b""] };
        let prevs: Vec<(usize, Form)> = if self.chained {
            vec![(0, Form::Hex), (1, Form::Hex), (0, Form::Text), (0, Form::Digest), (1, Form::Digest), (1, Form::Text)]
        } else {
            vec![(2, Form::Text)]
        };
        let jsons: Vec<Option<Style>> = std::iter::once(None).chain(Style::ALL.into_iter().map(Some)).collect();
        let jsons = if fields.iter().any(|at| self.is(*at, Kind::Jsonb) || self.is(*at, Kind::Json)) {
            jsons
        } else {
            vec![None]
        };
        let subsets = 1_usize << fields.len();
        for algorithm in self.algorithms(target) {
            for keyed in [false, true].into_iter().filter(|keyed| !keyed || self.key.is_some()) {
                for json in &jsons {
                    for clock in &clocks {
                        for separator in SEPARATORS {
                            for null in nulls {
                                let render = |at: usize| self.field(at, clock, *json, null);
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
                                    if Instant::now() > deadline {
                                        return None;
                                    }
                                    let previous = self.previous(form.clone(), b"");
                                    let Some(before) = bytes(&previous) else { continue };
                                    let key = if keyed { self.key } else { None };
                                    for subset in (1..subsets).rev() {
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
                                        if subset % 256 == 0 && Instant::now() > deadline {
                                            return None;
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

    /// Up to five fields in any order.
    fn permuted(&self, target: usize, deadline: Instant) -> Option<Formula> {
        let fields: Vec<usize> = self.fields.iter().copied().take(MOST).collect();
        let context = Context { last: self.sample.before[target].as_ref(), key: self.key, instead: None };
        let row = &self.sample.rows[target];
        let bytes = |piece: &Piece| {
            let mut out = Vec::new();
            piece.write(&self.items.list, &row.fields, &row.tuple, &context, &mut out).then_some(out)
        };
        let times = fields.iter().any(|at| self.items.list[*at].kind.is_time());
        let clocks = if times { clocks() } else { vec![Form::Text] };
        let places: &[usize] = if self.chained { &[0, 1] } else { &[2] };
        let mut buffer = Vec::new();
        for algorithm in self.algorithms(target) {
            for separator in ["|", "", ":", ","] {
                for clock in &clocks {
                    let all: Vec<Piece> = fields.iter().map(|at| self.field(*at, clock, None, b"")).collect();
                    let Some(spelled) = all.iter().map(bytes).collect::<Option<Vec<_>>>() else { continue };
                    let previous = self.previous(Form::Text, b"");
                    let before = bytes(&previous)?;
                    let mut order = Vec::new();
                    let found = arrange(fields.len(), 5, &mut order, &mut |order| {
                        places.iter().find_map(|place| {
                            let chosen: Vec<Vec<u8>> = order.iter().map(|at| spelled[*at].clone()).collect();
                            concatenate(&chosen, (1 << chosen.len()) - 1, &before, *place, separator, &mut buffer);
                            if Some(algorithm.digest(None, &buffer)) != self.sample.hashes[target] {
                                return None;
                            }
                            let pieces = assemble(order.iter().map(|at| &all[*at]), &previous, *place, separator);
                            let formula = Formula::new(algorithm, pieces, "found by search");
                            self.holds(&formula, target, &mut Vec::new()).then_some(formula)
                        })
                    });
                    if found.is_some() || Instant::now() > deadline {
                        return found;
                    }
                }
            }
        }
        None
    }

    fn field(&self, at: usize, clock: &Form, json: Option<Style>, null: &[u8]) -> Piece {
        let Item { kind, .. } = self.items.list[at];
        let form = match (kind, json) {
            (Kind::Json | Kind::Jsonb, Some(style)) => Form::Rewritten(style),
            (Kind::Bytes, _) => Form::Hex,
            (kind, _) if kind.is_time() => clock.clone(),
            _ => Form::Text,
        };
        Piece::Item { at, form, null: Null::Bytes(null.to_vec()) }
    }

    /// JSON objects of fields, the previous hash inside, before or behind.
    fn documents(&self, target: usize, deadline: Instant) -> Option<Formula> {
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
                                if Instant::now() > deadline {
                                    return None;
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

/// Tries every ordered choice of at most `most` of `count` things.
fn arrange<T>(
    count: usize,
    most: usize,
    order: &mut Vec<usize>,
    attempt: &mut impl FnMut(&[usize]) -> Option<T>,
) -> Option<T> {
    for next in 0..count {
        if order.contains(&next) {
            continue;
        }
        order.push(next);
        let found = attempt(order);
        if found.is_some() {
            return found;
        }
        if order.len() < most {
            let found = arrange(count, most, order, attempt);
            if found.is_some() {
                return found;
            }
        }
        order.pop();
    }
    None
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
