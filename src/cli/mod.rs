//! What a person may type.

use std::process::ExitCode;

/// The whole program.
pub fn main() -> ExitCode {
    crate::exit::Exit::Clean.into()
}
