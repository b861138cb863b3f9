//! The facts: SQLite, in memory while it is worked on.

use crate::error::Stop;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};

/// Values in one statement. SQLite allows 32,766; more than this makes compiling it dearer than running it again.
const MAX_BINDS: usize = 8_000;

/// Facts about one database.
#[derive(Debug)]
pub struct Facts {
    connection: SqliteConnection,
}

impl Facts {
    /// No facts yet, in memory.
    pub async fn empty() -> Result<Self, Stop> {
        // Not `in_memory(true)`: with that flag SQLite takes every file it attaches or writes for another one in memory.
        let connection = SqliteConnectOptions::new()
            .filename(":memory:")
            .journal_mode(SqliteJournalMode::Memory)
            .synchronous(SqliteSynchronous::Off)
            .pragma("temp_store", "memory")
            .pragma("trusted_schema", "off")
            .connect()
            .await?;
        let mut facts = Self { connection };
        facts.run(super::SCHEMA).await?;
        Ok(facts)
    }

    /// For queries over the facts.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Appends rows to a table, all or none. Values are text; a column declared `integer` or `real` stores the number.
    pub async fn insert(&mut self, table: &str, columns: &[&str], rows: Vec<Vec<Option<String>>>) -> Result<(), Stop> {
        self.run("begin").await?;
        let inserted = self.insert_rows(table, columns, rows).await;
        self.run(if inserted.is_ok() { "commit" } else { "rollback" }).await?;
        inserted
    }

    async fn insert_rows(&mut self, table: &str, columns: &[&str], rows: Vec<Vec<Option<String>>>) -> Result<(), Stop> {
        let per_statement = (MAX_BINDS / columns.len().max(1)).max(1);
        let names = columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let one = format!("({})", vec!["?"; columns.len()].join(", "));
        let statement =
            |count| format!("insert into {} ({names}) values {}", quoted(table), vec![one.as_str(); count].join(", "));
        let full = statement(per_statement);
        let mut rows = rows.into_iter();
        while rows.len() > 0 {
            let count = rows.len().min(per_statement);
            // AssertSqlSafe: identifiers are quoted, values are bound.
            let sql = if count == per_statement { full.clone() } else { statement(count) };
            let query = sqlx::query(AssertSqlSafe(sql)).persistent(count == per_statement);
            rows.by_ref()
                .take(count)
                .flatten()
                .fold(query, sqlx::query::Query::bind)
                .execute(&mut self.connection)
                .await?;
        }
        Ok(())
    }

    /// Runs statements of govctl's own.
    pub(crate) async fn run(&mut self, script: &'static str) -> Result<(), Stop> {
        sqlx::raw_sql(script).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Whether the audited database has this relation.
    pub(crate) async fn has_relation(&mut self, schema: &str, name: &str) -> Result<bool, Stop> {
        let sql = "select exists (select 1 from relations where schema = ? and name = ?)";
        Ok(sqlx::query_scalar(sql).bind(schema).bind(name).fetch_one(&mut self.connection).await?)
    }
}

/// An SQLite identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
