//! A damaged chain looked at again, links alone: which rows follow which, though not where they should.
//!
//! The rows are read in order with a window behind them. A row that names the last one goes on; one that names an
//! earlier row shares it (a fork) or stands in the wrong place; one that names a row still to come was overtaken; one
//! that names nothing lost its predecessor.

use super::algorithm::Digest;
use super::definition::Chain;
use super::encoding;
use super::genesis;
use super::segment::Position;
use super::stream;
use super::value::{Fields, Kind, int};
use crate::check::quote;
use crate::error::Stop;
use crate::target::refusal;
use sqlx::PgConnection;
use std::collections::VecDeque;

/// A row, without its contents.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where it stands.
    pub at: Position,
    /// Its hash.
    pub hash: Option<Digest>,
    /// The row it names.
    pub prev: Option<Digest>,
    /// It names no row, as a first one does.
    pub is_genesis: bool,
    /// Transactions since the one that wrote this version of it.
    pub age: i64,
    /// Where it is stored: block and line.
    pub place: (i64, i64),
    /// It follows this row; places in the order of reading.
    consumed: Option<usize>,
}

/// Something about the links of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// It names a row that another names, too: that other.
    Fork {
        /// The other.
        other: Position,
        /// The row both name; none where both begin.
        shared: Option<Position>,
    },
    /// It has the place of another row.
    Duplicate,
    /// It follows a row that is not before it: how far away.
    Displaced {
        /// The row it follows.
        parent: Position,
        /// How many rows lie between.
        distance: usize,
    },
    /// What it names is not there.
    Orphan,
    /// It begins a chain anew.
    Restart,
}

/// An oddity, its row and the row before it in order.
#[derive(Clone, Debug)]
pub struct Found {
    /// What.
    pub oddity: Oddity,
    /// The row.
    pub row: Link,
    /// The row before it in order.
    pub before: Option<Link>,
    /// The row is a newer version than the rows behind it: it was updated after them.
    pub rewritten: bool,
    /// The same of the row before it.
    pub before_rewritten: bool,
}

/// What was found in one chain.
#[derive(Debug, Default)]
pub struct Inspected {
    /// Oddities that are kept.
    pub found: Vec<Found>,
    /// All of them.
    pub total: u64,
    /// A row that names no row before it was met.
    pub begins: bool,
}

/// How far back a row may be named.
const WINDOW: usize = 4096;

/// Reads one chain of the table and tells its oddities, at most `most` of them, and how many there are.
///
/// # Errors
/// The session is lost.
pub async fn inspect(
    connection: &mut PgConnection,
    chain: &Chain,
    partition: &[Option<String>],
    most: usize,
) -> Result<Inspected, Stop> {
    let Some(prev) = chain.prev else { return Ok(Inspected::default()) };
    let mut select: Vec<String> =
        chain.order.iter().map(|at| format!("{}::text", chain.items[*at].sql.trim_end_matches("::text"))).collect();
    select.extend([
        chain.items[chain.hash].sql.clone(),
        chain.items[prev].sql.clone(),
        "pg_catalog.age(t.xmin)::int8".to_owned(),
        "t.ctid".to_owned(),
    ]);
    let sorts: Vec<String> = chain.order.iter().map(|at| chain.sort(*at)).collect();
    let only = condition(chain, partition);
    let query =
        format!("select {} from {} t{only} order by {}", select.join(", "), chain.relation.sql(), sorts.join(", "));
    let mut inspector = Inspector::new(chain, most);
    let mut fields = Fields::default();
    stream::copy(connection, &query, |tuple| {
        if fields.read(tuple) {
            inspector.row(link(chain, tuple, &fields, prev));
        }
        true
    })
    .await
    .map_err(refusal::lost)?;
    Ok(inspector.finish())
}

/// Whether a row is a newer version than the rows behind it in its chain; `false` where there is none behind it.
///
/// # Errors
/// The session is lost.
pub async fn written_later(
    connection: &mut PgConnection,
    chain: &Chain,
    partition: &[Option<String>],
    at: &Position,
) -> Result<bool, Stop> {
    let sorts: Vec<String> = chain.order.iter().map(|at| chain.sort(*at)).collect();
    let and = condition(chain, partition).replacen(" where ", " and ", 1);
    let sql = format!(
        "select pg_catalog.age(t.xmin)::int8, t.ctid::text from {} t where {}{and} order by {} limit 4",
        chain.relation.sql(),
        chain.is_behind(at, true),
        sorts.join(", ")
    );
    let rows: Vec<(i64, String)> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(connection).await.map_err(refusal::lost)?;
    let place = |ctid: &str| -> (u64, u64) {
        let mut numbers = ctid.trim_matches(['(', ')']).split(',').map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    };
    let Some(((age, ctid), behind)) = rows.split_first() else { return Ok(false) };
    let is_later = |(other, behind): &(i64, String)| age < other || age == other && place(ctid) > place(behind);
    Ok(!behind.is_empty() && behind.iter().all(is_later))
}

/// Whether nothing is stored where the row before this one would have been: the row was written twice, or one was never
/// committed.
///
/// # Errors
/// The session is lost.
pub async fn is_behind_a_hole(
    connection: &mut PgConnection,
    chain: &Chain,
    partition: &[Option<String>],
    at: &Position,
) -> Result<bool, Stop> {
    let relation = chain.relation.sql();
    let and = condition(chain, partition).replacen(" where ", " and ", 1);
    // Rows that follow each other are stored side by side, as long as all of them stay.
    let sql = format!(
        "select coalesce(pg_catalog.bool_and((t.ctid::text::point)[1] > 1 and not exists (
           select from {relation} b where b.tableoid = t.tableoid and b.ctid = pg_catalog.format('(%s,%s)',
             (t.ctid::text::point)[0]::int8, (t.ctid::text::point)[1]::int8 - 1)::tid)), false)
         from {relation} t where {}{and}",
        chain.is_at(at)
    );
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(connection).await.map_err(refusal::lost)
}

/// `where` for one chain of the table.
pub fn condition(chain: &Chain, partition: &[Option<String>]) -> String {
    let one = |(at, value): (&usize, &Option<String>)| {
        let sql = chain.items[*at].sql.trim_end_matches("::text").to_owned();
        match value {
            Some(value) => format!("{sql} = {}", quote::literal(value)),
            None => format!("{sql} is null"),
        }
    };
    let all: Vec<String> = chain.partition.iter().zip(partition).map(one).collect();
    if all.is_empty() { String::new() } else { format!(" where {}", all.join(" and ")) }
}

fn link(chain: &Chain, tuple: &[u8], fields: &Fields, prev: usize) -> Link {
    let count = chain.order.len();
    let text = |at: usize| {
        fields
            .get(tuple, at)
            .map_or_else(|| Position::NULL.to_owned(), |value| String::from_utf8_lossy(value).into_owned())
    };
    let keys: Vec<String> = (0..count).map(text).collect();
    let number = if chain.is_numbered() { keys[0].parse().ok() } else { None };
    let digest = |at: usize, item: usize| {
        encoding::decode(fields.get(tuple, at)?, chain.items[item].kind == Kind::Bytes).map(|(digest, _)| digest)
    };
    let place = fields.get(tuple, count + 3).map_or((0, 0), |tid| {
        let block = tid.get(..4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
        let line = tid.get(4..6).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_be_bytes);
        (i64::from(block), i64::from(line))
    });
    Link {
        at: Position { keys, number },
        hash: digest(count, chain.hash),
        prev: digest(count + 1, prev),
        is_genesis: genesis::is(fields.get(tuple, count + 1), chain.items[prev].kind == Kind::Bytes, &chain.genesis),
        age: fields.get(tuple, count + 2).and_then(int).unwrap_or(0),
        place,
        consumed: None,
    }
}

struct Inspector<'a> {
    chain: &'a Chain,
    /// The last rows; `first` is the number of the one in front.
    window: VecDeque<Link>,
    first: usize,
    /// The row that left it last, and whether it was written again later.
    gone: Option<(Link, bool)>,
    /// Who follows the beginning.
    genesis: Option<usize>,
    /// Rows that name a row not yet seen.
    waiting: Vec<usize>,
    /// Rows that were found to be in the wrong place, whose followers are not to blame.
    blamed: Vec<usize>,
    found: Vec<(Oddity, usize, Found)>,
    total: u64,
    most: usize,
}

impl<'a> Inspector<'a> {
    fn new(chain: &'a Chain, most: usize) -> Self {
        Self {
            chain,
            window: VecDeque::new(),
            first: 0,
            gone: None,
            genesis: None,
            waiting: Vec::new(),
            blamed: Vec::new(),
            found: Vec::new(),
            total: 0,
            most,
        }
    }

    fn get(&self, number: usize) -> Option<&Link> {
        self.window.get(number.checked_sub(self.first)?)
    }

    fn row(&mut self, link: Link) {
        let number = self.first + self.window.len();
        if link.hash.is_none() {
            // Unreadable, and said so elsewhere; nobody can follow it by name.
            self.window.push_back(Link { consumed: Some(number), ..link });
            return;
        }
        let parent = self.parent(&link, number);
        let own = link.hash;
        self.window.push_back(link);
        match parent {
            Parent::Row(parent) => self.follow(number, parent),
            Parent::Genesis => match self.genesis {
                None => self.genesis = Some(number),
                Some(other) => {
                    let other = self.get(other).map(|other| other.at.clone());
                    match other {
                        Some(other) => self.odd(Oddity::Fork { other, shared: None }, number),
                        None => self.odd(Oddity::Restart, number),
                    }
                }
            },
            Parent::Unseen => self.waiting.push(number),
        }
        // Somebody may have waited for this row.
        if let Some(own) = own {
            let waited: Vec<usize> = self
                .waiting
                .iter()
                .copied()
                .filter(|waiting| self.get(*waiting).is_some_and(|row| row.prev == Some(own)))
                .collect();
            for waiting in waited {
                self.waiting.retain(|other| *other != waiting);
                if waiting != number {
                    self.follow(waiting, number);
                }
            }
        }
        if self.window.len() > WINDOW {
            self.forget();
        }
    }

    /// The oldest row leaves the window; what the rows behind it say of it is told before it goes.
    fn forget(&mut self) {
        let number = self.first;
        if self.waiting.contains(&number) {
            self.waiting.retain(|other| *other != number);
            self.odd(Oddity::Orphan, number);
        }
        self.tell(number);
        let rewritten = self.rewritten(number);
        self.gone = self.window.pop_front().map(|link| (link, rewritten));
        self.first += 1;
    }

    /// Writes down whether a row was written again later, for what was found at it and behind it.
    fn tell(&mut self, number: usize) {
        let rewritten = self.rewritten(number);
        for (_, at, found) in &mut self.found {
            found.rewritten |= rewritten && *at == number;
            found.before_rewritten |= rewritten && *at == number + 1;
        }
    }

    fn parent(&self, link: &Link, number: usize) -> Parent {
        let Some(prev) = link.prev.filter(|_| !link.is_genesis) else {
            return if link.is_genesis { Parent::Genesis } else { Parent::Unseen };
        };
        let found = self.window.iter().rposition(|row| row.hash == Some(prev));
        found.map_or(Parent::Unseen, |at| Parent::Row(self.first + at)).not(number)
    }

    /// `child` follows `parent`.
    fn follow(&mut self, child: usize, parent: usize) {
        let Some(row) = self.get(parent) else { return };
        if let Some(other) = row.consumed {
            let shared = row.at.clone();
            let same = |a: usize, b: usize| self.get(a).map(|row| &row.at) == self.get(b).map(|row| &row.at);
            if same(other, child) {
                return self.odd(Oddity::Duplicate, child);
            }
            if same(parent, child) {
                return self.odd(Oddity::Duplicate, child);
            }
            let Some(other) = self.get(other).map(|other| other.at.clone()) else { return };
            return self.odd(Oddity::Fork { other, shared: Some(shared) }, child);
        }
        let parent_at = row.at.clone();
        if let Some(row) = parent.checked_sub(self.first).and_then(|at| self.window.get_mut(at)) {
            row.consumed = Some(child);
        }
        let neighbours = parent + 1 == child;
        if neighbours {
            if self.get(child).map(|row| &row.at) == Some(&parent_at) && self.chain.is_numbered() {
                self.odd(Oddity::Duplicate, child);
            }
            return;
        }
        // The one loose end of the chain: everything since it was read is followed by something already.
        // Rows with the place of either say nothing about the order.
        let own_at = self.get(child).map(|row| row.at.clone());
        let loose = (parent + 1..child).any(|row| {
            self.get(row)
                .is_some_and(|row| row.consumed.is_none() && row.at != parent_at && Some(&row.at) != own_at.as_ref())
        });
        let tied = own_at.as_ref() == Some(&parent_at) && !self.chain.is_numbered();
        if child > parent && !loose || tied || self.blamed.contains(&parent) {
            return;
        }
        self.blamed.push(child);
        self.odd(Oddity::Displaced { parent: parent_at, distance: child.abs_diff(parent) }, child);
    }

    fn odd(&mut self, oddity: Oddity, number: usize) {
        self.total += 1;
        if self.found.len() >= self.most {
            return;
        }
        let Some(row) = self.get(number).cloned() else { return };
        let gone = self.gone.as_ref().filter(|_| number == self.first);
        let before = match gone {
            Some((link, _)) => Some(link),
            None => number.checked_sub(1).and_then(|before| self.get(before)),
        };
        let before_rewritten = gone.is_some_and(|(_, rewritten)| *rewritten);
        let before = before.cloned();
        let found = Found { oddity: oddity.clone(), row, before, rewritten: false, before_rewritten };
        self.found.push((oddity, number, found));
    }

    /// Whether a row is a newer version than the rows behind it: younger, and stored behind them.
    fn rewritten(&self, number: usize) -> bool {
        let Some(row) = self.get(number) else { return false };
        let behind: Vec<&Link> = (number + 1..number + 4).filter_map(|at| self.get(at)).collect();
        !behind.is_empty()
            && behind.iter().all(|other| row.age < other.age || row.age == other.age && row.place > other.place)
            && behind.iter().all(|other| row.place > other.place)
    }

    fn finish(mut self) -> Inspected {
        for number in std::mem::take(&mut self.waiting) {
            // Where nothing begins, the first row lacks what is before it: that is said of the chain as a whole.
            if number > 0 || self.genesis.is_some() {
                self.odd(Oddity::Orphan, number);
            }
        }
        for number in self.first..self.first + self.window.len() {
            self.tell(number);
        }
        let total = self.total;
        let mut found: Vec<Found> = self.found.into_iter().map(|(_, _, found)| found).collect();
        found.sort_by(|a, b| (a.row.at.number, &a.row.at.keys).cmp(&(b.row.at.number, &b.row.at.keys)));
        Inspected { found, total, begins: self.genesis.is_some() }
    }
}

enum Parent {
    Row(usize),
    Genesis,
    Unseen,
}

impl Parent {
    /// A row does not follow itself.
    fn not(self, number: usize) -> Self {
        match self {
            Self::Row(parent) if parent == number => Self::Unseen,
            other => other,
        }
    }
}

/// A query that shows a place, and when and where its row was last written.
pub fn look(chain: &Chain, at: &Position, partition: &[Option<String>]) -> String {
    let and = condition(chain, partition).replacen(" where ", " and ", 1);
    format!("select t.xmin, t.ctid, t.* from {} t where {}{and}", chain.relation.sql(), chain.is_at(at))
}
