//! Verifies the chains of a database: one report a chain.

use super::algorithm::Digest;
use super::checkpoint::Checkpoint;
use super::definition::Chain;
use super::described::Described;
use super::discover::{self, Found, Means};
use super::expect::{self, Expected};
use super::judge;
use super::kept::{self, Kept};
use super::none;
use super::pins;
use super::ranges::{self, Order, Wanted};
use super::relation;
use super::segment::Segment;
use super::shard::{self, Part, Shard};
use super::stream;
use super::verdict::{BreakKind, ChainReport, Head, Verdict};
use super::workers::{self, Outcome, Watch, Work};
use crate::config::Config;
use crate::error::Stop;
use crate::target::refusal;
use crate::ui::progress::Progress;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What is asked.
#[derive(Debug)]
pub struct Wish {
    /// Tables; those that look like chains where there is none.
    pub tables: Vec<String>,
    /// Connections.
    pub workers: usize,
    /// Heads.
    pub expected: Vec<Expected>,
    /// What chains once were.
    pub checkpoints: Vec<Checkpoint>,
    /// Read only what came after this.
    pub since: Option<Checkpoint>,
    /// Marks of every intact chain are wanted, for a checkpoint.
    pub marks: bool,
    /// How each chain is verified is to be said.
    pub describe: bool,
    /// Only this part of each chain, to be joined with the others later.
    pub part: Option<Part>,
    /// Parts that were read before: nothing is read but what explains a break.
    pub merge: Vec<Shard>,
    /// What was read is kept here, and gone on with.
    pub kept: Option<Kept>,
    /// Tables of so many rows are read in many transactions.
    pub long: f64,
    /// The secret of keyed chains.
    pub key: Option<Vec<u8>>,
    /// Raised by Ctrl-C.
    pub stop: Arc<AtomicBool>,
}

impl Wish {
    /// These tables, whole, with nothing to compare them with.
    pub fn of(tables: Vec<String>, key: Option<Vec<u8>>) -> Self {
        Self {
            tables,
            workers: workers(),
            expected: Vec::new(),
            checkpoints: Vec::new(),
            since: None,
            marks: false,
            describe: false,
            part: None,
            merge: Vec::new(),
            kept: None,
            long: ranges::LONG,
            key,
            stop: Arc::new(AtomicBool::new(false)),
        }
    }
}

/// As many connections as there are processors here, at most four: the server works as hard as we do.
pub fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 4)
}

/// Breaks that are kept of a table.
pub const KEPT: usize = 100;

/// Looks for chains and verifies them.
///
/// # Errors
/// No session, a table that does not exist, a session that is lost.
pub async fn verify(
    options: &PgConnectOptions,
    wish: &Wish,
    config: &Config,
    progress: &dyn Progress,
) -> Result<Vec<ChainReport>, Stop> {
    progress.begin("Looking for chains", None);
    let mut connection = stream::open(options, "UTC", None).await?;
    let role: String =
        sqlx::query_scalar("select current_user::text").fetch_one(&mut connection).await.map_err(refusal::lost)?;
    let library = relation::library(&mut connection).await?;
    let mut names = wish.tables.clone();
    let mut oids = relation::find(&mut connection, &names).await?;
    if names.is_empty() {
        names = config.chains.iter().map(|chain| chain.table.clone()).collect();
        if !names.is_empty() {
            oids.extend(relation::find(&mut connection, &names).await?);
            oids.sort_unstable();
            oids.dedup();
        }
    }
    let mut reports = Vec::new();
    let checkpoints: Vec<&Checkpoint> = wish.checkpoints.iter().chain(&wish.since).collect();
    for oid in oids {
        let start = Instant::now();
        let table = relation::read(&mut connection, oid).await?;
        let declared = config.chains.iter().find(|chain| chain.table == table.shown() || chain.table == table.name);
        let named = names.iter().any(|name| *name == table.shown() || *name == table.name);
        let means = Means { library: &library, declared, key: wish.key.as_deref(), named, role: &role };
        match discover::discover(&mut connection, &table, &means).await? {
            Found::Nothing if named => {
                let why = "nothing in this table links its rows: no column repeats a hash of an earlier row";
                let needs = "declare the chain in govctl.yaml: chains: [{table: …, prev: …, hash: …, order: […]}]";
                reports.push(ChainReport::undecided(table.shown(), why, needs));
            }
            Found::Nothing => {}
            // A table that only might hold a chain is no chain that is hidden.
            Found::Hidden { why, needs } if named || none::looks_chained(&table) => {
                reports.push(ChainReport::undecided(table.shown(), why, needs));
            }
            Found::Hidden { .. } => {}
            Found::Empty(chains) => {
                for chain in chains {
                    reports.push(none::empty(&mut connection, &chain, &checkpoints).await?);
                }
            }
            Found::Chains(chains) => {
                for chain in chains {
                    let mut report = one(&mut connection, options, &chain, wish, progress).await?;
                    if wish.describe {
                        let rules = config.secrets.rules();
                        report.described = Some(Described::new(&mut connection, &chain, rules).await?);
                    }
                    report.seconds = start.elapsed().as_secs_f64();
                    reports.push(report);
                }
            }
        }
    }
    if let Some(kept) = &wish.kept {
        kept.close(reports.iter().any(|report| report.interrupted))?;
    }
    expect::expectations(&mut reports, &wish.expected);
    expect::checkpoints(&mut reports, &checkpoints, &wish.tables)?;
    let _ = connection.close().await;
    Ok(reports)
}

async fn one(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    chain: &Chain,
    wish: &Wish,
    progress: &dyn Progress,
) -> Result<ChainReport, Stop> {
    let zone = format!("set local timezone = {}", crate::check::quote::literal(&chain.time_zone));
    sqlx::raw_sql(AssertSqlSafe(zone)).execute(&mut *connection).await.map_err(refusal::lost)?;
    let (table, column) = (chain.relation.shown(), chain.column(chain.hash).map_or("", |column| column.name.as_str()));
    let all = wish.checkpoints.iter().chain(&wish.since);
    let checkpoints: Vec<&Checkpoint> = all.filter(|checkpoint| pins::concerns(checkpoint, &table, column)).collect();
    let since = wish.since.as_ref().filter(|since| pins::concerns(since, &table, column));
    // One chain is gone on with where it was left; of several in one table all are read.
    let after = match since.map(|since| since.marks.as_slice()) {
        Some([only]) if only.key.is_empty() => Some(only.clone()),
        _ => None,
    };
    let mut only = after.as_ref().map(|mark| chain.is_behind(&mark.position, false));
    let mut bounds = (None, None);
    if let Some(part) = wish.part {
        let (condition, of) = shard::bounds(connection, chain, part).await?;
        (only, bounds) = (Some(condition), of);
    }
    let expected: Vec<Digest> = wish.expected.iter().map(|expected| expected.hash).collect();
    let mut notes = Vec::new();
    let kept = wish.kept.as_ref().filter(|_| kept::may(chain));
    if wish.kept.is_some() && kept.is_none() {
        notes.push("no one number orders these rows: a run that is interrupted begins anew".to_owned());
    }
    let mut before = None;
    if let Some(kept) = kept {
        let (known, why_not) = kept.of(connection, chain, &expected).await?;
        notes.extend(why_not);
        if let Some(known) = known {
            only = kept::behind(chain, &known);
            notes
                .push(format!("{} rows were read by the run that was interrupted, and only counted now", known.rows()));
            before = Some(known);
        }
    }
    let grows = wish.marks || !checkpoints.is_empty();
    let apart = chain.relation.estimate >= wish.long && ranges::may_be_apart(chain);
    let until = if apart { ranges::until_now(connection, chain).await? } else { None };
    let (only, until) = (only.as_deref(), until.as_deref());
    // What is gone on with ends at a number: rows are read by it.
    let order = if kept.is_some() { Order::Sorted } else { Order::Any };
    let wanted = Wanted { order, only, until, loose: !grows };
    let mut plan = ranges::plan(connection, chain, wanted).await?;
    progress.begin("Verifying", u64::try_from(plan.queries.len()).ok());
    let marks = checkpoints.iter().flat_map(|checkpoint| &checkpoint.marks).map(|mark| mark.hash);
    let heads = expected.iter().copied().chain(marks);
    let mut work = Work {
        chain: Arc::new(chain.clone()),
        key: wish.key.clone().map(Arc::new),
        heads: Arc::new(heads.collect()),
        queries: Arc::new(std::mem::take(&mut plan.queries)),
        reading: plan.reading.clone(),
        apart,
        stop: Arc::clone(&wish.stop),
        sizes: grows.then(|| Arc::new(pins::sizes(&checkpoints))),
        after: after.clone().map(Arc::new),
    };
    let keep = |segment: &Segment| kept.iter().for_each(|kept| kept.keep(chain, before.as_ref(), segment, &expected));
    let watch = Watch { progress, keep: kept.is_some().then_some(&keep) };
    let merged: Vec<&Shard> =
        wish.merge.iter().filter(|shard| shard.table == table && shard.column == column).collect();
    let mut outcome = if wish.merge.is_empty() {
        workers::read(connection, options, &work, wish.workers, watch).await?
    } else {
        match shard::join(chain, &merged, &expected) {
            Ok(segment) => Outcome { segment, ..Outcome::default() },
            Err(why) => {
                let needs =
                    "read every part with the same --shard K/N, --until and --expect, and give all of them to --merge";
                return Ok(ChainReport { interrupted: true, ..ChainReport::undecided(table, why, needs) });
            }
        }
    };
    if outcome.segment.disordered {
        let wanted = Wanted { order: Order::Sorted, loose: false, ..wanted };
        plan = ranges::plan(connection, chain, wanted).await?;
        progress.begin("Verifying in order", u64::try_from(plan.queries.len()).ok());
        (work.queries, work.reading) = (Arc::new(plan.queries), plan.reading);
        outcome = workers::read(connection, options, &work, wish.workers, watch).await?;
    }
    if kept.is_some() {
        keep(&outcome.segment);
        outcome.segment = kept::joined(chain, before.as_ref(), &outcome.segment, &expected).map_err(|why| {
            Stop::usage(
                format!("what was read before cannot be gone on with: {why}"),
                "remove the file that --resume names",
            )
        })?;
    }
    let mut report = ChainReport::undecided(chain.relation.shown(), "", "");
    if let Some(part) = wish.part {
        report.shard = (!outcome.interrupted).then(|| Shard::new(chain, part, &outcome.segment, bounds, &expected));
        return Ok(report);
    }
    (report.why, report.needs) = (None, None);
    report.column = chain.column(chain.hash).map(|column| column.name.clone());
    report.recipe = chain.recipe();
    report.weaker = chain.is_weaker();
    report.rows = outcome.segment.rows;
    report.partitions = outcome.segment.threads.len() as u64;
    report.uncovered.clone_from(&chain.uncovered);
    report.notes.clone_from(&chain.notes);
    report.notes.extend(notes);
    if apart && work.queries.len() > 1 {
        report.notes.push(format!(
            "read in {} transactions: each row as it was when it was read, up to the last that was there at the beginning",
            work.queries.len()
        ));
    }
    if let [thread] = outcome.segment.threads.values().collect::<Vec<_>>().as_slice()
        && let Some(hash) = thread.last_hash
    {
        report.head = Some(Head { position: thread.last.shown(), hash: hash.hex() });
    }
    if outcome.interrupted {
        report.interrupted = true;
    } else {
        expect::look(connection, chain, &outcome.segment, &wish.expected, &mut report).await?;
        // While a table is read for hours, others go on writing to it.
        if !report.tail.pinned && !apart {
            tail(connection, chain, &outcome.segment, &mut report).await?;
        }
    }
    judge::weigh(connection, chain, &outcome.segment, &mut report).await?;
    if let Some(mark) = &after {
        outcome.roots.insert((mark.key.clone(), mark.tree.size()), mark.tree.root());
        report.notes.push(format!(
            "{} rows up to {} were not read again: a checkpoint stands for them, not for what they are now",
            mark.tree.size(),
            mark.position.shown()
        ));
        if let Some(kind) = pins::end_of(connection, chain, mark).await? {
            outcome.roots.remove(&(mark.key.clone(), mark.tree.size()));
            if kind == BreakKind::Rewritten {
                outcome.roots.insert((mark.key.clone(), mark.tree.size()), [0; 32]);
            }
        }
    }
    if !checkpoints.is_empty() && !outcome.interrupted {
        pins::compare(&checkpoints, &outcome, &mut report);
    }
    if wish.marks && report.verdict == Verdict::Intact && !outcome.interrupted {
        report.marks = pins::marks(chain, &outcome);
    }
    if outcome.interrupted {
        report.notes.push(format!("interrupted after {} rows; what follows them was not read", report.rows));
        if report.verdict == Verdict::Intact {
            report.verdict = Verdict::Undecided;
            report.why = Some("interrupted".to_owned());
            report.needs = Some(match kept {
                Some(_) => "run it again with the same --resume".to_owned(),
                None => "run it again; with --resume FILE it could be gone on with".to_owned(),
            });
        }
    }
    Ok(report)
}

/// What the sequence says of rows behind the last.
async fn tail(
    connection: &mut PgConnection,
    chain: &Chain,
    segment: &Segment,
    report: &mut ChainReport,
) -> Result<(), Stop> {
    if !chain.sequenced || !chain.is_numbered() {
        return Ok(());
    }
    let Some(column) = chain.column(chain.order[0]) else { return Ok(()) };
    let sql =
        "select pg_catalog.pg_sequence_last_value(pg_catalog.pg_get_serial_sequence($1, $2)::pg_catalog.regclass)";
    let asked = sqlx::query_scalar::<_, Option<i64>>(sql).bind(chain.relation.sql()).bind(&column.name);
    sqlx::raw_sql("savepoint tail").execute(&mut *connection).await.map_err(refusal::lost)?;
    let Ok(last) = asked.fetch_one(&mut *connection).await else {
        let back = sqlx::raw_sql("rollback to savepoint tail; release savepoint tail").execute(connection).await;
        return back.map(|_| ()).map_err(refusal::lost);
    };
    sqlx::raw_sql("release savepoint tail").execute(connection).await.map_err(refusal::lost)?;
    let end = segment.threads.values().filter_map(|thread| thread.last.number).max();
    if let (Some(last), Some(end)) = (last, end)
        && last > end
    {
        report.tail.detail = Some(format!(
            "the sequence has given out {last}, the last row is {end}: rows were rolled back, or cut off"
        ));
    }
    Ok(())
}
