//! From a folder to its history: every file is read once, all of them at the same time.

use super::changelog;
use super::code;
use super::event::Event;
use super::folder::Folder;
use super::schema::Place;
use super::sql::{self, Flaw};
use super::timeline::{self, Timeline};
use super::tools::{self, Kind, Planned};
use crate::error::Stop;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A line of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// As it is shown: the folder as it was typed, and the path below it.
    pub path: String,
    /// Counted from 1.
    pub line: usize,
    /// The migration's version, as its tool spells it.
    pub version: String,
    /// When the migration was made, in RFC 3339.
    pub date: Option<String>,
    /// What says so: `history-table`, `file-name`, `journal`, `plan`, `header`, `git`.
    pub date_source: Option<&'static str>,
}

/// The statement that completed a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// 2 to 5.
    pub stage: u8,
    /// Where its statement begins.
    pub line: Line,
    /// The table that completed it.
    pub object: String,
}

/// A guard that a later migration took away, and none put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regressed {
    /// `rls disabled`, `force removed`, `policy dropped`, `bypassrls`, `append-only removed`.
    pub kind: &'static str,
    /// The table or role.
    pub object: String,
    /// The statement.
    pub line: Line,
}

/// A tenant key that stood without a policy for a while, or still does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnisolatedKey {
    /// The table.
    pub table: String,
    /// What brought the key.
    pub key: Line,
    /// What brought the policy.
    pub isolated: Option<Line>,
    /// Migrations from the one to the other, or to the last.
    pub migrations: usize,
}

/// A place in a file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Where.
    pub line: Line,
    /// Why.
    pub why: String,
}

/// An object, and the line that brought it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// `table`, `view`, `function`, `policy`, `role`.
    pub kind: &'static str,
    /// `schema.name`; of a policy `name on schema.table`.
    pub name: String,
    /// The statement.
    pub line: Line,
}

/// A migration.
#[derive(Clone, Debug)]
pub struct Migration {
    /// As the tool spells it.
    pub version: String,
    /// What the file's name says.
    pub name: String,
    /// As it is shown.
    pub path: String,
    /// Path below the folder.
    pub(crate) file: String,
    /// In the folder, but never run.
    pub dormant: bool,
    /// By the database's history table; none where nobody asked, or it does not say.
    pub applied: Option<bool>,
    /// When.
    pub applied_at: Option<jiff::Timestamp>,
    pub(crate) dated: Option<super::dates::Dated>,
    pub(crate) kind: Kind,
    /// The file.
    pub(crate) text: String,
    /// Where its lines end, once somebody asked for one: a file that makes a thousand tables is asked as often.
    lines: OnceLock<Vec<usize>>,
}

impl Migration {
    /// The file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A program, which is read and never run.
    pub const fn is_code(&self) -> bool {
        !matches!(self.kind, Kind::Sql(_))
    }
}

/// One statement of an SQL migration, for a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Placeholders filled with names.
    pub sql: String,
    /// As it is shown.
    pub path: String,
    /// Counted from 1.
    pub line: usize,
    /// Of its migration.
    pub version: String,
}

impl Statement {
    /// Its first words, in lower case.
    pub fn words(&self) -> Vec<String> {
        self.sql
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .take(4)
            .map(str::to_lowercase)
            .collect()
    }

    /// `CREATE INDEX CONCURRENTLY` says how, not what.
    pub fn is_index(&self) -> bool {
        self.words().iter().any(|word| word == "index")
    }
}

/// Everything a folder says.
#[derive(Debug)]
pub struct History {
    /// The folder, as it was typed.
    pub root: String,
    /// The tool the folder was recognised by.
    pub tool: &'static str,
    /// In the order in which they run; what is never run comes last.
    pub migrations: Vec<Migration>,
    /// What is odd about the folder.
    pub notes: Vec<String>,
    /// What is wrong with files as a whole, by the database's history table or by the tool's own sums.
    pub faults: Vec<Fault>,
    flaws: Vec<(usize, Flaw)>,
    timeline: Timeline,
}

/// A migration that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `drifted`, `missing`, `unapplied`, `out of order`, `failed`.
    pub kind: &'static str,
    /// As the tool spells it.
    pub version: String,
    /// As it is shown; of a file that is gone, what the history table calls it.
    pub path: String,
    /// What about it.
    pub detail: String,
}

impl History {
    /// Reads a folder. `tool` overrides what it looks like.
    pub fn read(root: &Path, tool: Option<&str>) -> Result<Self, Stop> {
        let folder = Folder::open(root)?;
        let only = match tool {
            Some(name) => Some(tools::named(name).ok_or_else(|| unknown_tool(name))?),
            None => None,
        };
        let Some(tools::Recognised { tool, dir, claim }) = tools::recognise(&folder, only) else {
            let message = format!("{} holds no migrations that govctl knows", root.display());
            return Err(Stop::usage(message, "name the folder of the files themselves, or the tool with --tool"));
        };
        let planned = claim.migrations;
        let read = read_all(&folder, &planned, tool.name);
        // What is never run comes last, also where only its text says so.
        let mut files: Vec<_> = planned.into_iter().zip(read).collect();
        files.iter_mut().for_each(|(planned, file)| planned.dormant |= !code::is_run(&file.text, tool.name));
        files.sort_by_key(|(planned, _)| planned.dormant);
        let mut migrations: Vec<Migration> = Vec::with_capacity(files.len());
        let mut events = Vec::with_capacity(files.len());
        let mut flaws = Vec::new();
        for (at, (planned, file)) in files.into_iter().enumerate() {
            flaws.extend(file.flaws.into_iter().map(|flaw| (at, flaw)));
            events.push(if planned.dormant { Vec::new() } else { file.events });
            migrations.push(Migration {
                path: folder.shown(&planned.path),
                version: planned.version,
                name: planned.name,
                file: planned.path,
                dormant: planned.dormant,
                applied: None,
                applied_at: None,
                dated: planned.dated,
                kind: planned.kind,
                text: file.text,
                lines: OnceLock::new(),
            });
        }
        let timeline = timeline::read(events.iter().map(Vec::as_slice));
        // The last resort for a date is the commit that added the file; asked for the few files that are shown.
        for at in timeline.named().filter(|at| migrations[*at].dated.is_none()).collect::<Vec<_>>() {
            migrations[at].dated = super::dates::committed(folder.root(), &migrations[at].file);
        }
        let faults = super::kept::faults(dir, tool.name, &migrations, |path| folder.shown(path));
        Ok(Self {
            root: folder.root().display().to_string(),
            tool: tool.name,
            migrations,
            notes: claim.notes,
            faults,
            flaws,
            timeline,
        })
    }

    /// Files that are in no folder: a proof's.
    pub(crate) fn of_files(files: &[(&str, &str)]) -> Result<Self, Stop> {
        let unwritten = |cause| Stop::unwritten("a temporary folder", cause);
        let folder = tempfile::tempdir().map_err(unwritten)?;
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).map_err(unwritten)?;
        }
        let mut history = Self::read(folder.path(), None)?;
        for migration in &mut history.migrations {
            migration.path.clone_from(&migration.file);
        }
        Ok(history)
    }

    /// Every statement of the SQL migrations, in the order in which they run.
    pub fn statements(&self) -> Vec<Statement> {
        let mut all = Vec::new();
        for migration in self.migrations.iter().filter(|migration| !migration.dormant) {
            let Kind::Sql(parts) = migration.kind else { continue };
            for part in parts(&migration.text) {
                let script = sql::placeholders(&migration.text[part.clone()]);
                let mut line = 1 + migration.text[..part.start].matches('\n').count();
                let mut at = 0;
                for range in sql::statements(&script).0 {
                    line += script[at..range.start].matches('\n').count();
                    at = range.start;
                    let (path, version) = (migration.path.clone(), migration.version.clone());
                    all.push(Statement { sql: script[range].to_owned(), path, line, version });
                }
            }
        }
        all
    }

    /// The table in which the folder's tool keeps count, and columns of it.
    pub fn own_table(&self) -> Option<(&'static str, Vec<&'static str>)> {
        super::ledger::table_of(self.tool)
    }

    fn line(&self, place: Place) -> Line {
        let migration = &self.migrations[place.migration];
        let ends = || migration.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        let lines = migration.lines.get_or_init(ends);
        Line {
            path: migration.path.clone(),
            line: 1 + lines.partition_point(|end| *end < place.at),
            version: migration.version.clone(),
            date: migration.dated.as_ref().map(|dated| dated.at.to_string()),
            date_source: migration.dated.as_ref().map(|dated| dated.source),
        }
    }

    /// The statements that completed each stage, by stage.
    pub fn transitions(&self) -> Vec<Transition> {
        let each = self.timeline.reached.iter().map(|reached| Transition {
            stage: reached.stage,
            line: self.line(reached.place),
            object: with_schema(&reached.object),
        });
        each.collect()
    }

    /// What was undone, and not redone.
    pub fn regressions(&self) -> Vec<Regressed> {
        let each = self.timeline.regressions.iter().map(|regression| Regressed {
            kind: regression.kind,
            object: if regression.kind == "bypassrls" {
                regression.object.clone()
            } else {
                with_schema(&regression.object)
            },
            line: self.line(regression.place),
        });
        each.collect()
    }

    /// Tenant keys that waited for their policy.
    pub fn gaps(&self) -> Vec<UnisolatedKey> {
        let last = self.migrations.iter().filter(|migration| !migration.dormant).count().saturating_sub(1);
        let each = self.timeline.gaps.iter().map(|gap| UnisolatedKey {
            table: with_schema(&gap.table.to_string()),
            key: self.line(gap.key),
            isolated: gap.isolated.map(|place| self.line(place)),
            migrations: gap.isolated.map_or(last, |place| place.migration).saturating_sub(gap.key.migration),
        });
        each.collect()
    }

    /// Statements that are only known at run time.
    pub fn dynamic(&self) -> Vec<Unreadable> {
        let each = self.timeline.dynamic.iter();
        each.map(|(place, text)| Unreadable { line: self.line(*place), why: text.clone() }).collect()
    }

    /// Grants of every privilege or of every table, in words, to whom, and where.
    pub(super) fn wide_grants(&self) -> Vec<(String, String, Line)> {
        let each = self.timeline.wide.iter();
        each.map(|wide| (wide.what.clone(), wide.to.clone(), self.line(wide.place))).collect()
    }

    /// What the parser could not take.
    pub fn unreadable(&self) -> Vec<Unreadable> {
        let each = self.flaws.iter().map(|(migration, flaw)| Unreadable {
            line: self.line(Place { migration: *migration, at: flaw.at }),
            why: flaw.message.clone(),
        });
        each.collect()
    }

    /// Where a schema of its own is made for each tenant.
    pub fn schema_per_tenant(&self) -> Option<Line> {
        self.timeline.schema_per_tenant.map(|place| self.line(place))
    }

    /// The line that brought in each table, view, function, policy and role.
    pub fn introduced(&self) -> Vec<Known> {
        let each = self.timeline.introduced.iter().map(|((kind, name), place)| Known {
            kind,
            name: match *kind {
                "table" | "view" | "function" => with_schema(name),
                "policy" => match name.rsplit_once(" on ") {
                    Some((policy, table)) => format!("{policy} on {}", with_schema(table)),
                    None => name.clone(),
                },
                _ => name.clone(),
            },
            line: self.line(*place),
        });
        each.collect()
    }
}

/// A table that no migration gives a schema is in `public`.
fn with_schema(name: &str) -> String {
    if name.contains('.') { name.to_owned() } else { format!("public.{name}") }
}

fn unknown_tool(name: &str) -> Stop {
    let known: Vec<_> = tools::names().collect();
    let near = crate::yaml::nearest(name, known.iter().copied());
    let help = near.map_or_else(|| format!("one of {}", known.join(", ")), |near| format!("did you mean {near}?"));
    Stop::usage(format!("there is no migration tool {name:?}"), help)
}

/// A file, read.
#[derive(Default)]
struct Read {
    text: String,
    events: Vec<Event>,
    flaws: Vec<Flaw>,
}

fn read_all(folder: &Folder, planned: &[Planned], tool: &'static str) -> Vec<Read> {
    let modules = code::Modules::below(folder.root());
    let workers = thread::available_parallelism().map_or(1, usize::from).min(8);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = planned.get(at) else { return done };
            done.push((at, read_one(folder, one, planned, tool, &modules)));
        }
    };
    let mut all: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            // Statements nest as deep as their author liked.
            .filter_map(|_| thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, work).ok())
            .collect();
        let mut all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect();
        all.extend(work()); // where no thread could be had
        all
    });
    all.sort_by_key(|(at, _)| *at);
    let lost = || Flaw { at: 0, message: "this file could not be read to its end".to_owned() };
    let mut files: Vec<_> = (0..planned.len()).map(|_| Read { flaws: vec![lost()], ..Read::default() }).collect();
    for (at, read) in all {
        files[at] = read;
    }
    files
}

fn read_one(folder: &Folder, planned: &Planned, all: &[Planned], tool: &str, modules: &code::Modules) -> Read {
    let text = match folder.text(&planned.path) {
        Ok(text) => text,
        Err(error) => {
            let flaw = Flaw { at: 0, message: format!("this file cannot be read: {error}") };
            return Read { flaws: vec![flaw], ..Read::default() };
        }
    };
    let mut events = Vec::new();
    let mut flaws = Vec::new();
    match planned.kind {
        Kind::Sql(parts) => {
            for part in parts(&text) {
                let (found, unread) = sql::read(&text, part);
                events.extend(found);
                flaws.extend(unread);
            }
        }
        Kind::Code(language) => {
            (events, flaws) = code::read(&text, language, tool, (&planned.path, &planned.name), modules)
        }
        Kind::Changelog => {
            let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
            let is_read = |path: &str| all.iter().any(|other| base(&other.path) == base(path));
            (events, flaws) = changelog::changelog(&text, &planned.path, &is_read);
        }
        Kind::Operations => (events, flaws) = changelog::operations(&text, &planned.path),
    }
    Read { text, events, flaws }
}
