//! Migration tools: how each names, orders and marks its files. One file a tool; nothing else knows any of them.

mod alembic;
mod atlas;
mod db_migrate;
mod dbmate;
mod diesel;
mod django;
mod drizzle;
mod ecto;
mod efcore;
mod flyway;
mod golang_migrate;
mod goose;
mod graph;
mod graphile_migrate;
mod hasura;
mod knex;
mod kysely;
mod liquibase;
mod mikroorm;
mod node_pg_migrate;
mod pgroll;
mod plain;
mod popx;
mod prisma;
mod rails;
mod rambler;
mod refinery;
mod scripts;
mod seaorm;
mod sections;
mod sequelize;
mod sqitch;
mod sql_migrate;
mod sqlx;
mod supabase;
mod tern;
mod typeorm;
mod version;
mod yoyo;

use super::code::Language;
use super::dates::Dated;
use super::folder::{Dir, Folder};
use std::ops::Range;

/// A migration tool.
#[derive(Debug)]
pub(crate) struct Tool {
    /// As `--tool` takes it.
    pub(crate) name: &'static str,
    /// The migrations of a folder, where it is one of this tool's.
    claim: fn(Dir<'_>) -> Option<Claim>,
}

/// A folder that a tool recognises.
#[derive(Debug, Default)]
pub(crate) struct Claim {
    /// How sure: 90 by a mark of its own, 60 by names and what stands near, 30 by names alone.
    sure: u8,
    pub(crate) migrations: Vec<Planned>,
    /// What is odd about the folder.
    pub(crate) notes: Vec<String>,
}

impl Claim {
    /// Names alone speak for the tool.
    pub(crate) const fn is_guess(&self) -> bool {
        self.sure < 50
    }
}

/// One migration, before it is read, in the order in which the tool runs it.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) version: String,
    pub(crate) name: String,
    /// Path from the root of the folder.
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) dated: Option<Dated>,
    /// Kept in the folder, but never run: not in the journal, or not committed.
    pub(crate) dormant: bool,
}

/// How a file says what it does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// SQL: the parts that are run on the way up.
    Sql(fn(&str) -> Vec<Range<usize>>),
    Code(Language),
    /// Liquibase's XML, YAML and JSON.
    Changelog,
    /// pgroll's operations.
    Operations,
}

impl Planned {
    fn new(dir: Dir<'_>, file: &str, version: impl Into<String>, name: impl Into<String>, kind: Kind) -> Self {
        let base = file.rsplit('/').next().unwrap_or(file);
        let folder = file.rsplit('/').nth(1).unwrap_or_default();
        let dated = Dated::of_name(base).or_else(|| Dated::of_name(folder));
        Self { version: version.into(), name: name.into(), path: dir.path(file), kind, dated, dormant: false }
    }
}

/// Every tool, by name.
pub(crate) const TOOLS: [&Tool; 34] = [
    &alembic::TOOL,
    &atlas::TOOL,
    &db_migrate::TOOL,
    &dbmate::TOOL,
    &diesel::TOOL,
    &django::TOOL,
    &drizzle::TOOL,
    &ecto::TOOL,
    &efcore::TOOL,
    &flyway::TOOL,
    &golang_migrate::TOOL,
    &goose::TOOL,
    &graphile_migrate::TOOL,
    &hasura::TOOL,
    &knex::TOOL,
    &kysely::TOOL,
    &liquibase::TOOL,
    &mikroorm::TOOL,
    &node_pg_migrate::TOOL,
    &pgroll::TOOL,
    &plain::TOOL,
    &popx::TOOL,
    &prisma::TOOL,
    &rails::TOOL,
    &rambler::TOOL,
    &refinery::TOOL,
    &seaorm::TOOL,
    &sequelize::TOOL,
    &sql_migrate::TOOL,
    &sqitch::TOOL,
    &sqlx::TOOL,
    &supabase::TOOL,
    &tern::TOOL,
    &typeorm::TOOL,
];

/// yoyo is the last: its files look like anybody's.
const LAST: &Tool = &yoyo::TOOL;

/// The tool of this name.
pub(crate) fn named(name: &str) -> Option<&'static Tool> {
    TOOLS.into_iter().chain([LAST]).find(|tool| tool.name == name)
}

/// Every name that `--tool` takes.
pub fn names() -> impl Iterator<Item = &'static str> {
    TOOLS.into_iter().chain([LAST]).map(|tool| tool.name)
}

/// A folder, and whose it is.
#[derive(Debug)]
pub(crate) struct Recognised<'f> {
    pub(crate) tool: &'static Tool,
    /// The folder itself, or the one in it that holds the migrations.
    pub(crate) dir: Dir<'f>,
    pub(crate) claim: Claim,
}

/// The tool whose folder this is, or holds: the surest, then the one nearest to the top.
pub(crate) fn recognise<'f>(folder: &'f Folder, only: Option<&'static Tool>) -> Option<Recognised<'f>> {
    let mut best: Option<Recognised<'f>> = None;
    for dir in folder.dirs() {
        if dir.depth() > 0 && is_apart(dir.name()) {
            continue;
        }
        for tool in TOOLS.into_iter().chain([LAST]).filter(|tool| only.is_none_or(|only| only.name == tool.name)) {
            let Some(claim) = (tool.claim)(dir).filter(|claim| !claim.migrations.is_empty()) else { continue };
            let found = Recognised { tool, dir, claim };
            let rank = |it: &Recognised<'_>| (it.claim.sure, usize::MAX - it.dir.depth(), it.claim.migrations.len());
            if best.as_ref().is_none_or(|known| rank(&found) > rank(known)) {
                best = Some(found);
            }
        }
    }
    best
}

/// Folders of examples, and of what was put away.
fn is_apart(name: &str) -> bool {
    let name = name.to_lowercase();
    ["test", "fixture", "example", "archive", "sample", "seed"].iter().any(|word| name.contains(word))
}

/// The whole file is run.
fn whole(text: &str) -> Vec<Range<usize>> {
    std::iter::once(0..text.len()).collect()
}

/// Whether `--tool` takes this name.
pub fn is_tool(name: &str) -> bool {
    named(name).is_some()
}
