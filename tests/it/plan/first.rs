//! Databases where nothing says a tenant yet, and whose owner is nothing more than that.

use super::{carried_out, collected, faults, made, read};
use crate::support;
use govctl::config::{self, Config};
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::process::{Command, Stdio};

/// Owned by a login without a right of its own; an application that changes rows.
const ROLES: &str = "
    create role deploy login; create role shop_api login;
    grant usage, create on schema public to deploy; grant usage on schema public to shop_api;
    do $$ begin execute format('grant create on database %I to deploy', current_database()); end $$;
    set role deploy;
    alter default privileges in schema public grant select, insert, update, delete on tables to shop_api;
";

/// Persons, and no tenants.
const PERSONS: &str = "
    create table users (id serial primary key, email text);
    create table lists (id serial primary key, user_id int not null references users, title text);
    create table items (id bigserial primary key, list_id int references lists, body text);
";

/// One column that says a tenant, and what hangs on it; partitions by hash.
const ACCOUNTS: &str = "
    create table accounts (id int primary key, name text);
    create table buyers (id int primary key, account_id int not null references accounts, name text);
    create table parts (id int not null, region text not null, buyer_id int not null references buyers, primary key (id, region)) partition by list (region);
    create table parts_eu partition of parts for values in ('eu') partition by hash (id);
    create table parts_eu_0 partition of parts_eu for values with (modulus 2, remainder 0);
    create table parts_eu_1 partition of parts_eu for values with (modulus 2, remainder 1);
    create table part_lines (id int primary key, part_id int, region text, foreign key (part_id, region) references parts);
    create table models (id int primary key, buyer_id int references buyers);
    create table \"Prices; x\" (id int primary key, model_id int not null references models);
    create table marks (id int primary key, by_buyer int references buyers, part_id int not null, region text not null, foreign key (part_id, region) references parts);
    create table hints (id int primary key, model_id int references models, by_buyer int references buyers);
    create table part_notes (id int primary key, account_id int not null references accounts, part_id int not null, region text not null, foreign key (part_id, region) references parts);
    alter table hints enable row level security;
    create policy seen on hints using (true);
    reset role;
    insert into models values (1, null);
    insert into accounts values (1, 'a'), (2, 'b');
    insert into buyers values (1, 1, 'x'), (2, 2, 'y');
    insert into parts values (1, 'eu', 1), (2, 'eu', 2);
    insert into marks values (1, null, 1, 'eu');
    insert into hints values (1, 1, 2);
";

#[tokio::test]
async fn the_first_tenant_has_the_rows_that_are_there() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{PERSONS}")).await;
    let plan = made(2, &mut collected(&database, &Config::default()).await, &Config::default()).await;
    assert_eq!(faults(&plan, &[]), [""; 0], "{plan:#?}");
    let held = &plan.proof.as_ref().unwrap().held;
    assert!(held.iter().any(|line| line.contains("for the first tenant as many rows as before")), "{held:?}");
    assert!(plan.notes.iter().any(|note| note.contains("policies bind deploy as well")), "{:?}", plan.notes);
}

#[tokio::test]
async fn references_say_whose_rows_are_and_a_row_without_one_is_told_and_stays() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{ACCOUNTS}")).await;
    let plan = made(2, &mut collected(&database, &Config::default()).await, &Config::default()).await;
    assert_eq!(faults(&plan, &[]), [""; 0], "{plan:#?}");
    let asked = plan.questions.iter().find(|it| it.id == "tenant-table").unwrap();
    assert_eq!((asked.default.as_str(), asked.answered), ("public.accounts", false));
    let all: String = plan.steps.iter().map(govctl::plan::Step::up_sql).collect();
    assert!(all.contains("p.account_id from public.buyers p") && !all.contains("first tenant"), "{all}");

    let unanswered = plan.clone();
    // Keys that PostgreSQL keeps for each partition are none of their own.
    let refers = plan.steps.iter().filter(|step| step.name.starts_with("refer_part_notes_to_parts"));
    assert_eq!(refers.map(|step| step.name.as_str()).collect::<Vec<_>>(), ["refer_part_notes_to_parts"]);

    // Whoever writes meanwhile finds the column that its row takes the key from.
    let at = |text: &str| plan.steps.iter().position(|step| step.up_sql().contains(text));
    let column = at("alter table public.parts add column if not exists account_id");
    let trigger = at("trigger fill_tenant_key before insert or update on public.part_lines");
    assert!(column.is_some() && column < trigger, "{column:?} {trigger:?}");

    // Whose it is, nobody can say: a sample shows it, and the first migration tells it of all such tables at once.
    let asked = plan.questions.iter().find(|it| it.id == "shared-tables").unwrap();
    assert!(asked.default.contains("plan: {shared: [public.models, \"public.Prices; x\"]};"), "{asked:?}");
    assert!(asked.default.ends_with("plan: {shared_rows: [public.models, \"public.Prices; x\"]}"), "{asked:?}");
    database.run("insert into \"Prices; x\" values (1, 1); insert into part_lines values (1, null, null); insert into hints values (2, 1, null)").await;
    let mut connection = database.connect().await;
    connection.execute("set session authorization deploy").await.unwrap();
    let told = plan.steps[0].up_sql().replace("raise warning", "raise exception");
    let told = connection.execute(sqlx::raw_sql(AssertSqlSafe(told))).await.unwrap_err();
    let told = told.as_database_error().unwrap().message().to_owned();
    for part in [
        "Prices; x has rows that lead to rows of models without buyer_id",
        "models has rows without buyer_id",
        "part_lines has rows without part_id and region",
        "hints has rows without by_buyer, and without model_id, or that lead to rows of models without buyer_id",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    connection.close().await.unwrap();

    // The owner says that these rows are everybody's, as the sentence proposes: the rest of the table is its tenant's all the same.
    let (_, answer) = told.split_once("plan again: ").unwrap();
    let config = config::parse("govctl.yaml", answer).unwrap();
    let plan = made(2, &mut collected(&database, &config).await, &config).await;
    assert_eq!(faults(&plan, &["tenant-isolation/nullable-tenant-key"]), [""; 0], "{plan:#?}");
    let all: String = plan.steps.iter().map(govctl::plan::Step::up_sql).collect();
    for table in ["public.models", "public.part_lines", "public.\"Prices; x\"", "public.hints"] {
        let [shown, own] =
            ["rows_of_everybody", "tenant_isolation"].map(|policy| format!("create policy {policy} on {table}"));
        assert!(all.contains(&shown) && all.contains(&own), "{all}");
    }
    assert!(!plan.questions.iter().any(|it| it.id == "shared-tables"), "{:#?}", plan.questions);
    // What is left of it is meant; or has no effect, where policies were there before and the tenant's takes away from them.
    let remaining = &plan.proof.as_ref().unwrap().remaining;
    for (table, why) in [
        ("public.models.account_id", "a waiver says so"),
        ("public.hints.account_id", "which is restrictive, hides them all the same"),
    ] {
        let left = remaining.iter().find(|it| it.check.ends_with("nullable-tenant-key") && it.object == table);
        assert!(left.is_some_and(|it| it.why.contains(why)), "{table}: {remaining:#?}");
    }

    // Or that they hold the same for every tenant: they are left as they are, and nothing misses them.
    let config = config::parse("govctl.yaml", &answer.replace("shared_rows", "shared")).unwrap();
    let plan = made(2, &mut collected(&database, &config).await, &config).await;
    assert_eq!(faults(&plan, &[]), [""; 0], "{plan:#?}");
    for left in ["part_lines", "public.models", "Prices; x"] {
        assert!(!plan.steps.iter().any(|step| step.up_sql().contains(left)), "{plan:#?}");
    }
    assert!(!plan.questions.iter().any(|it| it.id == "shared-tables"), "{:#?}", plan.questions);

    // Otherwise they stay, and nobody sees them; the rest is as planned, and a plan after it has nothing to do.
    carried_out(&database, &unanswered, "deploy").await;
    carried_out(&database, &unanswered, "deploy").await;
    let kept = "select (select count(*) from models where account_id is null) || ' ' || (select count(*) from part_lines where account_id is null)
                || ' ' || (select count(*) from parts where account_id is null)
                || (select string_agg(' ' || id || coalesce(account_id, 0), '' order by id) from hints) || ' ' || (select account_id from marks)";
    // One reference says it where another says nothing; one that is always there before a nearer one that may be empty.
    assert_eq!(read(&database, "postgres", "", kept).await.unwrap().as_deref(), Some("1 1 0 12 20 1"));
    let next = made(2, &mut collected(&database, &Config::default()).await, &Config::default()).await;
    assert!(next.steps.is_empty(), "{next:#?}");
    let told = next.open.iter().find(|it| it.object == "public.models").unwrap();
    assert!(told.why.contains("Rows without") && told.why.contains("plan again"), "{told:?}");
}

/// Policies that read each other's tables, over references that may be empty.
const CIRCLE: &str = "
    create table tenants (id int primary key, name text);
    create table folders (id int primary key, tenant_id int not null references tenants, name text);
    create table files (id int primary key, folder_id int references folders on delete set null, name text);
    create table picks (id int primary key, file_id int not null references files on delete cascade, why text);
    alter table tenants enable row level security; alter table folders enable row level security;
    alter table files enable row level security; alter table picks enable row level security;
    create policy own on tenants using (id = nullif(current_setting('app.tenant_id', true), '')::int);
    create policy own on folders using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
    create policy anything on files using (name is not null or folder_id is null);
    create policy tenant_isolation on files for select using (id in (select file_id from picks));
    create policy anything on picks using (true);
    reset role;
    insert into tenants values (1, 'a'), (2, 'b');
    insert into folders values (1, 1, 'x'), (2, 2, 'y');
    insert into files values (1, 1, 'x'), (2, 2, 'y');
    insert into picks values (1, 1, 'x'), (2, 2, 'y');
";

#[tokio::test]
async fn a_policy_that_would_ask_itself_rests_on_a_key_of_its_own() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(&format!("{ROLES}{CIRCLE}")).await;
    let config = Config::default();
    let plan = made(2, &mut collected(&database, &config).await, &config).await;
    assert_eq!(faults(&plan, &[]), [""; 0], "{plan:#?}");
    carried_out(&database, &plan, "deploy").await;
    let session = "set local app.tenant_id = '1'";
    let seen = |table: &str| format!("select string_agg(id::text, ' ' order by id) from {table}");
    // A file without a folder is its session's, and stays in its sight.
    let written = "insert into files values (3, null, 'z') returning tenant_id::text";
    assert_eq!(read(&database, "shop_api", session, written).await, Ok(Some("1".to_owned())));
    let theirs = "insert into picks values (3, 2, 'z') returning 'written'";
    assert!(read(&database, "shop_api", session, theirs).await.is_err());
    for (table, ids) in [("files", "1 3"), ("picks", "1"), ("folders", "1")] {
        assert_eq!(read(&database, "shop_api", session, &seen(table)).await, Ok(Some(ids.to_owned())), "{table}");
    }
    assert_eq!(read(&database, "shop_api", "", &seen("files")).await, Ok(None));
}

#[tokio::test]
async fn a_schema_a_tenant_is_asked_about_and_not_cut_across() {
    let database = support::cluster().await;
    let tables = |of: &str| {
        format!(
            "create schema {of}; create table {of}.customers (id int primary key, name text);
             create table {of}.orders (id int primary key, customer_id int references {of}.customers);
             create table {of}.bills (id int primary key, customer_id int not null references {of}.customers);
             grant usage on schema {of} to shop_api; grant select, insert on all tables in schema {of} to shop_api;"
        )
    };
    database.run(&format!("{ROLES} reset role; {}{}", tables("acme"), tables("\"Globex; Inc\""))).await;
    let plan = made(2, &mut collected(&database, &Config::default()).await, &Config::default()).await;
    assert!(plan.steps.is_empty(), "{plan:#?}");
    assert!(plan.questions[0].question.contains("Globex; Inc and acme hold the same tables"), "{:?}", plan.questions);
    assert_eq!(plan.open[0].check, "tenant-isolation/tenant-schemas-shared");

    // A plan that does not lead to the stage ends as what somebody has to decide.
    for (more, code) in [(None, 4), (Some("--allow-undecided"), 0), (Some("--exit-zero"), 0)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
        command.env_clear().args(["plan-stage", "2", &database.url(), "--no-prove", "--no-progress"]).args(more);
        command.stdin(Stdio::null()).current_dir(env!("CARGO_TARGET_TMPDIR"));
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!(output.status.code(), Some(code), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
