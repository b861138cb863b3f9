//! Several connections that read runs of one table under one snapshot.

use super::algorithm::Digest;
use super::checkpoint::Mark;
use super::definition::Chain;
use super::merkle::{Hash, Tree};
use super::segment::Segment;
use super::stream;
use super::walk::{Against, Reading, Walker, names};
use super::wire::{self, Wire};
use crate::error::Stop;
use crate::target::refusal;
use crate::ui::progress::Progress;
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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

    /// One run, and whether it was read to its end. `drain`: the connection is needed afterwards.
    async fn run(&self, connection: &mut PgConnection, at: usize, drain: bool) -> Result<(Segment, bool), Stop> {
        let mut walker = self.walker(at);
        let mut whole = true;
        stream::copy(connection, &self.queries[at], |tuple| {
            whole = whole && self.step(&mut walker, tuple);
            whole || drain
        })
        .await
        .map_err(refusal::lost)?;
        Ok((walker.finish(), whole))
    }

    /// The same, straight from the socket; none where that does not go.
    fn run_plain(&self, wire: &mut Wire, at: usize) -> Option<(Segment, bool)> {
        let mut walker = self.walker(at);
        let whole = wire.copy(&self.queries[at], |tuple| self.step(&mut walker, tuple))?;
        Some((walker.finish(), whole))
    }
}

/// A run of so many rows is read to its end though nobody needs it any more.
const SHORT: f64 = 100_000.0;

/// Reads all runs: a short one on this connection, else on `workers` connections of their own.
///
/// # Errors
/// A session is lost, or the server cannot carry out a query.
pub async fn read(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    work: &Work,
    workers: usize,
    progress: &dyn Progress,
) -> Result<Outcome, Stop> {
    let runs = work.queries.len();
    let mut joiner = Joiner::new(work);
    if runs == 1 && work.chain.relation.estimate < SHORT {
        for at in 0..runs {
            let (segment, whole) = work.run(connection, at, true).await?;
            joiner.add(at, segment, whole);
            progress.step(&work.chain.relation.shown());
        }
    } else {
        share(connection, options, work, workers, &mut joiner, progress).await?;
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
    progress: &dyn Progress,
) -> Result<(), Stop> {
    let export = sqlx::query_scalar::<_, String>("select pg_catalog.pg_export_snapshot()");
    let snapshot = export.fetch_one(&mut *connection).await.map_err(refusal::lost)?;
    let plain = wire::is_plain(connection).await.map_err(refusal::lost)?;
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
    let next = Arc::new(AtomicUsize::new(0));
    for _ in 0..workers.min(work.queries.len()) {
        let (work, options, snapshot) = (work.clone(), options.clone(), snapshot.clone());
        let (send, next) = (send.clone(), Arc::clone(&next));
        std::thread::spawn(move || {
            let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < work.queries.len());
            let mut open = None;
            if plain
                && let Some(mut wire) = Wire::open(&options, &stream::begin(&work.chain.time_zone, Some(&snapshot)))
            {
                while let Some(at) = take() {
                    let Some((segment, whole)) = work.run_plain(&mut wire, at) else {
                        open = Some(at);
                        break;
                    };
                    _ = send.send(Ok((at, segment, whole)));
                    if !whole {
                        return;
                    }
                }
                if open.is_none() {
                    return;
                }
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            let failed: Result<(), Stop> = runtime.block_on(async {
                let mut connection = stream::open(&options, &work.chain.time_zone, Some(&snapshot)).await?;
                while let Some(at) = open.take().or_else(take) {
                    let (segment, whole) = work.run(&mut connection, at, false).await?;
                    _ = send.send(Ok((at, segment, whole)));
                    if !whole {
                        return Ok(());
                    }
                }
                Ok(())
            });
            if let Err(stop) = failed {
                let _ = send.send(Err(stop));
            }
        });
    }
    drop(send);
    while let Some(result) = receive.recv().await {
        let (at, segment, whole) = result?;
        joiner.add(at, segment, whole);
        if joiner.outcome.segment.disordered {
            // What the others read is of no use: they come to an end by themselves.
            next.store(work.queries.len(), Ordering::Relaxed);
            return Ok(());
        }
        progress.step(&work.chain.relation.shown());
    }
    Ok(())
}
