//! A check proves itself against a real PostgreSQL: silent, loud, mended, silent.

use super::{Check, Library};
use crate::assess::{Finding, answered, judge};
use crate::config::Config;
use crate::facts::{Facts, collect, derive};
use crate::history::{self, History};
use crate::secrets::Rules;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, Transaction};
use std::fmt;

/// What came of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Every step went as the check says.
    Holds,
    /// The server is older than the check's `proof.since`.
    Skipped {
        /// `server_version_num` from which it can be proved.
        since: u32,
        /// That of this server.
        server: u32,
    },
    /// Steps that went otherwise; never empty.
    Fails(Vec<Flaw>),
}

/// A step that did not go as the check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Which.
    pub step: Step,
    /// What happened instead, in words.
    pub what: String,
}

/// The steps of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// On an empty database it is silent.
    Empty,
    /// On `bad` it says exactly `finds`.
    Bad,
    /// On `bad` with its own fixes applied it is silent.
    Fixed,
    /// On this `good`, counted from 1, it is silent.
    Good(usize),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::Empty => f.write_str("empty database")?,
            Step::Bad => f.write_str("bad")?,
            Step::Fixed => f.write_str("bad with its fix")?,
            Step::Good(number) => write!(f, "good {number}")?,
        }
        write!(f, ": {}", self.what)
    }
}

/// Proves a check. The connection is a superuser's, to an empty database of a server on which nobody else makes roles
/// meanwhile; all that happens there is rolled back.
pub async fn prove(check: &Check, connection: &mut PgConnection) -> Proof {
    let server = connection.server_version_num().unwrap_or(0);
    if let Some(since) = check.proof.since.filter(|since| *since > server) {
        return Proof::Skipped { since, server };
    }
    let mut flaws = Vec::new();
    let good = check.proof.good.iter().enumerate().map(|(index, ddl)| (Step::Good(index + 1), ddl.as_str()));
    for (step, ddl) in [(Step::Empty, "")].into_iter().chain(good) {
        if let Err(what) = silent(check, ddl, connection).await {
            flaws.push(Flaw { step, what });
        }
    }
    if let Err(flaw) = loud_then_mended(check, connection).await {
        flaws.push(flaw);
    }
    if flaws.is_empty() { Proof::Holds } else { Proof::Fails(flaws) }
}

/// Collected and derived facts of a schema that exists only for this look. The error says in words what went wrong.
pub async fn facts_of(ddl: &str, config: &Config, connection: &mut PgConnection) -> Result<Facts, String> {
    let mut trial = begin(connection).await?;
    apply(ddl, &mut trial).await?;
    let facts = look(ddl, config, &mut trial).await?;
    trial.rollback().await.map_err(in_words)?;
    Ok(facts)
}

async fn silent(check: &Check, ddl: &str, connection: &mut PgConnection) -> Result<(), String> {
    let mut facts = facts_of(ddl, &check.proof.config, connection).await?;
    expect(&[], &said(check, &mut facts).await?.1)
}

/// Both steps in one transaction: the fix meets exactly what was found.
async fn loud_then_mended(check: &Check, connection: &mut PgConnection) -> Result<(), Flaw> {
    let bad = |what| Flaw { step: Step::Bad, what };
    let fixed = |what| Flaw { step: Step::Fixed, what };
    let config = &check.proof.config;

    let mut trial = begin(connection).await.map_err(bad)?;
    apply(&check.proof.bad, &mut trial).await.map_err(bad)?;
    let mut facts = look(&check.proof.bad, config, &mut trial).await.map_err(bad)?;
    let (found, messages) = said(check, &mut facts).await.map_err(bad)?;
    expect(&check.proof.finds, &messages).map_err(bad)?;

    if check.fix.is_some() || check.default.is_some() {
        let way_out = |finding: &Finding| finding.fix.clone().or_else(|| finding.default.clone()).unwrap_or_default();
        // Of a question, the usual answer may be known for some findings and not for others.
        let (mended, left): (Vec<_>, Vec<_>) =
            found.iter().partition(|finding| check.fix.is_some() || !way_out(finding).trim().is_empty());
        for finding in mended {
            apply(&way_out(finding), &mut trial).await.map_err(fixed)?;
        }
        let left: Vec<_> = left.into_iter().map(|finding| finding.message.clone()).collect();
        let mut facts = look(&check.proof.bad, config, &mut trial).await.map_err(fixed)?;
        let (_, messages) = said(check, &mut facts).await.map_err(fixed)?;
        expect(&left, &messages).map_err(fixed)?;
    }
    trial.rollback().await.map_err(in_words).map_err(fixed)
}

async fn begin(connection: &mut PgConnection) -> Result<Transaction<'_, Postgres>, String> {
    connection.begin().await.map_err(in_words)
}

/// Runs DDL, which must not end the transaction: what it made would stay.
async fn apply(ddl: &str, trial: &mut Transaction<'_, Postgres>) -> Result<(), String> {
    let before = transaction_id(trial).await?;
    // AssertSqlSafe: the SQL of a check, in a scratch database.
    sqlx::raw_sql(AssertSqlSafe(ddl))
        .execute(&mut **trial)
        .await
        .map_err(|error| format!("{}\n{ddl}", in_words(error)))?;
    let same = transaction_id(trial).await? == before;
    if same { Ok(()) } else { Err(format!("this ends the transaction it is run in, and what it made stays:\n{ddl}")) }
}

async fn transaction_id(trial: &mut Transaction<'_, Postgres>) -> Result<String, String> {
    let id = sqlx::query_scalar("select pg_catalog.pg_current_xact_id()::text").fetch_one(&mut **trial).await;
    id.map_err(in_words)
}

/// Facts as a real run would get them; fixes that come after are run with its empty search_path, too.
async fn look(ddl: &str, config: &Config, trial: &mut Transaction<'_, Postgres>) -> Result<Facts, String> {
    trial.execute("reset role; set local search_path = ''").await.map_err(in_words)?;
    let mut facts = Facts::empty().await.map_err(|stop| stop.to_string())?;
    collect::collect(trial, &mut facts).await.map_err(|stop| stop.to_string())?;
    if ddl.contains(FILE) {
        remember(ddl, &mut facts, trial).await?;
    }
    derive::derive(&mut facts, config).await.map_err(|stop| stop.to_string())?;
    if !config.attestations.is_empty() {
        // A check may hold what somebody attests against the answers, which are facts only after all others have run.
        let library = Library::embedded().map_err(|bad| bad.to_string())?;
        answered(&mut facts, &library, config).await.map_err(|stop| stop.to_string())?;
    }
    Ok(facts)
}

/// A line that begins a file of migrations inside `bad` or `good`, and one that ends the last.
const FILE: &str = "-- file: ";
const BY_HAND: &str = "-- by hand:";

/// The history of a script that is also a folder of migrations, held against the database it made.
async fn remember(ddl: &str, facts: &mut Facts, trial: &mut Transaction<'_, Postgres>) -> Result<(), String> {
    let said = |stop: crate::error::Stop| stop.to_string();
    let recorded = ddl.split(BY_HAND).next().unwrap_or(ddl);
    let sections = recorded.split(FILE).skip(1).filter_map(|section| section.split_once('\n'));
    let files: Vec<_> = sections.map(|(name, text)| (name.trim(), text)).collect();
    let mut history = History::of_files(&files).map_err(said)?;
    history.compare_with(trial).await;
    history.write(facts, Rules::own()).await.map_err(said)?;
    trial.execute("savepoint replay; drop schema public cascade; create schema public").await.map_err(in_words)?;
    for (_, text) in &files {
        apply(text, trial).await?;
    }
    let mut replayed = Facts::empty().await.map_err(said)?;
    collect::collect(trial, &mut replayed).await.map_err(said)?;
    trial.execute("rollback to savepoint replay").await.map_err(in_words)?;
    history::facts::compare(facts, Ok(replayed)).await.map_err(said)
}

/// What a check says about some facts: its findings, and what it calls undecided.
pub async fn said(check: &Check, facts: &mut Facts) -> Result<(Vec<Finding>, Vec<String>), String> {
    let outcome = judge(check, facts).await.map_err(|mistakes| mistakes.in_words())?;
    let undecided = outcome.undecided.iter().map(|cause| format!("undecided: {}", cause.what));
    let messages = outcome.findings.iter().map(|finding| finding.message.clone()).chain(undecided).collect();
    Ok((outcome.findings, messages))
}

/// The same messages, in any order.
fn expect(expected: &[String], found: &[String]) -> Result<(), String> {
    let sorted = |messages: &[String]| {
        let mut sorted: Vec<_> = messages.iter().map(|message| message.trim().to_owned()).collect();
        sorted.sort_unstable();
        sorted
    };
    let (expected, found) = (sorted(expected), sorted(found));
    if expected == found {
        return Ok(());
    }
    let lines = |messages: &[String]| match messages {
        [] => " nothing".to_owned(),
        some => some.iter().map(|message| format!("\n    {message}")).collect(),
    };
    Err(format!("expected{}\n  found{}", lines(&expected), lines(&found)))
}

fn in_words(error: sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}
