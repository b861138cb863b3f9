//! References in the place of secrets: what an agent reads afterwards, and who learns what one stands for.

use super::{carried_out, collected, faults, made, read};
use crate::support;
use govctl::config::{self, Config};
use govctl::plan::Plan;

const ONE: &str = "00000000-0000-4000-8000-000000000001";
const TWO: &str = "00000000-0000-4000-8000-000000000002";

/// A weak owner, an agent and an application that share a role, and policies by a setting. `{more}`: before rights are given.
const SHOP: &str = r#"
    create role deploy login createrole; create role support_agent login; create role shop_api login; create role payments login;
    create role tools nologin; grant tools to support_agent, shop_api;
    create schema app authorization deploy; revoke create on schema public from public;
    do $$ begin execute format('grant create on database %I to deploy', current_database()); end $$;
    set role deploy;
    grant usage on schema app to support_agent, shop_api, tools;
    create table app.tenants (id uuid primary key, name text, stripe_customer_id text);
    create table app.customers (tenant_id uuid not null references app.tenants, id bigint not null, name text, email text,
      stripe_customer_id text, "hubspotApiKey" text, version bigint not null default 0, primary key (tenant_id, id));
    create table app.integrations (tenant_id uuid not null references app.tenants, provider text, access_token text, password text);
    create table app."Payouts" (tenant_id uuid not null references app.tenants, at date not null, "paypalPayer" text, "payerRef" uuid)
      partition by range (at);
    create table app.payouts_1 partition of app."Payouts" default;
    do $$ declare t text; begin
      foreach t in array array['tenants', 'customers', 'integrations', 'Payouts', 'payouts_1'] loop
        execute format('alter table app.%I enable row level security, force row level security', t);
        execute format('create policy t on app.%I using (%I = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
          t, case t when 'tenants' then 'id' else 'tenant_id' end);
      end loop;
    end $$;
    {more}
    grant select on app.tenants, app."Payouts" to public;
    grant select, insert on app.customers to tools;
    grant select (tenant_id, provider, access_token, password) on app.integrations to support_agent;
    grant select, insert on app.integrations to shop_api;
    reset role;
    insert into app.tenants values ('00000000-0000-4000-8000-000000000001', 'one', 'cus_1'), ('00000000-0000-4000-8000-000000000002', 'two', 'cus_2');
    insert into app.customers select id, 1, name, name, 'cus_' || name, 'key of ' || name from app.tenants;
    insert into app."Payouts" select id, '2026-01-01', 'payer of ' || name from app.tenants;
    insert into app.integrations select id, 'x', 'token of ' || name from app.tenants;
"#;

/// What is left that the plan was about.
fn left(plan: &Plan) -> Vec<String> {
    let known = ["secret-separation/raw-credentials", "rbac/tenant-wide-agent", "tenant-isolation/public-grant"];
    let mut faults = faults(plan, &known);
    let about = |id: &str| id.ends_with("provider-ids-in-reach") || id.ends_with("agent-reads-credentials");
    let open = plan.open.iter().filter(|it| about(&it.check));
    faults.extend(open.map(|it| format!("open: {} {}", it.check, it.object)));
    faults
}

fn answer<'p>(plan: &'p Plan, id: &str) -> &'p str {
    &plan.questions.iter().find(|it| it.id == id).unwrap_or_else(|| panic!("{id}: {:#?}", plan.questions)).default
}

#[tokio::test]
async fn an_agent_works_on_references_and_one_role_learns_what_they_stand_for() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(&SHOP.replace("{more}", "")).await;
    let plan = made(4, &mut collected(&database, &Config::default()).await, &Config::default()).await;
    assert_eq!(left(&plan), [""; 0]);
    assert_eq!(answer(&plan, "dereferencers"), "none yet: grant dereferencer to its login");
    let values = answer(&plan, "secret-values");
    // A password is recognised again, and stands for nothing.
    assert!(values.contains("app.customers.hubspotApiKey") && !values.contains("password"), "{values}");
    carried_out(&database, &plan, "deploy").await;
    database
        .run("grant dereferencer to payments; insert into audit.login_actor values ('payments', 'service', 'payments')")
        .await;

    let enter = |tenant: &str| format!("set local app.tenant_id = '{tenant}'");
    let one = enter(ONE);
    for what in [
        "stripe_customer_id from app.customers",
        "\"hubspotApiKey\" from app.customers",
        "email from app.customers",
        "\"paypalPayer\" from app.\"Payouts\"",
        "access_token from app.integrations",
        "stripe_customer_id from app.tenants",
    ] {
        let said = read(&database, "support_agent", &one, &format!("select {what}")).await;
        assert!(said.as_ref().is_err_and(|said| said.contains("permission denied")), "{what}: {said:?}");
    }
    // Whoever shares a role with the agent reads on.
    for (what, value) in
        [("\"hubspotApiKey\" from app.customers", "key of one"), ("stripe_customer_id from app.tenants", "cus_1")]
    {
        let got = read(&database, "shop_api", &one, &format!("select {what}")).await.unwrap();
        assert_eq!(got.as_deref(), Some(value));
    }

    let reference = "select \"hubspotApiKeyRef\"::text from app.customers";
    let reference = read(&database, "support_agent", &one, reference).await.unwrap().unwrap();
    let resolve = format!("select dereference.\"app_customers_hubspotApiKey\"('{reference}', 'run 7')");
    for login in ["support_agent", "shop_api"] {
        let said = read(&database, login, &one, &resolve).await;
        assert!(said.as_ref().is_err_and(|said| said.contains("permission denied")), "{login}: {said:?}");
    }
    assert!(read(&database, "payments", &one, "select \"hubspotApiKey\" from app.customers").await.is_err());
    assert_eq!(read(&database, "payments", &one, &resolve).await.unwrap().as_deref(), Some("key of one"));
    // Of another tenant's nothing is told, and that somebody asked is kept.
    assert_eq!(read(&database, "payments", &enter(TWO), &resolve).await.unwrap(), None);
    assert!(read(&database, "payments", "", &resolve).await.is_err());
    let written = "select string_agg(decision || ' ' || actor || ' ' || object_type || ' ' || run_id || ' ' || right(tenant_id::text, 1), ', ' order by decision)
                   from audit.event where action = 'secret.resolved'";
    assert_eq!(
        read(&database, "postgres", "", written).await.unwrap().as_deref(),
        Some("allow payments app.customers.hubspotApiKey run 7 1, deny payments app.customers.hubspotApiKey run 7 2")
    );
    // There is nothing more to do, and a second plan knows it.
    let again = made(4, &mut collected(&database, &Config::default()).await, &Config::default()).await;
    assert_eq!(again.steps.len(), 0, "{:#?}", again.steps);
}

/// A log of one's own, references that are there under other names, and somebody who may not make roles.
const KNOWN: &str = r#"
    create type app.who as enum ('user', 'agent');
    create table app.audit_log (id bigint generated always as identity primary key, tenant_id uuid not null references app.tenants, at timestamptz not null default now(),
      actor_kind app.who not null, actor text not null, action text not null, object text, payload jsonb);
    alter table app.audit_log enable row level security, force row level security;
    create policy t on app.audit_log using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
    grant insert on app.audit_log to shop_api;
    alter table app.customers add column crm_ref uuid not null default gen_random_uuid();
    create unique index on app.customers (crm_ref);
    create function app.crm_key(wanted uuid) returns text language sql stable security definer set search_path = '' as
      $$ select "hubspotApiKey" from app.customers where crm_ref = wanted and tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid $$;
    revoke execute on function app.crm_key(uuid) from public;
"#;

#[tokio::test]
async fn what_is_there_under_other_names_is_used() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(&SHOP.replace("{more}", KNOWN).replace("login createrole", "login")).await;
    database.run("create role deref_tool nologin; grant deref_tool to payments").await;
    let waiver = "waivers: [{check: secret-separation/agent-reads-credentials, object: app.integrations, reason: its own, owner: ada, until: 2027-06-01}]";
    let config = config::parse("govctl.yaml", waiver).unwrap();
    let plan = made(4, &mut collected(&database, &config).await, &config).await;
    let mut faults = left(&plan);
    // Nobody may make the role that a log is handed over to, or one that reads it.
    let others = ["audit/owner-reachable", "raw-credentials", "audit/no-auditor", "audit/guard-replaceable"];
    faults.retain(|fault| !others.iter().any(|other| fault.contains(other)));
    assert_eq!(faults, [""; 0]);
    assert_eq!(answer(&plan, "dereferencers"), "deref_tool");
    let sql: String = plan.steps.iter().map(|step| step.up_sql()).collect();
    assert!(sql.contains("app.customers t where t.crm_ref = $1"), "{sql}");
    for not_made in ["hubspotApiKeyRef", "customers_hubspotApiKey", "access_token_ref"] {
        assert!(!sql.contains(not_made), "{not_made}");
    }
    carried_out(&database, &plan, "deploy").await;
    let one = format!("set local app.tenant_id = '{ONE}'");
    let reference = read(&database, "support_agent", &one, "select crm_ref::text from app.customers").await;
    let resolve = format!("select dereference.app_customers_stripe_customer_id('{}')", reference.unwrap().unwrap());
    assert_eq!(read(&database, "payments", &one, &resolve).await.unwrap().as_deref(), Some("cus_one"));
    let written = "select login || ' ' || stands_for || ' ' || was_found from dereference.resolution";
    assert_eq!(
        read(&database, "postgres", "", written).await.unwrap().as_deref(),
        Some("payments app.customers.stripe_customer_id true")
    );
    assert!(read(&database, "postgres", "", "delete from dereference.resolution returning login").await.is_err());
}
