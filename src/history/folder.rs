//! A folder on disk, listed once; its files are read when somebody asks.

use crate::error::Stop;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Folders that hold no migrations of one's own.
const PASSED_OVER: [&str; 9] =
    ["node_modules", "target", "vendor", "__pycache__", "dist", "build", "venv", "site-packages", "bower_components"];

/// More files than this are another kind of folder.
const MOST_FILES: usize = 100_000;

/// How far above the folder a tool's own configuration is looked for.
const LEVELS_UP: usize = 6;

/// What lies in a folder of migrations, or somewhere above them.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// The same without links, where it can be told.
    absolute: Option<PathBuf>,
    /// Every folder below, by its path from the root (`""` for the root), with the names of its files and folders.
    listing: BTreeMap<String, Listing>,
    /// How files begin that were asked for: the folders above a file ask for the same.
    first_lines: Mutex<HashMap<String, Option<String>>>,
    /// What was found above the root: every folder below asks for the same.
    above: Mutex<HashMap<PathBuf, bool>>,
}

#[derive(Debug, Default)]
struct Listing {
    files: Vec<String>,
    folders: Vec<String>,
    /// It is the root of a repository.
    is_repository: bool,
}

impl Listing {
    fn has(&self, file: &str) -> bool {
        self.files.binary_search_by(|known| known.as_str().cmp(file)).is_ok()
    }
}

impl Folder {
    /// Lists a folder.
    pub(crate) fn open(root: &Path) -> Result<Self, Stop> {
        let mut folder = Self {
            root: root.to_owned(),
            absolute: fs::canonicalize(root).ok(),
            listing: BTreeMap::new(),
            first_lines: Mutex::default(),
            above: Mutex::default(),
        };
        let unreadable = |cause| Stop::Unreadable { path: root.display().to_string(), cause };
        let first = Self::list(root).map_err(unreadable)?;
        let mut waiting = vec![(String::new(), first)];
        let mut files = 0;
        while let Some((path, listing)) = waiting.pop() {
            files += listing.files.len();
            if files > MOST_FILES {
                return Err(Stop::usage(
                    format!("{} holds more than {MOST_FILES} files", root.display()),
                    "name the folder of the migrations itself",
                ));
            }
            for name in &listing.folders {
                let below = join(&path, name);
                // A folder that may not be entered holds no migrations that could be read.
                if let Ok(listing) = Self::list(&root.join(&below)) {
                    waiting.push((below, listing));
                }
            }
            folder.listing.insert(path, listing);
        }
        Ok(folder)
    }

    fn list(path: &Path) -> std::io::Result<Listing> {
        let mut listing = Listing::default();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = entry.file_type()?;
            listing.is_repository |= name == ".git";
            // A link may lead anywhere, also in a circle.
            if kind.is_dir() {
                if !name.starts_with('.') && !PASSED_OVER.contains(&name.as_str()) {
                    listing.folders.push(name);
                }
            } else if kind.is_file() || kind.is_symlink() && is_file_or_gone(&entry.path()) {
                listing.files.push(name);
            }
        }
        listing.files.sort_unstable();
        listing.folders.sort_unstable();
        Ok(listing)
    }

    /// Every folder, the root first, then by depth and name.
    pub(crate) fn dirs(&self) -> Vec<Dir<'_>> {
        let mut all: Vec<_> = self.listing.keys().map(|at| Dir { folder: self, at }).collect();
        all.sort_by_key(|dir| (dir.depth(), dir.at));
        all
    }

    /// The text of a file.
    pub(crate) fn text(&self, path: &str) -> std::io::Result<String> {
        fs::read(self.root.join(path)).map(decoded)
    }

    /// The first line of a file that is not empty, if it stands in the first 4 KiB.
    fn first_line(&self, path: &str) -> Option<String> {
        let mut known = self.first_lines.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || {
            let mut bytes = Vec::new();
            fs::File::open(self.root.join(path)).ok()?.take(4096).read_to_end(&mut bytes).ok()?;
            decoded(bytes).lines().find(|line| !line.trim().is_empty()).map(str::to_owned)
        };
        known.entry(path.to_owned()).or_insert_with(read).clone()
    }

    /// What a look above the root says, once for each path.
    fn is_above(&self, path: PathBuf, look: fn(&Path) -> bool) -> bool {
        let mut known = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(path).or_insert_with_key(|path| look(path))
    }

    /// A path below the root, as it is shown: with the root as it was typed.
    pub(crate) fn shown(&self, path: &str) -> String {
        self.root.join(path).display().to_string()
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

/// One folder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dir<'a> {
    folder: &'a Folder,
    at: &'a str,
}

impl<'a> Dir<'a> {
    pub(crate) fn depth(self) -> usize {
        if self.at.is_empty() { 0 } else { self.at.split('/').count() }
    }

    /// Its path from the root.
    pub(crate) fn at(self) -> &'a str {
        self.at
    }

    /// Whether a folder of this name is on the way to it, also above the root.
    pub(crate) fn is_below(self, name: &str) -> bool {
        let inside = self.at.split('/').any(|part| part == name);
        inside || self.absolute().is_some_and(|path| path.components().any(|part| part.as_os_str() == name))
    }

    /// Links to folders are not followed, so that what stands below the root has no other name.
    fn absolute(self) -> Option<PathBuf> {
        self.folder.absolute.as_ref().map(|root| root.join(self.at))
    }

    pub(crate) fn files(self) -> impl Iterator<Item = &'a str> {
        self.folder.listing[self.at].files.iter().map(String::as_str)
    }

    pub(crate) fn folders(self) -> impl Iterator<Item = Self> {
        let folder = self.folder;
        let below = self.folder.listing[self.at].folders.iter();
        below.filter_map(move |name| {
            let (at, _) = folder.listing.get_key_value(&join(self.at, name))?;
            Some(Self { folder, at })
        })
    }

    /// Every file below, by its path from here.
    pub(crate) fn all_files(self) -> Vec<String> {
        let own = self.files().map(str::to_owned);
        let prefix = join(self.at, "");
        let below = self.folder.listing.range(prefix.clone()..).take_while(|(at, _)| at.starts_with(&prefix));
        let mut below: Vec<_> = below.filter(|(at, _)| !at.is_empty()).collect();
        // Folder by folder: `a/b` stands before `a-b`.
        below.sort_by(|(a, _), (b, _)| a.split('/').cmp(b.split('/')));
        let files = below.into_iter().flat_map(|(at, listing)| {
            let at = &at[prefix.len()..];
            listing.files.iter().map(move |file| join(at, file))
        });
        own.chain(files).collect()
    }

    /// Whether there is a file at this path from here.
    pub(crate) fn has_below(self, path: &str) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = if folder.is_empty() { self.at.to_owned() } else { join(self.at, folder) };
        self.folder.listing.get(&folder).is_some_and(|listing| listing.has(name))
    }

    pub(crate) fn name(self) -> &'a str {
        self.at.rsplit('/').next().unwrap_or(self.at)
    }

    /// A folder of one database among several.
    pub(crate) fn is_postgres(self) -> bool {
        !self.at.is_empty() && matches!(self.name(), "postgres" | "postgresql" | "pg" | "psql" | "pgsql")
    }

    /// Its name on disk, also that of the root.
    pub(crate) fn own_name(self) -> Option<String> {
        Some(self.absolute()?.file_name()?.to_str()?.to_owned())
    }

    /// The name of the folder above, also above the root.
    pub(crate) fn parent_name(self) -> Option<String> {
        let parent = self.absolute()?.parent()?.file_name()?.to_str()?.to_owned();
        Some(parent)
    }

    pub(crate) fn has(self, file: &str) -> bool {
        self.folder.listing[self.at].has(file)
    }

    /// A file's path from the root.
    pub(crate) fn path(self, file: &str) -> String {
        join(self.at, file)
    }

    /// The text of a file below this folder.
    pub(crate) fn text(self, file: &str) -> Option<String> {
        self.folder.text(&self.path(file)).ok()
    }

    /// How it begins.
    pub(crate) fn first_line(self, file: &str) -> Option<String> {
        self.folder.first_line(&self.path(file))
    }

    /// The beginning of a file is enough to know its kind.
    pub(crate) fn any_text(self, files: &[String], has: impl Fn(&str) -> bool) -> bool {
        files.iter().take(12).chain(files.last()).any(|file| self.text(file).is_some_and(|text| has(&text)))
    }

    /// Whether one of these files stands here or above, up to the root of the repository.
    pub(crate) fn near(self, names: &[&str]) -> bool {
        self.near_path(names).is_some()
    }

    /// Where.
    pub(crate) fn near_path(self, names: &[&str]) -> Option<PathBuf> {
        let mut here = self.absolute()?;
        let mut inside = Some(self.at);
        for _ in 0..LEVELS_UP {
            let listing = inside.and_then(|at| self.folder.listing.get(at));
            let has = |name: &&&str| match listing {
                Some(listing) => listing.has(name),
                None => self.folder.is_above(here.join(**name), Path::is_file),
            };
            if let Some(name) = names.iter().find(has) {
                return Some(here.join(name));
            }
            let ends = match listing {
                Some(listing) => listing.is_repository,
                None => self.folder.is_above(here.join(".git"), Path::exists),
            };
            if ends || !here.pop() {
                return None;
            }
            inside = inside.filter(|at| !at.is_empty()).map(|at| at.rsplit_once('/').map_or("", |(above, _)| above));
        }
        None
    }
}

/// What a link leads to is read like a file; where it leads nowhere, that is said when somebody asks for its text.
fn is_file_or_gone(link: &Path) -> bool {
    fs::metadata(link).map_or(true, |target| target.is_file())
}

/// UTF-8, or UTF-16 where it begins with that mark. What is neither becomes replacement characters.
fn decoded(bytes: Vec<u8>) -> String {
    let units = |unit: fn([u8; 2]) -> u16| bytes[2..].chunks_exact(2).map(move |pair| unit([pair[0], pair[1]]));
    if bytes.starts_with(&[0xFF, 0xFE]) {
        return utf_16(units(u16::from_le_bytes));
    }
    if bytes.starts_with(&[0xFE, 0xFF]) {
        return utf_16(units(u16::from_be_bytes));
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn utf_16(units: impl Iterator<Item = u16>) -> String {
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
