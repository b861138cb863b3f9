//! What stops a run: one diagnostic per cause, with the exit code it ends with.

use crate::check::{BadLibrary, UnknownCheck};
use crate::exit::Exit;
use crate::target::Unreachable;
use crate::target::scratch::ScratchError;
use crate::target::url::UrlError;
use crate::yaml::Mistakes;
use miette::Diagnostic;
use std::io;
use thiserror::Error;

/// A run that could not be made. Never holds a password, a secret or a row.
#[derive(Debug, Error, Diagnostic)]
pub enum Stop {
    /// The facts store failed (disk full, not a facts file, newer schema).
    #[error("{message}")]
    #[diagnostic(code(govctl::facts))]
    Facts {
        /// What happened.
        message: String,
        /// What to do next.
        #[help]
        help: Option<String>,
    },
    /// What names the database is wrong or missing.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Url(#[from] UrlError),
    /// The command line asks for something that makes no sense.
    #[error("{message}")]
    #[diagnostic(code(govctl::usage))]
    Usage {
        /// What does not.
        message: String,
        /// What would.
        #[help]
        help: Option<String>,
    },
    /// What was to be written could not be: no folder, no permission, a full disk.
    #[error("{what} cannot be written")]
    #[diagnostic(code(govctl::output))]
    Unwritten {
        /// A path as typed, or the name of a stream.
        what: String,
        /// Why.
        #[source]
        cause: io::Error,
        /// The audit was made; only its report is lost.
        audited: bool,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    #[diagnostic(code(govctl::interrupted))]
    Interrupted,
    /// A file that was asked for cannot be read.
    #[error("{path} cannot be read")]
    #[diagnostic(code(govctl::file))]
    Unreadable {
        /// As typed.
        path: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The configuration has mistakes.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(Box<Mistakes>),
    /// Checks have mistakes.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Checks(#[from] BadLibrary),
    /// A check was named that does not exist.
    #[error(transparent)]
    #[diagnostic(transparent)]
    UnknownCheck(#[from] UnknownCheck),
    /// No session with the database.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unreachable(#[from] Unreachable),
    /// No throwaway server to experiment on.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Scratch(#[from] ScratchError),
}

impl Stop {
    /// A wish that makes no sense, and what would.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: Some(help.into()).filter(|help: &String| !help.is_empty()) }
    }

    /// A stream or a file, after the work, that did not take what it was given.
    pub fn unwritten(what: impl Into<String>, cause: io::Error) -> Self {
        Self::Unwritten { what: what.into(), cause, audited: true }
    }

    /// Whether an audit was made all the same.
    pub fn audited(&self) -> bool {
        matches!(self, Self::Unwritten { audited: true, .. })
    }

    /// How the process ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Facts { .. }
            | Self::Url(_)
            | Self::Usage { .. }
            | Self::Unwritten { .. }
            | Self::Unreadable { .. }
            | Self::Config(_)
            | Self::Checks(_)
            | Self::UnknownCheck(_) => Exit::Usage,
            Self::Interrupted => Exit::Interrupted,
            Self::Unreachable(_) => Exit::Unreachable,
            Self::Scratch(error) => error.exit(),
        }
    }
}

impl From<Mistakes> for Stop {
    fn from(mistakes: Mistakes) -> Self {
        Self::Config(Box::new(mistakes))
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Facts { message: format!("the facts store failed: {error}"), help: None }
    }
}
