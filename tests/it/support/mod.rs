//! PostgreSQL for tests: one server for all of them, a database of its own for each test.
//!
//! The server is that of `GOVCTL_TEST_URL`, else one started from `GOVCTL_TEST_BINDIR`, else with
//! `GOVCTL_TEST_EMBEDDED` the embedded one, else from local binaries, else the embedded one. What was started ends
//! with the process, however that ends.
//!
//! Roles belong to the server, not to a database, and every login is a principal in everybody's facts. Therefore
//! a test says which of two it needs:
//! * [`database`]: others run at the same time; name roles with [`unique`], or make them in a rolled-back transaction
//! * [`cluster`]: nobody else uses the server; roles made meanwhile are dropped at the end. Where servers can be
//!   started it is one of a few beside the shared one, and nobody waits; else it is the shared one, and all others wait
//!
//! Embedded, every database is a server of its own, and a second connection waits for the first to be closed: never
//! hold two.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(unreachable_pub, reason = "what tests use stands apart from what they do not")]

use govctl::target::scratch::{self, Choice, Kind, Scratch};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// Names the lock that tells [`database`] and [`cluster`] apart, on every server.
const LOCK: i64 = 0x676f_7663_746c;

/// The server all tests share.
pub fn server() -> &'static Scratch {
    static SERVER: LazyLock<Scratch> = LazyLock::new(|| blocking(Scratch::start(choice())).unwrap());
    &SERVER
}

/// The server that the environment asks for.
pub fn choice() -> Choice {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(url) = variable("GOVCTL_TEST_URL") {
        Choice::Given(url)
    } else if let Some(bindir) = variable("GOVCTL_TEST_BINDIR") {
        Choice::Local { bindir: Some(bindir.into()) }
    } else if variable("GOVCTL_TEST_EMBEDDED").is_some() {
        Choice::Embedded
    } else {
        Choice::Auto { scratch_url: None }
    }
}

/// Servers for one test at a time, while no test uses them.
static IDLE: Mutex<Vec<Arc<Scratch>>> = Mutex::new(Vec::new());

/// Whether a second connection would wait for the first to be closed. A test that needs two, or a server that checks
/// logins, has nothing to say there and returns.
pub fn is_embedded() -> bool {
    server().kind() == Kind::Embedded
}

/// A name no other test uses, for roles: `unique("agent")` is `agent_4711_1`.
pub fn unique(name: &str) -> String {
    static USED: AtomicU32 = AtomicU32::new(0);
    format!("{name}_{}_{}", std::process::id(), USED.fetch_add(1, Ordering::Relaxed))
}

/// An empty database beside those of other tests.
pub async fn database() -> Database {
    Database::new(SHARED).await
}

/// For a test that makes databases and roles of its own: while the connection lives, no [`cluster`] does.
pub async fn beside_others() -> PgConnection {
    locked(SHARED).await
}

const SHARED: &str = "select pg_advisory_lock_shared($1)";

/// A connection that holds the lock.
async fn locked(take_lock: &'static str) -> PgConnection {
    let mut lock = server().options().connect().await.unwrap();
    sqlx::query(take_lock).bind(LOCK).execute(&mut lock).await.unwrap();
    lock
}

/// An empty database on a server that, while the value lives, nobody else of these tests uses.
pub async fn cluster() -> Database {
    let mut database = match server().kind() {
        Kind::Local => Database::on_its_own_server().await,
        Kind::Given | Kind::Embedded => Database::new("select pg_advisory_lock($1)").await,
    };
    let mut connection = match &database.lease {
        Lease::Whole(_) => return database,
        Lease::Own(server) => server.options().connect().await.unwrap(),
        Lease::Shared(_) => server().options().connect().await.unwrap(),
    };
    // Of tests that have ended: the names by which they told their roles from each other's.
    let mine = format!("_{}_", std::process::id());
    let (left, keep) = roles(&mut connection).await.unwrap().into_iter().partition(|role| role.contains(&mine));
    drop_roles(&mut connection, left).await.unwrap();
    database.roles_before = Some(keep);
    connection.close().await.unwrap();
    database
}

/// A database for one test, dropped with the value.
pub struct Database {
    inner: scratch::Database,
    lease: Lease,
    /// Of a cluster: the roles to keep.
    roles_before: Option<Vec<String>>,
}

/// What goes with a [`Database`].
enum Lease {
    /// Its server, which ends with the test.
    Whole(Box<Scratch>),
    /// Its server, which other tests use afterwards.
    Own(Arc<Scratch>),
    /// The lock.
    Shared(#[expect(dead_code, reason = "held until the test ends")] PgConnection),
}

impl Database {
    async fn new(take_lock: &'static str) -> Self {
        if is_embedded() {
            let scratch = Scratch::start(Choice::Embedded).await.unwrap();
            let inner = scratch.first().clone();
            return Self { inner, lease: Lease::Whole(Box::new(scratch)), roles_before: None };
        }
        let lock = locked(take_lock).await;
        let inner = server().database().await.unwrap();
        Self { inner, lease: Lease::Shared(lock), roles_before: None }
    }

    async fn on_its_own_server() -> Self {
        let idle = IDLE.lock().unwrap().pop();
        let server = match idle {
            Some(server) => server,
            None => Arc::new(Scratch::start(choice()).await.unwrap()),
        };
        let inner = server.database().await.unwrap();
        Self { inner, lease: Lease::Own(server), roles_before: None }
    }

    /// The server it is on.
    pub fn server(&self) -> &Scratch {
        match &self.lease {
            Lease::Whole(server) => server,
            Lease::Own(server) => server,
            Lease::Shared(_) => server(),
        }
    }

    /// How to connect to it.
    pub fn options(&self) -> &PgConnectOptions {
        self.inner.options()
    }

    /// The same, for the command line.
    pub fn url(&self) -> String {
        self.inner.url()
    }

    /// A connection as the server's superuser. Embedded: one at a time.
    pub async fn connect(&self) -> PgConnection {
        self.options().connect().await.unwrap()
    }

    /// Runs a script, as `psql` would without a transaction.
    pub async fn run(&self, script: &str) {
        let mut connection = self.connect().await;
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await {
            panic!("{error}\nin: {script}");
        }
        connection.close().await.unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let options = match &self.lease {
            Lease::Whole(_) => return,
            Lease::Own(_) | Lease::Shared(_) => self.server().options().clone(),
        };
        let cleaned = blocking(clean(options, self.inner.options().clone(), self.roles_before.take()));
        // Nobody else gets a server on which something is left.
        if let (Lease::Own(server), Ok(())) = (&self.lease, &cleaned) {
            IDLE.lock().unwrap().push(Arc::clone(server));
        }
        // A test that has failed already says why by itself. The lock goes after the roles, with its connection.
        if !std::thread::panicking() {
            cleaned.unwrap();
        }
    }
}

/// Drops the database, and all roles but these.
async fn clean(
    server: PgConnectOptions,
    database: PgConnectOptions,
    keep: Option<Vec<String>>,
) -> Result<(), sqlx::Error> {
    let mut connection = server.connect().await?;
    let name = database.get_database().unwrap();
    connection.execute(AssertSqlSafe(format!("drop database if exists {name} with (force)"))).await?;
    if let Some(keep) = keep {
        let made = roles(&mut connection).await?.into_iter().filter(|role| !keep.contains(role)).collect();
        drop_roles(&mut connection, made).await?;
    }
    connection.close().await
}

async fn drop_roles(connection: &mut PgConnection, roles: Vec<String>) -> Result<(), sqlx::Error> {
    let quoted: Vec<_> = roles.iter().map(|role| format!("\"{}\"", role.replace('"', "\"\""))).collect();
    if !quoted.is_empty() {
        connection.execute(AssertSqlSafe(format!("drop role {}", quoted.join(", ")))).await?;
    }
    Ok(())
}

/// Names of all roles but the system's own.
async fn roles(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let sql = "select rolname::text from pg_catalog.pg_roles where oid >= 16384";
    sqlx::query_scalar(sql).fetch_all(connection).await
}

/// Runs to the end on a thread and a runtime of its own, also inside another runtime.
fn blocking<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(future)
    };
    std::thread::spawn(run).join().unwrap()
}
