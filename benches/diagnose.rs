//! How long `govctl diagnose` takes, beside what the server and the wire take by themselves. See README.md.
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "a benchmark says what it measured")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use govctl::assess;
use govctl::check::Library;
use govctl::config::Config;
use govctl::facts::{Facts, collect, derive};
use govctl::target::Session;
use govctl::target::scratch::{Choice, Scratch};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::env;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A database as an application of this many tables leaves it: on every table a tenant key, a policy, two indexes and
/// grants to five roles; a tenth as many views and functions.
fn schema(tables: usize) -> String {
    format!(
        "create role bench_owner; create role bench_app login; create role bench_agent login; create role bench_reader;
         create role bench_writer; create role bench_report login;
         grant bench_reader to bench_agent, bench_report; grant bench_writer to bench_app;
         create schema app authorization bench_owner;
         grant usage on schema app to bench_reader, bench_writer, bench_report;
         create table app.tenants (id uuid primary key, name text not null);
         do $$ begin
           for n in 1..{tables} loop
             execute format('create table app.t%1$s (id bigint primary key, tenant_id uuid not null, status text, amount numeric, note text)', n);
             execute format('create index on app.t%s (tenant_id)', n);
             execute format('alter table app.t%s owner to bench_owner', n);
             execute format('alter table app.t%s enable row level security', n);
             execute format('alter table app.t%s force row level security', n);
             execute format('create policy tenant on app.t%s using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)', n);
             execute format('grant select on app.t%s to bench_reader, bench_report', n);
             execute format('grant select, insert, update, delete on app.t%s to bench_writer', n);
             if n % 10 = 0 then
               execute format('create view app.v%1$s as select id, tenant_id, status from app.t%1$s', n);
               execute format('grant select on app.v%s to bench_reader', n);
               execute format('create function app.f%s(t uuid) returns bigint language sql stable as ''select count(*) from app.t%s where tenant_id = t''', n, n);
             end if;
           end loop;
         end $$;"
    )
}

const DROP_ROLES: &str = "drop role bench_app, bench_agent, bench_report, bench_reader, bench_writer, bench_owner";

/// Runs of each; the middle one is told.
const RUNS: usize = 7;

fn main() {
    // `cargo test --benches` only asks whether it starts.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let sizes: Vec<usize> = env::var("GOVCTL_BENCH_TABLES")
        .unwrap_or_else(|_| "1000,5000".into())
        .split(',')
        .map(|n| n.parse().unwrap())
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for tables in sizes {
        runtime.block_on(measure(tables));
    }
}

async fn measure(tables: usize) {
    let bindir = env::var_os("GOVCTL_TEST_BINDIR").map(Into::into);
    let choice = match env::var("GOVCTL_TEST_URL") {
        Ok(url) => Choice::Given(url),
        Err(_) => Choice::Local { bindir },
    };
    let scratch = Scratch::start(choice).await.unwrap();
    let database = scratch.database().await.unwrap();
    build(database.options(), tables).await;
    println!("\n{tables} tables, PostgreSQL {}, median of {RUNS}", scratch.server_version());

    let url = database.url();
    let connect = wall(|| async { query(database.options(), "select 1").await }).await;
    let count = "select count(*) from pg_class c join pg_attribute a on a.attrelid = c.oid";
    let counted = wall(|| async { query(database.options(), count).await }).await;
    let help = wall(|| async { govctl(&["--version"]) }).await;
    let whole = wall(|| async { govctl(&["diagnose", &url]) }).await;
    let reference = connect.as_secs_f64();
    let line = |name: &str, time: Duration| {
        println!("  {name:<44} {:>9.1} ms {:>8.1} x", time.as_secs_f64() * 1e3, time.as_secs_f64() / reference);
    };
    line("reference: connect, select 1", connect);
    line("count pg_class join pg_attribute", counted);
    line("govctl --version", help);
    line("govctl diagnose", whole);
    let mut parts: [Vec<Duration>; 4] = Default::default();
    for _ in 0..RUNS {
        for (times, time) in parts.iter_mut().zip(parts_of_one(database.options()).await) {
            times.push(time);
        }
    }
    for (name, times) in ["connect", "collect", "derive", "check"].into_iter().zip(parts) {
        line(&format!("  of which {name}"), median(times));
    }
    let mut connection = scratch.options().connect().await.unwrap();
    let name = database.options().get_database().unwrap().to_owned();
    let drop = format!("drop database {name} with (force)");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(DROP_ROLES).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    scratch.stop().await;
}

async fn build(options: &PgConnectOptions, tables: usize) {
    let mut connection = options.connect().await.unwrap();
    // The schema in one transaction would need a lock for each of its objects.
    let sql = schema(tables).replace("end loop", "if n % 100 = 0 then commit; end if; end loop");
    for statement in sql.split_inclusive("tenants (id uuid primary key, name text not null);") {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql("vacuum analyze").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn query(options: &PgConnectOptions, sql: &'static str) {
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(sql).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn govctl(arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
    let status = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    // Clean, findings or undecided: anything else means that nothing was measured.
    assert!(matches!(status.code(), Some(0 | 1 | 4)), "{status}");
}

async fn wall<F: Future<Output = ()>>(mut run: impl FnMut() -> F) -> Duration {
    run().await;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        run().await;
        times.push(start.elapsed());
    }
    median(times)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Connecting, collecting, deriving, checking: in this process.
async fn parts_of_one(options: &PgConnectOptions) -> [Duration; 4] {
    let library = Library::embedded().unwrap();
    let config = Config::default();
    let mut last = Instant::now();
    let mut lap = || {
        let took = last.elapsed();
        last = Instant::now();
        took
    };
    let mut session = Session::open(options.clone()).await.unwrap();
    let connect = lap();
    let mut facts = Facts::empty().await.unwrap();
    collect::collect(session.connection(), &mut facts).await.unwrap();
    let collected = lap();
    session.close().await;
    lap();
    derive::derive(&mut facts, &config).await.unwrap();
    let derived = lap();
    assess::run(&mut facts, &library, &config).await.unwrap();
    [connect, collected, derived, lap()]
}
