//! Fields with something around each of them: their lengths, as careful people write them, or their names; and fields
//! behind a word that says what is hashed.

use super::subsets::{WIDEST, stages};
use super::tries::{Left, Spellings, Try};
use super::{Search, clocks};
use crate::chain::form::{Count, Form};
use crate::chain::json_form::Style;
use crate::chain::recipe::{Formula, Null, Piece};
use crate::chain::value::Kind;

/// What stands around a field.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrap {
    /// Its length before it.
    Counted(Count),
    /// Its name before it, or another where it is a time.
    Named { assign: &'static str, camel: bool, sorted: bool, time: Option<&'static str> },
    /// Nothing, but a word before all of them.
    Tagged,
    /// Nothing; numbers in so many bytes, times in eight, and what has bytes as they are. The lowest first?
    Binary(u8, bool),
    /// The length of a text before it; numbers and times in eight bytes, all in the order of that length.
    Packed(Count),
}

/// A field, or the previous hash, as it stands in the preimage.
struct Entry {
    key: String,
    lead: Vec<u8>,
    piece: Piece,
    bytes: Vec<u8>,
}

/// A way to put entries together.
struct Joint<'a> {
    tag: &'a [u8],
    separator: &'a str,
    end: &'a str,
}

/// What people call the previous hash in such a text, beside the name of its column.
const CALLED: [&str; 5] = ["prev", "prev_hash", "previous_hash", "prevHash", "previous"];

/// What people call a time in such a text, whatever its column is called.
const TIMES: [&str; 3] = ["ts", "timestamp", "at"];

/// Words that begin a preimage in the wild.
const TAGS: [&str; 26] = [
    "v1",
    "1",
    "v2",
    "2",
    "audit",
    "audit:v1",
    "audit-v1",
    "audit/v1",
    "audit.v1",
    "audit_v1",
    "AUDIT",
    "audit_log",
    "audit-log",
    "audit_log:v1",
    "audit-log:v1",
    "audit-log-v1",
    "audit-entry",
    "audit_entry",
    "audit-event",
    "event",
    "entry",
    "log",
    "log/v1",
    "chain",
    "hash-chain",
    "hash-chain-v1",
];

const COUNTS: [Count; 7] =
    [Count::Decimal(b':'), Count::Be4, Count::Be8, Count::Le4, Count::Le8, Count::Decimal(b'|'), Count::Decimal(b'#')];

impl Search<'_> {
    /// Fields with their lengths or names; behind a tag, too, where that is asked for: there are many.
    pub(super) fn wrapped(&self, target: usize, left: &mut Left, tagged: bool) -> Option<Formula> {
        let fields: Vec<usize> = self.fields.iter().copied().take(WIDEST).collect();
        let mut wraps: Vec<Wrap> = COUNTS.map(Wrap::Counted).to_vec();
        for assign in ["=", ":", ": "] {
            for (camel, sorted) in [(false, false), (false, true), (true, false)] {
                wraps.push(Wrap::Named { assign, camel, sorted, time: None });
            }
        }
        let has_time = |name: &str| {
            let of =
                |at: &usize| self.items.list[*at].kind.is_time() && self.column(*at).is_some_and(|it| it.name != name);
            fields.iter().any(of)
        };
        let times = TIMES.into_iter().filter(|name| has_time(name));
        wraps.extend(times.map(|time| Wrap::Named { assign: "=", camel: false, sorted: false, time: Some(time) }));
        wraps.extend([Wrap::Binary(8, false), Wrap::Binary(4, false), Wrap::Binary(8, true), Wrap::Binary(4, true)]);
        wraps.extend([Count::Le8, Count::Be4, Count::Be8, Count::Le4].map(Wrap::Packed));
        wraps.extend(tagged.then_some(Wrap::Tagged));
        let stages = stages(fields.len());
        let whole = *left;
        *left = Left::default();
        // Each has its share, so that none goes without; what one leaves over the next has.
        stages.iter().take(2).find_map(|stage| {
            wraps.iter().find_map(|wrap| {
                left.add(whole.share(if *wrap == Wrap::Tagged { 8 } else { 1 }));
                self.wrap(target, &fields, *wrap, stage, left).break_value().flatten()
            })
        })
    }

    fn wrap(&self, target: usize, fields: &[usize], wrap: Wrap, stage: &[usize], left: &mut Left) -> Try {
        let of_kind = |test: fn(Kind) -> bool| fields.iter().any(|at| test(self.items.list[*at].kind));
        let clocks = if of_kind(Kind::is_time) { clocks() } else { vec![Form::Text] };
        let jsons: &[Option<Style>] = if of_kind(Kind::is_document) {
            &[None, Some(Style::compact(true)), Some(Style::python(true)), Some(Style::compact(false))]
        } else {
            &[None]
        };
        let tags: Vec<Vec<u8>> = if wrap == Wrap::Tagged { self.tags() } else { vec![Vec::new()] };
        let separators: &[&str] = match wrap {
            Wrap::Counted(_) => &["", "|", "\n", ","],
            Wrap::Named { .. } => &["|", ";", "&", ",", "\n", " ", ", ", "; ", ""],
            Wrap::Tagged => &["|", ":", "", "\n"],
            Wrap::Binary(..) | Wrap::Packed(_) => &[""],
        };
        let ends: &[&str] = match wrap {
            Wrap::Named { .. } => &["", "\n"],
            // Netstrings end as they are separated.
            Wrap::Counted(_) => &["", ",", "\n"],
            _ => &[""],
        };
        let is_apart = |joint: &Joint<'_>| {
            !matches!(wrap, Wrap::Counted(_)) || joint.end.is_empty() || joint.end == joint.separator
        };
        let joints: Vec<Joint<'_>> = tags
            .iter()
            .flat_map(|tag| separators.iter().map(move |separator| (tag, separator)))
            .flat_map(|(tag, separator)| ends.iter().map(move |end| Joint { tag, separator, end }))
            .filter(|joint| joint.is_likely() && is_apart(joint))
            .collect();
        let algorithms: Vec<_> = self.keyed(target).collect();
        let previous = self.previous_entries(target, wrap);
        let mut spellings = Spellings::default();
        let mut buffer = Vec::new();
        for clock in &clocks {
            for json in jsons {
                let entry = |at: &usize| self.entry(target, *at, wrap, clock, *json);
                let Some(entries) = fields.iter().map(entry).collect::<Option<Vec<_>>>() else { continue };
                let values = entries.iter().map(|entry| entry.bytes.clone()).collect();
                let choices = spellings.new_in(values, stage);
                for joint in joints.iter().filter(|_| !choices.is_empty()) {
                    for (before, first) in &previous {
                        for subset in &choices {
                            let chosen = (0..entries.len()).filter(|bit| subset >> bit & 1 == 1);
                            let order = arranged(chosen.map(|bit| &entries[bit]), before.as_ref(), *first, wrap);
                            joint.write(&order, &mut buffer);
                            self.attempt(target, &algorithms, &buffer, left, Some(&self.tried), || {
                                joint.pieces(&order)
                            })?;
                        }
                    }
                }
            }
        }
        Try::Continue(())
    }

    fn entry(&self, target: usize, at: usize, wrap: Wrap, clock: &Form, json: Option<Style>) -> Option<Entry> {
        let name = self.column(at)?.name.clone();
        let Piece::Item { form, .. } = self.field(at, clock, json, b"") else { return None };
        let (key, lead, form, null) = match wrap {
            // A length counts what is sent where the field has no better text.
            Wrap::Counted(count) => (name, Vec::new(), Form::Counted(count, Box::new(form)), count.of(b"")),
            Wrap::Named { assign, camel, time, .. } => {
                let key = match time.filter(|_| self.items.list[at].kind.is_time()) {
                    Some(time) => time.to_owned(),
                    None if camel => super::naming::camelled(&name),
                    None => name,
                };
                let lead = format!("{key}{assign}").into_bytes();
                (key, lead, form, Vec::new())
            }
            Wrap::Tagged => (name, Vec::new(), form, Vec::new()),
            Wrap::Binary(length, lowest) => {
                let form = match self.items.list[at].kind {
                    Kind::Int if lowest => Form::LittleEndian(length),
                    Kind::Int => Form::BigEndian(length),
                    Kind::Uuid | Kind::Bytes | Kind::Bool => Form::Raw,
                    _ => packed(form, lowest),
                };
                (name, Vec::new(), form, Vec::new())
            }
            Wrap::Packed(count) => {
                let lowest = matches!(count, Count::Le4 | Count::Le8);
                let (form, null) = match (self.items.list[at].kind, packed(form, lowest)) {
                    (Kind::Int, _) if lowest => (Form::LittleEndian(8), Vec::new()),
                    (Kind::Int, _) => (Form::BigEndian(8), Vec::new()),
                    (Kind::Uuid | Kind::Bool, _) => (Form::Raw, Vec::new()),
                    (_, form @ Form::Packed(..)) => (form, Vec::new()),
                    (Kind::Bytes, _) => (Form::Counted(count, Box::new(Form::Raw)), count.of(b"")),
                    (_, form) => (Form::Counted(count, Box::new(form)), count.of(b"")),
                };
                (name, Vec::new(), form, null)
            }
        };
        let piece = Piece::Item { at, form, null: Null::Bytes(null) };
        let bytes = self.bytes(target, &piece)?;
        Some(Entry { key, lead, piece, bytes })
    }

    /// The previous hash in its spellings, and whether it comes first.
    fn previous_entries(&self, target: usize, wrap: Wrap) -> Vec<(Option<Entry>, bool)> {
        if !self.chained {
            return vec![(None, false)];
        }
        let column = self.prev.and_then(|prev| self.column(prev)).map(|column| column.name.clone());
        let entry = |key: &str, lead: Vec<u8>, form: Form, genesis: &[u8]| {
            let piece = self.previous(form, genesis);
            let bytes = self.bytes(target, &piece)?;
            Some(Entry { key: key.to_owned(), lead, piece, bytes })
        };
        let mut all = Vec::new();
        match wrap {
            Wrap::Counted(count) | Wrap::Packed(count) => {
                for inner in [Form::Text, Form::Digest] {
                    let counted = entry("", Vec::new(), Form::Counted(count, Box::new(inner.clone())), &count.of(b""));
                    all.extend([counted, entry("", Vec::new(), inner, b"")]);
                }
            }
            Wrap::Named { assign, camel, .. } => {
                let own = column.map(|name| if camel { super::naming::camelled(&name) } else { name });
                let others = CALLED.iter().map(|name| (*name).to_owned());
                let mut keys: Vec<String> = Vec::new();
                own.into_iter().chain(others).for_each(|key| {
                    if !keys.contains(&key) {
                        keys.push(key)
                    }
                });
                let named = |key: &String| entry(key, format!("{key}{assign}").into_bytes(), Form::Text, b"");
                all.extend(keys.iter().map(named));
                all.push(entry("", Vec::new(), Form::Text, b""));
            }
            Wrap::Tagged | Wrap::Binary(..) => {
                all.extend([Form::Text, Form::Digest].map(|form| entry("", Vec::new(), form, b"")))
            }
        }
        let sorted = matches!(wrap, Wrap::Named { sorted: true, .. });
        let places: &[bool] = if sorted { &[true] } else { &[true, false] };
        let mut placed = Vec::new();
        for place in places {
            for entry in all.iter().flatten() {
                let entry = Entry {
                    key: entry.key.clone(),
                    lead: entry.lead.clone(),
                    piece: entry.piece.clone(),
                    bytes: entry.bytes.clone(),
                };
                placed.push((Some(entry), *place));
            }
        }
        placed
    }

    /// Words that may begin a preimage: those in use, and the names of the table.
    pub(super) fn tags(&self) -> Vec<Vec<u8>> {
        let mut tags: Vec<Vec<u8>> = Vec::new();
        let words = TAGS.iter().map(|tag| (*tag).to_owned()).chain(self.words.iter().cloned());
        for word in words {
            for end in ["|", ":", "", "\n", "\0"] {
                let tag = [word.as_bytes(), end.as_bytes()].concat();
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
            }
        }
        tags
    }
}

/// A time that is a number in eight bytes, where it is one; all else as it is.
fn packed(form: Form, lowest: bool) -> Form {
    match form {
        Form::Epoch(per_second) => Form::Packed(per_second, lowest),
        form => form,
    }
}

/// Entries in their order.
fn arranged<'a>(
    chosen: impl Iterator<Item = &'a Entry>,
    previous: Option<&'a Entry>,
    first: bool,
    wrap: Wrap,
) -> Vec<&'a Entry> {
    let mut order: Vec<&Entry> = Vec::with_capacity(16);
    order.extend(previous.filter(|_| first));
    order.extend(chosen);
    order.extend(previous.filter(|_| !first));
    if matches!(wrap, Wrap::Named { sorted: true, .. }) {
        order.sort_by(|a, b| a.key.cmp(&b.key));
    }
    order
}

impl Joint<'_> {
    /// Behind a tag stands what stands between fields, unless it sets the tag apart.
    fn is_likely(&self) -> bool {
        match self.tag.last() {
            None | Some(b'\0') => true,
            Some(b':') => self.separator != "\n",
            Some(end @ (b'|' | b'\n')) => self.separator.as_bytes() == [*end],
            Some(_) => self.separator.is_empty(),
        }
    }

    fn write(&self, order: &[&Entry], out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(self.tag);
        for (number, entry) in order.iter().enumerate() {
            if number > 0 {
                out.extend_from_slice(self.separator.as_bytes());
            }
            out.extend_from_slice(&entry.lead);
            out.extend_from_slice(&entry.bytes);
        }
        out.extend_from_slice(self.end.as_bytes());
    }

    /// The same as pieces.
    fn pieces(&self, order: &[&Entry]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut literal = self.tag.to_vec();
        for (number, entry) in order.iter().enumerate() {
            if number > 0 {
                literal.extend_from_slice(self.separator.as_bytes());
            }
            literal.extend_from_slice(&entry.lead);
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(entry.piece.clone());
        }
        if !self.end.is_empty() {
            pieces.push(Piece::literal(self.end));
        }
        pieces
    }
}
