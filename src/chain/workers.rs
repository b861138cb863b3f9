//! Several connections that read runs of one table: under one snapshot, or each run in a transaction of its own.

use super::algorithm::Digest;
use super::checkpoint::Mark;
use super::definition::Chain;
use super::merkle::{Hash, Tree};
use super::pace::Pace;
use super::segment::Segment;
use super::session::{Ended, Session};
use super::stream;
use super::walk::{Against, Reading, Walker, names};
use super::wire;
use crate::error::Stop;
use crate::target::refusal;
use crate::ui::progress::Progress;
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// What workers share.
#[derive(Clone, Debug)]
pub struct Work {
    /// The chain.
    pub chain: Arc<Chain>,
    /// The secret of keyed chains.
    pub key: Option<Arc<Vec<u8>>>,
    /// Heads to look for.
    pub heads: Arc<HashSet<Digest>>,
    /// A query a run, in order.
    pub queries: Arc<Vec<String>>,
    /// How rows come.
    pub reading: Reading,
    /// Each run has a transaction of its own, so that none holds back what the server cleans up for longer than a run takes.
    pub apart: bool,
    /// Raised by Ctrl-C.
    pub stop: Arc<AtomicBool>,
    /// Trees are grown, and their roots kept at these sizes, by chain.
    pub sizes: Option<Arc<HashMap<Vec<u8>, Vec<u64>>>>,
    /// Go on after this row.
    pub after: Option<Arc<Mark>>,
}

/// Runs joined, and whether all were read.
#[derive(Debug, Default)]
pub struct Outcome {
    /// All runs that follow each other from the first.
    pub segment: Segment,
    /// How many of them.
    pub runs: usize,
    /// Not the end.
    pub interrupted: bool,
    /// Trees, by chain.
    pub trees: HashMap<Vec<u8>, Tree>,
    /// Roots at the sizes that were asked for.
    pub roots: HashMap<(Vec<u8>, u64), Hash>,
}

/// Joins runs in their order, as they come.
struct Joiner<'a> {
    work: &'a Work,
    waiting: HashMap<usize, (Segment, bool)>,
    outcome: Outcome,
}

impl<'a> Joiner<'a> {
    fn new(work: &'a Work) -> Self {
        let mut outcome = Outcome::default();
        if let Some(mark) = &work.after {
            outcome.trees.insert(mark.key.clone(), mark.tree.clone());
        }
        Self { work, waiting: HashMap::new(), outcome }
    }

    fn add(&mut self, at: usize, segment: Segment, whole: bool) {
        if segment.disordered {
            self.outcome.segment.disordered = true;
            return;
        }
        self.waiting.insert(at, (segment, whole));
        let chain = &self.work.chain;
        let is_bytes = chain.prev.is_some_and(|prev| chain.items[prev].kind == super::value::Kind::Bytes);
        while !self.outcome.interrupted
            && let Some((mut segment, whole)) = self.waiting.remove(&self.outcome.runs)
        {
            self.grow(std::mem::take(&mut segment.leaves));
            match self.work.reading {
                Reading::Loose(_) => self.outcome.segment.add_loose(segment),
                _ => {
                    let names = |prev: Option<&[u8]>, last: Option<&Digest>| {
                        chain.prev.is_none() || names(prev, is_bytes, last)
                    };
                    self.outcome.segment.join(segment, names);
                }
            }
            self.outcome.runs += 1;
            // What follows a run that was stopped does not follow what was read of it.
            self.outcome.interrupted = !whole;
        }
    }

    fn grow(&mut self, leaves: HashMap<Vec<u8>, Vec<Digest>>) {
        let Some(sizes) = &self.work.sizes else { return };
        for (key, leaves) in leaves {
            let wanted = sizes.get(&key).map(Vec::as_slice).unwrap_or_default();
            let tree = self.outcome.trees.entry(key.clone()).or_default();
            for leaf in leaves {
                tree.push_digest(&leaf);
                if wanted.contains(&tree.size()) {
                    self.outcome.roots.insert((key.clone(), tree.size()), tree.root());
                }
            }
        }
    }
}

impl Work {
    fn against(&self) -> Against<'_> {
        Against { chain: &self.chain, key: self.key.as_ref().map(|key| key.as_slice()), heads: &self.heads }
    }

    fn walker(&self, at: usize) -> Walker<'_> {
        let mut walker = Walker::new(self.against()).reading(self.reading.clone());
        if self.sizes.is_some() {
            walker = walker.growing();
        }
        if let Some(mark) = self.after.as_ref().filter(|_| at == 0) {
            walker = walker.after(mark);
        }
        walker
    }

    /// A row more; whether to go on.
    fn step(&self, walker: &mut Walker<'_>, tuple: &[u8]) -> bool {
        walker.row(tuple);
        let stopped = walker.rows().is_multiple_of(1024) && self.stop.load(Ordering::Relaxed);
        !stopped && !walker.is_disordered()
    }

    /// Each row needs the one before it: runs are read one after the other, by one walker.
    fn carries(&self) -> bool {
        self.chain.formulas.iter().any(super::recipe::Formula::needs_last)
    }

    /// One run, and whether it was read to its end, on a connection that is needed afterwards.
    async fn run(&self, connection: &mut PgConnection, at: usize) -> Result<(Segment, bool), Stop> {
        let mut walker = self.walker(at);
        let mut whole = true;
        stream::copy(connection, &self.queries[at], |tuple| {
            whole = whole && self.step(&mut walker, tuple);
            true
        })
        .await
        .map_err(refusal::lost)?;
        Ok((walker.finish(), whole))
    }

    /// Reads one run on from `walker`. Where runs are apart, a connection that is lost is opened again.
    fn go_on<'a>(&'a self, session: &mut Session, at: usize, walker: &Walker<'a>) -> Result<(Walker<'a>, bool), Stop> {
        let mut patience = PATIENCE.iter();
        loop {
            let mut attempt = walker.clone();
            let failed = match session.copy(&self.queries[at], |tuple| self.step(&mut attempt, tuple)) {
                Ok(Ended::Whole) => return Ok((attempt, true)),
                Ok(Ended::Stopped) => return Ok((attempt, false)),
                Ok(Ended::Again) => continue,
                Err(failed) => failed,
            };
            loop {
                let Some(pause) = patience.next().filter(|_| self.apart) else { return Err(failed) };
                std::thread::sleep(*pause);
                if self.stop.load(Ordering::Relaxed) {
                    return Err(failed);
                }
                if session.reopen().is_ok() {
                    break;
                }
            }
        }
    }

    /// Reads the runs that `take` gives.
    fn work_off(
        &self,
        session: &mut Session,
        take: impl Fn() -> Option<usize>,
        send: impl Fn(usize, u64, Segment, bool),
    ) -> Result<(), Stop> {
        let mut carried = self.carries().then(|| self.walker(0));
        let mut first = true;
        while let Some(at) = take() {
            if !first && self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            if !std::mem::take(&mut first) && self.apart {
                session.renew().or_else(|_| session.reopen())?;
            }
            let from = carried.take().unwrap_or_else(|| self.walker(at));
            let (mut walker, whole) = self.go_on(session, at, &from)?;
            let rows = walker.rows() - from.rows();
            if whole && self.carries() && at + 1 < self.queries.len() {
                send(at, rows, Segment { leaves: walker.take_leaves(), ..Segment::default() }, true);
                carried = Some(walker);
            } else {
                send(at, rows, walker.finish(), whole);
            }
            if !whole {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// How long is waited before a lost connection is opened again, each time.
const PATIENCE: [Duration; 6] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// A run of so many rows is read to its end though nobody needs it any more.
const SHORT: f64 = 100_000.0;

/// Who is told how far reading has come.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Shows it.
    pub progress: &'a dyn Progress,
    /// Keeps it: what was joined so far.
    pub keep: Option<&'a dyn Fn(&Segment)>,
}

/// Reads all runs: a short one on this connection, else on `workers` connections of their own.
///
/// # Errors
/// A session is lost, or the server cannot carry out a query.
pub async fn read(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    work: &Work,
    workers: usize,
    watch: Watch<'_>,
) -> Result<Outcome, Stop> {
    let runs = work.queries.len();
    let mut joiner = Joiner::new(work);
    if runs == 1 && work.chain.relation.estimate < SHORT {
        let (segment, whole) = work.run(connection, 0).await?;
        joiner.add(0, segment, whole);
        watch.progress.step(&work.chain.relation.shown());
    } else {
        let shared = share(connection, options, work, workers, &mut joiner, watch).await;
        if let (Err(_), Some(keep)) = (&shared, watch.keep) {
            keep(&joiner.outcome.segment);
        }
        shared?;
    }
    let mut outcome = joiner.outcome;
    outcome.interrupted |= outcome.runs < runs;
    if let Reading::Loose(image) = &work.reading
        && !outcome.interrupted
        && !outcome.segment.disordered
    {
        outcome.segment.disordered = !outcome.segment.settle(&work.chain, image);
    }
    Ok(outcome)
}

async fn share(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    work: &Work,
    workers: usize,
    joiner: &mut Joiner<'_>,
    watch: Watch<'_>,
) -> Result<(), Stop> {
    let plain = wire::is_plain(connection).await.map_err(refusal::lost)?;
    let snapshot = if work.apart {
        // Nobody waits for what this connection has seen while others read.
        sqlx::raw_sql("rollback").execute(&mut *connection).await.map_err(refusal::lost)?;
        None
    } else {
        let export = sqlx::query_scalar::<_, String>("select pg_catalog.pg_export_snapshot()");
        Some(export.fetch_one(&mut *connection).await.map_err(refusal::lost)?)
    };
    let begin = stream::begin(&work.chain.time_zone, snapshot.as_deref());
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
    let next = Arc::new(AtomicUsize::new(0));
    let workers = if work.carries() { 1 } else { workers.min(work.queries.len()) };
    for _ in 0..workers {
        let (work, options, begin) = (work.clone(), options.clone(), begin.clone());
        let (send, next) = (send.clone(), Arc::clone(&next));
        std::thread::spawn(move || {
            let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < work.queries.len());
            let done = Session::open(&options, begin, plain).and_then(|mut session| {
                work.work_off(&mut session, take, |at, rows, segment, whole| {
                    _ = send.send(Ok((at, rows, segment, whole)))
                })
            });
            if let Err(stop) = done {
                _ = send.send(Err(stop));
            }
        });
    }
    drop(send);
    let mut pace = Pace::new(&work.chain.relation.shown(), work.queries.len());
    while let Some(result) = receive.recv().await {
        let (at, rows, segment, whole) = result?;
        joiner.add(at, segment, whole);
        if joiner.outcome.segment.disordered {
            // What the others read is of no use: they come to an end by themselves.
            next.store(work.queries.len(), Ordering::Relaxed);
            break;
        }
        watch.progress.step(&pace.step(rows));
        if let Some(keep) = watch.keep
            && pace.is_time()
        {
            keep(&joiner.outcome.segment);
        }
    }
    if work.apart {
        let begin = stream::begin(&work.chain.time_zone, None);
        if sqlx::raw_sql(sqlx::AssertSqlSafe(begin.clone())).execute(&mut *connection).await.is_err() {
            *connection = stream::begun(options, &begin).await?;
        }
    }
    Ok(())
}
