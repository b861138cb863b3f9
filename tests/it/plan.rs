//! `plan-stage` on whole databases: what it plans holds when it is run, twice over and back again.
//!
//! Every plan is run on a copy with rows of two tenants, as the owner of the tables would run it (see `plan::prove`); here
//! is said what has to come of it. What a person has to decide is left, and by name.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod answers;
mod first;
mod held;
mod logs;
mod owners;
mod references;
mod roles;
mod slices;

use crate::support::{self, Database};
use govctl::check::{Library, Severity};
use govctl::config::Config;
use govctl::facts::{Facts, collect, derive};
use govctl::plan::{self, Bench, Goal, Plan};
use govctl::target::Session;
use govctl::ui::progress::Silent;
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::fs;

/// What no migration decides: what the server logs, when a password ends, what a person has to know.
const A_PERSONS: [&str; 3] =
    ["audit/role-changes-unlogged", "secret-separation/agent-password-forever", "secret-separation/secret-in-code"];

fn bench() -> Bench {
    Bench::new(support::choice())
}

/// Facts of a database that these scripts make.
async fn facts(scripts: &[String]) -> Facts {
    let database = support::cluster().await;
    for script in scripts {
        database.run(script).await;
    }
    collected(&database, &Config::default()).await
}

/// Facts of a database as it is.
async fn collected(database: &Database, config: &Config) -> Facts {
    let mut session = Session::open(database.options().clone()).await.unwrap();
    let mut facts = Facts::empty().await.unwrap();
    collect::collect(session.connection(), &mut facts).await.unwrap();
    session.close().await;
    derive::derive(&mut facts, config).await.unwrap();
    facts
}

async fn planned(stage: u8, scripts: &[String]) -> Plan {
    made(stage, &mut facts(scripts).await, &Config::default()).await
}

async fn made(stage: u8, facts: &mut Facts, config: &Config) -> Plan {
    let library = Library::embedded().unwrap();
    let goal = Goal { stage, config, library: &library };
    let mut bench = bench();
    let plan = plan::make(goal, facts, Some(&mut bench), &Silent).await.unwrap();
    bench.close().await;
    plan
}

/// Runs a plan as a role, as its tool would, on the database it was made for.
async fn carried_out(database: &Database, plan: &Plan, role: &str) {
    let mut connection = database.connect().await;
    for step in &plan.steps {
        let all = step.up.join(";\n");
        let queries = if step.transaction { vec![format!("begin; {all}; commit")] } else { step.up.clone() };
        connection.execute(AssertSqlSafe(format!("set session authorization {role}"))).await.unwrap();
        for query in queries {
            if let Err(error) = connection.execute(sqlx::raw_sql(AssertSqlSafe(query.clone()))).await {
                panic!("{}: {error}\n{query}", step.name);
            }
        }
        connection.execute("reset session authorization").await.unwrap();
    }
    connection.close().await.unwrap();
}

/// What a login reads in one transaction: the first column of the first row, or why it was refused.
async fn read(database: &Database, login: &str, before: &str, query: &str) -> Result<Option<String>, String> {
    let mut connection = database.connect().await;
    connection.execute(AssertSqlSafe(format!("set session authorization {login}"))).await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    if !before.is_empty() {
        transaction.execute(sqlx::raw_sql(AssertSqlSafe(before.to_owned()))).await.unwrap();
    }
    let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
    let got = query.fetch_optional(&mut *transaction).await.map(Option::flatten);
    let ended = match got {
        Ok(got) => transaction.commit().await.map(|()| got),
        Err(error) => transaction.rollback().await.and(Err(error)),
    };
    connection.close().await.unwrap();
    ended.map_err(|error| error.as_database_error().map_or_else(|| error.to_string(), |it| it.message().to_owned()))
}

/// What is wrong with a plan, in lines.
fn faults(plan: &Plan, left: &[&str]) -> Vec<String> {
    let mut faults: Vec<String> = plan.notes.iter().filter(|note| note.starts_with("squawk")).cloned().collect();
    let Some(proof) = &plan.proof else {
        faults.extend((plan.from < plan.to).then(|| "not proved".to_owned()));
        return faults;
    };
    // Whoever owns a table empties it: what is left says so.
    let owned = |line: &&String| !(left == OWNED && line.contains(" empties "));
    faults.extend(proof.failed.iter().filter(owned).cloned());
    if proof.stage < Some(plan.to) {
        faults.push(format!("reaches {:?}", proof.stage));
    }
    let library = Library::embedded().unwrap();
    let is_check = |id: &str| library.iter().any(|check| check.id.0 == id && check.severity > Severity::Info);
    let expected = |check: &str| left.contains(&check) || A_PERSONS.contains(&check);
    let remaining = proof.remaining.iter().filter(|left| is_check(&left.check) && !expected(&left.check));
    faults.extend(remaining.map(|left| format!("left: {} {}: {}", left.check, left.object, left.why)));
    faults
}

fn script(path: &str) -> String {
    fs::read_to_string(format!("{}/fixtures/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Everything in the folder, each by itself.
fn each(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(format!("{}/fixtures/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.into_iter().filter(|name| name.ends_with(".sql")).map(|name| format!("{folder}/{name}")).collect()
}

/// Plans each of these databases by itself, and says all that is wrong with any.
async fn hold(cases: Vec<(u8, Vec<String>, &[&str])>) {
    let mut wrong = String::new();
    for (stage, files, left) in cases {
        let scripts: Vec<_> = files.iter().map(|file| script(file)).collect();
        let plan = planned(stage, &scripts).await;
        let faults = faults(&plan, left);
        if !faults.is_empty() {
            wrong += &format!("\n{} to stage {stage}:\n    {}\n", files.last().unwrap(), faults.join("\n    "));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// An agent that owns its tables is given another owner by nobody but a person.
const OWNED: &[&str] = &["rbac/agent-becomes-more", "rbac/agent-may-create", "tenant-isolation/runtime-owner"];

/// A third of the holes; all of them with `GOVCTL_PLANS=all`, which takes minutes.
#[tokio::test]
async fn holes_are_planned_shut() {
    let left = |file: &str| if file.contains("owner") { OWNED } else { &[] };
    let all = std::env::var_os("GOVCTL_PLANS").is_some();
    let chosen = each("holes").into_iter().enumerate().filter(|(at, _)| all || at % 3 == 0);
    hold(chosen.map(|(_, file)| (2, vec![file.clone()], left(&file))).collect()).await;
}

#[tokio::test]
async fn a_shop_of_one_operator_climbs_to_the_top() {
    let shop = || vec!["stages/ladder/001_shop.sql".to_owned()];
    let left: &[&str] = &["rbac/roles-table-unused", "rbac/tenant-wide-agent"];
    hold([2, 5].into_iter().map(|stage| (stage, shop(), left)).collect()).await;
}
