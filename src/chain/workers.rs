//! Several connections that read runs of one table under one snapshot.

use super::algorithm::Digest;
use super::checkpoint::Mark;
use super::definition::Chain;
use super::merkle::{Hash, Tree};
use super::segment::Segment;
use super::stream;
use super::walk::{Against, Walker, names};
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
    waiting: HashMap<usize, Segment>,
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

    fn add(&mut self, at: usize, segment: Segment) {
        self.waiting.insert(at, segment);
        let chain = &self.work.chain;
        let is_bytes = chain.prev.is_some_and(|prev| chain.items[prev].kind == super::value::Kind::Bytes);
        while let Some(mut segment) = self.waiting.remove(&self.outcome.runs) {
            self.grow(std::mem::take(&mut segment.leaves));
            self.outcome.segment.join(segment, |prev, last| chain.prev.is_none() || names(prev, is_bytes, last));
            self.outcome.runs += 1;
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

    /// One run; none where it was stopped.
    async fn run(&self, connection: &mut PgConnection, query: &str) -> Result<Option<Segment>, Stop> {
        let mut walker = Walker::new(self.against());
        if self.sizes.is_some() {
            walker = walker.growing();
        }
        if let Some(mark) = &self.after {
            walker = walker.after(mark);
        }
        let stopped = |rows: u64| rows.is_multiple_of(1024) && self.stop.load(Ordering::Relaxed);
        let mut whole = true;
        stream::copy(connection, query, |tuple| {
            walker.row(tuple);
            whole = !stopped(walker.rows());
            whole
        })
        .await
        .map_err(refusal::lost)?;
        Ok(whole.then(|| walker.finish()))
    }
}

/// Reads all runs: on this connection where there is one, else on `workers` connections of their own.
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
    if runs == 1 || workers < 2 {
        for (at, query) in work.queries.iter().enumerate() {
            let Some(segment) = work.run(connection, query).await? else { break };
            joiner.add(at, segment);
            progress.step(&work.chain.relation.shown());
        }
    } else {
        share(connection, options, work, workers, &mut joiner, progress).await?;
    }
    let mut outcome = joiner.outcome;
    outcome.interrupted = outcome.runs < runs;
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
    let snapshot = export.fetch_one(connection).await.map_err(refusal::lost)?;
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
    let next = Arc::new(AtomicUsize::new(0));
    for _ in 0..workers.min(work.queries.len()) {
        let (work, options, snapshot) = (work.clone(), options.clone(), snapshot.clone());
        let (send, next) = (send.clone(), Arc::clone(&next));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            let failed: Result<(), Stop> = runtime.block_on(async {
                let mut connection = stream::open(&options, &work.chain.time_zone, Some(&snapshot)).await?;
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(query) = work.queries.get(at) else { return Ok(()) };
                    match work.run(&mut connection, query).await? {
                        Some(segment) => _ = send.send(Ok((at, segment))),
                        None => return Ok(()),
                    }
                }
            });
            if let Err(stop) = failed {
                let _ = send.send(Err(stop));
            }
        });
    }
    drop(send);
    while let Some(result) = receive.recv().await {
        let (at, segment) = result?;
        joiner.add(at, segment);
        progress.step(&work.chain.relation.shown());
    }
    Ok(())
}
