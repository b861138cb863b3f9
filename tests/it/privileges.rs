//! Random roles, grants and owners, judged by PostgreSQL itself: the facts about who may do what are its own answers.
//!
//! What the facts say of every principal, and of every role it may become, is laid beside `has_table_privilege` and its
//! siblings, `pg_has_role` and `row_security_active`, pair by pair, on the server.

#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "a test may say what it has seen")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod random;

use govctl::config::Config;
use govctl::facts::{Facts, collect, derive};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::collections::BTreeMap;

/// More: `GOVCTL_PRIVILEGE_ROUNDS=200 cargo test --test it privileges:: -- --nocapture`.
fn rounds() -> u32 {
    std::env::var("GOVCTL_PRIVILEGE_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(6)
}

/// Tables of the facts that PostgreSQL can judge.
const JUDGED: [&str; 8] = [
    "principals",
    "role_reach",
    "relation_privileges",
    "column_privileges",
    "schema_privileges",
    "function_privileges",
    "verdicts",
    "exposure",
];

/// `look` asks what only the role itself is told.
const STAGE: &str = "
    create foreign data wrapper g_wrapper;
    create server g_server foreign data wrapper g_wrapper;
    grant usage on foreign server g_server to public;
    create function pg_temp.look() returns table (role oid, bound oid[], administers_itself boolean) language plpgsql as $$
      declare name text;
      begin
        for role, name in select oid, rolname from pg_roles loop
          perform set_config('session_authorization', name, true);
          bound := array(select oid from pg_class where relkind in ('r', 'p') and row_security_active(oid));
          administers_itself := pg_has_role(current_user, current_user, 'USAGE WITH ADMIN OPTION');
          perform set_config('session_authorization', session_user_before, true);
          return next;
        end loop;
      end $$;
";

/// A table of the facts, as an array of objects.
async fn table(facts: &mut Facts, name: &str) -> Value {
    let rows = sqlx::query(AssertSqlSafe(format!("select * from {name}"))).fetch_all(facts.connection()).await.unwrap();
    let value = |row: &sqlx::sqlite::SqliteRow, index: usize| {
        row.try_get::<i64, _>(index)
            .map(Value::from)
            .or_else(|_| row.try_get::<Option<String>, _>(index).map(Value::from))
    };
    let object = |row: &sqlx::sqlite::SqliteRow| {
        let cells = row
            .columns()
            .iter()
            .map(|c| (sqlx::Column::name(c).to_owned(), value(row, sqlx::Column::ordinal(c)).unwrap()));
        Value::Object(cells.collect::<Map<_, _>>())
    };
    rows.iter().map(object).collect()
}

async fn facts(connection: &mut PgConnection) -> Value {
    let mut facts = Facts::empty().await.unwrap();
    sqlx::raw_sql("savepoint look; set local search_path = ''").execute(&mut *connection).await.unwrap();
    collect::collect(connection, &mut facts).await.unwrap();
    sqlx::raw_sql("rollback to look").execute(&mut *connection).await.unwrap();
    derive::derive(&mut facts, &Config::default()).await.unwrap();
    let mut tables = Map::new();
    for name in JUDGED.into_iter().chain(["tenant_keys"]) {
        tables.insert(name.to_owned(), table(&mut facts, name).await);
    }
    Value::Object(tables)
}

/// What was compared how often, and where the two differ, in words.
async fn compare(connection: &mut PgConnection, version_num: u32, facts: &Value) -> (Counts, Vec<String>) {
    let maintain = if version_num >= 170_000 { "has_table_privilege(s.role, c.oid, 'MAINTAIN')" } else { "false" };
    let sql = include_str!("privileges/compare.sql")
        .replace("{set}", if version_num >= 160_000 { "SET" } else { "MEMBER" })
        .replace("{maintain}", maintain)
        .replace("$1", "$1::jsonb");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(facts.to_string()).fetch_all(connection).await.unwrap();
    let differ = rows.iter().filter(|row| row.get("differs")).map(|row| row.get("disagreement")).collect();
    let mut counts = Counts::new();
    for row in &rows {
        *counts.entry(row.get("what")).or_default() += 1;
    }
    (counts, differ)
}

/// Runs a statement as somebody and says whether PostgreSQL let it; what it refused leaves nothing behind.
/// By savepoints, since PL/pgSQL cannot catch an error on the embedded server.
async fn allows(connection: &mut PgConnection, sql: &str, role: Option<&str>) -> bool {
    let role = role.unwrap_or("none");
    let tried = format!("savepoint tried; set local role {role}; {sql}; set local role none");
    let ran = sqlx::raw_sql(AssertSqlSafe(tried)).execute(&mut *connection).await;
    let end = if ran.is_ok() { "release tried" } else { "rollback to tried; release tried" };
    sqlx::raw_sql(end).execute(connection).await.unwrap();
    ran.is_ok()
}

/// By what the answers are about.
type Counts = BTreeMap<String, usize>;

#[tokio::test]
async fn postgresql_agrees_with_the_privileges() {
    let database = crate::support::cluster().await;
    let version_num = crate::support::server().server_version_num();
    let strategy = random::statements(version_num);
    let (mut compared, mut allowed, mut tried) = (Counts::new(), 0, 0);
    for round in 0..rounds() {
        let mut connection = database.connect().await;
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&round.to_le_bytes());
        let mut runner = TestRunner::new_with_rng(Runs::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        let statements = strategy.new_tree(&mut runner).unwrap().current();
        let user: String = sqlx::query_scalar("select session_user::text").fetch_one(&mut connection).await.unwrap();
        let stage = STAGE.replace("session_user_before", &format!("'{user}'"));
        sqlx::raw_sql(AssertSqlSafe(format!("begin; {stage}"))).execute(&mut connection).await.unwrap();
        let mut done = Vec::new();
        for (sql, role) in &statements {
            let worked = allows(&mut connection, sql, role.as_deref()).await;
            tried += 1;
            if worked {
                allowed += 1;
                done.push(match role {
                    Some(role) => format!("set role {role}; {sql}; reset role;"),
                    None => format!("{sql};"),
                });
            }
        }
        sqlx::raw_sql("create temp table session on commit drop as select * from pg_temp.look()")
            .execute(&mut connection)
            .await
            .unwrap();
        let facts = facts(&mut connection).await;
        let (counts, differ) = compare(&mut connection, version_num, &facts).await;
        assert!(
            differ.is_empty(),
            "round {round}: {} of {} differ\n{}\n\nafter\n{}",
            differ.len(),
            counts.values().sum::<usize>(),
            differ[..differ.len().min(20)].join("\n"),
            done.join("\n")
        );
        for (what, count) in counts {
            *compared.entry(what).or_default() += count;
        }
        sqlx::raw_sql("rollback").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
    let seen = format!("PostgreSQL {version_num} was asked {compared:?}; {allowed} of {tried} statements were allowed");
    let each = rounds() as usize * 2;
    let varied = compared.len() == JUDGED.len() && compared.values().all(|count| *count >= each);
    assert!(varied && allowed * 3 > tried * 2, "the generator has lost its variety: {seen}");
    println!("{seen}");
}
