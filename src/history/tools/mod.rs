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

/// How sure a tool is of a folder that is its own, and another database's.
const OTHERS: u8 = 11;

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

/// The tool whose folder this is, or holds: the surest, then the one nearest to the top. Other folders that are a tool's
/// as surely are named in its notes.
pub(crate) fn recognise<'f>(folder: &'f Folder, only: Option<&'static Tool>) -> Option<Recognised<'f>> {
    let mut best = None;
    let mut sure = Vec::new();
    for dir in folder.dirs() {
        if dir.depth() > 0 && is_apart(dir) {
            continue;
        }
        for tool in TOOLS.into_iter().chain([LAST]).filter(|tool| only.is_none_or(|only| only.name == tool.name)) {
            let Some(claim) = (tool.claim)(dir).filter(|claim| !claim.migrations.is_empty()) else { continue };
            let found = Recognised { tool, dir, claim };
            if !found.claim.is_guess() || found.is_numbered() {
                sure.push(dir.at());
            } else if dir.depth() > 0 && tool.name == plain::TOOL.name && !says_migrations(dir.at()) {
                // Some SQL somewhere in a project: a dump, a seed, a query.
                continue;
            }
            let height = usize::MAX - dir.depth();
            let looks = found.looks_like_migrations();
            let rank = (found.claim.sure, dir.is_postgres(), looks, height, found.claim.migrations.len());
            if best.as_ref().is_none_or(|(known, _)| rank > *known) {
                best = Some((rank, found));
            }
        }
    }
    let (_, mut best) = best?;
    sure.dedup();
    let apart = |at: &&str| !is_below(at, best.dir.at()) && !is_below(best.dir.at(), at);
    let others: Vec<_> = sure.into_iter().filter(apart).collect();
    if !others.is_empty() {
        best.claim.notes.push(format!(
            "only {} is read; there are migrations in {} as well",
            here(best.dir.at()),
            some(&others)
        ));
    }
    Some(best)
}

impl Recognised<'_> {
    /// Several files that are numbered: migrations, whatever runs them.
    fn is_numbered(&self) -> bool {
        let numbered = |planned: &&Planned| version::leading_digits(last(&planned.path)).is_some();
        self.claim.migrations.iter().filter(numbered).nth(1).is_some()
    }

    /// By more than the files' ending: `schema.sql` at the root of a project says less than `migrations/0002_x.sql`.
    fn looks_like_migrations(&self) -> bool {
        let own_name = || self.dir.own_name().is_some_and(|name| says_migrations(&name));
        !self.claim.is_guess() || self.is_numbered() || says_migrations(self.dir.at()) || own_name()
    }
}

fn is_below(path: &str, above: &str) -> bool {
    above.is_empty() || path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder itself, or the one below it.
fn here(at: &str) -> &str {
    if at.is_empty() { "the folder itself" } else { at }
}

/// The first few, and how many more.
fn some(folders: &[&str]) -> String {
    const FEW: usize = 3;
    let named = folders.iter().take(FEW).copied().collect::<Vec<_>>().join(", ");
    match folders.len().saturating_sub(FEW) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// `migrations`, `db/migrate`.
fn says_migrations(path: &str) -> bool {
    path.to_lowercase().contains("migrat")
}

/// Folders of examples, of what was put away, and of other databases.
fn is_apart(dir: Dir<'_>) -> bool {
    let name = dir.name().to_lowercase();
    let above = || dir.at().split('/').flat_map(|part| part.split(|c: char| !c.is_alphanumeric()));
    ["test", "fixture", "example", "archive", "sample", "seed"].iter().any(|word| name.contains(word))
        || above().any(|word| APART.contains(&word.to_lowercase().as_str()))
}

/// Words in the path of a folder that is not the product's own, or another database's.
const APART: [&str; 22] = [
    "test",
    "tests",
    "testdata",
    "fixture",
    "fixtures",
    "example",
    "examples",
    "archive",
    "archived",
    "backup",
    "mysql",
    "mariadb",
    "sqlite",
    "sqlite3",
    "mssql",
    "sqlserver",
    "oracle",
    "h2",
    "clickhouse",
    "cassandra",
    "mongodb",
    "spanner",
];

/// The whole file is run.
fn whole(text: &str) -> Vec<Range<usize>> {
    std::iter::once(0..text.len()).collect()
}

/// Whether `--tool` takes this name.
pub fn is_tool(name: &str) -> bool {
    named(name).is_some()
}
