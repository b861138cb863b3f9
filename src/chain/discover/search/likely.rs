//! Which columns are hashed, in which order, between what: every choice has a rank, and choices are tried by the product of
//! their ranks. What is a little unusual in all respects comes as late as what is very unusual in one.

use super::members::{Constant, Place};
use super::naming::{self, Naming};
use super::orders;
use super::subsets::{WIDEST, stages};
use super::trial::Trial;
use super::tries::{Left, Try};
use super::writing::Ways;
use super::{Search, Under, lists};
use crate::chain::form::Count;
use crate::chain::items::Column;
use crate::chain::recipe::Formula;
use crate::chain::value::Kind;
use foldhash::fast::FixedState;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::rc::Rc;

/// Most choices of columns that are ranked.
const CHOICES: usize = 1 << 14;

/// Most ways to put one row together that are ranked.
const JOINTS: usize = 1 << 12;

/// Orders in which two fields stand somewhere else, of one choice.
const TWICE: usize = 4096;

/// Most names for all members that are ranked.
const NAMINGS: usize = 1 << 9;

/// Products of ranks, in rounds.
const ROUNDS: [usize; 5] = [1 << 8, 1 << 11, 1 << 14, 1 << 17, 1 << 20];

/// Ways to write one choice of fields.
const WAYS: usize = 200;

/// Lengths that stand before fields in another order than that of the table.
const COUNTS: [Count; 4] = [Count::Decimal(b':'), Count::Be4, Count::Le8, Count::Be8];

impl Search<'_> {
    /// Fields side by side, the likeliest first.
    pub(super) fn likely_lists(&self, target: usize, algorithms: &[Under], left: &mut Left) -> Option<Formula> {
        let fields: Vec<usize> = self.fields.iter().copied().take(WIDEST).collect();
        let mut ways = self.ways_of_lists(target, &fields);
        let choices = self.choices(&fields);
        let joints = self.joints_of_lists(target);
        let mut buffer = Vec::with_capacity(1024);
        let mut attempt = |order: &[usize], ways: &Ways, way: usize, joint: usize| {
            let (written, joint) = (&ways.all[way], &joints[joint]);
            if !joint.write(order, written, &mut buffer) {
                return self.nothing(left);
            }
            self.attempt(target, algorithms, &buffer, left, None, || joint.pieces(order, written))
        };
        self.ranked(&fields, &mut ways, &choices, joints.len(), true, &mut attempt).break_value().flatten()
    }

    /// Documents, the likeliest first.
    pub(super) fn likely_documents(
        &self,
        target: usize,
        algorithms: &[Under],
        sorted: bool,
        left: &mut Left,
    ) -> Option<Formula> {
        let fields: Vec<usize> = self.fields.iter().copied().take(WIDEST).collect();
        let columns: Vec<&Column> = fields.iter().filter_map(|at| self.column(*at)).collect();
        if columns.len() != fields.len() {
            return None;
        }
        let spelled = self.spelled(target)?;
        let mut ways = self.ways_of_documents(target, &fields, sorted);
        let choices = self.choices(&fields);
        let trials = self.trials(&columns, sorted, spelled.outside.len());
        let mut buffer = Vec::with_capacity(2048);
        let mut attempt = |order: &[usize], ways: &Ways, way: usize, trial: usize| {
            let (written, trial) = (&ways.all[way], &trials[trial]);
            if !trial.write(order, written, &spelled, sorted, &mut buffer) {
                return self.nothing(left);
            }
            self.attempt(target, algorithms, &buffer, left, None, || {
                trial.document(order, written, &spelled, sorted).map_or_else(Vec::new, |document| document.pieces())
            })
        };
        self.ranked(&fields, &mut ways, &choices, trials.len(), !sorted, &mut attempt).break_value().flatten()
    }

    /// Calls `attempt` with orders of fields, ways to write them and numbers of joints, by the product of their ranks.
    fn ranked(
        &self,
        fields: &[usize],
        ways: &mut Ways,
        choices: &[usize],
        joints: usize,
        moved: bool,
        attempt: &mut impl FnMut(&[usize], &Ways, usize, usize) -> Try,
    ) -> Try {
        let mut low = 0;
        for high in ROUNDS {
            for (chosen, bits) in choices.iter().enumerate().take(high) {
                let orders = self.arrangements(fields, *bits, if moved { high / (chosen + 1) } else { 1 });
                for (arranged, order) in orders.iter().enumerate() {
                    let rank = (chosen + 1) * (arranged + 1);
                    if rank > high {
                        break;
                    }
                    let own = ways.of(order);
                    for (written, way) in own.iter().enumerate().take(WAYS) {
                        let rank = rank * (written + 1);
                        if rank > high {
                            break;
                        }
                        for joint in low / rank..joints.min(high / rank) {
                            attempt(order, ways, *way, joint)?;
                        }
                    }
                }
            }
            low = high;
        }
        Try::Continue(())
    }

    /// Choices of fields as bits: by what they are called, and by how few runs of neighbours they are.
    pub(super) fn choices(&self, fields: &[usize]) -> Vec<usize> {
        let odds: Vec<i32> = fields.iter().map(|at| self.column(*at).map_or(0, odds)).collect();
        let (named, [near, few, _]) = (by_odds(&odds), stages(fields.len()));
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        let all_of_them = (1_usize << fields.len()) - 1;
        let near: Vec<usize> = std::iter::once(all_of_them).chain(near).chain(few).collect();
        // Who hashes the first columns has put the others behind them because they are not hashed.
        let begun: Vec<usize> = (1..=fields.len())
            .rev()
            .flat_map(|end| (0..end.min(3)).map(move |from| (1_usize << end) - (1 << from)))
            .collect();
        for number in 0..named.len().max(near.len()) {
            for bits in [near.get(number), begun.get(number), named.get(number)].into_iter().flatten() {
                if *bits != 0 && seen.insert(*bits) {
                    all.push(*bits);
                }
            }
            if all.len() >= CHOICES {
                break;
            }
        }
        all
    }

    /// So many orders of a choice: that of the table, then those in which one field stands somewhere else, what people move
    /// first, then two.
    pub(super) fn arrangements(&self, fields: &[usize], bits: usize, most: usize) -> Vec<Vec<usize>> {
        let chosen: Vec<usize> = (0..fields.len()).filter(|bit| bits >> bit & 1 == 1).collect();
        let mut all = vec![chosen.clone()];
        if most < 2 {
            return all;
        }
        let weight = |order: &Vec<usize>| {
            let kind = |field: Option<&usize>| field.map(|field| self.items.list[fields[*field]].kind);
            let (first, last) = (kind(order.first()), kind(order.last()));
            // A time goes to an end, a document to the last place.
            let is_time = |kind: Option<Kind>| kind.is_some_and(Kind::is_time);
            let is_document = |kind: Option<Kind>| kind.is_some_and(Kind::is_document);
            u8::from(!(is_time(first) || is_time(last))) + u8::from(!(is_document(last) || is_time(last)))
        };
        let mut once = orders::moves(&chosen);
        once.sort_by_key(weight);
        // Who sorts the keys of a row, and not those within it.
        let mut by_name = chosen.clone();
        by_name.sort_by_key(|bit| self.column(fields[*bit]).map(|column| &column.name));
        once.insert(0, by_name);
        let mut seen: HashSet<Vec<usize>, FixedState> = HashSet::from_iter([chosen]);
        once.retain(|order| seen.insert(order.clone()));
        if once.len() < most {
            // Of wide rows there are more than anybody could try.
            let twice = once.iter().flat_map(|order| orders::moves(order)).take(4 * most + TWICE);
            let mut twice: Vec<Vec<usize>> = twice.filter(|order| seen.insert(order.clone())).collect();
            twice.sort_by_key(weight);
            once.extend(twice);
        }
        all.extend(once);
        all.truncate(most);
        all
    }

    fn joints_of_lists(&self, target: usize) -> Vec<lists::Joint> {
        let mut ranked: Vec<(usize, lists::Joint)> = Vec::new();
        let tags: Vec<Vec<u8>> =
            if self.chained { self.tags().into_iter().filter(|tag| tag.len() > 1).collect() } else { Vec::new() };
        let mut separators: Vec<&'static str> = lists::USUAL.iter().chain(&lists::RARE).copied().collect();
        if self.key.is_some() {
            // Who signs joins with dots.
            separators.sort_by_key(|separator| *separator != ".");
            separators.swap(0, 1);
        }
        for previous in self.previous_in(target, &lists::PLACES) {
            for (placed, place) in previous.places.iter().enumerate() {
                for (separated, separator) in separators.iter().enumerate() {
                    let rank = (placed + 1) * (separated + 1);
                    let joint = |tag: &[u8]| lists::Joint {
                        tag: tag.to_vec(),
                        separator,
                        place: *place,
                        previous: previous.piece.clone(),
                        bytes: previous.bytes.clone(),
                        count: None,
                    };
                    ranked.push((rank, joint(&[])));
                    for (number, tag) in tags.iter().enumerate().filter(|(_, tag)| is_apart(tag, separator)) {
                        ranked.push((rank * (number + 8), joint(tag)));
                    }
                }
                for (number, count) in COUNTS.into_iter().enumerate() {
                    let joint = lists::Joint {
                        tag: Vec::new(),
                        separator: "",
                        place: *place,
                        previous: previous.piece.clone(),
                        bytes: previous.bytes.clone(),
                        count: Some(count),
                    };
                    ranked.push(((placed + 1) * (number + 6), joint));
                }
            }
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.truncate(JOINTS);
        ranked.into_iter().map(|(_, joint)| joint).collect()
    }

    fn trials(&self, columns: &[&Column], sorted: bool, outsides: usize) -> Vec<Trial> {
        let plain: Vec<Naming> =
            naming::plain(columns).into_iter().filter(|naming| !sorted || !naming.is_list).collect();
        let own: Vec<Naming> =
            plain.iter().filter(|naming| !naming.is_list && naming.other != u32::MAX).cloned().collect();
        let by = |two| own.iter().flat_map(move |of| naming::renamed(columns, of, two));
        let mut namings: Vec<(usize, Naming)> =
            (1..).zip(plain.iter().cloned()).chain(by(false)).chain(by(true)).collect();
        namings.sort_by_key(|(rank, _)| *rank);
        namings.truncate(NAMINGS);
        let places: Vec<Place> = self.places(true).into_iter().chain(self.places_outside()).collect();
        let constants: Vec<Option<Constant>> = std::iter::once(None).chain(self.constants()).collect();
        let mut ranked = Vec::new();
        for (named, (_, naming)) in (1..).zip(namings) {
            let naming = Rc::new(naming);
            for (placed, place) in Self::places_beside(&places, &naming).into_iter().enumerate() {
                for number in 0..constants.len() {
                    // What has one name of its own has seldom a member of its own, too.
                    let rank = named * (placed + 1) * if number == 0 { 1 } else { number + 6 };
                    if rank > 2 * JOINTS {
                        break;
                    }
                    ranked.push((rank, Rc::clone(&naming), place.clone(), number));
                }
            }
        }
        ranked.sort_by_key(|(rank, ..)| *rank);
        ranked.truncate(JOINTS);
        let trials = ranked
            .into_iter()
            .flat_map(|(_, naming, place, number)| Trial::all(&naming, &place, constants[number].as_ref(), outsides));
        trials.take(JOINTS).collect()
    }
}

/// Behind a tag stands what stands between fields, unless it sets the tag apart.
fn is_apart(tag: &[u8], separator: &str) -> bool {
    match tag.last() {
        Some(b'\0') => true,
        Some(end @ (b'|' | b'\n' | b':')) => separator.as_bytes() == [*end],
        _ => separator.is_empty(),
    }
}

/// How likely a column is hashed, by its name and kind: tenths of the logarithm of the odds.
pub(super) fn odds(column: &Column) -> i32 {
    const WORDS: [(&[&str], i32); 9] = [
        (&["action", "event", "operation", "op", "verb", "kind", "type"], 20),
        (&["actor", "user", "principal", "agent"], 14),
        (&["amount", "currency", "value"], 14),
        (&["payload", "details", "detail", "data", "metadata", "meta", "body", "changes", "message", "msg"], 12),
        (&["resource", "entity", "target", "object", "record", "account"], 10),
        (&["created", "timestamp", "ts", "occurred", "recorded", "logged", "time", "at"], 9),
        (&["seq", "sequence", "tenant", "org", "status", "outcome", "result", "index"], 4),
        (
            &[
                "updated",
                "finished",
                "expires",
                "ip",
                "agent",
                "session",
                "request",
                "correlation",
                "duration",
                "email",
            ],
            -8,
        ),
        (&["note", "comment", "region", "environment", "env", "version", "method", "path"], -6),
    ];
    let name = super::naming::worded(&column.name);
    let words: Vec<&str> = name.split('_').collect();
    // The last that applies says more than the first: user_agent is no user.
    let by_name = WORDS.iter().rev().find(|(of, _)| words.iter().any(|word| of.contains(word))).map(|(_, odds)| *odds);
    by_name.unwrap_or(if column.kind.is_document() { 10 } else { -1 })
}

/// Choices by the product of the odds of their members, the likeliest first.
fn by_odds(odds: &[i32]) -> Vec<usize> {
    let start: usize = odds.iter().enumerate().filter(|(_, odds)| **odds >= 0).map(|(bit, _)| 1 << bit).sum();
    let mut flips: Vec<(i32, usize)> = odds.iter().enumerate().map(|(bit, odds)| (odds.abs() + 1, bit)).collect();
    flips.sort_unstable();
    // Sets of flips by their sum: each grows by the next flip, or changes its last for the next.
    let mut all = vec![start];
    let mut heap = BinaryHeap::new();
    if let Some((cost, bit)) = flips.first() {
        heap.push(Reverse((*cost, 0_usize, 1_usize << bit)));
    }
    while let (Some(Reverse((cost, last, flipped))), true) = (heap.pop(), all.len() < CHOICES) {
        all.push(start ^ flipped);
        if let Some((next, bit)) = flips.get(last + 1) {
            heap.push(Reverse((cost + next, last + 1, flipped | 1 << bit)));
            let (own, own_bit) = flips[last];
            heap.push(Reverse((cost + next - own, last + 1, flipped & !(1 << own_bit) | 1 << bit)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_come_by_their_odds() {
        let all = by_odds(&[20, -8, 9, 4]);
        assert_eq!(all[..3], [0b1101, 0b0101, 0b1111]);
        let mut every = all.clone();
        every.sort_unstable();
        every.dedup();
        assert_eq!((all.len(), every.len()), (16, 16));
        assert!(by_odds(&[]).len() == 1 && by_odds(&[3; 22]).len() == CHOICES);
    }
}
