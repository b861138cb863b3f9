//! Where the imports of each language lead, as far as they lead to files of the project.

use super::{LEVELS_UP, Modules};
use crate::history::code::lex::{Kind, Language, Token};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

/// Packages that a folder of the project may share its name with.
const PACKAGES: [&str; 3] = ["alembic", "django", "sqlalchemy"];

/// Files of one project whose names are looked at.
const MOST_CLASSES: usize = 4_000;

pub(super) fn paths(modules: &Modules, file: &Path, text: &str, tokens: &[Token], language: Language) -> Vec<PathBuf> {
    let Some(dir) = file.parent() else { return Vec::new() };
    let found = Finder { modules, dir, text, tokens };
    match language {
        Language::Python => found.python(),
        Language::JavaScript => found.javascript(),
        Language::Ruby => found.ruby(),
        Language::Elixir => found.elixir(),
        Language::CSharp => found.csharp(),
        Language::Rust => found.rust(),
        Language::Go | Language::Java | Language::Kotlin => Vec::new(),
    }
}

/// What a migration is called by its tool: imported, it is run though nothing in the file calls it.
const RUN: [&str; 4] = ["upgrade", "up", "change", "Up"];

/// The tokens without the names that are only said to be imported: it is their use that counts. One that gets another
/// name there is kept.
pub(super) fn without_names(text: &str, tokens: &[Token], language: Language) -> Vec<Token> {
    let word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(text, word));
    let mark = |at: usize, mark: char| tokens.get(at).is_some_and(|token| token.is_punctuation(text, mark));
    let line = |at: usize| {
        let rest = tokens[at + 1..].iter();
        at + rest.take_while(|token| !token.first || token.indent > tokens[at].indent).count()
    };
    let mut imported = vec![false; tokens.len()];
    for at in 0..tokens.len() {
        let said = match language {
            Language::Python if tokens[at].first && (word(at, "from") || word(at, "import")) => at..line(at) + 1,
            Language::Elixir if tokens[at].first && word(at, "import") => at..line(at) + 1,
            Language::Rust if tokens[at].first && word(at, "use") => at..line(at) + 1,
            Language::JavaScript if tokens[at].first && word(at, "import") => {
                at..(at..tokens.len()).find(|n| tokens[*n].is_text()).unwrap_or(at)
            }
            // `const { isolate } = require("./helpers")`
            Language::JavaScript if word(at, "require") && mark(at + 1, '(') && at >= 2 && mark(at - 2, '}') => {
                (0..at).rfind(|n| mark(*n, '{')).unwrap_or(at)..at
            }
            _ => continue,
        };
        for n in said {
            let renamed = word(n + 1, "as") || mark(n + 1, ':') || RUN.iter().any(|run| word(n, run));
            imported[n] = tokens[n].kind == Kind::Word && !renamed;
        }
    }
    tokens.iter().zip(imported).filter(|(_, imported)| !imported).map(|(token, _)| token.clone()).collect()
}

struct Finder<'a> {
    modules: &'a Modules,
    dir: &'a Path,
    text: &'a str,
    tokens: &'a [Token],
}

impl Finder<'_> {
    /// The folder of the file and those above it, up to the root of the repository.
    fn above(&self) -> impl Iterator<Item = &Path> {
        let mut done = false;
        let within = move |dir: &&Path| !std::mem::replace(&mut done, dir.join(".git").exists());
        self.dir.ancestors().take(LEVELS_UP).take_while(within)
    }

    fn word(&self, at: usize) -> Option<&str> {
        self.tokens.get(at).filter(|token| token.kind == Kind::Word).map(|token| token.text(self.text))
    }

    fn mark(&self, at: usize, mark: char) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_punctuation(self.text, mark))
    }

    /// `a.b.c` and `A::B`, and where it ends.
    fn dotted(&self, mut at: usize) -> (Vec<String>, usize) {
        let mut parts = Vec::new();
        while let Some(word) = self.word(at) {
            parts.push(word.to_owned());
            at += 1;
            match () {
                () if self.mark(at, '.') => at += 1,
                () if self.mark(at, ':') && self.mark(at + 1, ':') => at += 2,
                () => break,
            }
        }
        (parts, at)
    }

    /// `from app.rls import ENABLE`, `from . import helpers`, `import app.rls`.
    fn python(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for at in 0..self.tokens.len() {
            let keyword = self.word(at).filter(|_| self.tokens[at].first);
            let (level, path, mut names) = match keyword {
                Some("from") => {
                    let level = (at + 1..self.tokens.len()).take_while(|n| self.mark(*n, '.')).count();
                    let (path, end) = if self.word(at + 1 + level) == Some("import") {
                        (Vec::new(), at + 1 + level)
                    } else {
                        self.dotted(at + 1 + level)
                    };
                    let names = self.tokens[(end + 1).min(self.tokens.len())..].iter().take(40);
                    let names = names.take_while(|token| !token.first || token.indent > self.tokens[at].indent);
                    let names = names.filter(|token| token.kind == Kind::Word).map(|token| token.text(self.text));
                    (level, path, names.map(str::to_owned).collect::<Vec<_>>())
                }
                Some("import") => (0, self.dotted(at + 1).0, Vec::new()),
                _ => continue,
            };
            if level == 0 && path.first().is_none_or(|first| PACKAGES.contains(&first.as_str())) {
                continue;
            }
            names.insert(0, String::new());
            for name in names {
                let below: PathBuf = path.iter().chain(Some(&name).filter(|name| !name.is_empty())).collect();
                if below.as_os_str().is_empty() {
                    continue;
                }
                let bases: Vec<&Path> = match level {
                    0 => self.above().collect(),
                    level => self.dir.ancestors().skip(level - 1).take(1).collect(),
                };
                let spelled = format!("{level} {}", below.display());
                let candidates = bases
                    .into_iter()
                    .flat_map(|base| [base.join(&below), base.join("src").join(&below)])
                    .flat_map(|path| [path.with_extension("py"), path.join("__init__.py")]);
                found.extend(self.modules.first(self.dir, &spelled, candidates));
            }
        }
        found
    }

    /// `import { x } from "./helpers"`, `require("../helpers")`, `from "@/db/helpers"`.
    fn javascript(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for at in 1..self.tokens.len() {
            let Some(spelled) =
                Some(&self.tokens[at]).filter(|token| token.is_text()).and_then(|t| t.content(self.text))
            else {
                continue;
            };
            let before = if self.mark(at - 1, '(') { at.checked_sub(2) } else { Some(at - 1) };
            if !matches!(before.and_then(|before| self.word(before)), Some("from" | "require" | "import")) {
                continue;
            }
            let bases: Vec<PathBuf> = if spelled.starts_with('.') {
                vec![self.dir.join(&spelled)]
            } else if let Some(below) = spelled.strip_prefix("@/").or_else(|| spelled.strip_prefix("~/")) {
                self.above().flat_map(|base| [base.join("src").join(below), base.join(below)]).collect()
            } else if spelled.starts_with("src/") {
                self.above().map(|base| base.join(&spelled)).collect()
            } else {
                continue;
            };
            let candidates = bases.into_iter().flat_map(|path| {
                // TypeScript imports `./x.js` of what is `./x.ts`.
                let shown = path.display().to_string();
                let stem = [".js", ".mjs", ".cjs"].iter().find_map(|it| shown.strip_suffix(it)).unwrap_or(&shown);
                let endings = [".ts", ".js", ".mts", ".mjs", ".cts", ".cjs", "/index.ts", "/index.js"];
                endings.map(|ending| PathBuf::from(format!("{stem}{ending}")))
            });
            found.extend(self.modules.first(self.dir, &spelled, candidates));
        }
        found
    }

    /// `require_relative "../rls"`, `include RlsHelpers`, `extend Database::Rls`.
    fn ruby(&self) -> Vec<PathBuf> {
        const FOLDERS: [&str; 7] =
            ["lib", "app/lib", "app/models/concerns", "db/concerns", "db/lib", "lib/migrations", "concerns"];
        let mut found = Vec::new();
        for at in 0..self.tokens.len() {
            match self.word(at) {
                Some("require_relative" | "require") => {
                    let quoted = self.tokens.get(at + 1 + usize::from(self.mark(at + 1, '(')));
                    let Some(spelled) = quoted.and_then(|token| token.content(self.text)) else { continue };
                    let file = format!("{spelled}.rb");
                    let near = std::iter::once(self.dir.join(&file));
                    let libraries = self.above().map(|base| base.join("lib").join(&file));
                    found.extend(self.modules.first(self.dir, &spelled, near.chain(libraries)));
                }
                Some("include" | "extend") => {
                    let path = self.dotted(at + 1).0;
                    let Some(last) = path.last() else { continue };
                    let whole: PathBuf = path.iter().map(|part| snake(part)).collect();
                    let short = PathBuf::from(snake(last));
                    let candidates = self.above().flat_map(|base| {
                        FOLDERS.iter().flat_map(|folder| {
                            [&whole, &short].map(|file| base.join(folder).join(file).with_extension("rb"))
                        })
                    });
                    found.extend(self.modules.first(self.dir, &whole.display().to_string(), candidates));
                }
                _ => {}
            }
        }
        found
    }

    /// `import MyApp.Rls`, `alias MyApp.Rls`, `use MyApp.Migration`.
    fn elixir(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for at in 0..self.tokens.len() {
            if !matches!(self.word(at), Some("import" | "alias" | "use" | "require")) || !self.tokens[at].first {
                continue;
            }
            let path = self.dotted(at + 1).0;
            if path.len() < 2 || path[0] == "Ecto" {
                continue;
            }
            let below: PathBuf = path.iter().map(|part| snake(part)).collect();
            let candidates = self.above().flat_map(|base| {
                ["lib", "priv/repo", "priv"].map(|folder| base.join(folder).join(&below).with_extension("ex"))
            });
            found.extend(self.modules.first(self.dir, &path.join("."), candidates));
        }
        found
    }

    /// C# imports no files: a class that is named stands in a file of its name, and what extends the builder says so in it.
    fn csharp(&self) -> Vec<PathBuf> {
        let is_project = |dir: &Path| {
            let entries = fs::read_dir(dir).into_iter().flatten().flatten();
            entries.into_iter().any(|entry| entry.path().extension().is_some_and(|ending| ending == "csproj"))
        };
        let known = self.modules.classes.lock().unwrap_or_else(PoisonError::into_inner).get(self.dir).cloned();
        let classes = known.unwrap_or_else(|| {
            let project = self.above().find(|dir| is_project(dir));
            let classes = Arc::new(project.map(classes).unwrap_or_default());
            let mut all = self.modules.classes.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(self.dir.to_owned(), Arc::clone(&classes));
            classes
        });
        let extends = |stem: &str| {
            let stem = stem.to_lowercase();
            let about = ["migration", "rls", "rowlevel", "tenant", "policy"].iter().any(|word| stem.contains(word));
            about && ["extension", "helper", "sql"].iter().any(|word| stem.contains(word))
        };
        let is_wanted = |path: &&PathBuf| {
            let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { return false };
            extends(stem) || self.tokens.iter().any(|token| token.is_word(self.text, stem))
        };
        classes.iter().filter(is_wanted).cloned().collect()
    }

    /// `use crate::rls::enable`, `use super::helpers::*`.
    fn rust(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for at in 0..self.tokens.len() {
            if self.word(at) != Some("use") {
                continue;
            }
            let path = self.dotted(at + 1).0;
            let (base, below) = match path.split_first() {
                Some((first, rest)) if first == "crate" => {
                    (self.above().find(|dir| dir.ends_with("src")).map(Path::to_owned), rest)
                }
                Some((first, rest)) if first == "super" => (Some(self.dir.to_owned()), rest),
                _ => continue,
            };
            let Some(base) = base else { continue };
            let candidates = (1..=below.len()).rev().flat_map(|length| {
                let path = base.join(below[..length].iter().collect::<PathBuf>());
                [path.with_extension("rs"), path.join("mod.rs")]
            });
            found.extend(self.modules.first(self.dir, &path.join("::"), candidates));
        }
        found
    }
}

/// The classes of a project, each in a file of its own; the migrations themselves are none.
fn classes(project: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![project.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() {
                if !name.starts_with('.') && !matches!(name.as_str(), "bin" | "obj" | "node_modules") {
                    waiting.push(path);
                }
            } else if path.extension().is_some_and(|ending| ending == "cs")
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && !name.ends_with("Snapshot.cs")
            {
                found.push(path);
            }
            if found.len() >= MOST_CLASSES {
                return found;
            }
        }
    }
    found.sort_unstable();
    found
}

/// `RlsHelpers` as `rls_helpers`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    let mut before = '_';
    for c in name.chars() {
        if c.is_uppercase() && before != '_' && !before.is_uppercase() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
        before = c;
    }
    text
}
