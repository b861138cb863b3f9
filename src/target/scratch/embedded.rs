//! PostgreSQL 17 inside this process: nothing to install, one connection at a time.

use super::error::ScratchError;
use super::keeper::Keeper;
use pglite_oxide::extensions::{self, Extension};
use pglite_oxide::{Pglite, PgliteServer};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// How long a client that was left open may keep the server from ending.
const PATIENCE: Duration = Duration::from_secs(3);

/// What `create extension` finds. The runtime bundles more; these are the ones schemas ask for. pgcrypto and
/// uuid-ossp are not among what it bundles.
const EXTENSIONS: [Extension; 9] = [
    extensions::BTREE_GIN,
    extensions::BTREE_GIST,
    extensions::CITEXT,
    extensions::FUZZYSTRMATCH,
    extensions::HSTORE,
    extensions::LTREE,
    extensions::PG_TRGM,
    extensions::UNACCENT,
    extensions::VECTOR,
];

/// The server and its folder. Dropping it stops the one and then removes the other.
#[derive(Debug)]
pub(super) struct Embedded {
    server: Option<PgliteServer>,
    folder: Option<Keeper>,
}

/// Starts it. Its URL comes with it.
pub(super) fn start() -> Result<(String, Embedded), ScratchError> {
    let folder = Keeper::of_folder()?;
    let root = folder.folder().join("root");
    offer_extensions(&root)?;
    let server = PgliteServer::builder().path(root).relaxed_durability(true).database("postgres").start();
    let server = server.map_err(failed)?;
    Ok((server.database_url(), Embedded { server: Some(server), folder: Some(folder) }))
}

/// Puts the files of [`EXTENSIONS`] in place, so that `create extension` finds them as on a full server.
/// The runtime can do so only by creating each extension; they are dropped again.
fn offer_extensions(root: &Path) -> Result<(), ScratchError> {
    let builder = Pglite::builder().path(root).relaxed_durability(true);
    let mut first = builder.extensions(EXTENSIONS).open().map_err(failed)?;
    let names = EXTENSIONS.map(|extension| extension.sql_name()).join(", ");
    first.exec(&format!("drop extension {names} cascade"), None).map_err(failed)?;
    first.close().map_err(failed)
}

/// The runtime's error, with all its causes.
fn failed(error: impl std::fmt::Display) -> ScratchError {
    ScratchError::Embedded { reason: format!("{error:#}") }
}

/// Whether this user's cache lacks the unpacked server, which takes a few seconds to make.
pub(super) fn is_first_time() -> bool {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(std::path::PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(".cache"));
    cache.or_else(home).is_none_or(|cache| !cache.join("pglite-oxide").exists())
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let server = self.server.take();
        let (done, ended) = mpsc::channel();
        std::thread::spawn(move || {
            drop(server);
            // Nobody listens any more when the patience has run out.
            let _ = done.send(());
        });
        if ended.recv_timeout(PATIENCE).is_err() {
            // It would write into a removed folder and so bring it back: keep it until this process ends.
            std::mem::forget(self.folder.take());
        }
    }
}
