//! A server somebody else runs: used, never stopped, left as it was found but for roles.

use super::Database;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use std::sync::Mutex;

/// The databases made on a server that is not ours. Dropping this drops them.
#[derive(Debug)]
pub(super) struct Given {
    first: Database,
    databases: Mutex<Vec<String>>,
}

impl Given {
    pub(super) fn new(first: Database) -> Self {
        Self { first, databases: Mutex::default() }
    }

    /// To be dropped at the end.
    pub(super) fn remember(&self, database: &str) {
        self.databases.lock().expect("nothing panics while it is held").push(database.to_owned());
    }

    async fn drop_databases(options: &PgConnectOptions, names: &[String]) -> Result<(), sqlx::Error> {
        let mut connection = options.connect().await?;
        for name in names {
            connection.execute(AssertSqlSafe(format!("drop database if exists {name} with (force)"))).await?;
        }
        Ok(())
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        let names = std::mem::take(self.databases.get_mut().expect("nothing panics while it is held"));
        if names.is_empty() {
            return;
        }
        let options = self.first.options().clone();
        // A runtime of its own: this may be dropped inside one, and that one may be ending.
        let work = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(Self::drop_databases(&options, &names)).ok()
        });
        // What cannot be dropped (the server is gone) cannot be helped here.
        let _ = work.join();
    }
}
