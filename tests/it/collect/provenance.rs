//! Whose an object is.

use super::shop::{Shop, assert_rows};

#[tokio::test]
async fn a_plain_name_is_the_platform_s_only_where_the_platform_owns_it() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::empty("t_whose").await;
    shop.sql(
        "drop role if exists supabase_admin, supabase_storage_admin, anon;
         create schema auth; create table auth.users (id uuid, tenant_id uuid); create schema storage",
    )
    .await;
    let facts = &mut shop.facts().await;
    assert_rows(facts, "select provenance from relations", &["user"]).await;
    assert_rows(facts, "select provenance from schemas", &["user"; 3]).await;

    shop.sql(
        "create role supabase_admin; create role supabase_storage_admin; create role anon; create role t_whose_dev;
         create function auth.uid() returns uuid language sql as 'select null::uuid';
         create function auth.mine() returns int language sql as 'select 1';
         create table storage.objects (id int); create table storage.ours (id int); create table public.posts (id int);
         alter function auth.mine() owner to t_whose_dev; alter table storage.ours owner to t_whose_dev;
         alter schema storage owner to supabase_storage_admin; alter table storage.objects owner to supabase_storage_admin;
         alter table public.posts owner to supabase_admin",
    )
    .await;
    let facts = &mut shop.facts().await;
    assert_rows(
        facts,
        "select schema || '.' || name, provenance from relations
         union all select schema || '.' || name, provenance from functions order by 1",
        &[
            "auth.mine | user",
            "auth.uid | platform",
            "auth.users | platform",
            "public.posts | user",
            "storage.objects | platform",
            "storage.ours | user",
        ],
    )
    .await;
    assert_rows(facts, "select provenance from roles where name in ('anon', 'supabase_admin')", &["platform"; 2]).await;
    assert_rows(
        facts,
        "select name, provenance from schemas order by 1",
        &["auth | platform", "public | user", "storage | platform"],
    )
    .await;

    // as TimescaleDB does it, whose chunks lie in its own schema and hold the user's rows
    shop.sql(
        "create schema _timescaledb_internal; create table public.readings (at int);
         create table _timescaledb_internal.chunk () inherits (public.readings); create table _timescaledb_internal.catalog (a int)",
    )
    .await;
    let internal = "select name, provenance from relations where schema = '_timescaledb_internal' order by 1";
    assert_rows(&mut shop.facts().await, internal, &["catalog | platform", "chunk | user"]).await;
    shop.sql("drop schema auth, storage cascade; drop table public.posts; drop role supabase_admin, supabase_storage_admin, anon").await;
    shop.remove().await;
}

#[tokio::test]
async fn what_an_extension_brings_is_its_own() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::empty("t_theirs").await;
    shop.sql(
        "create extension pg_stat_statements; create schema tools; create extension hstore schema tools;
         create table tools.ours (id serial, h tools.hstore); create function tools.mine() returns int language sql as 'select 1'",
    )
    .await;
    let facts = &mut shop.facts().await;
    assert_rows(
        facts,
        "select name, provenance from relations order by 1",
        &["ours | user", "ours_id_seq | user", "pg_stat_statements | extension", "pg_stat_statements_info | extension"],
    )
    .await;
    assert_rows(
        facts,
        "select provenance from functions where name in ('hstore_in', 'mine') order by name",
        &["extension", "user"],
    )
    .await;
    shop.remove().await;
}
