//! Numbers that no row has, and which chain lost them, where several chains of one table share its numbers.
//!
//! Between two neighbours of one chain stand the numbers of the others, so a broken link alone does not say which row is
//! gone. The table does: it is one of the numbers that nobody has.

use super::definition::Chain;
use super::segment::{Segment, Thread};
use crate::error::Stop;
use crate::target::refusal;
use sqlx::{AssertSqlSafe, PgConnection};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Numbers in which one chain lost rows, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stretch {
    /// The chain, as the caller numbers them.
    pub thread: usize,
    /// First number that may be missing.
    pub from: i64,
    /// Last.
    pub to: i64,
}

/// Runs of missing numbers by stretch, and those that any of several chains may have lost.
#[derive(Debug, Default)]
pub struct Lost {
    runs: HashMap<Stretch, Vec<(i64, i64)>>,
    /// Nobody can say of which chain these rows were.
    pub shared: Vec<(i64, i64)>,
    /// Stretches in which more numbers are missing than rows, as far as anybody knows.
    pub vague: HashMap<Stretch, u64>,
    /// The table leaves out numbers as a matter of course: in front of a row, they say nothing.
    pub burned: bool,
}

impl Stretch {
    /// Those first that end first.
    const fn key(&self) -> (i64, i64, usize) {
        (self.to, self.from, self.thread)
    }
}

impl Lost {
    /// The numbers a stretch lost; none where it was not asked for, or is not known.
    pub fn of(&self, stretch: Stretch) -> Option<&[(i64, i64)]> {
        self.runs.get(&stretch).map(Vec::as_slice)
    }
}

/// Longest stretch that is looked through.
const LONGEST: i64 = 1_000_000;

/// Missing numbers of one stretch that are listed.
const LISTED: usize = 1000;

/// More missing numbers than this are not all told where the table leaves out numbers elsewhere, too.
const TOLD: u64 = 10;

/// Rows for each number that is left out elsewhere: with fewer, numbers are left out as a matter of course.
const OFTEN: u64 = 10;

/// Finds out which numbers are missing in each stretch, and gives each to one chain.
///
/// # Errors
/// The session is lost.
pub async fn find(
    connection: &mut PgConnection,
    chain: &Chain,
    segment: &Segment,
    threads: &[&Thread],
    stretches: &[Stretch],
) -> Result<Lost, Stop> {
    let mut lost = Lost::default();
    let mut open: BTreeMap<(i64, i64, usize), Vec<i64>> = BTreeMap::new();
    for stretch in stretches.iter().copied().filter(|stretch| stretch.from <= stretch.to) {
        let counted = |thread: &&Thread| thread.is_counted() && !numbers_are_shared(chain, threads);
        if chain.partition.is_empty() || threads.get(stretch.thread).is_some_and(counted) {
            lost.runs.insert(stretch, vec![(stretch.from, stretch.to)]);
        } else if stretch.to.saturating_sub(stretch.from) <= LONGEST {
            let numbers = numbers(connection, chain, stretch).await?;
            // Who ends first chooses first: what it may have lost, the others may have lost, too, but not the reverse.
            open.insert(stretch.key(), numbers);
        }
    }
    let distinct: BTreeSet<i64> = open.values().flatten().copied().collect();
    let elsewhere = absent(segment, threads).is_none_or(|absent| absent > distinct.len() as u64);
    let mut taken: HashMap<i64, Stretch> = HashMap::new();
    for ((to, from, thread), numbers) in &open {
        if let Some(free) = numbers.iter().find(|number| !taken.contains_key(number)) {
            taken.insert(*free, Stretch { thread: *thread, from: *from, to: *to });
        }
    }
    let mut shared = Vec::new();
    for number in distinct {
        if taken.contains_key(&number) {
            continue;
        }
        let mut owners = open.iter().filter(|(_, numbers)| numbers.contains(&number)).map(|(key, _)| key);
        match (owners.next(), owners.next()) {
            (Some((to, from, thread)), None) => {
                _ = taken.insert(number, Stretch { thread: *thread, from: *from, to: *to });
            }
            _ => shared.push(number),
        }
    }
    for ((to, from, thread), numbers) in &open {
        let stretch = Stretch { thread: *thread, from: *from, to: *to };
        let mine: Vec<i64> = numbers.iter().copied().filter(|number| taken.get(number) == Some(&stretch)).collect();
        lost.runs.insert(stretch, runs(&mine));
    }
    let asked: u64 = lost.runs.values().flatten().map(|(from, to)| to.abs_diff(*from) + 1).sum();
    let others = absent(segment, threads).unwrap_or(0).saturating_sub(asked);
    lost.burned = others.saturating_mul(OFTEN) > segment.rows;
    for (stretch, runs) in lost.runs.iter().filter(|(stretch, _)| open.contains_key(&stretch.key())) {
        let count = runs.iter().map(|(from, to)| to.abs_diff(*from) + 1).sum();
        // One row is surely gone; that all of them are, nobody knows where numbers are left out as a matter of course.
        if elsewhere && count > TOLD || lost.burned && runs.len() > 1 {
            lost.vague.insert(*stretch, count);
        }
    }
    lost.shared = if elsewhere && shared.len() as u64 > TOLD { Vec::new() } else { runs(&shared) };
    Ok(lost)
}

/// The chains of a table take their numbers from one counter: no number is there twice, so none can be.
pub fn numbers_are_shared(chain: &Chain, threads: &[&Thread]) -> bool {
    let unique = chain.order.first().and_then(|at| chain.column(*at)).is_some_and(|column| {
        column.sequenced
            || chain.relation.indexes.iter().any(|index| index.unique && index.columns == [column.name.as_str()])
    });
    let mut ranges: Vec<(i64, i64)> =
        threads.iter().filter_map(|thread| Some((thread.first.number?, thread.last.number?))).collect();
    ranges.sort_unstable();
    unique || ranges.len() > 1 && ranges.windows(2).all(|two| two[0].1 < two[1].0)
}

/// Numbers that the whole table leaves out between its first row and its last.
fn absent(segment: &Segment, threads: &[&Thread]) -> Option<u64> {
    let first = threads.iter().filter_map(|thread| thread.first.number).min()?;
    let last = threads.iter().filter_map(|thread| thread.last.number).max()?;
    let span = u64::try_from(last.saturating_sub(first)).ok()?.saturating_add(1);
    Some(span.saturating_sub(segment.rows))
}

async fn numbers(connection: &mut PgConnection, chain: &Chain, stretch: Stretch) -> Result<Vec<i64>, Stop> {
    let column = chain.items[chain.order[0]].sql.trim_end_matches("::text");
    let sql = format!(
        "select n from pg_catalog.generate_series({}::int8, {}::int8) n
         where not exists (select from {} t where {column} = n) order by n limit {LISTED}",
        stretch.from,
        stretch.to,
        chain.relation.sql()
    );
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection).await.map_err(refusal::lost)
}

/// Neighbours together.
fn runs(numbers: &[i64]) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    #[test]
    fn neighbours_are_one_run() {
        assert_eq!(super::runs(&[1, 2, 3, 5, 8, 9]), [(1, 3), (5, 5), (8, 9)]);
        assert_eq!(super::runs(&[]), []);
    }
}
