//! The facts file: what is saved is what is opened, and a bad file is a clear refusal.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may what helps it")]

use govctl::error::Stop;
use govctl::exit::Exit;
use govctl::facts::Facts;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use std::path::{Path, PathBuf};

const TARGET: [&str; 11] = [
    "schema_version",
    "govctl_version",
    "taken_at",
    "kind",
    "database",
    "database_oid",
    "server_version",
    "server_version_num",
    "role",
    "role_is_superuser",
    "in_recovery",
];

async fn some_facts() -> Facts {
    let mut facts = Facts::empty().await.unwrap();
    let target =
        ["1", "0.1.0", "2030-01-01T00:00:00Z", "database", "shop", "5", "15.18", "150018", "auditor", "0", "0"];
    facts.insert("target", &TARGET, vec![target.map(|value| Some(value.to_owned())).to_vec()]).await.unwrap();
    let schema = |oid: i64| {
        let comment = (oid % 2 == 0).then(|| "even\n'\"; \u{1b}[31m".to_owned());
        let name = Some(format!("s{oid}"));
        vec![Some(oid.to_string()), name, Some("10".into()), Some("user".into()), Some("1".into()), comment]
    };
    let columns = ["oid", "name", "owner", "provenance", "default_acl", "comment"];
    facts.insert("schemas", &columns, (1..=20_000).map(schema).collect()).await.unwrap();
    facts
}

/// A saved file, changed by SQL as an enemy or an older govctl would have it.
async fn saved(folder: &Path, change: &str) -> PathBuf {
    let path = folder.join("facts.db");
    some_facts().await.save(&path).await.unwrap();
    let mut file = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(change.to_owned())).execute(&mut file).await.unwrap();
    file.close().await.unwrap();
    path
}

async fn refusal(path: &Path) -> String {
    let stop = Facts::open(path).await.expect_err("the file must be refused");
    assert_eq!(stop.exit(), Exit::Usage);
    match stop {
        Stop::Facts { message, help } => format!("{message}\n{}", help.expect("a way out")),
        stop => panic!("{stop:?}"),
    }
}

async fn count(facts: &mut Facts, what: &str) -> i64 {
    let sql = format!("select count(*) from {what}");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(facts.connection()).await.unwrap()
}

#[tokio::test]
async fn what_is_saved_is_what_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b?%41#.db");
    some_facts().await.save(&path).await.unwrap();
    some_facts().await.save(&path).await.unwrap();
    let mut facts = Facts::open(&path).await.unwrap();
    assert_eq!(count(&mut facts, "schemas").await, 20_000);
    assert_eq!(
        count(&mut facts, "schemas where comment = 'even' || char(10) || '''\"; ' || char(27) || '[31m'").await,
        10_000
    );
    assert_eq!(count(&mut facts, "schemas where typeof(oid) = 'integer' and typeof(owner) = 'integer'").await, 20_000);
    assert_eq!(count(&mut facts, "target where kind = 'facts' and database = 'shop'").await, 1);
    assert_eq!(count(&mut facts, "unseen").await, 0);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no unfinished file stays behind: {left:?}");
}

#[tokio::test]
async fn rows_are_inserted_all_or_none() {
    let mut facts = Facts::empty().await.unwrap();
    let row = |values: &[&str]| values.iter().map(|value| Some((*value).to_owned())).collect::<Vec<_>>();
    let columns = ["oid", "name"];
    facts.insert("parameters", &columns, Vec::<Vec<Option<String>>>::new()).await.unwrap();
    let twice = (0..9_999).chain([7]).map(|oid| row(&[&oid.to_string(), "work_mem"])).collect();
    assert!(facts.insert("parameters", &columns, twice).await.is_err(), "one oid twice");
    let stop = facts.insert("parameters", &columns, vec![row(&["1"])]).await.unwrap_err();
    assert!(stop.to_string().contains("one value for each column"), "{stop}");
    assert_eq!(count(&mut facts, "parameters").await, 0);
    facts.insert("parameters", &columns, vec![row(&["1", "work_mem"])]).await.unwrap();
    assert_eq!(count(&mut facts, "parameters").await, 1);
}

#[tokio::test]
async fn the_derived_part_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), "insert into tenancy values ('single', 'config', null, 'trust me')").await;
    assert_eq!(count(&mut Facts::open(&path).await.unwrap(), "tenancy").await, 0);
}

#[tokio::test]
async fn a_save_that_fails_leaves_nothing_and_breaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    std::fs::create_dir(&taken).unwrap();
    let stop = some_facts().await.save(&taken).await.unwrap_err();
    assert!(stop.to_string().contains("cannot be written"), "{stop}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let stop = some_facts().await.save(&folder.path().join("no/such/folder.db")).await.unwrap_err();
    assert!(stop.to_string().contains("cannot be written"), "{stop}");
}

#[tokio::test]
async fn a_file_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.db");
    assert!(refusal(&path).await.contains("No such file"), "missing");
    assert!(refusal(folder.path()).await.contains("cannot be read"), "a folder");
    std::fs::write(&path, b"").unwrap();
    assert!(refusal(&path).await.contains("no facts file"), "empty");
    std::fs::write(&path, "create table target".repeat(1000)).unwrap();
    assert!(refusal(&path).await.contains("is not an SQLite database"), "text");
    std::fs::write(&path, b"").unwrap();
    let mut other = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::raw_sql("create table target (a)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let said = refusal(&path).await;
    assert!(said.contains("no facts file"), "another database: {said}");
}

#[tokio::test]
async fn a_damaged_file_is_refused_wherever_it_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), "").await;
    let whole = std::fs::read(&path).unwrap();
    for length in [10, 99, 100, 2_000, 4_096, 10_000, whole.len() / 2, whole.len() - 4_096, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let said = refusal(&path).await;
        assert!(said.contains("is damaged") || said.contains("is not an SQLite database"), "{length}: {said}");
    }
    for page in 1..whole.len() / 4_096 {
        let mut damaged = whole.clone();
        damaged[page * 4_096..page * 4_096 + 16].fill(0xAA);
        std::fs::write(&path, damaged).unwrap();
        let said = refusal(&path).await;
        assert!(said.contains("is damaged"), "{page}: {said}");
    }
}

#[tokio::test]
async fn another_schema_version_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let newer =
        refusal(&saved(folder.path(), "update target set schema_version = 2, govctl_version = '9.8.7'").await).await;
    assert!(
        newer.contains("schema version 2") && newer.contains("update govctl") && newer.contains("9.8.7"),
        "{newer}"
    );
    let older = refusal(&saved(folder.path(), "update target set schema_version = 0").await).await;
    assert!(older.contains("collect the facts again"), "{older}");
    for change in ["delete from target", "insert into target select * from target"] {
        assert!(refusal(&saved(folder.path(), change).await).await.contains("does not say"), "{change}");
    }
}

#[tokio::test]
async fn an_older_file_of_the_same_schema_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), "drop table policies; alter table schemas drop column comment").await;
    let mut facts = Facts::open(&path).await.unwrap();
    assert_eq!(count(&mut facts, "schemas").await, 20_000);
    assert_eq!(count(&mut facts, "unseen where area = 'policies'").await, 1);
    assert_eq!(count(&mut facts, "unseen where area = 'schemas'").await, 1);
    assert_eq!(count(&mut facts, "unseen").await, 2);
}

#[tokio::test]
async fn hostile_schemas_are_refused_or_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let view = "drop table unseen;
        create view unseen (area, object, why, needs) as
        with recursive forever (n) as (select 1 union all select n + 1 from forever) select n, n, n, n from forever";
    assert!(refusal(&saved(folder.path(), view).await).await.contains("no complete table"));
    let text = "update schemas set owner = 'nobody' where oid = 7";
    assert!(refusal(&saved(folder.path(), text).await).await.contains("wrong type"));
    let blob = "update schemas set name = x'00ff' where oid = 7";
    assert!(refusal(&saved(folder.path(), blob).await).await.contains("wrong type"));
    let null = "pragma writable_schema = on;
        update sqlite_schema set sql = replace(sql, 'why text not null', 'why text') where name = 'unseen';
        pragma writable_schema = reset;
        insert into unseen values ('policies', null, null, 'x')";
    assert!(refusal(&saved(folder.path(), null).await).await.contains("cannot be read"));
    let extra = "create table more (a); create trigger t after insert on more begin select 1; end; alter table schemas add column more";
    assert_eq!(count(&mut Facts::open(&saved(folder.path(), extra).await).await.unwrap(), "schemas").await, 20_000);
}
