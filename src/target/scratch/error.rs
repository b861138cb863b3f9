//! Why there is no throwaway PostgreSQL.

use crate::exit::Exit;
use miette::Diagnostic;
use std::path::PathBuf;
use thiserror::Error;

/// No scratch server, and what to do about it. Never holds a password.
#[derive(Debug, Error, Diagnostic)]
pub enum ScratchError {
    /// Neither a URL, nor local binaries, nor the embedded server.
    #[error("there is no PostgreSQL to start a scratch server from")]
    #[diagnostic(
        code(govctl::scratch::missing),
        help(
            "one of three ways:\n\
             give the URL of a server to experiment on\n\
             install a PostgreSQL server, so that initdb and pg_ctl are on the PATH\n\
             build govctl with its default feature `embedded`"
        )
    )]
    Missing,

    /// A folder was named that holds no server.
    #[error("{} holds no PostgreSQL server", .bindir.display())]
    #[diagnostic(
        code(govctl::scratch::binaries),
        help("initdb, pg_ctl and postgres must be there; `pg_config --bindir` prints the folder")
    )]
    NoBinaries {
        /// The folder that was looked at.
        bindir: PathBuf,
    },

    /// The scratch URL is not one.
    #[error("the scratch URL is not one PostgreSQL understands: {reason}")]
    #[diagnostic(
        code(govctl::scratch::url),
        help(
            "postgres://user@host:5432/database\na password with @ : / or # in it must be percent-encoded; PGPASSWORD needs no encoding"
        )
    )]
    BadUrl {
        /// What the parser said; names no part of the URL.
        reason: String,
    },

    /// The server exists but does not answer, or refuses what a scratch needs.
    #[error("the scratch server at {at}: {what}")]
    #[diagnostic(
        code(govctl::scratch::refused),
        help("a scratch needs a role that may create databases and roles, best a superuser")
    )]
    Refused {
        /// Host and port, or socket folder.
        at: String,
        /// The server's or the network's words.
        what: String,
    },

    /// `initdb` or `pg_ctl` failed.
    #[error("PostgreSQL from {} did not start", .bindir.display())]
    #[diagnostic(code(govctl::scratch::start), help("{log}"))]
    Failed {
        /// Where the binaries are.
        bindir: PathBuf,
        /// The end of their log.
        log: String,
    },

    /// The embedded server failed.
    #[error("the embedded PostgreSQL did not start: {reason}")]
    #[diagnostic(
        code(govctl::scratch::embedded),
        help("it unpacks itself once into the user's cache folder; XDG_CACHE_HOME names another one")
    )]
    Embedded {
        /// What its runtime said.
        reason: String,
    },

    /// No folder, no process: the machine is full or forbids it.
    #[error("{doing}: {source}")]
    #[diagnostic(code(govctl::scratch::machine))]
    Machine {
        /// What was attempted.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl ScratchError {
    /// How the process ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::BadUrl { .. } => Exit::Usage,
            Self::Missing
            | Self::NoBinaries { .. }
            | Self::Refused { .. }
            | Self::Failed { .. }
            | Self::Embedded { .. }
            | Self::Machine { .. } => Exit::Unreachable,
        }
    }

    /// For `map_err`: an I/O error, with what was attempted.
    pub(super) fn machine(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Machine { doing, source }
    }
}
