//! Verifies rows as they arrive: each row's own hash, that it names the row before it, the digests it stores.

use super::algorithm::Digest;
use super::checkpoint::Mark;
use super::definition::Chain;
use super::encoding;
use super::form;
use super::loose::Image;
use super::recipe::Context;
use super::segment::{Fault, Flaw, KEPT, Position, Segment, Thread};
use super::traits::Traits;
use super::value::{Fields, Kind, int};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What rows are verified against.
#[derive(Clone, Copy, Debug)]
pub struct Against<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// The secret of keyed chains.
    pub key: Option<&'a [u8]>,
    /// Heads to look for.
    pub heads: &'a HashSet<Digest>,
}

/// In which order rows come.
#[derive(Clone, Debug)]
pub enum Reading {
    /// In that of their chains.
    Sorted,
    /// As they are stored, which is hoped to be their order: each must have a higher number than the one before it.
    Stored,
    /// As they are stored, whatever that is: links are summed up under this key.
    Loose(Arc<Image>),
}

/// A chain whose rows are arriving. Positions stay bytes; text is made only of those that are shown.
#[derive(Clone, Debug)]
struct Live {
    thread: Thread,
    position: Vec<Option<Vec<u8>>>,
    /// The last hash, as it is stored: what the next row should name.
    stored: Vec<u8>,
    /// Where no column names the row before: what the next row may build upon if not upon the last hash. What that
    /// should have been, or the hash before it, where the last row was slipped in.
    instead: [Option<Digest>; 2],
}

/// A run of rows under way.
#[derive(Clone, Debug)]
pub struct Walker<'a> {
    pub(super) against: Against<'a>,
    pub(super) segment: Segment,
    others: HashMap<Vec<u8>, Box<Live>>,
    // Boxed, or every row would move it about.
    current: Option<Box<Live>>,
    pub(super) key: Vec<u8>,
    next_key: Vec<u8>,
    fields: Fields,
    buffer: Vec<u8>,
    last_formula: usize,
    prev_is_bytes: bool,
    hash_is_bytes: bool,
    numbered: bool,
    /// Every hash is kept, for a tree.
    grows: bool,
    reading: Reading,
}

impl<'a> Walker<'a> {
    /// Before the first row.
    pub fn new(against: Against<'a>) -> Self {
        let chain = against.chain;
        let is_bytes = |at: usize| chain.items[at].kind == Kind::Bytes;
        Self {
            against,
            segment: Segment {
                explained: vec![0; chain.formulas.len()],
                seen: chain.watched.iter().map(|items| vec![Traits::default(); items.len()]).collect(),
                ..Segment::default()
            },
            others: HashMap::new(),
            current: None,
            key: Vec::new(),
            next_key: Vec::new(),
            fields: Fields::default(),
            buffer: Vec::with_capacity(1024),
            last_formula: 0,
            prev_is_bytes: chain.prev.is_some_and(is_bytes),
            hash_is_bytes: is_bytes(chain.hash),
            numbered: chain.is_numbered(),
            grows: false,
            reading: Reading::Sorted,
        }
    }

    /// The same, keeping every hash for a tree.
    #[must_use]
    pub fn growing(mut self) -> Self {
        self.grows = true;
        self
    }

    /// The same, of rows that come so.
    #[must_use]
    pub fn reading(mut self, reading: Reading) -> Self {
        self.reading = reading;
        self
    }

    /// The rows are not in their order: nothing that was found counts.
    pub fn is_disordered(&self) -> bool {
        self.segment.disordered
    }

    /// The same, after a row that is known.
    #[must_use]
    pub fn after(mut self, mark: &Mark) -> Self {
        let thread = Thread {
            partition: Vec::new(),
            first_prev: None,
            first: mark.position.clone(),
            first_hash: None,
            last: mark.position.clone(),
            last_hash: Some(mark.hash),
            rows: mark.tree.size(),
            unchained: 0,
            unlinked: 0,
        };
        let position = vec![None; self.against.chain.order.len()];
        self.current = Some(Box::new(Live { thread, position, stored: Vec::new(), instead: [None; 2] }));
        self
    }

    /// Hashes that were kept so far, and are not kept any longer.
    pub fn take_leaves(&mut self) -> HashMap<Vec<u8>, Vec<Digest>> {
        std::mem::take(&mut self.segment.leaves)
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.segment.rows
    }

    /// The run, at its end.
    pub fn finish(mut self) -> Segment {
        self.put_back();
        for (key, live) in std::mem::take(&mut self.others) {
            // Of a chain that is gone on with, nothing may have arrived.
            let arrived = live.position.iter().any(Option::is_some);
            let Live { thread, position, .. } = *live;
            let last = if arrived { self.position(&position) } else { thread.last.clone() };
            self.segment.threads.insert(key, Thread { last, ..thread });
        }
        self.segment
    }

    fn put_back(&mut self) {
        if let Some(live) = self.current.take() {
            self.others.insert(self.key.clone(), live);
        }
    }

    /// The next row.
    pub fn row(&mut self, tuple: &[u8]) {
        self.segment.rows += 1;
        let mut fields = std::mem::take(&mut self.fields);
        if fields.read(tuple) {
            if let Reading::Loose(image) = &self.reading {
                let image = Arc::clone(image);
                self.key_of(tuple, &fields);
                std::mem::swap(&mut self.key, &mut self.next_key);
                self.segment.disordered |= !self.loosely(&image, tuple, &fields);
                self.fields = fields;
                return;
            }
            if matches!(self.reading, Reading::Stored) {
                self.follows(tuple, &fields);
            }
            self.enter(tuple, &fields);
            let live = self.current.take();
            let live = self.judge(tuple, &fields, live);
            self.current = Some(live);
        }
        self.fields = fields;
    }

    /// Looks whether the row stands behind the one before it.
    fn follows(&mut self, tuple: &[u8], fields: &Fields) {
        let number = self.number(tuple, fields);
        self.segment.span = match (self.segment.span, number) {
            (None, Some(number)) => Some((number, number)),
            (Some((first, last)), Some(number)) if number > last => Some((first, number)),
            (span, _) => {
                self.segment.disordered = true;
                span
            }
        };
    }

    /// Finds the chain of the row.
    fn enter(&mut self, tuple: &[u8], fields: &Fields) {
        if self.against.chain.partition.is_empty() {
            return;
        }
        self.key_of(tuple, fields);
        if self.next_key != self.key || self.current.is_none() {
            self.put_back();
            std::mem::swap(&mut self.key, &mut self.next_key);
            self.current = self.others.remove(&self.key);
        }
    }

    /// What tells its chain from the others of the table.
    fn key_of(&mut self, tuple: &[u8], fields: &Fields) {
        self.next_key.clear();
        for at in &self.against.chain.partition {
            let value = fields.get(tuple, *at);
            let length = value.map_or(u32::MAX, |value| u32::try_from(value.len()).unwrap_or(u32::MAX - 1));
            self.next_key.extend_from_slice(&length.to_be_bytes());
            self.next_key.extend_from_slice(value.unwrap_or_default());
        }
    }

    /// Judges a row that follows `live`, and becomes its end.
    fn judge(&mut self, tuple: &[u8], fields: &Fields, live: Option<Box<Live>>) -> Box<Live> {
        let chain = self.against.chain;
        let hash = fields.get(tuple, chain.hash);
        let digest = hash.and_then(|hash| encoding::decode(hash, self.hash_is_bytes)).map(|(digest, _)| digest);
        let prev = chain.prev.and_then(|prev| fields.get(tuple, prev));
        let starts = live.as_ref().is_none_or(|live| live.thread.unchained == live.thread.rows);
        let last = live.as_ref().filter(|_| !starts).and_then(|live| live.thread.last_hash);
        let linked = chain.prev.is_none() || starts || names(prev, self.prev_is_bytes, last.as_ref());
        let mut flaws = Vec::new();
        let mut unchained = false;
        match digest {
            None => {
                // Rows from before the chain began have neither hash.
                unchained = starts && prev.is_none_or(<[u8]>::is_empty) && hash.is_none_or(<[u8]>::is_empty);
                if !unchained {
                    flaws.push(Flaw::Unreadable);
                }
            }
            Some(digest) => {
                let stored = live.as_ref().map_or(&[][..], |live| &live.stored);
                let flaw = self.content(tuple, fields, &digest, last.as_ref(), (!linked).then_some(stored));
                let instead = live.as_ref().map_or([None; 2], |live| live.instead);
                let builds = |last: &Digest| self.fits(tuple, fields, &digest, last);
                flaws.extend(flaw.filter(|_| !instead.iter().flatten().any(builds)));
                self.commitments(tuple, fields, &mut flaws);
                if self.grows {
                    match self.segment.leaves.get_mut(&self.key) {
                        Some(leaves) => leaves.push(digest),
                        None => _ = self.segment.leaves.insert(self.key.clone(), vec![digest]),
                    }
                }
                if self.against.heads.contains(&digest) {
                    let at = self.position_of(tuple, fields);
                    self.segment.heads.push((digest, at, self.key.clone()));
                }
            }
        }
        if !linked {
            flaws.push(Flaw::Link);
        }
        let number = if self.numbered { self.number(tuple, fields) } else { None };
        if let (Some(before), Some(number)) = (live.as_ref().and_then(|live| live.thread.last.number), number)
            && number > before.saturating_add(1)
            && linked
            && self.segment.holes.len() < KEPT
        {
            self.segment.holes.push((before + 1, number - 1, self.key.clone()));
        }
        let instead = match flaws.iter().find(|_| chain.prev.is_none()) {
            Some(Flaw::Content { recomputed, .. }) => [*recomputed, last],
            Some(Flaw::Unreadable) => {
                let context = Context { last: last.as_ref(), key: self.against.key, instead: None };
                let formula = chain.formulas.get(self.last_formula);
                let own =
                    formula.and_then(|formula| formula.hash(&chain.items, fields, tuple, &context, &mut self.buffer));
                [own, last]
            }
            _ => [None; 2],
        };
        for flaw in flaws {
            self.segment.flawed += u64::from(flaw != Flaw::Link);
            if self.segment.faults.len() < KEPT {
                let before = live.as_ref().map(|live| self.position(&live.position));
                let (partition, at) = (self.partition(tuple, fields), self.position_of(tuple, fields));
                let traits = self.traits(&flaw, tuple, fields);
                self.segment.faults.push(Fault { flaw, partition, at, before, hash: digest, traits });
            }
        }
        let mut live = live.unwrap_or_else(|| {
            let thread = Thread {
                partition: self.partition(tuple, fields),
                first_prev: None,
                first: self.position_of(tuple, fields),
                first_hash: None,
                last: Position::default(),
                last_hash: None,
                rows: 0,
                unchained: 0,
                unlinked: 0,
            };
            let position = vec![None; chain.order.len()];
            Box::new(Live { thread, position, stored: Vec::new(), instead: [None; 2] })
        });
        live.instead = instead;
        if starts && !unchained {
            // Here the chain begins, perhaps behind rows that were there before it.
            live.thread.first_prev = prev.map(<[u8]>::to_vec);
            live.thread.first_hash = digest;
            if live.thread.rows > 0 {
                live.thread.first = self.position_of(tuple, fields);
            }
        }
        live.thread.rows += 1;
        live.thread.unchained += u64::from(unchained);
        live.thread.unlinked += u64::from(!linked);
        live.thread.last.number = number;
        if digest.is_some() {
            live.thread.last_hash = digest;
        }
        keep(&mut live.stored, hash.unwrap_or_default());
        for (kept, at) in live.position.iter_mut().zip(&chain.order) {
            match (fields.get(tuple, *at), kept.as_mut()) {
                (Some(value), Some(kept)) => keep(kept, value),
                (value, _) => *kept = value.map(<[u8]>::to_vec),
            }
        }
        live
    }

    /// Whether a row without a column for the previous hash builds upon this one.
    fn fits(&self, tuple: &[u8], fields: &Fields, digest: &Digest, last: &Digest) -> bool {
        let chain = self.against.chain;
        let context = Context { last: Some(last), key: self.against.key, instead: None };
        let mut buffer = Vec::new();
        let mut needing = chain.formulas.iter().filter(|formula| formula.needs_last());
        needing.any(|formula| formula.hash(&chain.items, fields, tuple, &context, &mut buffer).as_ref() == Some(digest))
    }

    /// `instead`: where the row does not name the row before it, what it should have named.
    pub(super) fn content(
        &mut self,
        tuple: &[u8],
        fields: &Fields,
        digest: &Digest,
        last: Option<&Digest>,
        instead: Option<&[u8]>,
    ) -> Option<Flaw> {
        let chain = self.against.chain;
        let context = Context { last, key: self.against.key, instead: None };
        let count = chain.formulas.len();
        for turn in 0..count {
            let at = (self.last_formula + turn) % count;
            let found = chain.formulas[at].hash(&chain.items, fields, tuple, &context, &mut self.buffer);
            if found.as_ref() == Some(digest) {
                self.last_formula = at;
                self.segment.explained[at] += 1;
                self.see(0, tuple, fields);
                return None;
            }
        }
        if last.is_none() && instead.is_none() && chain.genesis.binary_search(digest).is_ok() {
            // The row that was put there for the others to build upon.
            return None;
        }
        let formula = chain.formulas.get(self.last_formula)?;
        let recomputed = formula.hash(&chain.items, fields, tuple, &context, &mut self.buffer);
        let mut fits_before = false;
        if let (Some(stored), Some(prev)) = (instead, chain.prev) {
            let context = Context { instead: Some((prev, (!stored.is_empty()).then_some(stored))), ..context };
            fits_before = chain.formulas.iter().any(|formula| {
                formula.hash(&chain.items, fields, tuple, &context, &mut self.buffer).as_ref() == Some(digest)
            });
        }
        Some(Flaw::Content { recomputed, fits_before })
    }

    /// Keeps the traits of a row that was explained.
    fn see(&mut self, by: usize, tuple: &[u8], fields: &Fields) {
        let chain = self.against.chain;
        let (Some(seen), Some(watched)) = (self.segment.seen.get_mut(by), chain.watched.get(by)) else { return };
        for (seen, at) in seen.iter_mut().zip(watched) {
            seen.0 |= Traits::of(chain.items[*at].kind, fields.get(tuple, *at)).0;
        }
    }

    /// The traits of a row that was not.
    fn traits(&self, flaw: &Flaw, tuple: &[u8], fields: &Fields) -> Vec<Traits> {
        let chain = self.against.chain;
        let watched = flaw.by().and_then(|by| chain.watched.get(by)).map(Vec::as_slice).unwrap_or_default();
        watched.iter().map(|at| Traits::of(chain.items[*at].kind, fields.get(tuple, *at))).collect()
    }

    pub(super) fn commitments(&mut self, tuple: &[u8], fields: &Fields, flaws: &mut Vec<Flaw>) {
        let chain = self.against.chain;
        if let Some(beside) = &chain.beside
            && fields.get(tuple, beside.present).is_none()
        {
            // What it vouches for is not there, so nothing else can be said of it.
            flaws.retain(|flaw| !matches!(flaw, Flaw::Content { .. }));
            flaws.push(Flaw::Gone);
            return;
        }
        for (number, commitment) in chain.commitments.iter().enumerate() {
            let Some(stored) = fields.get(tuple, commitment.at) else { continue };
            let is_bytes = chain.items[commitment.at].kind == Kind::Bytes;
            let Some((stored, _)) = encoding::decode(stored, is_bytes) else { continue };
            // A payload that is gone was erased; its digest stays.
            if commitment.is_payload && commitment.of.iter().all(|at| fields.get(tuple, *at).is_none()) {
                self.segment.erased += 1;
                continue;
            }
            let context = Context { last: None, key: self.against.key, instead: None };
            let fits = commitment.formulas.iter().any(|formula| {
                formula.hash(&chain.items, fields, tuple, &context, &mut self.buffer).as_ref() == Some(&stored)
            });
            if fits {
                self.see(number + 1, tuple, fields);
            } else {
                flaws.push(Flaw::Commitment(number));
            }
        }
    }

    fn number(&self, tuple: &[u8], fields: &Fields) -> Option<i64> {
        let at = *self.against.chain.order.first()?;
        let value = fields.get(tuple, at)?;
        match self.against.chain.items[at].kind {
            Kind::Int => int(value),
            _ => std::str::from_utf8(value).ok()?.parse().ok(),
        }
    }

    pub(super) fn position_of(&self, tuple: &[u8], fields: &Fields) -> Position {
        let values = self.against.chain.order.iter().map(|at| fields.get(tuple, *at).map(<[u8]>::to_vec));
        self.position(&values.collect::<Vec<_>>())
    }

    fn position(&self, values: &[Option<Vec<u8>>]) -> Position {
        let chain = self.against.chain;
        let text = |(value, at): (&Option<Vec<u8>>, &usize)| shown(chain.items[*at].kind, value.as_deref());
        let keys: Vec<String> = values
            .iter()
            .zip(&chain.order)
            .map(|pair| text(pair).unwrap_or_else(|| Position::NULL.to_owned()))
            .collect();
        let number = if self.numbered { keys.first().and_then(|key| key.parse().ok()) } else { None };
        Position { keys, number }
    }

    pub(super) fn partition(&self, tuple: &[u8], fields: &Fields) -> Vec<Option<String>> {
        let chain = self.against.chain;
        chain.partition.iter().map(|at| shown(chain.items[*at].kind, fields.get(tuple, *at))).collect()
    }
}

/// A value as text.
fn shown(kind: Kind, value: Option<&[u8]>) -> Option<String> {
    let mut text = Vec::new();
    form::text(kind, value?, &mut text).then(|| String::from_utf8_lossy(&text).into_owned())
}

/// Overwrites without a new allocation.
fn keep(kept: &mut Vec<u8>, value: &[u8]) {
    kept.clear();
    kept.extend_from_slice(value);
}

/// Whether a stored previous hash names a digest.
pub fn names(prev: Option<&[u8]>, is_bytes: bool, last: Option<&Digest>) -> bool {
    if let (true, Some(prev), Some(last)) = (is_bytes, prev, last)
        && prev == last.bytes()
    {
        return true;
    }
    match (prev.and_then(|prev| encoding::decode(prev, is_bytes)), last) {
        (Some((prev, _)), Some(last)) => prev == *last,
        _ => false,
    }
}
