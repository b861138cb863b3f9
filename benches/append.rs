//! How fast eight writers append to the audit table that `govctl plan-stage 4` makes, beside the same table without the chain. See
//! README.md.
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "a benchmark says what it measured")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use govctl::target::scratch::{Choice, Scratch};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const WRITERS: usize = 8;

/// What a transaction does beside its entry in the log.
const WORK: Duration = Duration::from_millis(5);

/// How often the tables take turns; the middle ratio is told.
const TURNS: usize = 5;

/// A product at stage 2, whose log is yet to be.
const PRODUCT: &str = "
    create role bench_owner createrole; create role bench_app login;
    do $$ begin execute format('grant create on database %I to bench_owner', current_database()); end $$;
    create schema app authorization bench_owner; grant usage on schema app to bench_app;
    set role bench_owner;
    create table app.tenants (id int primary key, name text not null);
    create table app.orders (id bigint primary key, tenant_id int not null references app.tenants, note text);
    alter table app.tenants enable row level security, force row level security;
    alter table app.orders enable row level security, force row level security;
    create policy own on app.tenants using (id = nullif(current_setting('app.tenant_id', true), '')::int);
    create policy own on app.orders using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
    grant select, insert, update, delete on app.tenants, app.orders to bench_app;
    reset role;
    insert into app.tenants select n, 'tenant ' || n from generate_series(1, 8) n;";

/// What an entry holds, without what chains it: under the same policy, with the same keys.
const UNCHAINED: &str = "
    create table audit.unchained (like audit.event including defaults including constraints including indexes);
    alter table audit.unchained drop column seq, drop column prev_hash, drop column row_hash, drop column hash_v;
    create sequence audit.unchained_seq;
    alter table audit.unchained add column seq bigint primary key default nextval('audit.unchained_seq');
    alter table audit.unchained enable row level security, force row level security;
    create policy own on audit.unchained using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
    grant insert on audit.unchained to bench_app; grant usage on sequence audit.unchained_seq to bench_app;";

const CHAINED: &str = "insert into audit.event_inbox (tenant_id, action, object_type, object_id) values ($1, 'order.paid', 'order', 'o-1')";
const PLAIN: &str = "insert into audit.unchained (tenant_id, actor_kind, actor, action, object_type, object_id)
    values ($1, 'service', 'bench_app', 'order.paid', 'order', 'o-1')";

fn main() {
    // `cargo test --benches` only asks whether it starts.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let seconds = env::var("GOVCTL_BENCH_SECONDS").map_or(5, |text| text.parse().unwrap());
    runtime().block_on(measure(Duration::from_secs(seconds)));
}

async fn measure(time: Duration) {
    let bindir: Option<PathBuf> = env::var_os("GOVCTL_TEST_BINDIR").map(Into::into);
    let scratch = Scratch::start(Choice::Local { bindir }).await.unwrap();
    let database = scratch.database().await.unwrap();
    let mut connection = database.options().connect().await.unwrap();
    run(&mut connection, PRODUCT).await;
    plan(&database.url());
    run(&mut connection, UNCHAINED).await;

    println!(
        "\n{WRITERS} writers, {} ms of work in each transaction, {} s a turn, median of {TURNS} turns, PostgreSQL {}",
        WORK.as_millis(),
        time.as_secs(),
        scratch.server_version()
    );
    let app = database.options().clone().username("bench_app");
    let each = |writer: usize| i32::try_from(writer).unwrap() + 1;
    let one = |_: usize| 1;
    let mut ratios = [Vec::new(), Vec::new()];
    let mut rates = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        let plain = append(PLAIN, each, time, &app);
        let chained = append(CHAINED, each, time, &app);
        let in_one = append(CHAINED, one, time, &app);
        for (rates, rate) in rates.iter_mut().zip([plain, chained, in_one]) {
            rates.push(rate);
        }
        ratios[0].push(chained / plain);
        ratios[1].push(in_one / plain);
    }
    let [plain, chained, in_one] = rates.map(median);
    let [per_tenant, one_chain] = ratios.map(median);
    let line = |name: &str, rate: f64, ratio: f64| println!("  {name:<44} {rate:>9.0} entries/s {ratio:>6.2} x");
    line("reference: the same table, not chained", plain, 1.0);
    line("a chain for each writer's tenant", chained, per_tenant);
    line("all writers in one chain", in_one, one_chain);
    let left: i64 =
        sqlx::query_scalar("select count(*) from audit.event_inbox").fetch_one(&mut connection).await.unwrap();
    assert_eq!(left, 0, "every entry was chained when its transaction committed");
    let mut verify = Command::new(env!("CARGO_BIN_EXE_govctl"));
    let checked = verify.args(["verify-chain", &database.url(), "--no-progress"]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    connection.close().await.unwrap();
    scratch.stop().await;
}

/// Plans stage 4 and carries it out with psql, as whoever owns the tables.
fn plan(url: &str) {
    let mut govctl = Command::new(env!("CARGO_BIN_EXE_govctl"));
    let planned = govctl.args(["plan-stage", "4", url, "--format", "json", "--no-progress", "--no-prove"]).output();
    let document: serde_json::Value = serde_json::from_slice(&planned.unwrap().stdout).unwrap();
    let step = |step: &serde_json::Value| {
        let up = step["up"].as_str().unwrap();
        if step["transaction"] == true { format!("begin;\n{up}commit;\n") } else { up.to_owned() }
    };
    let sql: String = document["steps"].as_array().unwrap().iter().map(step).collect();
    let mut psql = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--output", "/dev/null", "--dbname", url])
        .env("PGOPTIONS", "-c role=bench_owner -c client_min_messages=error")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    psql.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    assert!(psql.wait().unwrap().success());
}

/// Entries in a second. Each writer has a thread, as programs of their own would: the clock of a shared runtime would wake all
/// of them at the same millisecond.
fn append(insert: &'static str, tenant: impl Fn(usize) -> i32, time: Duration, options: &PgConnectOptions) -> f64 {
    let write = |writer: usize| {
        let (tenant, options) = (tenant(writer), options.clone());
        thread::spawn(move || runtime().block_on(written(insert, tenant, time, &options)))
    };
    let writers: Vec<_> = (0..WRITERS).map(write).collect();
    writers.into_iter().map(|writer| writer.join().unwrap()).sum()
}

/// What one writer appends in a second.
async fn written(insert: &'static str, tenant: i32, time: Duration, options: &PgConnectOptions) -> f64 {
    let mut connection = options.connect().await.unwrap();
    let (start, mut entries) = (Instant::now(), 0_u32);
    while start.elapsed() < time {
        let mut transaction = connection.begin().await.unwrap();
        let session = sqlx::query("select set_config('app.tenant_id', $1::int::text, true)").bind(tenant);
        session.execute(&mut *transaction).await.unwrap();
        sqlx::query(insert).bind(tenant).execute(&mut *transaction).await.unwrap();
        thread::sleep(WORK);
        transaction.commit().await.unwrap();
        entries += 1;
    }
    let rate = f64::from(entries) / start.elapsed().as_secs_f64();
    connection.close().await.unwrap();
    rate
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn run(connection: &mut PgConnection, sql: &str) {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}
