//! `govctl verify-chain` against forged chains: every fixture under `fixtures/chains` is carried out, each tampering alone.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs the program and reads its JSON.
pub(crate) async fn verify(url: &str, arguments: &[&str], key: Option<&str>) -> (Value, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
    command.env_clear().args(["verify-chain", url, "--format", "json"]).args(arguments).stdin(Stdio::null());
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    if let Some(key) = key {
        command.env("GOVCTL_CHAIN_KEY", key);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let document = serde_json::from_str(&text);
    let document =
        document.unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (document, output.status.code().unwrap())
}

/// A chain, and what is done to it.
pub(crate) struct Fixture {
    path: PathBuf,
    pub(crate) script: String,
    lines: Vec<(String, String)>,
}

impl Fixture {
    pub(crate) fn read(path: &Path) -> Self {
        let script = std::fs::read_to_string(path).unwrap();
        let header = script.lines().filter_map(|line| line.strip_prefix("-- ")?.split_once(':'));
        let lines = header.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect();
        Self { path: path.to_owned(), script, lines }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.lines.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Every line of a kind.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(move |(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// What is done, and what must be said; first nothing is done.
    pub(crate) fn cases(&self) -> Vec<(&str, &str)> {
        let tampers = self.lines.iter().filter(|(key, _)| key == "tamper");
        let split = tampers.map(|(_, line)| line.rsplit_once(" => ").unwrap_or_else(|| panic!("{line}")));
        std::iter::once(("", self.get("verdict").unwrap_or("intact"))).chain(split).collect()
    }
}

/// What the document says of its only chain, in the words of the fixtures.
pub(crate) fn said(document: &Value) -> String {
    let chain = &document["chains"][0];
    let breaks = chain["breaks"].as_array().unwrap();
    if breaks.is_empty() {
        return chain["verdict"].as_str().unwrap_or("nothing").to_owned();
    }
    assert_eq!(chain["verdict"], "broken");
    let one = |it: &Value| format!("{} {}", it["kind"].as_str().unwrap(), it["at"].as_str().unwrap());
    breaks.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `gap` and `gap *` are a gap anywhere; `*` is anything.
pub(crate) fn fits(expected: &str, said: &str) -> bool {
    if expected == "*" || expected == said {
        return true;
    }
    let mut wanted: Vec<&str> = expected.split(',').map(|one| one.trim().trim_end_matches('*').trim_end()).collect();
    let mut found: Vec<&str> = said.split(", ").collect();
    if said.contains(' ') && !expected.contains(' ') && !found.iter().all(|one| one.contains(' ')) {
        return false;
    }
    wanted.sort_unstable();
    found.sort_unstable();
    wanted.len() == found.len()
        && wanted.iter().zip(&found).all(|(wanted, found)| wanted == found || found.split(' ').next() == Some(*wanted))
}

/// A configuration that says how the rows of a table are hashed.
fn declared(table: &str, formula: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    // JSON is YAML.
    let chain = serde_json::json!({ "table": table, "formula": formula });
    std::fs::write(file.path(), format!("chains: [{chain}]\n")).unwrap();
    file
}

async fn carry_out(folder: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/chains").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    if crate::support::is_embedded() {
        return; // one connection at a time, and no pgcrypto
    }
    let database = crate::support::database().await;
    let mut wrong = String::new();
    for path in paths {
        let fixture = Fixture::read(&path);
        for (tamper, expected) in fixture.cases() {
            database.run(&format!("drop schema if exists s cascade; {}", fixture.script)).await;
            if !tamper.is_empty() {
                database.run(&format!("set session_replication_role = replica; {tamper}")).await;
            }
            let table = fixture.get("table").unwrap();
            let mut arguments = vec!["--table", table];
            let config = fixture.get("formula").map(|formula| declared(table, formula));
            let config = config.as_ref().map(|file| file.path().to_str().unwrap());
            arguments.extend(config.iter().flat_map(|path| ["--config", path]));
            let (document, code) = verify(&database.url(), &arguments, fixture.get("key")).await;
            if let (Some(why), Some("undecided")) = (fixture.get("why"), document["chains"][0]["verdict"].as_str()) {
                let told = document["chains"][0]["why"].as_str().unwrap();
                assert!(told.contains(why), "{told}");
            }
            let said = said(&document);
            let exit = match document["chains"][0]["verdict"].as_str() {
                Some("intact") => 0,
                Some("broken") => 5,
                _ => 4,
            };
            assert_eq!((code, &document["exit"]), (exit, &Value::from(exit)));
            let name = fixture.path.file_name().unwrap().to_string_lossy().into_owned();
            if !fits(expected, &said) {
                wrong += &format!("{name}: {tamper}\n    expected {expected}\n    said     {said}\n");
            }
            let mut uncovered: Vec<&str> = document["chains"][0]["uncovered"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            uncovered.sort_unstable();
            if let (Some(expected), true) = (fixture.get("uncovered"), tamper.is_empty()) {
                let expected: Vec<&str> = expected.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
                assert_eq!(uncovered, expected, "{name}: columns no hash protects");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[tokio::test]
async fn every_tampering_is_named_and_placed() {
    carry_out("layouts").await;
}

#[tokio::test]
async fn what_only_looks_like_tampering_is_none() {
    carry_out("alarms").await;
}

#[tokio::test]
async fn a_declared_formula_is_what_counts() {
    carry_out("declared").await;
}

#[tokio::test]
async fn what_nobody_can_know_is_undecided() {
    carry_out("undecided").await;
}

pub(crate) const CHAIN: &str = "
    create schema s;
    create table s.log (id bigserial primary key, msg text, prev_hash text, hash text);
    create function s.seal() returns trigger language plpgsql as $$ begin
      new.prev_hash := coalesce((select hash from s.log order by id desc limit 1), '');
      new.hash := encode(sha256(convert_to(new.prev_hash || new.id || new.msg, 'UTF8')), 'hex');
      return new; end $$;
    create trigger seal before insert on s.log for each row execute function s.seal();
    insert into s.log(msg) select 'm' || n from generate_series(1, 60) n;";

#[tokio::test]
async fn a_head_from_outside_pins_the_end() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    database.run(CHAIN).await;
    let url = database.url();
    let (document, code) = verify(&url, &[], None).await;
    assert_eq!((code, document["chains"][0]["tail"].as_str()), (0, Some("unpinned")));
    let head = document["chains"][0]["head"].clone();
    let (position, hash) = (head["position"].as_str().unwrap(), head["hash"].as_str().unwrap());
    assert_eq!(position, "60");
    let expected = format!("{position}:{hash}");
    for expect in [hash, &expected, &format!("s.log={expected}")] {
        let (document, code) = verify(&url, &["--expect", expect], None).await;
        assert_eq!((code, document["chains"][0]["tail"].as_str()), (0, Some("pinned")), "{expect}");
    }
    database.run("insert into s.log(msg) values ('later')").await;
    assert_eq!(verify(&url, &["--expect", &expected], None).await.1, 0, "newer rows are no harm");
    database.run("set session_replication_role = replica; delete from s.log where id > 55").await;
    assert_eq!(verify(&url, &[], None).await.1, 0, "the chain alone does not show it");
    let (document, code) = verify(&url, &["--expect", &expected], None).await;
    assert_eq!((code, said(&document).as_str()), (5, "truncated 60"));
    let (document, code) = verify(&url, &["--expect", hash], None).await;
    assert_eq!((code, &document["chains"][0]["breaks"][0]["kind"]), (5, &Value::from("truncated")));
}

#[tokio::test]
async fn hidden_rows_and_columns_and_views_are_undecided() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    let role = crate::support::unique("chain_reader");
    database.run(CHAIN).await;
    database
        .run(&format!(
            "create role {role} login; grant usage on schema s to {role}; grant select (id, msg, prev_hash) on s.log to {role};
             create view s.shown as select * from s.log"
        ))
        .await;
    let url = database.url();
    let (document, code) = verify(&url, &["--table", "s.shown"], None).await;
    assert_eq!((code, document["chains"][0]["verdict"].as_str()), (4, Some("undecided")));
    let as_role = format!("{url}{}options=-c%20role%3D{role}", if url.contains('?') { '&' } else { '?' });
    let (document, code) = verify(&as_role, &["--table", "s.log"], None).await;
    assert_eq!((code, document["chains"][0]["verdict"].as_str()), (4, Some("undecided")));
    assert!(document["chains"][0]["needs"].as_str().unwrap().contains("grant select on s.log"));
    database
        .run(&format!(
            "grant select on s.log to {role}; alter table s.log enable row level security; create policy p on s.log using (id > 5)"
        ))
        .await;
    let (document, code) = verify(&as_role, &[], None).await;
    assert_eq!((code, document["chains"][0]["verdict"].as_str()), (4, Some("undecided")));
    assert!(document["chains"][0]["why"].as_str().unwrap().contains("row-level security"));
    database.run("drop policy p on s.log").await;
    database.run(&format!("drop owned by {role}; drop role {role}")).await;
}

/// Runs the program for its text.
pub(crate) async fn govctl(arguments: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
    command.env_clear().args(arguments).stdin(Stdio::null()).current_dir(env!("CARGO_TARGET_TMPDIR"));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
        output.status.code().unwrap(),
    )
}

#[tokio::test]
async fn a_checkpoint_shows_what_the_chain_alone_does_not() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    database.run(CHAIN).await;
    let url = database.url();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (key, out, public) = (path("key"), path("out"), path("public"));
    let (text, code) = govctl(&["checkpoint", "--new-key", "tests", "--key", &key]).await;
    assert_eq!(code, 0, "{text}");
    std::fs::write(&public, text).unwrap();
    let sign = ["checkpoint", &url, "--key", &key, "--out", &out];
    let (text, code) = govctl(&sign).await;
    assert_eq!((code, text.contains("signs 60 rows of s.log")), (0, true), "{text}");
    let note = format!("{out}/s.log.hash.checkpoint");
    let pinned = ["--checkpoint", &note, "--trust", &public];
    let (document, code) = verify(&url, &pinned, None).await;
    assert_eq!((code, document["chains"][0]["tail"].as_str()), (0, Some("pinned")));
    database.run("insert into s.log(msg) select 'later' from generate_series(1, 5)").await;
    let (document, code) = verify(&url, &["--since", &note, "--trust", &public], None).await;
    assert_eq!((code, document["chains"][0]["rows"].as_u64()), (0, Some(5)), "{document}");
    assert!(document["chains"][0]["notes"][0].as_str().unwrap().contains("not read again"));
    assert_eq!(govctl(&sign).await.1, 0, "a longer chain is signed, too");
    let rewrite = "set session_replication_role = replica; do $$ declare r record; p text := ''; begin
        for r in select * from s.log order by id loop
          update s.log set msg = case id when 30 then 'evil' else msg end, prev_hash = p,
            hash = encode(sha256(convert_to(p || id || case id when 30 then 'evil' else msg end, 'UTF8')), 'hex')
          where id = r.id returning hash into p;
        end loop; end $$";
    database.run(rewrite).await;
    assert_eq!(verify(&url, &[], None).await.1, 0, "every hash was computed anew");
    let (document, code) = verify(&url, &pinned, None).await;
    assert_eq!((code, said(&document).as_str()), (5, "rewritten 65"));
    assert_eq!(govctl(&sign).await.1, 5, "what does not extend the last checkpoint is not signed");
    database.run("delete from s.log where id > 40").await;
    let (document, _) = verify(&url, &pinned, None).await;
    assert_eq!(said(&document), "truncated 65");
    let forged = std::fs::read_to_string(&note).unwrap().replace("\n65\n", "\n40\n");
    std::fs::write(&note, forged).unwrap();
    let (text, code) = govctl(&["verify-chain", &url, "--checkpoint", &note, "--trust", &public]).await;
    assert_eq!(code, 2, "{text}");
}

#[tokio::test]
async fn every_format_says_the_break() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    database.run(CHAIN).await;
    database.run("set session_replication_role = replica; update s.log set msg = 'evil' where id = 7").await;
    let url = database.url();
    for (format, holds) in [
        ("human", "content at 7"),
        ("sarif", "\"ruleId\": \"chain/content\""),
        ("junit", "failures=\"1\""),
        ("github", "::error title=s.log is broken"),
    ] {
        let (text, code) = govctl(&["verify-chain", &url, "--format", format]).await;
        assert_eq!((code, text.contains(holds)), (5, true), "{format}: {text}");
    }
    assert_eq!(govctl(&["verify-chain", &url, "--exit-zero"]).await.1, 5);
    assert_eq!(govctl(&["verify-chain", &url, "--format", "html"]).await.1, 2);
}

#[tokio::test]
async fn a_table_large_enough_is_read_by_several() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    database
        .run(
            "create schema s; create table s.log (id bigint primary key, msg text, prev_hash text, hash text);
             do $$ declare p text := ''; h text; begin for n in 1..50000 loop
               h := encode(sha256(convert_to(p || n || 'm', 'UTF8')), 'hex');
               insert into s.log values (n, 'm', p, h); p := h; end loop; end $$;
             analyze s.log; update s.log set msg = 'x' where id = 49000; delete from s.log where id = 26000",
        )
        .await;
    for workers in ["1", "3"] {
        let (document, code) = verify(&database.url(), &["--workers", workers], None).await;
        assert_eq!((code, document["chains"][0]["rows"].as_u64()), (5, Some(49_999)));
        assert_eq!(said(&document), "gap 26000, content 49000");
    }
}
