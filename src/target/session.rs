//! The one read-only session with the audited database.

use super::refusal::{self, Unreachable};
use crate::error::Stop;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, Row};
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

/// A read-only transaction in the audited database.
#[derive(Debug)]
pub struct Session {
    connection: PgConnection,
}

impl Session {
    /// Connects and opens the transaction.
    pub async fn open(options: PgConnectOptions) -> Result<Self, Stop> {
        let mut connection = connect(options.clone()).await?;
        let refused = |error| refusal::explain(&options, error);
        sqlx::raw_sql(BEGIN).execute(&mut connection).await.map_err(refused)?;
        Ok(Self { connection })
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
