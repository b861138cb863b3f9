//! The history table that a migration tool keeps in the database: what was applied, when, and from which text.

mod sums;
mod tables;

use super::dates::Dated;
use super::read::{Fault, History};
use crate::error::Stop;
use crate::target::Session;
use serde_json::{Map, Value};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgConnection};
use std::collections::{BTreeMap, BTreeSet};
use tables::{Key, LEDGERS, Ledger};

/// Rows of a history table that are read.
const MOST: usize = 50_000;

/// Tools to which one migration comes before another only where it says so: what is new may stand anywhere.
const BY_GRAPH: [&str; 3] = ["alembic", "django", "liquibase"];

/// A row of a history table.
type Row = Map<String, Value>;

impl History {
    /// Holds the folder against the history table of a database: sets what was applied and when, and says what is wrong.
    pub async fn compare(&mut self, options: PgConnectOptions) -> Result<(), Stop> {
        let mut session = Session::open(options).await?;
        let found = self.compare_with(session.connection()).await;
        session.close().await;
        if !found {
            self.notes.push("the database has no history table of these migrations".to_owned());
        }
        Ok(())
    }

    /// The same in a transaction that is open. Whether there is a history table.
    pub(crate) async fn compare_with(&mut self, connection: &mut PgConnection) -> bool {
        let Some((ledger, table, rows)) = find(self, connection).await else { return false };
        // Some tools name their files alike; the table says whose they are.
        if ledger.tool != "plain-sql" {
            self.tool = ledger.tool;
        }
        self.hold_against(ledger, &table, &rows);
        true
    }

    fn hold_against(&mut self, ledger: &Ledger, table: &str, rows: &[Row]) {
        let running: Vec<usize> = (0..self.migrations.len()).filter(|at| !self.migrations[*at].dormant).collect();
        let mut faults = Vec::new();
        let mut positions = Vec::new();
        if let Key::Head(column) = ledger.key {
            // The table holds the last version alone.
            let heads: BTreeSet<_> =
                rows.iter().filter_map(|row| text(row, column)).map(|it| tables::plain(&it)).collect();
            let last = running.iter().rposition(|at| heads.contains(&tables::plain(&self.migrations[*at].version)));
            for (n, at) in running.iter().enumerate() {
                self.migrations[*at].applied = last.map(|last| n <= last);
            }
            if last.is_none() && !rows.is_empty() {
                faults.extend(heads.into_iter().map(|head| gone(&head, table)));
            }
        } else {
            let mut known: BTreeMap<String, usize> = BTreeMap::new();
            for at in &running {
                known.insert(ledger.key.of_migration(&self.migrations[*at]), *at);
                self.migrations[*at].applied = Some(false);
            }
            for row in rows.iter().filter(|row| ledger.counts(row)) {
                let Some(key) = ledger.key.of_row(row) else { continue };
                let Some(at) = known.get(&key).copied() else {
                    if ledger.key.is_of(&key, known.keys()) {
                        faults.push(gone(&key, table));
                    }
                    continue;
                };
                let migration = &mut self.migrations[at];
                migration.applied = Some(true);
                migration.applied_at = ledger.applied_at.and_then(|column| instant(row, column));
                if let Some(at) = migration.applied_at {
                    migration.dated = Some(Dated { at, source: "history-table" });
                }
                positions.push((migration.applied_at, at));
                if ledger.failed(row) {
                    faults.push(fault("failed", migration, format!("{table} says that it failed")));
                } else if let (Some(sum), Some(column)) = (ledger.sum, ledger.checksum)
                    && let Some(kept) = text(row, column)
                    && !sum(migration).iter().any(|own| own.eq_ignore_ascii_case(&kept))
                {
                    faults.push(fault(
                        "drifted",
                        migration,
                        format!("its text is not the one that {table} has the checksum of"),
                    ));
                }
            }
        }
        faults.extend(self.unapplied(&running));
        faults.extend(self.out_of_order(positions));
        self.faults.extend(faults);
    }

    /// Not applied, though the database is at it; or though it is past it, which many tools never come back to.
    fn unapplied(&self, running: &[usize]) -> Vec<Fault> {
        let is = |at: &usize, applied| self.migrations[*at].applied == Some(applied);
        let past = running.iter().rev().find(|at| is(at, true)).filter(|_| !BY_GRAPH.contains(&self.tool));
        let waiting = running.iter().filter(|at| is(at, false)).map(|at| (*at, &self.migrations[*at]));
        waiting
            .map(|(at, migration)| match past.filter(|past| at < **past) {
                Some(past) => {
                    let later = &self.migrations[*past].version;
                    let detail = format!("it was not applied here, and {later} was, which comes later");
                    fault("out of order", migration, detail)
                }
                None => fault("unapplied", migration, "it is in the folder, and was not applied here".to_owned()),
            })
            .collect()
    }

    /// Applied after one that comes later in the folder.
    fn out_of_order(&self, mut applied: Vec<(Option<jiff::Timestamp>, usize)>) -> Vec<Fault> {
        applied.retain(|(when, _)| when.is_some());
        applied.sort_by_key(|(when, at)| (*when, *at));
        let mut highest: Option<usize> = None;
        let mut faults = Vec::new();
        for (_, at) in applied {
            match highest {
                Some(before) if at < before => {
                    let detail = format!("it was applied after {}, which comes later", self.migrations[before].version);
                    faults.push(fault("out of order", &self.migrations[at], detail));
                }
                _ => highest = Some(at),
            }
        }
        faults
    }
}

fn fault(kind: &'static str, migration: &super::read::Migration, detail: String) -> Fault {
    Fault { kind, version: migration.version.clone(), path: migration.path.clone(), detail }
}

fn gone(key: &str, table: &str) -> Fault {
    let detail = format!("{table} says that it was applied, and the folder does not have it");
    Fault { kind: "missing", version: key.to_owned(), path: key.to_owned(), detail }
}

/// The table of the folder's own tool, else the table of any tool, else one whose values are names of the files.
/// A tool's history table, and the columns of it that are known.
pub(super) fn table_of(tool: &str) -> Option<(&'static str, Vec<&'static str>)> {
    LEDGERS.iter().find(|ledger| ledger.tool == tool).map(|ledger| (ledger.table, ledger.columns()))
}

async fn find(history: &History, connection: &mut PgConnection) -> Option<(&'static Ledger, String, Vec<Row>)> {
    let tables: Vec<(String, String, Vec<String>)> = sqlx::query_as(
        "select n.nspname::text, c.relname::text, array_agg(a.attname::text)
         from pg_catalog.pg_class c
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
         group by 1, 2 order by 1, 2",
    )
    .fetch_all(&mut *connection)
    .await
    .ok()?;
    let own = LEDGERS.iter().filter(|ledger| ledger.tool == history.tool);
    let others = LEDGERS.iter().filter(|ledger| ledger.tool != history.tool);
    for ledger in own.chain(others) {
        let fits = |(_, name, columns): &&(String, String, Vec<String>)| {
            name == ledger.table && ledger.columns().iter().all(|column| columns.iter().any(|known| known == column))
        };
        if let Some((schema, name, _)) = tables.iter().find(fits)
            && let Some(rows) = read(connection, schema, name).await
            && (ledger.tool == history.tool || history.tool == "plain-sql" || is_of(history, ledger, &rows))
        {
            return Some((ledger, format!("{schema}.{name}"), rows));
        }
    }
    hand_rolled(history, &tables, connection).await
}

/// Somebody's own runner: a table whose every version, name or file name is one of the folder's.
async fn hand_rolled(
    history: &History,
    tables: &[(String, String, Vec<String>)],
    connection: &mut PgConnection,
) -> Option<(&'static Ledger, String, Vec<Row>)> {
    for (schema, name, columns) in tables.iter().filter(|(_, name, _)| name.to_lowercase().contains("migration")) {
        for ledger in tables::HAND_ROLLED
            .iter()
            .filter(|ledger| ledger.columns().iter().all(|c| columns.iter().any(|known| known == c)))
        {
            let Some(rows) = read(connection, schema, name).await else { continue };
            if is_of(history, ledger, &rows) {
                return Some((ledger, format!("{schema}.{name}"), rows));
            }
        }
    }
    None
}

/// Half of the rows at least name files of the folder; where tools share the table's name, a checksum fits as well.
fn is_of(history: &History, ledger: &Ledger, rows: &[Row]) -> bool {
    let own: BTreeMap<_, _> =
        history.migrations.iter().map(|migration| (ledger.key.of_migration(migration), migration)).collect();
    let hits: Vec<_> = rows.iter().filter_map(|row| Some((row, *own.get(&ledger.key.of_row(row)?)?))).collect();
    let sums = |(row, migration): &(&Row, &super::read::Migration)| {
        let kept = ledger.checksum.and_then(|column| text(row, column));
        ledger.sum.zip(kept).is_some_and(|(sum, kept)| sum(migration).iter().any(|own| own.eq_ignore_ascii_case(&kept)))
    };
    let shared = matches!(ledger.table, "schema_migrations" | "migrations" | "changes" | "schema_version");
    let named = !shared || hits.iter().any(sums);
    named && !hits.is_empty() && hits.len() * 2 >= rows.len()
}

/// Nothing of a table that may not be read.
async fn read(connection: &mut PgConnection, schema: &str, name: &str) -> Option<Vec<Row>> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let sql = format!(
        "select pg_catalog.to_jsonb(t)::pg_catalog.text from {}.{} t limit {MOST}",
        quoted(schema),
        quoted(name)
    );
    sqlx::raw_sql("savepoint ledger").execute(&mut *connection).await.ok()?;
    // AssertSqlSafe: names are quoted.
    let rows: Result<Vec<String>, _> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *connection).await;
    let _ = sqlx::raw_sql("rollback to savepoint ledger").execute(&mut *connection).await;
    Some(rows.ok()?.iter().filter_map(|row| serde_json::from_str(row).ok()).collect())
}

fn text(row: &Row, column: &str) -> Option<String> {
    match row.get(column)? {
        Value::Null => None,
        Value::String(text) => Some(text.trim_start_matches("\\x").to_owned()),
        other => Some(other.to_string()),
    }
}

/// A time as the tools keep it: a timestamp, text, or seconds or milliseconds since 1970.
fn instant(row: &Row, column: &str) -> Option<jiff::Timestamp> {
    match row.get(column)? {
        Value::Number(number) => {
            let number = number.as_i64()?;
            if number > 100_000_000_000 {
                jiff::Timestamp::from_millisecond(number).ok()
            } else {
                jiff::Timestamp::from_second(number).ok()
            }
        }
        Value::String(text) => Dated::of_text(text, "history-table").map(|dated| dated.at),
        _ => None,
    }
}
