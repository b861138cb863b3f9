//! A scratch database with the copy in it, and what has to go when it is no longer needed.

use super::copy::{Copied, copy};
use super::look;
use crate::check::quote::ident;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::Step;
use crate::target::refusal;
use crate::target::scratch::{Database, Kind, Scratch};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

/// The copy of a schema, and the superuser's connection to it: the only one, since the embedded server has no second.
pub(super) struct Bench {
    pub(super) connection: PgConnection,
    pub(super) copied: Copied,
    database: Database,
    kind: Kind,
}

impl Bench {
    /// An empty database, and the copy in it.
    pub(super) async fn set_up(facts: &mut Facts, scratch: &Scratch) -> Result<Self, Stop> {
        let kind = scratch.kind();
        let database = if kind == Kind::Embedded { scratch.first().clone() } else { scratch.database().await? };
        let options = database.options().clone().statement_cache_capacity(0).disable_statement_logging();
        let mut connection = PgConnection::connect_with(&options).await.map_err(refusal::lost)?;
        let copied = copy(facts, &mut connection, kind != Kind::Given).await?;
        Ok(Self { connection, copied, database, kind })
    }

    /// Whether it is PostgreSQL inside this process.
    pub(super) fn is_embedded(&self) -> bool {
        self.kind == Kind::Embedded
    }

    /// What the copy's database is called on the scratch server.
    pub(super) fn database_name(&self) -> String {
        self.database.options().get_database().unwrap_or_default().to_owned()
    }

    /// Facts of the copy as it is now, in the place of the original's; collected, not derived.
    pub(super) async fn facts(&mut self, original: &mut Facts) -> Result<Facts, Stop> {
        look::facts(original, &mut self.connection, &self.copied).await
    }

    /// Drops the database and the roles that were made for it; on the embedded server, what is in the database.
    /// What cannot be dropped goes with the scratch.
    pub(super) async fn clear(mut self, scratch: &Scratch, steps: &[Step]) -> Result<(), Stop> {
        let run = async |sql: String, connection: &mut PgConnection| {
            // AssertSqlSafe: quoted names.
            let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
        };
        run(
            format!("rollback; reset role; {}; reset all", super::apply::back(&self.copied.superuser)),
            &mut self.connection,
        )
        .await;
        let new = "select coalesce(array_agg(rolname::text), '{}') from pg_catalog.pg_roles where rolname !~ '^pg_'";
        let there: Vec<String> =
            sqlx::query_scalar(new).fetch_one(&mut self.connection).await.map_err(refusal::lost)?;
        if self.kind == Kind::Embedded {
            let _ = self.connection.close().await;
            return Ok(());
        }
        let database = self.database_name();
        let _ = self.connection.close().await;
        let mut connection = scratch.options().connect().await.map_err(refusal::lost)?;
        run(format!("drop database if exists {} with (force)", ident(&database)), &mut connection).await;
        // Those that the steps have made are named in them, and were not there before.
        let named = |role: &String| steps.iter().flat_map(|step| &step.up).any(|sql| sql.contains(role.as_str()));
        let new = there.into_iter().filter(|role| !self.copied.before.contains(role));
        for role in new.filter(|role| self.copied.roles.contains(role) || named(role)) {
            run(format!("drop role if exists {}", ident(&role)), &mut connection).await;
        }
        let _ = connection.close().await;
        Ok(())
    }
}
