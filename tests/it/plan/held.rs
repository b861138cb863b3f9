//! What rows are held to, and by what: told before anything is changed, and right for policies that want a setting.

use super::{carried_out, collected, faults, made};
use crate::support::{self, Database};
use govctl::check::Library;
use govctl::config::Config;
use govctl::plan::{self, Goal, Plan};
use govctl::ui::progress::Silent;
use sqlx::{AssertSqlSafe, Connection, Executor};

const ROLES: &str = "
    create role deploy login; create role web login; create role bot_agent login;
    grant usage, create on schema public to deploy; grant usage on schema public to web, bot_agent;
    do $$ begin execute format('grant create on database %I to deploy', current_database()); end $$;
    set role deploy;
";

/// The plan without a copy to try it on.
async fn sketched(stage: u8, database: &Database) -> Plan {
    let (config, library) = (Config::default(), Library::embedded().unwrap());
    let goal = Goal { stage, config: &config, library: &library };
    plan::make(goal, &mut collected(database, &config).await, None, &Silent).await.unwrap()
}

const ROWS: &str = "
    create table orgs (id int primary key);
    create table projects (id int primary key, org_id int not null references orgs);
    create table \"Tasks; x\" (id int primary key, org_id int not null, project_id int not null references projects);
    create table notes (id int primary key, org_id int references orgs, body text);
    create table calls (id int primary key, org_id int not null references orgs, action text not null, idempotency_key text not null);
    grant select, insert, update, delete on all tables in schema public to web;
    insert into orgs values (1), (2);
    insert into projects values (1, 1), (2, 2);
    insert into \"Tasks; x\" values (1, 1, 2), (2, 3, 1);
    insert into notes values (1, null, 'x');
    insert into calls values (1, 1, 'pay', 'k'), (2, 1, 'pay', 'k');
    reset role;
";

#[tokio::test]
async fn rows_that_would_not_hold_are_told_all_at_once_and_before_anything_is_changed() {
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{ROWS}")).await;
    let plan = sketched(3, &database).await;
    let mut connection = database.connect().await;
    let first = plan.steps[0].up_sql();
    let refused = connection.execute(sqlx::raw_sql(AssertSqlSafe(first.clone()))).await.unwrap_err();
    let refused = refused.as_database_error().unwrap().message().to_owned();
    for part in [
        "public.notes has rows without org_id: fill them in",
        "public.Tasks; x has rows whose org_id, project_id no row of public.projects has as org_id, id",
        "public.calls has more than one row of the same org_id, idempotency_key",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    connection
        .execute(
            "update \"Tasks; x\" set org_id = 2 where id = 1; update \"Tasks; x\" set org_id = 1 where id = 2;
             update notes set org_id = 1; delete from calls where id = 2",
        )
        .await
        .unwrap();
    connection.execute(sqlx::raw_sql(AssertSqlSafe(first))).await.unwrap();
    connection.close().await.unwrap();
}

/// Somebody's choice of a tenant, and a table that hangs on a person's and on a tenant's row.
const CHOICE: &str = "
    create table orgs (id int primary key);
    create table people (id int primary key, last_selected_org_id int references orgs);
    create table assets (id int primary key, org_id int not null references orgs);
    create table places (id int primary key, org_id int not null references orgs);
    create table checks (id int primary key, made_for int not null references people, asset_id int not null references assets, place_id int references places);
    grant select, insert, update, delete on all tables in schema public to web;
    reset role;
";

#[tokio::test]
async fn what_somebody_last_looked_at_is_nobodys_tenant() {
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{CHOICE}")).await;
    let plan = sketched(2, &database).await;
    let all: String = plan.steps.iter().map(plan::Step::up_sql).collect();
    assert!(!all.contains("last_selected_org_id"), "{all}");
    assert!(all.contains("set org_id = p.org_id from public.assets p"), "{all}");
}

/// Two names of a key: what hangs on both takes the name of the one that it gets its key from.
const NAMES: &str = "
    create table accounts (id int primary key);
    create table a_stores (id int primary key, account_id int not null references accounts);
    create table owners (id int primary key, account_ref int not null references accounts);
    create table shelves (id int primary key, store_id int references a_stores, owner_id int not null references owners);
    grant select, insert, update, delete on all tables in schema public to web;
    reset role;
";

#[tokio::test]
async fn a_key_is_called_what_the_parents_is() {
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{NAMES}")).await;
    let plan = sketched(2, &database).await;
    let all: String = plan.steps.iter().map(plan::Step::up_sql).collect();
    assert!(all.contains("set account_ref = p.account_ref from public.owners p"), "{all}");
}

/// Policies that raise where no tenant is set, persons in a table of another name, and credentials.
const STRICT: &str = "
    create table org (id bigint generated always as identity primary key, slug text not null);
    create table account_user (id bigint generated always as identity primary key, mail text not null);
    create table user_roles (user_id bigint not null references account_user, org bigint not null references org, role text not null check (role in ('owner', 'member')), primary key (user_id, org, role));
    create table invoice (id uuid primary key default gen_random_uuid(), org bigint not null references org, cents bigint not null default 0, secret_api_key text);
    create table invoice_line (invoice_id uuid not null references invoice on delete cascade, pos smallint not null, txt text, primary key (invoice_id, pos));
    alter table invoice enable row level security;
    create policy mine on invoice using (org = current_setting('app.org')::bigint);
    grant select, insert, update, delete on all tables in schema public to web, bot_agent;
    reset role;
    insert into org (slug) values ('a'), ('b');
    insert into invoice (org) values (1), (2);
    insert into invoice_line select id, 1, 'x' from invoice;
";

#[tokio::test]
async fn policies_that_raise_without_a_tenant_stop_no_migration() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{STRICT}")).await;
    let config = Config::default();
    let plan = made(4, &mut collected(&database, &config).await, &config).await;
    assert_eq!(faults(&plan, &["audit/owner-reachable"]), [""; 0], "{plan:#?}");
    let proof = plan.proof.as_ref().unwrap();
    assert_eq!(proof.stage, Some(4), "{proof:#?}");
    // The way back included, which enters the log's schema until the log is gone.
    assert!(!proof.remaining.iter().any(|it| it.check.starts_with("step")), "{:#?}", proof.remaining);
    carried_out(&database, &plan, "deploy").await;
}
