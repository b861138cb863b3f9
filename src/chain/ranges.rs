//! A table cut into runs of rows that can be read at the same time, in the order of its chains.

use super::definition::Chain;
use super::value::Kind;
use super::walk::Reading;
use crate::check::quote;
use crate::error::Stop;
use crate::target::refusal;
use sqlx::{AssertSqlSafe, PgConnection};
use std::sync::Arc;

/// Rows of one run, about: enough to forget the cost of a query, few enough to share them out evenly.
const RUN: f64 = 65_536.0;

/// Below so many rows one connection is as fast as two.
pub const WORTH_SHARING: f64 = 40_000.0;

/// Most runs.
const MOST: f64 = 4096.0;

/// How a table is read.
#[derive(Clone, Debug)]
pub struct Plan {
    /// A query a run, in the order of the chain.
    pub queries: Vec<String>,
    /// How rows come.
    pub reading: Reading,
}

/// What is wanted of a table.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// In which order.
    pub order: Order,
    /// Only rows that fulfil this.
    pub only: Option<&'a str>,
    /// Only rows up to here: those that were there when reading began.
    pub until: Option<&'a str>,
    /// The order of rows may be lost altogether.
    pub loose: bool,
}

/// In which order rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In that of their chains.
    Sorted,
    /// In any that is cheaper: whoever reads them must look.
    Any,
}

/// Every run's query, in the order of the chain or in a cheaper one.
///
/// # Errors
/// The session is lost.
pub async fn plan(connection: &mut PgConnection, chain: &Chain, wanted: Wanted<'_>) -> Result<Plan, Stop> {
    let Wanted { order, only, until, loose } = wanted;
    let sorted = |queries| Plan { queries, reading: Reading::Sorted };
    let both = match (only, until) {
        (Some(only), Some(until)) => Some(format!("{only} and {until}")),
        (one, other) => one.or(other).map(str::to_owned),
    };
    if chain.relation.estimate < WORTH_SHARING {
        return Ok(sorted(vec![query(chain, both.as_deref())]));
    }
    let carries = chain.formulas.iter().any(super::recipe::Formula::needs_last);
    if order == Order::Any && only.is_none() && !carries && chain.relation.kind == 'r' && chain.beside.is_none() {
        if is_stored_in_order(connection, chain).await?
            && let Some(queries) = by_block(connection, chain, until).await?
        {
            return Ok(Plan { queries, reading: Reading::Stored });
        }
        if loose
            && !is_served(chain)
            && super::loose::may(chain)
            && let Some(queries) = by_block(connection, chain, None).await?
        {
            return Ok(Plan { queries, reading: Reading::Loose(Arc::default()) });
        }
    }
    Ok(sorted(by_value(connection, chain, both.as_deref()).await?))
}

/// Tables of so many rows are read in many transactions, not in one that would hold back for long what the server
/// cleans up, and on a standby what it replays.
pub const LONG: f64 = 20_000_000.0;

/// Whether each run of a table may see what is there when it is read: the rows behind a bound that was there at the
/// beginning are settled, and what a chain says of them does not depend on when they are looked at.
pub fn may_be_apart(chain: &Chain) -> bool {
    is_served(chain) && (by_partition(chain) || chain.items[chain.order[0]].kind == Kind::Int)
}

/// Rows that are there now; none where whole chains are read at once, each as it is then.
///
/// # Errors
/// The session is lost.
pub async fn until_now(connection: &mut PgConnection, chain: &Chain) -> Result<Option<String>, Stop> {
    if by_partition(chain) {
        return Ok(None);
    }
    let column = chain.sort(chain.order[0]);
    let sql = format!("select max({column})::int8 from {} t", chain.relation.sql());
    let last: Option<i64> =
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(refusal::lost)?;
    // A row without a number has no place in the order, and is shown wherever it was written.
    Ok(last.map(|last| format!("({column} <= {last} or {column} is null)")))
}

/// Whether rows seem to be stored in their order: reading them so spares the server the index.
async fn is_stored_in_order(connection: &mut PgConnection, chain: &Chain) -> Result<bool, Stop> {
    let Some(column) = chain.column(chain.order[0]) else { return Ok(false) };
    if !chain.is_numbered() || by_partition(chain) {
        return Ok(false);
    }
    let sql = "
        select s.correlation > 0.9999 from pg_catalog.pg_stats s
        where s.schemaname = $1 and s.tablename = $2 and s.attname = $3 and not s.inherited";
    let relation = &chain.relation;
    let asked =
        sqlx::query_scalar::<_, Option<bool>>(sql).bind(&relation.schema).bind(&relation.name).bind(&column.name);
    Ok(asked.fetch_optional(connection).await.map_err(refusal::lost)?.flatten() == Some(true))
}

/// An index has the rows in the order of their chains, or chain by chain.
fn is_served(chain: &Chain) -> bool {
    let by = if by_partition(chain) { chain.partition[0] } else { chain.order[0] };
    let Some(column) = chain.column(by) else { return false };
    chain.relation.indexes.iter().any(|index| index.columns.first() == Some(&column.name))
}

/// Runs of blocks.
async fn by_block(
    connection: &mut PgConnection,
    chain: &Chain,
    until: Option<&str>,
) -> Result<Option<Vec<String>>, Stop> {
    // Ranges of places are read as such since PostgreSQL 14.
    let sql = "
        select pg_catalog.current_setting('server_version_num')::int >= 140000,
          pg_catalog.pg_relation_size($1::int8::oid) / pg_catalog.current_setting('block_size')::int8";
    let relation = &chain.relation;
    let asked = sqlx::query_as::<_, (bool, i64)>(sql).bind(i64::from(relation.oid));
    let (able, blocks) = asked.fetch_one(connection).await.map_err(refusal::lost)?;
    if !able {
        return Ok(None);
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most some thousand")]
    let runs = i64::from((relation.estimate / RUN).ceil().clamp(2.0, MOST) as i32).min(blocks);
    let bound = |run: i64| blocks * run / runs;
    let until = until.map(|until| format!(" and {until}")).unwrap_or_default();
    let run = |run: i64| {
        // Behind the last known block there may be more by now, though none that this snapshot sees.
        let to = if run + 1 < runs { format!(" and t.ctid < '({},0)'", bound(run + 1)) } else { String::new() };
        format!("select {} from {} where t.ctid >= '({},0)'{to}{until}", chain.select(), chain.from(), bound(run))
    };
    Ok((runs > 1).then(|| (0..runs).map(run).collect()))
}

/// Runs between values of what rows are ordered by.
async fn by_value(connection: &mut PgConnection, chain: &Chain, only: Option<&str>) -> Result<Vec<String>, Stop> {
    let whole = vec![query(chain, only)];
    if !is_served(chain) && chain.relation.kind != 'p' {
        // Each run would read the whole table: the server sorts it once.
        return Ok(whole);
    }
    let estimate = chain.relation.estimate;
    let by = if by_partition(chain) { chain.partition[0] } else { chain.order[0] };
    let column = chain.sort(by);
    let kind = chain.items[by].kind;
    let runs = (estimate / RUN).ceil().clamp(2.0, MOST);
    let bounds = if kind == Kind::Int && !by_partition(chain) {
        numbers(connection, chain, &column, runs, only).await?
    } else {
        sampled(connection, chain, &column, runs).await?
    };
    if bounds.is_empty() {
        return Ok(whole);
    }
    let mut queries = Vec::with_capacity(bounds.len() + 1);
    for at in 0..=bounds.len() {
        let from = at.checked_sub(1).map(|at| format!("{column} >= {}", quote::literal(&bounds[at])));
        let to = bounds.get(at).map(|to| format!("{column} < {}", quote::literal(to)));
        let within = match (from, to) {
            (Some(from), Some(to)) => format!("{from} and {to}"),
            (None, Some(to)) => to,
            (Some(from), None) => format!("({from} or {column} is null)"),
            (None, None) => "true".to_owned(),
        };
        queries.push(query(chain, Some(&only.map_or_else(|| within.clone(), |only| format!("{within} and {only}")))));
    }
    Ok(queries)
}

/// The stream of the rows that fulfil a condition, in order.
pub fn query(chain: &Chain, only: Option<&str>) -> String {
    let only = only.map(|only| format!(" where {only}")).unwrap_or_default();
    format!("select {} from {}{only} order by {}", chain.select(), chain.from(), order_by(chain))
}

/// Chains one after the other, or interleaved where one column orders all rows of the table by an index.
pub fn order_by(chain: &Chain) -> String {
    let partition = if by_partition(chain) { chain.partition.as_slice() } else { &[] };
    let sorts: Vec<String> = partition.iter().chain(&chain.order).map(|at| chain.sort(*at)).collect();
    sorts.join(", ")
}

/// Whether rows come chain by chain.
pub fn by_partition(chain: &Chain) -> bool {
    let Some(order) = chain.column(chain.order[0]) else { return true };
    let unique = chain.relation.indexes.iter().any(|index| index.unique && index.columns == [order.name.clone()]);
    !chain.partition.is_empty() && (!unique || chain.order.len() != 1)
}

/// Even parts of the numbers there are.
async fn numbers(
    connection: &mut PgConnection,
    chain: &Chain,
    column: &str,
    runs: f64,
    only: Option<&str>,
) -> Result<Vec<String>, Stop> {
    let only = only.map(|only| format!(" where {only}")).unwrap_or_default();
    let sql = format!("select min({column})::int8, max({column})::int8 from {} t{only}", chain.relation.sql());
    let (low, high): (Option<i64>, Option<i64>) =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(refusal::lost)?;
    let (Some(low), Some(high)) = (low, high) else { return Ok(Vec::new()) };
    #[expect(clippy::cast_possible_truncation, reason = "at most some thousand")]
    let runs = i128::from(runs as i64);
    let span = i128::from(high) - i128::from(low) + 1;
    // Behind a checkpoint there may be few.
    #[expect(clippy::cast_possible_truncation, reason = "a constant")]
    let runs = if only.is_empty() { runs } else { runs.min(span / RUN as i128 + 1) };
    let mut bounds: Vec<i128> = (1..runs).map(|run| i128::from(low) + span * run / runs).collect();
    bounds.dedup();
    Ok(bounds.into_iter().map(|bound| bound.to_string()).collect())
}

/// Bounds between about equally many rows, from a sample of pages.
async fn sampled(connection: &mut PgConnection, chain: &Chain, column: &str, runs: f64) -> Result<Vec<String>, Stop> {
    let share = (runs * 3_000.0 / chain.relation.estimate).clamp(0.01, 100.0);
    let sql = format!(
        "select v::text from (select v, row_number() over (order by v) n, count(*) over () c from
           (select {column} v from {} t tablesample system ({share}) where {column} is not null) s) q
         where n % greatest(c / {runs}, 1) = 0 order by v",
        chain.relation.sql()
    );
    let mut bounds: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection).await.map_err(refusal::lost)?;
    bounds.dedup();
    Ok(bounds)
}
