//! What was read of tables so far, in a file, so that a run that was interrupted can be gone on with.
//!
//! One line a chain: everything up to a number, as a [`Shard`]. Whoever goes on counts the rows up to there: if there
//! are not as many as were read, all is read again.

use super::algorithm::Digest;
use super::definition::Chain;
use super::ranges;
use super::segment::Segment;
use super::shard::{self, Part, Shard};
use super::value::Kind;
use crate::error::Stop;
use crate::target::refusal;
use sqlx::{AssertSqlSafe, PgConnection};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The file, and what it holds.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    shards: Mutex<Vec<Shard>>,
    failed: Mutex<Option<io::Error>>,
}

const BEFORE: Part = Part { number: 1, of: 2, until: None };
const BEHIND: Part = Part { number: 2, of: 2, until: None };

impl Kept {
    /// The file as it was left; empty where there is none yet.
    ///
    /// # Errors
    /// It cannot be read, or holds something else.
    pub fn open(path: &Path) -> Result<Self, Stop> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(cause) => return Err(Stop::Unreadable { path: path.display().to_string(), cause }),
        };
        let shards: Option<Vec<Shard>> = text.lines().map(Shard::parse).collect();
        let shards = shards.ok_or_else(|| {
            let help = "name a file that is not there yet, or one that --resume wrote";
            Stop::usage(format!("{} holds no interrupted run", path.display()), help)
        })?;
        Ok(Self { path: path.to_owned(), shards: Mutex::new(shards), failed: Mutex::default() })
    }

    /// What was read of a chain, and why it is of no use where it is not: the recipe, the heads that are looked for or
    /// the number of rows are others now.
    ///
    /// # Errors
    /// The session is lost.
    pub async fn of(
        &self,
        connection: &mut PgConnection,
        chain: &Chain,
        heads: &[Digest],
    ) -> Result<(Option<Shard>, Option<String>), Stop> {
        let column = chain.column(chain.hash).map_or("", |column| column.name.as_str());
        let table = chain.relation.shown();
        let known = self
            .shards
            .lock()
            .ok()
            .and_then(|shards| shards.iter().find(|shard| shard.table == table && shard.column == column).cloned());
        let Some((shard, to)) = known.and_then(|shard| shard.to.map(|to| (shard, to))) else { return Ok((None, None)) };
        let anew =
            |why: &str| Ok((None, Some(format!("{why} since the run that was interrupted: all was read again"))));
        if !shard.may_go_on(chain, heads) {
            return anew("the recipe that is found, or what is looked for, changed");
        }
        let column = chain.sort(chain.order[0]);
        let sql = format!("select count(*) from {} t where {column} <= {to}", chain.relation.sql());
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(refusal::lost)?;
        if u64::try_from(rows) != Ok(shard.rows()) {
            return anew("rows were added or removed up to where it came");
        }
        Ok((Some(shard), None))
    }

    /// Keeps what was read of a chain: `segment` behind what was read `before`.
    pub fn keep(&self, chain: &Chain, before: Option<&Shard>, segment: &Segment, heads: &[Digest]) {
        let Some(whole) = joined(chain, before, segment, heads).ok() else { return };
        let Some(to) = whole.threads.values().filter_map(|thread| thread.last.number).max() else { return };
        let shard = Shard::new(chain, BEFORE, &whole, (None, Some(to)), heads);
        let Ok(mut shards) = self.shards.lock() else { return };
        shards.retain(|known| known.table != shard.table || known.column != shard.column);
        shards.push(shard);
        let text: String = shards.iter().map(Shard::text).collect();
        if let (Err(error), Ok(mut failed)) = (write(&self.path, &text), self.failed.lock()) {
            *failed = Some(error);
        }
    }

    /// All was read: nothing is left to go on with.
    ///
    /// # Errors
    /// It could not be written on the way.
    pub fn close(&self, interrupted: bool) -> Result<(), Stop> {
        if let Some(cause) = self.failed.lock().ok().and_then(|mut failed| failed.take()) {
            return Err(Stop::Unwritten { what: self.path.display().to_string(), cause, audited: true });
        }
        if !interrupted
            && let Err(cause) = std::fs::remove_file(&self.path)
            && cause.kind() != io::ErrorKind::NotFound
        {
            return Err(Stop::Unwritten { what: self.path.display().to_string(), cause, audited: true });
        }
        Ok(())
    }
}

/// Whether a run over this chain can be gone on with: one whole number orders all rows of the table.
pub fn may(chain: &Chain) -> bool {
    chain.is_numbered()
        && chain.items[chain.order[0]].kind == Kind::Int
        && !ranges::by_partition(chain)
        && !chain.formulas.iter().any(super::recipe::Formula::needs_last)
}

/// The rows behind what was read before.
pub fn behind(chain: &Chain, before: &Shard) -> Option<String> {
    let column = chain.sort(chain.order[0]);
    before.to.map(|to| format!("({column} > {to} or {column} is null)"))
}

/// Both as if they had been read at once.
///
/// # Errors
/// They do not belong together: why, in a sentence.
pub fn joined(chain: &Chain, before: Option<&Shard>, segment: &Segment, heads: &[Digest]) -> Result<Segment, String> {
    let Some(before) = before else { return Ok(segment.clone()) };
    let from = before.to.and_then(|to| to.checked_add(1));
    let rest = Shard::new(chain, BEHIND, segment, (from, None), heads);
    shard::join(chain, &[before, &rest], heads)
}

/// Whole or not at all.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}
