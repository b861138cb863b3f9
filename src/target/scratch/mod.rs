//! A throwaway PostgreSQL: a given URL, local binaries, or embedded.
//!
//! What was started here is stopped and removed when [`Scratch`] is dropped, and also when the process is killed:
//! see [`keeper`].

#[cfg(feature = "embedded")]
mod embedded;
mod error;
mod given;
mod keeper;
mod local;

pub use error::ScratchError;

use crate::error::Stop;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use url::Url;

/// Which throwaway PostgreSQL to use.
#[derive(Clone)]
pub enum Choice {
    /// A running server, by URL. It is not stopped; databases made with [`Scratch::database`] are dropped.
    Given(String),
    /// A server started from local binaries.
    Local {
        /// Folder of `initdb` and `pg_ctl`; none: that of the PATH, else the newest in the usual places.
        bindir: Option<PathBuf>,
    },
    /// PostgreSQL 17 inside this process. One connection at a time.
    Embedded,
    /// The URL if there is one, else local binaries, else the embedded one.
    Auto {
        /// `--scratch-url`.
        scratch_url: Option<String>,
    },
}

/// How a scratch runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody else's server.
    Given,
    /// Started from local binaries.
    Local,
    /// Inside this process; a second connection waits until the first is closed.
    Embedded,
}

/// A throwaway PostgreSQL server, for as long as the value lives.
pub struct Scratch {
    first: Database,
    version: String,
    version_num: u32,
    server: Server,
}

/// How to connect to one database of a scratch server.
#[derive(Clone)]
pub struct Database {
    url: Url,
    options: PgConnectOptions,
}

enum Server {
    Given(Box<given::Given>),
    Local {
        _keeper: keeper::Keeper,
    },
    #[cfg(feature = "embedded")]
    Embedded {
        _server: Box<embedded::Embedded>,
    },
}

impl Scratch {
    /// Starts a scratch server, or connects to the given one, and asks for its version.
    ///
    /// # Errors
    /// [`Stop::Scratch`]: nothing to start, or what was started or given does not answer.
    pub async fn start(choice: Choice) -> Result<Self, Stop> {
        Self::start_telling(choice, |_| {}).await
    }

    /// [`Self::start`], saying on the way what takes time: one line each, for a person.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_telling(choice: Choice, mut tell: impl FnMut(&str)) -> Result<Self, Stop> {
        let (first, server) = match choice.resolve()? {
            Resolved::Given(url) => {
                let first = Database::at(&url)?;
                (first.clone(), Server::Given(Box::new(given::Given::new(first))))
            }
            Resolved::Local(bindir) => {
                tell(&format!("Starting a scratch PostgreSQL from {}", bindir.display()));
                let (url, keeper) = in_background(move || local::start(&bindir)).await?;
                (Database::at(&url)?, Server::Local { _keeper: keeper })
            }
            #[cfg(feature = "embedded")]
            Resolved::Embedded => {
                tell(match embedded::is_first_time() {
                    true => "Unpacking the embedded PostgreSQL 17 into the cache folder, this once",
                    false => "Starting the embedded PostgreSQL 17",
                });
                let (url, server) = in_background(embedded::start).await?;
                (Database::at(&url)?, Server::Embedded { _server: Box::new(server) })
            }
        };
        let (version, version_num) = version(&first.options).await.map_err(|error| refused(&first, &error))?;
        Ok(Self { first, version, version_num, server })
    }

    /// How it runs.
    pub fn kind(&self) -> Kind {
        match self.server {
            Server::Given(_) => Kind::Given,
            Server::Local { .. } => Kind::Local,
            #[cfg(feature = "embedded")]
            Server::Embedded { .. } => Kind::Embedded,
        }
    }

    /// The database it comes with.
    pub fn first(&self) -> &Database {
        &self.first
    }

    /// How to connect to its first database. Embedded: close one connection before opening the next.
    pub fn options(&self) -> &PgConnectOptions {
        self.first.options()
    }

    /// The same as a URL that `psql` takes too. A given server's may hold a password: never print it.
    pub fn url(&self) -> String {
        self.first.url()
    }

    /// E.g. `15.18 (Debian 15.18-0+deb12u1)`.
    pub fn server_version(&self) -> &str {
        &self.version
    }

    /// E.g. `150018`.
    pub fn server_version_num(&self) -> u32 {
        self.version_num
    }

    /// Makes an empty database and says how to connect to it; it lives as long as the scratch.
    /// Roles are the server's: two databases share them.
    ///
    /// # Errors
    /// [`Stop::Scratch`] where the role of a given server may not create databases.
    pub async fn database(&self) -> Result<Database, Stop> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let now = jiff::Timestamp::now().as_microsecond();
        let name = format!("govctl_{}_{now:x}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let make = async {
            let mut connection = self.options().connect().await?;
            connection.execute(AssertSqlSafe(format!("create database {name} template template0"))).await?;
            connection.close().await
        };
        make.await.map_err(|error| refused(&self.first, &error))?;
        if let Server::Given(given) = &self.server {
            given.remember(&name);
        }
        Ok(self.first.sibling(&name))
    }

    /// Stops and removes it, and waits for that. Dropping does the same; this does not block the runtime meanwhile.
    pub async fn stop(self) {
        // Stopping reports nothing: what failed to stop was killed.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl Database {
    /// Parses a URL. The error repeats nothing of it, since it may hold a password.
    fn at(text: &str) -> Result<Self, ScratchError> {
        let bad = |reason: String| ScratchError::BadUrl { reason };
        let url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(bad("it does not start with postgres://".into()));
        }
        let unreadable = |_: sqlx::Error| bad("one of its parameters has a value that is not allowed".into());
        Ok(Self { options: text.parse().map_err(unreadable)?, url })
    }

    fn sibling(&self, name: &str) -> Self {
        let mut url = self.url.clone();
        url.set_path(name);
        Self { url, options: self.options.clone().database(name) }
    }

    /// How to connect.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// The same as a URL that `psql` takes too. A given server's may hold a password: never print it.
    pub fn url(&self) -> String {
        self.url.to_string()
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.options.get_database()).finish()
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").field("kind", &self.kind()).field("version", &self.version).finish_non_exhaustive()
    }
}

/// A choice with nothing left to choose.
enum Resolved {
    Given(String),
    Local(PathBuf),
    #[cfg(feature = "embedded")]
    Embedded,
}

impl Choice {
    fn resolve(self) -> Result<Resolved, ScratchError> {
        match self {
            Self::Given(url) | Self::Auto { scratch_url: Some(url) } => Ok(Resolved::Given(url)),
            Self::Local { bindir: Some(bindir) } => Ok(Resolved::Local(bindir)),
            Self::Local { bindir: None } => local::find().map(Resolved::Local).ok_or(ScratchError::Missing),
            Self::Embedded => embedded_if_built(),
            Self::Auto { scratch_url: None } => {
                local::find().map_or_else(embedded_if_built, |it| Ok(Resolved::Local(it)))
            }
        }
    }
}

#[cfg(feature = "embedded")]
fn embedded_if_built() -> Result<Resolved, ScratchError> {
    Ok(Resolved::Embedded)
}

#[cfg(not(feature = "embedded"))]
fn embedded_if_built() -> Result<Resolved, ScratchError> {
    Err(ScratchError::Missing)
}

/// Starting takes about a second of waiting for other processes.
async fn in_background<T: Send + 'static>(
    start: impl FnOnce() -> Result<T, ScratchError> + Send + 'static,
) -> Result<T, ScratchError> {
    match tokio::task::spawn_blocking(start).await {
        Ok(started) => started,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

async fn version(options: &PgConnectOptions) -> Result<(String, u32), sqlx::Error> {
    let mut connection = options.connect().await?;
    let (version, number): (String, String) =
        sqlx::query_as("select current_setting('server_version'), current_setting('server_version_num')")
            .fetch_one(&mut connection)
            .await?;
    connection.close().await?;
    number.parse().map(|number| (version, number)).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn refused(at: &Database, error: &sqlx::Error) -> ScratchError {
    let at = match at.options.get_socket() {
        Some(folder) => folder.display().to_string(),
        None => format!("{}:{}", at.options.get_host(), at.options.get_port()),
    };
    ScratchError::Refused { at, what: error.to_string() }
}
