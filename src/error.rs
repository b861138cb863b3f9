//! What stops a run: one diagnostic per cause, with the exit code it ends with.

use crate::check::{BadLibrary, UnknownCheck};
use crate::exit::Exit;
use crate::target::Unreachable;
use crate::yaml::Mistakes;
use crate::target::scratch::ScratchError;
use miette::Diagnostic;
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
    /// A file that was asked for cannot be read.
    #[error("{path} cannot be read")]
    #[diagnostic(code(govctl::file))]
    Unreadable {
        /// As typed.
        path: String,
        /// Why.
        #[source]
        cause: std::io::Error,
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
    /// How the process ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Facts { .. }
            | Self::Unreadable { .. }
            | Self::Config(_)
            | Self::Checks(_)
            | Self::UnknownCheck(_) => Exit::Usage,
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
