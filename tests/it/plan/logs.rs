//! Logs that are there in shapes of their own: partitioned, without a tenant; and what agents retrieve.

use super::{carried_out, collected, faults, made, read};
use crate::support::{self, Database};
use govctl::config::{self, Config};
use serde_json::Value;
use std::process::{Command, Stdio};

const ONE: &str = "00000000-0000-4000-8000-000000000001";

/// Chunks that an agent searches; a log in partitions whose columns stand in another order, and one in a table, both without a tenant.
const LIBRARY: &str = r#"
    create role deploy login {rights}; create role support_agent login; create role shop_api login; create role auditor login;
    create schema app authorization deploy; revoke create on schema public from public;
    do $$ begin execute format('grant create on database %I to deploy', current_database()); end $$;
    set role deploy;
    grant usage on schema app to support_agent, shop_api, auditor;
    create type app.vector as (x real);
    create table app.tenants (id uuid primary key, name text);
    create table app.chunks (tenant_id uuid not null references app.tenants, id bigint not null, content text, embedding app.vector, primary key (tenant_id, id));
    alter table app.tenants enable row level security, force row level security;
    alter table app.chunks enable row level security, force row level security;
    create policy t on app.tenants using (id = nullif(current_setting('app.tenant_id', true), '')::uuid);
    create policy t on app.chunks using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
    create type app.who as enum ('user', 'agent');
    create table app."Audit Log" (id bigint generated always as identity, at timestamptz not null default now(), actor_kind app.who not null,
      actor text not null, action text not null, object text, payload jsonb, policy_version text, primary key (id, at)) partition by range (at);
    create table app.log_old (payload jsonb, policy_version text, object text, action text not null, actor text not null, actor_kind app.who not null, at timestamptz not null default now(), id bigint not null);
    alter table app."Audit Log" attach partition app.log_old for values from ('2020-01-01') to ('2025-01-01');
    create table app.log_rest partition of app."Audit Log" default;
    grant select on app.chunks to support_agent, shop_api; grant insert on app.chunks to shop_api;
    grant insert on app."Audit Log" to shop_api, support_agent;
    grant select on app."Audit Log" to auditor;
    reset role;
    insert into app.tenants values ('00000000-0000-4000-8000-000000000001', 'one'), ('00000000-0000-4000-8000-000000000002', 'two');
    insert into app."Audit Log" (at, actor_kind, actor, action, payload) select '2024-12-31'::timestamptz + n * interval '1 hour', 'user', 'ada', 'a' || n, '{}' from generate_series(1, 48) n;
"#;

/// What `govctl verify-chain` says of a table.
async fn verify(database: &Database, table: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
    command.env_clear().args(["verify-chain", &database.url(), "--format", "json", "--table", table]);
    command.stdin(Stdio::null()).current_dir(env!("CARGO_TARGET_TMPDIR"));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["chains"][0].clone()
}

#[tokio::test]
async fn a_partitioned_log_without_a_tenant_is_mended_where_it_is() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(&LIBRARY.replace("{rights}", "createrole")).await;
    let config = config::parse("govctl.yaml", "plan: {platform_tenant: 00000000-0000-4000-8000-00000000000f}").unwrap();
    let plan = made(4, &mut collected(&database, &config).await, &config).await;
    // Whoever makes the partitions owns them.
    assert_eq!(faults(&plan, &["rbac/tenant-wide-agent", "audit/owner-reachable"]), [""; 0]);
    let question = plan.questions.iter().find(|it| it.id == "log-tenant").unwrap();
    assert!(question.answered && question.default.contains("00000000000f"), "{question:?}");
    carried_out(&database, &plan, "deploy").await;

    // Every row was written once more: what the server counts as living is counted anew, for whoever compares the two.
    let counted = "select string_agg(c.reltuples::text, ' ' order by c.oid) from pg_class c join pg_inherits i on i.inhrelid = c.oid
                   where i.inhparent = 'app.\"Audit Log\"'::regclass";
    let rows = read(&database, "postgres", "", counted).await.unwrap().unwrap();
    assert!(rows.split(' ').all(|rows| rows != "-1"), "{rows}");

    let one = format!("set local app.tenant_id = '{ONE}'");
    for (login, before, at) in [
        ("shop_api", one.as_str(), "now()"),
        ("support_agent", &one, "now()"),
        // Into the partition whose columns stand in another order; and what the product does for itself.
        ("shop_api", &one, "'2024-03-01'"),
        ("shop_api", "set local app.tenant_id = '00000000-0000-4000-8000-00000000000f'", "'2024-03-01'"),
    ] {
        let insert = format!(
            "with said as (insert into app.\"Audit Log\" (at, actor_kind, actor, action, payload) values ({at}, 'user', 'bob', 'did', '{{}}')) select 'x'"
        );
        // A CTE that reads nothing runs for its effect.
        read(&database, login, before, &insert).await.unwrap();
    }
    let nobody = "with said as (insert into app.\"Audit Log\" (actor_kind, actor, action) values ('user', 'bob', 'did')) select 'x'";
    assert!(read(&database, "shop_api", "", nobody).await.unwrap_err().contains("row-level security"));
    let said = "select string_agg(right(tenant_id::text, 2) || ' ' || actor_kind || ' ' || n, ', ' order by tenant_id, actor_kind)
                from (select tenant_id, actor_kind, count(*) as n from app.\"Audit Log\" group by 1, 2) x";
    assert_eq!(
        read(&database, "postgres", "", said).await.unwrap().as_deref(),
        Some("01 user 2, 01 agent 1, 0f user 49")
    );
    let chain = verify(&database, "app.Audit Log").await;
    assert_eq!((&chain["verdict"], &chain["rows"]), (&Value::from("intact"), &Value::from(52)), "{chain:#}");
    // What is redacted later is no part of the hash; every row has one, those that were there too.
    assert_eq!(
        (&chain["uncovered"], &chain["notes"]),
        (&Value::from(vec!["redacted_at"]), &Value::from(Vec::<Value>::new())),
        "{chain:#}"
    );
    // An auditor sees all of it, an application what it may.
    assert_eq!(
        read(&database, "auditor", "", "select count(*)::text from app.\"Audit Log\"").await.unwrap().as_deref(),
        Some("52")
    );
    database
        .run("alter table app.log_old disable trigger user; update app.log_old set action = 'else' where chain_seq = 3")
        .await;
    assert_eq!(verify(&database, "app.Audit Log").await["verdict"], "broken");

    record_searches(&database, &one, true).await;
    let again = made(4, &mut collected(&database, &config).await, &config).await;
    assert_eq!(again.steps.len(), 0, "{:#?}", again.steps);
}

/// A log whose own chain covers the payload, as products write one.
const OWN_CHAIN: &str = "
    create role deploy login; create role app login; create role ops_bot login; create role keeper login;
    do $$ begin execute format('grant create on database %I to deploy', current_database()); end $$;
    grant usage, create on schema public to deploy; grant usage on schema public to app, ops_bot, keeper;
    set role deploy;
    create table accounts (account_no int primary key, title text);
    create table nodes (id int primary key, account_no int not null references accounts, kind text);
    create table trail (seq bigint generated always as identity primary key, account_no int references accounts, at timestamptz not null default clock_timestamp(), who text not null default current_user, actor_kind text not null default 'human' check (actor_kind in ('human', 'agent')), what text not null, detail jsonb not null default '{}', prev_hash bytea, row_hash bytea);
    create function seal() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$ declare p bytea; begin
      perform pg_advisory_xact_lock(42); select row_hash into p from trail order by seq desc limit 1; new.prev_hash := coalesce(p, sha256('genesis'));
      new.row_hash := sha256(new.prev_hash || convert_to(new.seq::text || coalesce(new.account_no::text, '') || new.who || new.what || new.detail::text, 'UTF8')); return new; end $$;
    create trigger seal before insert on trail for each row execute function seal();
    grant select, insert, update, delete on accounts, nodes to app; grant select, insert on trail to app; grant insert on trail to ops_bot; grant select on trail to keeper;
    insert into accounts values (1, 'a'), (2, 'b'); insert into nodes values (1, 1, 'x'), (2, 2, 'y');
    insert into trail (account_no, what) values (1, 'did'), (2, 'did');
    reset role;
";

#[tokio::test]
async fn a_log_sealed_by_its_own_chain_keeps_its_payload() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(OWN_CHAIN).await;
    let config = config::Config::default();
    let plan = made(4, &mut collected(&database, &config).await, &config).await;
    let proof = plan.proof.as_ref().unwrap();
    assert_eq!((proof.stage, &proof.failed), (Some(4), &Vec::new()));
    // Neither the first look nor those at the copy say that a payload may be emptied: its hash would break.
    assert!(plan.steps.iter().all(|step| !step.up_sql().contains("redacted_at")), "{plan:#?}");
    let left = plan.open.iter().find(|it| it.check == "audit/no-redaction-path");
    assert!(left.is_some_and(|it| it.why.starts_with("Its chain hashes the payload itself")), "{:?}", plan.open);
    // The table of the tenants holds no persons, though it is called accounts.
    let users = plan.questions.iter().find(|it| it.id == "user-table").unwrap();
    assert!(users.default.starts_with("none was found"), "{users:?}");
    assert!(!proof.remaining.iter().any(|it| it.check == "tenants"), "{:?}", proof.remaining);
    carried_out(&database, &plan, "deploy").await;
    assert_eq!(verify(&database, "public.trail").await["verdict"], "intact");
}

/// What an agent searched is written down once, as it was, and a question can be forgotten.
async fn record_searches(database: &Database, enter: &str, with_owner: bool) {
    let search = |columns: &str, values: &str| {
        format!(
            "with said as (insert into audit.retrieval (source, {columns}) values ('app.chunks', {values})) select 'x'"
        )
    };
    let good = search(
        "user_id, query, retrieved_ids, authorized_ids, denied",
        "'ada', 'my salary', '{1,2}', '{1}', '[{\"id\": 2, \"why\": \"department\"}]'",
    );
    read(database, "support_agent", enter, &good).await.unwrap();
    for (columns, values, refusal) in [
        ("retrieved_ids, authorized_ids", "'{1}', '{1,2}'", "violates check"),
        ("retrieved_ids, authorized_ids", "'{1,2}', '{1}'", "violates check"),
        ("retrieved_ids, authorized_ids, actor", "'{1}', '{1}', 'somebody'", "permission denied"),
        (
            "retrieved_ids, authorized_ids, tenant_id",
            "'{1}', '{1}', '00000000-0000-4000-8000-000000000002'",
            "row-level security",
        ),
    ] {
        let said = read(database, "support_agent", enter, &search(columns, values)).await;
        assert!(said.as_ref().is_err_and(|said| said.contains(refusal)), "{values}: {said:?}");
    }
    assert!(read(database, "support_agent", enter, "select id::text from audit.retrieval").await.is_err());
    let kept = "select actor || ' ' || actor_kind || ' ' || coalesce(query, 'no words') || ' ' || length(query_digest) from audit.retrieval";
    assert_eq!(read(database, "auditor", "", kept).await.unwrap().as_deref(), Some("support_agent agent no words 32"));
    for change in
        ["update audit.retrieval set user_id = 'bob' returning 'x'", "delete from audit.retrieval returning 'x'"]
    {
        assert!(read(database, "postgres", "", change).await.unwrap_err().contains("refused"), "{change}");
    }
    if !with_owner {
        return;
    }
    let redact = format!("select audit.redact_retrieval('{ONE}', (select id from audit.retrieval))::text");
    assert_eq!(read(database, "postgres", "", &redact).await.unwrap().as_deref(), Some("true"));
}

#[tokio::test]
async fn without_the_right_to_make_roles_the_deployer_keeps_the_record() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    // No log yet, and chunks that say by their name alone what they are.
    let script = LIBRARY.replace("{rights}", "").replace("embedding app.vector, ", "");
    let (head, tail) = script.split_once("create type app.who").unwrap();
    let tail = tail.split_once("grant select on app.chunks").unwrap().1.replace("\"Audit Log\"", "chunks");
    let tail = tail
        .split("insert into app.chunks (at")
        .next()
        .unwrap()
        .replace("grant insert on app.chunks to shop_api, support_agent;", "");
    database.run(&format!("{head} grant select on app.chunks {tail}")).await;
    let plan = made(4, &mut collected(&database, &Config::default()).await, &Config::default()).await;
    assert_eq!(faults(&plan, &["rbac/tenant-wide-agent", "audit/owner-reachable"]), [""; 0]);
    carried_out(&database, &plan, "deploy").await;
    record_searches(&database, &format!("set local app.tenant_id = '{ONE}'"), false).await;
}
