//! The connection of one worker: straight from the socket where that goes, else by the driver.

use super::stream;
use super::wire::Wire;
use crate::error::Stop;
use crate::target::refusal;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::runtime::Runtime;

/// A connection, and how its transaction begins.
pub(super) struct Session {
    options: PgConnectOptions,
    begin: String,
    plain: bool,
    link: Link,
}

enum Link {
    Wire(Wire),
    // The connection goes first when both are dropped.
    Driver(Box<PgConnection>, Runtime),
}

/// How a run of rows came to its end.
pub(super) enum Ended {
    /// All rows were shown.
    Whole,
    /// Whoever was shown them wanted no more.
    Stopped,
    /// The fast way gave up: rows that were shown do not count, and the run is to be read again.
    Again,
}

impl Session {
    /// A connection that has carried out `begin`. `plain`: no encryption is asked for.
    pub(super) fn open(options: &PgConnectOptions, begin: String, plain: bool) -> Result<Self, Stop> {
        let wire = if plain { Wire::open(options, &begin) } else { None };
        let link = match wire {
            Some(wire) => Link::Wire(wire),
            None => driver(options, &begin)?,
        };
        Ok(Self { options: options.clone(), begin, plain, link })
    }

    /// Another connection in its place.
    pub(super) fn reopen(&mut self) -> Result<(), Stop> {
        *self = Self::open(&self.options, self.begin.clone(), self.plain)?;
        Ok(())
    }

    /// A new transaction, which sees what is there now.
    pub(super) fn renew(&mut self) -> Result<(), Stop> {
        let sql = format!("rollback; {}", self.begin);
        match &mut self.link {
            Link::Wire(wire) => {
                if wire.run(&sql).is_none() {
                    self.link = driver(&self.options, &self.begin)?;
                }
                Ok(())
            }
            Link::Driver(connection, runtime) => runtime
                .block_on(sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut **connection))
                .map(|_| ())
                .map_err(refusal::lost),
        }
    }

    /// Shows every row of a query to `row`, which says whether to go on. Unless it ends whole, the session is of no more
    /// use, but for reading the same run again.
    pub(super) fn copy(&mut self, query: &str, mut row: impl FnMut(&[u8]) -> bool) -> Result<Ended, Stop> {
        match &mut self.link {
            Link::Wire(wire) => match wire.copy(query, row) {
                Some(true) => Ok(Ended::Whole),
                Some(false) => Ok(Ended::Stopped),
                None => {
                    self.link = driver(&self.options, &self.begin)?;
                    Ok(Ended::Again)
                }
            },
            Link::Driver(connection, runtime) => {
                let mut whole = true;
                let shown = stream::copy(connection, query, |tuple| {
                    whole = row(tuple);
                    whole
                });
                runtime.block_on(shown).map_err(refusal::lost)?;
                Ok(if whole { Ended::Whole } else { Ended::Stopped })
            }
        }
    }
}

fn driver(options: &PgConnectOptions, begin: &str) -> Result<Link, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| refusal::lost(error.into()))?;
    let connection = runtime.block_on(stream::begun(options, begin))?;
    Ok(Link::Driver(Box::new(connection), runtime))
}
