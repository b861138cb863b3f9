//! A folder of migrations, run on a scratch server: the schema it makes, as facts.
//!
//! Statement by statement, each by itself: what is refused costs only what depends on it, and is said.

mod stand_ins;

use crate::check::quote::ident;
use crate::error::Stop;
use crate::facts::Facts;
use crate::facts::collect::{self, Wanted};
use crate::history::{History, Statement};
use crate::target::Session;
use crate::target::scratch::{Choice, Kind, Scratch};
use regex::Regex;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use stand_ins::Platform;
use std::sync::LazyLock;

/// What stands in where `CREATE EXTENSION` is refused.
struct Extension {
    name: &'static str,
    script: &'static str,
    /// Types by whose names it is missed. Domains stand in for them, and take no modifiers.
    types: &'static [&'static str],
    /// Whether it stands in for the types alone, and for nothing that computes with them.
    types_only: bool,
}

const EXTENSIONS: [Extension; 5] = [
    Extension { name: "pgcrypto", script: include_str!("replay/pgcrypto.sql"), types: &[], types_only: false },
    Extension { name: "uuid-ossp", script: include_str!("replay/uuid_ossp.sql"), types: &[], types_only: false },
    Extension { name: "citext", script: include_str!("replay/citext.sql"), types: &["citext"], types_only: false },
    Extension { name: "vector", script: include_str!("replay/vector.sql"), types: &["vector"], types_only: false },
    Extension {
        name: "postgis",
        script: include_str!("replay/postgis.sql"),
        types: &["geometry", "geography", "raster"],
        types_only: true,
    },
];

/// Extensions that a project of Supabase has from the beginning, in a schema of their own.
const OF_SUPABASE: [&str; 2] = ["pgcrypto", "uuid-ossp"];

/// What stands in for an extension that a scratch server lacks.
pub(crate) fn stand_in(extension: &str) -> Option<&'static str> {
    EXTENSIONS.iter().find(|it| it.name == extension && !it.types_only).map(|it| it.script)
}

static ON_COMMIT_DROP: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\bon\s+commit\s+drop\b").unwrap_or_else(|error| unreachable!("{error}")));

/// What would decide instead.
const HOLDS: &str = "a database that holds the schema, as URL";

/// What a check may rest on that a statement, had it run, would have made.
const AREAS: [&str; 10] = [
    "relations",
    "columns",
    "constraints",
    "policies",
    "grants",
    "roles",
    "functions",
    "triggers",
    "indexes",
    "memberships",
];

/// What came of running a folder.
#[derive(Debug, Default)]
struct Outcome {
    /// Stood in for, in words.
    stood_in: Vec<String>,
    /// Statements that were refused: path, line, version, what the server said, and what may hang on it.
    refused: Vec<(Statement, String, Hangs)>,
    /// Domains stand in for the types of an extension, and take no modifiers.
    plain_types: bool,
}

/// What a refused statement leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hangs {
    /// Rows and remarks: nothing that is judged here.
    Nothing,
    /// An index is missing, and nothing else.
    Indexes,
    /// An extension that the scratch server lacks: that it is there, and what belongs to it. What needs it is refused itself.
    Extensions,
    /// A role that others make was stood in for: what it is and who is in it is open.
    Roles,
    Everything,
}

/// Replays a folder and collects the facts of what it made.
pub async fn facts(history: &History, choice: Choice, wanted: Wanted<'_>) -> Result<Facts, Stop> {
    let scratch = Scratch::start(choice).await?;
    // The embedded server has one database, and one connection at a time.
    let database = if scratch.kind() == Kind::Embedded { scratch.first().clone() } else { scratch.database().await? };
    let mut outcome = run(history, database.options()).await?;
    outcome.refused.iter_mut().for_each(|(_, said, _)| *said = wanted.rules.hide(said));
    let mut session = Session::open(database.options().clone()).await?;
    let mut facts = Facts::empty().await?;
    let collected = collect::collect_wanted(session.connection(), None, &mut facts, wanted).await;
    session.close().await;
    collected?;
    say(history, outcome, &mut facts).await?;
    Ok(facts)
}

async fn run(history: &History, options: &PgConnectOptions) -> Result<Outcome, Stop> {
    let mut connection = options.connect().await?;
    let mut outcome = Outcome::default();
    let (platform, stood_in) = stand_ins::make(history, &mut connection).await;
    outcome.stood_in = stood_in;
    if platform == Platform::Supabase {
        supabase(&mut connection, &mut outcome).await;
    }
    // A body may name what comes later, or what only stands in for something here.
    let _ = connection.execute("set check_function_bodies = off").await;
    let mut version = String::new();
    for statement in history.statements() {
        if statement.version != version {
            version.clone_from(&statement.version);
            // Tables of a transaction that has ended, for all that the next migration knows.
            let _ = connection.execute("discard temp").await;
        }
        step(&statement, &mut connection, &mut outcome).await;
    }
    let _ = connection.close().await;
    Ok(outcome)
}

/// Every project of theirs has some extensions from the start, in a schema of their own, and grants by default.
async fn supabase(connection: &mut PgConnection, outcome: &mut Outcome) {
    let _ = connection.execute("create schema if not exists extensions").await;
    let _ = connection.execute("set search_path = \"$user\", public, extensions").await;
    for name in OF_SUPABASE {
        let real = format!("create extension if not exists \"{name}\" schema extensions");
        if connection.execute(AssertSqlSafe(real)).await.is_err()
            && let Some(script) = stand_in(name)
        {
            let _ = connection.execute(sqlx::raw_sql(AssertSqlSafe(script))).await;
            outcome.stood_in.push(format!("the extension {name}"));
        }
    }
    let defaults = include_str!("replay/supabase_defaults.sql");
    let _ = connection.execute(sqlx::raw_sql(AssertSqlSafe(defaults))).await;
}

async fn step(statement: &Statement, connection: &mut PgConnection, outcome: &mut Outcome) {
    let words = statement.words();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        // Each statement stands alone here, so that one that is refused takes no other with it.
        ["begin" | "commit" | "end" | "rollback" | "start" | "savepoint" | "release" | "lock", ..] => return,
        // What leaves the database, or the server's settings.
        ["copy" | "load", ..]
        | ["alter", "system" | "database", ..]
        | ["create" | "drop", "database" | "subscription" | "tablespace", ..] => {
            return outcome.refused.push((statement.clone(), "not run on a scratch server".to_owned(), Hangs::Nothing));
        }
        _ => {}
    }
    let text = statement.sql.replace("concurrently", " ").replace("CONCURRENTLY", " ");
    let text = if statement.is_index() { text } else { statement.sql.clone() };
    // A temporary table would be gone before the next statement.
    let text = match words.as_slice() {
        ["create", "temp" | "temporary" | "local" | "global", ..] => ON_COMMIT_DROP.replace_all(&text, "").into_owned(),
        _ => text,
    };
    let said = loop {
        let text = if outcome.plain_types { without_modifiers(&text) } else { text.clone() };
        // AssertSqlSafe: the user's own migration, on a throwaway server.
        let Err(error) = connection.execute(sqlx::raw_sql(AssertSqlSafe(text))).await else { return };
        let said = in_words(&error);
        if !make_missing(&error, statement, connection, outcome).await {
            break said;
        }
    };
    if let ["create", "extension", ..] = words.as_slice()
        && let Some(extension) = EXTENSIONS.iter().find(|it| is_named(&statement.sql, it.name))
    {
        let what = format!("the extension {}", extension.name);
        if outcome.stood_in.contains(&what) {
            return;
        }
        if stand_in_for(extension, connection, outcome).await {
            return outcome.stood_in.push(what);
        }
    }
    let data = matches!(
        words.first(),
        Some(
            &("insert"
                | "update"
                | "delete"
                | "comment"
                | "analyze"
                | "vacuum"
                | "truncate"
                | "refresh"
                | "select"
                | "notify")
        )
    );
    let hangs = match () {
        () if data => Hangs::Nothing,
        () if words.starts_with(&["create", "extension"]) && is_absent(&said) => Hangs::Extensions,
        () if statement.is_index() && !statement.sql.to_lowercase().contains("unique") => Hangs::Indexes,
        () => Hangs::Everything,
    };
    outcome.refused.push((statement.clone(), said, hangs));
}

/// Runs what stands in for an extension. Whether it could be made.
async fn stand_in_for(extension: &Extension, connection: &mut PgConnection, outcome: &mut Outcome) -> bool {
    let _ = connection.execute("create schema if not exists extensions").await;
    let made = connection.execute(sqlx::raw_sql(AssertSqlSafe(extension.script))).await.is_ok();
    outcome.plain_types |= made && !extension.types.is_empty();
    made
}

/// Whether a server said that it has no such extension. Up to 14 it names the control file that it did not find.
fn is_absent(said: &str) -> bool {
    said.contains("is not available") || said.starts_with("could not open extension control file")
}

/// `postgis_topology` is another extension than `postgis`.
fn is_named(sql: &str, extension: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    sql.split(|c: char| !is_word(c)).any(|word| word.eq_ignore_ascii_case(extension))
}

/// Makes the role or the type that a statement missed and that no migration makes: a cluster's roles and a database's
/// extensions are often made by other hands. Whether it did.
async fn make_missing(
    error: &sqlx::Error,
    statement: &Statement,
    connection: &mut PgConnection,
    outcome: &mut Outcome,
) -> bool {
    let missed = |error: &&dyn DatabaseError| error.code().is_some_and(|code| matches!(&*code, "42704" | "3F000"));
    let Some(error) = error.as_database_error().filter(missed) else { return false };
    let Some(name) = error.message().split('"').nth(1) else { return false };
    let last = name.rsplit('.').next().unwrap_or(name);
    let message = error.message();
    let extension = EXTENSIONS.iter().find(|it| message.starts_with("type ") && it.types.contains(&last));
    // A schema that the tool fills in is there before it runs.
    let is_filled_in = name.starts_with("__") && name.ends_with('_');
    let (what, sql) = match extension {
        None if message.starts_with("role ") => {
            (format!("the role {name}"), format!("create role {} nologin", ident(name)))
        }
        None if message.starts_with("schema ") && is_filled_in => {
            (format!("the schema {name}"), format!("create schema {}", ident(name)))
        }
        Some(it) => {
            let real = match name.rsplit_once('.') {
                Some((schema, _)) => {
                    let schema = ident(schema);
                    format!("create schema if not exists {schema}; create extension {} schema {schema}", ident(it.name))
                }
                None => format!("create extension {}", ident(it.name)),
            };
            (format!("the extension {}", it.name), real)
        }
        None => return false,
    };
    if outcome.stood_in.contains(&what) {
        return false;
    }
    let mut made = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.is_ok();
    if let (false, Some(extension)) = (made, extension) {
        made = stand_in_for(extension, connection, outcome).await;
    }
    if made {
        if what.starts_with("the role") {
            outcome.refused.push((statement.clone(), error.message().to_owned(), Hangs::Roles));
        }
        outcome.stood_in.push(what);
    }
    made
}

/// `vector(1536)` as `vector`, `geometry(Point, 4326)` as `geometry`.
fn without_modifiers(sql: &str) -> String {
    MODIFIERS.replace_all(sql, "$1").into_owned()
}

static MODIFIERS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?ix)\b (vector|halfvec|sparsevec|geometry|geography) \s* \( \s*
        (?: \d+ | (?: (?:multi)? (?:point|linestring|polygon) | geometry(?:collection)? ) [zm]{0,2} \s* (?: , \s* \d+ \s* )? ) \)";
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("{error}"))
});

/// What the server said. Errors of data quote the value that was refused, and that is nobody's business.
fn in_words(error: &sqlx::Error) -> String {
    let Some(error) = error.as_database_error() else { return error.to_string() };
    match error.code() {
        Some(code) if code.starts_with("22") => format!("a value was refused (SQLSTATE {code})"),
        _ => error.message().to_owned(),
    }
}

async fn say(history: &History, outcome: Outcome, facts: &mut Facts) -> Result<(), Stop> {
    let text = |value: &str| Some(value.to_owned());
    let mut remarks = Vec::new();
    if !outcome.stood_in.is_empty() {
        remarks.push(vec![text("run"), text(&format!("stood in for in the replay: {}", outcome.stood_in.join(", ")))]);
    }
    let mut faults = Vec::new();
    let mut unseen = Vec::new();
    let (mut indexes, mut roles, mut extensions) = (None, None, None);
    for (statement, said, hangs) in &outcome.refused {
        let line = statement.line.to_string();
        faults.push(["not replayed", &statement.version, &statement.path, &line, said].map(&text).to_vec());
        let why = format!("{}:{} could not be replayed: {said}", statement.path, statement.line);
        match hangs {
            Hangs::Nothing => {}
            Hangs::Indexes => drop(indexes.get_or_insert(why)),
            Hangs::Extensions => drop(extensions.get_or_insert(why)),
            Hangs::Roles => drop(roles.get_or_insert(why)),
            Hangs::Everything => unseen.push((why, HOLDS)),
        }
    }
    let code = history.migrations.iter().filter(|migration| !migration.dormant && migration.is_code()).count();
    if code > 0 {
        let why = format!("{code} migrations are programs, which govctl reads and never runs");
        unseen.push((why, HOLDS));
    }
    let few: [(_, &[&str]); 3] = [
        (extensions, &["extensions", "extension_members"]),
        // Where everything hangs on something else, that is said once.
        (indexes.filter(|_| unseen.is_empty()), &["indexes"]),
        (roles.filter(|_| unseen.is_empty()), &["roles", "memberships"]),
    ];
    for (why, areas) in few {
        let Some(why) = why else { continue };
        let rows = areas.iter().map(|area| [*area, &why, HOLDS].map(|it| Some(it.to_owned())).to_vec());
        facts.insert("unseen", &["area", "why", "needs"], rows.collect()).await?;
    }
    // One cause however many statements it has: each of them is a fault of its own migration.
    let rows = unseen.first().into_iter().flat_map(|(why, needs)| {
        let why = match unseen.len() {
            1 => why.clone(),
            n => format!("{why} (and {} more)", n - 1),
        };
        AREAS.iter().map(move |area| [*area, &why, *needs].map(|it| Some(it.to_owned())).to_vec())
    });
    facts.insert("unseen", &["area", "why", "needs"], rows.collect()).await?;
    facts.insert("remarks", &["topic", "remark"], remarks).await?;
    facts.insert("migration_faults", &["kind", "version", "path", "line", "detail"], faults).await?;
    let name = history.root.clone();
    // The scratch database is another one each time; what is found in it is not.
    for named in
        ["update target set kind = 'migrations', database = ?", "update databases set name = ? where is_current = 1"]
    {
        sqlx::query(named).bind(name.clone()).execute(facts.connection()).await?;
    }
    Ok(())
}
