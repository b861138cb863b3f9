//! Columns by role: a department loses what is another's, and nobody else loses anything.

use super::{carried_out, collected, faults, made, read};
use crate::support;
use govctl::config::{self, Config};
use govctl::plan::Plan;

/// Departments that read by grants of their own, by a shared role, by everybody's, and one that writes what it reads.
const DESKS: &str = r#"
    create role deploy login createrole; create role shop_api login;
    create role support_read nologin; create role support_desk login; grant support_read to support_desk;
    create role "Finance-Desk" login; create role billing_writer login; create role reporting login;
    create role staff nologin; grant staff to "Finance-Desk", reporting;
    create schema app authorization deploy; revoke create on schema public from public;
    do $$ begin execute format('grant create on database %I to deploy', current_database()); end $$;
    set role deploy;
    create table app.tenants (id uuid primary key, name text);
    create table app.invoices (tenant_id uuid not null references app.tenants, id bigint not null, number text, amount_cents bigint, version bigint not null default 0, primary key (tenant_id, id));
    create table app."Messages" (tenant_id uuid not null references app.tenants, id bigint not null, author text, content text);
    create table app.calls (tenant_id uuid not null references app.tenants, id bigint not null, transcript text);
    create table app.payouts (tenant_id uuid not null references app.tenants, id bigint not null, total numeric, version bigint not null default 0, primary key (tenant_id, id));
    create view app.spoken with (security_invoker = true) as select tenant_id, transcript from app.calls;
    do $$ declare t text; begin
      foreach t in array array['tenants', 'invoices', 'Messages', 'calls', 'payouts'] loop
        execute format('alter table app.%I enable row level security, force row level security', t);
        execute format('create policy t on app.%I using (%I = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
          t, case t when 'tenants' then 'id' else 'tenant_id' end);
      end loop;
    end $$;
    grant usage on schema app to shop_api, support_read, "Finance-Desk", billing_writer, reporting, staff;
    grant select on app.invoices to support_read, shop_api;
    grant select on app."Messages" to staff, support_desk;
    grant select (tenant_id, id, transcript) on app.calls to "Finance-Desk"; grant select on app.spoken to "Finance-Desk";
    grant select, insert, update (total) on app.payouts to shop_api;
    grant select on app.payouts to support_desk;
    grant select (tenant_id, content), update (content) on app."Messages" to billing_writer;
    reset role;
    insert into app.tenants values ('00000000-0000-4000-8000-000000000001', 'one');
    insert into app.invoices select id, 1, 'no 1', 100 from app.tenants;
    insert into app."Messages" select id, 1, 'ada', 'hello' from app.tenants;
    insert into app.calls select id, 1, 'said' from app.tenants;
    insert into app.payouts select id, 1, 7 from app.tenants;
"#;

/// Findings about departments that are left, and what failed.
fn left(plan: &Plan) -> (Vec<String>, Vec<String>) {
    let (crossing, other) = faults(plan, &[]).into_iter().partition(|fault| fault.contains("department-crosses"));
    (crossing, other)
}

#[tokio::test]
async fn a_department_loses_what_is_anothers_and_nobody_else_does() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(DESKS).await;
    let text = "waivers: [{check: rbac/department-crosses, object: app.payouts, reason: they refund, owner: ada, until: 2027-06-01}]";
    let config = config::parse("govctl.yaml", text).unwrap();
    let plan = made(3, &mut collected(&database, &config).await, &config).await;
    let (crossing, other) = left(&plan);
    assert_eq!(other, [""; 0]);
    // What a role writes, and what its view shows, is taken from it by nobody but a person.
    let expected = ["billing_writer reads content", "transcript of app.calls", "transcript of app.spoken"];
    let said = crossing.iter().zip(expected).all(|(it, said)| it.contains(said));
    assert!(crossing.len() == 3 && said, "{crossing:#?}");
    let question = plan.questions.iter().find(|it| it.id == "column-slices").unwrap();
    assert!(!question.answered && question.key == "plan.slices", "{question:?}");
    for said in [
        "amount_cents of app.invoices is not for support_desk, support_read",
        "transcript of app.calls stays with Finance-Desk: a view with its rights shows them",
        "content of app.Messages stays with billing_writer: it writes them",
        "content of app.Messages is not for Finance-Desk",
    ] {
        assert!(question.default.contains(said), "{said}: {}", question.default);
    }
    carried_out(&database, &plan, "deploy").await;
    let one = "set local app.tenant_id = '00000000-0000-4000-8000-000000000001'";
    for (login, query, may) in [
        ("support_desk", "select number from app.invoices", true),
        ("support_desk", "select amount_cents::text from app.invoices", false),
        ("support_desk", "select number from (select * from app.invoices_for_support) x", true),
        ("support_desk", "select content from app.\"Messages\"", true),
        ("support_desk", "select total::text from app.payouts", true),
        ("shop_api", "select amount_cents::text from app.invoices", true),
        ("reporting", "select content from app.\"Messages\"", true),
        ("billing_writer", "select content from app.\"Messages\"", true),
        ("\"Finance-Desk\"", "select transcript from app.spoken", true),
    ] {
        let got = read(&database, login, one, query).await;
        assert_eq!(matches!(got, Ok(Some(_))), may, "{login} {query}: {got:?}");
    }
    let again = made(3, &mut collected(&database, &config).await, &config).await;
    assert_eq!(again.steps.len(), 0, "{:#?}", again.steps);
}

#[tokio::test]
async fn the_owner_says_which_columns_a_role_reads() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(DESKS).await;
    let text = r#"
plan:
  slices:
    - {role: support_read, table: app.invoices, columns: [tenant_id, number]}
    - {role: Finance-Desk, table: app.Messages, columns: [tenant_id, author]}
    - {role: billing_writer, table: app.Messages, columns: [tenant_id, content]}
    - {role: support_desk, table: app.payouts, columns: [id]}
    - {role: Finance-Desk, table: app.calls, columns: [id]}
    - {role: reporting, table: app.invoices, columns: [amount_cents]}
    - {role: nobody, table: app.invoices, columns: [id]}
"#;
    let config: Config = config::parse("govctl.yaml", text).unwrap();
    let plan = made(3, &mut collected(&database, &config).await, &config).await;
    let (_, other) = left(&plan);
    assert_eq!(other, [""; 0]);
    let question = plan.questions.iter().find(|it| it.id == "column-slices").unwrap();
    assert!(question.default.contains("nobody or app.invoices is not there"), "{question:?}");
    carried_out(&database, &plan, "deploy").await;
    let one = "set local app.tenant_id = '00000000-0000-4000-8000-000000000001'";
    for (login, query, may) in [
        ("support_desk", "select number from app.invoices", true),
        ("support_desk", "select id::text from app.invoices", false),
        ("\"Finance-Desk\"", "select author from app.\"Messages\"", true),
        ("\"Finance-Desk\"", "select content from app.\"Messages\"", false),
        ("\"Finance-Desk\"", "select transcript from app.calls", false),
        ("reporting", "select content from app.\"Messages\"", true),
        ("reporting", "select amount_cents::text from app.invoices", true),
        ("reporting", "select number from app.invoices", false),
        ("billing_writer", "select content from app.\"Messages\"", true),
        ("support_desk", "select id::text from app.payouts", true),
        ("support_desk", "select total::text from app.payouts", false),
    ] {
        let got = read(&database, login, one, query).await;
        assert_eq!(matches!(got, Ok(Some(_))), may, "{login} {query}: {got:?}");
    }
    let again = made(3, &mut collected(&database, &config).await, &config).await;
    assert_eq!(again.steps.len(), 0, "{:#?}", again.steps);
}
