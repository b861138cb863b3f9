//! JSON objects and lists of fields, as applications hash them.

use super::naming::camelled;
use super::subsets::{WIDEST, stages};
use super::tries::{Left, Spellings, Try};
use super::{MOST, Search, clocks};
use crate::chain::form::Form;
use crate::chain::json_form::Style;
use crate::chain::recipe::{Formula, Null, Piece};
use crate::chain::time::{Clock, Fraction};
use std::collections::HashMap;

/// Where the previous hash is, and what is around the fields.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    /// An object, the previous hash in it under this key.
    Inside(&'static str),
    /// An object, the previous hash in it under the name of its column.
    Named,
    /// The previous hash, something between, an object.
    Before(&'static str),
    /// The same, the hash as its bytes.
    Raw,
    /// The same, the hash as it is stored.
    Stored,
    /// An object, something between, the previous hash.
    Behind(&'static str),
    /// An object alone.
    Alone,
    /// A list, the previous hash first.
    First,
    /// A list, the previous hash last.
    Last,
    /// A list of the fields alone.
    List,
}

/// What applications call the previous hash, whatever its column is called.
const CHAINED: [Shape; 17] = [
    Shape::Named,
    Shape::Before(""),
    Shape::Behind(""),
    Shape::Before("|"),
    Shape::Behind("|"),
    Shape::Before(":"),
    Shape::Behind(":"),
    Shape::Inside("prev_hash"),
    Shape::Inside("previous_hash"),
    Shape::Inside("prevHash"),
    Shape::Inside("previousHash"),
    Shape::Inside("prev"),
    Shape::First,
    Shape::Last,
    Shape::Before("\n"),
    Shape::Raw,
    Shape::Stored,
];

/// What a document is written with.
#[derive(Clone, Copy, Debug)]
struct Setting<'a> {
    style: Style,
    camel: bool,
    clock: &'a Form,
    shape: Shape,
}

/// The fields of one row as they stand in a document.
struct Rendered {
    style: Style,
    clock: usize,
    values: Vec<Vec<u8>>,
    previous: Vec<u8>,
}

impl Search<'_> {
    /// Documents of fields, the previous hash inside, before or behind.
    pub(super) fn documents(&self, target: usize, left: &mut Left) -> Option<Formula> {
        let fields: Vec<_> = self.fields.iter().copied().take(WIDEST).collect();
        let times = fields.iter().any(|at| self.items.list[*at].kind.is_time());
        let clocks: Vec<_> = if times { clocks() } else { vec![Form::Text] };
        let rendered = self.rendered(target, &fields, &clocks);
        let names: Vec<String> = fields.iter().map(|at| self.name(*at)).collect();
        let camels: &[bool] = if names.iter().all(|name| *name == camelled(name)) { &[false] } else { &[false, true] };
        let shapes: &[Shape] = if self.chained { &CHAINED } else { &[Shape::Alone, Shape::List] };
        let before = |form| self.bytes(target, &self.previous(form, b""));
        let (before, raw, stored) = (before(Form::Hex)?, before(Form::Digest)?, before(Form::Text)?);
        let algorithms: Vec<_> = self.keyed(target).collect();
        let mut buffer = Vec::new();
        let mut tried = || {
            // Who hashes a document leaves out little of the row: the fewest first, in every spelling.
            for level in levels(fields.len()) {
                let mut spellings: HashMap<_, Spellings> = HashMap::new();
                for Rendered { style, clock, values, previous } in &rendered {
                    let around = spellings.entry((style.comma, style.colon, style.sorted)).or_default();
                    let choices = around.new_in(values.clone(), &level);
                    for camel in camels.iter().filter(|_| !choices.is_empty()) {
                        for shape in shapes {
                            let is_list = matches!(shape, Shape::First | Shape::Last | Shape::List);
                            if is_list && (*camel || style.listed) {
                                continue;
                            }
                            let setting =
                                Setting { style: *style, camel: *camel, clock: &clocks[*clock], shape: *shape };
                            let order = self.order(&names, setting);
                            let before = match shape {
                                Shape::Raw => &raw,
                                Shape::Stored => &stored,
                                _ => &before,
                            };
                            for subset in &choices {
                                order.write(values, *subset, previous, before, &mut buffer);
                                self.attempt(target, &algorithms, &buffer, left, Some(&self.tried), || {
                                    let chosen = (0..fields.len()).filter(|bit| subset >> bit & 1 == 1);
                                    self.document(&chosen.map(|bit| fields[bit]).collect::<Vec<_>>(), setting)
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

    /// Every field in every spelling, once.
    fn rendered(&self, target: usize, fields: &[usize], clocks: &[Form]) -> Vec<Rendered> {
        let mut all = Vec::new();
        let lists = self.lists_of_members(fields);
        let of_style = |style: Style| if style.listed { lists.iter().map(Some).collect() } else { vec![None] };
        for (style, names) in
            Style::ALL.into_iter().flat_map(|style| of_style(style).into_iter().map(move |of| (style, of)))
        {
            for (clock, form) in clocks.iter().enumerate() {
                // Only JavaScript has such a list.
                if style.listed && !is_of_javascript(form) {
                    continue;
                }
                let piece = |at: &usize| self.json(*at, style, form, names.map(Vec::as_slice));
                let values = fields.iter().map(|at| self.bytes(target, &piece(at)).unwrap_or_default()).collect();
                let previous = match self.prev {
                    Some(at) => self.bytes(target, &self.json(at, style, &Form::Text, None)),
                    None => None,
                };
                all.push(Rendered { style, clock, values, previous: previous.unwrap_or_default() });
            }
        }
        all
    }

    /// Names that a list of members may have. Which of them it has depends on the fields; where a document has members of
    /// those names at all, either all are in it or none is: what is found is then said exactly, and tried so.
    pub(super) fn lists_of_members(&self, fields: &[usize]) -> Vec<Vec<String>> {
        if !fields.iter().any(|at| self.items.list[*at].kind.is_document()) {
            return Vec::new();
        }
        let mut names: Vec<String> = fields.iter().map(|at| self.name(*at)).collect();
        names.extend(names.clone().iter().map(|name| camelled(name)));
        names.sort_unstable();
        names.dedup();
        vec![Vec::new(), names]
    }

    fn name(&self, at: usize) -> String {
        self.column(at).map_or_else(|| "prev_hash".to_owned(), |column| column.name.clone())
    }

    /// A value inside a document; of a document in it the members of these names.
    fn json(&self, at: usize, style: Style, clock: &Form, names: Option<&[String]>) -> Piece {
        let plain = Style { listed: false, ..style };
        let form = match (names, clock) {
            (Some(names), _) if self.items.list[at].kind.is_document() => Form::Listed(style, names.into()),
            _ if self.is_address(at) => Form::Quoted(plain, Box::new(Form::Host)),
            (_, Form::Time(clock)) => Form::Json(plain, Some(clock.clone())),
            _ => Form::Json(plain, None),
        };
        Piece::Item { at, form, null: Null::Bytes(b"null".to_vec()) }
    }

    /// The keys of a document in their order; the previous hash is number `usize::MAX`.
    fn order(&self, names: &[String], setting: Setting<'_>) -> Order {
        let Setting { style, camel, shape, .. } = setting;
        let spelled = |name: &str| if camel { camelled(name) } else { name.to_owned() };
        let mut keys: Vec<(String, usize)> = names.iter().enumerate().map(|(bit, name)| (spelled(name), bit)).collect();
        let previous = match (shape, self.prev) {
            (Shape::Named, Some(at)) => Some(spelled(&self.name(at))),
            (Shape::Inside(key), Some(_)) => Some(key.to_owned()),
            (Shape::First | Shape::Last, Some(_)) => Some(String::new()),
            _ => None,
        };
        if let Some(key) = previous {
            let at = if shape == Shape::First { 0 } else { keys.len() };
            keys.insert(at, (key, usize::MAX));
        }
        let is_list = matches!(shape, Shape::First | Shape::Last | Shape::List);
        if style.sorted && !is_list {
            keys.sort();
        }
        let listed = keys.iter().map(|(key, _)| key.clone()).collect();
        let lead = |(key, bit): (String, usize)| {
            let mut lead = Vec::new();
            if !is_list {
                style.string(&key, &mut lead);
                lead.extend_from_slice(style.colon.as_bytes());
            }
            (lead, bit)
        };
        let (before, behind) = match shape {
            Shape::Before(between) => (Some(between), None),
            Shape::Raw | Shape::Stored => (Some(""), None),
            Shape::Behind(between) => (None, Some(between)),
            _ => (None, None),
        };
        let around = if is_list { ("[", "]") } else { ("{", "}") };
        Order { listed, entries: keys.into_iter().map(lead).collect(), comma: style.comma, around, before, behind }
    }

    /// The same as pieces.
    fn document(&self, fields: &[usize], setting: Setting<'_>) -> Vec<Piece> {
        let names: Vec<String> = fields.iter().map(|at| self.name(*at)).collect();
        let order = self.order(&names, setting);
        let listed = setting.style.listed.then_some(order.listed.as_slice());
        let mut pieces = Vec::new();
        let form = match setting.shape {
            Shape::Raw => Form::Digest,
            Shape::Stored => Form::Text,
            _ => Form::Hex,
        };
        let previous = || self.previous(form.clone(), b"");
        if let Some(between) = order.before {
            pieces.extend([previous(), Piece::literal(between)]);
        }
        pieces.push(Piece::literal(order.around.0));
        for (number, (lead, bit)) in order.entries.into_iter().enumerate() {
            let comma = if number == 0 { "" } else { order.comma };
            pieces.push(Piece::Literal([comma.as_bytes(), &lead].concat()));
            pieces.push(match (fields.get(bit), self.prev) {
                (Some(at), _) => self.json(*at, setting.style, setting.clock, listed),
                (None, Some(prev)) => self.json(prev, setting.style, &Form::Text, None),
                (None, None) => previous(),
            });
        }
        pieces.push(Piece::literal(order.around.1));
        if let Some(between) = order.behind {
            pieces.extend([Piece::literal(between), previous()]);
        }
        pieces
    }
}

/// Keys in their order, with what stands around them.
struct Order {
    /// The keys themselves.
    listed: Vec<String>,
    entries: Vec<(Vec<u8>, usize)>,
    comma: &'static str,
    around: (&'static str, &'static str),
    before: Option<&'static str>,
    behind: Option<&'static str>,
}

impl Order {
    /// A document over bytes that are known: most candidates fail, and fail fast.
    fn write(&self, values: &[Vec<u8>], subset: usize, previous: &[u8], before: &[u8], out: &mut Vec<u8>) {
        out.clear();
        if let Some(between) = self.before {
            out.extend_from_slice(before);
            out.extend_from_slice(between.as_bytes());
        }
        out.extend_from_slice(self.around.0.as_bytes());
        let mut any = false;
        for (lead, bit) in &self.entries {
            let value = match values.get(*bit) {
                Some(_) if subset >> bit & 1 == 0 => continue,
                Some(value) => value,
                None => previous,
            };
            if std::mem::replace(&mut any, true) {
                out.extend_from_slice(self.comma.as_bytes());
            }
            out.extend_from_slice(lead);
            out.extend_from_slice(value);
        }
        out.extend_from_slice(self.around.1.as_bytes());
        if let Some(between) = self.behind {
            out.extend_from_slice(between.as_bytes());
            out.extend_from_slice(before);
        }
    }
}

/// `toISOString`, `getTime`, and what is text already.
fn is_of_javascript(form: &Form) -> bool {
    let millis = |clock: &Clock| (clock.between, clock.fraction, clock.suffix) == ("T", Fraction::Fixed(3), Some("Z"));
    matches!(form, Form::Text | Form::Epoch(1 | 1000)) || matches!(form, Form::Time(clock) if millis(clock))
}

/// Choices of fields, those first that leave out the fewest; of many fields only the likely ones.
fn levels(count: usize) -> Vec<Vec<usize>> {
    let all = (1_usize << count) - 1;
    if count <= MOST {
        let of = |left_out| (1..=all).rev().filter(move |subset| subset.count_ones() as usize + left_out == count);
        return (0..count).map(|left_out| of(left_out).collect()).collect();
    }
    let one = (0..count).map(|bit| all ^ (1 << bit)).collect();
    let two = (0..count).flat_map(|a| (0..a).map(move |b| all ^ (1 << a) ^ (1 << b))).collect();
    let [likely, ..] = stages(count);
    vec![vec![all], one, likely, two]
}
