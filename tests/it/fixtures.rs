//! The databases under `fixtures/` are what they say: every claim in them is carried out against PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use govctl::assess::{self, Assessment};
use govctl::check::{Library, Severity};
use govctl::config::Config;
use govctl::facts::{Facts, collect, derive};
use govctl::target::Session;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use std::path::{Path, PathBuf};

const A: &str = "a0000000-0000-4000-8000-000000000001";
const B: &str = "b0000000-0000-4000-8000-000000000002";

#[tokio::test]
async fn clean_databases_isolate() {
    for path in scripts("clean") {
        let fixture = Fixture::read(&path);
        let (counts, serious) = fixture.act().await;
        assert!(serious.is_empty(), "{path:?} is accused: {serious:#?}");
        let foreign: Vec<_> = counts.iter().filter(|claim| claim.word != "sees").collect();
        assert!(!foreign.is_empty() || fixture.claims("refused") > 0, "{path:?} claims nothing");
        assert!(foreign.iter().all(|claim| claim.count == 0), "{path:?} leaks: {foreign:#?}");
        assert!(
            counts.iter().filter(|claim| claim.word == "sees").all(|claim| claim.count > 0),
            "{path:?}: {counts:#?}"
        );
    }
}

#[tokio::test]
async fn holes_leak() {
    for path in scripts("holes") {
        let fixture = Fixture::read(&path);
        assert_eq!(fixture.claims("table"), 1, "{path:?} says where");
        if crate::support::server().server_version_num() < fixture.since() {
            continue;
        }
        let (counts, serious) = fixture.act().await;
        let place = fixture.header.iter().find(|(word, _)| word == "table").map(|(_, table)| table).unwrap();
        let found = serious.iter().any(|(object, message)| object == place || message.contains(place.as_str()));
        assert!(found, "{path:?} is not found out: {serious:#?}");
        assert!(counts.len() > 1 && counts.iter().all(|claim| claim.count > 0), "{path:?} does not leak: {counts:#?}");
    }
}

/// What a login that works for tenant A gets hold of: requirement, object, login, and SQL that ends in a number above
/// zero where the hole is real. The list is that of `fixtures/demo/README.md`.
const DEMO: [(&str, &str, &str, &str); 21] = [
    ("TI-01", "app.invoices", "support_agent", "select count(*) from app.invoices where tenant_id <> :A"),
    ("TI-01", "app.chunks", "support_agent", "select count(*) from app.chunks where content like '%recall%'"),
    ("TI-05", "app.documents", "support_agent", "select count(*) from app.documents where tenant_id = :B"),
    (
        "TI-06",
        "app.tool_calls",
        "support_agent",
        "insert into app.tool_calls (tenant_id, conversation_id, tool, arguments) \
         values (:B, 'b0000000-0000-4000-8000-000000000031', 'x', '{}'); select 1::bigint",
    ),
    (
        "TI-07",
        "incident_debug",
        "support_agent",
        "set local role incident_debug; select count(*) from app.messages where tenant_id = :B",
    ),
    (
        "TI-12",
        "app.enter_tenant",
        "support_agent",
        "select app.enter_tenant(:B); commit; begin; select count(*) from app.messages where tenant_id = :B",
    ),
    (
        "TI-17",
        "app.recent_documents",
        "support_agent",
        "select count(*) from app.recent_documents where tenant_id = :B",
    ),
    (
        "TI-18",
        "app.document_statistics",
        "support_agent",
        "select count(*) from app.document_statistics where tenant_id = :B",
    ),
    ("TI-19", "app.search_documents", "analyst", "select count(*) from app.search_documents('recall')"),
    // Ends in an error instead: the address of somebody A cannot see is taken.
    (
        "TI-23",
        "app.users",
        "app_api",
        "insert into app.users (tenant_id, email, full_name) values (:A, 'bea@birch.example', '')",
    ),
    (
        "SS-01",
        "app.integrations",
        "support_agent",
        "select count(*) from app.integrations where access_token is not null",
    ),
    (
        "SS-05",
        "app_api",
        "support_agent",
        "select count(*) from pg_db_role_setting, unnest(setconfig) s where s like 'app.jwt_secret=%'",
    ),
    ("SS-02", "app.announce_refund", "support_agent", "select count(*) from pg_proc where prosrc like '%N0rthdesk%'"),
    (
        "SS-13",
        "app.customer_refs",
        "support_agent",
        "select count(*) from app.customer_refs where provider_account_id <> ''",
    ),
    ("RB-12", "support_agent", "support_agent", "create role t_made_by_the_agent; select 1::bigint"),
    ("RB-17", "support_agent", "support_agent", "create table app.made_by_the_agent (id int); select 1::bigint"),
    ("AU-11", "app.audit_log", "support_agent", "delete from app.audit_log; select 1 - count(*) from app.audit_log"),
    (
        "AU-05",
        "app.audit_log",
        "support_agent",
        "insert into app.audit_log (tenant_id, actor_kind, actor, action, object) values (:A, 'user', 'ada', 'refund', 'x'); \
         select count(*) from app.audit_log where actor_kind = 'user'",
    ),
    (
        "AU-12",
        "app.audit_log",
        "support_agent",
        "update app.audit_log set action = 'nothing'; select count(*) from app.audit_log where action = 'nothing'",
    ),
    (
        "AU-14",
        "app.audit_log",
        "app_api",
        "insert into app.conversations (tenant_id, id, subject) values (:A, 'a0000000-0000-4000-8000-0000000000ff', 'x'); \
         insert into app.audit_log (tenant_id, actor_kind, actor, action, object, conversation_id) \
         values (:A, 'user', 'ada', 'x', 'x', 'a0000000-0000-4000-8000-0000000000ff'); \
         delete from app.conversations where id = 'a0000000-0000-4000-8000-0000000000ff'; \
         select 1 - count(*) from app.audit_log where action = 'x'",
    ),
    (
        "PT-29",
        "app.refund_approvals",
        "support_agent",
        "insert into app.refund_approvals (tenant_id, amount_cents, requested_by) values (:A, 90000, 'support_agent'); \
         update app.refund_approvals set approved_by = 'ada', approved_at = now(); \
         select count(*) from app.refund_approvals where approved_by is not null",
    ),
];

#[tokio::test]
async fn every_hole_of_the_demo_is_one() {
    let database = demo().await;
    for (requirement, object, login, sql) in DEMO {
        let mut connection = database.connect().await;
        let script = format!(
            "set session authorization {login}; set app.tenant_id = :A; \
             begin; set local app.tenant_id = :A; {sql}; rollback"
        );
        let script = script.replace(":A", &format!("'{A}'")).replace(":B", &format!("'{B}'"));
        let proved = match last_number(&mut connection, &script).await {
            Ok(count) => count > 0,
            Err(error) if requirement == "TI-23" => code(&error).as_deref() == Some("23505"),
            Err(error) => panic!("{object}: {error}"),
        };
        assert!(proved, "{requirement} {object} is no hole: {script}");
        connection.close().await.unwrap();
    }
    let readme = std::fs::read_to_string(root().join("demo/README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| ")).skip(1);
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>());
    let listed: Vec<_> = cells.map(|cells| (cells[0], cells[1])).collect();
    assert_eq!(listed, DEMO.map(|(requirement, object, ..)| (requirement, object)));
}

/// Every hole of the demo is found, by a check that covers its requirement.
#[tokio::test]
async fn every_hole_of_the_demo_is_found() {
    let database = demo().await;
    let assessment = audit(&database).await;
    let findings = assessment.findings();
    for (requirement, object, ..) in &DEMO {
        let found = findings.iter().any(|(check, finding)| {
            check.covers.iter().any(|covered| covered == requirement) && finding.message.contains(object)
        });
        assert!(found, "{requirement} {object}: {:#?}", findings.iter().map(|(_, f)| &f.message).collect::<Vec<_>>());
    }
}

/// What govctl says of a database, with all its checks.
async fn audit(database: &crate::support::Database) -> Assessment {
    let mut session = Session::open(database.options().clone()).await.unwrap();
    let mut facts = Facts::empty().await.unwrap();
    collect::collect(session.connection(), &mut facts).await.unwrap();
    session.close().await;
    derive::derive(&mut facts, &Config::default()).await.unwrap();
    assess::run(&mut facts, &Library::embedded().unwrap(), &Config::default()).await.unwrap()
}

/// Where nothing was planted, the demo isolates: reads show tenant A alone, writes to B are refused.
#[tokio::test]
async fn the_rest_of_the_demo_isolates() {
    let database = demo().await;
    let mut connection = database.connect().await;
    connection.execute("set session authorization support_agent").await.unwrap();
    connection.execute(AssertSqlSafe(format!("set app.tenant_id = '{A}'"))).await.unwrap();
    for table in ["users", "memberships", "conversations", "messages", "tool_calls", "refunds", "audit_log"] {
        let ours = last_number(&mut connection, &format!("select count(*) from app.{table}")).await.unwrap();
        let theirs = format!("select count(*) from app.{table} where tenant_id <> '{A}'");
        assert!(ours > 0, "{table}");
        assert_eq!(last_number(&mut connection, &theirs).await.unwrap(), 0, "{table}");
    }
    let insert = "insert into app.messages (tenant_id, conversation_id, author, content) values \
                  ('b0000000-0000-4000-8000-000000000002', 'b0000000-0000-4000-8000-000000000031', 'agent', 'x')";
    let error = connection.execute(insert).await.unwrap_err();
    assert_eq!(code(&error).as_deref(), Some("42501"), "{error}");
    connection.close().await.unwrap();
}

async fn demo() -> crate::support::Database {
    let database = crate::support::cluster().await;
    for script in scripts("demo") {
        database.run(&std::fs::read_to_string(script).unwrap()).await;
    }
    database
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The SQL files of a folder, by name.
fn scripts(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut scripts: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ending| ending == "sql")).collect();
    scripts.sort();
    assert!(!scripts.is_empty(), "{folder}");
    scripts
}

/// The last row of a script, which is one number.
async fn last_number(connection: &mut PgConnection, sql: &str) -> Result<i64, sqlx::Error> {
    let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(connection).await?.pop().unwrap();
    row.try_get(0)
}

/// SQLSTATE.
fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(String::from)
}

/// A script and the claims in its header: see `fixtures/README.md`.
struct Fixture {
    path: PathBuf,
    script: String,
    header: Vec<(String, String)>,
}

/// A number that was claimed to be zero, or not to be.
#[derive(Debug)]
struct Claim {
    word: String,
    #[allow(dead_code, reason = "printed where it does not hold")]
    sql: String,
    count: i64,
}

impl Fixture {
    fn read(path: &Path) -> Self {
        let script = std::fs::read_to_string(path).unwrap();
        let comments = script.lines().map_while(|line| line.strip_prefix("-- "));
        let header = comments.filter_map(|line| line.split_once(": "));
        let words = ["table", "login", "since", "does", "refused", "sees", "foreign", "truth"];
        let header = header.filter(|(word, _)| words.contains(word));
        let header = header.map(|(word, rest)| (word.to_owned(), rest.to_owned())).collect();
        Self { path: path.to_owned(), script, header }
    }

    fn claims(&self, word: &str) -> usize {
        self.header.iter().filter(|(found, _)| found == word).count()
    }

    fn since(&self) -> u32 {
        self.header.iter().find(|(word, _)| word == "since").map_or(0, |(_, number)| number.parse().unwrap())
    }

    /// Carries out the header, in a transaction that is rolled back. Gives the numbers claimed, and what govctl finds
    /// that is high or critical: the object and the message.
    async fn act(&self) -> (Vec<Claim>, Vec<(String, String)>) {
        let database = crate::support::cluster().await;
        database.run(&self.script).await;
        let assessment = audit(&database).await;
        let serious = assessment.findings().into_iter().filter(|(_, finding)| finding.severity >= Severity::High);
        let serious = serious.map(|(_, finding)| (finding.object.to_string(), finding.message.clone())).collect();
        let mut connection = database.connect().await;
        let me: String = sqlx::query_scalar("select session_user::text").fetch_one(&mut connection).await.unwrap();
        connection.execute("begin").await.unwrap();
        let mut claims = Vec::new();
        for (word, sql) in &self.header {
            match carry_out(&mut connection, &me, word, sql).await {
                Ok(Some(count)) => claims.push(Claim { word: word.clone(), sql: sql.clone(), count }),
                Ok(None) => {}
                Err(error) => panic!("{:?}: {error}\nin: {word}: {sql}", self.path),
            }
        }
        connection.execute("rollback").await.unwrap();
        connection.close().await.unwrap();
        (claims, serious)
    }
}

/// One line of a header; a number where it claims one. `me` is the superuser.
async fn carry_out(connection: &mut PgConnection, me: &str, word: &str, sql: &str) -> Result<Option<i64>, sqlx::Error> {
    // By name: on the embedded server `reset session authorization` does nothing.
    let act_as = |login: &str| format!("set session authorization \"{login}\"");
    let mut run = async |sql: String| connection.execute(AssertSqlSafe(sql)).await.map(drop);
    match word {
        "login" => run(format!("{}; {}", act_as(me), act_as(sql))).await?,
        "does" => run(sql.into()).await?,
        "refused" => {
            run("savepoint before".into()).await?;
            let error = run(sql.into()).await.expect_err(sql);
            assert_eq!(code(&error).as_deref(), Some("42501"), "{sql}: {error}");
            run("rollback to before".into()).await?;
        }
        "truth" => {
            run(act_as(me)).await?;
            return last_number(connection, sql).await.map(Some);
        }
        "sees" | "foreign" => return last_number(connection, sql).await.map(Some),
        _ => {}
    }
    Ok(None)
}
