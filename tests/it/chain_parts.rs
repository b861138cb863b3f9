//! Chains read in parts, in pieces or not at all: shards, an interruption, tables that are gone; and the second verifier.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::chains::{CHAIN, Fixture, govctl, said, verify};
use futures_util::StreamExt;
use govctl::chain::encoding;
use govctl::chain::expect::Expected;
use govctl::chain::kept::Kept;
use govctl::chain::run;
use govctl::chain::verdict::Verdict;
use govctl::config::Config;
use govctl::ui::progress::Silent;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

async fn value(database: &crate::support::Database, sql: &'static str) -> String {
    let mut connection = database.connect().await;
    let value = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    value
}

/// Reads a chain in three parts and joins them in any order.
async fn in_parts(url: &str, folder: &Path, more: &[&str]) -> Vec<i32> {
    let mut codes = Vec::new();
    for part in ["3/3", "1/3", "2/3"] {
        let file = folder.join(part.replace('/', "of")).display().to_string();
        let mut arguments = vec!["verify-chain", url, "--shard", part, "--shard-out", &file];
        arguments.extend(more);
        codes.push(govctl(&arguments).await.1);
    }
    codes
}

#[tokio::test]
async fn parts_joined_say_what_the_whole_says() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    database.run(CHAIN).await;
    let url = database.url();
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<String> =
        ["2of3", "1of3", "3of3"].iter().map(|file| folder.path().join(file).display().to_string()).collect();
    let merge = ["--merge", &files[0], "--merge", &files[1], "--merge", &files[2]];
    let head = value(&database, "select id || ':' || hash from s.log order by id desc limit 1").await;
    for (tamper, parts, told) in [
        ("select 1", [0, 0, 0], "intact"),
        // The 20th row is the last of the first part, the 21st the first of the second.
        ("delete from s.log where id = 20", [0, 0, 0], "gap 20"),
        ("delete from s.log where id = 21", [0, 0, 0], "gap 21"),
        ("update s.log set msg = 'evil' where id = 50", [5, 0, 0], "content 50"),
        ("delete from s.log where id = 10; delete from s.log where id = 41", [0, 5, 0], "gap 10, gap 41"),
        ("delete from s.log where id < 3", [0, 0, 0], "gap 1"),
        ("delete from s.log where id between 21 and 40", [0, 0, 0], "gap 21"),
        ("delete from s.log where id > 30", [0, 0, 0], "intact"),
    ] {
        database
            .run(&format!("drop schema s cascade; {CHAIN}; set session_replication_role = replica; {tamper}"))
            .await;
        assert_eq!(in_parts(&url, folder.path(), &["--until", "60"]).await, parts, "{tamper}");
        let (document, code) = verify(&url, &merge, None).await;
        let (whole, whole_code) = verify(&url, &[], None).await;
        assert_eq!((said(&document).as_str(), code), (told, whole_code), "{tamper}");
        assert_eq!(
            (&document["chains"][0]["rows"], said(&document)),
            (&whole["chains"][0]["rows"], said(&whole)),
            "{tamper}"
        );
    }
    // A part that was forgotten, or read twice, is not passed over.
    for wrong in [&merge[..4], &merge[2..], &[&merge[..], &merge[..2]].concat()] {
        let (document, code) = verify(&url, wrong, None).await;
        assert_eq!((code, document["chains"][0]["verdict"].as_str()), (4, Some("undecided")), "{wrong:?}");
    }
    let (document, code) = verify(&url, &[&merge[..], &["--expect", &head]].concat(), None).await;
    assert_eq!((code, document["chains"][0]["verdict"].as_str()), (4, Some("undecided")), "nobody looked for it");
    for (tamper, told) in [("select 1", "intact"), ("delete from s.log where id > 58", "truncated 60")] {
        database
            .run(&format!("drop schema s cascade; {CHAIN}; set session_replication_role = replica; {tamper}"))
            .await;
        assert_eq!(in_parts(&url, folder.path(), &["--until", "60", "--expect", &head]).await, [0, 0, 0]);
        database.run("set session_replication_role = origin; insert into s.log(msg) values ('later')").await;
        let (document, _) = verify(&url, &[&merge[..], &["--expect", &head]].concat(), None).await;
        let tail = document["chains"][0]["tail"].as_str();
        assert_eq!((said(&document).as_str(), tail), (told, Some("pinned")), "{tamper}");
    }
    assert_eq!(govctl(&["verify-chain", &url, "--shard", "4/3", "--shard-out", &files[0]]).await.1, 2);
}

#[tokio::test]
async fn what_was_pinned_and_is_gone_is_never_passed_over() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    database.run(CHAIN).await;
    let url = database.url();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (key, out) = (path("key"), path("out"));
    assert_eq!(govctl(&["checkpoint", "--new-key", "tests", "--key", &key]).await.1, 0);
    assert_eq!(govctl(&["checkpoint", &url, "--key", &key, "--out", &out]).await.1, 0);
    let note = format!("{out}/s.log.hash.checkpoint");
    let head = value(&database, "select id || ':' || hash from s.log order by id desc limit 1").await;
    let second = CHAIN.replace("create schema s;", "").replace("s.log", "s.other").replace("s.seal", "s.seal_other");
    for (tamper, expected) in [
        ("truncate s.log".to_owned(), "truncated"),
        ("drop table s.log".to_owned(), "truncated"),
        ("alter table s.log rename to gone".to_owned(), "truncated"),
        (format!("{second} truncate s.log"), "truncated"),
        (format!("{second} delete from s.log where id = 60"), "truncated"),
        ("alter table s.log drop column prev_hash; alter table s.log drop column hash".to_owned(), "truncated"),
    ] {
        database
            .run(&format!("drop schema s cascade; {CHAIN}; set session_replication_role = replica; {tamper}"))
            .await;
        for pinned in [["--checkpoint", &note], ["--expect", &head]] {
            if tamper.contains("rename") && pinned[0] == "--expect" {
                continue; // it is there, wherever that is
            }
            let (document, code) = verify(&url, &pinned, None).await;
            let kinds: Vec<&str> = document["chains"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|chain| chain["breaks"].as_array().unwrap())
                .map(|it| it["kind"].as_str().unwrap())
                .collect();
            assert_eq!((code, kinds.as_slice()), (5, &[expected][..]), "{tamper} {pinned:?} {document}");
        }
    }
}

/// The second implementation, against a table as it is and after an edit.
#[tokio::test]
async fn the_python_verifier_says_the_same() {
    let python = Command::new("python3").arg("--version").stdout(Stdio::null()).status();
    if crate::support::is_embedded() || !python.is_ok_and(|status| status.success()) {
        return;
    }
    let layout = Fixture::read(&crate::attacks::folder().join("recipe_v1.sql"));
    let database = crate::support::database().await;
    database.run(&format!("{}; select s.append(1, 200)", layout.script)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (key, out) = (path("key"), path("out"));
    let (public, _) = govctl(&["checkpoint", "--new-key", "tests", "--key", &key]).await;
    assert_eq!(govctl(&["checkpoint", &database.url(), "--key", &key, "--out", &out]).await.1, 0);
    let asked = Command::new("python3").args(["-c", "import cryptography"]).stderr(Stdio::null()).status();
    let signed = asked.is_ok_and(|status| status.success());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let note = format!("{out}/s.event.row_hash.checkpoint");
    for (tamper, row) in [("select 1", None), ("update s.event set actor = 'evil' where seq = 77", Some("row 77"))] {
        database.run(&format!("set session_replication_role = replica; {tamper}")).await;
        let rows = path("rows");
        let mut bytes = Vec::new();
        let mut connection = database.connect().await;
        let query = "copy (select seq, at, kind, actor, payload_commit, prev_hash, row_hash from s.event order by seq) to stdout (format binary)";
        let mut stream = connection.copy_out_raw(query).await.unwrap();
        while let Some(chunk) = stream.next().await {
            bytes.extend(chunk.unwrap());
        }
        drop(stream);
        std::fs::write(&rows, bytes).unwrap();
        let output = Command::new("python3")
            .arg(root.join("docs/chains/verify.py"))
            .args([&rows, "--note", &note])
            .args(if signed { vec!["--key", public.trim()] } else { Vec::new() })
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, code) = verify(&database.url(), &["--table", "s.event", "--checkpoint", &note], None).await;
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains("200 rows") && text.contains("agrees"), "{text}");
        assert!(!signed || text.contains("signature: good"), "{text}");
        assert!(row.is_none_or(|row| text.contains(row)), "{text}");
        // The same as a folder: checked without the rows, whatever the verdict is.
        let (folder, key) = (path(if row.is_some() { "broken" } else { "intact" }), path("log.pub"));
        std::fs::write(&key, &public).unwrap();
        let evidence = ["--table", "s.event", "--checkpoint", &note, "--trust", &key, "--evidence", &folder];
        let (document, _) = verify(&database.url(), &evidence, None).await;
        let check = || {
            let output =
                Command::new("python3").arg(root.join("docs/chains/verify.py")).args(["--bundle", &folder]).output();
            let output = output.unwrap();
            let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
            (output.status.code().unwrap(), text)
        };
        let (code, text) = check();
        assert!(code == 0 && text.contains("checkpoints/1.checkpoint.json: good"), "{text}");
        assert!(!signed || text.contains("signature: good"), "{text}");
        let file = |name: &str| std::fs::read_to_string(Path::new(&folder).join(name));
        let report: serde_json::Value = serde_json::from_str(&file("report.json").unwrap()).unwrap();
        assert_eq!(report["chains"][0]["head"], document["chains"][0]["head"]);
        let readme = file("README.md").unwrap();
        assert!(readme.contains("copy (select t.seq, t.at") && readme.contains("--expect"), "{readme}");
        assert_eq!(file("trees/s.event.row_hash.checkpoint").is_ok(), row.is_none());
        let recipe = file("recipes/s.event.row_hash.json").unwrap();
        assert!(recipe.contains("676f7663746c2f636861696e2f3100") && recipe.contains("system_identifier"), "{recipe}");
        // No row is in it.
        for name in walk(Path::new(&folder)) {
            let text = std::fs::read_to_string(&name).unwrap();
            assert!(!text.contains("evil") && !text.contains("{\"n\""), "{name:?}");
        }
        let forged = file("report.txt").unwrap().replace("broken", "intact").replace("200", "201");
        std::fs::write(Path::new(&folder).join("report.txt"), forged).unwrap();
        let (code, text) = check();
        assert!(code == 5 && text.contains("report.txt: is not what the manifest says"), "{text}");
    }
}

/// Every file below a folder.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// What was read before somebody stopped it counts, and what was not read is not said to be gone.
#[tokio::test]
async fn an_interrupted_run_says_what_it_read() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    database
        .run(
            "create schema s; create table s.log (id bigint primary key, msg text, prev_hash text, hash text);
             do $$ declare p text := ''; h text; begin for n in 1..5000 loop
               h := encode(sha256(convert_to(p || n || 'm', 'UTF8')), 'hex');
               insert into s.log values (n, 'm', p, h); p := h; end loop; end $$; analyze s.log",
        )
        .await;
    let head = value(&database, "select hash from s.log where id = 5000").await;
    let wish = || run::Wish {
        workers: 2,
        expected: vec![Expected {
            table: None,
            position: Some("5000".to_owned()),
            hash: encoding::decode(head.as_bytes(), false).unwrap().0,
            given: head.clone(),
        }],
        stop: Arc::new(AtomicBool::new(true)),
        ..run::Wish::of(Vec::new(), None)
    };
    let verify = async |wish: &run::Wish| {
        let mut reports = run::verify(database.options(), wish, &Config::default(), &Silent).await.unwrap();
        assert_eq!(reports.len(), 1);
        reports.remove(0)
    };
    let report = verify(&wish()).await;
    assert_eq!((report.verdict, report.rows), (Verdict::Undecided, 1024), "{report:?}");
    assert!(report.breaks.is_empty() && report.notes[0].starts_with("interrupted after 1024 rows"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept");
    let on = || run::Wish { kept: Some(Kept::open(&file).unwrap()), ..wish() };
    let go_on = async || {
        let mut read = Vec::new();
        loop {
            let report = verify(&on()).await;
            read.push(report.rows);
            if !report.interrupted {
                return (read, report);
            }
            assert!(file.exists() && report.needs.as_deref() != Some("run it again"));
        }
    };
    // In one run, in several, and each in its own transaction, as the statistics and the size have it.
    for (estimate, long) in [(5000, f64::MAX), (150_000, f64::MAX), (150_000, 0.0)] {
        database.run(&format!("update pg_class set reltuples = {estimate} where oid = 's.log'::regclass")).await;
        let (read, report) = go_on().await;
        assert!(read.len() > 3 && read.is_sorted() && !file.exists(), "{read:?}");
        assert_eq!((report.verdict, report.rows, report.tail.pinned), (Verdict::Intact, 5000, true), "{report:?}");
        let whole = run::Wish { long, stop: Arc::default(), ..wish() };
        let report = verify(&whole).await;
        assert_eq!((report.verdict, report.rows, report.tail.pinned), (Verdict::Intact, 5000, true), "{report:?}");
        assert_eq!(report.notes.iter().any(|note| note.contains("transactions")), long == 0.0, "{report:?}");
    }
    // What was read is not passed over when it has changed since, nor where another head is asked for.
    verify(&on()).await;
    database.run("create table s.gone as select * from s.log where id = 500; delete from s.log where id = 500").await;
    let (_, report) = go_on().await;
    assert_eq!((report.verdict, report.breaks[0].at.as_str()), (Verdict::Broken, "500"), "{report:?}");
    database.run("insert into s.log table s.gone").await;
    verify(&run::Wish { expected: Vec::new(), ..on() }).await;
    let report = verify(&run::Wish { stop: Arc::default(), ..on() }).await;
    assert!(report.tail.pinned && report.notes.iter().any(|note| note.contains("read again")), "{report:?}");
    std::fs::write(&file, "something else").unwrap();
    assert!(Kept::open(&file).is_err());
    std::fs::remove_file(&file).unwrap();
    database.run("update s.log set msg = 'evil' where id = 7").await;
    let report = verify(&on()).await;
    assert_eq!((report.verdict, report.breaks.len(), report.interrupted), (Verdict::Broken, 1, true), "{report:?}");
    assert_eq!(report.breaks[0].at, "7");
    let (_, report) = go_on().await;
    assert_eq!((report.verdict, report.breaks.len(), report.rows), (Verdict::Broken, 1, 5000), "{report:?}");
    // Each row needs the one before it: many runs, one after the other.
    database.run("drop table s.log; create table s.log (id bigint primary key, msg text, chain_hash text);
             do $$ declare h text := ''; begin for n in 1..5000 loop
               h := encode(sha256(convert_to(h || n || 'm', 'UTF8')), 'hex');
               insert into s.log values (n, 'm', h); end loop; end $$; analyze s.log; update s.log set msg = 'evil' where id = 3007;
             update pg_class set reltuples = 150000 where oid = 's.log'::regclass").await;
    for long in [f64::MAX, 0.0] {
        let report = verify(&run::Wish { long, stop: Arc::default(), expected: Vec::new(), ..wish() }).await;
        assert_eq!((report.verdict, report.rows, report.breaks.len()), (Verdict::Broken, 5000, 1), "{report:?}");
        assert_eq!(report.breaks[0].at, "3007");
    }
}
