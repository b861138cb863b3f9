//! Every check proves itself on a real PostgreSQL, and the harness that lets it is proved as well.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]
#![allow(clippy::print_stderr, clippy::disallowed_macros, reason = "a test says what it did not look at")]

use govctl::check::proof::{Flaw, Proof, Step, facts_of, prove, said};
use govctl::check::{Check, CheckId, Library, load};
use govctl::facts::Facts;
use sqlx::{Connection, PgConnection};
use std::fmt::Write;

/// Runs a test in an empty database of a server on which nobody else makes roles meanwhile.
async fn in_database(test: impl AsyncFnOnce(&mut PgConnection)) {
    let database = crate::support::cluster().await;
    let mut connection = database.connect().await;
    test(&mut connection).await;
    connection.close().await.unwrap();
}

/// While a check is being written: `GOVCTL_PROOFS='rbac/*' cargo test --test it proofs::every`.
fn wanted() -> glob::Pattern {
    glob::Pattern::new(std::env::var("GOVCTL_PROOFS").as_deref().unwrap_or("*")).unwrap()
}

/// The embedded checks, or those of a folder as it is now: nothing has to be built to see what a check says.
/// `GOVCTL_PROOFS_DIR=$PWD/checks target/debug/deps/it-… proofs::every`.
async fn library() -> Library {
    match std::env::var_os("GOVCTL_PROOFS_DIR") {
        Some(folder) => Library::default().with_dir(folder.as_ref()).await.map_err(miette::Report::new).unwrap(),
        None => Library::embedded().unwrap(),
    }
}

#[tokio::test]
async fn every_check_proves_itself() {
    in_database(async |connection| {
        let mut report = String::new();
        let wanted = wanted();
        let provable = |check: &&Check| wanted.matches(&check.id.0) && !lacks(check);
        for check in library().await.iter().filter(provable) {
            match prove(check, connection).await {
                Proof::Holds => {}
                Proof::Skipped { since, server } => eprintln!("{} skipped: needs {since}, this is {server}", check.id),
                Proof::Fails(flaws) => {
                    for flaw in flaws {
                        writeln!(report, "{}\n  {flaw}", check.source.path).unwrap();
                    }
                }
            }
        }
        assert!(report.is_empty(), "\n{report}");
    })
    .await;
}

/// The embedded server comes without the library that subscriptions are made with.
fn lacks(check: &Check) -> bool {
    let ddl = std::iter::once(&check.proof.bad).chain(&check.proof.good);
    crate::support::is_embedded() && ddl.into_iter().any(|ddl| ddl.contains("create subscription"))
}

/// Which checks fire on which check's `bad`, and how often. A line that surprises is a noisy rule, or an overlap.
#[tokio::test]
async fn overlap() {
    in_database(async |connection| {
        let library = library().await;
        let server = connection.server_version_num().unwrap();
        if library.iter().any(|check| lacks(check) || check.proof.since.is_some_and(|since| since > server)) {
            eprintln!("the overlap is compared on servers that can prove every check; this is {server}");
            return;
        }
        let mut matrix = String::new();
        for origin in library.iter() {
            writeln!(matrix, "{}", origin.id).unwrap();
            let mut facts = facts_of(&origin.proof.bad, &origin.proof.config, connection).await.unwrap();
            for other in library.iter() {
                let (_, messages) = said(other, &mut facts).await.unwrap();
                if !messages.is_empty() {
                    writeln!(matrix, "  {:>3} {}", messages.len(), other.id).unwrap();
                }
            }
        }
        insta::assert_snapshot!(matrix);
    })
    .await;
}

/// A well-formed check over collected facts alone, with parts of it replaced.
async fn check(replace: &[(&str, &str)]) -> Check {
    let mut text = include_str!("../../fixtures/checks/good/unlogged.yaml").to_owned();
    for (old, new) in replace {
        assert!(text.contains(old), "the fixture has no {old}");
        text = text.replace(old, new);
    }
    let mut facts = Facts::empty().await.unwrap();
    let id = CheckId("audit/unlogged".to_owned());
    load(&id, "unlogged.yaml", &text, &mut facts).await.map_err(miette::Report::new).unwrap()
}

fn only_flaw(proof: Proof) -> Flaw {
    let Proof::Fails(mut flaws) = proof else { panic!("expected one flaw: {proof:?}") };
    assert_eq!(flaws.len(), 1, "{flaws:?}");
    flaws.remove(0)
}

#[tokio::test]
async fn a_sound_check_is_proved_and_each_unsound_step_is_named() {
    in_database(async |connection| {
        assert_eq!(prove(&check(&[]).await, connection).await, Proof::Holds);

        let wording = check(&[("public.events loses", "public.events looses")]).await;
        let flaw = only_flaw(prove(&wording, connection).await);
        assert_eq!(flaw.step, Step::Bad);
        assert!(flaw.what.contains("public.events looses") && flaw.what.contains("public.events loses"), "{flaw}");

        let fix_of_nothing = check(&[("set logged", "set (fillfactor = 90)")]).await;
        assert_eq!(only_flaw(prove(&fix_of_nothing, connection).await).step, Step::Fixed);

        let fix_that_breaks = check(&[("set logged", "set sail")]).await;
        let flaw = only_flaw(prove(&fix_that_breaks, connection).await);
        assert_eq!(flaw.step, Step::Fixed);
        assert!(flaw.what.starts_with("syntax error"), "{flaw}");

        let noisy = check(&[("create table public.orders", "create unlogged table public.orders")]).await;
        assert_eq!(only_flaw(prove(&noisy, connection).await).step, Step::Good(1));

        let escaping = check(&[(
            "create unlogged table public.events (id int);",
            "create unlogged table public.events (id int); savepoint s;",
        )])
        .await;
        assert_eq!(prove(&escaping, connection).await, Proof::Holds);

        let since = check(&[("proof:\n", "proof:\n  since: 990000\n")]).await;
        assert!(matches!(prove(&since, connection).await, Proof::Skipped { since: 990_000, .. }));
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_proof_stays_and_ddl_that_would_stay_is_refused() {
    in_database(async |connection| {
        assert_eq!(prove(&check(&[]).await, connection).await, Proof::Holds);
        let tables: i64 = sqlx::query_scalar("select count(*) from pg_class where relname = 'events'")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(tables, 0);

        let committing = check(&[("events (id int);", "events (id int); commit; begin;")]).await;
        let flaw = only_flaw(prove(&committing, connection).await);
        assert!(flaw.what.starts_with("this ends the transaction"), "{flaw}");
    })
    .await;
}
