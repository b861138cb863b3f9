//! Secrets are found wherever they lie, and no value of one is kept or said anywhere.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::ValueEnum;
use govctl::assess;
use govctl::check::Library;
use govctl::config::Config;
use govctl::facts::collect::{Wanted, collect_wanted};
use govctl::facts::{Facts, derive};
use govctl::report::{self, Format};
use govctl::secrets::Rules;
use govctl::target::Session;
use std::collections::BTreeSet;

/// A value in the shape of a Stripe key that stands nowhere else, for each place.
fn planted(number: usize) -> String {
    let tail: String = (0..24).map(|i| char::from(b"aZ3bY5cX7dW9eV2fU4gT6hS8"[(i * 7 + number * 5) % 24])).collect();
    format!("{}_live_{tail}{number:02}", ["s", "k"].concat())
}

/// SQL that puts a secret into every place there is; the place as the facts call it comes first.
fn places() -> Vec<(&'static str, &'static str)> {
    vec![
        ("row", "create table shop.accounts (id int, api_token text); insert into shop.accounts values (1, '{}')"),
        (
            "row",
            "create table shop.calls (id int, arguments jsonb); insert into shop.calls values (1, '{\"a\": [{\"k\": \"{}\"}]}')",
        ),
        ("row", "create table shop.blobs (id int, state bytea); insert into shop.blobs values (1, '{}')"),
        ("row", "create table shop.lists (id int, keys text[]); insert into shop.lists values (1, array['{}'])"),
        ("row", "create materialized view shop.copied as select '{}'::text as k"),
        (
            "row",
            "create table shop.parted (id int, k text) partition by list (id); \
             create table shop.parted_1 partition of shop.parted for values in (1); insert into shop.parted values (1, '{}')",
        ),
        ("function body", "create function shop.charge() returns text language sql as $$ select '{}'::text $$"),
        (
            "function body",
            "create function shop.pay() returns void language plpgsql as $$ begin perform shop.call('{}'); end $$",
        ),
        ("argument default", "create function shop.refund(k text default '{}') returns void language sql as 'select'"),
        (
            "setting of a function",
            "create function shop.set_it() returns void language sql set app.k = '{}' as 'select'",
        ),
        // PostgreSQL names its key, its sequence and that sequence's default after it.
        ("name", "create table shop.\"{}\" (id serial primary key)"),
        ("comment", "create table shop.a (id int); comment on table shop.a is 'use {} here'"),
        ("comment", "create table shop.b (id int); comment on column shop.b.id is '{}'"),
        (
            "comment",
            "create function shop.c() returns void language sql as 'select'; comment on function shop.c() is '{}'",
        ),
        ("comment", "comment on schema shop is '{}'"),
        ("comment", "create index b_id on shop.b (id); comment on index shop.b_id is '{}'"),
        ("comment", "create type shop.mood as enum ('ok'); comment on type shop.mood is '{}'"),
        ("comment", "comment on database {db} is '{}'"),
        ("comment", "comment on role {role} is '{}'"),
        ("column default", "create table shop.d (id int, k text default '{}')"),
        ("column default", "create table shop.e (id int, k text generated always as ('{}'::text || id::text) stored)"),
        ("constraint", "create table shop.f (k text, constraint known check (k <> '{}'))"),
        ("index", "create index partly on shop.f (k) where k <> '{}'"),
        ("index", "create index mixed on shop.f ((k || '{}'))"),
        ("extended statistics", "create statistics shop.st on id, (api_token || '{}') from shop.accounts"),
        ("view", "create view shop.g as select '{}'::text as k"),
        ("policy", "create policy p on shop.f using (k = '{}')"),
        ("policy", "create policy q on shop.f for insert with check (k = '{}')"),
        ("rule", "create rule r as on insert to shop.f where new.k = '{}' do instead nothing"),
        ("enum label", "create type shop.h as enum ('{}')"),
        (
            "partition bound",
            "create table shop.i (k text) partition by list (k); create table shop.i1 partition of shop.i for values in ('{}')",
        ),
        ("setting of a database", "alter database {db} set app.jwt_secret = '{}'"),
        ("setting of a role", "alter role {role} set app.key = '{}'"),
        (
            "trigger argument",
            "create function shop.t() returns trigger language plpgsql as 'begin return new; end'; \
             create trigger hook before insert on shop.f for each row execute function shop.t('https://x', 'Bearer {}')",
        ),
        (
            "trigger condition",
            "create trigger sometimes before insert on shop.f for each row when (new.k = '{}') execute function shop.t()",
        ),
        (
            "option of a foreign server",
            "create foreign data wrapper far; create server remote foreign data wrapper far options (host 'h', token '{}')",
        ),
        (
            "option of a user mapping",
            "create user mapping for {role} server remote options (\"user\" 'u', password '{}')",
        ),
        ("option of a foreign table", "create foreign table shop.far (id int) server remote options (key '{}')"),
        (
            "scheduled job",
            "create schema cron; create table cron.job (jobid bigint primary key, schedule text, command text, nodename text, \
             nodeport int, database text, username text, active boolean); \
             insert into cron.job values (1, '@daily', 'select net.http_post(headers := ''{\"Authorization\": \"Bearer {}\"}'')', '', 1, '', '', true)",
        ),
        ("domain constraint", "create domain shop.dom as text constraint not_this check (value <> '{}')"),
        ("domain default", "create domain shop.dom2 as text default '{}'"),
        ("publication filter", "create publication pub for table shop.accounts where (api_token <> '{}')"),
        ("aggregate", "create aggregate shop.agg (text) (sfunc = textcat, stype = text, initcond = '{}')"),
    ]
}

#[tokio::test]
async fn a_secret_is_found_in_every_place_and_kept_in_none() {
    let database = crate::support::database().await;
    let name = database.options().get_database().unwrap().to_owned();
    let role = crate::support::unique("keeper");
    database.run(&format!("create schema shop; create role {role} login")).await;
    let mut wanted = BTreeSet::new();
    let version = crate::support::server().server_version_num();
    for (number, (place, sql)) in places().into_iter().enumerate() {
        if place == "publication filter" && version < 150_000 {
            continue;
        }
        let sql = sql.replace("{}", &planted(number)).replace("{db}", &format!("\"{name}\"")).replace("{role}", &role);
        database.run(&sql).await;
        wanted.insert(place.to_owned());
    }
    let mut session = Session::open(database.options().clone()).await.unwrap();
    let mut facts = Facts::empty().await.unwrap();
    collect_wanted(session.connection(), None, &mut facts, Wanted { rows: true, actors: false, rules: Rules::own() })
        .await
        .unwrap();
    session.close().await;
    let sql = "select place, count(*), sum(count) from secrets where rule = 'stripe-secret-key' group by place";
    let found: Vec<(String, i64, i64)> = sqlx::query_as(sql).fetch_all(facts.connection()).await.unwrap();
    assert_eq!(found.iter().map(|(place, ..)| place.clone()).collect::<BTreeSet<_>>(), wanted);
    let rows: i64 = found.iter().filter(|(place, ..)| place == "row").map(|(_, places, _)| places).sum();
    // One for each of the statements above, and the table of jobs, which is nobody's extension here.
    assert_eq!(rows, 7, "{found:?}");
    let definitions: String = sqlx::query_scalar("select using_expression from policies where name = 'p'")
        .fetch_one(facts.connection())
        .await
        .unwrap();
    assert!(definitions.contains("'[redacted:stripe-secret-key"), "{definitions}");

    derive::derive(&mut facts, &Config::default()).await.unwrap();
    let assessment = assess::run(&mut facts, &Library::embedded().unwrap(), &Config::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.sqlite");
    facts.save(&file).await.unwrap();
    let mut said = vec![std::fs::read(&file).unwrap(), format!("{assessment:?}").into_bytes()];
    for &format in Format::value_variants() {
        let mut bytes = Vec::new();
        let look = govctl::ui::Look::PLAIN;
        let settings = report::Settings {
            look,
            all: true,
            quiet: false,
            fail_on: govctl::check::Severity::Low,
            allow_undecided: false,
            baseline: false,
            exit: govctl::exit::Exit::Findings,
        };
        report::write(format, &assessment, &settings, &mut bytes).unwrap();
        said.push(bytes);
    }
    for number in 0..places().len() {
        let value = planted(number);
        let value = value.split('_').next_back().unwrap().as_bytes().to_vec();
        for bytes in &said {
            let leaks = bytes.windows(value.len()).any(|window| window == value);
            assert!(!leaks, "the secret of {:?} is said", places()[number]);
        }
    }
}

#[tokio::test]
async fn a_sample_is_bounded_and_says_whether_it_was_everything() {
    let database = crate::support::database().await;
    database
        .run(
            "create schema app;
             create table app.many (id int, body text); insert into app.many select i, 'row ' || i from generate_series(1, 3000) i;
             create table app.wide (id int, body text); insert into app.wide select i, repeat(i::text || ' ', 50000) from generate_series(1, 100) i;
             create table app.few (id int, kind text, made_at timestamptz, note text);
             insert into app.few values (1, 'Agent', now() - interval '40 days 1 hour', null), (2, 'user', null, null);
             create table app.none (id int);
             create table app.places (id uuid primary key); insert into app.places select ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid from generate_series(1, 3) i;
             create table app.visits (id uuid primary key, place uuid, args jsonb, note text);
             insert into app.visits select gen_random_uuid(), id, jsonb_build_object('at', upper(id::text), 'n', 1), 'no ' || id from app.places;
             insert into app.visits values (gen_random_uuid(), gen_random_uuid(), null, '00000000-0000-4000-8000-000000000001')",
        )
        .await;
    let mut session = Session::open(database.options().clone()).await.unwrap();
    let mut facts = Facts::empty().await.unwrap();
    collect_wanted(session.connection(), None, &mut facts, Wanted::default()).await.unwrap();
    session.close().await;
    let samples: Vec<(String, i64, bool)> = sqlx::query_as(
        "select r.name, s.rows, s.whole from samples s join relations r on r.oid = s.relation order by r.name",
    )
    .fetch_all(facts.connection())
    .await
    .unwrap();
    let name = |name: &str| name.to_owned();
    assert_eq!(samples.len(), 6, "{samples:?}");
    assert_eq!(samples[0], (name("few"), 2, true));
    assert_eq!(samples[1], (name("many"), 1000, false));
    assert_eq!(samples[2], (name("none"), 0, true));
    assert!(samples[5].1 <= 65 && !samples[5].2, "a mebibyte of a table, no more: {samples:?}");
    let few: Vec<(String, i64, i64, Option<i64>)> = sqlx::query_as(
        "select c.name, s.filled, s.empty, s.earliest_days from sampled_columns s
         join relations r on r.oid = s.relation and r.name = 'few' join columns c on c.relation = r.oid and c.number = s.column_number
         order by c.number",
    )
    .fetch_all(facts.connection())
    .await
    .unwrap();
    assert_eq!(few[1..], [(name("kind"), 2, 0, None), (name("made_at"), 1, 1, Some(40)), (name("note"), 0, 2, None)]);
    let words: Vec<(String, i64)> = sqlx::query_as("select word, count from sampled_words order by word")
        .fetch_all(facts.connection())
        .await
        .unwrap();
    assert_eq!(words, [(name("agent"), 1), (name("user"), 1)]);
    // Which columns name rows of another table, known by the values alone.
    let references: Vec<(String, String, i64)> = sqlx::query_as(
        "select c.name, t.name, s.count from sampled_references s join relations t on t.oid = s.refers_to
         join columns c on c.relation = s.relation and c.number = s.column_number order by c.name",
    )
    .fetch_all(facts.connection())
    .await
    .unwrap();
    let places = |column, count| (name(column), name("places"), count);
    assert_eq!(references, [places("args", 3), places("note", 1), places("place", 3)]);
}

/// Of many tables, the empty ones are asked about together: none is left out, and none that has rows is passed over.
/// One that is locked is refused by itself.
#[tokio::test]
async fn of_many_tables_each_is_looked_at() {
    let database = crate::support::database().await;
    database
        .run(
            "do $$ begin for n in 1..150 loop
               execute format('create table public.\"T \"\"%s\" (id int, note text, at timestamptz)', n);
               if n % 7 = 0 then execute format('insert into public.\"T \"\"%s\" values (1, ''x'', null), (2, null, null)', n); end if;
             end loop; end $$;
             create materialized view public.never as select 1 as one with no data",
        )
        .await;
    let locked = !crate::support::is_embedded();
    let mut holder = None;
    if locked {
        let mut connection = database.connect().await;
        let sql = r#"begin; lock table public."T ""3" in access exclusive mode"#;
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        holder = Some(connection);
    }
    let mut session = Session::open(database.options().clone()).await.unwrap();
    let mut facts = Facts::empty().await.unwrap();
    collect_wanted(session.connection(), None, &mut facts, Wanted { rows: true, actors: false, rules: Rules::own() })
        .await
        .unwrap();
    session.close().await;
    drop(holder);
    let sql = "select count(*), sum(rows), sum(whole) from samples";
    let seen: (i64, i64, i64) = sqlx::query_as(sql).fetch_one(facts.connection()).await.unwrap();
    let tables = if locked { 149 } else { 150 };
    assert_eq!((seen.1, seen.2), (42, seen.0));
    assert!((tables..=tables + 1).contains(&seen.0), "{seen:?}");
    let unseen: Vec<String> = sqlx::query_scalar("select object from unseen where area = 'samples' order by 1")
        .fetch_all(facts.connection())
        .await
        .unwrap();
    assert_eq!(unseen.iter().any(|object| object == r#"public."T ""3""#), locked, "{unseen:?}");
}
