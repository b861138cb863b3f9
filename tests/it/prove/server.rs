//! What a scratch server lacks, or has already.

use super::{facts, original};
use crate::support;
use govctl::config::Config;
use govctl::facts::Facts;
use govctl::plan::Step;
use govctl::plan::prove::{After, Catalog, after};
use govctl::target::scratch::{Choice, Scratch};
use govctl::ui::progress::Silent;
use sqlx::{AssertSqlSafe, Executor};

async fn after_on_its_own(steps: &[Step], before: &mut Facts) -> After {
    let choice = if support::is_embedded() { Choice::Embedded } else { Choice::Auto { scratch_url: None } };
    let scratch = Scratch::start(choice).await.unwrap();
    after(steps, before, &Config::default(), &scratch, &Silent).await.unwrap()
}

async fn change(facts: &mut Facts, sql: &'static str) {
    facts.connection().execute(AssertSqlSafe(sql)).await.unwrap();
}

async fn lines(facts: &mut Facts, sql: &'static str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(facts.connection()).await.unwrap()
}

/// As on a managed service: the bootstrap superuser is the hoster's, and `postgres` is an ordinary role.
#[tokio::test]
async fn an_owner_that_is_called_as_the_scratch_s_superuser() {
    let database = original(
        "create role plain_owner login createrole; create role plain_app login; create schema app authorization plain_owner; set role plain_owner;
         create table app.orders (id int primary key, tenant_id int not null);
         alter default privileges in schema app grant select on tables to plain_app;
         grant usage on schema app to plain_app; reset role",
    )
    .await;
    let mut before = facts(&database).await;
    change(&mut before, "update roles set name = 'cloud_admin' where oid = 10").await;
    change(&mut before, "update roles set name = 'postgres' where name = 'plain_owner'").await;
    let step = Step {
        n: 1,
        name: "more".into(),
        stage: 2,
        kind: None,
        why: String::new(),
        transaction: true,
        up: vec![
            "create table app.more (id int)".into(),
            "alter table app.orders add column x int".into(),
            "alter role postgres bypassrls".into(),
        ],
        down: Vec::new(),
        closes: Vec::new(),
        lock: String::new(),
        reversible: true,
        notes: Vec::new(),
        questions: Vec::new(),
    };
    let mut after = after_on_its_own(&[step], &mut before).await;
    assert_eq!(after.failed, None);
    let then = Catalog::read(&mut before).await.unwrap();
    let changes = then.until(&Catalog::read(&mut after.facts).await.unwrap());
    let more = "+ relation app.more: table of postgres rls 00 options 00 partition 0 permanent";
    assert!(changes.iter().any(|line| line == more), "{changes:#?}");
    assert!(
        changes.iter().any(|line| line.starts_with("+ grant SELECT on relation app.more to plain_app by postgres")),
        "{changes:#?}"
    );
    assert!(changes.iter().all(|line| line.contains("app.more") || line.contains("app.orders.x")), "{changes:#?}");
    assert_eq!(
        lines(
            &mut after.facts,
            "select name || superuser || provenance from roles where name in ('postgres', 'cloud_admin') order by 1"
        )
        .await,
        ["cloud_admin1system", "postgres0user"]
    );
    assert_eq!(
        after.remarks,
        ["the plan was run with the rights of postgres as owner, without SUPERUSER and BYPASSRLS"]
    );
    // That only a superuser could do it is said.
    assert!(after.notes.iter().any(|note| note.why.contains("alter role postgres bypassrls")), "{:#?}", after.notes);
}

#[tokio::test]
async fn an_extension_that_the_scratch_lacks_is_stood_in_for() {
    let database = original(
        "create role some_app login; create schema far;
         create function far.in_(cstring) returns text language internal strict immutable as 'textin'; create function far.distance(a text, b text) returns float8 language sql immutable as 'select 1.0::float8';
         create table chunks (id int primary key, embedding text, near float8 generated always as (far.distance(embedding, 'x')) stored);
         grant select on chunks to some_app",
    )
    .await;
    let mut before = facts(&database).await;
    // An extension of another server: its type and its function.
    change(&mut before, "insert into extensions values (99999, 'no_such_vector', '1.0', (select oid from schemas where name = 'far'), 10)").await;
    change(&mut before, "insert into types values (99998, (select oid from schemas where name = 'far'), 'far', 'vec', 'base', 10, 1, 'extension', null)").await;
    change(&mut before, "update columns set type = 'far.vec(1536)', type_name = 'vec' where name = 'embedding'").await;
    change(
        &mut before,
        "update columns set default_expression = 'far.distance((embedding)::text, ''x''::text)' where name = 'near'",
    )
    .await;
    change(&mut before, "update functions set provenance = 'extension', language = 'c' where schema = 'far'").await;
    change(&mut before, "delete from ddl where object_kind = 'function'").await;
    let mut after = after_on_its_own(&[], &mut before).await;
    let notes: Vec<_> = after.notes.iter().map(|note| format!("{}: {}", note.object, note.why)).collect();
    assert_eq!(notes.len(), 1, "{notes:#?}");
    assert!(notes[0].starts_with("no_such_vector: this extension is not in the copy"), "{notes:#?}");
    assert_eq!(
        lines(&mut after.facts, "select type || ' ' || type_name from columns where name = 'embedding'").await,
        ["far.vec(1536) vec"]
    );
    // What stands in is the extension's still, and nothing else came with it. SQL cannot say a function that takes cstring.
    assert_eq!(
        lines(&mut after.facts, "select provenance || ' ' || name from functions where schema = 'far' order by 1")
            .await,
        ["extension distance"]
    );
    assert_eq!(
        lines(&mut after.facts, "select name from extensions where name <> 'plpgsql'").await,
        ["no_such_vector"]
    );
}

#[tokio::test]
async fn a_given_server_s_own_role_is_left_as_it_is() {
    if support::is_embedded() {
        return;
    }
    let database =
        original("create role same_name login; create table t (id int); grant select on t to same_name").await;
    let mut before = facts(&database).await;
    let other = Scratch::start(Choice::Auto { scratch_url: None }).await.unwrap();
    let given = Scratch::start(Choice::Given(other.url())).await.unwrap();
    let connection = || async { sqlx::ConnectOptions::connect(other.options()).await.unwrap() };
    sqlx::raw_sql("create role same_name nologin createdb; create role a_stranger login")
        .execute(&mut connection().await)
        .await
        .unwrap();
    let mut after = after(&[], &mut before, &Config::default(), &given, &Silent).await.unwrap();
    let notes: Vec<_> = after.notes.iter().map(|note| format!("{}: {}", note.object, note.why)).collect();
    assert_eq!(
        notes,
        ["same_name: this role is not in the copy: the scratch server has one of this name with other attributes"]
    );
    assert_eq!(
        lines(&mut after.facts, "select name from roles where name not glob 'pg_*' order by 1").await,
        ["postgres", "same_name"]
    );
    let left: Vec<String> =
        sqlx::query_scalar("select rolname || rolcreatedb from pg_roles where rolname !~ '^pg_' order by 1")
            .fetch_all(&mut connection().await)
            .await
            .unwrap();
    assert_eq!(left, ["a_strangerfalse", "postgrestrue", "same_nametrue"]);
    let databases: Vec<String> = sqlx::query_scalar("select datname::text from pg_database order by 1")
        .fetch_all(&mut connection().await)
        .await
        .unwrap();
    assert_eq!(databases, ["postgres", "template0", "template1"]);
}

/// Roles that were made for a copy go with it.
#[tokio::test]
async fn nothing_stays_on_the_server() {
    if support::is_embedded() {
        return;
    }
    let database = original(
        "create role left_owner; create role left_app login; create schema app authorization left_owner;
        create table app.t (id int); alter table app.t owner to left_owner; grant select on app.t to left_app",
    )
    .await;
    let mut before = facts(&database).await;
    let scratch = Scratch::start(Choice::Auto { scratch_url: None }).await.unwrap();
    for _ in 0..2 {
        let after = after(&[], &mut before, &Config::default(), &scratch, &Silent).await.unwrap();
        assert!(after.notes.is_empty(), "{:#?}", after.notes);
        let mut connection = sqlx::ConnectOptions::connect(scratch.options()).await.unwrap();
        let left: Vec<String> = sqlx::query_scalar("select rolname::text from pg_roles where rolname !~ '^pg_'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert_eq!(left, ["postgres"]);
    }
}
