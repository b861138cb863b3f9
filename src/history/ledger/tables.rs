//! Each tool's history table: its columns, and how a row names a file.

use super::sums;
use super::{Row, text};
use crate::history::read::Migration;

/// A history table.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) tool: &'static str,
    pub(super) table: &'static str,
    pub(super) key: Key,
    pub(super) applied_at: Option<&'static str>,
    pub(super) checksum: Option<&'static str>,
    /// The checksums that the file may have.
    pub(super) sum: Option<fn(&Migration) -> Vec<String>>,
    /// A column that is false where the migration failed.
    success: Option<&'static str>,
    /// A column that tells this table from another tool's of the same name.
    also: Option<&'static str>,
}

/// How a row and a file name each other.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    /// The version, as a number where it is one.
    Version(&'static str),
    /// The file's name with its ending.
    File(&'static str),
    /// Without it; of Prisma and Diesel the folder's.
    Stem(&'static str),
    /// `<app>.<name>`.
    AppAndName,
    /// The instant of the journal, in milliseconds.
    Millis(&'static str),
    /// The digits that a file's name begins with: the rest may be left out.
    Digits(&'static str),
    /// The last version alone.
    Head(&'static str),
}

impl Key {
    fn column(self) -> &'static str {
        match self {
            Self::Version(column)
            | Self::File(column)
            | Self::Stem(column)
            | Self::Millis(column)
            | Self::Digits(column)
            | Self::Head(column) => column,
            Self::AppAndName => "app",
        }
    }

    pub(super) fn of_row(self, row: &Row) -> Option<String> {
        match self {
            Self::AppAndName => Some(format!("{}.{}", text(row, "app")?, text(row, "name")?)),
            Self::Version(column) | Self::Head(column) => Some(plain(&text(row, column)?)),
            Self::Digits(column) => {
                let name = text(row, column)?;
                let name = name.trim_start_matches('/'); // db-migrate's scope
                Some(plain(&name[..name.bytes().take_while(u8::is_ascii_digit).count()]))
            }
            Self::File(column) => text(row, column).map(|path| path.rsplit('/').next().unwrap_or(&path).to_owned()),
            Self::Stem(column) | Self::Millis(column) => text(row, column),
        }
    }

    /// Whether a row may name a file of this folder: Django keeps those of every app in one table, also of its own.
    pub(super) fn is_of<'k>(self, row: &str, mut files: impl Iterator<Item = &'k String>) -> bool {
        let app = |key: &'k str| key.split('.').next();
        !matches!(self, Self::AppAndName) || files.any(|file| app(file) == row.split('.').next())
    }

    pub(super) fn of_migration(self, migration: &Migration) -> String {
        let mut parts = migration.file.rsplit('/');
        let base = parts.next().unwrap_or_default();
        match self {
            Self::Version(_) | Self::Head(_) | Self::Digits(_) => plain(&migration.version),
            Self::File(_) => base.to_owned(),
            Self::Stem(_) if matches!(base, "migration.sql" | "up.sql") => parts.next().unwrap_or_default().to_owned(),
            Self::Stem(_) => base.rsplit_once('.').map_or(base, |(stem, _)| stem).to_owned(),
            Self::AppAndName => migration.name.clone(),
            Self::Millis(_) => {
                migration.dated.as_ref().map(|dated| dated.at.as_millisecond().to_string()).unwrap_or_default()
            }
        }
    }
}

/// `0012`, `12` and `1.0`, `1_0` are one version.
pub(super) fn plain(version: &str) -> String {
    let version = version.replace('_', ".");
    let trimmed = version.trim_start_matches('0');
    if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() }
}

impl Ledger {
    pub(super) fn columns(&self) -> Vec<&'static str> {
        let mut columns = vec![self.key.column()];
        columns.extend(self.also);
        columns.extend(self.checksum);
        columns
    }

    /// Rows that are no migration: goose's first, a migration that was rolled back.
    pub(super) fn counts(&self, row: &Row) -> bool {
        let zero = self.tool == "goose" && text(row, "version_id").as_deref() == Some("0");
        let undone = self.tool == "prisma" && text(row, "rolled_back_at").is_some();
        let baseline = self.tool == "flyway" && text(row, "version").is_none();
        !zero && !undone && !baseline
    }

    pub(super) fn failed(&self, row: &Row) -> bool {
        let unfinished = self.tool == "prisma" && text(row, "finished_at").is_none();
        unfinished || self.success.is_some_and(|column| text(row, column).as_deref() == Some("false"))
    }
}

const fn ledger(tool: &'static str, table: &'static str, key: Key, applied_at: Option<&'static str>) -> Ledger {
    Ledger { tool, table, key, applied_at, checksum: None, sum: None, success: None, also: None }
}

const fn summed(ledger: Ledger, checksum: &'static str, sum: fn(&Migration) -> Vec<String>) -> Ledger {
    Ledger { checksum: Some(checksum), sum: Some(sum), ..ledger }
}

const fn succeeding(ledger: Ledger, success: &'static str) -> Ledger {
    Ledger { success: Some(success), ..ledger }
}

const fn with(ledger: Ledger, also: &'static str) -> Ledger {
    Ledger { also: Some(also), ..ledger }
}

/// Every tool's.
pub(super) const LEDGERS: &[Ledger] = &[
    succeeding(
        summed(
            ledger("sqlx", "_sqlx_migrations", Key::Version("version"), Some("installed_on")),
            "checksum",
            sums::sha384,
        ),
        "success",
    ),
    summed(
        ledger("refinery", "refinery_schema_history", Key::Version("version"), Some("applied_on")),
        "checksum",
        sums::refinery,
    ),
    ledger("diesel", "__diesel_schema_migrations", Key::Version("version"), Some("run_on")),
    ledger("sea-orm", "seaql_migrations", Key::Stem("version"), Some("applied_at")),
    succeeding(
        summed(
            ledger("flyway", "flyway_schema_history", Key::Version("version"), Some("installed_on")),
            "checksum",
            sums::flyway,
        ),
        "success",
    ),
    ledger("liquibase", "databasechangelog", Key::File("filename"), Some("dateexecuted")),
    summed(
        ledger("prisma", "_prisma_migrations", Key::Stem("migration_name"), Some("finished_at")),
        "checksum",
        sums::prisma,
    ),
    summed(ledger("drizzle", "__drizzle_migrations", Key::Millis("created_at"), None), "hash", sums::sha256),
    ledger("knex", "knex_migrations", Key::File("name"), Some("migration_time")),
    with(ledger("db-migrate", "migrations", Key::Digits("name"), Some("run_on")), "run_on"),
    with(ledger("typeorm", "migrations", Key::Version("timestamp"), None), "name"),
    ledger("mikro-orm", "mikro_orm_migrations", Key::Stem("name"), Some("executed_at")),
    ledger("sequelize", "SequelizeMeta", Key::File("name"), None),
    ledger("kysely", "kysely_migration", Key::Stem("name"), Some("timestamp")),
    ledger("node-pg-migrate", "pgmigrations", Key::Stem("name"), Some("run_on")),
    with(ledger("supabase", "schema_migrations", Key::Version("version"), None), "statements"),
    with(ledger("golang-migrate", "schema_migrations", Key::Head("version"), None), "dirty"),
    succeeding(ledger("goose", "goose_db_version", Key::Version("version_id"), Some("tstamp")), "is_applied"),
    ledger("dbmate", "schema_migrations", Key::Version("version"), None),
    ledger("rails", "schema_migrations", Key::Version("version"), None),
    ledger("ecto", "schema_migrations", Key::Version("version"), Some("inserted_at")),
    ledger("atlas", "atlas_schema_revisions", Key::Version("version"), Some("executed_at")),
    summed(ledger("sqitch", "changes", Key::Stem("change"), Some("committed_at")), "script_hash", sums::sha1),
    ledger("tern", "schema_version", Key::Head("version"), None),
    ledger("django", "django_migrations", Key::AppAndName, Some("applied")),
    ledger("alembic", "alembic_version", Key::Head("version_num"), None),
    ledger("ef-core", "__EFMigrationsHistory", Key::Stem("MigrationId"), None),
    with(ledger("hasura", "schema_migrations", Key::Version("version"), None), "dirty"),
    summed(ledger("graphile-migrate", "migrations", Key::Digits("filename"), Some("date")), "hash", sums::graphile),
    ledger("pgroll", "migrations", Key::Stem("name"), Some("created_at")),
    ledger("yoyo", "_yoyo_migration", Key::Stem("migration_id"), Some("applied_at_utc")),
];

/// Tables of somebody's own making.
pub(super) const HAND_ROLLED: &[Ledger] = &[
    summed(ledger("plain-sql", "", Key::File("filename"), Some("applied_at")), "checksum", sums::any),
    ledger("plain-sql", "", Key::File("filename"), Some("applied_at")),
    ledger("plain-sql", "", Key::File("name"), Some("applied_at")),
    ledger("plain-sql", "", Key::Stem("name"), Some("applied_at")),
    ledger("plain-sql", "", Key::Version("version"), Some("applied_at")),
    ledger("plain-sql", "", Key::Stem("version"), Some("applied_at")),
    ledger("plain-sql", "", Key::File("script"), Some("applied_at")),
];
