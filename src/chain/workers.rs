//! Several connections that read runs of one table under one snapshot.

use super::algorithm::Digest;
use super::chain::Chain;
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
}

impl Work {
    fn against(&self) -> Against<'_> {
        Against { chain: &self.chain, key: self.key.as_ref().map(|key| key.as_slice()), heads: &self.heads }
    }

    /// One run; none where it was stopped.
    async fn run(&self, connection: &mut PgConnection, query: &str) -> Result<Option<Segment>, Stop> {
        let mut walker = Walker::new(self.against());
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
    let mut done: HashMap<usize, Segment> = HashMap::new();
    let mut outcome = Outcome::default();
    if runs == 1 || workers < 2 {
        for query in work.queries.iter() {
            match work.run(connection, query).await? {
                Some(segment) => done.insert(outcome.runs, segment),
                None => None,
            };
            outcome.runs += 1;
            progress.step(&work.chain.relation.shown());
        }
    } else {
        done = share(connection, options, work, workers, progress).await?;
    }
    outcome.runs = 0;
    let is_bytes = work.chain.prev.is_some_and(|prev| work.chain.items[prev].kind == super::value::Kind::Bytes);
    let chained = work.chain.prev.is_some();
    while let Some(segment) = done.remove(&outcome.runs) {
        outcome.segment.join(segment, |prev, last| !chained || names(prev, is_bytes, last));
        outcome.runs += 1;
    }
    outcome.interrupted = outcome.runs < runs;
    Ok(outcome)
}

async fn share(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    work: &Work,
    workers: usize,
    progress: &dyn Progress,
) -> Result<HashMap<usize, Segment>, Stop> {
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
    let mut done = HashMap::new();
    while let Some(result) = receive.recv().await {
        let (at, segment) = result?;
        done.insert(at, segment);
        progress.step(&work.chain.relation.shown());
    }
    Ok(done)
}
