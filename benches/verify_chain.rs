//! How long `govctl verify-chain` takes, beside reading the same columns and beside verifying in the database. See README.md.
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "a benchmark says what it measured")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use govctl::target::scratch::{Choice, Scratch};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::env;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Recipe v1 over ten columns, a row as an audit table has it, without a trigger: rows are made as fast as they can be.
fn table(rows: usize) -> String {
    format!(
        r"create schema b;
        create type b.kind as enum ('human', 'agent');
        create function b.f(x bytea) returns bytea language sql immutable as
          $$ select case when x is null then '\xffffffff'::bytea else int4send(octet_length(x)) || x end $$;
        create table b.event (seq bigint primary key, at timestamptz not null, kind b.kind not null, actor text not null,
          tenant uuid not null, action text not null, object text, key text, payload bytea not null, hash_v int not null,
          prev_hash bytea not null, row_hash bytea not null);
        do $$ declare prev bytea := sha256('\x00'); h bytea; r record; begin
          for r in select s as seq, '2026-03-01'::timestamptz + s * interval '2.6 seconds' as at, 'agent'::b.kind as kind, 'agent-' || s % 50 as actor,
              md5(s::text)::uuid as tenant, 'ticket.reply' as action, 'ticket/' || s % 100000 as object,
              case when s % 10 > 0 then 'idem-' || md5(s::text) end as key, sha256(int8send(s)) as payload from generate_series(1::bigint, {rows}) s loop
            h := sha256('\x676f7663746c2f636861696e2f3100'::bytea || prev || b.f(int8send(r.seq)) || b.f(timestamptz_send(r.at))
              || b.f(convert_to(r.kind::text, 'UTF8')) || b.f(convert_to(r.actor, 'UTF8')) || b.f(uuid_send(r.tenant))
              || b.f(convert_to(r.action, 'UTF8')) || b.f(convert_to(r.object, 'UTF8')) || b.f(convert_to(r.key, 'UTF8'))
              || b.f(r.payload) || b.f(int4send(1)));
            insert into b.event values (r.seq, r.at, r.kind, r.actor, r.tenant, r.action, r.object, r.key, r.payload, 1, prev, h);
            prev := h;
          end loop; end $$;"
    )
}

const COPY: &str = "copy (select seq, at, kind, actor, tenant, action, object, key, payload, hash_v, prev_hash, row_hash \
                    from b.event order by seq) to stdout (format binary)";

const IN_DATABASE: &str = r"
    with c as (select prev_hash, row_hash, lag(row_hash) over (order by seq) p, sha256('\x676f7663746c2f636861696e2f3100'::bytea
      || prev_hash || b.f(int8send(seq)) || b.f(timestamptz_send(at)) || b.f(convert_to(kind::text, 'UTF8'))
      || b.f(convert_to(actor, 'UTF8')) || b.f(uuid_send(tenant)) || b.f(convert_to(action, 'UTF8'))
      || b.f(convert_to(object, 'UTF8')) || b.f(convert_to(key, 'UTF8')) || b.f(payload) || b.f(int4send(hash_v))) h from b.event)
    select count(*) filter (where row_hash <> h or p is not null and p <> prev_hash) from c";

/// Runs of each; the middle one is told.
const RUNS: usize = 5;

fn main() {
    // `cargo test --benches` only asks whether it starts.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let rows = env::var("GOVCTL_BENCH_ROWS").map_or(1_000_000, |rows| rows.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(rows));
}

async fn measure(rows: usize) {
    let bindir = env::var_os("GOVCTL_TEST_BINDIR").map(Into::into);
    let choice = match env::var("GOVCTL_TEST_URL") {
        Ok(url) => Choice::Given(url),
        Err(_) => Choice::Local { bindir },
    };
    let scratch = Scratch::start(choice).await.unwrap();
    let database = scratch.database().await.unwrap();
    let mut connection = database.options().connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(table(rows))).execute(&mut connection).await.unwrap();
    sqlx::raw_sql("vacuum (analyze, freeze) b.event").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let url = database.url();
    let psql = |sql: &str| run(Command::new("psql").args(["-X", "-q", "-d", &url, "-c", sql]), &[0]);
    let govctl = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
        command.args(["verify-chain", &url, "--table", "b.event"]);
        command
    };
    let verify = || run(&mut govctl(), &[0]);
    println!("{rows} rows, medians of {RUNS} in turns, in milliseconds");
    let mut times: [Vec<Duration>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..RUNS {
        times[0].push(psql(COPY));
        times[1].push(psql(IN_DATABASE));
        times[2].push(verify());
    }
    let medians = times.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1000.0
    });
    println!("{:<44}{:>8.0}", "psql: copy of the same columns", medians[0]);
    println!("{:<44}{:>8.0}", "psql: window and sha256() in the database", medians[1]);
    println!(
        "{:<44}{:>8.0}  {:.2} of copy, {:.2} of in the database",
        "govctl verify-chain",
        medians[2],
        medians[2] / medians[0],
        medians[2] / medians[1]
    );
    if let Some(peak) = peak(&mut govctl()) {
        println!("{:<44}{peak:>8.0}", "its memory at most, in MiB");
    }
}

/// The most memory a process ever held, in MiB, where the system says it.
fn peak(command: &mut Command) -> Option<f64> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = None;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).or(most);
        std::thread::sleep(Duration::from_millis(10));
    }
    most.map(|kilobytes: f64| kilobytes / 1024.0)
}

fn run(command: &mut Command, codes: &[i32]) -> Duration {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.code().is_some_and(|code| codes.contains(&code)), "{status}");
    start.elapsed()
}
