//! What rows are held to, and by what: told before anything is changed, and right for policies that want a setting.

use super::{carried_out, collected, faults, made, read};
use crate::support::{self, Database};
use govctl::check::Library;
use govctl::config::{self, Config};
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
    sketched_by(stage, database, &Config::default()).await
}

async fn sketched_by(stage: u8, database: &Database, config: &Config) -> Plan {
    let library = Library::embedded().unwrap();
    let goal = Goal { stage, config, library: &library };
    plan::make(goal, &mut collected(database, config).await, None, &Silent).await.unwrap()
}

const ROWS: &str = "
    create table orgs (id int primary key);
    create table projects (id int primary key, org_id int not null references orgs);
    create table \"Tasks; x\" (id int primary key, org_id int not null, project_id int not null references projects);
    create table notes (id int primary key, org_id int references orgs, body text);
    create table memos (id int primary key, org_id int references orgs, project_id int references projects);
    create table calls (id int primary key, org_id int not null references orgs, action text not null, idempotency_key text not null);
    grant select, insert, update, delete on all tables in schema public to web;
    insert into orgs values (1), (2);
    insert into projects values (1, 1), (2, 2);
    insert into \"Tasks; x\" values (1, 1, 2), (2, 3, 1);
    insert into notes values (1, null, 'x');
    insert into memos values (1, null, 2), (2, 1, null);
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
        "public.notes has rows without org_id: they stay",
        "public.Tasks; x has rows whose org_id no row of public.orgs has as id",
        "public.Tasks; x has rows whose org_id, project_id no row of public.projects has as org_id, id",
        "public.calls has more than one row of the same org_id, idempotency_key: say which",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    // What is there twice cannot be unique. The rest is told, and binds new rows alone.
    connection.execute("delete from calls where id = 2").await.unwrap();
    connection.execute(sqlx::raw_sql(AssertSqlSafe(first))).await.unwrap();
    if !support::is_embedded() {
        left_as_they_are(&database, &plan, &mut connection).await;
    }
    connection
        .execute(
            "update \"Tasks; x\" set org_id = 2 where id = 1; update \"Tasks; x\" set org_id = 1 where id = 2;
             update notes set org_id = 1",
        )
        .await
        .unwrap();
    // Each file as often as there are files: the embedded server would take minutes, and it reads the same SQL.
    if !support::is_embedded() {
        torn_and_run_again(&database, &plan, &mut connection).await;
    }
    connection.close().await.unwrap();
}

/// Rows that nobody mended: the plan runs, and goes back.
async fn left_as_they_are(database: &Database, plan: &Plan, connection: &mut sqlx::PgConnection) {
    let before: String = sqlx::query_scalar(CATALOG).fetch_one(&mut *connection).await.unwrap();
    carried_out(database, plan, "deploy").await;
    carried_out(database, plan, "deploy").await;
    let (empty, held, bound, said): (bool, bool, bool, Option<String>) = sqlx::query_as(
        "select (select not attnotnull from pg_attribute where attrelid = 'notes'::regclass and attname = 'org_id'),
                exists (select from pg_constraint where conrelid = 'notes'::regclass and contype = 'c'),
                not bool_or(convalidated), col_description('notes'::regclass, 2)
         from pg_constraint where conrelid = '\"Tasks; x\"'::regclass and contype = 'f' and conname ~ 'org'",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    assert!(empty && !held && bound && said.unwrap().starts_with("May be empty"), "{empty} {held} {bound}");
    let back: Vec<_> =
        plan.steps.iter().rev().map(|step| plan::Step { up: step.down.clone(), ..step.clone() }).collect();
    carried_out(database, &Plan { steps: back, ..Plan::default() }, "deploy").await;
    let after: String = sqlx::query_scalar(CATALOG).fetch_one(&mut *connection).await.unwrap();
    assert_eq!(before, after);
}

/// What a plan leaves behind in the catalog.
const CATALOG: &str = "
    select string_agg(said, E'\\n' order by said) from (
      select format('%s %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated) from pg_constraint where conrelid >= 16384
      union all select format('%s %s', pg_get_indexdef(indexrelid), indisvalid) from pg_index where indrelid >= 16384 and indrelid in (select oid from pg_class where relkind in ('r', 'p'))
      union all select format('%s %s %s %s', polrelid::regclass, polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) from pg_policy
      union all select format('%s %s', pg_get_triggerdef(oid), tgenabled) from pg_trigger where not tgisinternal
      union all select format('%s %s %s %s', oid::regclass, relrowsecurity, relforcerowsecurity, relacl) from pg_class where oid >= 16384 and relkind in ('r', 'p')
      union all select format('%s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull) from pg_attribute
        where attrelid >= 16384 and attnum > 0 and not attisdropped and attrelid in (select oid from pg_class where relkind = 'r')
    ) as it (said)";

/// Stopped after each of the files, all are run again from the first; one build of an index was torn. It all ends where one run ends.
async fn torn_and_run_again(database: &Database, plan: &Plan, connection: &mut sqlx::PgConnection) {
    let built =
        |sql: &String| sql.starts_with("create unique index concurrently if not exists projects_org_id_id_key ");
    assert!(plan.steps.iter().any(|step| step.up.iter().any(built)), "{plan:#?}");
    connection
        .execute(
            "create unique index projects_org_id_id_key on projects (org_id, id);
             update pg_index set indisvalid = false where indexrelid = 'projects_org_id_id_key'::regclass",
        )
        .await
        .unwrap();
    for end in 1..=plan.steps.len() {
        let files = Plan { steps: plan.steps[..end].to_vec(), ..Plan::default() };
        carried_out(database, &files, "deploy").await;
    }
    let often: String = sqlx::query_scalar(CATALOG).fetch_one(&mut *connection).await.unwrap();
    assert!(often.contains("projects_org_id_id_key ON public.projects USING btree (org_id, id) t"), "{often}");
    let undo = |step: &plan::Step| plan::Step { up: step.down.clone(), ..step.clone() };
    let back = Plan { steps: plan.steps.iter().rev().map(undo).collect(), ..Plan::default() };
    carried_out(database, &back, "deploy").await;
    carried_out(database, plan, "deploy").await;
    let once: String = sqlx::query_scalar(CATALOG).fetch_one(&mut *connection).await.unwrap();
    assert_eq!(often, once);
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

/// What an organization is paid by has more than one column, and members of its own it has none; another party has accounts, too.
const PAID: &str = "
    create table accounts (id uuid primary key, admin_id int);
    create table organizations (id uuid primary key, account_id uuid not null references accounts);
    create table users (id int primary key, account_id uuid references accounts);
    create table user_organizations (user_id int references users, organization_id uuid references organizations, primary key (user_id, organization_id));
    create table payouts (id int primary key, account_id uuid not null references accounts);
    create table oauth_accounts (id int primary key, user_id int not null references users, platform text not null, account_id text not null);
    create table orders (id int primary key, organization_id uuid not null references organizations);
    create table products (id int primary key, organization_id uuid not null references organizations);
    create table files (id int primary key, organization_id uuid not null references organizations);
    create table meters (id int primary key, organization_id uuid not null references organizations);
    grant select, insert, update, delete on all tables in schema public to web;
    reset role;
";

#[tokio::test]
async fn the_tenant_is_what_people_are_members_of() {
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{PAID}")).await;
    let plan = sketched(2, &database).await;
    let asked = plan.questions.iter().find(|it| it.id == "tenant-table").unwrap();
    assert_eq!(asked.default, "public.organizations");
    let all: String = plan.steps.iter().map(plan::Step::up_sql).collect();
    assert!(!all.contains("account_id = "), "{all}");
}

/// What a product ships to everybody stands beside what each tenant adds.
const MODELS: &str = "
    create table projects (id text primary key);
    create table models (id text primary key, project_id text references projects, name text not null);
    create table prices (id text primary key, model_id text not null references models);
    create table defaults (id int primary key, project_id text references projects);
    alter table defaults enable row level security;
    create policy seen on defaults using (project_id is null or project_id = nullif(current_setting('app.project_id', true), ''));
    grant select, insert, update, delete on all tables in schema public to web;
    insert into projects values ('a'), ('b');
    insert into models values ('m0', null, 'x'), ('m1', 'a', 'x'), ('m2', 'b', 'x');
    insert into prices select id, id from models;
    insert into defaults values (1, null), (2, 'a');
    reset role;
";

#[tokio::test]
async fn rows_that_name_no_tenant_are_everybodys_where_somebody_says_so() {
    let says = config::parse("govctl.yaml", "plan: {shared_rows: [public.models, public.prices]}").unwrap();
    for (config, answered, models, prices) in [(Config::default(), false, "m1", "m1"), (says, true, "m0 m1", "m0 m1")] {
        let database = support::cluster().await;
        database.run(&format!("{ROLES}{MODELS}")).await;
        // The second time over what the first has brought.
        for round in 0..2 {
            let plan = sketched_by(2, &database, &config).await;
            let question = plan.questions.iter().find(|it| it.id == "shared-rows").unwrap();
            assert_eq!(question.answered, answered, "{question:?}");
            assert!(question.default.contains("public.models"), "{question:?}");
            // A policy that shows such rows was written by somebody: the column is left to take none.
            let all: String = plan.steps.iter().map(plan::Step::up_sql).collect();
            assert!(!all.contains("public.defaults alter column"), "{all}");
            let left = plan.open.iter().find(|it| it.object == "public.defaults").map(|it| it.why.as_str());
            let said = left.is_some_and(|why| why.starts_with("The policy seen shows rows without project_id"));
            assert!(said || round > 0 && left.is_some(), "{:?}", plan.open);
            carried_out(&database, &plan, "deploy").await;
        }
        assert_eq!(sketched_by(2, &database, &config).await.steps, []);
        let session = "set local app.project_id = 'a'; set local app.tenant_id = 'a'";
        for (table, ids) in [("models", models), ("prices", prices)] {
            let query = format!("select string_agg(id, ' ' order by id) from {table}");
            assert_eq!(read(&database, "web", session, &query).await, Ok(Some(ids.to_owned())), "{table}");
        }
        // What is everybody's to read is nobody's to write.
        let write = "insert into models values ('m3', null, 'x') returning id";
        let refused = read(&database, "web", "", write).await.unwrap_err();
        assert!(refused.contains("row-level security"), "{refused}");
        let taken = "with taken as (update models set name = 'y' where id = 'm0' returning id) select coalesce(max(id), 'none') from taken";
        assert_eq!(read(&database, "web", session, taken).await, Ok(Some("none".to_owned())));
    }
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
    create type actor as enum ('person');
    create table audit_log (id bigint generated always as identity primary key, org bigint not null references org, actor_kind actor not null default 'person', actor text, action text not null, payload jsonb, at timestamptz not null default now());
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
    assert_eq!(faults(&plan, &["audit/owner-reachable", "audit/no-auditor"]), [""; 0], "{plan:#?}");
    let proof = plan.proof.as_ref().unwrap();
    assert_eq!(proof.stage, Some(4), "{proof:#?}");
    // The way back included, which enters the log's schema until the log is gone.
    assert!(!proof.remaining.iter().any(|it| it.check.starts_with("step")), "{:#?}", proof.remaining);
    // An enum loses the value again that it got.
    assert!(
        plan.steps.iter().any(|step| step.down_sql().contains("create type public.actor as enum ('person')")),
        "{plan:#?}"
    );
    assert!(!proof.remaining.iter().any(|it| it.check == "way back"), "{:#?}", proof.remaining);
    carried_out(&database, &plan, "deploy").await;
}

/// Rows that may not be changed, before there are tenants; the tables of an add-on stand first by name.
const KEPT: &str = "
    create schema addon;
    create table addon.cursors (id int primary key, at text);
    create table receipts (id int primary key, what text);
    create table lines (id int primary key, what text);
    insert into receipts values (1, 'x');
    create function kept() returns trigger language plpgsql as $$ begin raise exception 'append-only'; end $$;
    create trigger kept before update or delete on receipts for each statement execute function kept();
    grant select, insert on all tables in schema public to web;
    reset role;
";

#[tokio::test]
async fn the_first_tenants_key_changes_no_row() {
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{KEPT}")).await;
    let plan = sketched(2, &database).await;
    let all: String = plan.steps.iter().map(plan::Step::up_sql).collect();
    assert!(all.contains("create table if not exists public.tenants") && !all.contains("addon.tenants"), "{all}");
    carried_out(&database, &plan, "deploy").await;
    let mut connection = database.connect().await;
    let seen: (bool, bool) = sqlx::query_as(
        "select (select tenant_id from receipts) = (select id from tenants),
                exists (select from pg_attrdef d where d.adrelid = 'receipts'::regclass)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(seen, (true, false));
    connection.close().await.unwrap();
}

/// A workspace is a person's own, and a table of its notes is let through by what a policy looks up as well.
const WORKSPACES: &str = "
    create table workspaces (id int primary key, user_id int not null, name text);
    create table chats (id int primary key, user_id int not null, workspace_id int not null references workspaces, sharing text);
    create table notes (chat_id int not null references chats, user_id int not null, workspace_id int references workspaces, body text);
    do $$ declare t text; begin
      foreach t in array array['workspaces', 'chats', 'notes'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy own on %I using (user_id = nullif(current_setting(''app.user_id'', true), '''')::int)', t);
      end loop;
    end $$;
    create policy shared on notes for select using (chat_id in (select id from chats where sharing <> 'private'));
    grant select, insert, update, delete on all tables in schema public to web;
    reset role;
";

#[tokio::test]
async fn a_workspace_that_is_one_persons_own_is_no_tenant() {
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{WORKSPACES}")).await;
    let mut facts = collected(&database, &Config::default()).await;
    let keys: Vec<(String, String, String)> = sqlx::query_as(
        "select r.name, k.name, k.role from tenant_keys k join relations r on r.oid = k.relation order by r.name",
    )
    .fetch_all(facts.connection())
    .await
    .unwrap();
    let of = |table: &str| (table.to_owned(), "user_id".to_owned(), "user".to_owned());
    assert_eq!(keys, ["chats", "notes", "workspaces"].map(of));
    let plan = sketched(2, &database).await;
    let asked = plan.questions.iter().find(|it| it.id == "tenant-table").unwrap();
    assert_eq!(asked.default, "public.tenants");
}

/// Members read whose members they are, by a policy that has to ask itself.
const ENDLESS: &str = "
    create table orgs (id int primary key);
    create table members (org_id int not null references orgs, user_id int not null, primary key (org_id, user_id));
    create table notes (id int primary key, org_id int not null references orgs);
    alter table members enable row level security;
    create policy own on members using (exists (select 1 from members m where m.org_id = members.org_id
      and m.user_id = nullif(current_setting('app.user_id', true), '')::int));
    grant select, insert, update, delete on all tables in schema public to web;
    reset role;
";

#[tokio::test]
async fn policies_that_ask_themselves_ask_a_function_first() {
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{ENDLESS}")).await;
    let plan = sketched(2, &database).await;
    let all: String = plan.steps.iter().map(plan::Step::up_sql).collect();
    assert!(
        all.contains("create or replace function public.own_members() returns table (org_id integer, user_id integer)"),
        "{all}"
    );
    assert!(all.contains("FROM public.own_members() m"), "{all}");
    assert_eq!(plan.questions[0].id, "policies-without-end");
    carried_out(&database, &plan, "deploy").await;
    let mine = "set local app.user_id = '7'";
    database
        .run("insert into orgs values (1), (2); insert into members values (1, 7), (2, 8); insert into notes values (1, 1), (2, 2)")
        .await;
    assert_eq!(read(&database, "web", mine, "select count(*)::text from members").await.unwrap().as_deref(), Some("1"));
    let plan = sketched(2, &database).await;
    assert!(plan.steps.is_empty() && !plan.falls_short(), "{plan:#?}");
}

/// What nobody can say: of whose rows the members' policy asks.
const UNSAID: &str = "drop policy own on members; create policy own on members using (exists (select 1 from members m where m.org_id = members.org_id));
    drop function if exists own_members();";

#[tokio::test]
async fn nothing_is_planned_where_no_function_would_say_the_same() {
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{}{UNSAID}", ENDLESS.replace("reset role;", ""))).await;
    let plan = sketched(2, &database).await;
    assert!(plan.steps.is_empty() && plan.falls_short(), "{plan:#?}");
    assert!(plan.open[0].why.contains("infinite recursion detected in policy"), "{plan:#?}");
    assert_eq!(plan.questions[0].id, "policies-without-end");
    // By a policy of a style of its own the others are planned, and the owner goes on reading.
    database
        .run(
            "create policy mine on notes using (org_id = nullif(current_setting('app.org_id', true), '')::int);
             create policy way on orgs using (id = nullif(current_setting('app.org_id', true), '')::int);
             alter table notes enable row level security; alter table orgs enable row level security;",
        )
        .await;
    let plan = sketched(2, &database).await;
    let all: String = plan.steps.iter().map(plan::Step::up_sql).collect();
    assert!(all.contains("alter table public.notes force row level security"), "{all}");
    assert!(!all.contains("public.members force"), "{all}");
    let told = plan.open.iter().any(|it| it.object == "public.members" && it.why.contains("infinite recursion"));
    assert!(told, "{:#?}", plan.open);
    // A policy of others that reads the members would read itself, put upon the members.
    database
        .run(
            "drop table notes, members, orgs; create table orgs (id int primary key);
             create table members (org_id int not null references orgs, login text not null, primary key (org_id, login));
             create table notes (id int primary key, org_id int not null references orgs);
             alter table notes enable row level security;
             create policy own on notes using (exists (select from members m where m.org_id = notes.org_id and m.login = current_user));
             grant select on all tables in schema public to web; grant insert, update, delete on notes to web;",
        )
        .await;
    let plan = sketched(2, &database).await;
    assert!(plan.steps.is_empty() && plan.falls_short(), "{plan:#?}");
    assert!(plan.questions[0].question.contains("public.members"), "{plan:#?}");
}

/// Tables and functions of two owners, one of whom nobody else may act as.
const OWNERS: &str = "
    create table orgs (id int primary key);
    create table notes (id int primary key, org_id int not null references orgs);
    grant select, insert, update, delete on all tables in schema public to web;
    reset role;
    create table imports (id int primary key, org_id int not null references orgs);
    grant select, insert on imports to web;
";

#[tokio::test]
async fn whoever_has_to_act_as_several_owners_is_told_all_of_them() {
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{OWNERS}")).await;
    let plan = sketched(2, &database).await;
    let mut connection = database.connect().await;
    connection.execute("set session authorization deploy").await.unwrap();
    let refused = connection.execute(sqlx::raw_sql(AssertSqlSafe(plan.steps[0].up_sql()))).await.unwrap_err();
    let refused = refused.as_database_error().unwrap().message().to_owned();
    assert!(refused.contains("public.imports belongs to"), "{refused}");
    assert!(refused.contains("run this plan as a role that may act as each of deploy, "), "{refused}");
    connection.close().await.unwrap();
}
