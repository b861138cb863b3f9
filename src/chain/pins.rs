//! Checkpoints held against a table: which of its rows they pin, and what they show to be gone or rewritten.

use super::algorithm::Digest;
use super::checkpoint::{Checkpoint, Mark};
use super::definition::Chain;
use super::encoding;
use super::merkle::Hash;
use super::segment::{Position, Thread};
use super::stream;
use super::value::Kind;
use super::verdict::{Break, BreakKind, ChainReport, Tail, Verdict};
use super::workers::Outcome;
use crate::error::Stop;
use crate::target::refusal;
use sqlx::PgConnection;
use std::collections::HashMap;

/// What a checkpoint of this table is called.
pub fn origin(database: &str, table: &str, column: &str) -> String {
    format!("govctl/{database}/{table}/{column}")
}

/// The table in an origin, as `schema.table`.
pub fn table(origin: &str) -> Option<&str> {
    let (_, rest) = origin.strip_prefix("govctl/")?.split_once('/')?;
    rest.rsplit_once('/').map(|(table, _)| table)
}

/// Whether a checkpoint is of this chain; the database may have another name after a restore.
pub fn concerns(checkpoint: &Checkpoint, table: &str, column: &str) -> bool {
    checkpoint.origin.ends_with(&format!("/{table}/{column}"))
}

/// The sizes at which roots are needed, by chain.
pub fn sizes(checkpoints: &[&Checkpoint]) -> HashMap<Vec<u8>, Vec<u64>> {
    let mut sizes: HashMap<Vec<u8>, Vec<u64>> = HashMap::new();
    for checkpoint in checkpoints {
        if checkpoint.marks.is_empty() {
            sizes.entry(Vec::new()).or_default().push(checkpoint.size);
        }
        for mark in &checkpoint.marks {
            sizes.entry(mark.key.clone()).or_default().push(mark.tree.size());
        }
    }
    sizes
}

/// What one chain should have been.
struct Expected {
    key: Vec<u8>,
    partition: Option<String>,
    size: u64,
    root: Hash,
    position: String,
    hash: Option<Digest>,
}

impl Expected {
    fn of(mark: &Mark) -> Self {
        Self {
            key: mark.key.clone(),
            partition: mark.partition.clone(),
            size: mark.tree.size(),
            root: mark.tree.root(),
            position: mark.position.shown(),
            hash: Some(mark.hash),
        }
    }
}

/// Compares every checkpoint at its own size, whatever came after it.
pub fn compare(checkpoints: &[&Checkpoint], outcome: &Outcome, report: &mut ChainReport) {
    let mut newest: Option<(&Checkpoint, u64)> = None;
    let mut disagrees = false;
    let mut agreed: HashMap<Vec<u8>, u64> = HashMap::new();
    let mut by_size = checkpoints.to_vec();
    by_size.sort_by_key(|checkpoint| checkpoint.rows());
    for checkpoint in by_size {
        let mut expected: Vec<Expected> = checkpoint.marks.iter().map(Expected::of).collect();
        if expected.is_empty() {
            expected.push(Expected {
                key: Vec::new(),
                partition: None,
                size: checkpoint.size,
                root: checkpoint.root,
                position: checkpoint.size.to_string(),
                hash: None,
            });
        }
        for Expected { key, partition, size, root, position, hash } in expected {
            let grown = outcome.trees.get(&key).map_or(0, super::merkle::Tree::size);
            let found = outcome.roots.get(&(key.clone(), size));
            let still = |(digest, at, of): &(Digest, Position, Vec<u8>)| {
                Some(*digest) == hash && at.shown() == position && *of == key
            };
            let kind = match found {
                Some(found) if *found == root => {
                    agreed.entry(key).and_modify(|agreed| *agreed = size.max(*agreed)).or_insert(size);
                    continue;
                }
                Some(_) => BreakKind::Rewritten,
                None if size == 0 => continue,
                // Its last row is where it was: what is missing is missing before it.
                None if outcome.segment.heads.iter().any(still) => BreakKind::Rewritten,
                None => BreakKind::Truncated,
            };
            disagrees = true;
            let mut detail = match (kind, found) {
                (BreakKind::Truncated, _) => {
                    format!("the checkpoint saw {size} rows up to {position}; there are {grown}")
                }
                (_, None) => format!("the checkpoint saw {size} rows up to this one; there are {grown}"),
                _ => format!("the first {size} rows are not those the checkpoint saw"),
            };
            if let Some(agreed) = agreed.get(&key) {
                detail += &format!("; the first {agreed} are, by an older checkpoint");
            }
            let known = |it: &Break| it.kind == kind && it.at == position && it.partition == partition;
            if !report.breaks.iter().any(known) {
                report.breaks.push(Break {
                    kind,
                    at: position,
                    partition,
                    detail,
                    cause: Some(match kind {
                        BreakKind::Truncated => {
                            "rows were removed, or the table was restored from an older copy".to_owned()
                        }
                        _ => "rows were changed and every hash behind them computed anew, or rows were removed"
                            .to_owned(),
                    }),
                    before: None,
                    after: None,
                    look: None,
                });
                report.breaks_total += 1;
            }
        }
        let rows = checkpoint.rows();
        if newest.is_none_or(|(_, known)| rows > known) {
            newest = Some((checkpoint, rows));
        }
    }
    let Some((checkpoint, rows)) = newest else { return };
    let signed = checkpoint.signer.as_ref().map_or_else(
        || "its signature was not checked (--trust FILE)".to_owned(),
        |signer| format!("signed by {signer}"),
    );
    let newer = report.rows.saturating_sub(rows);
    report.tail =
        Tail { pinned: true, detail: Some(format!("checkpoint of {rows} rows, {signed}; {newer} rows are newer")) };
    if disagrees {
        report.verdict = Verdict::Broken;
    }
}

/// The marks of a table as it is now.
pub fn marks(chain: &Chain, outcome: &Outcome) -> Vec<Mark> {
    let mark = |(key, thread): (&Vec<u8>, &Thread)| {
        let values: Vec<&str> = thread.partition.iter().map(|value| value.as_deref().unwrap_or("null")).collect();
        Some(Mark {
            key: key.clone(),
            partition: Some(values.join(", ")).filter(|_| !chain.partition.is_empty()),
            tree: outcome.trees.get(key)?.clone(),
            position: thread.last.clone(),
            hash: thread.last_hash?,
        })
    };
    let mut marks: Vec<Mark> = outcome.segment.threads.iter().filter_map(mark).collect();
    marks.sort_by(|a, b| a.key.cmp(&b.key));
    marks
}

/// What became of the row a checkpoint ends with; none where it is as it was.
///
/// # Errors
/// The session is lost.
pub async fn end_of(connection: &mut PgConnection, chain: &Chain, mark: &Mark) -> Result<Option<BreakKind>, Stop> {
    let (hash, is) = (&chain.items[chain.hash].sql, chain.is_at(&mark.position));
    let query = format!("select {hash} from {} where {is} limit 2", chain.from());
    let rows = stream::rows(connection, &query).await.map_err(refusal::lost)?;
    let is_bytes = chain.items[chain.hash].kind == Kind::Bytes;
    let hash = rows.first().and_then(|row| encoding::decode(row.get(0)?, is_bytes)).map(|(digest, _)| digest);
    Ok(match (rows.len(), hash) {
        (0, _) => Some(BreakKind::Truncated),
        (_, hash) if hash == Some(mark.hash) => None,
        _ => Some(BreakKind::Rewritten),
    })
}
