//! How long `govctl plan-stage` takes, beside `pg_dump --schema-only` of the same database. See README.md.
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "a benchmark says what it measured")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use govctl::target::scratch::{Choice, Scratch};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A tenth of the tables say their tenant; nine hang on each of them and say nothing.
fn schema(tables: usize) -> String {
    format!(
        "create role bench_owner; create role bench_app login;
         create schema app authorization bench_owner; grant usage on schema app to bench_app;
         set role bench_owner;
         create table app.tenants (id uuid primary key, name text not null);
         do $$ declare above int; begin
           for n in 1..{tables} loop
             if n % 10 = 1 then
               above := n;
               execute format('create table app.t%s (id bigint primary key, tenant_id uuid not null references app.tenants, note text)', n);
             else
               execute format('create table app.t%s (id bigint primary key, above bigint not null references app.t%s, note text)', n, above);
             end if;
             execute format('grant select, insert, update, delete on app.t%s to bench_app', n);
             if n % 100 = 0 then commit; set role bench_owner; end if;
           end loop;
         end $$;"
    )
}

/// Runs of what is quick; the middle one is told.
const RUNS: usize = 3;

fn main() {
    // `cargo test --benches` only asks whether it starts.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let sizes = env::var("GOVCTL_BENCH_TABLES").unwrap_or_else(|_| "200,1000".into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for tables in sizes.split(',') {
        runtime.block_on(measure(tables.parse().unwrap()));
    }
}

async fn measure(tables: usize) {
    let bindir: Option<PathBuf> = env::var_os("GOVCTL_TEST_BINDIR").map(Into::into);
    let pg_dump = bindir.as_ref().map_or_else(|| "pg_dump".into(), |folder| folder.join("pg_dump"));
    let scratch = Scratch::start(Choice::Local { bindir }).await.unwrap();
    let database = scratch.database().await.unwrap();
    let mut connection = database.options().connect().await.unwrap();
    let sql = schema(tables);
    // What commits on its way stands alone.
    let (before, block) = sql.split_at(sql.find("do $$").unwrap());
    for part in [before, block] {
        sqlx::raw_sql(AssertSqlSafe(part.to_owned())).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    println!("\n{tables} tables, PostgreSQL {}, median of {RUNS}", scratch.server_version());

    let url = database.url();
    let reference = median(RUNS, || run(Command::new(&pg_dump).args(["--schema-only", "--dbname", &url])));
    let line = |name: &str, time: Duration| {
        println!(
            "  {name:<44} {:>9.1} ms {:>8.1} x",
            time.as_secs_f64() * 1e3,
            time.as_secs_f64() / reference.as_secs_f64()
        );
    };
    line("reference: pg_dump --schema-only", reference);
    let plan = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
        run(command.args(["plan-stage", "2", &url, "--format", "json", "--no-progress"]).args(more));
    };
    line("govctl plan-stage 2 --no-prove", median(RUNS, || plan(&["--no-prove"])));
    line("govctl plan-stage 2, proved", median(1, || plan(&["--prove"])));
    scratch.stop().await;
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{status}");
}

fn median(runs: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}
