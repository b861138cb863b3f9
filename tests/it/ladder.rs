//! What the structures of stages 3, 4 and 5 make: carried out as a weak owner, used by several logins, judged by every check.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use govctl::assess::{self, Assessment};
use govctl::check::{Library, Severity};
use govctl::config::Config;
use govctl::facts::{Facts, collect, derive};
use govctl::plan::structures;
use govctl::plan::{Change, Question};
use govctl::target::Session;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::process::{Command, Stdio};

/// Takes what superusers own and gives it to a role that may make roles and nothing else.
const WEAKEN: &str = r"
    do $$ declare r record; begin
      if not exists (select from pg_roles where rolname = 'deploy') then
        create role deploy login nosuperuser nobypassrls createrole;
      end if;
      execute format('grant create on database %I to deploy', current_database());
      for r in select nspname from pg_namespace n join pg_roles o on o.oid = nspowner and o.rolsuper
               where nspname not like 'pg\_%' and nspname <> 'information_schema' loop
        execute format('alter schema %I owner to deploy', r.nspname);
      end loop;
      for r in select c.oid::regclass as name, c.relkind from pg_class c join pg_namespace n on n.oid = relnamespace join pg_roles o on o.oid = relowner and o.rolsuper
               where nspname not like 'pg\_%' and nspname <> 'information_schema' and relkind in ('r', 'p', 'v', 'm')
                 and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e') loop
        execute format('alter %s %s owner to deploy', case r.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end, r.name);
      end loop;
      for r in select p.oid::regprocedure as name, p.prokind from pg_proc p join pg_namespace n on n.oid = pronamespace join pg_roles o on o.oid = proowner and o.rolsuper
               where nspname not like 'pg\_%' and nspname <> 'information_schema' and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e') loop
        execute format('alter %s %s owner to deploy', case r.prokind when 'p' then 'procedure' else 'function' end, r.name);
      end loop;
    end $$";

async fn facts(database: &crate::support::Database) -> Facts {
    let mut session = Session::open(database.options().clone()).await.unwrap();
    let mut facts = Facts::empty().await.unwrap();
    collect::collect(session.connection(), &mut facts).await.unwrap();
    session.close().await;
    derive::derive(&mut facts, &Config::default()).await.unwrap();
    facts
}

async fn assess(database: &crate::support::Database) -> Assessment {
    let mut facts = facts(database).await;
    assess::run(&mut facts, &Library::embedded().unwrap(), &Config::default()).await.unwrap()
}

/// What is missing for a stage, in the order in which it is carried out.
async fn planned(database: &crate::support::Database, stage: u8) -> (Vec<Change>, Vec<Question>) {
    let mut facts = facts(database).await;
    let config = Config::default();
    let (mut changes, questions) = match stage {
        3 => structures::stage3(&mut facts, &config).await.unwrap(),
        5 => structures::stage5(&mut facts, &config).await.unwrap(),
        _ => structures::stage4(&mut facts, &config).await.unwrap(),
    };
    changes.sort_by_key(|change| change.phase);
    (changes, questions)
}

/// Plans and carries out, twice, and finds nothing more to plan. `GOVCTL_LADDER_DUMP` names a folder for the SQL.
async fn climb(database: &crate::support::Database, stage: u8, name: &str) {
    let (changes, _) = planned(database, stage).await;
    if let Some(folder) = std::env::var_os("GOVCTL_LADDER_DUMP") {
        let all = || changes.iter().flat_map(|change| &change.statements);
        let up: String = all().map(|it| format!("{};\n", it.up)).collect();
        let down: String = all().rev().filter_map(|it| it.down.as_ref()).map(|down| format!("{down};\n")).collect();
        let file = |ending: &str| std::path::Path::new(&folder).join(format!("{name}_{stage}{ending}.sql"));
        std::fs::write(file(""), up).unwrap();
        std::fs::write(file(".down"), down).unwrap();
    }
    apply(database, &changes, "deploy").await;
    apply(database, &changes, "deploy").await;
    let (again, _) = planned(database, stage).await;
    assert!(again.is_empty(), "{name} {stage}: {again:#?}");
}

/// Runs the changes as the weak owner, each in a transaction; the text for what it says when it fails.
async fn apply(database: &crate::support::Database, changes: &[Change], role: &str) {
    let mut connection = database.connect().await;
    for change in changes {
        connection.execute(AssertSqlSafe(format!("begin; set local session authorization {role}"))).await.unwrap();
        for statement in &change.statements {
            if let Err(error) = connection.execute(AssertSqlSafe(statement.up.clone())).await {
                panic!("{}: {error}\nin: {}", change.name, statement.up);
            }
        }
        connection.execute("commit").await.unwrap();
    }
    connection.close().await.unwrap();
}

/// What a check says about what the plan made.
fn about(assessment: &Assessment, stage: u8, names: &[&str]) -> Vec<String> {
    let all = assessment.findings().into_iter().filter(|(check, finding)| {
        check.stage <= stage
            && finding.severity > Severity::Info
            && names.iter().any(|name| finding.message.contains(name))
    });
    all.map(|(check, finding)| format!("{:?} {} {}", finding.severity, check.id, finding.message)).collect()
}

/// Words by which findings name what the plan made.
const MADE: [&str; 11] = [
    "audit.",
    "audit_owner",
    "auditor_ro",
    "memberships",
    "outbox",
    "agent_tenants",
    "agent_scope",
    "member_",
    "agent_may",
    "approval",
    "reasoning",
];

/// Tenants with a key of a type, an agent, a web application, an auditor; isolated by a setting.
fn shop(key: &str, one: &str, two: &str) -> String {
    format!(
        "create role shop_agent login; create role shop_api login;
         create table public.tenants (id {key} primary key, name text not null);
         create table public.orders (tenant_id {key} not null references public.tenants, id bigint not null, status text, version bigint not null default 0, primary key (tenant_id, id));
         create table public.invoices (tenant_id {key} not null references public.tenants, id bigint not null, total numeric, version bigint not null default 0, primary key (tenant_id, id));
         alter table public.tenants enable row level security, force row level security;
         alter table public.orders enable row level security, force row level security;
         alter table public.invoices enable row level security, force row level security;
         create policy tenant on public.tenants using (id = nullif(current_setting('app.tenant_id', true), '')::{key});
         create policy tenant on public.orders using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::{key});
         create policy tenant on public.invoices using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::{key});
         grant select, insert, update (status, version) on public.orders to shop_agent, shop_api;
         grant select, insert on public.invoices to shop_api;
         revoke create on schema public from public;
         insert into public.tenants values ('{one}', 'one'), ('{two}', 'two');"
    )
}

/// As a login whose session it is, in one transaction; the message where it is refused.
async fn as_login(database: &crate::support::Database, login: &str, script: &str) -> Result<(), String> {
    let mut connection = database.connect().await;
    connection.execute(AssertSqlSafe(format!("set session authorization {login}"))).await.unwrap();
    let script = format!("begin; {script}; commit");
    let done = sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await;
    connection.close().await.unwrap();
    done.map(drop)
        .map_err(|error| error.as_database_error().map_or_else(|| error.to_string(), |e| e.message().to_owned()))
}

/// What `govctl verify-chain` says of a table.
async fn verify(database: &crate::support::Database, table: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
    command.env_clear().args(["verify-chain", &database.url(), "--format", "json", "--table", table]);
    command.stdin(Stdio::null()).current_dir(env!("CARGO_TARGET_TMPDIR"));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["chains"][0].clone()
}

async fn scalar(database: &crate::support::Database, sql: &str) -> String {
    let mut connection = database.connect().await;
    let value: Option<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    value.unwrap_or_default()
}

const UUID: (&str, &str, &str) =
    ("uuid", "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002");

#[tokio::test]
async fn a_fresh_log_is_chained_and_finds_no_fault() {
    if crate::support::is_embedded() {
        return;
    }
    for (key, one, two) in [UUID, ("bigint", "1", "2"), ("integer", "1", "2"), ("text", "o'ne", "two")] {
        let database = crate::support::cluster().await;
        database.run(&shop(key, &one.replace('\'', "''"), two)).await;
        database.run(WEAKEN).await;
        climb(&database, 3, key).await;
        climb(&database, 4, key).await;
        climb(&database, 5, key).await;
        let assessment = assess(&database).await;
        let said = about(&assessment, 5, &MADE);
        assert!(said.is_empty(), "{key}: {said:#?}");
        assert_eq!(assessment.stage.evidenced, Some(5), "{key}: {:#?}", assessment.stage);
        if key == "uuid" {
            use_the_log(&database, one, two).await;
        } else {
            write_events(&database, one, two).await;
            assert_eq!(verify(&database, "audit.event").await["verdict"], "intact", "{key}");
        }
    }
}

/// Events of two tenants by two logins; what may not be done is refused; edits show; erasing does not break the chain.
async fn use_the_log(database: &crate::support::Database, one: &str, two: &str) {
    write_events(database, one, two).await;
    let (one, two) = (one.replace('\'', "''"), two.replace('\'', "''"));
    let enter = |tenant: &str| format!("set local app.tenant_id = '{tenant}'");
    let count = "select string_agg(n || ' ' || actor_kind, ', ' order by actor_kind) from (select actor_kind, count(*) as n from audit.event group by 1) x";
    assert_eq!(scalar(database, count).await, "12 agent, 24 service");
    assert_eq!(scalar(database, "select count(*)::text from audit.event_inbox").await, "0");
    for (script, refusal) in [
        ("insert into audit.event_inbox (action, actor_kind) values ('x', 'human')", "permission denied"),
        ("insert into audit.event_inbox (action, occurred_at) values ('x', now())", "permission denied"),
        ("insert into audit.event (action) values ('x')", "permission denied"),
        ("select * from audit.event", "permission denied"),
        ("update audit.event set action = 'y'", "permission denied"),
        ("select audit._f('a')", "permission denied"),
        (&format!("insert into audit.event_inbox (tenant_id, action) values ('{two}', 'x')"), "row-level security"),
        (
            "insert into audit.event_inbox (action, idempotency_key) values ('x', 'same'), ('x', 'same')",
            "duplicate key",
        ),
    ] {
        let said = as_login(database, "shop_agent", &format!("{}; {script}", enter(&one))).await;
        assert!(said.as_ref().is_err_and(|said| said.contains(refusal)), "{script}: {said:?}");
    }
    let twice =
        format!("{}; insert into audit.event_inbox (action, idempotency_key) values ('x', 'once')", enter(&one));
    as_login(database, "shop_agent", &twice).await.unwrap();
    assert!(as_login(database, "shop_agent", &twice).await.unwrap_err().contains("this was done before"));
    let stranger = as_login(database, "deploy", "insert into audit.event_inbox (action) values ('x')").await;
    assert!(stranger.is_err_and(|said| said.contains("permission denied")));
    for command in [
        "update audit.event set action = 'y'",
        "delete from audit.event",
        "truncate audit.event",
        "delete from audit.event_payload",
        "update audit.event_payload set body = '{}'",
        "truncate audit.event_payload",
        "delete from audit.event_chain",
    ] {
        // Superusers, too, as long as they do not switch triggers off.
        for mode in ["origin", "replica"] {
            let mut connection = database.connect().await;
            connection.execute(AssertSqlSafe(format!("set session_replication_role = {mode}"))).await.unwrap();
            let said = connection.execute(AssertSqlSafe(command)).await.unwrap_err().to_string();
            assert!(said.contains("is refused"), "{command}: {said}");
        }
    }
    let chain = verify(database, "audit.event").await;
    assert_eq!(chain["verdict"], "intact", "{chain:#}");
    assert!(chain["recipe"].as_str().unwrap().contains("govctl.chain/1"), "{chain:#}");
    assert_eq!(
        (&chain["partitions"], &chain["rows"], &chain["uncovered"]),
        (&Value::from(2), &Value::from(37), &Value::from(Vec::<Value>::new())),
        "{chain:#}"
    );
    assert_eq!(scalar(database, "select count(*)::text from audit.payload_faults()").await, "0");
    // A payload is erased, and the log says so.
    database.run(&format!(
        "select audit.erase_payload('{one}', (select event_id from audit.event where tenant_id = '{one}' and payload_digest is not null limit 1), 'request 17')"
    )).await;
    assert_eq!(scalar(database, "select count(*)::text from audit.payload_faults()").await, "0");
    assert_eq!(
        scalar(database, "select actor_kind::text || object_type from audit.event where action = 'payload.erased'")
            .await,
        "systemevent"
    );
    assert_eq!(verify(database, "audit.event").await["verdict"], "intact");
    // With triggers switched off, which only an owner or a superuser can.
    let off = |sql: &str| {
        format!("alter table audit.event disable trigger user; alter table audit.event_payload disable trigger user; {sql};
        alter table audit.event enable always trigger no_change; alter table audit.event enable always trigger chain_event; alter table audit.event_payload enable always trigger no_change")
    };
    database.run(&off("delete from audit.event_payload where event_id = (select event_id from audit.event_payload limit 1); update audit.event_payload set body = '{}' where event_id = (select event_id from audit.event_payload limit 1)")).await;
    assert_eq!(
        scalar(database, "select string_agg(fault, ', ' order by fault) from audit.payload_faults()").await,
        "changed, missing"
    );
    database.run(&off("update audit.event set actor_kind = 'human' where seq = 3")).await;
    let chain = verify(database, "audit.event").await;
    assert_eq!(
        (&chain["verdict"], &chain["breaks"][0]["kind"]),
        (&Value::from("broken"), &Value::from("content")),
        "{chain:#}"
    );
}

/// 12 events by an agent, 24 by a service, for two tenants.
async fn write_events(database: &crate::support::Database, one: &str, two: &str) {
    let (one, two) = (one.replace('\'', "''"), two.replace('\'', "''"));
    let enter = |tenant: &str| format!("set local app.tenant_id = '{tenant}'");
    for n in 0..6 {
        for (login, tenant) in [("shop_agent", &one), ("shop_api", &two), ("shop_api", &one)] {
            let script = format!(
                "{}; insert into audit.event_inbox (action, object_type, object_id, on_behalf_of, payload)
                 values ('refund', 'order', '{n}', 'ada', '{{\"n\": {n}}}'), ('mail', 'order', '{n}', null, null)",
                enter(tenant)
            );
            as_login(database, login, &script).await.unwrap();
        }
    }
}
