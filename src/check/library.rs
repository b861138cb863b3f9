//! All checks of a run: the embedded ones and those of further folders.

use super::{Axis, Check, CheckId, load, parse};
use crate::facts::Facts;
use crate::yaml::{Mistake, Mistakes, nearest};
use glob::{MatchOptions, Pattern};
use miette::Diagnostic;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};
use thiserror::Error;

/// Path and text of each file in `checks/`.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/checks.rs"));

/// Checks by id.
#[derive(Clone, Debug, Default)]
pub struct Library {
    checks: BTreeMap<CheckId, Check>,
    left_out: BTreeMap<Axis, usize>,
}

/// Which checks there are: what a command line and a configuration may name, known before any check is read.
#[derive(Clone, Debug)]
pub struct Ids(BTreeSet<CheckId>);

/// Checks that could not be loaded; the mistakes of all files at once.
#[derive(Debug, Error, Diagnostic)]
pub enum BadLibrary {
    /// The folder or a file in it cannot be read.
    #[error("{} cannot be read", path.display())]
    #[diagnostic(code(govctl::checks))]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Files with mistakes; never empty.
    #[error("{} of the checks cannot be used", .0.len())]
    #[diagnostic(code(govctl::checks))]
    Mistaken(#[related] Vec<Mistakes>),
}

/// `--only` named something that is no check.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
#[error("no check matches `{glob}`")]
#[diagnostic(code(govctl::checks::unknown))]
pub struct UnknownCheck {
    /// As typed.
    pub glob: String,
    /// A name that was probably meant, or where the names are.
    #[help]
    pub help: String,
}

impl Library {
    /// The checks govctl brings along. They were held against the facts' schema when govctl was tested.
    pub fn embedded() -> Result<Self, BadLibrary> {
        let read = |(path, text): &(&str, &str)| {
            let id = id(path.trim_start_matches("checks/"));
            let check = parse(&id, path, text);
            (id, check)
        };
        // Every command waits for this: half of it on another thread.
        let (one, other) = EMBEDDED.split_at(EMBEDDED.len() / 2);
        let read_all = |part: &'static [(&str, &str)]| part.iter().map(read).collect::<Vec<_>>();
        let all = std::thread::scope(|scope| {
            let other = scope.spawn(|| read_all(other));
            let mut all = read_all(one);
            all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            all
        });
        let mut library = Self::default();
        let mut mistaken = Vec::new();
        for (id, check) in all {
            match check {
                Ok(check) => drop(library.checks.insert(id, check)),
                Err(mistakes) => mistaken.push(mistakes),
            }
        }
        library.unless(mistaken)
    }

    /// Adds every `*.yaml` below a folder, its path there being the id. A taken id is a mistake, not a replacement:
    /// a check must not vanish because another folder has one of its name.
    pub async fn with_dir(mut self, folder: &Path) -> Result<Self, BadLibrary> {
        let mut facts = Facts::empty()
            .await
            .map_err(|stop| BadLibrary::Unreadable { path: folder.to_owned(), cause: io::Error::other(stop) })?;
        let mut mistaken = Vec::new();
        for (name, path) in yaml_files(folder)? {
            let text =
                fs::read_to_string(&path).map_err(|cause| BadLibrary::Unreadable { path: path.clone(), cause })?;
            let (id, shown) = (id(&name), path.display().to_string());
            match load(&id, &shown, &text, &mut facts).await {
                Ok(check) if self.checks.contains_key(&id) => mistaken.push(taken(&check)),
                Ok(check) => drop(self.checks.insert(id, check)),
                Err(mistakes) => mistaken.push(mistakes),
            }
        }
        self.unless(mistaken)
    }

    /// The checks that match at least one of the globs; all of them where there is no glob. `*` crosses `/`.
    pub fn select(self, globs: &[String]) -> Result<Self, UnknownCheck> {
        if globs.is_empty() {
            return Ok(self);
        }
        let patterns = self.ids().patterns(globs)?;
        let chosen = |id: &CheckId| patterns.iter().any(|pattern| matches(pattern, id));
        let (checks, rest): (BTreeMap<_, _>, BTreeMap<_, _>) = self.checks.into_iter().partition(|(id, _)| chosen(id));
        let mut left_out = self.left_out;
        for check in rest.values() {
            *left_out.entry(check.axis).or_default() += 1;
        }
        Ok(Self { checks, left_out })
    }

    /// One check by its id.
    pub fn get(&self, id: &str) -> Result<&Check, UnknownCheck> {
        self.checks.get(&CheckId(id.to_owned())).ok_or_else(|| self.ids().unknown(id))
    }

    fn ids(&self) -> Ids {
        Ids(self.checks.keys().cloned().collect())
    }

    /// The checks in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Check> {
        self.checks.values()
    }

    /// How many checks on an axis were not selected: without them its question has no answer.
    pub fn left_out(&self, axis: Axis) -> usize {
        self.left_out.get(&axis).copied().unwrap_or(0)
    }

    fn unless(self, mistaken: Vec<Mistakes>) -> Result<Self, BadLibrary> {
        if mistaken.is_empty() { Ok(self) } else { Err(BadLibrary::Mistaken(mistaken)) }
    }
}

impl Ids {
    /// Those of the checks govctl brings along.
    pub fn embedded() -> Self {
        Self(EMBEDDED.iter().map(|(path, _)| id(path.trim_start_matches("checks/"))).collect())
    }

    /// Whether there is such a check.
    pub fn look_up(&self, id: &str) -> Result<(), UnknownCheck> {
        if self.0.contains(&CheckId(id.to_owned())) { Ok(()) } else { Err(self.unknown(id)) }
    }

    /// Globs as patterns, each of which matches a check.
    pub fn patterns(&self, globs: &[String]) -> Result<Vec<Pattern>, UnknownCheck> {
        globs.iter().map(|glob| self.pattern(glob)).collect()
    }

    fn pattern(&self, glob: &str) -> Result<Pattern, UnknownCheck> {
        let pattern = Pattern::new(glob)
            .map_err(|error| UnknownCheck { glob: glob.to_owned(), help: format!("this is no glob: {}", error.msg) })?;
        if self.0.iter().any(|id| matches(&pattern, id)) { Ok(pattern) } else { Err(self.unknown(glob)) }
    }

    fn unknown(&self, name: &str) -> UnknownCheck {
        let ids = || self.0.iter().map(|id| id.0.as_str());
        let short = || ids().filter(|id| id.rsplit('/').next().is_some_and(|last| nearest(name, [last]).is_some()));
        let help = nearest(name, ids())
            .or_else(|| short().next())
            .map_or_else(|| "govctl checks lists them".to_owned(), |near| format!("did you mean `{near}`?"));
        UnknownCheck { glob: name.to_owned(), help }
    }
}

fn matches(pattern: &Pattern, id: &CheckId) -> bool {
    pattern.matches_with(&id.0, MatchOptions { require_literal_separator: false, ..MatchOptions::new() })
}

/// `tenant-isolation/rls-disabled.yaml` is `tenant-isolation/rls-disabled`.
fn id(name: &str) -> CheckId {
    CheckId(name.strip_suffix(".yaml").unwrap_or(name).to_owned())
}

fn taken(check: &Check) -> Mistakes {
    let source = &check.source;
    let start = source.text.find(&check.id.0).unwrap_or(0);
    let message = format!("there is a check `{}` already", check.id);
    let mistake = Mistake::new((start..start + check.id.0.len()).into(), message, "taken");
    Mistakes::new(&source.path, &source.text, vec![mistake])
}

/// Every YAML file below a folder with its path there, joined by `/`, in order.
fn yaml_files(folder: &Path) -> Result<Vec<(String, PathBuf)>, BadLibrary> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |cause| BadLibrary::Unreadable { path, cause }
    };
    let mut files = Vec::new();
    let mut folders = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(unreadable(&folder))? {
            let path = entry.map_err(unreadable(&folder))?.path();
            let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
            if path.is_dir() {
                folders.push((format!("{name}/"), path));
            } else if path.extension().is_some_and(|ending| ending == "yaml") {
                files.push((name, path));
            }
        }
    }
    files.sort();
    Ok(files)
}
