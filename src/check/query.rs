//! The SQL of a check against SQLite: its columns, its rows, and where a mistake in it stands.

use super::sql::{Kind, Token, tokens};
use super::{Check, CheckSource};
use crate::facts::Facts;
use crate::yaml::{Mistake, Mistakes, nearest, place_in};
use futures_util::TryStreamExt;
use serde_json::{Map, Number, Value};
use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{
    AssertSqlSafe, Column, Either, Executor, Row, SqlSafeStr, SqliteConnection, Statement, TypeInfo, Value as _,
    ValueRef,
};
use std::ops::Range;
use std::time::{Duration, Instant};

/// Instructions of SQLite's machine between two looks at the clock.
const STEPS: i32 = 100_000;

/// The columns the SQL returns, in order. SQL that SQLite refuses, or that is more than one reading statement,
/// is a mistake in the file.
pub(super) async fn columns(check: &Check, facts: &mut Facts) -> Result<Vec<String>, Mistake> {
    one_reading_statement(check)?;
    match prepare(&check.sql, facts.connection()).await {
        Ok(columns) => Ok(columns),
        Err(error) => Err(refused(check, facts, &error).await),
    }
}

/// The rows the SQL returns. Nothing it says can change the facts.
pub(super) async fn rows(check: &Check, facts: &mut Facts) -> Result<Vec<Map<String, Value>>, Mistakes> {
    let fail = |mistake| Mistakes::new(&check.source.path, &check.source.text, vec![mistake]);
    one_reading_statement(check).map_err(fail)?;
    match fetch(&check.sql, facts.patience(), facts.connection()).await {
        Ok(rows) => Ok(rows),
        Err(error) => Err(fail(refused(check, facts, &error).await)),
    }
}

/// The rows of several checks. They travel in one message, since each waits for SQLite's thread; where one of them fails,
/// every one travels alone, so that the mistake is told of the check that made it.
pub(super) async fn rows_of(checks: &[&Check], facts: &mut Facts) -> Vec<Result<Vec<Map<String, Value>>, Mistakes>> {
    if checks.iter().all(|check| one_reading_statement(check).is_ok()) {
        let patience = facts.patience();
        if let Some(rows) = fetch_of(checks, patience, facts.connection()).await {
            return rows.into_iter().map(Ok).collect();
        }
    }
    let mut all = Vec::new();
    for check in checks {
        all.push(rows(check, facts).await);
    }
    all
}

/// Nothing where not every statement was run to its end, as where a remark that is never closed swallows the next.
async fn fetch_of(
    checks: &[&Check],
    patience: Duration,
    connection: &mut SqliteConnection,
) -> Option<Vec<Vec<Map<String, Value>>>> {
    let texts: Vec<_> = checks.iter().map(|check| check.sql.trim().trim_end_matches(';')).collect();
    let answers = answers(&texts.join("\n;\n"), checks.len(), patience, connection).await.ok()?;
    let read = |rows: Vec<SqliteRow>| rows.iter().map(values).collect::<Result<Vec<_>, _>>().ok();
    (answers.len() == checks.len()).then(|| answers.into_iter().map(read).collect())?
}

async fn prepare(sql: &str, connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let statement = connection.prepare(safe(sql)).await?;
    Ok(statement.columns().iter().map(|column| column.name().to_owned()).collect())
}

async fn fetch(
    sql: &str,
    patience: Duration,
    connection: &mut SqliteConnection,
) -> Result<Vec<Map<String, Value>>, sqlx::Error> {
    answers(sql, 1, patience, connection).await?.iter().flatten().map(values).collect()
}

/// What each of so many statements returned; fewer where the text of one reaches over the next. None of them can write.
async fn answers(
    sql: &str,
    statements: usize,
    patience: Duration,
    connection: &mut SqliteConnection,
) -> Result<Vec<Vec<SqliteRow>>, sqlx::Error> {
    let deadline = Instant::now() + patience;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < deadline);
    // One message, since each waits for SQLite's thread.
    let guarded = format!("pragma query_only = on;\n{sql}\n;pragma query_only = off");
    let answers = collected(&guarded, connection).await;
    connection.lock_handle().await?.remove_progress_handler();
    if answers.as_ref().map_or(0, Vec::len) != statements + 2 {
        connection.execute("pragma query_only = off").await?;
    }
    // The first pragma returns nothing.
    Ok(answers?.into_iter().skip(1).take(statements).collect())
}

async fn collected(sql: &str, connection: &mut SqliteConnection) -> Result<Vec<Vec<SqliteRow>>, sqlx::Error> {
    let mut stream = sqlx::raw_sql(safe(sql)).fetch_many(connection);
    let (mut answers, mut rows) = (Vec::new(), Vec::new());
    while let Some(item) = stream.try_next().await? {
        match item {
            Either::Right(row) => rows.push(row),
            Either::Left(_) => answers.push(std::mem::take(&mut rows)),
        }
    }
    Ok(answers)
}

/// The one place where SQL comes from a file. It is safe because it runs over facts in memory, under
/// `query_only`, as one statement that begins with SELECT, WITH or VALUES: no ATTACH, no PRAGMA, no write.
fn safe(sql: &str) -> sqlx::SqlStr {
    AssertSqlSafe(sql.to_owned()).into_sql_str()
}

fn one_reading_statement(check: &Check) -> Result<(), Mistake> {
    let sql = check.sql.as_str();
    let tokens = tokens(sql);
    let at = |place: Range<usize>, message: &str, label: &str| Err(in_sql(check, place, message, label));
    match tokens.first() {
        Some(first) if !["select", "with", "values"].contains(&first.text(sql).to_lowercase().as_str()) => {
            return at(first.place.clone(), "a check only reads", "expected `select`, `with` or `values`");
        }
        Some(_) => {}
        None => return at(0..sql.len(), "there is no statement here", "nothing but comments"),
    }
    let semicolon = tokens.iter().position(|token| token.text(sql) == ";");
    match semicolon.and_then(|end| tokens.get(end + 1)) {
        Some(second) => at(second.place.clone(), "a check is one statement", "a second one begins here"),
        None => Ok(()),
    }
}

fn in_sql(check: &Check, part: Range<usize>, message: &str, label: &str) -> Mistake {
    let CheckSource { text, sql, .. } = check.source.as_ref();
    Mistake::new(place_in(text, *sql, &check.sql, part), message, label)
}

/// SQLite names a token but not where it stands; this finds it.
async fn refused(check: &Check, facts: &mut Facts, error: &sqlx::Error) -> Mistake {
    let message = match error.as_database_error() {
        Some(error) if error.message() == "interrupted" => format!("not done after {} s", facts.patience().as_secs()),
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    };
    let sql = check.sql.as_str();
    let tokens = tokens(sql);
    let named = named(&message);
    let part = match named {
        Some(name) if message.starts_with("near ") => first_refused(sql, &tokens, name, facts).await,
        Some(name) => first_mention(sql, &tokens, name),
        None => None,
    };
    let label = if part.is_some() { "here" } else { "somewhere in this SQL" };
    let mistake = in_sql(check, part.unwrap_or(0..sql.len()), &message, label);
    match (message.strip_prefix("no such table: "), named) {
        (Some(_), Some(name)) => match nearest(name, super::needs::tables().map(|table| table.name)) {
            Some(near) => mistake.help(format!("did you mean `{near}`?")),
            None => mistake.help("govctl facts --schema prints every table"),
        },
        _ => mistake,
    }
}

/// What SQLite complains about: the text in quotes, or what follows the colon.
fn named(message: &str) -> Option<&str> {
    match message.strip_prefix("near \"").or_else(|| message.strip_prefix("unrecognized token: \"")) {
        Some(rest) => rest.rsplit_once('"').map(|(name, _)| name),
        None => message.split_once(": ").map(|(_, name)| name.split(' ').next().unwrap_or(name)),
    }
}

/// The parser stops at the first token it cannot take, so the SQL cut off behind that very token is refused with the
/// same words, while cut off behind an earlier twin of it the SQL is merely incomplete, or fine.
async fn first_refused(sql: &str, tokens: &[Token], name: &str, facts: &mut Facts) -> Option<Range<usize>> {
    for token in tokens.iter().filter(|token| token.text(sql) == name) {
        if let Err(error) = prepare(&sql[..token.place.end], facts.connection()).await
            && error.to_string().contains(&format!("near \"{name}\""))
        {
            return Some(token.place.clone());
        }
    }
    None
}

/// `a.b` or `b`, where the SQL first says it; strings and comments do not count.
fn first_mention(sql: &str, tokens: &[Token], name: &str) -> Option<Range<usize>> {
    let said = |part: &[Token]| {
        part.iter().all(|token| token.kind != Kind::Constant)
            && part.iter().map(|token| token.text(sql)).collect::<String>().eq_ignore_ascii_case(name)
    };
    let length = 2 * name.split('.').count() - 1;
    let part = tokens.windows(length).find(|part| said(part))?;
    Some(part.first()?.place.start..part.last()?.place.end)
}

/// A row by column name; NULL is no value at all.
fn values(row: &SqliteRow) -> Result<Map<String, Value>, sqlx::Error> {
    let mut values = Map::new();
    for column in row.columns() {
        let raw = row.try_get_raw(column.ordinal())?;
        if !raw.is_null() {
            values.insert(column.name().to_owned(), value(raw)?);
        }
    }
    Ok(values)
}

fn value(raw: SqliteValueRef<'_>) -> Result<Value, sqlx::Error> {
    let owned = raw.to_owned();
    let decoded = match owned.type_info().name() {
        "INTEGER" | "BOOLEAN" => Value::from(owned.try_decode::<i64>()?),
        "REAL" => Number::from_f64(owned.try_decode()?).map_or(Value::Null, Value::Number),
        _ => Value::from(owned.try_decode::<String>()?),
    };
    Ok(decoded)
}
