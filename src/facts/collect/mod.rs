//! From the catalogs into the facts, in a constant number of round trips.
//!
//! An area is one `.sql` file and fills one table: its result's column names are the table's. Nothing in Rust knows what
//! an area means. All of them travel in one message, or in two by two connections; one that is refused costs a further
//! message, never another area.

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
use area::{AREAS, Area, CONDITIONAL, OF_ROWS, SUBSCRIPTION_CONNECTIONS};
use futures_util::TryStreamExt;
use guard::{Guard, SURFACES};
use sample::{EMPTY, OfRows};
use sqlx::{AssertSqlSafe, Either, PgConnection};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use value::Filled;

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
    collect_wanted(connection, None, facts, Wanted::default()).await
}

/// The same, where not everything may be read or a user has rules of his own; by two connections, where `beside` sees the
/// same snapshot as the first.
pub async fn collect_wanted(
    connection: &mut PgConnection,
    beside: Option<&mut PgConnection>,
    facts: &mut Facts,
    wanted: Wanted<'_>,
) -> Result<(), Stop> {
    let mut guard = Guard::new(wanted.rules);
    facts.run(include_str!("staging.sql")).await?;
    let mut rows = OfRows::default();
    let of_rows = OF_ROWS.iter().filter(|_| wanted.rows);
    let refused = read(connection, beside, facts, &mut guard, &mut rows, AREAS.iter().chain(of_rows)).await?;
    let mut present = Vec::new();
    for (area, schema, relation) in CONDITIONAL {
        if refused.contains(&"relations") || facts.has_relation(schema, relation).await? {
            present.push(area);
        }
    }
    if facts.has_subscriptions().await? {
        present.push(&SUBSCRIPTION_CONNECTIONS);
    }
    read(connection, None, facts, &mut guard, &mut rows, present.into_iter()).await?;
    facts.run(include_str!("settle.sql")).await?;
    if wanted.rows {
        sample::sample(connection, facts, &mut guard, &rows).await?;
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

/// What is to be asked: the area, and its statement for this server.
type Question = (&'static Area, String);

/// What was found in one area, if anything. A connection brings those of its share in their order, refused ones as well.
type Answer = Option<Filled>;

/// Reads `areas` and stores them in their order. Gives the tables that stayed empty.
async fn read(
    connection: &mut PgConnection,
    beside: Option<&mut PgConnection>,
    facts: &mut Facts,
    guard: &mut Guard<'_>,
    rows: &mut OfRows,
    areas: impl Iterator<Item = &'static Area>,
) -> Result<Vec<&'static str>, Stop> {
    let version = version(connection).await.map_err(refusal::lost)?;
    let questions: Vec<Question> =
        areas.map(|area| (area, area.for_server(version))).filter(|(_, sql)| !sql.is_empty()).collect();
    let is_aside: Vec<bool> = questions.iter().map(|(area, _)| beside.is_some() && area.is_aside()).collect();
    let share = |aside| (0..questions.len()).filter(|at| is_aside[*at] == aside).collect::<Vec<_>>();
    let ((sender, first), (sender_beside, second)) = (unbounded_channel(), unbounded_channel());
    let other = async {
        match beside {
            Some(beside) => ask(beside, sender_beside, &questions, share(true)).await,
            None => Ok(Vec::new()),
        }
    };
    let (refused, refused_beside, stored) = tokio::join!(
        ask(connection, sender, &questions, share(false)),
        other,
        store(facts, guard, rows, &is_aside, [first, second]),
    );
    let mut refusals = refused?;
    refusals.extend(refused_beside?);
    stored?;
    refusals.sort_by_key(|(at, _)| *at);
    let tables = refusals.iter().map(|(at, _)| questions[*at].0.into).collect();
    for (at, error) in refusals {
        let (area, sql) = &questions[at];
        sqlx::raw_sql("rollback to savepoint area").execute(&mut *connection).await.map_err(refusal::lost)?;
        // Where it is not known which tables are empty, all of them are read.
        if area.into == EMPTY {
            continue;
        }
        let rows = refused::explain(connection, area, sql, error).await?;
        facts.insert("unseen", &["area", "object", "why", "needs"], rows).await?;
    }
    Ok(tables)
}

/// Stores each area as it comes, while the server is busy with the next. In their order, whichever connection brings them:
/// names are known before the texts that mention them, and what is found twice has the same number in every run.
async fn store(
    facts: &mut Facts,
    guard: &mut Guard<'_>,
    rows: &mut OfRows,
    is_aside: &[bool],
    mut from: [UnboundedReceiver<Answer>; 2],
) -> Result<(), Stop> {
    for is_aside in is_aside {
        // A connection that is lost says so itself.
        let Some(found) = from[usize::from(*is_aside)].recv().await else { return Ok(()) };
        let Some(mut filled) = found.and_then(|found| rows.keep(found)) else { continue };
        if filled.table == SURFACES {
            guard.surfaces(&filled);
        } else {
            guard.rows(&mut filled);
            let columns: Vec<&str> = filled.header.iter().map(|(name, _)| name.as_str()).collect();
            facts.insert_values(filled.table, &columns, filled.values).await?;
        }
    }
    Ok(())
}

/// Asks for the areas at these positions in one message; after each refusal, for the rest in another. Gives the refusals.
async fn ask(
    connection: &mut PgConnection,
    sender: UnboundedSender<Answer>,
    questions: &[Question],
    mut waiting: Vec<usize>,
) -> Result<Vec<(usize, sqlx::Error)>, Stop> {
    let mut start = FIRST;
    let mut refusals = Vec::new();
    while !waiting.is_empty() {
        let (done, error) = receive(connection, &sender, start, questions, &waiting).await?;
        waiting.drain(..done);
        if let Some(error) = error {
            start = if refused::is_lock(&error) || start == AFTER_LOCK { AFTER_LOCK } else { AFTER_REFUSAL };
            let refused = waiting.remove(0);
            let _ = sender.send(None);
            refusals.push((refused, error));
        }
    }
    Ok(refusals)
}

/// Sends one message and passes on each area as it completes. Gives how many did, and the error that ended the others.
async fn receive(
    connection: &mut PgConnection,
    sender: &UnboundedSender<Answer>,
    start: &[&str],
    questions: &[Question],
    waiting: &[usize],
) -> Result<(usize, Option<sqlx::Error>), Stop> {
    let areas = waiting.iter().map(|at| questions[*at].1.as_str());
    let statements = start.iter().copied().chain(areas).chain([LAST]);
    // A line of its own for the semicolon: a statement may end in a remark.
    let message = statements.collect::<Vec<_>>().join("\n;\n");
    // AssertSqlSafe: put together from constants alone.
    let mut answers = sqlx::raw_sql(AssertSqlSafe(message)).fetch_many(&mut *connection);
    let mut completed = 0;
    let mut found: Option<Filled> = None;
    // Which of those waiting the server is at; none before the first and after the last.
    let at = |completed: usize| completed.checked_sub(start.len()).and_then(|at| waiting.get(at)).copied();
    loop {
        match answers.try_next().await {
            Ok(Some(Either::Right(row))) => {
                if let Some(at) = at(completed) {
                    found.get_or_insert_with(|| Filled::new(questions[at].0.into, &row)).push(&row);
                }
            }
            Ok(Some(Either::Left(_))) => {
                if at(completed).is_some() {
                    // Nobody takes it where storing has failed, which is told there.
                    let _ = sender.send(found.take());
                }
                completed += 1;
            }
            Ok(None) => return Ok((waiting.len(), None)),
            Err(error) => {
                return match at(completed).is_some() && !refusal::is_lost(&error) {
                    true => Ok((completed - start.len(), Some(error))),
                    false => Err(refusal::lost(error)),
                };
            }
        }
    }
}
