//! Connections that only read, and rows from them as binary COPY.

use super::value::{Fields, Row};
use crate::error::Stop;
use crate::target::refusal;
use futures_util::StreamExt;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgConnection};

/// The bytes before the first row: signature, flags, length of the extension.
pub(super) const HEADER: usize = 19;

/// Everything that changes how a value is spelled is pinned; rows hidden by a policy become an error.
pub(super) fn begin(time_zone: &str, snapshot: Option<&str>) -> String {
    let snapshot =
        snapshot.map(|snapshot| format!("set transaction snapshot {};", crate::check::quote::literal(snapshot)));
    format!(
        "begin isolation level repeatable read read only; {}
         set local search_path = ''; set local row_security = off; set local client_encoding = 'UTF8';
         set local timezone = {}; set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres';
         set local extra_float_digits = 1; set local bytea_output = 'hex'; set local standard_conforming_strings = on;
         set local statement_timeout = 0; set local lock_timeout = '5s'; set local idle_in_transaction_session_timeout = 0;
         set local jit = off; set local max_parallel_workers_per_gather = 0; set local cursor_tuple_fraction = 1",
        snapshot.unwrap_or_default(),
        crate::check::quote::literal(time_zone)
    )
}

/// A connection with its transaction begun.
///
/// # Errors
/// No session, or a snapshot that is gone.
pub async fn open(options: &PgConnectOptions, time_zone: &str, snapshot: Option<&str>) -> Result<PgConnection, Stop> {
    begun(options, &begin(time_zone, snapshot)).await
}

/// A connection that has carried out `begin`.
pub(super) async fn begun(options: &PgConnectOptions, begin: &str) -> Result<PgConnection, Stop> {
    let mut connection = crate::target::connect(options.clone()).await?;
    sqlx::raw_sql(AssertSqlSafe(begin.to_owned())).execute(&mut connection).await.map_err(refusal::lost)?;
    Ok(connection)
}

/// Runs `COPY (query) TO STDOUT (FORMAT binary)` and shows every row to `row`, which says whether to go on.
///
/// # Errors
/// Those of the server. The connection is of no more use then.
pub async fn copy(
    connection: &mut PgConnection,
    query: &str,
    mut row: impl FnMut(&[u8]) -> bool,
) -> Result<(), sqlx::Error> {
    let sql = format!("copy ({query}) to stdout (format binary)");
    let mut stream = connection.copy_out_raw(&sql).await?;
    let mut header = HEADER;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        let data = chunk.get(header..).unwrap_or_default();
        header = 0;
        // The trailer is a field count of -1.
        if data.is_empty() || data.starts_with(&[0xff, 0xff]) {
            continue;
        }
        if !row(data) {
            break;
        }
    }
    Ok(())
}

/// A few rows, kept. The query is first carried out where its rows are only counted, so that one that fails leaves the
/// connection usable: a COPY that fails does not.
///
/// # Errors
/// The query cannot run, or fails at a row; the connection is still of use then, by a savepoint.
pub async fn rows(connection: &mut PgConnection, query: &str) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::raw_sql("savepoint govctl").execute(&mut *connection).await?;
    // Counting whole rows computes every column.
    let tried = AssertSqlSafe(format!("select count(q) from ({query}) q"));
    if let Err(error) = sqlx::raw_sql(tried).execute(&mut *connection).await {
        sqlx::raw_sql("rollback to savepoint govctl; release savepoint govctl").execute(connection).await?;
        return Err(error);
    }
    // A snapshot cannot be exported from inside a savepoint.
    sqlx::raw_sql("release savepoint govctl").execute(&mut *connection).await?;
    let mut rows = Vec::new();
    copy(connection, query, |tuple| {
        let mut row = Row { tuple: tuple.to_vec(), fields: Fields::default() };
        if row.fields.read(tuple) {
            rows.push(row);
        }
        true
    })
    .await?;
    Ok(rows)
}
