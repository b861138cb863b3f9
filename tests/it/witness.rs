//! Keys that vouch in their own time, and a second machine that cosigns what it saw; tables that no index orders.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::chains::{CHAIN, govctl, said, verify};

/// Folders and keys of a log and of a witness.
struct Kept {
    folder: tempfile::TempDir,
}

impl Kept {
    async fn new() -> Self {
        let kept = Self { folder: tempfile::tempdir().unwrap() };
        for (command, name) in [("checkpoint", "log"), ("witness", "witness")] {
            let (public, code) = govctl(&[command, "--new-key", name, "--key", &kept.path(name)]).await;
            assert_eq!(code, 0, "{public}");
            std::fs::write(kept.path(&format!("{name}.pub")), public).unwrap();
        }
        kept
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    async fn sign(&self, url: &str, out: &str) -> String {
        let (text, code) = govctl(&["checkpoint", url, "--key", &self.path("log"), "--out", &self.path(out)]).await;
        assert_eq!(code, 0, "{text}");
        format!("{}/s.log.hash.checkpoint", self.path(out))
    }

    async fn cosign(&self, url: &str, note: &str) -> (String, i32) {
        let (trust, key, state) = (self.path("log.pub"), self.path("witness"), self.path("state"));
        govctl(&["witness", url, "--checkpoint", note, "--trust", &trust, "--key", &key, "--state", &state]).await
    }

    async fn verify(&self, url: &str, note: &str, trust: &[&str]) -> (String, i32) {
        let keys: Vec<String> = trust.iter().map(|name| self.path(name)).collect();
        let mut arguments = vec!["verify-chain", url, "--checkpoint", note];
        keys.iter().for_each(|key| arguments.extend(["--trust", key.as_str()]));
        govctl(&arguments).await
    }
}

#[tokio::test]
async fn a_witness_cosigns_what_extends_the_last() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    database.run(CHAIN).await;
    let (url, kept) = (database.url(), Kept::new().await);
    let first = kept.sign(&url, "first").await;
    // Nobody has seen it yet.
    let (text, code) = kept.verify(&url, &first, &["log.pub", "witness.pub"]).await;
    assert_eq!(code, 2, "{text}");
    let (text, code) = kept.cosign(&url, &first).await;
    assert_eq!(code, 0, "{text}");
    let (text, code) = kept.verify(&url, &first, &["log.pub", "witness.pub"]).await;
    assert!(code == 0 && text.contains("signed by log, seen by witness at"), "{text}");
    // Once is enough.
    let before = std::fs::read_to_string(&first).unwrap();
    assert_eq!(kept.cosign(&url, &first).await.1, 0);
    assert_eq!(std::fs::read_to_string(&first).unwrap(), before);
    // It grew: that extends the first. One file remembers the chain.
    database.run("insert into s.log (msg) values ('more')").await;
    let second = kept.sign(&url, "second").await;
    assert_eq!(kept.cosign(&url, &second).await.1, 0);
    assert_eq!(std::fs::read_dir(kept.path("state")).unwrap().count(), 1);
    let (text, code) = kept.cosign(&url, &first).await;
    assert!(code == 5 && text.contains("it saw 60 rows, and this witness has seen 61"), "{text}");
    // History written anew hangs together, and whoever has the key signs it; the witness remembers.
    let anew = format!(
        "drop schema s cascade; {}; insert into s.log (msg) values ('more'), ('and more')",
        CHAIN.replace("'m' || n", "'x' || n")
    );
    database.run(&anew).await;
    let third = kept.sign(&url, "third").await;
    let (text, code) = kept.cosign(&url, &third).await;
    assert!(code == 5 && text.contains("rewritten at"), "{text}");
    let (text, _) = kept.verify(&url, &third, &["log.pub"]).await;
    assert!(text.contains("signed by log"), "{text}");
    assert_eq!(kept.verify(&url, &third, &["log.pub", "witness.pub"]).await.1, 2);
}

#[tokio::test]
async fn a_key_vouches_in_its_own_time() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    database.run(CHAIN).await;
    let (url, kept) = (database.url(), Kept::new().await);
    let note = kept.sign(&url, "out").await;
    let public = std::fs::read_to_string(kept.path("log.pub")).unwrap();
    for (lines, code, told) in [
        ("not-before: 2020-01-01\nnot-after: 2999-01-01\n", 0, "signed by log"),
        ("not-after: 2020-01-01\n", 2, ""),
        ("not-before: 2999-01-01\n", 2, ""),
        ("not-after: soon\n", 2, ""),
    ] {
        std::fs::write(kept.path("log.pub"), format!("{public}{lines}")).unwrap();
        let (text, found) = kept.verify(&url, &note, &["log.pub"]).await;
        assert!(found == code && text.contains(told), "{lines} {found} {text}");
    }
    // The same in the configuration, for all tables or for some; a witness that is known must have seen it.
    let (log, witness) = (public.trim(), std::fs::read_to_string(kept.path("witness.pub")).unwrap());
    let config = kept.path("govctl.yaml");
    let known = |text: &str| std::fs::write(&config, format!("keys:\n  - key: {text}\n")).unwrap();
    let (key, again) = (kept.path("log"), kept.path("again"));
    let sign = ["--config", &config, "checkpoint", &url, "--key", &key, "--out", &again];
    let verify = ["--config", &config, "verify-chain", &url, "--checkpoint", &note];
    let run = async |arguments: &[&str]| {
        let (text, code) = govctl(arguments).await;
        (text.replace("\n  | ", " ").split_whitespace().collect::<Vec<_>>().join(" "), code)
    };
    let other = "audit.example.com+cd2f5b6a+AQ==";
    for (keys, verified, told, signed, objection) in [
        (log.to_owned(), 0, "signed by log", 0, "signs 60 rows"),
        (
            format!("{log}\n    not-before: 2020-01-01\n    not-after: 2999-01-01\n    tables: [s.log]"),
            0,
            "signed by log",
            0,
            "signs",
        ),
        (format!("{log}\n    not-after: 2020-01-01"), 2, "was valid until 2020-01-01", 4, "was valid until 2020-01-01"),
        (
            format!("{log}\n    not-after: 2020-01-01\n    tables: [s.other]"),
            0,
            "its signature was not checked",
            0,
            "signs",
        ),
        (format!("{log}\n  - key: {}", witness.trim()), 2, "no witness that is trusted", 0, "signs"),
        (witness.trim().to_owned(), 2, "no witness that is trusted", 0, "signs"),
        (other.to_owned(), 2, "this is no public key", 2, "this is no public key"),
        (format!("{log}\n    not-after: soon"), 2, "`soon` is no time", 2, "`soon` is no time"),
    ] {
        known(&keys);
        let (text, found) = run(&verify).await;
        assert!(found == verified && text.contains(told), "{keys} {found} {text}");
        _ = std::fs::remove_dir_all(&again);
        let (text, found) = run(&sign).await;
        assert!(found == signed && text.contains(objection), "{keys} {found} {text}");
    }
    let stranger = Kept::new().await;
    known(std::fs::read_to_string(stranger.path("log.pub")).unwrap().trim());
    let (text, found) = run(&sign).await;
    assert!(found == 4 && text.contains("is not among the `keys`"), "{text}");
    let (text, found) = run(&verify).await;
    assert!(found == 2 && text.contains("no key that is trusted signed it"), "{text}");
}

/// Rows in any order, and nothing that orders them: they are summed up, and looked at in order only where that fails.
#[tokio::test]
async fn tables_that_no_index_orders_are_read_as_they_are_stored() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    database
        .run(
            "create schema s;
             create temp table made (id uuid, at timestamptz, msg text, prev_hash text, hash text);
             do $$ declare p text := repeat('0', 64); h text; i uuid; t timestamptz; begin for n in 1..45000 loop
               i := md5('i' || n)::uuid; t := '2026-03-01'::timestamptz + n * interval '1 s';
               h := encode(sha256(convert_to(p || '|' || i || '|' || to_char(t at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS') || '|m' || n, 'UTF8')), 'hex');
               insert into made values (i, t, 'm' || n, p, h); p := h; end loop; end $$;
             create table public.kept as select * from made order by id; create table s.log as select * from public.kept; analyze s.log",
        )
        .await;
    let url = database.url();
    let row = |n: u32| format!("'2026-03-01'::timestamptz + {n} * interval '1 s'");
    for (tamper, told) in [
        ("select 1".to_owned(), vec!["intact"]),
        (format!("update s.log set msg = 'evil' where at = {}", row(44_000)), vec!["content"]),
        (format!("delete from s.log where at = {}", row(20_000)), vec!["gap"]),
        (format!("update s.log set hash = repeat('ab', 32) where at = {}", row(300)), vec!["content"]),
    ] {
        database.run(&tamper).await;
        let (document, code) = verify(&url, &["--table", "s.log"], None).await;
        let kinds: Vec<String> =
            said(&document).split(", ").map(|it| it.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(code, if told[0] == "intact" { 0 } else { 5 }, "{tamper} {document}");
        assert!(told.iter().all(|told| kinds.iter().any(|kind| kind == told)), "{tamper} {document}");
        assert_eq!(
            document["chains"][0]["rows"],
            if kinds.iter().any(|kind| kind == "gap") { 44_999 } else { 45_000 },
            "{tamper}"
        );
        database.run("drop schema s cascade; create schema s; create table s.log as select * from public.kept; analyze s.log").await;
    }
}
