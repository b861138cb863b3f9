//! From the catalogs into the facts, in a constant number of round trips.
//!
//! An area is one `.sql` file and fills one table: its result's column names are the table's. Nothing in Rust knows what
//! an area means. All of them travel in one message; one that is refused costs a further message, never another area.

mod area;
mod first_actors;
mod guard;
mod refused;
mod sample;
mod value;
mod watched;

use super::Facts;
use crate::error::Stop;
use crate::secrets::Rules;
use crate::target::{refusal, version};
use area::{AREAS, Area, CONDITIONAL, SUBSCRIPTION_CONNECTIONS};
use futures_util::TryStreamExt;
use guard::{Guard, SURFACES};
use sqlx::{AssertSqlSafe, Either, PgConnection};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use value::Filled;
use watched::Columns;

/// What a message begins with: the first one, one after a refusal, and one after a lock was waited for in vain, since
/// the areas that follow would wait for the same one.
const FIRST: &[&str] = &["savepoint area"];
const AFTER_REFUSAL: &[&str] = &["rollback to savepoint area"];
const AFTER_LOCK: &[&str] = &["rollback to savepoint area", "set local lock_timeout = '100ms'"];

/// What it ends with: decompiling a view locks the tables it reads, until here.
const LAST: &str = "rollback to savepoint area";

/// What may be read, and what counts as a secret in it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'r> {
    /// Rows of tables, a bounded sample of each.
    pub rows: bool,
    /// When actors of each kind first stand in the logs.
    pub actors: bool,
    /// What a secret looks like.
    pub rules: &'r Rules,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self { rows: true, actors: true, rules: Rules::own() }
    }
}

/// Reads every area of the catalogs and a sample of rows. The caller has opened the transaction and set `search_path = ''`.
/// What is refused or times out becomes a row of `unseen`; only a lost session is an error.
pub async fn collect(connection: &mut PgConnection, facts: &mut Facts) -> Result<(), Stop> {
    collect_wanted(connection, facts, Wanted::default()).await
}

/// The same, where not everything may be read or a user has rules of his own.
pub async fn collect_wanted(connection: &mut PgConnection, facts: &mut Facts, wanted: Wanted<'_>) -> Result<(), Stop> {
    let mut guard = Guard::new(wanted.rules);
    facts.run(include_str!("staging.sql")).await?;
    let refused = read(connection, facts, &mut guard, AREAS.iter()).await?;
    let mut present = Vec::new();
    for (area, schema, relation) in CONDITIONAL {
        if refused.contains(&"relations") || facts.has_relation(schema, relation).await? {
            present.push(area);
        }
    }
    if facts.has_subscriptions().await? {
        present.push(&SUBSCRIPTION_CONNECTIONS);
    }
    read(connection, facts, &mut guard, present.into_iter()).await?;
    facts.run(include_str!("settle.sql")).await?;
    if wanted.rows {
        sample::sample(connection, facts, &mut guard).await?;
    } else {
        facts.run(include_str!("no_rows.sql")).await?;
    }
    if wanted.actors {
        first_actors::look(connection, facts).await?;
    } else {
        facts.run(include_str!("no_actors.sql")).await?;
    }
    const COLUMNS: &[&str] =
        &["place", "object_kind", "object", "column_number", "part", "rule", "title", "count", "fingerprint"];
    facts.insert("secrets", COLUMNS, guard.into_rows()).await
}

/// Reads `areas` in one message; after each refusal, the rest in another. Gives the tables that stayed empty.
async fn read(
    connection: &mut PgConnection,
    facts: &mut Facts,
    guard: &mut Guard<'_>,
    areas: impl Iterator<Item = &'static Area>,
) -> Result<Vec<&'static str>, Stop> {
    let version = version(connection).await.map_err(refusal::lost)?;
    let statements = areas.map(|area| (area, area.for_server(version)));
    let mut waiting: Vec<_> = statements.filter(|(_, sql)| !sql.is_empty()).collect();
    let mut start = FIRST;
    let mut refusals = Vec::new();
    while !waiting.is_empty() {
        let (done, error) = run(connection, facts, guard, start, &waiting).await?;
        waiting.drain(..done);
        if let Some(error) = error {
            start = if refused::is_lock(&error) || start == AFTER_LOCK { AFTER_LOCK } else { AFTER_REFUSAL };
            refusals.push((waiting.remove(0), error));
        }
    }
    let refused = refusals.iter().map(|((area, _), _)| area.into).collect();
    for ((area, sql), error) in refusals {
        sqlx::raw_sql("rollback to savepoint area").execute(&mut *connection).await.map_err(refusal::lost)?;
        let rows = refused::explain(connection, area, &sql, error).await?;
        facts.insert("unseen", &["area", "object", "why", "needs"], rows).await?;
    }
    Ok(refused)
}

/// Sends one message and stores each area as it completes, while the server is busy with the next. Gives how many did,
/// and the error that ended the others.
async fn run(
    connection: &mut PgConnection,
    facts: &mut Facts,
    guard: &mut Guard<'_>,
    start: &[&str],
    areas: &[(&Area, String)],
) -> Result<(usize, Option<sqlx::Error>), Stop> {
    let (sender, mut receiver) = unbounded_channel::<Filled>();
    let store = async {
        while let Some(Filled { table, columns, values }) = receiver.recv().await {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            facts.insert_values(table, &columns, values).await?;
        }
        Ok::<_, Stop>(())
    };
    let (done, stored) = tokio::join!(receive(connection, sender, guard, start, areas), store);
    stored?;
    done
}

/// Sends one message and passes on each area as it completes.
async fn receive(
    connection: &mut PgConnection,
    sender: UnboundedSender<Filled>,
    guard: &mut Guard<'_>,
    start: &[&str],
    areas: &[(&Area, String)],
) -> Result<(usize, Option<sqlx::Error>), Stop> {
    let statements = start.iter().copied().chain(areas.iter().map(|(_, sql)| sql.as_str())).chain([LAST]);
    // A line of its own for the semicolon: a statement may end in a remark.
    let message = statements.collect::<Vec<_>>().join("\n;\n");
    // AssertSqlSafe: put together from constants alone.
    let mut answers = sqlx::raw_sql(AssertSqlSafe(message)).fetch_many(&mut *connection);
    let mut completed = 0;
    let mut header = Vec::new();
    let mut watched = Columns::default();
    let mut found = Vec::new();
    loop {
        match answers.try_next().await {
            Ok(Some(Either::Right(row))) => {
                let table = areas[completed - start.len()].0.into;
                if found.is_empty() {
                    header = value::header(&row);
                    watched = Columns::of(table, &header);
                }
                found.extend(value::values(&row, &header));
                if table == SURFACES {
                    guard.surface(&found);
                    found.clear();
                } else {
                    guard.row(&watched, &mut found);
                }
            }
            Ok(Some(Either::Left(_))) => {
                if !found.is_empty() {
                    let columns = header.iter().map(|(name, _)| name.clone()).collect();
                    let table = areas[completed - start.len()].0.into;
                    // Nobody takes it where storing has failed, which is told there.
                    let _ = sender.send(Filled { table, columns, values: std::mem::take(&mut found) });
                }
                completed += 1;
            }
            Ok(None) => return Ok((areas.len(), None)),
            Err(error) => {
                let an_area = completed >= start.len() && completed < start.len() + areas.len();
                return match an_area && !refusal::is_lost(&error) {
                    true => Ok((completed - start.len(), Some(error))),
                    false => Err(refusal::lost(error)),
                };
            }
        }
    }
}
