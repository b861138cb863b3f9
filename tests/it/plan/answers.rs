//! What the owner answers in govctl.yaml decides the plan; and what a plan takes for granted is looked at first.

use super::{collected, made};
use crate::support;
use govctl::check::Library;
use govctl::config;
use govctl::plan::{self, Goal, Plan};
use govctl::ui::progress::Silent;
use sqlx::{AssertSqlSafe, Connection, Executor};

const SHOP: &str = r#"
    create role deploy login createrole; create role support_agent login; create role shop_api login; create role intern login;
    create schema app authorization deploy; revoke create on schema public from public;
    do $$ begin execute format('grant create on database %I to deploy', current_database()); end $$;
    set role deploy;
    grant usage on schema app to support_agent, shop_api;
    create table app.tenants (id uuid primary key, name text);
    create table app.staff (id bigint primary key, name text);
    create table app.orders (tenant_id uuid not null references app.tenants, id bigint not null, status text, version bigint not null default 0, primary key (tenant_id, id));
    create table app.audit_log (id bigint generated always as identity primary key, tenant_id uuid not null references app.tenants, at timestamptz not null default now(),
      actor text not null, action text not null, remark text, payload jsonb);
    do $$ declare t text; begin
      foreach t in array array['tenants', 'orders', 'audit_log'] loop
        execute format('alter table app.%I enable row level security, force row level security', t);
        execute format('create policy t on app.%I using (%I = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
          t, case t when 'tenants' then 'id' else 'tenant_id' end);
      end loop;
    end $$;
    grant select, insert, update (status) on app.orders to support_agent, shop_api;
    grant insert on app.audit_log to support_agent, shop_api;
    reset role;
"#;

const ANSWERS: &str = "
plan:
  users: app.staff
  member_roles: [boss, clerk, guest]
  read_only_roles: [guest]
  payload: [app.audit_log.remark]
  reasoning_days: 90
";

fn answered(plan: &Plan, id: &str) -> (String, bool) {
    let it = plan.questions.iter().find(|it| it.id == id).unwrap_or_else(|| panic!("{id}: {:#?}", plan.questions));
    (it.default.clone(), it.answered)
}

#[tokio::test]
async fn what_the_owner_answers_decides_the_plan() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(SHOP).await;
    let config = config::parse("govctl.yaml", ANSWERS).unwrap();
    let plan = made(5, &mut collected(&database, &config).await, &config).await;
    let proof = plan.proof.as_ref().unwrap();
    assert_eq!((proof.stage, proof.failed.as_slice()), (Some(5), [""; 0].map(str::to_owned).as_slice()));
    for (id, default) in [
        ("user-table", "app.staff"),
        ("member-roles", "boss, clerk, guest"),
        ("role-policies", "boss, clerk write, and every member reads; who is no member sees nothing"),
        ("payload-columns", "app.audit_log.remark"),
        ("reasoning-retention", "90 days"),
    ] {
        assert_eq!(answered(&plan, id), (default.to_owned(), true), "{id}");
    }
    // Each question says where it is answered.
    for question in &plan.questions {
        let (section, _) = question.key.split_once('.').unwrap_or((&question.key, ""));
        assert!(["tenancy", "roles", "plan", "waivers"].contains(&section), "{question:?}");
        assert!(question.key.contains('.') || section == "waivers", "{question:?}");
    }
    let sql: String = plan.steps.iter().map(|step| step.up_sql()).collect();
    for part in [
        "references app.staff (id)",
        "check (role in ('boss', 'clerk', 'guest'))",
        "array['boss', 'clerk']",
        "convert_to(new.remark::text",
        ",\n    convert_to(e.payload::text",
        "current_date + 90",
    ] {
        assert!(sql.contains(part), "{part}");
    }
    ground_is_looked_at(&database, &plan).await;

    // A table that is not there is no answer.
    let config = config::parse("govctl.yaml", "plan: {users: app.people, payload: [app.audit_log.nothing]}").unwrap();
    let library = Library::embedded().unwrap();
    let goal = Goal { stage: 5, config: &config, library: &library };
    let plan = plan::make(goal, &mut collected(&database, &config).await, None, &Silent).await.unwrap();
    for id in ["user-table", "payload-columns"] {
        let (default, is_answered) = answered(&plan, id);
        assert!(!is_answered && (default.contains("is not there") || default.contains("no nothing")), "{default}");
    }
    let mistakes =
        config::parse("govctl.yaml", "plan: {payload: [remark], shared: [x], slices: [{role: a}], usres: x}");
    let said = format!("{:?}", miette::Report::new(mistakes.unwrap_err()));
    for part in ["does not name a column", "does not name a table", "usres"] {
        assert!(said.contains(part), "{said}");
    }
}

/// The first migration stops where the role is not the owner, and where the database is another.
async fn ground_is_looked_at(database: &support::Database, plan: &Plan) {
    let first = &plan.steps[0];
    assert_eq!(first.name, "check_the_ground");
    let mut connection = database.connect().await;
    for (role, change, refusal) in [
        ("deploy", "select 1", None),
        ("intern", "select 1", Some("belongs to deploy, and intern may not act as it")),
        ("deploy", "alter table app.orders rename to purchases", Some("app.orders is not there")),
    ] {
        let script = format!("begin; set local role deploy; {change}; set local role {role}; {}", first.up_sql());
        let ran = connection.execute(sqlx::raw_sql(AssertSqlSafe(script))).await;
        let said = ran.err().map(|error| error.to_string());
        assert!(
            said.as_ref().map(|said| refusal.is_some_and(|part| said.contains(part))).unwrap_or(refusal.is_none()),
            "{role} {change}: {said:?}"
        );
        connection.execute("rollback").await.unwrap();
    }
    connection.close().await.unwrap();
}
