//! A database of its own for each test, on the server all tests share, with one of everything in it.

use govctl::facts::Facts;
use govctl::facts::collect::{Wanted, collect, collect_wanted};
use govctl::target::Session;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, TypeInfo, ValueRef};
use std::collections::BTreeMap;

/// Roles and rights on parameters belong to the whole server: one test at a time makes or removes them.
static SERVER: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const RICH: &str = include_str!("rich.sql");
const SINCE: [(u32, &str); 3] = [
    (150_000, include_str!("since_15.sql")),
    (160_000, include_str!("since_16.sql")),
    (180_000, include_str!("since_18.sql")),
];

pub(crate) fn server() -> PgConnectOptions {
    crate::support::server().options().clone()
}

pub(crate) async fn run(options: &PgConnectOptions, sql: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}

pub(crate) struct Shop {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    #[expect(dead_code, reason = "held until the test ends")]
    lock: PgConnection,
}

impl Shop {
    /// A database `name`; its roles are called `name_…`.
    pub(crate) async fn open(name: &'static str) -> Self {
        let shop = Self::empty(name).await;
        for (since, sql) in std::iter::once((0, RICH)).chain(SINCE) {
            if shop.version >= since {
                shop.sql(sql).await;
            }
        }
        shop
    }

    /// The same with nothing in it.
    pub(crate) async fn empty(name: &'static str) -> Self {
        let lock = crate::support::beside_others().await;
        let version = lock.server_version_num().unwrap();
        let shop = Self { name, version, lock };
        shop.remove().await;
        run(&server(), format!("create database {name}")).await.unwrap();
        shop
    }

    /// As the superuser, in this database. `{db}` stands for its name.
    pub(crate) async fn sql(&self, sql: &str) {
        let _alone = SERVER.lock().await;
        run(&self.options(), sql.replace("{db}", self.name)).await.unwrap();
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        server().database(self.name)
    }

    /// What a superuser collects.
    pub(crate) async fn facts(&self) -> Facts {
        facts(self.options()).await
    }

    /// What a role with nothing but LOGIN collects.
    pub(crate) async fn facts_of_an_auditor(&self) -> Facts {
        self.sql("create role \"{db}_auditor\" login password 'auditor'").await;
        facts(self.options().username(&format!("{}_auditor", self.name)).password("auditor")).await
    }

    /// Removes the database and its roles.
    pub(crate) async fn remove(&self) {
        let _alone = SERVER.lock().await;
        if run(&self.options(), format!("drop subscription if exists \"{}_pull\"", self.name)).await.is_ok() {
            run(&server(), format!("drop database {} with (force)", self.name)).await.unwrap();
        }
        let mut admin = PgConnection::connect_with(&server()).await.unwrap();
        let roles =
            sqlx::query("select quote_ident(rolname) as role from pg_roles where starts_with(rolname, $1 || '_')");
        for row in roles.bind(self.name).fetch_all(&mut admin).await.unwrap() {
            let role: String = row.get("role");
            run(&server(), format!("drop owned by {role} cascade; drop role {role}")).await.unwrap();
        }
    }
}

pub(crate) async fn facts(options: PgConnectOptions) -> Facts {
    let mut session = Session::open(options).await.unwrap();
    let mut facts = Facts::empty().await.unwrap();
    collect(session.connection(), &mut facts).await.unwrap();
    session.close().await;
    facts
}

/// The same by two connections under one snapshot.
pub(crate) async fn facts_by_two(options: PgConnectOptions) -> Facts {
    let mut session = Session::open(options).await.unwrap();
    let mut beside = session.beside().await.unwrap().expect("a second session");
    let mut facts = Facts::empty().await.unwrap();
    let second = Some(beside.connection());
    collect_wanted(session.connection(), second, &mut facts, Wanted::default()).await.unwrap();
    session.close().await;
    beside.close().await;
    facts
}

/// The rows of a query over the facts, values separated by ` | `, nulls as `∅`.
pub(crate) async fn rows(facts: &mut Facts, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(facts.connection()).await.unwrap();
    let text = |row: &sqlx::sqlite::SqliteRow, index| {
        let value = row.try_get_raw(index).unwrap();
        let kind = value.type_info().name().to_owned();
        match kind.as_str() {
            _ if value.is_null() => "∅".to_owned(),
            "INTEGER" => row.get::<i64, _>(index).to_string(),
            "REAL" => row.get::<f64, _>(index).to_string(),
            _ => row.get::<String, _>(index),
        }
    };
    rows.iter().map(|row| (0..row.len()).map(|i| text(row, i)).collect::<Vec<_>>().join(" | ")).collect()
}

/// What a query over the facts must give, in order.
pub(crate) async fn assert_rows(facts: &mut Facts, sql: &str, expected: &[&str]) {
    assert_eq!(rows(facts, sql).await, expected, "{sql}");
}

/// The tables of part 1 of the schema, each with its rows in order.
pub(crate) async fn everything(facts: &mut Facts) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    let (collected, _) = govctl::facts::SCHEMA.split_once("2. derived").unwrap();
    for table in collected.lines().filter_map(|line| line.strip_prefix("create table ")) {
        let table = table.split(' ').next().unwrap();
        let mut found = rows(facts, &format!("select * from {table}")).await;
        found.sort();
        all.insert(table.to_owned(), found);
    }
    all
}
