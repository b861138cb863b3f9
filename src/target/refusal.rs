//! Why there is no session with the database, in words. Never a password.

use crate::error::Stop;
use crate::secrets::{Kind, Rules, redact};
use miette::Diagnostic;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// No session with the database.
#[derive(Debug, Error, Diagnostic)]
pub enum Unreachable {
    /// The host name means nothing.
    #[error("{host} cannot be resolved")]
    #[diagnostic(
        code(govctl::db::unreachable),
        help("check the host name; inside a cluster it may need its full domain, on a VPN the VPN's resolver")
    )]
    NoSuchHost {
        /// As given.
        host: String,
    },

    /// Nothing listens there.
    #[error("{place} refused the connection")]
    #[diagnostic(code(govctl::db::unreachable))]
    Refused {
        /// Host and port, or socket.
        place: String,
        /// The operating system's reason.
        #[source]
        cause: io::Error,
        /// What to try.
        #[help]
        help: String,
    },

    /// Nothing came back.
    #[error("{place} did not answer in {seconds} s")]
    #[diagnostic(
        code(govctl::db::unreachable),
        help("a firewall or a security group may drop the packets; is this machine allowed to reach the database?")
    )]
    NoAnswer {
        /// Host and port, or socket.
        place: String,
        /// How long was waited.
        seconds: u64,
    },

    /// `sslmode` asks for TLS and the server has none.
    #[error("{place} offers no TLS and sslmode is {mode}")]
    #[diagnostic(
        code(govctl::db::tls),
        help("turn TLS on in the server (ssl = on), or use sslmode=prefer where the network is trusted")
    )]
    NoTls {
        /// Host and port, or socket.
        place: String,
        /// As asked for.
        mode: &'static str,
    },

    /// The server's certificate was not accepted, or the handshake failed.
    #[error("no TLS session with {place}: {cause}")]
    #[diagnostic(
        code(govctl::db::tls),
        help("sslrootcert=FILE names the authority that signed the server's certificate")
    )]
    BadTls {
        /// Host and port, or socket.
        place: String,
        /// The library's reason.
        cause: String,
    },

    /// 28P01, 28000: the server knows the role and says no, or does not know it.
    #[error("the server does not accept this {what} for {role}")]
    #[diagnostic(code(govctl::db::credentials))]
    Credentials {
        /// `password`, or `login`.
        what: &'static str,
        /// As given.
        role: String,
        /// What to try.
        #[help]
        help: String,
    },

    /// 3D000.
    #[error("there is no database {database:?} on {place}")]
    #[diagnostic(code(govctl::db::no_database), help("psql -l lists the databases of a server"))]
    NoDatabase {
        /// As given.
        database: String,
        /// Host and port, or socket.
        place: String,
    },

    /// 42501 on connecting.
    #[error("{role} may not connect to the database {database:?}")]
    #[diagnostic(code(govctl::db::credentials), help("grant connect on database {database:?} to {role:?}"))]
    MayNotConnect {
        /// As given.
        role: String,
        /// As given.
        database: String,
    },

    /// 53300.
    #[error("the server has no free connection")]
    #[diagnostic(
        code(govctl::db::busy),
        help("govctl needs one connection for a few seconds; try again, or go through the pooler")
    )]
    Full,

    /// 57P03.
    #[error("the server is still starting, or shutting down")]
    #[diagnostic(code(govctl::db::busy), help("try again in a moment"))]
    NotReady,

    /// Older than any catalog that is understood.
    #[error("govctl needs PostgreSQL 14 or newer; this is {version}")]
    #[diagnostic(code(govctl::db::too_old))]
    TooOld {
        /// As the server says it.
        version: String,
    },

    /// It speaks, but not PostgreSQL's protocol.
    #[error("{place} does not speak PostgreSQL's protocol")]
    #[diagnostic(code(govctl::db::unreachable), help("is that the port of the database, and not of its web console?"))]
    NotPostgres {
        /// Host and port, or socket.
        place: String,
    },

    /// It hung up before a word was said.
    #[error("{place} accepted the connection and closed it")]
    #[diagnostic(
        code(govctl::db::unreachable),
        help("a load balancer or a pooler with no database behind it does this, and so does what is not PostgreSQL")
    )]
    Closed {
        /// Host and port, or socket.
        place: String,
    },

    /// The session ended in the middle.
    #[error("the session with the database was lost: {cause}")]
    #[diagnostic(
        code(govctl::db::lost),
        help(
            "nothing was judged on half the facts; run it again. An administrator or a failover may have ended the session"
        )
    )]
    Lost {
        /// The server's or the operating system's reason.
        cause: String,
    },

    /// Any other refusal, in the server's own words.
    #[error("no session with {place}: {cause}")]
    #[diagnostic(code(govctl::db::unreachable))]
    Other {
        /// Host and port, or socket.
        place: String,
        /// The server's reason, with its SQLSTATE.
        cause: String,
    },
}

/// Nothing came back from there.
pub(super) fn no_answer(options: &PgConnectOptions, waited: Duration) -> Unreachable {
    Unreachable::NoAnswer { place: place(options), seconds: waited.as_secs() }
}

/// Whether the session is gone, rather than one question refused.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            // connection exceptions; terminated by an administrator, a crash or a shutdown; idle for too long
            code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04")
        }
        _ => true,
    }
}

/// Whether a privilege was missing.
pub(crate) fn is_forbidden(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "42501")
}

/// An error in the middle of a session.
pub(crate) fn lost(error: sqlx::Error) -> Stop {
    let cause = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    };
    Unreachable::Lost { cause }.into()
}

/// Why no session was opened.
pub(super) fn explain(options: &PgConnectOptions, error: sqlx::Error) -> Unreachable {
    let place = place(options);
    match error {
        sqlx::Error::Io(cause) => explain_io(options, place, cause),
        sqlx::Error::Tls(cause) if cause.to_string() == "server does not support TLS" => {
            Unreachable::NoTls { place, mode: mode(options) }
        }
        sqlx::Error::Tls(cause) => Unreachable::BadTls { place, cause: cause.to_string() },
        // No byte came where one letter was due: the end of the stream, as sqlx tells it.
        sqlx::Error::Protocol(words) if words.contains("SSLRequest: 0x00") => Unreachable::Closed { place },
        sqlx::Error::Protocol(_) => Unreachable::NotPostgres { place },
        sqlx::Error::Database(error) => {
            // Where a token stands as the name, the server repeats it.
            let role = without_secrets(options.get_username());
            let database = options.get_database().map_or_else(|| role.clone(), without_secrets);
            match &*error.code().unwrap_or_default() {
                "28P01" => Unreachable::Credentials {
                    what: "password",
                    role,
                    help: "PGPASSWORD and ~/.pgpass are read too; in a URL @ : / and # must be percent-encoded".into(),
                },
                "28000" => {
                    let tls = match options.get_ssl_mode() {
                        PgSslMode::Disable | PgSslMode::Allow => "; sslmode is disable, and it may insist on TLS",
                        _ => "",
                    };
                    Unreachable::Credentials {
                        what: "login",
                        role,
                        help: format!("it says: {}{tls}", without_secrets(error.message())),
                    }
                }
                "3D000" => Unreachable::NoDatabase { database, place },
                "42501" => Unreachable::MayNotConnect { role, database },
                "53300" => Unreachable::Full,
                "57P03" => Unreachable::NotReady,
                code => Unreachable::Other { place, cause: format!("{} ({code})", without_secrets(error.message())) },
            }
        }
        error => Unreachable::Other { place, cause: error.to_string() },
    }
}

fn without_secrets(text: &str) -> String {
    redact(text, &Rules::own().find(text, Kind::Text), |_, _| "*****".to_owned())
}

fn explain_io(options: &PgConnectOptions, place: String, cause: io::Error) -> Unreachable {
    let words = cause.to_string();
    match cause.kind() {
        // The standard library has no kind for a name that is not found.
        _ if words.contains("failed to lookup address") => {
            Unreachable::NoSuchHost { host: options.get_host().to_owned() }
        }
        io::ErrorKind::TimedOut => no_answer(options, Duration::from_secs(10)),
        io::ErrorKind::InvalidData => Unreachable::BadTls { place, cause: words },
        // Over TCP the only files are certificates and keys.
        io::ErrorKind::NotFound if socket(options).is_none() => {
            let cause = format!("sslrootcert, sslcert or sslkey cannot be read: {words}");
            Unreachable::BadTls { place, cause }
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Unreachable::Closed { place },
        kind => {
            let help = match kind {
                io::ErrorKind::NotFound => "is the server running, and is that its socket directory?".to_owned(),
                io::ErrorKind::PermissionDenied => "this user may not open the socket".to_owned(),
                _ => format!("nothing listens on {}; a pooler often uses 6432", options.get_port()),
            };
            Unreachable::Refused { place, cause, help }
        }
    }
}

/// Host and port, or the socket.
fn place(options: &PgConnectOptions) -> String {
    let port = options.get_port();
    match socket(options) {
        Some(directory) => format!("{}/.s.PGSQL.{port}", directory.display()),
        None => format!("{}:{port}", options.get_host()),
    }
}

/// The directory of the socket, given as such or as a host that is a path.
fn socket(options: &PgConnectOptions) -> Option<&Path> {
    let host = options.get_host();
    options.get_socket().map(PathBuf::as_path).or_else(|| host.starts_with('/').then(|| Path::new(host)))
}

fn mode(options: &PgConnectOptions) -> &'static str {
    match options.get_ssl_mode() {
        PgSslMode::VerifyFull => "verify-full",
        PgSslMode::VerifyCa => "verify-ca",
        _ => "require",
    }
}
