//! The folder that is written to: whose it is, and what is there.

use super::tools::{self, Writer};
use crate::error::Stop;
use crate::history::{Folder, named, recognise};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of migrations, or one that is to be.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) writer: &'static Writer,
    /// The folder that holds the migrations; of a project, the one in it.
    pub(super) at: PathBuf,
    /// In the order in which they run.
    pub(super) known: Vec<Known>,
    /// Every file below, by its path.
    files: BTreeSet<String>,
    pub(super) now: jiff::Timestamp,
}

/// A migration that is there.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// As the tool spells it.
    pub(super) version: String,
    pub(super) name: String,
    /// Below the folder.
    pub(super) path: String,
}

impl Ground {
    pub(super) fn look(folder: &Path, tool: Option<&str>, now: jiff::Timestamp) -> Result<Self, Stop> {
        let only = match tool {
            Some(name) => Some(named(name).ok_or_else(|| unknown(name))?),
            None => None,
        };
        let nothing = Self {
            writer: only.map_or(&tools::PLAIN, |tool| tools::of(tool.name)),
            at: folder.to_owned(),
            known: Vec::new(),
            files: BTreeSet::new(),
            now,
        };
        match fs::symlink_metadata(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(nothing),
            _ => {}
        }
        let opened = Folder::open(folder)?;
        let Some(found) = recognise(&opened, only) else {
            let files = opened.dirs().first().map(|dir| dir.all_files()).unwrap_or_default();
            return Ok(Self { files: files.into_iter().collect(), ..nothing });
        };
        let below = |path: &str| match found.dir.at() {
            "" => path.to_owned(),
            at => path.strip_prefix(at).unwrap_or(path).trim_start_matches('/').to_owned(),
        };
        let known = found.claim.migrations.iter().map(|planned| Known {
            version: planned.version.clone(),
            name: planned.name.clone(),
            path: below(&planned.path),
        });
        Ok(Self {
            // By names alone a folder may be anybody's.
            writer: if found.claim.is_guess() && only.is_none() { &tools::PLAIN } else { tools::of(found.tool.name) },
            at: if found.dir.at().is_empty() { folder.to_owned() } else { folder.join(found.dir.at()) },
            known: known.collect(),
            files: found.dir.all_files().into_iter().collect(),
            now,
        })
    }

    /// No migration is there yet.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains(path)
    }

    pub(super) fn files(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// The text of a file below.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.at.join(path)).ok()
    }

    /// The text of a file that must be readable: it is to be continued.
    pub(super) fn must_read(&self, path: &str) -> Result<String, Stop> {
        let file = self.at.join(path);
        fs::read_to_string(&file).map_err(|cause| Stop::Unreadable { path: file.display().to_string(), cause })
    }

    /// The text of the newest migration whose name ends so.
    pub(super) fn newest(&self, ending: &str) -> Option<String> {
        let known = self.known.iter().rev().find(|known| known.path.ends_with(ending))?;
        self.text(&known.path)
    }

    /// The folder below in which the newest migration lies: tools that look into folders keep them by year, or by release.
    pub(super) fn newest_folder(&self) -> String {
        let newest = self.known.iter().max_by(|a, b| super::number::compare(&a.version, &b.version));
        newest.and_then(|known| known.path.rsplit_once('/')).map(|(folder, _)| format!("{folder}/")).unwrap_or_default()
    }

    /// A file of the project, in the folder or above it.
    pub(super) fn above(&self, name: &str) -> Option<String> {
        // The folder itself may be yet to be made.
        let whole = std::path::absolute(&self.at).ok()?;
        let mut here = whole.ancestors().find_map(|folder| fs::canonicalize(folder).ok())?;
        for _ in 0..6 {
            if let Ok(text) = fs::read_to_string(here.join(name)) {
                return Some(text);
            }
            if here.join(".git").exists() || !here.pop() {
                return None;
            }
        }
        None
    }

    /// A path as it is shown.
    pub(super) fn shown(&self, path: &str) -> String {
        self.at.join(path).display().to_string()
    }
}

fn unknown(name: &str) -> Stop {
    Stop::usage(
        format!("{name:?} is no migration tool that govctl knows"),
        format!("one of: {}", crate::history::tool_names().collect::<Vec<_>>().join(", ")),
    )
}
