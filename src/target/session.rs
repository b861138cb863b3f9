//! The read-only session with the audited database, and a second one beside it where the catalogs are large.

use super::refusal::{self, Unreachable};
use crate::error::Stop;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};
use std::time::Duration;

/// How long the server may take to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The oldest PostgreSQL whose catalogs are understood.
const OLDEST: u32 = 140_000;

/// Everything that is read is read in one snapshot, and nothing can be written. Names come out qualified, decompiled
/// expressions do not depend on what the role or the database has set, and a lock is not waited for.
const BEGIN: &str = "
    begin isolation level repeatable read read only;
    set local search_path = '';
    set local row_security = off;
    set local statement_timeout = '30s';
    set local lock_timeout = '2s';
    set local idle_in_transaction_session_timeout = '10min';
    set local quote_all_identifiers = off;
    set local standard_conforming_strings = on;
    set local jit = off;
    set local max_parallel_workers_per_gather = 0";

/// How many relations, indexes included, make a second connection worth its while, and whether there are so many.
const MANY: &str = "select count(*) >= 2000 from (select from pg_catalog.pg_class limit 2000) as first";

/// A read-only transaction in the audited database.
#[derive(Debug)]
pub struct Session {
    connection: PgConnection,
    options: PgConnectOptions,
    /// Whether the catalogs are so large that a second connection saves time.
    pub is_large: bool,
}

impl Session {
    /// Connects and opens the transaction.
    pub async fn open(options: PgConnectOptions) -> Result<Self, Stop> {
        let mut connection = connect(options.clone()).await?;
        let is_large = match ask(&mut connection, format!("{BEGIN}; {MANY}")).await {
            Ok(answer) => answer == "t",
            // Where not even that may be read, the areas say so.
            Err(error) if refusal::is_forbidden(&error) => {
                begin_again(&mut connection).await.map_err(|error| refusal::explain(&options, error))?;
                false
            }
            Err(error) => return Err(refusal::explain(&options, error).into()),
        };
        Ok(Self { connection, options, is_large })
    }

    /// Another session that sees what this one sees; none where the server grants none. Before anything else is read.
    ///
    /// Source: <https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION>
    pub async fn beside(&mut self) -> Result<Option<Self>, Stop> {
        let Ok(snapshot) = ask(&mut self.connection, "select pg_catalog.pg_export_snapshot()".into()).await else {
            begin_again(&mut self.connection).await.map_err(refusal::lost)?;
            return Ok(None);
        };
        let Ok(mut connection) = connect(self.options.clone()).await else { return Ok(None) };
        let begin = format!("{BEGIN}; set transaction snapshot {}", crate::check::quote::literal(&snapshot));
        let begun = sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut connection).await;
        Ok(begun.is_ok().then(|| Self { connection, options: self.options.clone(), is_large: self.is_large }))
    }

    /// For queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Rolls back and says goodbye. The server does both by itself where the session is already lost.
    pub async fn close(mut self) {
        let _ = sqlx::raw_sql("rollback").execute(&mut self.connection).await;
        let _ = self.connection.close().await;
    }
}

/// The first value of the only row that `sql` answers with.
async fn ask(connection: &mut PgConnection, sql: String) -> Result<String, sqlx::Error> {
    // AssertSqlSafe: constants.
    sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(connection).await?.try_get_unchecked(0)
}

/// A transaction as the first was to be.
async fn begin_again(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // AssertSqlSafe: constants.
    sqlx::raw_sql(AssertSqlSafe(format!("rollback; {BEGIN}"))).execute(connection).await.map(drop)
}

/// A connection with a server that is understood, and nothing begun on it.
pub(crate) async fn connect(options: PgConnectOptions) -> Result<PgConnection, Stop> {
    // A pooler refuses startup parameters it does not know, and keeps no prepared statements.
    let options = options
        .extra_float_digits(None)
        .application_name("govctl")
        .statement_cache_capacity(0)
        .disable_statement_logging();
    let connecting = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options));
    let mut connection = match connecting.await {
        Ok(connected) => connected.map_err(|error| refusal::explain(&options, error))?,
        Err(_) => return Err(refusal::no_answer(&options, CONNECT_TIMEOUT).into()),
    };
    let refused = |error| refusal::explain(&options, error);
    let version = version(&mut connection).await.map_err(refused)?;
    if version < OLDEST {
        // before 10 the second number was part of the major version
        let minor = if version < 100_000 { version / 100 % 100 } else { version % 10_000 };
        let version = format!("{}.{minor}", version / 10_000);
        return Err(Unreachable::TooOld { version }.into());
    }
    Ok(connection)
}

/// `server_version_num`: as the server said when it was greeted, else asked for.
pub(crate) async fn version(connection: &mut PgConnection) -> Result<u32, sqlx::Error> {
    if let Some(version) = connection.server_version_num() {
        return Ok(version);
    }
    let row = sqlx::raw_sql("show server_version_num").fetch_one(connection).await?;
    row.try_get::<String, _>(0)?.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
