//! The verdict on a chain: what its faults come to, and what cannot be decided.

use super::algorithm::{Algorithm, Digest};
use super::definition::Chain;
use super::diagnose::{self, Case};
use super::doubt::{self, Doubts};
use super::links::{self, Found, Oddity};
use super::lost::{self, Stretch};
use super::run::KEPT;
use super::segment::{Fault, Flaw, Position, Segment, Thread};
use super::value::Kind;
use super::verdict::{ChainReport, Verdict};
use super::{encoding, genesis};
use crate::error::Stop;
use crate::target::refusal;
use sqlx::{AssertSqlSafe, PgConnection};

/// Chains of one table that are looked at row by row.
const INSPECTED: usize = 50;

/// Decides.
///
/// # Errors
/// The session is lost.
pub async fn weigh(
    connection: &mut PgConnection,
    chain: &Chain,
    segment: &Segment,
    report: &mut ChainReport,
) -> Result<(), Stop> {
    let explained: u64 = segment.explained.iter().sum();
    let flaws = segment.faults.iter().filter(|fault| matches!(fault.flaw, Flaw::Content { .. })).count() as u64;
    // Rows of a new sort say nothing of the formula that explains the others.
    let doubts = doubt::weigh(connection, chain, segment).await?;
    let wrong = wrong_recipe(chain, segment, explained, flaws.saturating_sub(doubts.content));
    let mut threads: Vec<(&Vec<u8>, &Thread)> = segment.threads.iter().collect();
    threads.sort_by(|a, b| a.1.partition.cmp(&b.1.partition));
    let known = if wrong.is_some() { doubts.rows.max(flaws) } else { doubts.rows };
    let mut total = segment.flawed.saturating_sub(known);
    let shared = shared_beginning(&threads);
    let mut seen = Vec::with_capacity(threads.len());
    let mut inspected = 0;
    for (key, thread) in &threads {
        let faults: Vec<&Fault> = segment
            .faults
            .iter()
            .enumerate()
            .filter(|(at, fault)| fault.partition == thread.partition && !doubts.faults.contains(at))
            .map(|(_, fault)| fault)
            .filter(|fault| wrong.is_none() || !matches!(fault.flaw, Flaw::Content { .. }))
            .collect();
        let holes: Vec<(i64, i64)> =
            segment.holes.iter().filter(|(_, _, of)| of == *key).map(|(from, to, _)| (*from, *to)).collect();
        let mut found: Vec<Found> = Vec::new();
        let mut begins = false;
        if thread.unlinked > 0 && inspected < INSPECTED {
            inspected += 1;
            let inspected = links::inspect(connection, chain, &thread.partition, KEPT).await?;
            total += inspected.total;
            (found, begins) = (inspected.found, inspected.begins);
        } else {
            total += thread.unlinked;
        }
        let beginning = if begins { Beginning::Known } else { headless(connection, chain, thread, shared).await? };
        // One row that was changed and names another chain was moved here: that chain lacks it, this one lacks nothing.
        let moved = thread.rows == 1 && faults.iter().any(|fault| matches!(fault.flaw, Flaw::Content { .. }));
        let beginning = if moved && threads.len() > 1 { Beginning::Known } else { beginning };
        let later = later(connection, chain, thread, &faults, &holes).await?;
        seen.push(Seen { faults, holes, found, beginning, later });
    }
    let of_all: Vec<&Thread> = threads.iter().map(|(_, thread)| *thread).collect();
    let stretches: Vec<Stretch> =
        seen.iter().enumerate().flat_map(|(at, seen)| seen.stretches(at, of_all[at])).collect();
    let stretches = if chain.is_numbered() { stretches } else { Vec::new() };
    let lost = lost::find(connection, chain, segment, &of_all, &stretches).await?;
    for (at, Seen { faults, holes, found, mut beginning, later }) in seen.into_iter().enumerate() {
        // Every number before its first is there, in another chain: nothing is gone, this is what it begins with.
        if let (Beginning::Gone, Some(first)) = (beginning, of_all[at].first.number)
            && !chain.partition.is_empty()
            && lost.of(Stretch { thread: at, from: 1, to: first.saturating_sub(1) }).is_some_and(<[_]>::is_empty)
        {
            beginning = Beginning::Unknown;
        }
        if faults.is_empty() && found.is_empty() && holes.is_empty() && beginning == Beginning::Known {
            continue;
        }
        let case =
            Case { chain, thread: of_all[at], at, faults, found: &found, holes: &holes, lost: &lost, later: &later };
        let (breaks, notes) = case.breaks();
        report.notes.extend(notes);
        report.breaks.extend(breaks);
        match beginning {
            Beginning::Known => {}
            Beginning::Gone => {
                total += 1;
                report.breaks.splice(0..0, case.headless());
            }
            Beginning::Unknown => {
                let note = "the first row names a hash that no row has: taken for the beginning, since nothing was ever before it";
                if !report.notes.iter().any(|known| known == note) {
                    report.notes.push(note.to_owned());
                }
            }
        }
    }
    report.breaks.extend(lost.shared.iter().map(|(from, to)| diagnose::of_nobody(*from, *to)));
    if let Some(unchained) = threads.iter().map(|(_, thread)| thread.unchained).max().filter(|unchained| *unchained > 0)
    {
        report.notes.push(format!("{unchained} rows from before the chain began have no hash: nothing protects them"));
    }
    if segment.erased > 0 {
        let (payloads, are) = if segment.erased == 1 { ("payload", "is") } else { ("payloads", "are") };
        report.notes.push(format!(
            "{} {payloads} {are} gone, as after an erasure: what a digest stands for is not there to be compared",
            segment.erased
        ));
    }
    let kept = report.breaks.len() as u64;
    // What was settled as one act counts once; what was not looked at counts as it was met.
    report.breaks_total = if segment.faults.len() < super::segment::KEPT && inspected < INSPECTED && kept < KEPT as u64
    {
        kept
    } else {
        total.max(kept)
    };
    report.breaks.truncate(KEPT);
    let wrong = wrong.or_else(|| undecided(chain, &doubts));
    if let (false, Some((why, _))) = (report.breaks.is_empty(), &wrong) {
        report.notes.push(why.clone());
    }
    report.verdict = if !report.breaks.is_empty() {
        Verdict::Broken
    } else if let Some((why, needs)) = wrong {
        report.why = Some(why);
        report.needs = Some(needs);
        Verdict::Undecided
    } else {
        Verdict::Intact
    };
    Ok(())
}

/// Rows that no formula explains, though nobody touched them: the formula is not known, and that is no tampering.
fn wrong_recipe(chain: &Chain, segment: &Segment, explained: u64, flaws: u64) -> Option<(String, String)> {
    let needs = declare(chain);
    if chain.formulas.is_empty() {
        let named = |part: &str| chain.relation.columns.iter().any(|column| column.name.contains(part));
        let mut why = chain.unexplained.clone().unwrap_or_else(|| "no recipe explains the hashes".to_owned());
        if named("hmac") || named("signature") {
            why.push_str("; a keyed one needs its key (--key-file, or GOVCTL_CHAIN_KEY)");
        }
        return (segment.rows > 0).then_some((why, needs));
    }
    let all = explained + flaws;
    if flaws == 0 {
        return None;
    }
    if explained == 0 {
        return Some((
            "every hash fails while the links hold: that is a wrong recipe, not tampering".to_owned(),
            needs,
        ));
    }
    let changed = u64::try_from(chain.relation.changed).unwrap_or(0);
    // Who changes a row is counted, until the counts are reset.
    let untouched = changed < flaws;
    let many = flaws * 2 > all || untouched && flaws * 5 > all && flaws > 3;
    (many || untouched && at_one_end(segment, flaws)).then(|| {
        let why = format!(
            "{flaws} of {all} hashes fail and {} rows were changed since changes are counted: the formula seems to have changed",
            if changed == 0 { "no".to_owned() } else { changed.to_string() }
        );
        (why, needs)
    })
}

/// Rows of a sort that no explained row is of.
fn undecided(chain: &Chain, doubts: &Doubts) -> Option<(String, String)> {
    (doubts.rows > 0).then(|| {
        let why = format!(
            "{} something that no explained row has, and no formula fits: {}. How that is hashed is not known",
            if doubts.rows == 1 { "one row has".to_owned() } else { format!("{} rows have", doubts.rows) },
            doubts.said.join(", ")
        );
        (why, declare(chain))
    })
}

/// What would settle it.
fn declare(chain: &Chain) -> String {
    format!(
        "declare how a row is hashed in govctl.yaml: chains: [{{table: {}, formula: \"encode(sha256(convert_to({} || '|' || …, 'UTF8')), \
         'hex')\"}}]: SQL over the columns, and json_as(column, 'python sorted') for JSON as an application writes it",
        chain.relation.shown(),
        chain.prev.and_then(|prev| chain.column(prev)).map_or("previous", |column| column.name.as_str())
    )
}

/// All failing rows stand together at the beginning or the end, and there are many.
fn at_one_end(segment: &Segment, flaws: u64) -> bool {
    let [thread] = segment.threads.values().collect::<Vec<_>>()[..] else { return false };
    let content: Vec<&Fault> =
        segment.faults.iter().filter(|fault| matches!(fault.flaw, Flaw::Content { .. })).collect();
    let consecutive = content.windows(2).all(|two| two[1].before.as_ref() == Some(&two[0].at));
    let ends = content.first().is_some_and(|fault| fault.at == thread.first)
        || content.last().is_some_and(|fault| fault.at == thread.last);
    flaws >= 10 && consecutive && ends
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    Known,
    Unknown,
    Gone,
}

/// All chains of the table begin alike.
fn shared_beginning(threads: &[(&Vec<u8>, &Thread)]) -> bool {
    threads.len() > 1 && threads.windows(2).all(|two| two[0].1.first_prev == two[1].1.first_prev)
}

/// What was seen of one chain.
struct Seen<'a> {
    faults: Vec<&'a Fault>,
    holes: Vec<(i64, i64)>,
    found: Vec<Found>,
    beginning: Beginning,
    later: Vec<Position>,
}

impl Seen<'_> {
    /// Numbers among which rows are missing.
    fn stretches(&self, thread: usize, of: &Thread) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        let mut add = |from: i64, to: i64| stretches.push(Stretch { thread, from, to });
        for found in self.found.iter().filter(|found| found.oddity == Oddity::Orphan) {
            if let (Some(before), Some(number)) =
                (found.before.as_ref().and_then(|before| before.at.number), found.row.at.number)
            {
                add(before.saturating_add(1), number.saturating_sub(1));
            }
        }
        let linked_anew = |to: i64| self.later.iter().any(|at| at.number == Some(to.saturating_add(1)));
        self.holes.iter().filter(|(_, to)| linked_anew(*to)).for_each(|(from, to)| add(*from, *to));
        if let (Beginning::Gone, Some(first)) = (self.beginning, of.first.number) {
            add(1, first.saturating_sub(1));
        }
        stretches
    }
}

async fn headless(
    connection: &mut PgConnection,
    chain: &Chain,
    thread: &Thread,
    shared: bool,
) -> Result<Beginning, Stop> {
    let Some(prev) = chain.prev else { return Ok(Beginning::Known) };
    let is_bytes = chain.items[prev].kind == Kind::Bytes;
    if shared || thread.first_hash.is_none() || genesis::is(thread.first_prev.as_deref(), is_bytes, &chain.genesis) {
        return Ok(Beginning::Known);
    }
    let first =
        thread.first_prev.as_deref().and_then(|prev| encoding::decode(prev, is_bytes)).map(|(digest, _)| digest);
    let own = |value: &Option<String>| {
        let hashed = |algorithm: Algorithm| algorithm.digest(None, value.as_deref().unwrap_or_default().as_bytes());
        Algorithm::ALL.into_iter().map(hashed).any(|digest: Digest| Some(digest) == first)
    };
    if thread.partition.iter().any(own) || thread.partition.iter().flatten().any(|value| decoded_is(value, first)) {
        return Ok(Beginning::Known);
    }
    if let Some(number) = thread.first.number
        && chain.partition.is_empty()
    {
        return Ok(if number > 1 { Beginning::Gone } else { Beginning::Unknown });
    }
    if !chain.partition.is_empty() && matches!(thread.first.number, Some(0 | 1)) {
        return Ok(Beginning::Unknown);
    }
    // Who writes the chain says what it begins with, and that is not this: a table may have been copied since.
    let is_written = |source: &str| source.starts_with("trigger function") || source.starts_with("function");
    if chain.partition.is_empty() && chain.formulas.first().is_some_and(|formula| is_written(&formula.source)) {
        return Ok(Beginning::Gone);
    }
    // The very first row ever stored in a table has nothing before it.
    let (of, is) = (chain.relation.sql(), chain.is_at(&thread.first));
    let sql = format!("select count(*) > 0 from {of} t where t.ctid = '(0,1)' and {is}");
    let oldest: bool = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(refusal::lost)?;
    Ok(if oldest { Beginning::Unknown } else { Beginning::Gone })
}

/// Rows that fail behind missing numbers, and were written again after the rows behind them: linked anew over a gap.
async fn later(
    connection: &mut PgConnection,
    chain: &Chain,
    thread: &Thread,
    faults: &[&Fault],
    holes: &[(i64, i64)],
) -> Result<Vec<Position>, Stop> {
    let mut later = Vec::new();
    for fault in faults.iter().filter(|fault| matches!(fault.flaw, Flaw::Content { .. })).take(INSPECTED) {
        let behind_hole = fault.at.number.is_some_and(|number| holes.iter().any(|(_, to)| to + 1 == number));
        if behind_hole && links::written_later(connection, chain, &thread.partition, &fault.at).await? {
            later.push(fault.at.clone());
        }
    }
    Ok(later)
}

fn decoded_is(value: &str, digest: Option<Digest>) -> bool {
    digest.is_some() && encoding::decode(value.as_bytes(), false).map(|(digest, _)| digest) == digest
}
