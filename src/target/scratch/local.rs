//! A server from the PostgreSQL that is installed on this machine.

use super::error::ScratchError;
use super::keeper::Keeper;
use std::path::{Path, PathBuf};

/// Folders that hold one folder a version, and what follows the version in them.
const USUAL: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// Starts a server: trust on a unix socket in a private folder, no TCP, no durability. Its URL comes with it.
pub(super) fn start(bindir: &Path) -> Result<(String, Keeper), ScratchError> {
    if !holds_server(bindir) {
        return Err(ScratchError::NoBinaries { bindir: bindir.to_owned() });
    }
    let keeper = Keeper::of_server(bindir)?;
    let socket = keeper.folder().display();
    let url = format!("postgresql:///postgres?host={socket}&port=5432&user=postgres&sslmode=disable");
    Ok((url, keeper))
}

/// The folder of the server that would be used: that of `initdb` on the PATH, else the newest in the usual places.
pub(super) fn find() -> Option<PathBuf> {
    on_path().or_else(in_usual_places)
}

fn on_path() -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).find_map(|folder| {
        // Distributions link `initdb` into the PATH, away from the `share` folder it needs.
        let initdb = folder.join("initdb").canonicalize().ok()?;
        initdb.parent().filter(|folder| holds_server(folder)).map(Path::to_owned)
    })
}

fn in_usual_places() -> Option<PathBuf> {
    let versions = USUAL.iter().flat_map(|(place, prefix, bin)| {
        let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
        entries.filter_map(move |entry| {
            let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse::<f32>().ok()?;
            Some((version, entry.path().join(bin)))
        })
    });
    let plain = std::iter::once((0.0, PathBuf::from("/usr/local/pgsql/bin")));
    let mut found: Vec<_> = versions.chain(plain).filter(|(_, bindir)| holds_server(bindir)).collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.pop().map(|(_, bindir)| bindir)
}

fn holds_server(bindir: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| bindir.join(program).is_file())
}
