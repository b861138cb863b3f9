//! All files, or none: each is complete before it gets its name, and what has a name is taken back when another fails.

use super::draft::Draft;
use super::ground::Ground;
use crate::error::Stop;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// What has been done so far, and is undone when dropped.
#[derive(Default)]
struct Undo {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    /// Files that were there, with their text.
    continued: Vec<(PathBuf, String)>,
}

impl Drop for Undo {
    fn drop(&mut self) {
        for (path, before) in self.continued.drain(..) {
            // The disk may be what failed; a second failure has nobody to tell.
            _ = complete(&path, &before).and_then(|file| file.persist(&path).map_err(|error| error.error));
        }
        for path in self.files.drain(..) {
            _ = fs::remove_file(path);
        }
        for path in self.folders.drain(..).rev() {
            _ = fs::remove_dir(path);
        }
    }
}

/// Writes a draft. Returns the paths, in order.
pub(super) fn put(ground: &Ground, draft: Draft) -> Result<Vec<PathBuf>, Stop> {
    let new: Vec<(PathBuf, String)> =
        draft.files.into_iter().map(|(path, text)| (ground.at.join(path), text)).collect();
    if let Some((path, _)) = new.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(there_already(path));
    }
    let mut undo = Undo::default();
    let mut waiting = Vec::new();
    let failed = |path: &Path, cause| Stop::unwritten(path.display().to_string(), cause);
    for (path, text) in &new {
        let folder = path.parent().unwrap_or(Path::new("."));
        make(folder, &mut undo).map_err(|cause| failed(folder, cause))?;
        waiting.push((path, complete(path, text).map_err(|cause| failed(path, cause))?));
    }
    for (path, file) in waiting {
        match file.persist_noclobber(path) {
            Ok(_) => undo.files.push(path.clone()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Err(there_already(path)),
            Err(error) => return Err(failed(path, error.error)),
        }
    }
    let mut paths: Vec<_> = new.iter().map(|(path, _)| path.clone()).collect();
    for index in draft.continued {
        let path = ground.at.join(&index.path);
        let folder = path.parent().unwrap_or(Path::new("."));
        make(folder, &mut undo).map_err(|cause| failed(folder, cause))?;
        let file = complete(&path, &index.after).map_err(|cause| failed(&path, cause))?;
        let now = fs::read_to_string(&path).ok();
        if now != index.before {
            let message = format!("{} changed while the plan was being written", path.display());
            return Err(Stop::usage(message, "nothing was written; run it again"));
        }
        file.persist(&path).map_err(|error| failed(&path, error.error))?;
        match index.before {
            Some(before) => undo.continued.push((path.clone(), before)),
            None => undo.files.push(path.clone()),
        }
        paths.push(path);
    }
    std::mem::forget(std::mem::take(&mut undo));
    Ok(paths)
}

/// The folder, with every folder above it that is missing.
fn make(folder: &Path, undo: &mut Undo) -> io::Result<()> {
    let missing: Vec<_> =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    for path in missing.into_iter().rev() {
        fs::create_dir(path)?;
        undo.folders.push(path.to_owned());
    }
    Ok(())
}

/// The text, on the disk, beside the place where it is to be.
fn complete(path: &Path, text: &str) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".govctl-");
    // As an editor would make it: what the umask leaves.
    #[cfg(unix)]
    let permissions = {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).map_or_else(|_| fs::Permissions::from_mode(0o666), |found| found.permissions())
    };
    #[cfg(unix)]
    builder.permissions(permissions);
    let mut file = builder.tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn there_already(path: &Path) -> Stop {
    Stop::usage(format!("{} is there already", path.display()), "nothing was written: govctl overwrites no migration")
}
