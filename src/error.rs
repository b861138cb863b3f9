//! What stops a run: one diagnostic per cause, with the exit code it ends with.

use crate::exit::Exit;
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

    /// No throwaway server to experiment on.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Scratch(#[from] ScratchError),
}

impl Stop {
    /// How the process ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Facts { .. } => Exit::Usage,
            Self::Scratch(error) => error.exit(),
        }
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Facts { message: format!("the facts store failed: {error}"), help: None }
    }
}
