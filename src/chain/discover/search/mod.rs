//! A bounded search for a formula nobody wrote down: fields in the order of the table, separators, the place of the
//! previous hash, spellings of times and of nothing, JSON.
//!
//! One matching row of thirty-two bytes is proof, so the search is fast: every candidate is tried on one row, and only
//! what fits there is tried on the others. It is bounded by how many are tried, so that every machine finds the same.

mod coded;
mod document;
mod documents;
mod framed;
mod inner;
mod joined;
mod likely;
mod lists;
mod members;
mod middle;
mod naming;
mod orders;
mod outline;
mod short;
mod shuffled;
mod single;
mod subsets;
#[cfg(test)]
mod tests;
mod trial;
mod tries;
mod wrapped;
mod writing;

use super::evaluate::Sample;
use crate::chain::algorithm::Algorithm;
use crate::chain::form::Form;
use crate::chain::items::{Column, Items};
use crate::chain::json_form::Style;
use crate::chain::recipe::{Context, Formula, Item, Null, Piece, SEARCHED};
use crate::chain::time::{Clock, Fraction};
use crate::chain::value::Kind;
pub(super) use inner::Outer;
pub(super) use naming::names;
use std::rc::Rc;
pub(super) use tries::Tried;
use tries::{Left, Try};

/// What is searched.
#[derive(Clone)]
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
    /// The name of the column that is explained.
    pub own: String,
    /// Words of this table that a preimage may begin with.
    pub words: Vec<String>,
    /// How many digests are computed of a row.
    pub work: u32,
    /// What is hashed is the previous hash and a digest of the text that is looked for.
    pub outer: Vec<Outer>,
    /// Texts that were tried.
    pub tried: Rc<Tried>,
}

/// An algorithm, plain or under the key.
type Under = (Algorithm, bool);

/// What is tried of the rare algorithms before all else: a row in the order of its table, written as most write it.
const FIRST: u32 = 40_000;

/// What is tried of the commonest shapes, where little else is likely.
const BRIEF: u32 = 5_000;

/// Most fields of which every subset is tried.
const MOST: usize = 13;

pub(super) fn clocks() -> Vec<Form> {
    let clock = |between, fraction, suffix| Form::Time(Clock::utc(between, fraction, suffix));
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
            forms.push(clock("T", fraction, suffix));
        }
    }
    forms.extend([
        clock(" ", Fraction::Fixed(6), ""),
        clock(" ", Fraction::Python, "+00:00"),
        clock(" ", Fraction::Fixed(0), ""),
    ]);
    forms.extend([
        clock("T", Fraction::Fixed(9), "Z"),
        clock(" ", Fraction::Trimmed, ""),
        clock(" ", Fraction::Fixed(3), ""),
        clock("T", Fraction::Fixed(7), "Z"),
        clock("T", Fraction::Fixed(7), "+00:00"),
        clock(" ", Fraction::Fixed(0), " UTC"),
    ]);
    forms.extend([
        Form::Epoch(1),
        Form::Epoch(1000),
        Form::Epoch(1_000_000),
        Form::Epoch(1_000_000_000),
        Form::EpochText,
        Form::EpochFloat,
    ]);
    forms
}

impl Search<'_> {
    /// The first formula that explains at least two rows (or the only one there is).
    pub(super) fn run(&self) -> Option<Formula> {
        self.targets().into_iter().enumerate().find_map(|(number, target)| {
            // What the likeliest row does not tell, the others tell only if that one was tampered with: they get less.
            self.shapes(target, Left::digests(self.work >> (2 * number)), number == 0)
        })
    }

    /// The same for the commonest shapes alone: a field, fields side by side, a document.
    pub(super) fn brief(&self) -> Option<Formula> {
        self.targets().into_iter().find_map(|target| {
            let whole = Left::digests(BRIEF);
            let mut left = Left::default();
            self.single(target)
                .or_else(|| self.joined(target, left.with(whole.share(32))))
                .or_else(|| self.documents(target, left.with(whole.share(32))))
        })
    }

    /// Rows to try, the likeliest first.
    fn targets(&self) -> Vec<usize> {
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
        for at in [fullest / 2, 0, fullest.saturating_sub(1)] {
            targets.extend(rows.get(at).filter(|row| !targets.contains(*row)).copied().into_iter().collect::<Vec<_>>());
        }
        targets
    }

    /// Every shape of a preimage on one row; each has a share of the work, and what those before it left over.
    fn shapes(&self, target: usize, work: Left, first: bool) -> Option<Formula> {
        let (usual, rare): (Vec<_>, Vec<_>) =
            self.under_key(self.of_length(target)).partition(|(algorithm, _)| algorithm.is_usual());
        // Whoever gives a key has a chain that needs one.
        let likely: Vec<Under> = usual.iter().copied().filter(|(_, keyed)| *keyed == self.key.is_some()).collect();
        let mut left = Left::digests(FIRST).at_most(work.share(2));
        self.framed(target)
            .or_else(|| self.single(target))
            .or_else(|| self.plain_lists(target, &rare, &mut left))
            .or_else(|| self.joined(target, left.with(work.share(4))))
            .or_else(|| self.documents(target, left.with(work.share(4))))
            .or_else(|| self.wrapped(target, left.with(work.share(5)), first))
            .or_else(|| self.middle(target, left.with(work.share(1))))
            .or_else(|| self.short_documents(target, &usual, left.with(work.share(3))))
            .or_else(|| self.likely_lists(target, &likely, left.with(work.share(12))))
            .or_else(|| self.coded(target, &likely, left.with(work.share(12))))
            .or_else(|| self.likely_documents(target, &likely, true, left.with(work.share(5))))
            .or_else(|| self.likely_documents(target, &likely, false, left.with(work.share(4))))
            .or_else(|| self.shuffled(target, &likely, left.with(work.share(5))))
            .or_else(|| self.lists(target, &usual, left.with(work.share(3))))
            .or_else(|| self.members(target, &usual, left.with(work.share(2))))
            .or_else(|| self.inner(target, &usual, left.with(work.share(4))))
            .or_else(|| self.likely_lists(target, &rare, left.with(work.share(2))))
            .or_else(|| self.lists(target, &rare, left.with(work.share(1))))
            .or_else(|| self.members(target, &rare, left.with(work.share(1))))
    }

    /// Hashes a text under each of these algorithms: whether to try on. Where other shapes come to the same texts, `tried` says
    /// what is new.
    fn attempt(
        &self,
        target: usize,
        algorithms: &[Under],
        text: &[u8],
        left: &mut Left,
        tried: Option<&Tried>,
        pieces: impl Fn() -> Vec<Piece>,
    ) -> Try {
        for (algorithm, keyed) in algorithms {
            if tried.is_some_and(|tried| !tried.is_new(text, *algorithm, *keyed)) {
                self.nothing(left)?;
                continue;
            }
            if !left.hash(*algorithm, *keyed, self.outer.len()) {
                return Try::Break(None);
            }
            if let Some(formula) = self.proved(target, (*algorithm, *keyed), text, &pieces) {
                return Try::Break(Some(formula));
            }
        }
        Try::Continue(())
    }

    /// A candidate that is none: whether to try on.
    fn nothing(&self, left: &mut Left) -> Try {
        if left.pass() { Try::Continue(()) } else { Try::Break(None) }
    }

    /// The formula of a candidate, where it is one: `text` gives the hash of the row, and so it does in another.
    fn proved(
        &self,
        target: usize,
        (algorithm, keyed): Under,
        text: &[u8],
        pieces: impl Fn() -> Vec<Piece>,
    ) -> Option<Formula> {
        let wanted = self.sample.hashes[target]?;
        let key = if keyed { self.key } else { None };
        let pieces = if self.outer.is_empty() {
            algorithm.digest(key, text).is(&wanted).then(pieces)?
        } else {
            let inner = algorithm.digest(None, text);
            let outer = self.outer.iter().find(|outer| algorithm.digest(key, &outer.around(&inner)).is(&wanted))?;
            outer.pieces(algorithm, pieces())
        };
        let formula = Formula { keyed, ..Formula::new(algorithm, pieces, SEARCHED) };
        self.holds(&formula, target, &mut Vec::new()).then_some(formula)
    }

    /// The usual ones that give a digest of this length.
    fn algorithms(&self, target: usize) -> impl Iterator<Item = Algorithm> {
        self.of_length(target).filter(|algorithm| algorithm.is_usual())
    }

    /// All that give a digest of this length.
    fn of_length(&self, target: usize) -> impl Iterator<Item = Algorithm> {
        let length = self.sample.hashes[target].map_or(0, |digest| digest.bytes().len());
        Algorithm::ALL.into_iter().filter(move |algorithm| algorithm.length() == length)
    }

    /// The usual algorithms, each plain, and under the key where there is one.
    fn keyed(&self, target: usize) -> impl Iterator<Item = Under> {
        self.under_key(self.algorithms(target))
    }

    fn under_key(&self, algorithms: impl Iterator<Item = Algorithm>) -> impl Iterator<Item = Under> {
        let keyed = self.key.is_some();
        algorithms.flat_map(move |algorithm| {
            [false, true].into_iter().take(1 + usize::from(keyed)).map(move |keyed| (algorithm, keyed))
        })
    }

    /// What a piece writes for a row.
    fn bytes(&self, target: usize, piece: &Piece) -> Option<Vec<u8>> {
        let context = Context { last: self.sample.before[target].as_ref(), key: self.key, instead: None };
        let row = &self.sample.rows[target];
        let mut out = Vec::new();
        piece.write(&self.items.list, &row.fields, &row.tuple, &context, &mut out).then_some(out)
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

    fn field(&self, at: usize, clock: &Form, json: Option<Style>, null: &[u8]) -> Piece {
        let Item { kind, .. } = self.items.list[at];
        let form = match (kind, json) {
            (Kind::Json | Kind::Jsonb, Some(style)) => Form::Rewritten(style),
            (Kind::Bytes, _) => Form::Hex,
            (Kind::Date, _) if !matches!(clock, Form::Time(Clock { suffix: Some("Z"), .. })) => Form::Text,
            (kind, _) if kind.is_time() => clock.clone(),
            _ if self.is_address(at) && *clock != Form::Text => Form::Host,
            _ => Form::Text,
        };
        Piece::Item { at, form, null: Null::Bytes(null.to_vec()) }
    }
}
