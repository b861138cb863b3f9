//! One role in one tenant's session: everything it does is taken back.

use super::super::apply::{back, run};
use super::super::seed::{Seed, Seeded, mark, number_mark};
use super::scene::{Actor, Meaning};
use super::told;
use crate::check::quote::{ident, literal};
use crate::error::Stop;
use crate::target::refusal;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, HashMap};

/// What came of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// Refused, or without effect on the other tenant.
    Nothing,
    /// The other tenant's rows were reached.
    Done,
    /// There is nothing to try.
    Not,
}

/// A transaction as one role, in the name of one tenant.
pub(super) struct Session<'c> {
    connection: &'c mut PgConnection,
    /// Makes the superuser who speaks again.
    back: String,
    /// Sets role and settings.
    become_it: String,
    /// Whether rows of the table last read were only its own.
    only_own: bool,
    /// Whether the table last read asked itself without end.
    in_circles: bool,
    tenant: usize,
    other_key: String,
}

impl<'c> Session<'c> {
    /// None where the role cannot be taken on.
    pub(super) async fn begin(
        actor: &Actor,
        tenant: usize,
        settings: &BTreeMap<String, Option<Meaning>>,
        seed: &Seed,
        connection: &'c mut PgConnection,
    ) -> Result<Option<Self>, Stop> {
        let mut become_it = format!(
            "set local session authorization {}; set local role {}",
            literal(&actor.login),
            literal(&actor.role)
        );
        for (setting, meaning) in settings {
            if let Some(meaning) = meaning {
                let value = told(*meaning, tenant, seed);
                become_it +=
                    &format!("; select pg_catalog.set_config({}, {}, true)", literal(setting), literal(&value));
            }
        }
        let back = format!("reset role; {}", back(&seed.superuser));
        run(connection, "begin".to_owned()).await?;
        let is_ordinary = "select not r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user";
        let refused = run(connection, become_it.clone()).await?.is_some();
        let ordinary = !refused && scalar::<bool>(connection, is_ordinary.to_owned()).await?.unwrap_or(false);
        if !ordinary {
            run(connection, "rollback".to_owned()).await?;
            return Ok(None);
        }
        run(connection, format!("{back}; savepoint govctl")).await?;
        let other_key = seed.tenants.keys[1 - tenant].clone();
        Ok(Some(Self { connection, back, become_it, only_own: false, in_circles: false, tenant, other_key }))
    }

    pub(super) async fn end(&mut self) -> Result<(), Stop> {
        run(self.connection, "rollback; reset all".to_owned()).await.map(drop)
    }

    /// Runs as the role; gives rows affected and the SQLSTATE of a refusal. What it did stands until [`Self::undo`].
    async fn act(&mut self, sql: &str) -> Result<Result<u64, String>, Stop> {
        // Only the last statement's count is wanted, so it travels alone.
        run(self.connection, self.become_it.clone()).await?;
        // AssertSqlSafe: quoted names and constants, on a throwaway database.
        match sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *self.connection).await {
            Ok(done) => Ok(Ok(done.rows_affected())),
            Err(error) if refusal::is_lost(&error) => Err(refusal::lost(error)),
            Err(error) => {
                Ok(Err(error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned()))
            }
        }
    }

    async fn undo(&mut self) -> Result<(), Stop> {
        run(self.connection, "rollback to savepoint govctl".to_owned()).await.map(drop)
    }

    /// Identities of the rows it sees. None where it may not look.
    pub(super) async fn read(&mut self, table: &Seeded) -> Result<Option<Vec<String>>, Stop> {
        self.in_circles = false;
        run(self.connection, self.become_it.clone()).await?;
        let sql = format!("select {} from {}", table.identity, table.sql);
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut *self.connection).await;
        self.undo().await?;
        let seen = match rows {
            Ok(rows) => Some(rows.iter().filter_map(|row| row.try_get::<String, _>(0).ok()).collect::<Vec<_>>()),
            Err(error) if refusal::is_lost(&error) => return Err(refusal::lost(error)),
            Err(error) => {
                let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
                // infinite_recursion is an error of the policy (42P17), statement_too_complex of the functions in it (54001).
                self.in_circles = matches!(code.as_str(), "42P17" | "54001");
                None
            }
        };
        let others = &table.rows[1 - self.tenant];
        self.only_own =
            seen.as_ref().is_some_and(|seen| !seen.is_empty() && !seen.iter().any(|row| others.contains(row)));
        Ok(seen)
    }

    /// Whether the policies of the table last read ask themselves.
    pub(super) fn goes_in_circles(&self) -> bool {
        self.in_circles
    }

    /// Whether the last table read showed rows of its own tenant alone.
    pub(super) fn owns_no_other(&self) -> bool {
        self.only_own
    }

    /// Whether a view shows what is its own, and what is the other tenant's: by their keys, and by their marks in texts.
    pub(super) async fn mentions(&mut self, view: &str, keys: &[String; 2]) -> Result<(bool, bool), Stop> {
        let shows = |tenant: usize| {
            // Of a large number, as much as no other number has.
            let marks = [mark(tenant), keys[tenant].as_str(), &number_mark(tenant)[..6]]
                .into_iter()
                .filter(|mark| mark.len() >= 6);
            let found: Vec<_> =
                marks.map(|mark| format!("pg_catalog.strpos(v::text, {}) > 0", literal(mark))).collect();
            format!("coalesce(bool_or({}), false)", found.join(" or "))
        };
        run(self.connection, self.become_it.clone()).await?;
        let mut seen = [false; 2];
        for (at, tenant) in [self.tenant, 1 - self.tenant].into_iter().enumerate() {
            let sql = format!("select {} from {view} v", shows(tenant));
            seen[at] = scalar::<bool>(self.connection, sql).await?.unwrap_or(false);
        }
        self.undo().await?;
        Ok(seen.into())
    }

    pub(super) async fn update(&mut self, table: &Seeded, column: &str, other: usize) -> Result<Tried, Stop> {
        let column = ident(column);
        let sql = format!("update {} set {column} = {column}", table.sql);
        self.touch(table, &sql, other).await
    }

    pub(super) async fn delete(&mut self, table: &Seeded, other: usize) -> Result<Tried, Stop> {
        let sql = format!("delete from {}", table.sql);
        self.touch(table, &sql, other).await
    }

    pub(super) async fn truncate(&mut self, table: &Seeded) -> Result<Tried, Stop> {
        let sql = format!("truncate {}", table.sql);
        let done = self.act(&sql).await?;
        self.undo().await?;
        Ok(match done {
            Ok(_) => Tried::Done,
            Err(code) if code == "42501" => Tried::Nothing,
            Err(_) => Tried::Not,
        })
    }

    /// Runs what names no row, and looks whether rows of the other tenant were touched.
    async fn touch(&mut self, table: &Seeded, sql: &str, other: usize) -> Result<Tried, Stop> {
        const SILENT: &str = "set local session_replication_role = replica";
        let mut done = self.act(sql).await?;
        self.undo().await?;
        // A foreign key was in the way of some row: whose it was is seen when keys are silent.
        let silent = matches!(&done, Err(code) if code.starts_with("23"));
        if silent {
            run(self.connection, SILENT.to_owned()).await?;
            done = self.act(sql).await?;
            self.undo().await?;
        }
        match done {
            Ok(0) => return Ok(Tried::Nothing),
            Err(code) if code == "42501" => return Ok(Tried::Nothing),
            // A trigger's refusal, say: it holds today, and says nothing of the policy.
            Err(_) => return Ok(Tried::Not),
            Ok(_) => {}
        }
        let before = self.places(table).await?;
        if silent {
            run(self.connection, SILENT.to_owned()).await?;
        }
        // What affected rows a moment ago does so again.
        let _ = self.act(sql).await?;
        run(self.connection, self.back.clone()).await?;
        let after = self.places(table).await?;
        self.undo().await?;
        let touched = table.rows[other].iter().any(|row| before.contains_key(row) && before.get(row) != after.get(row));
        Ok(if touched { Tried::Done } else { Tried::Nothing })
    }

    /// Where each row lies, as the superuser sees it: an update moves it.
    async fn places(&mut self, table: &Seeded) -> Result<HashMap<String, String>, Stop> {
        let sql = format!("select {}, tableoid::text || ctid::text from {}", table.identity, table.sql);
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut *self.connection).await;
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) if refusal::is_lost(&error) => return Err(refusal::lost(error)),
            Err(_) => Vec::new(),
        };
        let place = |row: &sqlx::postgres::PgRow| Some((row.try_get(0).ok()?, row.try_get(1).ok()?));
        Ok(rows.iter().filter_map(place).collect())
    }

    /// Writes a row of the other tenant.
    pub(super) async fn insert(
        &mut self,
        table: &Seeded,
        key: Option<&str>,
        row: &[(String, String)],
    ) -> Result<Tried, Stop> {
        if row.is_empty() {
            return Ok(Tried::Not);
        }
        let (columns, values): (Vec<_>, Vec<_>) = row.iter().cloned().unzip();
        let sql = format!(
            "insert into {} ({}) overriding system value values ({})",
            table.sql,
            columns.join(", "),
            values.join(", ")
        );
        let count = key.map(|key| {
            format!("select count(*) from {} where {}::text = {}", table.sql, ident(key), literal(&self.other_key))
        });
        let before = match &count {
            Some(sql) => scalar::<i64>(self.connection, sql.clone()).await?,
            None => None,
        };
        let done = self.act(&sql).await?;
        let tried = match done {
            Ok(rows) if rows > 0 => {
                run(self.connection, self.back.clone()).await?;
                let after = match count {
                    Some(sql) => scalar::<i64>(self.connection, sql).await?,
                    None => None,
                };
                // A trigger may have made it a row of its own tenant.
                if before.is_some() && after == before { Tried::Nothing } else { Tried::Done }
            }
            Ok(_) => Tried::Nothing,
            Err(code) if code == "42501" => Tried::Nothing,
            // A key or a check in the way says nothing of the policy.
            Err(_) => Tried::Not,
        };
        self.undo().await?;
        Ok(tried)
    }

    /// Makes its own rows the other tenant's.
    pub(super) async fn give_away(&mut self, table: &Seeded, key: &str) -> Result<Tried, Stop> {
        let count =
            format!("select count(*) from {} where {}::text = {}", table.sql, ident(key), literal(&self.other_key));
        let before = scalar::<i64>(self.connection, count.clone()).await?;
        let sql = format!("update {} set {} = {}", table.sql, ident(key), literal(&self.other_key));
        let done = self.act(&sql).await?;
        let tried = match done {
            Ok(rows) if rows > 0 => {
                run(self.connection, self.back.clone()).await?;
                if scalar::<i64>(self.connection, count).await? == before { Tried::Nothing } else { Tried::Done }
            }
            Ok(_) => Tried::Nothing,
            Err(code) if code == "42501" => Tried::Nothing,
            Err(_) => Tried::Not,
        };
        self.undo().await?;
        Ok(tried)
    }
}

/// One value, none where it was refused.
async fn scalar<T>(connection: &mut PgConnection, sql: String) -> Result<Option<T>, Stop>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    // AssertSqlSafe: quoted names and constants, on a throwaway database.
    match sqlx::raw_sql(AssertSqlSafe(sql)).fetch_optional(&mut *connection).await {
        Ok(row) => Ok(row.and_then(|row| row.try_get(0).ok())),
        Err(error) if refusal::is_lost(&error) => Err(refusal::lost(error)),
        Err(_) => Ok(None),
    }
}
