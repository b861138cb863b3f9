//! Where the configuration is.

use super::{Config, load};
use crate::error::Stop;
use std::path::Path;
use std::{fs, io};

/// What govctl looks for in the current folder when `--config` is not given.
pub const FILE: &str = "govctl.yaml";

impl Config {
    /// The configuration of a run: `--config FILE`, else `govctl.yaml` in the current folder, else the default.
    /// A file that was asked for has to be there.
    pub fn find(asked_for: Option<&Path>) -> Result<Self, Stop> {
        let path = asked_for.unwrap_or(Path::new(FILE));
        let shown = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Ok(load::parse(&shown, &text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound && asked_for.is_none() => Ok(Self::default()),
            Err(cause) => Err(Stop::Unreadable { path: shown, cause }),
        }
    }
}
