//! Plans, proved on a scratch server: the copy is what the original is, and a bad plan is found out.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod attempts;
mod copies;
mod plans;
mod server;

use crate::support::{self, Database};
use govctl::facts::{Facts, collect};
use govctl::target::Session;

/// What is collected from a database, as a real run would.
async fn facts(database: &Database) -> Facts {
    let mut session = Session::open(database.options().clone()).await.unwrap();
    let mut facts = Facts::empty().await.unwrap();
    collect::collect(session.connection(), &mut facts).await.unwrap();
    session.close().await;
    facts
}

/// A database with this script in it, on a server that nobody else uses meanwhile.
async fn original(script: &str) -> Database {
    let database = support::cluster().await;
    database.run(script).await;
    database
}
