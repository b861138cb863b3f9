//! The process that outlives govctl by a moment, to leave nothing behind.

use super::error::ScratchError;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A socket's path may have 107 bytes, and `.s.PGSQL.5432.lock` wants 20 of them.
const LONGEST_FOLDER: usize = 80;

/// A private folder and the shell that keeps it, with or without a server inside.
/// Dropping it stops the server and removes the folder; so does the end of this process, whatever ends it.
#[derive(Debug)]
pub(super) struct Keeper {
    folder: TempDir,
    child: Child,
}

impl Keeper {
    /// A folder that goes when this does. Nothing runs in it.
    #[cfg(feature = "embedded")]
    pub(super) fn of_folder() -> Result<Self, ScratchError> {
        Self::start(private_folder(false)?, "", None)
    }

    /// A server from these binaries, ready for connections on a socket in [`Self::folder`].
    /// PostgreSQL refuses to run as root: then the keeper itself runs as `postgres`, else as `nobody`.
    pub(super) fn of_server(bindir: &Path) -> Result<Self, ScratchError> {
        let account = ordinary_account();
        let folder = private_folder(account.is_some())?;
        if let Some((uid, gid)) = account {
            chown(folder.path(), Some(uid), Some(gid)).map_err(ScratchError::machine("giving away a folder"))?;
        }
        Self::start(folder, bindir, account)
    }

    /// Where the socket is.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn start(folder: TempDir, bindir: impl AsRef<OsStr>, account: Option<(u32, u32)>) -> Result<Self, ScratchError> {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", include_str!("keeper.sh"), "keeper"])
            .args([folder.path().as_os_str(), bindir.as_ref()])
            .current_dir("/")
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C goes to the whole group of a terminal's job; this must survive it.
            .process_group(0);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        if let Some((uid, gid)) = account {
            command.uid(uid).gid(gid);
        }
        let child = command.spawn().map_err(ScratchError::machine("starting /bin/sh"))?;
        let mut keeper = Self { folder, child };
        let mut said = String::new();
        let stdout = keeper.child.stdout.take().expect("stdout was piped");
        BufReader::new(stdout).read_line(&mut said).map_err(ScratchError::machine("starting a server"))?;
        if said.trim_end() == "ready" {
            Ok(keeper)
        } else {
            Err(ScratchError::Failed { bindir: PathBuf::from(bindir.as_ref()), log: keeper.end_of_log() })
        }
    }

    fn end_of_log(&self) -> String {
        let log = std::fs::read(self.folder().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends by itself within its own time limits; an error means that it is gone already.
        let _ = self.child.wait();
    }
}

/// A folder only this user can enter, with a name short and plain enough to hold a socket.
/// For another account it is in /tmp, since root's own temporary folder may be closed to others.
fn private_folder(for_another: bool) -> Result<TempDir, ScratchError> {
    let usual = std::env::temp_dir();
    let name = usual.as_os_str().as_encoded_bytes();
    let plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/_-.+".contains(byte));
    let fits = !for_another && plain && usual.is_absolute() && name.len() < LONGEST_FOLDER;
    tempfile::Builder::new()
        .prefix("govctl-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(if fits { usual } else { PathBuf::from("/tmp") })
        .map_err(ScratchError::machine("making a temporary folder"))
}

/// For root alone: user and group of an account to run a server as.
fn ordinary_account() -> Option<(u32, u32)> {
    if id(&["-u"])? != 0 {
        return None;
    }
    ["postgres", "nobody"].into_iter().find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
