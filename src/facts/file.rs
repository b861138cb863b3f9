//! The facts file: saved whole or not at all, and read as if an enemy had written it.

use super::store::quoted;
use super::{Facts, SCHEMA, SCHEMA_VERSION};
use crate::error::Stop;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sqlx::AssertSqlSafe;
use std::fs;
use std::path::{Path, PathBuf};

/// Characters of a path that mean something in an SQLite URI.
const IN_URI: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');

/// A column as SQLite describes it: name, declared type, whether a value is required.
type Column = (String, String, bool);

impl Facts {
    /// Writes the facts into one file, replacing an earlier one. An interrupted save leaves the earlier file as it was.
    pub async fn save(&mut self, path: &Path) -> Result<(), Stop> {
        let name = path.file_name().ok_or_else(|| unwritable(path, "it names no file"))?;
        let unfinished = absolute(path)?.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
        let _ = fs::remove_file(&unfinished);
        let text = unfinished.to_str().ok_or_else(|| unwritable(path, "its name is no UTF-8"))?;
        let written = sqlx::query("vacuum into ?").bind(text).execute(self.connection()).await;
        let saved = match written {
            Ok(_) => fs::rename(&unfinished, path).map_err(|error| unwritable(path, &error.to_string())),
            Err(error) => Err(unwritable(path, &error.to_string())),
        };
        if saved.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        saved
    }

    /// Reads a saved facts file into memory: the collected part, copied column by column into tables of our own making.
    /// `target.kind` becomes `facts`; what the file does not have is a row of `unseen`; the derived part is left to `derive`.
    pub async fn open(path: &Path) -> Result<Self, Stop> {
        let length = fs::File::open(path).and_then(|file| file.metadata()).map(|about| about.len());
        let length = length.map_err(|error| refused(path, format!("cannot be read: {error}")))?;
        let absolute = absolute(path)?;
        let text = absolute.to_str().ok_or_else(|| refused(path, "has a name that is no UTF-8"))?;
        // immutable: no journal beside the file is replayed, no lock is taken
        let uri = format!("file://{}?mode=ro&immutable=1", utf8_percent_encode(text, IN_URI));
        let mut facts = Self::empty().await?;
        let copied = facts.copy_from(&uri, length, path).await;
        copied.map_err(|stop| match stop {
            Copied::Database(error) => refused(path, said(&error)),
            Copied::Refused(stop) => stop,
        })?;
        Ok(facts)
    }

    async fn copy_from(&mut self, uri: &str, length: u64, path: &Path) -> Result<(), Copied> {
        sqlx::query("attach ? as saved").bind(uri).execute(self.connection()).await?;
        // The bytes that a cut took from the last page would read as zeros.
        let pages: i64 = sqlx::query_scalar("pragma saved.page_count").fetch_one(self.connection()).await?;
        let page_size: i64 = sqlx::query_scalar("pragma saved.page_size").fetch_one(self.connection()).await?;
        let health: String = sqlx::query_scalar("pragma saved.quick_check(1)").fetch_one(self.connection()).await?;
        if health != "ok" || u64::try_from(pages * page_size) != Ok(length) {
            return Err(refused(path, "is damaged").into());
        }
        let writer = self.writer(path).await?;
        for table in collected() {
            let wanted = self.columns("main", table).await?;
            let found = self.columns("saved", table).await?;
            let (common, missing): (Vec<_>, Vec<_>) =
                wanted.into_iter().partition(|(name, ..)| found.iter().any(|(found, ..)| found == name));
            if !missing.iter().any(|(.., required)| *required) {
                self.copy_table(table, &common, path).await?;
            } else if matches!(table, "target" | "unseen") {
                return Err(refused(path, format!("has no complete table {table:?}")).into());
            }
            if !missing.is_empty() {
                let why = format!("the facts file was written by govctl {writer}, which did not collect this");
                let needs = "collect the facts again with this govctl";
                let statement = sqlx::query("insert into main.unseen (area, why, needs) values (?, ?, ?)");
                statement.bind(table).bind(why).bind(needs).execute(self.connection()).await?;
            }
        }
        sqlx::raw_sql("detach saved; update target set kind = 'facts'").execute(self.connection()).await?;
        Ok(())
    }

    /// The version of govctl that wrote the file, where this one understands it.
    async fn writer(&mut self, path: &Path) -> Result<String, Copied> {
        let found = self.columns("saved", "target").await?;
        if !["schema_version", "govctl_version"].iter().all(|name| found.iter().any(|(found, ..)| found == name)) {
            return Err(refused(path, "is an SQLite database, but no facts file").into());
        }
        let sql = "select cast(schema_version as integer), cast(govctl_version as text) from saved.target limit 2";
        let rows: Vec<(i64, String)> = sqlx::query_as(sql).fetch_all(self.connection()).await?;
        let [(version, writer)] = rows.as_slice() else {
            return Err(refused(path, "does not say which database its facts are about").into());
        };
        if *version == SCHEMA_VERSION {
            return Ok(writer.clone());
        }
        let message = format!(
            "the facts file {} has schema version {version}; this govctl reads version {SCHEMA_VERSION}",
            path.display()
        );
        let help = match *version > SCHEMA_VERSION {
            true => format!("it was written by govctl {writer}; update govctl"),
            false => "collect the facts again with this govctl".to_owned(),
        };
        Err(Copied::Refused(Stop::Facts { message, help: Some(help) }))
    }

    /// Copies the named columns and makes sure that the values have the types that every reader expects.
    async fn copy_table(&mut self, table: &str, columns: &[Column], path: &Path) -> Result<(), Copied> {
        let table_name = quoted(table);
        let names = columns.iter().map(|(name, ..)| quoted(name)).collect::<Vec<_>>().join(", ");
        let wrong = columns.iter().map(|(name, kind, _)| format!("typeof({}) not in ('{kind}', 'null')", quoted(name)));
        let wrong = wrong.collect::<Vec<_>>().join(" or ");
        // AssertSqlSafe: names come from our own schema.
        let copy = format!("insert into main.{table_name} ({names}) select {names} from saved.{table_name}");
        sqlx::query(AssertSqlSafe(copy)).execute(self.connection()).await?;
        let check = format!("select exists (select 1 from main.{table_name} where {wrong})");
        match sqlx::query_scalar(AssertSqlSafe(check)).fetch_one(self.connection()).await? {
            true => Err(refused(path, format!("holds values of the wrong type in the table {table:?}")).into()),
            false => Ok(()),
        }
    }

    /// The stored columns of a real table; none where there is no such table, or a view or a virtual table in its place.
    async fn columns(&mut self, database: &str, table: &str) -> Result<Vec<Column>, sqlx::Error> {
        let sql = match database {
            "main" => "select name, lower(type), \"notnull\" from pragma_table_info(?, 'main')",
            _ => {
                "select name, lower(type), \"notnull\" from pragma_table_info(?1, 'saved')
                 where exists (select 1 from saved.sqlite_schema where type = 'table' and rootpage > 0 and name = ?1)"
            }
        };
        sqlx::query_as(sql).bind(table).fetch_all(self.connection()).await
    }
}

/// The tables of part 1 of the schema.
fn collected() -> impl Iterator<Item = &'static str> {
    let (collected, _) = SCHEMA.split_once("2. derived").expect("the schema has two parts");
    collected.lines().filter_map(|line| line.strip_prefix("create table ")?.split(' ').next())
}

/// Why a copy ended: a sentence, or SQLite's own refusal of the file.
enum Copied {
    Database(sqlx::Error),
    Refused(Stop),
}

impl From<sqlx::Error> for Copied {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Stop> for Copied {
    fn from(stop: Stop) -> Self {
        Self::Refused(stop)
    }
}

/// What SQLite's refusal says about the file.
fn said(error: &sqlx::Error) -> String {
    match error.as_database_error().and_then(|error| error.code()).as_deref() {
        Some("26") => "is not an SQLite database".to_owned(),
        Some("11") => "is damaged".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

fn refused(path: &Path, why: impl std::fmt::Display) -> Stop {
    Stop::Facts {
        message: format!("the facts file {} {why}", path.display()),
        help: Some("govctl diagnose --save-facts FILE writes one".into()),
    }
}

fn unwritable(path: &Path, why: &str) -> Stop {
    Stop::Facts { message: format!("the facts file {} cannot be written: {why}", path.display()), help: None }
}

fn absolute(path: &Path) -> Result<PathBuf, Stop> {
    std::path::absolute(path).map_err(|error| refused(path, error))
}
