//! Every fixture, copied, has the same catalog.

use super::{facts, original};
use crate::support;
use govctl::config::Config;
use govctl::plan::prove::{Catalog, after};
use govctl::target::scratch::{Choice, Scratch};
use govctl::ui::progress::Silent;
use std::path::Path;

/// What differs between a database with this script and its copy, and what was said to be missing.
async fn copied(script: &str) -> (Vec<String>, Vec<String>) {
    let database = original(script).await;
    let mut before = facts(&database).await;
    let after = match support::is_embedded() {
        false => after(&[], &mut before, &Config::default(), database.server(), &Silent).await.unwrap(),
        true => {
            let scratch = Scratch::start(Choice::Embedded).await.unwrap();
            after(&[], &mut before, &Config::default(), &scratch, &Silent).await.unwrap()
        }
    };
    let mut after_facts = after.facts;
    let then = Catalog::read(&mut before).await.unwrap();
    assert!(Catalog::default().until(&then).len() > 20, "nothing was collected");
    let now = Catalog::read(&mut after_facts).await.unwrap();
    let notes = after.notes.into_iter().map(|note| format!("{}: {}", note.object, note.why));
    (then.until(&now), notes.collect())
}

async fn folder(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "sql"));
    paths.sort();
    let mut wrong = Vec::new();
    for path in paths {
        let script = std::fs::read_to_string(&path).unwrap();
        if script.contains("since 17") || script.contains("since 16") {
            continue;
        }
        let (differences, notes) = copied(&script).await;
        if !differences.is_empty() || !notes.is_empty() {
            wrong.push((path, differences, notes));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn clean_databases() {
    folder("clean").await;
}

#[tokio::test]
async fn holes() {
    folder("holes").await;
}

#[tokio::test]
async fn frameworks() {
    folder("frameworks").await;
}

#[tokio::test]
async fn the_demo() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let mut script = String::new();
    for part in ["1_schema", "2_policies", "3_holes", "4_data"] {
        script += &std::fs::read_to_string(folder.join(part).with_extension("sql")).unwrap();
    }
    let (differences, notes) = copied(&script).await;
    assert!(differences.is_empty() && notes.is_empty(), "{differences:#?}\n{notes:#?}");
}

/// One of everything that facts can say, under names that want to be something else.
const EVERYTHING: &str = r#"
    create role "own'er""x" login createrole;
    create role reader_t nologin noinherit;
    create role agent_t login connection limit 3;
    grant reader_t to agent_t with admin option;
    create schema "Weird ""schema" authorization "own'er""x";
    comment on schema "Weird ""schema" is 'it''s "odd" \n';
    set search_path = "Weird ""schema";
    create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create type mood as enum ('so''so', 'good', 'x; drop table y');
    create domain "short text" as varchar(20) collate "C" default 'x' not null constraint "no ""empty" check (value <> '');
    create type pair as (a int, "B c" text);
    create type weights as range (subtype = float8);
    create sequence "free seq" as int increment by 5 minvalue -10 maxvalue 1000 start with 7 cycle;
    create table tenants (id uuid primary key default gen_random_uuid(), name text collate ci not null, feeling mood default 'good');
    create table "order" (
      id bigint generated always as identity (sequence name "my ids" start with 100), n serial, tenant_id uuid not null references tenants on delete cascade,
      "select" "short text", tags text[] default '{}', p pair, w weights, price numeric(10,2) check (price > 0),
      double numeric generated always as (price * 2) stored, note text,
      constraint "odd ""name" unique (tenant_id, note), exclude using gist (w with &&));
    comment on table "order" is E'a\\b';
    comment on column "order"."select" is 'of all';
    alter table "order" add constraint later check (note <> 'x') not valid;
    create unique index "by USING lower" on "order" (lower(note) desc nulls last, tenant_id) where price > 1;
    create index plain on "order" (tenant_id) include (note);
    create index patterned on "order" (note text_pattern_ops, price desc);
    create unlogged table "un""logged" (a int);
    create table base (a int not null, b text, constraint positive check (a > 0));
    create table derived (c int) inherits (base);
    create table events (id bigint, at timestamptz not null, tenant_id uuid references tenants, kind mood, primary key (id, at, kind)) partition by range (at);
    create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
    create table events_rest partition of events default partition by list (kind);
    create table events_rest_good partition of events_rest for values in ('good');
    create index events_by_tenant on events (tenant_id, at);
    create table refers (event bigint, at timestamptz, kind mood, foreign key (event, at, kind) references events);
    create table hashed (a int, b text) partition by hash (lower(b), a);
    create table hashed_0 partition of hashed for values with (modulus 1, remainder 0);
    create function "odd func"("a b" int, inout x text default 'it''s', variadic rest int[] default '{}')
      language plpgsql security definer set search_path = pg_catalog, "Weird ""schema" set work_mem = '8MB' as $b$begin x := '$function$ $body$'; end$b$;
    create function atomic(t tenants) returns text language sql stable begin atomic select t.name; end;
    create function many() returns table (id uuid, "na me" text) language sql rows 7 cost 3 parallel safe as $$ select id, name from "Weird ""schema".tenants $$;
    create procedure act(inout a int) language plpgsql as $$ begin a := 1; end $$;
    create aggregate total(int) (sfunc = int4pl, stype = int, initcond = '0');
    alter table tenants add column lower_name text;
    alter table tenants alter column lower_name set default "Weird ""schema".atomic(null);
    create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
    create view first_v with (security_barrier) as select id, name as "the name" from tenants where name <> 'x' with cascaded check option;
    create view second_v as select * from first_v join many() using (id);
    create materialized view counted as select count(*) as n from second_v;
    create unique index on counted (n);
    create function uses_view() returns setof second_v language sql as $$ select * from "Weird ""schema".second_v $$;
    create trigger "when ""it" before update of note, "select" on "order" for each row when (old.note is distinct from new.note) execute function touch('a', 'it''s', '');
    alter table "order" enable always trigger "when ""it";
    create constraint trigger late after insert on "order" deferrable initially deferred for each row execute function touch();
    create trigger on_parts before insert on events for each row execute function touch();
    create trigger on_parts_stmt after insert on events_2025 execute function touch();
    alter table events_2025 disable trigger on_parts_stmt;
    create rule no_delete as on delete to "un""logged" do instead nothing;
    alter table "un""logged" enable always rule no_delete;
    alter table "order" enable row level security, force row level security;
    alter table events enable row level security;
    create policy "is""olation" on "order" as restrictive for update to agent_t, reader_t using (tenant_id = current_setting('app.t')::uuid) with check (exists (select from tenants t where t.id = tenant_id));
    create policy everyone on "order" using (true);
    comment on policy everyone on "order" is 'what';
    create policy only_insert on events for insert to public with check (tenant_id is not null);
    alter table "order" owner to "own'er""x";
    alter table events owner to "own'er""x";
    alter function many owner to reader_t;
    alter type mood owner to reader_t;
    grant usage on schema "Weird ""schema" to public, agent_t;
    grant select, insert on "order" to agent_t with grant option;
    set role agent_t;
    grant select on "order" to reader_t;
    reset role;
    grant update (note, "select"), references (id) on "order" to reader_t;
    grant select on counted, first_v to agent_t;
    revoke all on tenants from postgres;
    revoke execute on function "odd func" from public;
    grant execute on function "odd func" to agent_t;
    grant execute on procedure act to reader_t;
    revoke execute on function total(int) from public;
    grant usage, update on sequence "free seq" to agent_t;
    revoke usage on type mood from public;
    grant usage on type mood to agent_t;
    alter default privileges for role "own'er""x" revoke execute on functions from public;
    alter default privileges for role "own'er""x" in schema "Weird ""schema" grant select on tables to reader_t with grant option;
    alter role agent_t set search_path = "Weird ""schema", public;
    alter role agent_t set row_security = on;
    alter table refers replica identity full;
    create publication some_of_it for table "order" (id, tenant_id) where (price > 5), tenants with (publish = 'insert, truncate');
    create publication every for all tables;
    create extension if not exists plpgsql;
    create foreign data wrapper wrapped;
    create server far foreign data wrapper wrapped options (password 'hunter2-hunter2');
    create foreign table remote (a int not null, b text default 'q') server far options (table_name 'x');
    grant usage on foreign server far to agent_t;
    create function watch() returns event_trigger language plpgsql as $$ begin end $$;
    create event trigger watching on ddl_command_end when tag in ('CREATE TABLE', 'DROP TABLE') execute function watch();
    alter event trigger watching enable always;
"#;

#[tokio::test]
async fn everything_at_once() {
    // The embedded server has no ICU.
    if support::server().server_version_num() < 150_000 || support::is_embedded() {
        return;
    }
    let (differences, notes) = copied(EVERYTHING).await;
    assert!(differences.is_empty() && notes.is_empty(), "{differences:#?}\n{notes:#?}");
}
