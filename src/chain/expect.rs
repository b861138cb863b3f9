//! Heads that are known from outside, and what is left of them.

use super::algorithm::Digest;
use super::definition::Chain;
use super::segment::Segment;
use super::verdict::{Break, BreakKind, ChainReport, Tail, Verdict};
use crate::check::quote;
use crate::error::Stop;
use crate::target::refusal;
use sqlx::{AssertSqlSafe, PgConnection};

/// A head that is known from outside.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Of which table; any where there is none.
    pub table: Option<String>,
    /// Where it was.
    pub position: Option<String>,
    /// Its hash.
    pub hash: Digest,
    /// As it was given.
    pub given: String,
}

/// Whether an expected head is meant for this chain.
pub fn concerns(expected: &Expected, report: &ChainReport) -> bool {
    let bare = report.table.rsplit('.').next().unwrap_or_default();
    expected.table.as_ref().is_none_or(|table| *table == report.table || table == bare)
}

/// Heads that were expected and found nowhere: cut off with the rows behind them, or rewritten.
pub fn expectations(reports: &mut [ChainReport], expected: &[Expected]) {
    for expected in expected {
        let found = reports.iter().any(|report| {
            concerns(expected, report)
                && report.tail.pinned
                && report.tail.detail.is_some()
                && report.found.contains(&expected.hash.hex())
        });
        if found {
            continue;
        }
        let concerned: Vec<usize> = (0..reports.len()).filter(|at| concerns(expected, &reports[*at])).collect();
        let [at] = concerned.as_slice() else { continue };
        let report = &mut reports[*at];
        let place = expected.position.clone();
        let end = report.head.as_ref().map(|head| head.position.clone());
        // A place that is still there holds another hash: rewritten. A place behind the end is gone.
        let still = place.as_ref().is_some_and(|place| report.retaken.contains(place));
        let kind = if still { BreakKind::Rewritten } else { BreakKind::Truncated };
        let detail = match kind {
            BreakKind::Rewritten => "the row at this place has another hash than the one that was expected".to_owned(),
            _ => format!(
                "the expected head {}… is gone{}",
                expected.hash.brief(),
                end.as_ref().map(|end| format!("; the last row is {end}")).unwrap_or_default()
            ),
        };
        report.breaks.push(Break {
            kind,
            at: place.or_else(|| end.clone()).unwrap_or_else(|| "end".to_owned()),
            partition: None,
            detail,
            cause: Some("rows were cut off the end, the table was restored from an older copy, or its hashes were computed anew".to_owned()),
            before: end,
            after: None,
            look: None,
        });
        report.breaks_total += 1;
        report.verdict = Verdict::Broken;
        report.tail.pinned = true;
        report.tail.detail = Some("the expected head was compared and is not there".to_owned());
    }
}

/// Heads that were found, and places of those that were not where a row of another hash stands now.
///
/// # Errors
/// The session is lost.
pub async fn look(
    connection: &mut PgConnection,
    chain: &Chain,
    segment: &Segment,
    expected: &[Expected],
    report: &mut ChainReport,
) -> Result<(), Stop> {
    for expected in expected.iter().filter(|expected| concerns(expected, report)).collect::<Vec<_>>() {
        let found = segment.heads.iter().find(|(digest, at, _)| {
            *digest == expected.hash && expected.position.as_ref().is_none_or(|position| *position == at.shown())
        });
        if let Some((digest, at, _)) = found {
            report.found.push(digest.hex());
            report.tail = Tail { pinned: true, detail: Some(format!("the expected head is row {}", at.shown())) };
        } else if let Some(place) = &expected.position
            && is_taken(connection, chain, place).await?
        {
            report.retaken.push(place.clone());
        }
    }
    Ok(())
}

/// Whether one row of the table, and no more, stands at a place.
async fn is_taken(connection: &mut PgConnection, chain: &Chain, place: &str) -> Result<bool, Stop> {
    let keys: Vec<&str> = place.split(", ").collect();
    if keys.len() != chain.order.len() {
        return Ok(false);
    }
    let by: Vec<String> = chain
        .order
        .iter()
        .zip(keys)
        .map(|(at, key)| format!("{} = {}", chain.items[*at].sql.trim_end_matches("::text"), quote::literal(key)))
        .collect();
    let sql = format!("select count(*) = 1 from {} t where {}", chain.relation.sql(), by.join(" and "));
    sqlx::raw_sql("savepoint place").execute(&mut *connection).await.map_err(refusal::lost)?;
    // A place that is no value of the column is no place.
    let (taken, back) = match sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await {
        Ok(taken) => (taken, "release savepoint place"),
        Err(_) => (false, "rollback to savepoint place; release savepoint place"),
    };
    sqlx::raw_sql(back).execute(connection).await.map_err(refusal::lost)?;
    Ok(taken)
}
