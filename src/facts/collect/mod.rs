//! From the catalogs into the facts, in a constant number of round trips.
//!
//! An area is one `.sql` file and fills one table: its result's column names are the table's. Nothing in Rust knows what
//! an area means. All of them travel in one message; one that is refused costs a further message, never another area.

mod area;
mod refused;

use super::Facts;
use crate::error::Stop;
use crate::target::refusal;
use area::{AREAS, Area, CONDITIONAL};
use futures_util::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Column, Either, PgConnection, Row, ValueRef};

/// Rows of one area: PostgreSQL's own text of each value.
type Rows = Vec<Vec<Option<String>>>;

/// Reads every area of the catalogs. The caller has opened the transaction and set `search_path = ''`.
/// What is refused or times out becomes a row of `unseen`; only a lost session is an error.
pub async fn collect(connection: &mut PgConnection, facts: &mut Facts) -> Result<(), Stop> {
    facts.run(include_str!("staging.sql")).await?;
    read(connection, facts, AREAS.iter()).await?;
    let mut present = Vec::new();
    for (area, schema, relation) in CONDITIONAL {
        if facts.has_relation(schema, relation).await? {
            present.push(area);
        }
    }
    read(connection, facts, present.into_iter()).await?;
    facts.run(include_str!("settle.sql")).await
}

/// Reads `areas` in one message; after each refusal, the rest in another.
async fn read(
    connection: &mut PgConnection,
    facts: &mut Facts,
    areas: impl Iterator<Item = &'static Area>,
) -> Result<(), Stop> {
    let version = connection.server_version_num().unwrap_or(0);
    let mut waiting: Vec<_> =
        areas.map(|area| (area, area.for_server(version))).filter(|(_, sql)| !sql.is_empty()).collect();
    let mut first = "savepoint area";
    let mut refusals = Vec::new();
    while !waiting.is_empty() {
        let message = waiting.iter().fold(first.to_owned(), |message, (_, sql)| message + "\n;\n" + sql);
        let (done, error) = run(connection, facts, &waiting, message).await?;
        waiting.drain(..done);
        if let Some(error) = error {
            refusals.push((waiting.remove(0), error));
            first = "rollback to savepoint area";
        }
    }
    for ((area, sql), error) in refusals {
        sqlx::raw_sql("rollback to savepoint area").execute(&mut *connection).await.map_err(refusal::lost)?;
        let rows = refused::explain(connection, area, &sql, error).await?;
        facts.insert("unseen", &["area", "object", "why", "needs"], rows).await?;
    }
    Ok(())
}

/// Sends one message and stores each area as it completes. Gives how many did, and the error that ended the others.
async fn run(
    connection: &mut PgConnection,
    facts: &mut Facts,
    areas: &[(&Area, String)],
    message: String,
) -> Result<(usize, Option<sqlx::Error>), Stop> {
    // AssertSqlSafe: put together from constants alone.
    let mut answers = sqlx::raw_sql(AssertSqlSafe(message)).fetch_many(&mut *connection);
    let mut statement = 0; // the savepoint
    let mut columns = Vec::new();
    let mut rows = Rows::new();
    loop {
        match answers.try_next().await {
            Ok(Some(Either::Right(row))) => {
                if rows.is_empty() {
                    columns = row.columns().iter().map(|column| column.name().to_owned()).collect();
                }
                rows.push(texts(&row));
            }
            Ok(Some(Either::Left(_))) => {
                if statement > 0 && !rows.is_empty() {
                    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
                    facts.insert(areas[statement - 1].0.into, &names, std::mem::take(&mut rows)).await?;
                }
                statement += 1;
            }
            Ok(None) => return Ok((areas.len(), None)),
            Err(error) if refusal::is_lost(&error) || statement == 0 => return Err(refusal::lost(error)),
            Err(error) => return Ok((statement - 1, Some(error))),
        }
    }
}

/// The values of a row as PostgreSQL wrote them. In a database without an encoding a name may be no UTF-8.
fn texts(row: &PgRow) -> Vec<Option<String>> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index).ok().filter(|value| !value.is_null())?;
            value.as_bytes().ok().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        })
        .collect()
}
