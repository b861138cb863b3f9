//! A part of a chain read by itself, perhaps on another machine, and the parts joined again.
//!
//! A part is a range of numbers and what a walk over its rows says. Joining is associative, so the parts may be read in any
//! order, at any time: what counts is that each ends where the next begins.

use super::algorithm::Digest;
use super::definition::Chain;
use super::encoding::{from_hex, hex};
use super::segment::{Fault, Flaw, Position, Segment, Thread};
use super::traits::Traits;
use super::value::Kind;
use super::walk::names;
use crate::error::Stop;
use crate::target::refusal;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection};

/// Which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From one.
    pub number: u32,
    /// Of so many.
    pub of: u32,
    /// The last row of all of them; what there is where nothing is said.
    pub until: Option<i64>,
}

impl Part {
    /// `2/8`.
    pub fn parse(text: &str, until: Option<i64>) -> Option<Self> {
        let (number, of) = text.split_once('/')?;
        let part = Self { number: number.trim().parse().ok()?, of: of.trim().parse().ok()?, until };
        (part.number >= 1 && part.number <= part.of).then_some(part)
    }
}

/// A part that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    schema: String,
    /// `schema.table`.
    pub table: String,
    /// The column of its hashes.
    pub column: String,
    /// What the rows were verified by: shards of different recipes are not joined.
    pub recipe: String,
    /// Which part.
    number: u32,
    /// Of how many.
    of: u32,
    /// The first number; none where nothing is before it.
    pub from: Option<i64>,
    /// The last number; none where nothing was behind it.
    pub to: Option<i64>,
    rows: u64,
    flawed: u64,
    #[serde(default)]
    erased: u64,
    #[serde(default)]
    seen: Vec<Vec<u32>>,
    explained: Vec<u64>,
    threads: Vec<WrittenThread>,
    faults: Vec<WrittenFault>,
    holes: Vec<(i64, i64, String)>,
    /// Heads that were looked for.
    sought: Vec<String>,
    /// Those that were found, with their places.
    heads: Vec<(String, Vec<String>, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct WrittenThread {
    key: String,
    partition: Vec<Option<String>>,
    first_prev: Option<String>,
    first: Vec<String>,
    first_hash: Option<String>,
    last: Vec<String>,
    last_hash: Option<String>,
    rows: u64,
    unchained: u64,
    unlinked: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct WrittenFault {
    kind: String,
    partition: Vec<Option<String>>,
    at: Vec<String>,
    before: Option<Vec<String>>,
    hash: Option<String>,
    recomputed: Option<String>,
    commitment: Option<usize>,
    #[serde(default)]
    traits: Vec<u32>,
}

const SCHEMA: &str = "govctl.chain-shard/1";

impl Shard {
    /// Of what was read between two numbers.
    pub fn new(
        chain: &Chain,
        part: Part,
        segment: &Segment,
        (from, to): (Option<i64>, Option<i64>),
        sought: &[Digest],
    ) -> Self {
        let digest = |digest: &Option<Digest>| digest.as_ref().map(Digest::hex);
        let mut threads: Vec<WrittenThread> = segment
            .threads
            .iter()
            .map(|(key, thread)| WrittenThread {
                key: hex(key),
                partition: thread.partition.clone(),
                first_prev: thread.first_prev.as_deref().map(hex),
                first: thread.first.keys.clone(),
                first_hash: digest(&thread.first_hash),
                last: thread.last.keys.clone(),
                last_hash: digest(&thread.last_hash),
                rows: thread.rows,
                unchained: thread.unchained,
                unlinked: thread.unlinked,
            })
            .collect();
        threads.sort_by(|a, b| a.key.cmp(&b.key));
        let fault = |fault: &Fault| {
            let (kind, recomputed, commitment) = match &fault.flaw {
                Flaw::Content { recomputed, fits_before: false } => ("content", digest(recomputed), None),
                Flaw::Content { recomputed, fits_before: true } => ("previous", digest(recomputed), None),
                Flaw::Commitment(number) => ("commitment", None, Some(*number)),
                Flaw::Gone => ("gone", None, None),
                Flaw::Unreadable => ("unreadable", None, None),
                Flaw::Link => ("link", None, None),
            };
            WrittenFault {
                kind: kind.to_owned(),
                partition: fault.partition.clone(),
                at: fault.at.keys.clone(),
                before: fault.before.as_ref().map(|before| before.keys.clone()),
                hash: digest(&fault.hash),
                recomputed,
                commitment,
                traits: fault.traits.iter().map(|traits| traits.0).collect(),
            }
        };
        Self {
            schema: SCHEMA.to_owned(),
            table: chain.relation.shown(),
            column: chain.column(chain.hash).map(|column| column.name.clone()).unwrap_or_default(),
            recipe: fingerprint(chain),
            number: part.number,
            of: part.of,
            from,
            to,
            rows: segment.rows,
            flawed: segment.flawed,
            erased: segment.erased,
            seen: segment.seen.iter().map(|seen| seen.iter().map(|traits| traits.0).collect()).collect(),
            explained: segment.explained.clone(),
            threads,
            faults: segment.faults.iter().map(fault).collect(),
            holes: segment.holes.iter().map(|(from, to, key)| (*from, *to, hex(key))).collect(),
            sought: sought.iter().map(Digest::hex).collect(),
            heads: segment.heads.iter().map(|(head, at, key)| (head.hex(), at.keys.clone(), hex(key))).collect(),
        }
    }

    /// As a file.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// From a file; none where it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|shard: &Self| shard.schema == SCHEMA)
    }

    /// Rows read.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// It was read by the recipe of this chain, with an eye on all these heads.
    pub fn may_go_on(&self, chain: &Chain, heads: &[Digest]) -> bool {
        self.recipe == fingerprint(chain) && heads.iter().all(|head| self.sought.contains(&head.hex()))
    }

    /// Something in it is wrong, whatever stands beside it.
    pub fn is_flawed(&self) -> bool {
        self.flawed > 0 || self.threads.iter().any(|thread| thread.unlinked > 0)
    }

    /// What was said of the rows; none where the file is damaged.
    fn segment(&self, numbered: bool) -> Option<Segment> {
        let position = |keys: &Vec<String>| Position {
            number: if numbered { keys.first().and_then(|key| key.parse().ok()) } else { None },
            keys: keys.clone(),
        };
        let digest = |text: &Option<String>| match text {
            Some(text) => from_hex(text).map(|bytes| Some(Digest::new(&bytes))),
            None => Some(None),
        };
        let mut segment = Segment {
            rows: self.rows,
            flawed: self.flawed,
            erased: self.erased,
            seen: self.seen.iter().map(|seen| seen.iter().copied().map(Traits).collect()).collect(),
            explained: self.explained.clone(),
            ..Segment::default()
        };
        for thread in &self.threads {
            let first_prev = match &thread.first_prev {
                Some(prev) => Some(from_hex(prev)?),
                None => None,
            };
            segment.threads.insert(
                from_hex(&thread.key)?,
                Thread {
                    partition: thread.partition.clone(),
                    first_prev,
                    first: position(&thread.first),
                    first_hash: digest(&thread.first_hash)?,
                    last: position(&thread.last),
                    last_hash: digest(&thread.last_hash)?,
                    rows: thread.rows,
                    unchained: thread.unchained,
                    unlinked: thread.unlinked,
                },
            );
        }
        for fault in &self.faults {
            let recomputed = digest(&fault.recomputed)?;
            let flaw = match (fault.kind.as_str(), fault.commitment) {
                ("content", _) => Flaw::Content { recomputed, fits_before: false },
                ("previous", _) => Flaw::Content { recomputed, fits_before: true },
                ("commitment", Some(number)) => Flaw::Commitment(number),
                ("gone", _) => Flaw::Gone,
                ("unreadable", _) => Flaw::Unreadable,
                ("link", _) => Flaw::Link,
                _ => return None,
            };
            segment.faults.push(Fault {
                flaw,
                partition: fault.partition.clone(),
                at: position(&fault.at),
                before: fault.before.as_ref().map(position),
                hash: digest(&fault.hash)?,
                traits: fault.traits.iter().copied().map(Traits).collect(),
            });
        }
        for (from, to, key) in &self.holes {
            segment.holes.push((*from, *to, from_hex(key)?));
        }
        for (head, at, key) in &self.heads {
            segment.heads.push((Digest::new(&from_hex(head)?), position(at), from_hex(key)?));
        }
        Some(segment)
    }
}

/// What rows are verified by, as far as it must be the same for all parts.
fn fingerprint(chain: &Chain) -> String {
    let formulas: Vec<String> = chain.formulas.iter().map(|formula| format!("{:?}", formula.pieces)).collect();
    let text = format!("{} {:?} {:?} {formulas:?}", chain.select(), chain.partition, chain.order);
    super::algorithm::Algorithm::Sha256.digest(None, text.as_bytes()).hex()
}

/// The condition of a part, and its first and last number.
///
/// # Errors
/// The rows have no numbers, or each needs the one before it; the session is lost.
pub async fn bounds(
    connection: &mut PgConnection,
    chain: &Chain,
    part: Part,
) -> Result<(String, (Option<i64>, Option<i64>)), Stop> {
    let at = chain.order[0];
    if !chain.is_numbered() || chain.items[at].kind != Kind::Int {
        let help = "read it in one piece: without --shard govctl shares the work among --workers itself";
        return Err(Stop::usage(format!("{} has no number to cut it by", chain.relation.shown()), help));
    }
    if chain.formulas.iter().any(super::recipe::Formula::needs_last) {
        let help = "no column repeats the previous hash, so every row needs the one before it";
        return Err(Stop::usage(format!("{} cannot be read in parts", chain.relation.shown()), help));
    }
    let column = chain.sort(at);
    let sql = format!("select min({column})::int8, max({column})::int8 from {} t", chain.relation.sql());
    let (low, high): (Option<i64>, Option<i64>) =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(refusal::lost)?;
    let (low, high) = (low.unwrap_or(1), part.until.or(high).unwrap_or(1));
    let span = (i128::from(high) - i128::from(low) + 1).max(0);
    let cut = |number: u32| {
        let cut = i128::from(low) + span * i128::from(number) / i128::from(part.of);
        i64::try_from(cut).unwrap_or(i64::MAX)
    };
    let from = (part.number > 1).then(|| cut(part.number - 1));
    let to = if part.number < part.of { Some(cut(part.number) - 1) } else { part.until };
    let from_sql = from.map(|from| format!("{column} >= {from}"));
    let to_sql = to.map(|to| format!("{column} <= {to}"));
    let condition = match (from_sql, to_sql) {
        (Some(from), Some(to)) => format!("{from} and {to}"),
        (Some(from), None) => format!("({from} or {column} is null)"),
        (None, Some(to)) => to,
        (None, None) => "true".to_owned(),
    };
    Ok((condition, (from, to)))
}

/// The parts of a chain as if it had been read at once.
///
/// # Errors
/// They do not follow each other, or are of another recipe: what is wrong, in a sentence.
pub fn join(chain: &Chain, shards: &[&Shard], heads: &[Digest]) -> Result<Segment, String> {
    let mut shards = shards.to_vec();
    shards.sort_by_key(|shard| shard.number);
    let of = shards.first().map_or(0, |shard| shard.of);
    let missing = (1..=of).find(|number| !shards.iter().any(|shard| shard.number == *number));
    if let Some(missing) = missing {
        return Err(format!("part {missing} of {of} is missing"));
    }
    if of == 0 || shards.len() != of as usize || shards.iter().any(|shard| shard.of != of) {
        return Err("the parts are not those of one run, each once".to_owned());
    }
    let known = shards.clone();
    let recipe = fingerprint(chain);
    if shards.iter().any(|shard| shard.recipe != recipe) {
        return Err("the parts were not all verified by the recipe that is found now".to_owned());
    }
    for two in shards.windows(2) {
        match (two[0].to, two[1].from) {
            (Some(to), Some(from)) if to.checked_add(1) == Some(from) => {}
            (Some(to), Some(from)) if to < from => {
                return Err(format!("no part has read the rows {} to {}", to + 1, from - 1));
            }
            _ => return Err("two parts have read the same rows".to_owned()),
        }
    }
    let is_bytes = chain.prev.is_some_and(|prev| chain.items[prev].kind == Kind::Bytes);
    let mut whole = Segment { explained: vec![0; chain.formulas.len()], ..Segment::default() };
    for shard in shards {
        let segment = shard.segment(chain.is_numbered()).ok_or("a part is damaged")?;
        whole.join(segment, |prev, last| chain.prev.is_none() || names(prev, is_bytes, last));
    }
    for head in heads {
        // The end of a chain is known in any case.
        let ends: Vec<_> = whole.threads.iter().filter(|(_, thread)| thread.last_hash == Some(*head)).collect();
        let ends: Vec<_> = ends.into_iter().map(|(key, thread)| (*head, thread.last.clone(), key.clone())).collect();
        let sought = sought_by_all(&known, head);
        if ends.is_empty() && !sought {
            return Err(format!("the parts were read without looking for the head {}…", head.brief()));
        }
        if !sought {
            whole.heads.extend(ends);
        }
    }
    Ok(whole)
}

fn sought_by_all(shards: &[&Shard], head: &Digest) -> bool {
    shards.iter().all(|shard| shard.sought.contains(&head.hex()))
}
