//! Rows of one action, kind or type that all fail, while no row with that value is explained: one program may hash them in
//! a way of its own, as many hash another member where somebody logs in.

use super::definition::Chain;
use super::links::condition;
use super::segment::{Fault, Segment};
use crate::check::quote;
use crate::error::Stop;
use crate::target::refusal;
use sqlx::{AssertSqlSafe, PgConnection};
use std::collections::BTreeMap;

/// Fewer rows of one value are no sort.
const FEWEST: usize = 3;

/// Failing rows whose values are read.
const READ: usize = 200;

/// Rows for each value that a column has on average, for its values to be sorts of rows.
const ALIKE: i64 = 10;

/// Failing rows of one value, and all of them.
#[derive(Debug)]
pub struct Variant {
    /// The column of the value.
    pub column: String,
    /// Numbers of the faults.
    pub faults: Vec<usize>,
}

/// Of these faults those that are all the rows of a value, in a column that is hashed and has few values.
///
/// # Errors
/// The session is lost.
pub async fn find(
    connection: &mut PgConnection,
    chain: &Chain,
    segment: &Segment,
    faults: &[usize],
) -> Result<Vec<Variant>, Stop> {
    let hashed = chain.watched.first().map(Vec::as_slice).unwrap_or_default();
    let others = |at: &&usize| !chain.order.contains(at) && !chain.partition.contains(at);
    let mut columns: Vec<&str> =
        hashed.iter().filter(others).filter_map(|at| chain.column(*at)).map(|column| column.name.as_str()).collect();
    columns.dedup();
    // Who changes rows is counted, until the counts are reset.
    let changed = usize::try_from(chain.relation.changed).unwrap_or(0);
    if faults.len() < FEWEST || changed >= faults.len() || columns.is_empty() {
        return Ok(Vec::new());
    }
    let read = &faults[..faults.len().min(READ)];
    let rows = values(connection, chain, segment, read, &columns).await?;
    let mut candidates: Vec<(usize, &str, Vec<usize>)> = Vec::new();
    for column in 0..columns.len() {
        let mut sorts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (fault, values) in &rows {
            if let Some(value) = values.get(column).and_then(Option::as_deref) {
                sorts.entry(value).or_default().push(*fault);
            }
        }
        let many = sorts.into_iter().filter(|(_, faults)| faults.len() >= FEWEST);
        candidates.extend(many.map(|(value, faults)| (column, value, faults)));
    }
    // All rows of these values are counted in one pass.
    let counts: Vec<String> = candidates
        .iter()
        .flat_map(|(column, value, _)| {
            let column = quote::ident(columns[*column]);
            [
                format!("count(*) filter (where t.{column}::text = {})", quote::literal(value)),
                format!("count(distinct t.{column}::text)"),
            ]
        })
        .chain(["count(*)".to_owned()])
        .collect();
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("select array[{}] from {} t", counts.join(", "), chain.relation.sql());
    let counts: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(refusal::lost)?;
    let all = counts.last().copied().unwrap_or(0);
    let (mut found, mut taken): (Vec<Variant>, Vec<usize>) = (Vec::new(), Vec::new());
    for ((column, _, of), count) in candidates.into_iter().zip(counts.chunks(2)) {
        let [rows, distinct] = count else { continue };
        // Where not all were read, those that were stand for the others if all of them are of one value.
        let (of, failing) = match (read.len() == faults.len(), of.len() == read.len()) {
            (true, _) => (of.clone(), of.len() as u64),
            (false, true) => (faults.to_vec(), segment.flawed),
            (false, false) => continue,
        };
        if u64::try_from(*rows) == Ok(failing) && distinct * ALIKE <= all && !of.iter().any(|at| taken.contains(at)) {
            taken.extend(&of);
            found.push(Variant { column: columns[column].to_owned(), faults: of });
        }
    }
    Ok(found)
}

/// The values of these columns in the rows of these faults.
async fn values(
    connection: &mut PgConnection,
    chain: &Chain,
    segment: &Segment,
    faults: &[usize],
    columns: &[&str],
) -> Result<Vec<(usize, Vec<Option<String>>)>, Stop> {
    let is = |fault: &Fault| {
        let and = condition(chain, &fault.partition).replacen(" where ", " and ", 1);
        format!("({}{and})", chain.is_at(&fault.at))
    };
    let is: Vec<(usize, String)> = faults.iter().map(|at| (*at, is(&segment.faults[*at]))).collect();
    let cases: Vec<String> = is.iter().map(|(at, is)| format!("when {is} then {at}")).collect();
    let any: Vec<&str> = is.iter().map(|(_, is)| is.as_str()).collect();
    let texts: Vec<String> = columns.iter().map(|column| format!("t.{}::text", quote::ident(column))).collect();
    let sql = format!(
        "select (case {} end)::int8, array[{}] from {} t where {}",
        cases.join(" "),
        texts.join(", "),
        chain.relation.sql(),
        any.join(" or ")
    );
    let rows: Vec<(i64, Vec<Option<String>>)> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await.map_err(refusal::lost)?;
    Ok(rows.into_iter().filter_map(|(at, values)| Some((usize::try_from(at).ok()?, values))).collect())
}
