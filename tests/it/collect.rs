//! The facts, collected from a real server.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may what helps it")]

mod doors;
mod meaning;
mod provenance;
mod shop;

use govctl::error::Stop;
use govctl::exit::Exit;
use govctl::facts::Facts;
use govctl::facts::collect::{Wanted, collect, collect_wanted};
use govctl::target::{Session, Unreachable};
use shop::{Shop, assert_rows, everything, rows};
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn an_auditor_with_nothing_but_login_sees_what_a_superuser_sees() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::open("t_auditor").await;
    let mut auditor = shop.facts_of_an_auditor().await;
    let mut superuser = shop.facts().await;
    assert_rows(
        &mut auditor,
        "select area, object, needs from unseen order by 1, 2, 3",
        &[
            "first_actors | app.acted | grant select on app.acted to the role that asks, and bypassrls; or --no-data",
            "samples | ∅ | alter role t_auditor_auditor bypassrls; or --no-data",
            "samples | ∅ | grant usage on schema \"quote\"\" and 'tick'\" to t_auditor_auditor; grant select on all tables in \
             schema \"quote\"\" and 'tick'\" to t_auditor_auditor; or --no-data",
            "samples | ∅ | grant usage on schema app to t_auditor_auditor; grant select on all tables in schema app to \
             t_auditor_auditor; or --no-data",
            "scheduled_jobs | cron.job | alter role t_auditor_auditor bypassrls",
            "scheduled_jobs | cron.job | alter role t_auditor_auditor bypassrls",
            "settings | ∅ | grant pg_read_all_settings to t_auditor_auditor",
            "subscription_connections | ∅ | run govctl as a role that may read connections of subscriptions",
            "user_mappings | far for PUBLIC | grant postgres to t_auditor_auditor",
            "user_mappings | far for t_auditor_app | run govctl as t_auditor_app or as a superuser",
        ],
    )
    .await;
    let seen = everything(&mut auditor).await;
    for (table, rows) in everything(&mut superuser).await {
        // The rest differ as `unseen` says; `target` names the role, and statistics move on.
        let hidden = [
            "first_actors",
            "scheduled_jobs",
            "settings",
            "user_mappings",
            "unseen",
            "target",
            "relation_statistics",
            "subscription_connections",
            "secrets",
        ];
        if !hidden.contains(&table.as_str()) && !table.starts_with("sample") {
            // other tests make and remove databases and roles meanwhile
            let ours = |rows: &[String]| -> Vec<String> {
                let shared =
                    ["databases", "roles", "role_settings", "memberships", "grants", "replication_slots", "parameters"];
                let keep = |row: &&String| !shared.contains(&table.as_str()) || row.contains("t_auditor");
                rows.iter().filter(keep).cloned().collect()
            };
            assert_eq!(ours(&seen[&table]), ours(&rows), "{table}");
        }
    }
    for (column, of) in [("grantee", "grants"), ("member", "memberships"), ("role", "role_settings")] {
        let sql = format!("select count(*) from {of} join roles r on r.oid = {column} where r.name like 't_auditor%'");
        let (seen, all) = (rows(&mut auditor, &sql).await, rows(&mut superuser, &sql).await);
        assert_eq!(seen, all, "{of}");
        assert_ne!(seen, ["0"], "{of}");
    }
    shop.remove().await;
}

#[tokio::test]
async fn what_is_refused_is_listed_and_costs_nothing_else() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::open("t_refused").await;
    let mut whole = shop.facts().await;
    shop.sql(
        "revoke select on pg_catalog.pg_policy from public;
         revoke select on pg_catalog.pg_trigger, pg_catalog.pg_tablespace from public;
         revoke execute on function pg_get_viewdef(oid) from public",
    )
    .await;
    let mut auditor = shop.facts_of_an_auditor().await;
    let policy = "pg_catalog.pg_policy | grant select on pg_catalog.pg_policy to t_refused_auditor";
    let expected = [
        ["ddl", "pg_catalog.pg_trigger | grant select on pg_catalog.pg_trigger to t_refused_auditor"],
        ["grants", "pg_catalog.pg_tablespace | grant select on pg_catalog.pg_tablespace to t_refused_auditor"],
        ["policies", policy],
        ["policy_dependencies", policy],
        ["policy_roles", policy],
        [
            "relations",
            "pg_catalog.pg_get_viewdef | grant execute on function pg_catalog.pg_get_viewdef(oid) to t_refused_auditor",
        ],
        ["secrets", "pg_catalog.pg_trigger | grant select on pg_catalog.pg_trigger to t_refused_auditor"],
        ["triggers", "pg_catalog.pg_trigger | grant select on pg_catalog.pg_trigger to t_refused_auditor"],
    ];
    let expected: Vec<String> = expected.iter().map(|row| row.join(" | ")).collect();
    let unseen = "select area, object, needs from unseen where object like 'pg_catalog.%' order by 1, 2";
    assert_eq!(rows(&mut auditor, unseen).await, expected);
    for (lost, gone) in
        [("policies", "1"), ("policy_roles", "1"), ("triggers", "1"), ("relations where definition is not null", "1")]
    {
        assert_rows(&mut auditor, &format!("select count(*) = 0 from {lost}"), &[gone]).await;
    }
    let (all, seen) = (everything(&mut whole).await, everything(&mut auditor).await);
    for table in [
        "columns",
        "constraints",
        "functions",
        "inheritance",
        "sequences",
        "publication_relations",
        "extensions",
        "event_triggers",
    ] {
        assert_eq!(seen[table], all[table], "{table}");
    }
    assert_eq!(seen["relations"].len(), all["relations"].len());
    // By two connections each area is read or refused as by one.
    let auditor = shop.options().username("t_refused_auditor").password("auditor");
    for (table, rows) in everything(&mut shop::facts_by_two(auditor).await).await {
        // The moment, keyed fingerprints, and what other tests do meanwhile.
        const OF_THE_SERVER: [&str; 10] = [
            "target",
            "secrets",
            "relation_statistics",
            "databases",
            "roles",
            "role_settings",
            "memberships",
            "grants",
            "replication_slots",
            "parameters",
        ];
        if !OF_THE_SERVER.contains(&table.as_str()) {
            assert_eq!(rows, seen[&table], "{table}");
        }
    }
    shop.remove().await;
}

#[tokio::test]
async fn a_locked_table_costs_the_expressions_over_it_and_no_more() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::open("t_locked").await;
    let mut other = PgConnection::connect_with(&shop.options()).await.unwrap();
    sqlx::raw_sql("begin; lock table app.orders in access exclusive mode").execute(&mut other).await.unwrap();
    let facts = &mut shop.facts().await;
    let why = "select distinct area from unseen where why like 'another session held a lock%' order by 1";
    let row_filters = (shop.version >= 150_000).then_some("publication_relations");
    let lost = ["columns", "constraints", "ddl", "first_actors", "indexes", "policies"].into_iter().chain(row_filters);
    let lost = lost.chain(["relations", "samples", "secrets"]);
    assert_rows(facts, why, &lost.collect::<Vec<_>>()).await;
    // Without columns, no rows: that is said as well.
    assert_rows(facts, "select count(*) > 0 from unseen where area = 'samples'", &["1"]).await;
    assert_rows(facts, "select count(*) from relations where name = 'orders'", &["1"]).await;
    other.close().await.unwrap();
    shop.remove().await;
}

#[tokio::test]
async fn what_takes_too_long_is_listed_and_never_taken_for_nothing() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::open("t_slow").await;
    let all = everything(&mut shop.facts().await).await;
    let mut other = PgConnection::connect_with(&shop.options()).await.unwrap();
    sqlx::raw_sql("begin; lock table app.orders in access exclusive mode").execute(&mut other).await.unwrap();
    let mut session = Session::open(shop.options()).await.unwrap();
    let impatient = "set local lock_timeout = 0; set local statement_timeout = '100ms'";
    sqlx::raw_sql(impatient).execute(session.connection()).await.unwrap();
    let mut facts = Facts::empty().await.unwrap();
    collect(session.connection(), &mut facts).await.unwrap();
    session.close().await;
    let late = rows(&mut facts, "select area from unseen where why like '%statement timeout%'").await;
    assert!(late.contains(&"policies".to_owned()), "{late:?}");
    let seen = everything(&mut facts).await;
    for (table, rows) in all.iter().filter(|(table, rows)| !rows.is_empty() && seen[*table].is_empty()) {
        let by_way_of_relations = table == "scheduled_jobs" && seen["relations"].is_empty();
        let sampled = table.starts_with("sample") || table == "secrets";
        assert!(late.contains(table) || by_way_of_relations || sampled, "{table} has {} rows", rows.len());
    }
    other.close().await.unwrap();
    shop.remove().await;
}

#[tokio::test]
async fn nothing_can_be_written_and_nothing_was() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::open("t_readonly").await;
    let session = Session::open(shop.options()).await.unwrap();
    assert!(!session.is_large, "one connection will do");
    session.close().await;
    shop.sql(
        "do $$ begin for i in 1..2000 loop execute format('create type public.many_%s as ()', i); end loop; end $$",
    )
    .await;
    let mut session = Session::open(shop.options()).await.unwrap();
    assert!(session.is_large);
    let mut beside = session.beside().await.unwrap().unwrap();
    // Made later, and seen by neither.
    shop.sql("create table public.later ()").await;
    let mut facts = Facts::empty().await.unwrap();
    let second = Some(beside.connection());
    collect_wanted(session.connection(), second, &mut facts, Wanted::default()).await.unwrap();
    assert_rows(&mut facts, "select name from relations where name = 'later'", &[]).await;
    is_as_it_was(session).await;
    is_as_it_was(beside).await;
    shop.remove().await;
}

/// A session that has read, written nothing and holds up nobody.
async fn is_as_it_was(mut session: Session) {
    let assigned: Option<String> = sqlx::query_scalar("select pg_current_xact_id_if_assigned()::text")
        .fetch_one(session.connection())
        .await
        .unwrap();
    assert_eq!(assigned, None, "a transaction that writes has an id");
    let locked = "select count(*) from pg_locks where pid = pg_backend_pid() and relation >= 16384";
    let locked: i64 = sqlx::query_scalar(locked).fetch_one(session.connection()).await.unwrap();
    assert_eq!(locked, 0, "nobody waits for us any longer");
    let settings =
        "select concat_ws(' ', current_setting('transaction_isolation'), current_setting('transaction_read_only'),
        current_setting('row_security'), current_setting('search_path'), current_setting('application_name'))";
    let settings: String = sqlx::query_scalar(settings).fetch_one(session.connection()).await.unwrap();
    assert_eq!(settings, "repeatable read on off \"\" govctl");
    let refused = sqlx::raw_sql("create table t (a int)").execute(session.connection()).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "25006");
    session.close().await;
}

#[tokio::test]
async fn a_lost_session_stops_the_run() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::open("t_lost").await;
    for lost in 0..2 {
        let mut session = Session::open(shop.options()).await.unwrap();
        let mut beside = session.beside().await.unwrap().unwrap();
        let both = [session.connection(), beside.connection()];
        let pid = sqlx::query_scalar("select pg_backend_pid()").fetch_one(both.into_iter().nth(lost).unwrap());
        let pid: i32 = pid.await.unwrap();
        shop.sql(&format!("select pg_terminate_backend({pid})")).await;
        let mut facts = Facts::empty().await.unwrap();
        let second = Some(beside.connection());
        let stop = collect_wanted(session.connection(), second, &mut facts, Wanted::default()).await.unwrap_err();
        assert!(matches!(stop, Stop::Unreachable(Unreachable::Lost { .. })), "{stop:?}");
        assert_eq!(stop.exit(), Exit::Unreachable);
        session.close().await;
        beside.close().await;
    }
    shop.remove().await;
}
