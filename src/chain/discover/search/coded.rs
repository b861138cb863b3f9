//! Documents as a program lists their members: each column by a name of the program's own or not at all, a document by its
//! digest, columns of one word as an object. Every choice has a cost, the logarithm of how seldom it is made, and
//! documents come by the sum: what is a little unusual in several columns comes before what is very unusual in one.

use super::likely::odds;
use super::members::Spelled;
use super::naming::{aliases, camelled, worded};
use super::outline::{Entry, Other, Outline, Slot, Stand, Values, write_flat};
use super::subsets::WIDEST;
use super::tries::{Left, Try};
use super::writing::{Ways, Written};
use super::{Search, Under};
use crate::chain::discover::coverage::is_payload;
use crate::chain::form::Form;
use crate::chain::items::Column;
use crate::chain::json_form::Style;
use crate::chain::recipe::{Formula, Null, Piece};
use crate::chain::value::Kind;
use std::collections::HashMap;
use std::rc::Rc;

/// Costs are quarters of a bit. They grow by this from round to round, so often at most.
const STEP: u32 = 4;
const ROUNDS: u32 = 50;

/// Orders of one choice of columns.
const ORDERS: usize = 48;

/// Different values that a column of labels has at most.
const LABELS: usize = 12;

/// What else people call the columns of a log.
const SELDOM: [(&[&str], &[&str]); 4] = [
    (&["actor", "user", "principal", "agent", "changed", "performed"], &["who", "by", "user", "actor"]),
    (&["action", "event", "operation", "op", "verb", "type"], &["what", "name"]),
    (&["resource", "entity", "target", "object", "record"], &["on", "subject", "ref", "what"]),
    (&["created", "timestamp", "time", "ts", "at", "occurred"], &["when", "t", "iat"]),
];

/// What people call the digest of a document.
const DIGESTS: [&str; 4] = ["payload_hash", "data_hash", "details_hash", "content_hash"];

/// What people call the previous hash, whatever its column is called.
const CALLED: [&str; 8] =
    ["prev", "prev_hash", "previous_hash", "previous", "parent_hash", "parent", "last_hash", "prior_hash"];

/// What becomes of one column.
#[derive(Clone, Debug)]
struct Choice {
    cost: u32,
    /// Its key and its value; none where it is left out.
    member: Option<(String, Slot)>,
    /// Its key is its own name.
    is_own: bool,
}

/// Four times the binary logarithm.
fn log(number: usize) -> u32 {
    let whole = number.max(1).ilog2();
    // Between two powers of two it is nearly straight.
    whole * 4 + u32::try_from(((number.max(1) - (1 << whole)) * 4) >> whole).unwrap_or(0)
}

/// The costs of a column that is hashed, and of one that is not, by ten times the logarithm of its odds.
fn costs(odds: i32) -> (u32, u32) {
    // Four times the binary logarithm of 1 + exp(-odds / 10), in steps of four.
    const OF: [u32; 6] = [4, 3, 2, 2, 1, 1];
    let step = usize::try_from(odds.unsigned_abs() / 4).unwrap_or(0).min(OF.len() - 1);
    let (likely, unlikely) = (OF[step], OF[step] + odds.unsigned_abs() * 4 / 7);
    if odds >= 0 { (likely, unlikely) } else { (unlikely, likely) }
}

/// Documents of one convention, with keys in order or not.
struct Documents<'a> {
    search: &'a Search<'a>,
    target: usize,
    algorithms: &'a [Under],
    spelled: &'a Spelled,
    fields: &'a [usize],
    ways: Ways,
    /// For each way, the other spelling of each field.
    others: Vec<Vec<Other>>,
    choices: Vec<Vec<Choice>>,
    /// What the columns from each on cost at least.
    rest: Vec<u32>,
    stands: Vec<(u32, Stand)>,
    /// The first word of each column's name, and what stands behind it.
    words: Vec<Option<(String, String)>>,
    orders: HashMap<usize, Rc<[Vec<usize>]>>,
    sorted: bool,
    /// What its convention costs.
    cost: u32,
}

impl Search<'_> {
    /// Documents by the cost of their choices.
    pub(super) fn coded(&self, target: usize, algorithms: &[Under], left: &mut Left) -> Option<Formula> {
        let fields: Vec<usize> = self.fields.iter().copied().take(WIDEST).collect();
        let columns: Vec<&Column> = fields.iter().filter_map(|at| self.column(*at)).collect();
        if columns.len() != fields.len() || algorithms.is_empty() {
            return None;
        }
        let spelled = self.spelled(target)?;
        let previous = self.prev.and_then(|at| self.column(at));
        let has_words = columns.iter().copied().chain(previous).any(|column| column.name != camelled(&column.name));
        let mut all = Vec::new();
        for sorted in [false, true] {
            for named in [Named::Snake, Named::Short, Named::Camel].into_iter().take(2 + usize::from(has_words)) {
                let choices: Vec<Vec<Choice>> =
                    (0..fields.len()).map(|bit| self.choices_of(bit, fields[bit], columns[bit], named)).collect();
                let mut rest = vec![0; fields.len() + 1];
                for bit in (0..fields.len()).rev() {
                    rest[bit] = rest[bit + 1] + choices[bit].first().map_or(0, |choice| choice.cost);
                }
                let ways = self.ways_of_code(target, &fields, sorted);
                let others = ways.all.iter().map(|written| self.others(target, &fields, written)).collect();
                all.push(Documents {
                    search: self,
                    target,
                    algorithms,
                    spelled: &spelled,
                    fields: &fields,
                    ways,
                    others,
                    choices,
                    rest,
                    stands: self.stands(sorted, named, spelled.outside.len()),
                    words: columns.iter().map(|column| parted(&column.name, named == Named::Camel)).collect(),
                    orders: HashMap::new(),
                    sorted,
                    cost: 4 * u32::from(sorted) + 8 * u32::from(named == Named::Short),
                });
            }
        }
        let least = all.iter().map(|of| of.cost + of.rest[0]).min()?;
        let mut tried = || {
            for round in 0..ROUNDS {
                let low = if round == 0 { 0 } else { least + round * STEP };
                for documents in &mut all {
                    documents.choose(&mut Vec::new(), documents.cost, (low, least + (round + 1) * STEP), left)?;
                }
            }
            Try::Continue(())
        };
        tried().break_value().flatten()
    }

    /// What may become of a column, the likeliest first.
    fn choices_of(&self, bit: usize, at: usize, column: &Column, by: Named) -> Vec<Choice> {
        let (within, without) = costs(odds(column));
        let named = |name: &str| by.name(name);
        let own = named(&column.name);
        let member = |cost, key: String, slot| Choice { cost: within + cost, member: Some((key, slot)), is_own: false };
        let mut all = vec![Choice { cost: without, member: None, is_own: false }];
        if by.has(&own) {
            all.push(Choice { is_own: true, ..member(2, own.clone(), Slot::Field(bit)) });
        }
        let words = worded(&column.name);
        let seldom = SELDOM.iter().filter(|(of, _)| words.split('_').any(|word| of.contains(&word)));
        let seldom = seldom.flat_map(|(_, to)| to.iter().map(|to| (3, (*to).to_owned())));
        let names = (1..).zip(aliases(column)).chain(seldom);
        let mut keys = vec![own.clone()];
        let first = if column.kind.is_time() { 5 } else { 9 };
        for (rank, name) in names {
            let key = named(&name);
            if !keys.contains(&key) && by.has(&key) {
                let cost = if by == Named::Short { 4 + log(rank) / 2 } else { first + log(rank) };
                all.push(member(cost, key.clone(), Slot::Field(bit)));
                keys.push(key);
            }
        }
        if column.kind.is_document() || self.is_long_text(at) {
            let own = ["hash", "digest", "sha256"].map(|end| format!("{}_{end}", column.name));
            let mut keys: Vec<String> = Vec::new();
            for name in own.iter().map(String::as_str).chain(DIGESTS).chain([column.name.as_str()]) {
                let key = named(name);
                if !keys.contains(&key) {
                    all.push(member(14 + log(keys.len() + 1), key.clone(), Slot::Other(bit)));
                    keys.push(key);
                }
            }
        } else if self.letters(at).is_some() {
            all.push(member(18, own, Slot::Other(bit)));
        }
        all.sort_by_key(|choice| choice.cost);
        all
    }

    /// Where the previous hash may stand, the likeliest first.
    fn stands(&self, sorted: bool, by: Named, outsides: usize) -> Vec<(u32, Stand)> {
        if !self.chained {
            return vec![(0, Stand::Nowhere)];
        }
        let own = self.prev.and_then(|at| self.column(at)).map(|column| column.name.as_str());
        let mut keys: Vec<String> = Vec::new();
        for name in own.into_iter().chain(CALLED) {
            let key = by.name(name);
            if !keys.contains(&key) && by.has(&key) {
                keys.push(key);
            }
        }
        let mut all = Vec::new();
        for (number, key) in keys.into_iter().enumerate() {
            let cost = if number == 0 { 0 } else { 6 + log(number) };
            all.push((cost + 3, Stand::Behind(key.clone(), 0)));
            if !sorted {
                all.push((cost + 4, Stand::Before(key.clone(), 0)));
                all.extend([(cost + 13, Stand::Behind(key.clone(), 1)), (cost + 18, Stand::Before(key, 1))]);
            }
        }
        for spelling in 0..outsides {
            for (number, between) in ["", "|", ":", "\n"].into_iter().enumerate() {
                let cost = 10 + 4 * log(number + 1).min(3) + 14 * u32::try_from(spelling).unwrap_or(0);
                all.extend([true, false].map(|first| (cost, Stand::Outside { first, between, spelling })));
            }
        }
        all.sort_by_key(|(cost, _)| *cost);
        all
    }

    /// Documents as their digest, labels in other letters, as the row has them in this way.
    fn others(&self, target: usize, fields: &[usize], written: &Written) -> Vec<Other> {
        let other = |(at, piece): (&usize, &Piece)| {
            let Piece::Item { form, .. } = piece else { return None };
            let style = Style { listed: false, ..written.style };
            let form = match form {
                Form::Rewritten(inner) => {
                    // A digest is of one line.
                    let inner =
                        if inner.indent > 0 { Style { indent: 0, ..Style::compact(inner.sorted) } } else { *inner };
                    Form::Digested(Box::new(Form::Rewritten(inner)))
                }
                Form::Json(..) if self.is_long_text(*at) => Form::Digested(Box::new(Form::Text)),
                Form::Json(..) => self.letters(*at)?,
                _ => return None,
            };
            let form = Form::Quoted(style, Box::new(form));
            let piece = Piece::Item { at: *at, form, null: Null::Bytes(style.null().as_bytes().to_vec()) };
            let bytes = self.bytes(target, &piece)?;
            Some((piece, bytes))
        };
        fields.iter().zip(&written.pieces).map(other).collect()
    }

    /// Text that is put behind a digest: by its name.
    pub(super) fn is_long_text(&self, at: usize) -> bool {
        self.is(at, Kind::Text) && self.column(at).is_some_and(|column| is_payload(column.kind, &column.name))
    }

    /// The other letters of a column whose values are a few labels in letters of one case.
    pub(super) fn letters(&self, at: usize) -> Option<Form> {
        if !self.is(at, Kind::Text) {
            return None;
        }
        let values = self.sample.rows.iter().filter_map(|row| row.get(at)).take(200);
        let mut labels: Vec<&[u8]> = Vec::new();
        for value in values {
            if !labels.contains(&value) {
                labels.push(value);
            }
            if labels.len() > LABELS || !value.is_ascii() {
                return None;
            }
        }
        let any = |test: fn(&u8) -> bool| labels.iter().any(|label| label.iter().any(test));
        match (any(u8::is_ascii_uppercase), any(u8::is_ascii_lowercase)) {
            (true, false) => Some(Form::Lower),
            (false, true) => Some(Form::Upper),
            _ => None,
        }
    }
}

/// How a program names members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// As the columns are.
    Snake,
    /// `actorId`
    Camel,
    /// By one word each.
    Short,
}

impl Named {
    fn name(self, name: &str) -> String {
        if self == Self::Camel { camelled(name) } else { name.to_owned() }
    }

    /// Whether it has such names.
    fn has(self, name: &str) -> bool {
        self != Self::Short || !name.contains('_') && !name.contains(char::is_uppercase)
    }
}

/// The first word of a name, and the others.
fn parted(name: &str, camel: bool) -> Option<(String, String)> {
    let words = worded(name);
    let (first, rest) = words.split_once('_')?;
    Some((first.to_owned(), if camel { camelled(rest) } else { rest.to_owned() }))
}

impl Documents<'_> {
    /// Chooses what becomes of the next column.
    fn choose(&mut self, chosen: &mut Vec<usize>, cost: u32, within: (u32, u32), left: &mut Left) -> Try {
        let bit = chosen.len();
        if bit == self.choices.len() {
            return self.arrange(chosen, cost, within, left);
        }
        for number in 0..self.choices[bit].len() {
            let cost = cost + self.choices[bit][number].cost;
            if cost + self.rest[bit + 1] >= within.1 {
                break;
            }
            chosen.push(number);
            self.choose(chosen, cost, within, left)?;
            chosen.pop();
        }
        Try::Continue(())
    }

    /// Every order of the chosen members, in every place and way that costs no more.
    fn arrange(&mut self, chosen: &[usize], cost: u32, (low, high): (u32, u32), left: &mut Left) -> Try {
        let of = |bit: usize| &self.choices[bit][chosen[bit]];
        let bits: Vec<usize> = (0..chosen.len()).filter(|bit| of(*bit).member.is_some()).collect();
        let keys: Vec<&str> = bits.iter().filter_map(|bit| Some(of(*bit).member.as_ref()?.0.as_str())).collect();
        if bits.is_empty() || (1..keys.len()).any(|at| keys[..at].contains(&keys[at])) {
            return Try::Continue(());
        }
        let alike = |bit: usize| {
            let first = |bit: usize| self.words[bit].as_ref().filter(|_| of(bit).is_own).map(|(first, _)| first);
            first(bit).is_some_and(|word| bits.iter().any(|other| *other != bit && first(*other) == Some(word)))
        };
        let grouped = bits.iter().any(|bit| alike(*bit));
        let entry = |bit: usize, groups: bool| {
            let (key, slot) = of(bit).member.clone().unwrap_or_default();
            Entry { key, slot, group: self.words[bit].clone().filter(|_| groups && alike(bit)) }
        };
        let entries: Vec<Vec<Entry>> = [false, true]
            .into_iter()
            .take(1 + usize::from(grouped))
            .map(|groups| (0..chosen.len()).map(|bit| entry(bit, groups)).collect())
            .collect();
        let mask: usize = bits.iter().map(|bit| 1 << bit).sum();
        let orders = if self.sorted {
            Rc::from(vec![bits])
        } else {
            let (search, fields) = (self.search, self.fields);
            let arranged = || search.arrangements(fields, mask, ORDERS).into();
            Rc::clone(self.orders.entry(mask).or_insert_with(arranged))
        };
        let mut buffer = Vec::with_capacity(2048);
        for (entries, groups) in entries.iter().zip([0, 10]) {
            for (rank, order) in orders.iter().enumerate() {
                let cost = cost + groups + if rank == 0 { 0 } else { 8 + log(rank) };
                if cost >= high {
                    break;
                }
                let own = self.ways.of(order);
                let mut members: Vec<&Entry> = order.iter().map(|bit| &entries[*bit]).collect();
                if self.sorted {
                    members.sort_unstable_by(|a, b| a.key.cmp(&b.key));
                }
                for (stood, stand) in &self.stands {
                    let cost = cost + stood;
                    if cost >= high {
                        break;
                    }
                    let previous = stand.previous(&members, self.sorted);
                    if previous.is_some_and(|(key, _)| keys.contains(&key)) {
                        continue;
                    }
                    let outline = |style| {
                        let members: Vec<Entry> = members.iter().map(|entry| (*entry).clone()).collect();
                        Outline::of(&members, stand, style)
                    };
                    for (number, way) in own.iter().enumerate() {
                        let cost = cost + log(number + 1);
                        if cost >= high {
                            break;
                        }
                        if cost < low {
                            continue;
                        }
                        let written = &self.ways.all[*way];
                        let style = written.style;
                        let values = Values { written, others: &self.others[*way], spelled: self.spelled };
                        let is_written = if groups == 0 {
                            write_flat(&members, previous, stand, style, &values, &mut buffer)
                        } else {
                            outline(style).is_some_and(|outline| outline.write(&values, &mut buffer))
                        };
                        if !is_written {
                            self.search.nothing(left)?;
                            continue;
                        }
                        let tried = Some(&*self.search.tried);
                        self.search.attempt(self.target, self.algorithms, &buffer, left, tried, || {
                            outline(style).map_or_else(Vec::new, |outline| outline.pieces(&values))
                        })?;
                    }
                }
            }
        }
        Try::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_logarithms() {
        assert_eq!([1, 2, 3, 4, 16].map(log), [0, 4, 6, 8, 16]);
        let (within, without) = costs(20);
        assert!(within < without && costs(-20) == (without, within) && costs(0) == (4, 4));
    }

    #[test]
    fn names_are_parted_at_their_first_word() {
        assert_eq!(parted("actor_user_id", true), Some(("actor".into(), "userId".into())));
        assert_eq!(parted("actorId", false), Some(("actor".into(), "id".into())));
        assert_eq!(parted("actor", false), None);
    }
}
