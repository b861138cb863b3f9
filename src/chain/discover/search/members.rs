//! Documents whose keys are not the columns' names, whose members stand in an order of their own, or that have a member
//! no column holds.

use super::document::{Document, is_renamed, laid};
use super::naming::{self, Convention, Naming};
use super::orders::{self, Reach};
use super::subsets::WIDEST;
use super::tries::{Left, Try};
use super::writing::Ways;
use super::{Search, Under};
use crate::chain::form::Form;
use crate::chain::items::Column;
use crate::chain::json_form::Style;
use crate::chain::recipe::{Formula, Null, Piece};

/// Where the previous hash is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A member under this key: the first, or the last.
    First(String),
    Last(String),
    /// A member under this key before the last, which is mostly the time.
    BeforeLast(String),
    /// Beside the document: both are members of another, each under its key. Which is first?
    Beside {
        previous: String,
        document: &'static str,
        first: bool,
    },
    /// Before or behind the document, with this between.
    Before(&'static str),
    Behind(&'static str),
    /// Before it, and a member as well.
    Both(&'static str, String),
    Nowhere,
}

impl Place {
    /// The name it has within.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::First(key) | Self::Last(key) | Self::BeforeLast(key) | Self::Both(_, key) => Some(key),
            _ => None,
        }
    }

    /// The name it has wherever it stands.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Beside { previous, .. } => Some(previous),
            _ => self.key(),
        }
    }

    /// Whether there is such a place where keys are in the order of the alphabet, and no other that is the same.
    pub(super) const fn is_of_sorted(&self) -> bool {
        !matches!(self, Self::First(_) | Self::BeforeLast(_) | Self::Beside { first: true, .. })
    }

    /// Of two members, a document and the previous hash beside it, the latter is the first.
    pub(super) fn is_before(&self, sorted: bool) -> bool {
        match self {
            Self::Beside { previous, document, first } => {
                if sorted {
                    previous.as_str() < *document
                } else {
                    *first
                }
            }
            _ => false,
        }
    }
}

/// What a document is called beside the previous hash.
const BESIDE: [&str; 7] = ["payload", "data", "entry", "event", "record", "content", "body"];

/// Names of the two together, by the product of their ranks.
const RANKS_BESIDE: usize = 16;

/// A member that is always the same.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) key: String,
    pub(super) value: &'static str,
    pub(super) first: bool,
}

/// Ways to write one choice of fields, where much else is tried.
const FEW: usize = 48;

/// What is tried with each order.
#[derive(Clone, Copy)]
struct Trials<'a> {
    /// Ways to write one choice of fields.
    ways: usize,
    sorted: bool,
    namings: &'a [Naming],
    places: &'a [Place],
    constants: &'a [Option<Constant>],
    tags: &'a [Vec<u8>],
    /// In an order the previous hash is the last number.
    counts_previous: bool,
}

/// The previous hash as text around a document, and as a member.
pub(super) struct Spelled {
    pub(super) outside: Vec<(Piece, Vec<u8>)>,
    pub(super) plain: (Piece, Vec<u8>),
    pub(super) repr: (Piece, Vec<u8>),
}

impl Search<'_> {
    /// Documents of all sorts.
    pub(super) fn members(&self, target: usize, algorithms: &[Under], left: &mut Left) -> Option<Formula> {
        let fields: Vec<usize> = self.fields.iter().copied().take(WIDEST).collect();
        let columns: Vec<&Column> = fields.iter().filter_map(|at| self.column(*at)).collect();
        if columns.len() != fields.len() {
            return None;
        }
        let spelled = self.spelled(target)?;
        let (mut sorted, mut unsorted) =
            (self.ways_of_documents(target, &fields, true), self.ways_of_documents(target, &fields, false));
        let plain = naming::plain(&columns);
        let plain: Vec<Naming> = plain.into_iter().filter(|naming| naming.other != u32::MAX).collect();
        let objects: Vec<Naming> = plain.iter().filter(|naming| !naming.is_list).cloned().collect();
        let mut one: Vec<(usize, Naming)> =
            objects.iter().flat_map(|of| naming::renamed(&columns, of, false)).collect();
        one.sort_by_key(|(rank, _)| *rank);
        let one: Vec<Naming> = one.into_iter().map(|(_, naming)| naming).collect();
        let two: Vec<Naming> =
            naming::renamed(&columns, &objects[0], true).into_iter().map(|(_, naming)| naming).collect();
        let (most, some) = (self.places(true), self.places(false));
        let inside: Vec<Place> = some.iter().filter(|place| matches!(place, Place::Last(_))).cloned().collect();
        let outside: Vec<Place> =
            some.iter().filter(|place| !matches!(place, Place::Last(_) | Place::First(_))).cloned().collect();
        let constants = self.constants();
        let untagged = [Vec::new()];
        let tags: Vec<Vec<u8>> = if self.chained { self.tags() } else { Vec::new() };
        let base = Trials {
            ways: usize::MAX,
            sorted: true,
            namings: &objects,
            places: &most,
            constants: &[None],
            tags: &untagged,
            counts_previous: false,
        };
        let whole = std::mem::take(left);
        let mut attempt = |reach, trials: &Trials<'_>, parts: u32| {
            let ways = if trials.sorted { &mut sorted } else { &mut unsorted };
            left.add(whole.share(parts));
            let tried = self.members_of(target, &fields, ways, &spelled, reach, trials, algorithms, left);
            tried.break_value().flatten()
        };
        let with_lists = Trials { sorted: false, namings: &plain, ..base };
        attempt(Reach::Table, &base, 4)
            .or_else(|| attempt(Reach::Table, &with_lists, 4))
            .or_else(|| attempt(Reach::Few(5), &Trials { ways: FEW, places: &some, ..base }, 4))
            .or_else(|| attempt(Reach::Near(2), &Trials { ways: FEW, namings: &one, places: &some, ..base }, 8))
            .or_else(|| attempt(Reach::Near(3), &Trials { namings: &one, ..base }, 2))
            .or_else(|| attempt(Reach::Near(1), &Trials { ways: FEW, constants: &constants, places: &some, ..base }, 6))
            .or_else(|| {
                attempt(Reach::Near(1), &Trials { ways: FEW, constants: &constants, places: &some, ..with_lists }, 6)
            })
            .or_else(|| {
                attempt(Reach::Near(2), &Trials { ways: FEW, sorted: false, namings: &one, places: &some, ..base }, 6)
            })
            .or_else(|| attempt(Reach::OneMoved(2), &Trials { places: &some, ..with_lists }, 5))
            .or_else(|| {
                attempt(Reach::OneMoved(1), &Trials { places: &inside, counts_previous: true, ..with_lists }, 1)
            })
            .or_else(|| attempt(Reach::TwoMoved(1), &Trials { places: &some[..some.len().min(4)], ..with_lists }, 3))
            .or_else(|| attempt(Reach::Near(2), &Trials { ways: FEW, tags: &tags, places: &outside, ..base }, 6))
            .or_else(|| attempt(Reach::Near(2), &Trials { namings: &two, places: &some, ..base }, 3))
            .or_else(|| attempt(Reach::Any(6), &Trials { places: &some, ..with_lists }, 2))
    }

    pub(super) fn places(&self, all: bool) -> Vec<Place> {
        if !self.chained {
            return vec![Place::Nowhere];
        }
        let keys = self.keys_of_previous();
        let mut places = vec![Place::Before(""), Place::Behind("")];
        for (number, key) in keys.iter().take(if all { 9 } else { 4 }).enumerate() {
            places.extend([Place::Last(key.clone()), Place::First(key.clone())]);
            places.extend((all && number < 2).then(|| Place::BeforeLast(key.clone())));
        }
        if all {
            places.extend(["|", ":", "\n", "\0"].map(Place::Before));
            places.extend(["|", ":"].map(Place::Behind));
            places.extend(keys.iter().skip(2).map(|key| Place::BeforeLast(key.clone())));
            places.extend(
                ["", ":", "|", "\0"]
                    .into_iter()
                    .flat_map(|between| keys.iter().map(move |key| Place::Both(between, key.clone()))),
            );
        }
        places
    }

    /// The previous hash beside the document of the row, by the names both may have.
    pub(super) fn places_outside(&self) -> Vec<Place> {
        if !self.chained {
            return Vec::new();
        }
        let keys = self.keys_of_previous();
        let mut ranked: Vec<(usize, Place)> = Vec::new();
        for (named, previous) in keys.into_iter().enumerate() {
            for (called, document) in BESIDE.into_iter().enumerate() {
                let place = |first| Place::Beside { previous: previous.clone(), document, first };
                ranked.extend([true, false].map(|first| ((named + 1) * (called + 1), place(first))));
            }
        }
        ranked.retain(|(rank, _)| *rank <= RANKS_BESIDE);
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, place)| place).collect()
    }

    /// What the previous hash may be called in a document, the likeliest first.
    fn keys_of_previous(&self) -> Vec<String> {
        let own = self.prev.and_then(|at| self.column(at)).map(|column| column.name.clone());
        let mut keys: Vec<String> = own.iter().cloned().collect();
        keys.extend(own.iter().map(|own| naming::camelled(own)));
        keys.extend(["prev_hash", "previous_hash", "prevHash", "previousHash", "prev", "previous"].map(str::to_owned));
        keys.extend(own.iter().map(|own| naming::pascalled(own)));
        let mut seen = Vec::new();
        keys.retain(|key| {
            !seen.contains(key) && {
                seen.push(key.clone());
                true
            }
        });
        keys
    }

    /// The places, those first whose key is named as the others are.
    pub(super) fn places_beside(places: &[Place], naming: &Naming) -> Vec<Place> {
        let own = Convention::of(naming.keys.iter().map(String::as_str));
        let suits = |place: &&Place| place.name().is_none_or(|key| own.suits(Convention::of([key])));
        let (first, last): (Vec<&Place>, Vec<&Place>) = places.iter().partition(suits);
        first.into_iter().chain(last).cloned().collect()
    }

    /// Members that no column holds: a version, and the hash itself before it was known.
    pub(super) fn constants(&self) -> Vec<Option<Constant>> {
        let mut members: Vec<(String, &'static str)> = Vec::new();
        let own = &self.own;
        for key in [own.clone(), naming::camelled(own), "hash".to_owned()] {
            members.extend(["\"\"", "null"].map(|value| (key.clone(), value)));
        }
        for key in ["version", "v", "schema_version", "schema", "hash_version", "hashVersion"] {
            members.extend(["1", "2", "\"1\"", "\"1.0\"", "\"v1\""].map(|value| (key.to_owned(), value)));
        }
        members.extend(
            [
                ("type", "\"audit\""),
                ("kind", "\"audit\""),
                ("nonce", "0"),
                ("alg", "\"sha256\""),
                ("algorithm", "\"sha256\""),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        );
        let mut seen = Vec::new();
        members.retain(|member| {
            !seen.contains(member) && {
                seen.push(member.clone());
                true
            }
        });
        let both = |(key, value): (String, &'static str)| {
            [true, false].map(|first| Some(Constant { key: key.clone(), value, first }))
        };
        members.into_iter().flat_map(both).collect()
    }

    pub(super) fn spelled(&self, target: usize) -> Option<Spelled> {
        let with = |piece: Piece| self.bytes(target, &piece).map(|bytes| (piece, bytes));
        let within = |style: Style| match self.prev {
            Some(at) => {
                let form = if self.is(at, crate::chain::value::Kind::Bytes) {
                    Form::Quoted(style, Box::new(Form::Hex))
                } else {
                    Form::Json(style, None)
                };
                Piece::Item { at, form, null: Null::Bytes(style.null().as_bytes().to_vec()) }
            }
            None => Piece::Last { form: Form::Quoted(style, Box::new(Form::Hex)), genesis: b"\"\"".to_vec() },
        };
        let mut outside: Vec<(Piece, Vec<u8>)> = Vec::new();
        for form in [Form::Text, Form::Hex, Form::Digest] {
            if let Some(found) = with(self.previous(form, b""))
                && !outside.iter().any(|(_, bytes)| *bytes == found.1)
            {
                outside.push(found);
            }
        }
        Some(Spelled { outside, plain: with(within(Style::compact(true)))?, repr: with(within(Style::REPR))? })
    }

    #[expect(clippy::too_many_arguments, reason = "one loop over all that a document is made of")]
    fn members_of(
        &self,
        target: usize,
        fields: &[usize],
        ways: &mut Ways,
        spelled: &Spelled,
        reach: Reach,
        trials: &Trials<'_>,
        algorithms: &[Under],
        left: &mut Left,
    ) -> Try {
        // Without any there is nothing to count, and no end.
        if algorithms.is_empty() {
            return Try::Continue(());
        }
        let mut buffer = Vec::with_capacity(2048);
        let previous = fields.len();
        orders::each(reach, fields.len() + usize::from(trials.counts_previous), &mut |order| {
            if trials.counts_previous && !order.contains(&previous) {
                return Try::Continue(());
            }
            let mask: u32 = order.iter().filter(|field| **field < previous).map(|field| 1 << field).sum();
            let chosen: Vec<usize> = order.iter().copied().filter(|field| *field < previous).collect();
            if chosen.is_empty() {
                return Try::Continue(());
            }
            let own = ways.of(&chosen);
            for naming in trials.namings {
                // Another name of a field that is not there is none.
                if naming.other != 0 && naming.other & mask == 0 || is_renamed(naming, mask) {
                    continue;
                }
                for place in trials.places {
                    for constant in trials.constants {
                        let Some(mut members) = laid(order, previous, naming, place, constant.as_ref(), trials.sorted)
                        else {
                            continue;
                        };
                        for way in own.iter().take(trials.ways) {
                            let written = &ways.all[*way];
                            for outside in outsides(place, spelled) {
                                for tag in trials.tags {
                                    let document = Document { members, naming, place, written, spelled, outside, tag };
                                    buffer.clear();
                                    document.write(&mut buffer);
                                    self.attempt(target, algorithms, &buffer, left, Some(&self.tried), || {
                                        document.pieces()
                                    })?;
                                    members = document.members;
                                }
                            }
                        }
                    }
                }
            }
            Try::Continue(())
        })
    }
}

/// Spellings of the previous hash that stand outside.
fn outsides<'a>(place: &Place, spelled: &'a Spelled) -> &'a [(Piece, Vec<u8>)] {
    match place {
        Place::Before(_) | Place::Behind(_) | Place::Both(..) => &spelled.outside,
        _ => &spelled.outside[..spelled.outside.len().min(1)],
    }
}
