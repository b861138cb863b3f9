//! Modules of the project that a migration imports: helpers and constants that hold its SQL. They are followed where the
//! file is at hand; what they do is done in the migration, where they are called.

mod imports;

use super::helpers::{definitions, mentions};
use super::lex::{Kind, Language, Token, lex};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How far above a migration its project's modules are looked for.
const LEVELS_UP: usize = 6;

/// A module that is longer is no helper of migrations.
const LONGEST: u64 = 256 << 10;

/// Modules that one migration may import, with those that they import themselves.
const MOST: usize = 8;

/// Every module that a migration of the folder was seen to import, read once.
#[derive(Debug)]
pub(crate) struct Modules {
    root: Option<PathBuf>,
    read: Mutex<HashMap<PathBuf, Option<Arc<Module>>>>,
    /// Where an import leads, by the folder it stands in and its own words.
    found: Mutex<HashMap<(PathBuf, String), Option<PathBuf>>>,
    /// Of a C# project, the classes by name: they are not imported by file.
    classes: Mutex<HashMap<PathBuf, Arc<Vec<PathBuf>>>>,
}

#[derive(Debug)]
pub(super) struct Module {
    text: String,
    tokens: Vec<Token>,
    path: PathBuf,
}

/// A migration, and behind it what it uses of the modules it imports.
pub(super) struct Joined {
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
}

impl Modules {
    pub(crate) fn below(root: &Path) -> Self {
        Self {
            root: fs::canonicalize(root).ok(),
            read: Mutex::default(),
            found: Mutex::default(),
            classes: Mutex::default(),
        }
    }

    /// What the migration at `file` uses of its project; none where it imports nothing that is at hand.
    pub(super) fn join(&self, file: &str, text: &str, tokens: &[Token], language: Language) -> Option<Joined> {
        let path = self.root.as_ref()?.join(file);
        let mut waiting = imports::paths(self, &path, text, tokens, language);
        let mut seen = BTreeSet::from([path]);
        let mut modules = Vec::new();
        while let Some(path) = waiting.pop() {
            if modules.len() == MOST || !seen.insert(path.clone()) {
                continue;
            }
            let Some(module) = self.module(&path, language) else { continue };
            waiting.extend(imports::paths(self, &module.path, &module.text, &module.tokens, language));
            modules.push(module);
        }
        if modules.is_empty() {
            return None;
        }
        let mut joined = Joined { text: text.to_owned(), tokens: imports::without_names(text, tokens, language) };
        let mut names: BTreeSet<String> =
            definitions(text, tokens, language).into_iter().map(|(name, _)| name.to_owned()).collect();
        // What a module uses of another comes in a later round.
        for _ in 0..modules.len() {
            for module in &modules {
                joined.add(module, language, &mut names);
            }
        }
        (joined.text.len() > text.len()).then_some(joined)
    }

    fn module(&self, path: &Path, language: Language) -> Option<Arc<Module>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let module = read.entry(path.to_owned()).or_insert_with(|| {
            let known = fs::metadata(path).ok().filter(|it| it.is_file() && it.len() <= LONGEST)?;
            let text = fs::read_to_string(path).ok().filter(|text| text.len() as u64 <= known.len())?;
            let tokens = super::ways::up(&text, &lex(&text, language).0, language);
            Some(Arc::new(Module { text, tokens, path: path.to_owned() }))
        });
        module.clone()
    }

    /// The first of these that is a file; asked once for a folder and an import.
    fn first(&self, dir: &Path, spelled: &str, candidates: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
        let key = (dir.to_owned(), spelled.to_owned());
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.entry(key).or_insert_with(|| candidates.into_iter().find(|path| path.is_file())).clone()
    }
}

impl Joined {
    /// Adds the definitions of a module that are used and not yet there.
    fn add(&mut self, module: &Module, language: Language, names: &mut BTreeSet<String>) {
        let defined = definitions(&module.text, &module.tokens, language);
        let mut wanted: Vec<Range<usize>> = Vec::new();
        loop {
            let next = defined.iter().find(|(name, _)| {
                let used = |text: &str, tokens: &[Token]| tokens.iter().any(|token| mentions(text, token, name));
                !names.contains(*name)
                    && (used(&self.text, &self.tokens)
                        || wanted.iter().any(|range| used(&module.text, &module.tokens[range.clone()])))
            });
            let Some((name, _)) = next else { break };
            names.insert((*name).to_owned());
            wanted.extend(defined.iter().filter(|(other, _)| other == name).map(|(_, range)| range.clone()));
        }
        if wanted.is_empty() {
            return;
        }
        self.text.push('\n');
        let by = self.text.len();
        self.text.push_str(&module.text);
        let inside = |at: usize| wanted.iter().any(|range| range.contains(&at));
        let kept = module.tokens.iter().enumerate().filter(|(at, _)| inside(*at));
        self.tokens.extend(kept.map(|(_, token)| shifted(token, by)));
    }
}

fn shifted(token: &Token, by: usize) -> Token {
    let shift = |range: &Range<usize>| range.start + by..range.end + by;
    let kind = match &token.kind {
        Kind::Text { escapes, holes } => Kind::Text { escapes: *escapes, holes: holes.iter().map(shift).collect() },
        kind => kind.clone(),
    };
    Token { kind, range: shift(&token.range), start: token.start + by, ..token.clone() }
}
