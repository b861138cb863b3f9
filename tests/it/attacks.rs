//! The detection matrix: `fixtures/chains/attacks/matrix.yaml` carried out on every layout beside it, against the chain
//! alone, a checkpoint of its first 150 rows, one of all 200, and its head.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::chains::{Fixture, fits, govctl, said, verify};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attack {
    pub(crate) name: String,
    pub(crate) sql: String,
    alone: String,
    middle: Option<String>,
    tip: Option<String>,
    head: Option<String>,
}

impl Attack {
    pub(crate) fn of(&self, against: &str) -> String {
        let own = match against {
            "middle" => &self.middle,
            "tip" => &self.tip,
            "head" => &self.head,
            _ => &None,
        };
        match own.as_deref().unwrap_or("same") {
            "same" => self.alone.clone(),
            more => match more.strip_prefix("+ ") {
                Some(more) if self.alone == "intact" => more.to_owned(),
                Some(more) => format!("{}, {more}", self.alone),
                None => more.to_owned(),
            },
        }
    }
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/chains/attacks")
}

/// What attackers of this layout have: `attack.edit(100)` edits the hundredth row, `attack.recompute(100)` hashes it and those behind
/// it anew, and so on. Places are those the rows had before the attack.
pub(crate) fn tools(layout: &Fixture) -> String {
    let get = |name| layout.get(name).filter(|value| !value.is_empty());
    let (table, seq, hash) = (get("table").unwrap(), get("seq").unwrap(), get("hash").unwrap());
    let within = get("within").unwrap_or("true");
    let (edit, swap) = (get("edit").unwrap(), get("swap").unwrap());
    let prev = get("prev");
    let keep = |column: &str| format!("{column} = b.{column}");
    let swapped = swap.split(',').map(|column| keep(column.trim())).collect::<Vec<_>>().join(", ");
    let relink = prev.map_or_else(String::new, |prev| {
        format!(
            "update {table} set {prev} = (select {hash} from {table} where {seq} < mine and {within} order by {seq} desc limit 1)
             where {seq} = mine and {within};"
        )
    });
    let overrides = prev.map_or_else(String::new, |prev| {
        format!(
            "update {table} t set {prev} = (select {hash} from {table} where {seq} = behind and {within})
             where ctid = slipped returning ctid into slipped;"
        )
    });
    // A digest that the hash is taken of.
    let own = |of: &str| get("own").map_or_else(String::new, |own| format!("update {table} set {own} where {of};"));
    let recomputed = prev.map_or_else(String::new, |prev| {
        format!("if last is not null then update {table} set {prev} = last where {seq} = i and {within}; end if;")
    });
    format!(
        "create table attack.places as select row_number() over (order by {seq}) k, {seq} as seq from {table} where {within};
         create function attack.at(n bigint) returns {table}.{seq}%type language sql as $f$ select seq from attack.places where k = n $f$;
         create function attack.edit(n bigint) returns void language sql as $f$ update {table} set {edit} where {seq} = attack.at(n) and {within} $f$;
         create function attack.erase(n bigint) returns void language sql as $f$ update {table} set {hash} = null where {seq} = attack.at(n) and {within} $f$;
         create function attack.rehash(n bigint) returns void language sql as $f$ {own_at}
           update {table} r set {hash} = s.hashed(r) where {seq} = attack.at(n) and {within} $f$;
         create function attack.relink(n bigint) returns void language plpgsql as $f$ #variable_conflict use_column
         declare mine {table}.{seq}%type := attack.at(n); begin {relink} end $f$;
         create function attack.recompute(n bigint) returns void language plpgsql as $f$ #variable_conflict use_column
         declare i {table}.{seq}%type; last {table}.{hash}%type;
         begin
           select {hash} into last from {table} where {seq} < attack.at(n) and {within} order by {seq} desc limit 1;
           for i in select {seq} from {table} where {seq} >= attack.at(n) and {within} order by {seq} loop
             {recomputed} {own_i}
             update {table} r set {hash} = s.hashed(r) where {seq} = i and {within} returning {hash} into last;
           end loop;
         end $f$;
         create function attack.remove(low bigint, high bigint) returns void language sql as $f$
           delete from {table} where {seq} between attack.at(low) and attack.at(high) and {within} $f$;
         create function attack.close_up(n bigint) returns void language plpgsql as $f$ begin
           for i in n + 1..(select max(k) from attack.places) loop
             update {table} set {seq} = attack.at(i - 1) where {seq} = attack.at(i) and {within};
           end loop; end $f$;
         create function attack.step() returns attack.step_of language sql as $f$ select (attack.at(200) - attack.at(199))::attack.step_of $f$;
         create function attack.open_up(n bigint) returns void language plpgsql as $f$ begin
           update {table} set {seq} = attack.at(200) + attack.step() where {seq} = attack.at(200) and {within};
           for i in reverse 199..n loop
             update {table} set {seq} = attack.at(i + 1) where {seq} = attack.at(i) and {within};
           end loop; end $f$;
         create function attack.copy(n bigint, place {table}.{seq}%type, behind {table}.{seq}%type) returns void language plpgsql as $f$
         declare slipped tid; r {table}; begin
           select * into r from {table} where {seq} = attack.at(n) and {within} limit 1;
           r.{seq} := place;
           begin r.id := gen_random_uuid(); exception when others then null; end;
           insert into {table} select r.* returning ctid into slipped;
           update {table} set {edit} where ctid = slipped returning ctid into slipped;
           {overrides} {own_slipped}
           update {table} t set {hash} = s.hashed(t) where ctid = slipped;
         end $f$;
         create function attack.swap_contents(one bigint, other bigint) returns void language sql as $f$
           update {table} a set {swapped} from {table} b where ((a.{seq}, b.{seq}) = (attack.at(one), attack.at(other))
             or (a.{seq}, b.{seq}) = (attack.at(other), attack.at(one))) and a.{within_of} and b.{within_of} $f$;
         create function attack.swap_places(one bigint, other bigint) returns void language plpgsql as $f$ begin
           update {table} set {seq} = attack.at(200) + attack.step() + attack.step() where {seq} = attack.at(one) and {within};
           update {table} set {seq} = attack.at(one) where {seq} = attack.at(other) and {within};
           update {table} set {seq} = attack.at(other) where {seq} = attack.at(200) + attack.step() + attack.step() and {within};
         end $f$;
         create function attack.unguard() returns void language plpgsql as $f$ declare c name; begin
           for c in select conname from pg_constraint where conrelid = '{table}'::regclass and contype in ('p', 'u') loop
             execute format('alter table {table} drop constraint %I', c);
           end loop; end $f$;",
        own_at = own(&format!("{seq} = attack.at(n) and {within}")),
        own_i = own(&format!("{seq} = i and {within}")),
        own_slipped = own("ctid = slipped").replace("ctid = slipped;", "ctid = slipped returning ctid into slipped;"),
        within_of = if within == "true" { format!("{seq} is not null") } else { within.to_owned() },
    )
}

/// Checkpoints of the first rows and of all, and the head.
struct Kept {
    folder: tempfile::TempDir,
    head: String,
}

async fn keep(url: &str, table: &str, hash: &str, stage: &str, kept: &Path) -> PathBuf {
    let (key, out) = (kept.join("key").display().to_string(), kept.join(stage));
    if !kept.join("key").exists() {
        assert_eq!(govctl(&["checkpoint", "--new-key", "tests", "--key", &key]).await.1, 0);
    }
    let (text, code) =
        govctl(&["checkpoint", url, "--table", table, "--key", &key, "--out", &out.display().to_string()]).await;
    assert_eq!(code, 0, "{text}");
    out.join(format!("{table}.{hash}.checkpoint"))
}

async fn carry_out(name: &str) {
    if crate::support::is_embedded() {
        return; // one connection at a time
    }
    let layout = Fixture::read(&folder().join(format!("{name}.sql")));
    let attacks: Vec<Attack> =
        serde_yaml::from_str(&std::fs::read_to_string(folder().join("matrix.yaml")).unwrap()).unwrap();
    let database = crate::support::database().await;
    let url = database.url();
    let (table, hash) = (layout.get("table").unwrap(), layout.get("hash").unwrap());
    let build = |rows: &str| format!("drop schema if exists s, attack cascade; {}; {rows};", layout.script);
    let kept = Kept { folder: tempfile::tempdir().unwrap(), head: String::new() };
    database.run(&build("select s.append(1, 150)")).await;
    let middle = keep(&url, table, hash, "middle", kept.folder.path()).await.display().to_string();
    database.run("select s.append(151, 200)").await;
    let tip = keep(&url, table, hash, "tip", kept.folder.path()).await.display().to_string();
    let mut connection = database.connect().await;
    let within = layout.get("within").unwrap_or("true");
    let seq = layout.get("seq").unwrap();
    let places = format!("select {seq}::text from {table} t where {within} order by t.{seq}");
    let places: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(places)).fetch_all(&mut connection).await.unwrap();
    let head = format!(
        "select coalesce(substring({hash}::text from '^.x(.*)'), {hash}::text) from {table} where {within} order by {seq} desc limit 1"
    );
    let head: String = sqlx::query_scalar(sqlx::AssertSqlSafe(head)).fetch_one(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let head = format!("{}:{head}", places[199]);
    let kept = Kept { head, ..kept };
    let overrides: HashMap<&str, &str> =
        layout.all("attack").map(|line| line.split_once(" => ").unwrap_or_else(|| panic!("{line}"))).collect();
    for name in overrides.keys() {
        let (attack, _) = name.split_once(" | ").unwrap_or_else(|| panic!("{name}"));
        assert!(attacks.iter().any(|known| known.name == attack), "{name}");
    }
    let mut wrong = String::new();
    for attack in &attacks {
        let mut sql = attack.sql.clone();
        for part in ["payload", "redact"] {
            sql = sql.replace(&format!("{{{part}}}"), layout.get(part).unwrap_or_default());
        }
        if sql.is_empty() {
            continue;
        }
        let prepare = format!("select s.append(1, 200); {}", tools(&layout));
        database
            .run(&build(&format!(
                "create schema attack; create domain attack.step_of as {}; {prepare}",
                layout.get("step").unwrap_or("bigint")
            )))
            .await;
        database.run(&format!("set session_replication_role = replica; {sql}; drop schema attack cascade")).await;
        for against in ["alone", "middle", "tip", "head"] {
            let mut arguments = vec!["--table", table];
            match against {
                "middle" => arguments.extend(["--checkpoint", &middle]),
                "tip" => arguments.extend(["--checkpoint", &tip]),
                "head" => arguments.extend(["--expect", &kept.head]),
                _ => {}
            }
            let (document, code) = verify(&url, &arguments, None).await;
            let key = format!("{} | {against}", attack.name);
            let expected = overrides.get(key.as_str()).map_or_else(|| attack.of(against), |own| (*own).to_owned());
            let expected = placed(&expected, &places);
            let found = said(&document);
            let verdict = document["chains"][0]["verdict"].as_str();
            let exit = if verdict == Some("intact") { 0 } else { 5 };
            let tail = document["chains"][0]["tail"].as_str().unwrap();
            let pinned = if against == "alone" { "unpinned" } else { "pinned" };
            if !fits(&expected, &found) || code != exit || tail != pinned {
                wrong +=
                    &format!("{key}\n    expected {expected}, {pinned}\n    said     {found}, {tail}, exit {code}\n");
            }
            let notes = document["chains"][0]["notes"].to_string();
            assert_eq!(notes.contains("2 payloads are gone"), attack.sql == "{redact}", "{key}: {notes}");
            // Of which chain a head was that is gone, nobody can say.
            let misplaced = |it: &&Value| it["partition"].as_str() != layout.get("partition") && against != "head";
            if let Some(it) = document["chains"][0]["breaks"].as_array().unwrap().iter().find(misplaced) {
                wrong += &format!("{key}\n    in another chain: {it}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "{name}\n{wrong}");
}

/// `gap 100` with the number that the hundredth row had.
pub(crate) fn placed(expected: &str, places: &[String]) -> String {
    let one = |one: &str| match one.trim().split_once(' ') {
        Some((kind, place)) => match place.parse::<usize>() {
            Ok(place) if place <= 200 => format!("{kind} {}", places[place - 1]),
            Ok(_) => format!("{kind} *"),
            Err(_) => format!("{kind} {place}"),
        },
        None => one.trim().to_owned(),
    };
    expected.split(", ").map(one).collect::<Vec<_>>().join(", ")
}

/// Every layout there is, given to a macro that makes a test of each.
macro_rules! every_layout {
    ($tests:ident) => {
        $tests![
            by_time,
            global_pipe_hex,
            no_previous,
            pointer_only,
            recipe_v1,
            tenant_counted,
            tenant_interleaved,
            two_levels
        ];
    };
}
pub(crate) use every_layout;

macro_rules! layouts {
    ($($name:ident),* $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            carry_out(stringify!($name)).await;
        })*

        #[test]
        fn no_layout_is_left_out() {
            let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
            let mut files: Vec<String> = files
                .filter(|path| path.extension().is_some_and(|end| end == "sql"))
                .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
                .collect();
            files.sort();
            assert_eq!(files, [$(stringify!($name)),*]);
        }
    };
}

every_layout!(layouts);
