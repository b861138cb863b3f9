//! Random tampering, one act or two at random places: what the chain can show is shown, at its place, and nothing else is.
//!
//! `GOVCTL_TAMPERINGS=500 cargo test --test it tampering::` tries more than is tried every time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::attacks::{folder, tools};
use crate::chains::{Fixture, verify};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeSet;

const ROWS: usize = 200;

/// One act; places are numbers of rows before any of them.
#[derive(Clone, Debug)]
enum Act {
    Edit(usize),
    /// An edit, and the row's own hash with it.
    Rehash(usize),
    Delete(usize, usize),
    Swap(usize, usize),
    Duplicate(usize),
    Erase(usize),
    /// The end is cut off behind this row.
    Truncate(usize),
    /// An edit, and every hash from there on anew.
    Rewrite(usize),
}

impl Act {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            3 => (1..=ROWS).prop_map(Self::Edit),
            1 => (1..=ROWS).prop_map(Self::Rehash),
            3 => (1..=ROWS, 1..4_usize).prop_map(|(from, count)| Self::Delete(from, (from + count - 1).min(ROWS))),
            1 => (1..=ROWS, 1..=ROWS).prop_map(|(one, other)| Self::Swap(one, if one == other { one % ROWS + 1 } else { other })),
            1 => (2..ROWS).prop_map(Self::Duplicate),
            1 => (1..=ROWS).prop_map(Self::Erase),
            1 => (ROWS / 2..ROWS).prop_map(Self::Truncate),
            1 => (1..=ROWS).prop_map(Self::Rewrite),
        ]
    }

    fn sql(&self) -> String {
        match self {
            Self::Edit(k) => format!("attack.edit({k})"),
            Self::Rehash(k) => format!("attack.edit({k}), attack.rehash({k})"),
            Self::Delete(from, to) => format!("attack.remove({from}, {to})"),
            Self::Swap(one, other) => format!("attack.swap_contents({one}, {other})"),
            Self::Duplicate(k) => format!("attack.unguard(), attack.copy({k}, attack.at({k}), attack.at({}))", k - 1),
            Self::Erase(k) => format!("attack.erase({k})"),
            Self::Truncate(k) => format!("attack.remove({}, {ROWS})", k + 1),
            Self::Rewrite(k) => format!("attack.edit({k}), attack.recompute({k})"),
        }
    }

    /// Rows it touches, or whose neighbours it takes away.
    fn touches(&self) -> Vec<usize> {
        match self {
            Self::Edit(k) | Self::Duplicate(k) | Self::Erase(k) | Self::Rewrite(k) => vec![*k],
            Self::Rehash(k) => vec![*k, k + 1],
            Self::Delete(from, to) => (from.saturating_sub(1)..=to + 1).collect(),
            Self::Swap(one, other) => vec![*one, *other],
            Self::Truncate(k) => vec![k + 1],
        }
    }

    /// What the chain alone shows of it.
    fn shows(&self, layout: &str) -> Vec<(&'static str, usize)> {
        match self {
            Self::Edit(k) => vec![("content", *k)],
            // Nothing follows the last row.
            Self::Rehash(ROWS) | Self::Truncate(_) | Self::Rewrite(_) => Vec::new(),
            Self::Rehash(k) if layout == "no_previous" => vec![("content", k + 1)],
            Self::Rehash(k) => vec![("link", k + 1)],
            Self::Delete(_, ROWS) => Vec::new(),
            Self::Delete(_, to) if layout == "by_time" => vec![("gap", to + 1)],
            Self::Delete(from, to) if layout == "tenant_interleaved" => (*from..=*to).map(|k| ("gap", k)).collect(),
            Self::Delete(from, _) => vec![("gap", *from)],
            Self::Swap(one, other) => vec![("content", *one), ("content", *other)],
            Self::Duplicate(k) => vec![("duplicate", *k)],
            Self::Erase(k) => vec![("unreadable", *k)],
        }
    }

    /// Only somebody who knew the end can tell.
    fn is_of_the_end(&self) -> bool {
        matches!(
            self,
            Self::Truncate(_) | Self::Rewrite(_) | Self::Rehash(ROWS) | Self::Delete(_, ROWS) | Self::Erase(ROWS)
        )
    }
}

/// Acts that have nothing to do with each other: then each shows as it does alone.
fn apart(acts: &[Act]) -> bool {
    let [one, other] = acts else { return true };
    let far = |a: usize, b: usize| a.abs_diff(b) > 2;
    let whole = |act: &Act| matches!(act, Act::Truncate(_) | Act::Rewrite(_));
    // What is cut off or computed anew takes traces with it.
    let behind = |act: &Act, other: &Act| whole(act) && other.touches().iter().any(|at| *at + 2 >= act.touches()[0]);
    one.touches().iter().all(|a| other.touches().iter().all(|b| far(*a, *b)))
        && !behind(one, other)
        && !behind(other, one)
}

async fn carry_out(name: &str) {
    if crate::support::is_embedded() {
        return; // one connection at a time
    }
    let cases: usize = std::env::var("GOVCTL_TAMPERINGS").map_or(8, |cases| cases.parse().unwrap());
    let layout = Fixture::read(&folder().join(format!("{name}.sql")));
    let seed: Vec<u8> = name.bytes().cycle().take(32).collect();
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let strategy = proptest::collection::vec(Act::any(), 1..=2);
    let database = crate::support::database().await;
    let url = database.url();
    let (table, hash, seq) = (layout.get("table").unwrap(), layout.get("hash").unwrap(), layout.get("seq").unwrap());
    let within = layout.get("within").unwrap_or("true");
    let step = layout.get("step").unwrap_or("bigint");
    let mut wrong = String::new();
    for _ in 0..cases {
        let acts = strategy.new_tree(&mut runner).unwrap().current();
        let has = |kind: fn(&Act) -> bool| acts.iter().any(kind);
        if has(|act| matches!(act, Act::Duplicate(_))) && has(|act| matches!(act, Act::Rewrite(_))) {
            continue; // who writes anew would write the same place twice
        }
        let attacker = format!("create schema attack; create domain attack.step_of as {step}; {}", tools(&layout));
        database
            .run(&format!(
                "drop schema if exists s, attack cascade; {}; select s.append(1, {ROWS}); {attacker}",
                layout.script
            ))
            .await;
        let mut connection = database.connect().await;
        let query = format!(
            "select {seq}::text, coalesce(substring({hash}::text from '^.x(.*)'), {hash}::text) from {table} t where {within} order by t.{seq}"
        );
        let before: Vec<(String, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(query)).fetch_all(&mut connection).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
        // What computes hashes anew comes last: it takes the table as it is.
        let mut ordered = acts.clone();
        ordered.sort_by_key(|act| matches!(act, Act::Rewrite(_) | Act::Truncate(_)));
        let sql: Vec<String> = ordered.iter().map(|act| format!("select {}", act.sql())).collect();
        database
            .run(&format!("set session_replication_role = replica; {}; drop schema attack cascade", sql.join("; ")))
            .await;
        let (document, _) = verify(&url, &["--table", table], None).await;
        let chain = &document["chains"][0];
        let said: BTreeSet<(String, String)> = chain["breaks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["kind"].as_str().unwrap().to_owned(), it["at"].as_str().unwrap().to_owned()))
            .collect();
        let shown: BTreeSet<(String, String)> = acts
            .iter()
            .flat_map(|act| act.shows(name))
            .map(|(kind, k)| (kind.to_owned(), before[k - 1].0.clone()))
            .collect();
        let mut fault = |what: &str| {
            wrong += &format!("{what}: {acts:?}\n    expected {shown:?}\n    said     {said:?} {}\n", chain["why"])
        };
        if apart(&acts) {
            if said != shown {
                fault("told otherwise");
            }
        } else {
            let hidden = acts.iter().any(|act| matches!(act, Act::Rewrite(_) | Act::Truncate(_)));
            let taken = acts.iter().any(|act| matches!(act, Act::Delete(..)));
            if !shown.is_empty() && chain["verdict"] != "broken" && !hidden && !taken {
                fault("not seen");
            }
            let near = |place: &str| {
                before
                    .iter()
                    .position(|(seq, _)| seq == place)
                    .is_some_and(|at| acts.iter().flat_map(Act::touches).any(|touched| touched.abs_diff(at + 1) <= 3))
            };
            if said.iter().any(|(_, place)| !near(place)) {
                fault("told elsewhere");
            }
        }
        let (place, digest) = &before[ROWS - 1];
        let (document, _) = verify(&url, &["--table", table, "--expect", &format!("{place}:{digest}")], None).await;
        let kinds: Vec<&str> =
            document["chains"][0]["breaks"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
        let told = kinds.iter().any(|kind| matches!(*kind, "truncated" | "rewritten"));
        // Where no hash covers the one before it, that of the last row says nothing of the others.
        let of_the_end =
            |act: &Act| act.is_of_the_end() && !(name == "pointer_only" && matches!(act, Act::Rewrite(k) if *k < ROWS));
        if told != acts.iter().any(of_the_end) && !(name == "pointer_only" || acts.len() > 1 && !apart(&acts)) {
            fault("the head told otherwise");
        }
    }
    assert!(wrong.is_empty(), "{name}\n{wrong}");
}

macro_rules! layouts {
    ($($name:ident),* $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            carry_out(stringify!($name)).await;
        })*
    };
}

crate::attacks::every_layout!(layouts);
