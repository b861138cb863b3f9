//! Databases where nothing says a tenant yet, and whose owner is nothing more than that.

use super::{collected, faults, made};
use crate::support;
use govctl::config::Config;
use sqlx::{AssertSqlSafe, Connection, Executor};

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
    reset role;
    insert into accounts values (1, 'a'), (2, 'b');
    insert into buyers values (1, 1, 'x'), (2, 2, 'y');
    insert into parts values (1, 'eu', 1), (2, 'eu', 2);
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
async fn references_say_whose_rows_are_and_a_row_without_one_stops_the_plan() {
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

    // Whoever writes meanwhile finds the column that its row takes the key from.
    let at = |text: &str| plan.steps.iter().position(|step| step.up_sql().contains(text));
    let column = at("alter table public.parts add column if not exists account_id");
    let trigger = at("trigger fill_tenant_key before insert or update on public.part_lines");
    assert!(column.is_some() && column < trigger, "{column:?} {trigger:?}");

    // Whose it is, nobody can say: the plan stops before it has changed anything.
    database.run("insert into part_lines values (1, null, null)").await;
    let mut connection = database.connect().await;
    connection.execute("set session authorization deploy").await.unwrap();
    let first = &plan.steps[0];
    let refused = connection.execute(sqlx::raw_sql(AssertSqlSafe(first.up_sql()))).await.unwrap_err().to_string();
    assert!(refused.contains("part_lines has rows without part_id"), "{refused}");
    connection.close().await.unwrap();

    // The owner says that it holds the same for everybody, as the sentence proposes: it is left as it is, and nothing misses it.
    let mut config = Config::default();
    config.plan.shared = Some(vec!["public.part_lines".to_owned()]);
    let plan = made(2, &mut collected(&database, &config).await, &config).await;
    assert_eq!(faults(&plan, &[]), [""; 0], "{plan:#?}");
    assert!(!plan.steps.iter().any(|step| step.up_sql().contains("part_lines")), "{plan:#?}");
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
}
