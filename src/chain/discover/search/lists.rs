//! Texts whose fields stand side by side, in any order people put them, with anything between them.

use super::orders::{self, Reach};
use super::subsets::WIDEST;
use super::tries::{Left, Try};
use super::writing::{Ways, Written};
use super::{Search, Under};
use crate::chain::form::{Count, Form};
use crate::chain::recipe::{Formula, Null, Piece};

/// What stands between fields: what most have, and what others have.
pub(super) const USUAL: [&str; 6] = ["|", "", ":", ",", "\n", "-"];
pub(super) const RARE: [&str; 24] = [
    "\u{1f}", "\u{1e}", "\0", ".", "||", "::", ";", "~", "#", "/", " ", "_", " | ", ", ", "\t", "^", "&", "->", " -> ",
    "=", "\u{1d}", "+", "*", "<|>",
];

/// Where the previous hash stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    First,
    Last,
    Second,
    LastButOne,
    /// In front of all, with this behind it.
    Before(&'static str),
    /// Behind all, with this in front of it.
    Behind(&'static str),
    Nowhere,
}

impl Place {
    /// It is one of the list.
    const fn is_among(self) -> bool {
        matches!(self, Self::First | Self::Last | Self::Second | Self::LastButOne)
    }
}

/// Where it stands, the likeliest first.
pub(super) const PLACES: [Place; 9] = [
    Place::First,
    Place::Last,
    Place::Before(""),
    Place::Second,
    Place::Behind(""),
    Place::LastButOne,
    Place::Before("\n"),
    Place::Before("|"),
    Place::Before(":"),
];

/// The previous hash in one spelling.
pub(super) struct Previous {
    pub(super) piece: Piece,
    pub(super) bytes: Vec<u8>,
    pub(super) places: Vec<Place>,
}

/// What stands around and between fields.
pub(super) struct Joint {
    /// Before all.
    pub(super) tag: Vec<u8>,
    pub(super) separator: &'static str,
    pub(super) place: Place,
    pub(super) previous: Piece,
    /// The previous hash, as the row has it.
    pub(super) bytes: Vec<u8>,
    /// Each field has its length before it, and so has the previous hash where it stands among them.
    pub(super) count: Option<Count>,
}

impl Joint {
    /// The text of a row; `false` where another joint gives the same.
    pub(super) fn write(&self, order: &[usize], written: &Written, out: &mut Vec<u8>) -> bool {
        if is_said(self.place, self.separator, order.len()) {
            return false;
        }
        out.clear();
        out.extend_from_slice(&self.tag);
        lay(
            order,
            self.place,
            self.separator,
            &self.bytes,
            |field| &written.bytes[field],
            |part, bytes| match self.count {
                Some(count) if part == Part::Field || part == Part::Previous && self.place.is_among() => {
                    count.push(bytes, out);
                }
                _ => out.extend_from_slice(bytes),
            },
        );
        true
    }

    /// The same as pieces.
    pub(super) fn pieces(&self, order: &[usize], written: &Written) -> Vec<Piece> {
        let mut pieces = match self.count {
            Some(count) => {
                let fields: Vec<Piece> = written.pieces.iter().map(|piece| counted(count, piece)).collect();
                let previous =
                    if self.place.is_among() { counted(count, &self.previous) } else { self.previous.clone() };
                assembled(order, self.place, "", &previous, &fields)
            }
            None => assembled(order, self.place, self.separator, &self.previous, &written.pieces),
        };
        if !self.tag.is_empty() {
            pieces.insert(0, Piece::Literal(self.tag.clone()));
        }
        pieces
    }
}

/// A piece behind its length.
fn counted(count: Count, piece: &Piece) -> Piece {
    let inner = |form: &Form| Form::Counted(count, Box::new(form.clone()));
    match piece {
        Piece::Item { at, form, null: Null::Bytes(null) } => {
            Piece::Item { at: *at, form: inner(form), null: Null::Bytes(count.of(null)) }
        }
        Piece::Last { form, genesis } => Piece::Last { form: inner(form), genesis: count.of(genesis) },
        piece => piece.clone(),
    }
}

/// Ways to write one choice of fields, where much else is tried.
const FEW: usize = 40;

/// What is fixed while orders are tried.
struct Around<'a> {
    /// Ways to write one choice of fields.
    ways: usize,
    separators: &'a [&'static str],
    previous: &'a [Previous],
    algorithms: &'a [Under],
}

impl Search<'_> {
    /// Fields side by side.
    pub(super) fn lists(&self, target: usize, algorithms: &[Under], left: &mut Left) -> Option<Formula> {
        let fields: Vec<usize> = self.fields.iter().copied().take(WIDEST).collect();
        let mut ways = self.ways_of_lists(target, &fields);
        use Place::{Before, Behind, First, Last, LastButOne, Second};
        let everywhere = self.previous_in(
            target,
            &[First, Last, Second, LastButOne, Before(""), Behind(""), Before("\n"), Before("|"), Before(":")],
        );
        let ends = self.previous_in(target, &[First, Last, Second, Before(""), Before("\u{1e}")]);
        let ways_of = usize::MAX;
        let usual = Around { ways: ways_of, separators: &USUAL, previous: &everywhere, algorithms };
        let rare = Around { ways: FEW, separators: &RARE, previous: &ends, algorithms };
        let moved = Around { ways: ways_of, separators: &USUAL, previous: &ends, algorithms };
        let few = Around { ways: ways_of, separators: &USUAL[..3], previous: &ends, algorithms };
        let short = Around { ways: FEW / 4, ..few };
        let whole = std::mem::take(left);
        let mut attempt = |reach, around: &Around<'_>, parts| {
            left.add(whole.share(parts));
            self.lists_of(target, &fields, &mut ways, reach, around, left).break_value().flatten()
        };
        attempt(Reach::Table, &usual, 9)
            .or_else(|| attempt(Reach::Table, &rare, 13))
            .or_else(|| attempt(Reach::Few(5), &few, 7))
            .or_else(|| attempt(Reach::OneMoved(3), &moved, 7))
            .or_else(|| attempt(Reach::TwoMoved(1), &few, 7))
            .or_else(|| attempt(Reach::Any(7), &short, 21))
    }

    /// Fields side by side under algorithms that few use: in the order of the table, as most write them.
    pub(super) fn plain_lists(&self, target: usize, algorithms: &[Under], left: &mut Left) -> Option<Formula> {
        let fields: Vec<usize> = self.fields.iter().copied().take(WIDEST).collect();
        let mut ways = self.ways_of_lists(target, &fields);
        let ends = self.previous_in(target, &[Place::First, Place::Last, Place::Before("")]);
        let around = Around { ways: FEW, separators: &USUAL, previous: &ends, algorithms };
        self.lists_of(target, &fields, &mut ways, Reach::Table, &around, left).break_value().flatten()
    }

    /// The previous hash as it is stored and as its bytes, where that is another thing.
    pub(super) fn previous_in(&self, target: usize, places: &[Place]) -> Vec<Previous> {
        if !self.chained {
            return vec![Previous { piece: Piece::literal(""), bytes: Vec::new(), places: vec![Place::Nowhere] }];
        }
        let mut all: Vec<Previous> = Vec::new();
        for form in [Form::Text, Form::Hex, Form::Digest] {
            let places: Vec<Place> = match form {
                // Bytes stand apart from text.
                Form::Digest => vec![Place::Before(""), Place::Behind("")],
                _ => places.to_vec(),
            };
            let piece = self.previous(form, b"");
            if let Some(bytes) = self.bytes(target, &piece)
                && !all.iter().any(|known| known.bytes == bytes)
            {
                all.push(Previous { piece, bytes, places });
            }
        }
        all
    }

    fn lists_of(
        &self,
        target: usize,
        fields: &[usize],
        ways: &mut Ways,
        reach: Reach,
        around: &Around<'_>,
        left: &mut Left,
    ) -> Try {
        // Without any there is nothing to count, and no end.
        if around.algorithms.is_empty() {
            return Try::Continue(());
        }
        let mut buffer = Vec::with_capacity(1024);
        orders::each(reach, fields.len(), &mut |order| {
            for way in ways.of(order).iter().take(around.ways) {
                let written = &ways.all[*way];
                for separator in around.separators {
                    for previous in around.previous {
                        for place in &previous.places {
                            if is_said(*place, separator, order.len()) {
                                continue;
                            }
                            buffer.clear();
                            lay(
                                order,
                                *place,
                                separator,
                                &previous.bytes,
                                |field| &written.bytes[field],
                                |_, bytes| buffer.extend_from_slice(bytes),
                            );
                            self.attempt(target, around.algorithms, &buffer, left, Some(&self.tried), || {
                                assembled(order, *place, separator, &previous.piece, &written.pieces)
                            })?;
                        }
                    }
                }
            }
            Try::Continue(())
        })
    }
}

/// The same text has another place and separator already.
fn is_said(place: Place, separator: &str, fields: usize) -> bool {
    match place {
        Place::Before(between) | Place::Behind(between) => between == separator,
        Place::Second | Place::LastButOne => fields < 2 || place == Place::LastButOne && fields < 3,
        _ => false,
    }
}

/// What a part of such a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Field,
    Previous,
    Between,
}

/// Calls `push` with what stands in the text, one after the other.
fn lay<'a>(
    order: &[usize],
    place: Place,
    separator: &'a str,
    previous: &'a [u8],
    field: impl Fn(usize) -> &'a Vec<u8>,
    mut push: impl FnMut(Part, &[u8]),
) {
    if let Place::Before(between) = place {
        push(Part::Previous, previous);
        push(Part::Between, between.as_bytes());
    }
    let at = match place {
        Place::First => Some(0),
        Place::Second => Some(1),
        Place::LastButOne => order.len().checked_sub(1),
        Place::Last => Some(order.len()),
        _ => None,
    };
    for number in 0..=order.len() {
        if at == Some(number) {
            if number > 0 {
                push(Part::Between, separator.as_bytes());
            }
            push(Part::Previous, previous);
            if number == 0 && !order.is_empty() {
                push(Part::Between, separator.as_bytes());
            }
        }
        if let Some(next) = order.get(number) {
            if number > 0 {
                push(Part::Between, separator.as_bytes());
            }
            push(Part::Field, field(*next));
        }
    }
    if let Place::Behind(between) = place {
        push(Part::Between, between.as_bytes());
        push(Part::Previous, previous);
    }
}

/// The same as pieces.
fn assembled(order: &[usize], place: Place, separator: &str, previous: &Piece, fields: &[Piece]) -> Vec<Piece> {
    let mut list: Vec<Piece> = order.iter().map(|field| fields[*field].clone()).collect();
    let at = match place {
        Place::First => Some(0),
        Place::Second => Some(1),
        Place::LastButOne => list.len().checked_sub(1),
        Place::Last => Some(list.len()),
        _ => None,
    };
    if let Some(at) = at {
        list.insert(at, previous.clone());
    }
    let mut pieces = Vec::new();
    if let Place::Before(between) = place {
        pieces.extend([previous.clone(), Piece::literal(between)]);
    }
    for (number, piece) in list.into_iter().enumerate() {
        if number > 0 && !separator.is_empty() {
            pieces.push(Piece::literal(separator));
        }
        pieces.push(piece);
    }
    if let Place::Behind(between) = place {
        pieces.extend([Piece::literal(between), previous.clone()]);
    }
    pieces
}
