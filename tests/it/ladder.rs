//! What the structures of stages 3, 4 and 5 make: carried out as a weak owner, used by several logins, judged by every check.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use govctl::assess::{self, Assessment};
use govctl::check::{Library, Severity};
use govctl::config::Config;
use govctl::facts::{Facts, collect, derive};
use govctl::plan::structures;
use govctl::plan::{Change, Phase, Question};
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
        // Rows are filled in outside of a transaction, as the plan's steps say.
        let alone = change.phase == Phase::Backfill;
        let begin = if alone { "" } else { "begin;" };
        connection.execute(AssertSqlSafe(format!("{begin} set session authorization {role}"))).await.unwrap();
        for statement in &change.statements {
            if let Err(error) = connection.execute(AssertSqlSafe(statement.up.clone())).await {
                panic!("{}: {error}\nin: {}", change.name, statement.up);
            }
        }
        connection.execute(if alone { "select 1" } else { "commit" }).await.unwrap();
        connection.execute("reset session authorization").await.unwrap();
    }
    connection.close().await.unwrap();
}

/// What a check says about what the plan made.
fn about(assessment: &Assessment, stage: u8, names: &[&str]) -> Vec<String> {
    let all = assessment.findings().into_iter().filter(|(check, finding)| {
        check.stage <= stage
            && finding.severity > Severity::Info
            // A setting is no object.
            && names.iter().any(|name| finding.message.replace("audit.tenant", "").contains(name))
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
        ("select audit._frames(array['a'::bytea])", "permission denied"),
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

/// Planned and carried out up to stage 5; what is said about what was made.
async fn to_the_top(database: &crate::support::Database, name: &str) -> (Assessment, Vec<String>) {
    for stage in [3, 4, 5] {
        climb(database, stage, name).await;
    }
    let assessment = assess(database).await;
    let said = about(&assessment, 5, &MADE);
    (assessment, said)
}

#[tokio::test]
async fn without_the_right_to_make_roles_the_deployer_owns_the_log() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::cluster().await;
    database.run(&shop(UUID.0, UUID.1, UUID.2)).await;
    database.run(&WEAKEN.replace("createrole", "nocreaterole")).await;
    let (assessment, said) = to_the_top(&database, "weak").await;
    assert_eq!(assessment.stage.evidenced, Some(5), "{:#?}", assessment.stage);
    assert!(said.iter().all(|said| said.contains("audit/owner-reachable")), "{said:#?}");
    write_events(&database, UUID.1, UUID.2).await;
    assert_eq!(verify(&database, "audit.event").await["verdict"], "intact");
}

#[tokio::test]
async fn one_chain_where_there_are_no_tenants() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::cluster().await;
    database
        .run(
            "create role shop_agent login; create role shop_api login; revoke create on schema public from public;
             create table public.parts (id bigint primary key, name text not null, version bigint not null default 0);
             grant select, insert, update on public.parts to shop_agent, shop_api;",
        )
        .await;
    database.run(WEAKEN).await;
    let (assessment, said) = to_the_top(&database, "single").await;
    assert!(said.is_empty(), "{said:#?}");
    let met = |stage| assessment.stage.criteria.iter().filter(|it| it.stage == stage).all(|it| it.holds == Some(true));
    assert!(met(4) && met(5), "{:#?}", assessment.stage.criteria);
    for n in 0..30 {
        let login = if n % 2 == 0 { "shop_agent" } else { "shop_api" };
        as_login(&database, login, &format!("insert into audit.event_inbox (action, payload) values ('x', '{n}')"))
            .await
            .unwrap();
    }
    let chain = verify(&database, "audit.event").await;
    assert_eq!((&chain["verdict"], &chain["rows"]), (&Value::from("intact"), &Value::from(30)), "{chain:#}");
    database.run("select audit.erase_payload(event_id, 'because') from audit.event limit 1").await;
    assert_eq!(verify(&database, "audit.event").await["verdict"], "intact");
    assert_eq!(scalar(&database, "select count(*)::text from audit.payload_faults()").await, "0");
}

/// Names that have to be quoted, and a predicate that asks a table of members.
const ODD: &str = r#"
    create role "Shop's ""Agent""" login; create role web login;
    create schema auth; create schema "Odd Shop"; grant usage on schema auth, "Odd Shop" to "Shop's ""Agent""", web;
    create function auth.uid() returns uuid language sql stable as $$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
    create table "Odd Shop".organizations (id uuid primary key, name text);
    create table "Odd Shop".members ("organization ID" uuid not null references "Odd Shop".organizations, user_id uuid not null, role text not null check (role in ('a', 'b')), reviewed_at timestamptz, primary key ("organization ID", user_id));
    create function "Odd Shop"."my $govctl$ ones"() returns setof uuid language sql stable security definer set search_path = ''
      as $$ select "organization ID" from "Odd Shop".members where user_id = auth.uid() $$;
    create table "Odd Shop"."Orders; --" (id uuid primary key, "organization ID" uuid not null references "Odd Shop".organizations, name text, version bigint);
    create table "Odd Shop".tasks (id uuid primary key, "organization ID" uuid not null references "Odd Shop".organizations, name text, version bigint);
    alter table "Odd Shop".organizations enable row level security, force row level security;
    alter table "Odd Shop".members enable row level security, force row level security;
    alter table "Odd Shop"."Orders; --" enable row level security, force row level security;
    alter table "Odd Shop".tasks enable row level security, force row level security;
    create policy mine on "Odd Shop".organizations for select using (id in (select "Odd Shop"."my $govctl$ ones"()));
    create policy mine on "Odd Shop".members for select using (user_id = (select auth.uid()));
    create policy mine on "Odd Shop"."Orders; --" using ("organization ID" in (select "Odd Shop"."my $govctl$ ones"()));
    create policy mine on "Odd Shop".tasks using ("organization ID" in (select "Odd Shop"."my $govctl$ ones"()));
    grant select on "Odd Shop".organizations, "Odd Shop".members to "Shop's ""Agent""", web;
    grant select, insert, update (name), delete on "Odd Shop"."Orders; --", "Odd Shop".tasks to "Shop's ""Agent""", web;
    revoke create on schema public from public;
    insert into "Odd Shop".organizations values ('00000000-0000-4000-8000-000000000001', 'one');
    insert into "Odd Shop".members values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a', 'a', null);"#;

#[tokio::test]
async fn odd_names_and_policies_that_ask_a_table() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::cluster().await;
    database.run(ODD).await;
    database.run(WEAKEN).await;
    let (assessment, mut said) = to_the_top(&database, "odd").await;
    // The function that this database's policies ask is the deployer's, and so it stays.
    said.retain(|said| {
        !(said.contains("policy-function-replaceable") && said.ends_with("the policies of audit.event_inbox ask"))
    });
    assert!(said.is_empty(), "{said:#?}");
    assert_eq!(assessment.stage.evidenced, Some(5), "{:#?}", assessment.stage);
    let agent = r#""Shop's ""Agent""""#;
    let insert = r#"insert into audit.event_inbox ("organization ID", action, payload) values ('00000000-0000-4000-8000-000000000001', 'x', '{}')"#;
    let enter = "set local \"request.jwt.claim.sub\" = '00000000-0000-4000-8000-00000000000a'";
    for login in [agent, "web"] {
        for _ in 0..8 {
            as_login(&database, login, &format!("{enter}; {insert}")).await.unwrap();
        }
        assert!(as_login(&database, login, insert).await.unwrap_err().contains("row-level security"));
    }
    let chain = verify(&database, "audit.event").await;
    assert_eq!((&chain["verdict"], &chain["rows"]), (&Value::from("intact"), &Value::from(16)), "{chain:#}");
}

/// Findings of some checks about a table.
fn left(assessment: &Assessment, checks: &[&str], table: &str) -> Vec<String> {
    let all = assessment
        .findings()
        .into_iter()
        .filter(|(check, finding)| checks.contains(&check.id.0.as_str()) && finding.message.contains(table));
    all.map(|(check, finding)| format!("{} {}", check.id, finding.message)).collect()
}

/// What the upgrade of a log closes.
const UPGRADED: [&str; 6] = [
    "audit/log-without-chain",
    "audit/actor-chosen-by-caller",
    "audit/no-auditor",
    "audit/owner-reachable",
    "audit/guard-replaceable",
    "tenant-isolation/unique-across-tenants",
];

#[tokio::test]
async fn the_log_of_the_demo_is_chained_in_place() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::cluster().await;
    for part in [
        include_str!("../../fixtures/demo/1_schema.sql"),
        include_str!("../../fixtures/demo/2_policies.sql"),
        include_str!("../../fixtures/demo/3_holes.sql"),
        include_str!("../../fixtures/demo/4_data.sql"),
    ] {
        database.run(part).await;
    }
    database.run("do $$ begin execute format('grant create on database %I to northdesk_owner', current_database()); end $$; alter role migrator createrole").await;
    let rows = scalar(&database, "select count(*)::text from app.audit_log").await;
    let (changes, _) = planned(&database, 4).await;
    apply(&database, &changes, "migrator").await;
    apply(&database, &changes, "migrator").await;
    let assessment = assess(&database).await;
    let said = left(&assessment, &UPGRADED, "app.audit_log");
    assert!(said.is_empty(), "{said:#?}");
    assert!(
        about(&assessment, 4, &["audit.", "audit_owner"]).is_empty(),
        "{:#?}",
        about(&assessment, 4, &["audit.", "audit_owner"])
    );
    let a = "a0000000-0000-4000-8000-000000000001";
    for n in 0..20 {
        let login = ["support_agent", "app_api"][n % 2];
        let insert = format!(
            "set local app.tenant_id = '{a}'; insert into app.audit_log (tenant_id, actor_kind, actor, action, object) values ('{a}', 'user', 'ada', 'did', '{n}')"
        );
        as_login(&database, login, &insert).await.unwrap();
    }
    // Who writes while another does waits for nobody, and writes to a chain of its own.
    let one = |n: &str| {
        format!(
            "insert into app.audit_log (tenant_id, actor_kind, actor, action, object) values ('{a}', 'user', 'ada', 'met', '{n}')"
        )
    };
    let mut open = database.connect().await;
    let begun = format!(
        "set session authorization app_api; begin; set local app.tenant_id = '{a}'; {}; {}",
        one("1"),
        one("2")
    );
    sqlx::raw_sql(AssertSqlSafe(begun)).execute(&mut open).await.unwrap();
    let meanwhile = format!("set local app.tenant_id = '{a}'; set local lock_timeout = '2s'; {}", one("3"));
    as_login(&database, "app_api", &meanwhile).await.unwrap();
    sqlx::raw_sql("commit").execute(&mut open).await.unwrap();
    open.close().await.unwrap();
    let lanes =
        "select string_agg(object || ' ' || chain_lane, ', ' order by object) from app.audit_log where action = 'met'";
    assert_eq!(scalar(&database, lanes).await, format!("1 {a}/0, 2 {a}/0, 3 {a}/1"));
    let kinds = "select string_agg(n || ' ' || actor_kind || ' ' || actor, ', ' order by actor_kind) from (select actor_kind, actor, count(*) as n from app.audit_log where action = 'did' group by 1, 2) x";
    assert_eq!(scalar(&database, kinds).await, "10 agent support_agent, 10 user ada");
    let chain = verify(&database, "app.audit_log").await;
    assert_eq!(chain["verdict"], "intact", "{chain:#}");
    assert!(chain["recipe"].as_str().unwrap().contains("govctl.chain/1"), "{chain:#}");
    let all: u64 = rows.parse::<u64>().unwrap() + 23;
    assert_eq!(
        (&chain["rows"], &chain["uncovered"]),
        (&Value::from(all), &Value::from(Vec::<Value>::new())),
        "{chain:#}"
    );
    database
        .run("set session_replication_role = replica; update app.audit_log set action = 'else' where chain_seq = 2")
        .await;
    assert_eq!(verify(&database, "app.audit_log").await["verdict"], "broken");
    let (again, _) = planned(&database, 4).await;
    assert!(again.is_empty(), "{again:#?}");
}

#[tokio::test]
async fn a_log_without_tenants_is_chained_in_lanes() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::cluster().await;
    database
        .run(
            "create role shop_agent login; create role shop_api login; revoke create on schema public from public;
             create table public.parts (id bigint primary key, name text not null, version bigint not null default 0);
             create type public.who as enum ('user', 'ai_agent');
             create table public.\"Audit Log\" (id bigserial primary key, created_at timestamptz not null default now(), actor_type public.who not null, actor varchar(40), action text not null, payload jsonb, score real);
             grant select, insert, update on public.parts to shop_agent, shop_api;
             grant insert on public.\"Audit Log\" to shop_agent, shop_api; grant usage on sequence public.\"Audit Log_id_seq\" to shop_agent, shop_api;
             insert into public.\"Audit Log\" (actor_type, actor, action, payload) select 'user', 'ada', 'a' || n, jsonb_build_object('n', n) from generate_series(1, 2500) n;",
        )
        .await;
    database.run(WEAKEN).await;
    database.run("do $$ begin execute format('alter database %I owner to deploy', current_database()); end $$").await;
    let (changes, _) = planned(&database, 4).await;
    apply(&database, &changes, "deploy").await;
    apply(&database, &changes, "deploy").await;
    let assessment = assess(&database).await;
    let said = left(&assessment, &UPGRADED, "Audit Log");
    assert!(said.is_empty(), "{said:#?}");
    for n in 0..20 {
        let login = ["shop_agent", "shop_api"][n % 2];
        let insert = "insert into public.\"Audit Log\" (actor_type, actor, action, payload) values ('user', 'bob', 'did', '{\"x\": 1}')";
        as_login(&database, login, insert).await.unwrap();
    }
    let chain = verify(&database, "public.Audit Log").await;
    assert_eq!((&chain["verdict"], &chain["rows"]), (&Value::from("intact"), &Value::from(2520)), "{chain:#}");
    assert_eq!(chain["uncovered"], Value::from(vec!["score"]), "{chain:#}");
    database
        .run("set session_replication_role = replica; update public.\"Audit Log\" set payload = '{}' where id = 7")
        .await;
    let chain = verify(&database, "public.Audit Log").await;
    assert_eq!(
        (&chain["verdict"], &chain["breaks"][0]["kind"]),
        (&Value::from("broken"), &Value::from("payload")),
        "{chain:#}"
    );
}
