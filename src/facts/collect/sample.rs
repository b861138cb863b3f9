//! Rows of tables, a few of each, for the questions no catalog answers. Only counts of what they hold are kept.

mod binary;
mod plan;
mod reference;
mod shape;

use super::guard::Guard;
use super::refused;
use super::value::Filled;
use crate::error::Stop;
use crate::facts::Facts;
use crate::target::refusal;
use futures_util::TryStreamExt;
use plan::{Candidate, Column, Look, Table};
use reference::References;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Either, PgConnection, Row};
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

/// Tables asked for in one message.
const BATCH: usize = 64;

/// When the rest is left unread.
const PATIENCE: Duration = Duration::from_secs(30);

/// A sample must never be what a database waits for.
const CAREFUL: &str = "set local statement_timeout = '3s'; set local lock_timeout = '200ms'";

/// Answers of the catalogs that are no facts: they say which rows to read.
pub(super) const READABLE: &str = "readable";
pub(super) const EMPTY: &str = "empty";

/// Which rows may be read, and which tables have none, where that is known.
#[derive(Default)]
pub(super) struct OfRows {
    readable: Option<Filled>,
    empty: Option<Filled>,
}

impl OfRows {
    /// Keeps an answer that is one of these, and gives back any other.
    pub(super) fn keep(&mut self, found: Filled) -> Option<Filled> {
        let place = match found.table {
            READABLE => &mut self.readable,
            EMPTY => &mut self.empty,
            _ => return Some(found),
        };
        *place = Some(found);
        None
    }
}

/// What a column of the rows of one table holds.
#[derive(Default)]
struct Seen {
    filled: u64,
    empty: u64,
    distinct: HashSet<u64>,
    days: Option<(i64, i64)>,
    shapes: BTreeMap<&'static str, u64>,
    words: BTreeMap<&'static str, u64>,
}

/// Rows of the facts about the samples, by table.
#[derive(Default)]
struct Told {
    samples: Vec<Vec<Option<String>>>,
    columns: Vec<Vec<Option<String>>>,
    shapes: Vec<Vec<Option<String>>>,
    words: Vec<Vec<Option<String>>>,
    references: References,
}

impl Told {
    async fn store(self, facts: &mut Facts) -> Result<(), Stop> {
        const COLUMNS: &[&str] =
            &["relation", "column_number", "filled", "empty", "distinct_values", "earliest_days", "latest_days"];
        facts.insert("samples", &["relation", "rows", "whole"], self.samples).await?;
        facts.insert("sampled_columns", COLUMNS, self.columns).await?;
        facts.insert("sampled_shapes", &["relation", "column_number", "shape", "count"], self.shapes).await?;
        facts.insert("sampled_words", &["relation", "column_number", "word", "count"], self.words).await?;
        const NAMED: &[&str] = &["relation", "column_number", "refers_to", "count"];
        facts.insert("sampled_references", NAMED, self.references.into_rows()).await
    }
}

/// Reads a bounded sample of every table that holds rows of the user's. What is refused becomes a row of `unseen`.
pub(super) async fn sample(
    connection: &mut PgConnection,
    facts: &mut Facts,
    guard: &mut Guard<'_>,
    rows: &OfRows,
) -> Result<(), Stop> {
    // What cannot be named is not read: see `Guard::names`.
    const UNNAMED: &str = "insert into unseen (area, object, why, needs)
        select 'samples', r.schema || '.' || r.name, 'its rows were not read: its name, or that of a column, holds a secret', 'another name'
        from relations r
        where r.kind in ('table', 'materialized view') and r.provenance = 'user'
          and (instr(r.name, '[redacted:') > 0 or instr(r.schema, '[redacted:') > 0
            or r.oid in (select c.relation from columns c where instr(c.name, '[redacted:') > 0))";
    // What is not known to exist is not read.
    const INCOMPLETE: &str = "insert into unseen (area, object, why, needs)
        select 'samples', object, why, needs from unseen 
        where (area = 'relations' and not exists (select 1 from relations))
          or (area = 'columns' and not exists (select 1 from columns))";
    facts.run(INCOMPLETE).await?;
    facts.run(UNNAMED).await?;
    let candidates = plan::candidates(facts).await?;
    if candidates.is_empty() {
        return Ok(());
    }
    let (tables, hidden) = plan::readable(candidates, rows);
    let mut told = Told::default();
    let (empty, tables): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| table.is_empty);
    for table in &empty {
        Reading::default().tell(table, usize::MAX, &mut told);
    }
    let mut unseen = hidden;
    let budget = plan::budget(tables.len());
    let (began, mut start) = (Instant::now(), "savepoint sample");
    let mut waiting = tables.as_slice();
    while !waiting.is_empty() {
        if began.elapsed() > PATIENCE {
            let why = format!(
                "reading rows took {} s; {} were not looked at",
                PATIENCE.as_secs(),
                plan::tables(waiting.len())
            );
            unseen.push(row(None, why, "a quieter moment, or --no-data".to_owned()));
            break;
        }
        let batch = &waiting[..waiting.len().min(BATCH)];
        let (done, error) = run(connection, &mut told, guard, start, batch, budget).await?;
        waiting = &waiting[done..];
        if let Some(error) = error {
            start = "rollback to savepoint sample";
            unseen.push(explain(&waiting[0].candidate, &error));
            waiting = &waiting[1..];
        } else {
            start = "savepoint sample";
        }
    }
    if start != "savepoint sample" {
        sqlx::raw_sql("rollback to savepoint sample").execute(connection).await.map_err(refusal::lost)?;
    }
    told.store(facts).await?;
    facts.insert("unseen", &["area", "object", "why", "needs"], unseen).await
}

/// A row of `unseen`.
fn row(object: Option<String>, why: String, needs: String) -> Vec<Option<String>> {
    vec![Some("samples".to_owned()), object, Some(why), Some(needs)]
}

/// The server's words are not repeated: they may quote a value.
fn explain(table: &Candidate, error: &sqlx::Error) -> Vec<Option<String>> {
    let code = error.as_database_error().and_then(|e| e.code()).unwrap_or_default().into_owned();
    let name = table.quoted();
    let (why, needs) = match code.as_str() {
        "57014" => ("took longer than the time allowed", "a quieter moment".to_owned()),
        _ if refused::is_lock(error) => {
            ("had to wait for a lock", "run govctl again when the migration is over".to_owned())
        }
        "42501" => ("was refused", format!("a role that may read {name} past its policies")),
        _ => ("failed", format!("please report this, with the code {code}")),
    };
    row(Some(name.clone()), format!("reading rows of {name} {why}"), needs)
}

/// Sends one message and counts what arrives. Gives how many tables are done, and the error that ended the others.
async fn run(
    connection: &mut PgConnection,
    told: &mut Told,
    guard: &mut Guard<'_>,
    start: &str,
    batch: &[Table],
    budget: usize,
) -> Result<(usize, Option<sqlx::Error>), Stop> {
    let first = [start, CAREFUL].join(";\n");
    let statements = std::iter::once(first).chain(batch.iter().map(|table| table.sql(budget)));
    let message = statements.chain(["rollback to savepoint sample".to_owned()]).collect::<Vec<_>>().join(";\n");
    const BEFORE: usize = 3;
    // AssertSqlSafe: identifiers are quoted.
    let mut answers = sqlx::raw_sql(AssertSqlSafe(message)).fetch_many(&mut *connection);
    let (mut completed, mut found) = (0, Reading::default());
    loop {
        match answers.try_next().await {
            Ok(Some(Either::Right(row))) => {
                found.take(&batch[completed - BEFORE], &row, guard, &mut told.references);
            }
            Ok(Some(Either::Left(_))) => {
                if (BEFORE..BEFORE + batch.len()).contains(&completed) {
                    std::mem::take(&mut found).tell(&batch[completed - BEFORE], budget, told);
                }
                completed += 1;
            }
            Ok(None) => return Ok((batch.len(), None)),
            Err(error) => {
                let a_table = (BEFORE..BEFORE + batch.len()).contains(&completed);
                return match a_table && !refusal::is_lost(&error) {
                    true => Ok((completed - BEFORE, Some(error))),
                    false => Err(refusal::lost(error)),
                };
            }
        }
    }
}

/// What was read of one table so far.
#[derive(Default)]
struct Reading {
    rows: u64,
    bytes: usize,
    columns: BTreeMap<i64, Seen>,
}

impl Reading {
    fn take(&mut self, table: &Table, row: &PgRow, guard: &mut Guard<'_>, references: &mut References) {
        self.rows += 1;
        let text = |index: usize| {
            let raw = row.try_get_raw(index).ok().filter(|value| !sqlx::ValueRef::is_null(value));
            raw.and_then(|value| value.as_bytes().ok()).map(String::from_utf8_lossy)
        };
        let nulls = text(0).unwrap_or_default();
        for (column, null) in table.columns.iter().zip(nulls.chars()) {
            let seen = self.columns.entry(column.number).or_default();
            if null == '1' { seen.empty += 1 } else { seen.filled += 1 }
        }
        for (index, column) in table.columns.iter().filter(|column| column.look != Look::Nulls).enumerate() {
            let Some(value) = text(index + 1) else { continue };
            self.bytes += value.len();
            if column.look != Look::Days && !column.is_binary {
                references.look(table, column, &value);
            }
            if column.look == Look::Identity {
                continue;
            }
            self.columns.entry(column.number).or_default().look(table, column, &value, guard);
        }
    }

    fn tell(self, table: &Table, budget: usize, told: &mut Told) {
        let relation = Some(table.candidate.oid.to_string());
        let whole = self.rows < plan::ROWS && self.bytes < budget && !table.is_part();
        let count = |count: u64| Some(count.to_string());
        told.samples.push(vec![relation.clone(), count(self.rows), count(u64::from(whole))]);
        for column in &table.columns {
            let Some(seen) = self.columns.get(&column.number) else { continue };
            let key = [relation.clone(), Some(column.number.to_string())];
            let distinct = (column.look == Look::Text).then(|| seen.distinct.len().to_string());
            let days = seen.days.map(|(latest, earliest)| (earliest.to_string(), latest.to_string()));
            let (earliest, latest) = days.unzip();
            let more = [count(seen.filled), count(seen.empty), distinct, earliest, latest];
            told.columns.push(key.iter().cloned().chain(more).collect());
            let keyed = |(name, times): (&&'static str, &u64)| {
                key.iter().cloned().chain([Some((*name).to_owned()), count(*times)]).collect::<Vec<_>>()
            };
            told.shapes.extend(seen.shapes.iter().map(keyed));
            told.words.extend(seen.words.iter().map(keyed));
        }
    }
}

impl Seen {
    fn look(&mut self, table: &Table, column: &Column, value: &str, guard: &mut Guard<'_>) {
        if column.look == Look::Days {
            if let Ok(days) = value.parse::<i64>() {
                let (least, most) = self.days.unwrap_or((days, days));
                self.days = Some((least.min(days), most.max(days)));
            }
            return;
        }
        self.distinct.insert(shape::digest(value));
        if column.is_secret_by_name && shape::of(value) == Some("hex") {
            // 64 hexadecimal digits are a key or the hash of one: the column's name decides, the rules cannot.
            *self.shapes.entry("hex").or_default() += 1;
            return;
        }
        // A partition's rows are those of the table that people know.
        let mut guarded = |text: &str| guard.value(table.candidate.root, column.root_number, text);
        let told = match column.is_binary {
            true => binary::texts(value).iter().any(|text| guarded(text)),
            false => guarded(value),
        };
        if !told {
            for shape in shape::of(value).into_iter().chain(shape::inside(value)) {
                *self.shapes.entry(shape).or_default() += 1;
            }
        }
        for word in shape::properties(value) {
            *self.words.entry(word).or_default() += 1;
        }
        if let Some(word) = shape::word(value) {
            *self.words.entry(word).or_default() += 1;
        }
    }
}
