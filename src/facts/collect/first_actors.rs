//! When actors of each kind first stand in tables that name one: a bounded read, of which only the kind, in govctl's own
//! words, and the moment are kept. Where migrations record nothing, the first agent dates stage 4 (STG-07).

use crate::check::quote;
use crate::error::Stop;
use crate::facts::Facts;
use crate::facts::derive::log_columns;
use crate::target::refusal;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::BTreeMap;

/// Rows of one table that are looked at.
const ROWS: i64 = 200_000;

/// Tables that are looked at.
const TABLES: usize = 8;

/// Such a look must never be what a database waits for.
const CAREFUL: &str = "set local statement_timeout = '3s'; set local lock_timeout = '200ms'";

/// A table with a column of kinds and one of moments.
struct Candidate {
    relation: i64,
    quoted: String,
    kind: String,
    time: String,
    with_zone: bool,
    /// A column by which an index orders the rows.
    ordered_by: Option<String>,
}

type Line = (i64, String, String, i64, i64, String, String, String, i64);

/// Reads them. What is refused becomes a row of `unseen`.
pub(super) async fn look(connection: &mut PgConnection, facts: &mut Facts) -> Result<(), Stop> {
    // What is not known to exist is not read.
    const INCOMPLETE: &str = "insert into unseen (area, object, why, needs)
        select 'first_actors', object, why, needs from unseen
        where (area = 'relations' and not exists (select 1 from relations))
          or (area = 'columns' and not exists (select 1 from columns))";
    facts.run(INCOMPLETE).await?;
    let mut found = Vec::new();
    let mut unseen = Vec::new();
    for candidate in candidates(facts).await?.into_iter().take(TABLES) {
        match first(connection, &candidate).await {
            Ok((kinds, whole)) => found.extend(kinds.into_iter().map(|(kind, at)| {
                let values = [candidate.relation.to_string(), kind.to_owned(), at, u8::from(whole).to_string()];
                values.map(Some).to_vec()
            })),
            Err(error) if refusal::is_lost(&error) => return Err(refusal::lost(error)),
            Err(error) => {
                sqlx::raw_sql("rollback to savepoint actors").execute(&mut *connection).await.map_err(refusal::lost)?;
                let refused = refusal::is_forbidden(&error);
                let why = format!("the first rows of {} could not be read", candidate.quoted);
                // The server's words are not repeated: they may quote a value.
                let needs = match refused {
                    true => format!(
                        "grant select on {} to the role that asks, and bypassrls; or --no-data",
                        candidate.quoted
                    ),
                    false => "a quieter moment; or --no-data".to_owned(),
                };
                unseen.push(vec![Some("first_actors".to_owned()), Some(candidate.quoted), Some(why), Some(needs)]);
            }
        }
    }
    facts.insert("first_actors", &["relation", "kind", "first_at", "whole"], found).await?;
    facts.insert("unseen", &["area", "object", "why", "needs"], unseen).await
}

async fn candidates(facts: &mut Facts) -> Result<Vec<Candidate>, Stop> {
    // A large schema has few different names, and few tables with one that says what kind of actor.
    let names: Vec<String> =
        sqlx::query_scalar("select distinct name from columns").fetch_all(facts.connection()).await?;
    let kinds: Vec<_> = log_columns("actor kind").collect();
    let telling: Vec<_> = names.into_iter().filter(|name| kinds.iter().any(|kind| kind.is(name))).collect();
    if telling.is_empty() {
        return Ok(Vec::new());
    }
    // Gathered first: one by one, each column would go through all indexes, which are not yet ordered by relation.
    let sql = "with leading as materialized (
          select distinct i.relation, ic.column_number from indexes i join index_columns ic on ic.index_oid = i.oid
          where i.method = 'btree' and i.predicate is null and ic.position = 1)
        select r.oid, r.schema, r.name, r.rows_estimate, c.number, c.name, c.type_name, c.type_kind, l.relation is not null
        from relations r join columns c on c.relation = r.oid
          left join leading l on l.relation = r.oid and l.column_number = c.number
        where r.kind in ('table', 'partitioned table') and r.persistence <> 'temporary' and r.is_partition = 0 and r.provenance = 'user'
          and r.oid in (select k.relation from columns k where k.name in (select value from json_each(?)))
        order by r.oid, c.number";
    let lines: Vec<Line> = sqlx::query_as(sql).bind(json!(telling).to_string()).fetch_all(facts.connection()).await?;
    let mut tables: BTreeMap<i64, Vec<Line>> = BTreeMap::new();
    for line in lines {
        tables.entry(line.0).or_default().push(line);
    }
    let candidate = |lines: Vec<Line>| {
        let column = |role: &str, fits: &dyn Fn(&Line) -> bool| {
            let fitting = || lines.iter().filter(|line| fits(line));
            log_columns(role).find_map(|pattern| fitting().find(|line| pattern.is(&line.5)))
        };
        let word = |line: &Line| {
            matches!(line.6.as_str(), "text" | "varchar" | "bpchar" | "citext" | "name") || line.7 == "enum"
        };
        let moment = |line: &Line| matches!(line.6.as_str(), "timestamptz" | "timestamp" | "date");
        let (kind, time) = (column("actor kind", &word)?, column("time", &moment)?);
        // What grows with time orders as well.
        let counts = |line: &&Line| line.8 == 1 && line.4 == 1 && matches!(line.6.as_str(), "int4" | "int8");
        let ordered = Some(time).filter(|time| time.8 == 1).or_else(|| lines.iter().find(counts));
        (ordered.is_some() || time.3 <= ROWS).then(|| Candidate {
            relation: time.0,
            quoted: quote::relation(Some(&time.1), &time.2),
            kind: quote::ident(&kind.5),
            time: quote::ident(&time.5),
            with_zone: time.6 == "timestamptz",
            ordered_by: ordered.map(|line| quote::ident(&line.5)),
        })
    };
    Ok(tables.into_values().filter_map(candidate).collect())
}

/// The first moment of each kind, and whether every row was looked at. One round trip.
async fn first(
    connection: &mut PgConnection,
    candidate: &Candidate,
) -> Result<(BTreeMap<&'static str, String>, bool), sqlx::Error> {
    let Candidate { quoted, kind, time, with_zone, ordered_by, .. } = candidate;
    let order = ordered_by.as_ref().map(|column| format!(" order by {column}")).unwrap_or_default();
    let zone = if *with_zone { " at time zone 'UTC'" } else { "::timestamp" };
    let statement = format!(
        "savepoint actors; {CAREFUL};
         select pg_catalog.lower(pg_catalog.left({kind}::text, 40)) as kind,
                pg_catalog.to_char(pg_catalog.min({time}){zone}, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as first_at,
                pg_catalog.count(*) as seen
         from (select {kind}, {time} from {quoted}{order} limit {ROWS}) looked group by 1 limit 200;
         rollback to savepoint actors"
    );
    // AssertSqlSafe: identifiers are quoted.
    let rows = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(connection).await?;
    let mut kinds: BTreeMap<&'static str, String> = BTreeMap::new();
    let mut seen = 0;
    for row in rows {
        seen += row.try_get_unchecked::<String, _>("seen")?.parse::<i64>().unwrap_or_default();
        let (kind, at): (Option<String>, Option<String>) =
            (row.try_get_unchecked("kind")?, row.try_get_unchecked("first_at")?);
        let (Some(kind), Some(at)) = (kind, at.filter(|at| !at.is_empty())) else { continue };
        let first = kinds.entry(of(&kind)).or_insert_with(|| at.clone());
        if at < *first {
            *first = at;
        }
    }
    Ok((kinds, seen < ROWS))
}

/// What an actor of this kind is; the word itself is the database's own and is not kept.
fn of(kind: &str) -> &'static str {
    let words: Vec<_> = kind.split(|c: char| !c.is_alphanumeric()).collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if has(&["agent", "agents", "ai", "bot", "assistant", "llm", "model", "copilot", "subagent", "aiagent"]) {
        "agent"
    } else if has(&[
        "user", "human", "person", "member", "customer", "admin", "staff", "employee", "operator", "guest", "client",
        "owner",
    ]) {
        "person"
    } else if has(&[
        "system",
        "service",
        "cron",
        "job",
        "scheduler",
        "worker",
        "webhook",
        "integration",
        "api",
        "automation",
        "trigger",
    ]) {
        "machine"
    } else {
        "other"
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn kinds_are_told_by_their_words() {
        for (kind, wanted) in [
            ("agent", "agent"),
            ("ai_agent", "agent"),
            ("app.bot", "agent"),
            ("user", "person"),
            ("end-user", "person"),
            ("service_account", "machine"),
            ("system", "machine"),
            ("travel agency", "other"),
            ("", "other"),
        ] {
            assert_eq!(of(kind), wanted, "{kind}");
        }
    }
}
