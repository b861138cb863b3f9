//! Why an area could not be read, and the statement that would show it.

use super::area::Area;
use crate::error::Stop;
use crate::target::refusal;
use sqlx::{PgConnection, Row};

/// Whether a lock was waited for in vain.
pub(super) fn is_lock(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "55P03")
}

/// The rows of `unseen` for an area that ended in `error`. `sql` is what was asked.
pub(super) async fn explain(
    connection: &mut PgConnection,
    area: &Area,
    sql: &str,
    error: sqlx::Error,
) -> Result<Vec<Vec<Option<String>>>, Stop> {
    let row = |object: Option<String>, why: String, needs: String| {
        vec![Some(area.about.to_owned()), object, Some(why), Some(needs)]
    };
    let code = error.as_database_error().and_then(|e| e.code()).unwrap_or_default().into_owned();
    let what = area.what;
    Ok(match code.as_str() {
        "42501" => {
            let missing = missing_grants(connection, sql).await?;
            if missing.is_empty() {
                let needs = format!("run govctl as a role that may read {what}");
                return Ok(vec![row(None, format!("permission to read {what} was refused"), needs)]);
            }
            let refused = |(object, grant): (String, String)| {
                let why = format!("permission to read {object} was refused, so {what} are not known");
                row(Some(object), why, grant)
            };
            missing.into_iter().map(refused).collect()
        }
        "57014" => vec![row(
            None,
            format!("reading {what} took longer than the statement timeout, or was cancelled"),
            "a quieter moment, or a longer --statement-timeout".into(),
        )],
        "55P03" => vec![row(
            None,
            format!("another session held a lock that reading {what} had to wait for"),
            "run govctl again when the migration or VACUUM FULL is over".into(),
        )],
        "53200" => vec![row(
            None,
            format!("the server ran out of memory for locks while reading {what}"),
            "raise max_locks_per_transaction".into(),
        )],
        // The message of a catalog query names catalogs and types, never values.
        _ => vec![row(
            None,
            format!("reading {what} failed: {error}"),
            "please report this; govctl does not expect it".into(),
        )],
    })
}

/// Catalogs and functions that `sql` names and the connected role may not use, each with the grant that is missing.
async fn missing_grants(connection: &mut PgConnection, sql: &str) -> Result<Vec<(String, String)>, Stop> {
    let rows = sqlx::raw_sql(include_str!("refused.sql")).fetch_all(&mut *connection).await.map_err(refusal::lost)?;
    let named: std::collections::HashSet<&str> = sql.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let text = |row: &sqlx::postgres::PgRow, column: &str| row.try_get::<String, _>(column).map_err(refusal::lost);
    let mut missing = Vec::new();
    for row in &rows {
        if named.contains(text(row, "name")?.as_str()) {
            missing.push((text(row, "object")?, text(row, "needs")?));
        }
    }
    Ok(missing)
}
