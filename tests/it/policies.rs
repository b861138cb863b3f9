//! Random policies, judged by PostgreSQL itself: no leak is missed, and few tables are accused wrongly.
//!
//! Each table gets random policies, an owner, and rows of several tenants that cover what the policies ask for. Every
//! login then reads and writes for real, in every state of the session's settings; what crosses tenants is the truth.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "a test may say what it has seen")]

use govctl::assess;
use govctl::check::{Axis, Library, Severity};
use govctl::config::Config;
use govctl::facts::{Facts, collect, derive};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};

/// Rounds and tables a round. More: `GOVCTL_POLICY_ROUNDS=50 cargo test --test it policies:: -- --nocapture`.
fn rounds() -> u8 {
    std::env::var("GOVCTL_POLICY_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}
const TABLES: usize = 60;

/// Tenant key types: the type, the session's own tenant, others.
const KEYS: [(&str, &str, [&str; 3]); 4] = [
    ("int", "5", ["3", "7", "50"]),
    // Texts that are numbers, and are cast to one.
    ("varchar", "5", ["3", "7", "50"]),
    // Most texts that name a tenant are UUIDs, and are cast to one.
    (
        "text",
        "55555555-0000-4000-8000-000000000000",
        [
            "11111111-0000-4000-8000-000000000000",
            "55555555-0000-4000-8000-000000000000-2",
            "99999999-0000-4000-8000-000000000000",
        ],
    ),
    (
        "uuid",
        "55555555-0000-4000-8000-000000000000",
        [
            "11111111-0000-4000-8000-000000000000",
            "77777777-0000-4000-8000-000000000000",
            "99999999-0000-4000-8000-000000000000",
        ],
    ),
];

fn atom() -> BoxedStrategy<String> {
    let pins = prop::sample::select(vec![
        "tenant_id = current_setting('app.tenant')::$T",
        "tenant_id = nullif(current_setting('app.tenant', true), '')::$T",
        "tenant_id::text = current_setting('app.tenant', true)",
        "tenant_id::text = nullif(current_setting('app.tenant', true), '')::uuid::text",
        "tenant_id = (select nullif(current_setting('app.tenant', true), '')::$T)",
        "tenant_id = any (array[nullif(current_setting('app.tenant', true), '')::$T])",
        "tenant_id in (nullif(current_setting('app.tenant', true), '')::$T)",
        "tenant_id = any (string_to_array(current_setting('app.tenant', true), ',')::$T[])",
        "not (tenant_id <> nullif(current_setting('app.tenant', true), '')::$T)",
        "tenant_id is not distinct from nullif(current_setting('app.tenant', true), '')::$T",
        "tenant_id = j.sql_tenant_$T()",
        "tenant_id = j.plpgsql_tenant_$T()",
        "j.same_tenant_$T(tenant_id)",
        "coalesce(tenant_id = nullif(current_setting('app.tenant', true), '')::$T, false)",
        "case when tenant_id = nullif(current_setting('app.tenant', true), '')::$T then true else false end",
        "(tenant_id, true) = (nullif(current_setting('app.tenant', true), '')::$T, true)",
        "tenant_id in (select m.tenant_id from j.members_$T m where m.user_id = current_setting('app.user', true))",
        "exists (select 1 from j.members_$T m where m.tenant_id = $R.tenant_id and m.user_id = current_setting('app.user', true))",
        "tenant_id = (select m.tenant_id from j.members_$T m where m.user_id = current_setting('app.user', true) limit 1)",
        "array[tenant_id] <@ string_to_array(current_setting('app.tenant', true), ',')::$T[]",
        "md5(tenant_id::text) = md5(current_setting('app.tenant', true))",
        "tenant_id::text = (nullif(current_setting('app.claims', true), '')::json ->> 'tenant')",
        "(nullif(current_setting('app.claims', true), '')::jsonb -> 'tenants') ? tenant_id::text",
        "tenant_id in (select j.my_tenants_$T())",
        "tenant_id in (select f.f from j.my_tenants_$T() f(f))",
        "exists (select 1 from j.members_$T m join j.people p on p.id = m.user_id where p.login = current_setting('app.login', true) and m.tenant_id = $R.tenant_id)",
        "tenant_id = any (array(select m.tenant_id from j.members_$T m where m.user_id = current_setting('app.user', true)))",
        "tenant_id = any ((select array_agg(m.tenant_id) from j.members_$T m where m.user_id = current_setting('app.user', true))::$T[])",
        "(select count(*) from j.members_$T m where m.user_id = current_setting('app.user', true) and m.tenant_id = $R.tenant_id) > 0",
        "doc_id in (select d.id from j.docs_$T d)",
        "exists (select 1 from j.docs_$T d where d.id = doc_id and d.tenant_id = nullif(current_setting('app.tenant', true), '')::$T)",
        "exists (with mine as (select m.tenant_id t from j.members_$T m where m.user_id = current_setting('app.user', true)) select 1 from mine where mine.t = $R.tenant_id)",
        "tenant_id in (select nullif(current_setting('app.tenant', true), '')::$T union select null)",
        "j.may_see_$T(tenant_id)",
        "j.found_$T(tenant_id)",
        "tenant_id in (select j.looped_$T())",
        "(tenant_id, current_setting('app.user', true)) in (select m.tenant_id, m.user_id from j.members_$T m)",
        "md5(tenant_id::text) = md5(nullif(current_setting('app.claims', true), '')::json ->> 'tenant')",
        "strpos(',' || current_setting('app.tenant', true) || ',', ',' || tenant_id::text || ',') > 0",
        "concat(tenant_id, ':') = concat(current_setting('app.tenant', true), ':')",
        "tenant_id in (values (nullif(current_setting('app.tenant', true), '')::$T))",
        "tenant_id = (nullif(current_setting('app.claims', true), '')::jsonb #>> '{tenant}')::$T",
        "to_jsonb(tenant_id::text) <@ (nullif(current_setting('app.claims', true), '')::jsonb -> 'tenants')",
        "tenant_id::text in (select jsonb_array_elements_text(nullif(current_setting('app.claims', true), '')::jsonb -> 'tenants'))",
        "exists (select 1 from jsonb_array_elements_text(nullif(current_setting('app.claims', true), '')::jsonb -> 'tenants') e where e = tenant_id::text)",
        "exists (select from unnest(string_to_array(current_setting('app.tenant', true), ',')) u(t) where u.t = tenant_id::text)",
        "format('%s', tenant_id) = current_setting('app.tenant', true)",
        "tenant_id between nullif(current_setting('app.tenant', true), '')::$T and nullif(current_setting('app.tenant', true), '')::$T",
        "(tenant_id = nullif(current_setting('app.tenant', true), '')::$T) is true",
        "case tenant_id when nullif(current_setting('app.tenant', true), '')::$T then true else false end",
        "case when current_setting('app.tenant', true) is null then false else tenant_id::text = current_setting('app.tenant', true) end",
        "exists (select 1 from j.members_$T m where (m.tenant_id, m.user_id) = ($R.tenant_id, current_setting('app.user', true)))",
        "tenant_id in (select m.tenant_id from j.members_$T m where m.user_id = current_setting('app.user', true) intersect select p.id from j.places_$T p)",
        "array_position(string_to_array(current_setting('app.tenant', true), ','), tenant_id::text) is not null",
        "tenant_id::text ~ ('^' || current_setting('app.tenant', true) || '$')",
        "(select tenant_id = nullif(current_setting('app.tenant', true), '')::$T)",
        "tenant_id::text::$N = nullif(current_setting('app.tenant', true), '')::$N",
        "(select bool_or(m.user_id = current_setting('app.user', true)) from j.members_$T m where m.tenant_id = $R.tenant_id)",
    ]);
    let holes = prop::sample::select(vec![
        "true",
        "1 = 1",
        "tenant_id is not null",
        "case when tenant_id::text::uuid = nullif(current_setting('app.tenant', true), '')::uuid then true else amount > 5 end",
        "tenant_id = tenant_id",
        "case when tenant_id::text::$N = nullif(current_setting('app.tenant', true), '')::$N then true else amount > 5 end",
        "tenant_id::text::$N >= nullif(current_setting('app.tenant', true), '')::$N",
        "note <> status",
        "owner_id is distinct from status",
        "not (amount = id)",
        "amount > id",
        "deleted_at <> created_at",
        "reverse(status) <> status",
        "left(status, 3) <> right(note, 3)",
        "lower(status) <> note and upper(status) <> status",
        "amount::text <> status",
        "status || 'x' <> note",
        "(status, note) <> (note, status)",
        "strpos(status, 'r') > strpos(note, 'p')",
        "status = 'public'",
        "status <> 'private'",
        "status in ('public', 'shared')",
        "is_public",
        "is_public is not true",
        "not is_public",
        "amount > 100",
        "amount between 10 and 50",
        "note like 'pub%'",
        "note is null",
        "lower(status) = 'public'",
        "owner_id = current_setting('app.user', true)",
        "current_setting('app.is_admin', true) = 'on'",
        "coalesce(current_setting('app.is_admin', true), 'off')::boolean",
        "coalesce(current_setting('app.tenant', true), tenant_id::text) = tenant_id::text",
        "coalesce(nullif(current_setting('app.tenant', true), ''), tenant_id::text) = tenant_id::text",
        "current_setting('app.tenant', true) is null",
        "nullif(current_setting('app.tenant', true), '') is null",
        "current_setting('app.tenant', true) = ''",
        "tenant_id <> nullif(current_setting('app.tenant', true), '')::$T",
        "tenant_id >= nullif(current_setting('app.tenant', true), '')::$T",
        "tenant_id = '$B'",
        "tenant_id in ('$A', '$B')",
        "current_user = 'j_app'",
        "current_user = 'j_nobody'",
        "exists (select 1 from j.members_$T m where m.user_id = current_setting('app.user', true))",
        "exists (select 1 from j.members_$T m where m.tenant_id = $R.tenant_id)",
        "tenant_id in (select m.tenant_id from j.members_$T m)",
        "tenant_id::text like current_setting('app.tenant', true) || '%'",
        "length(status) > 3",
        "status::text = any (array['public', 'draft'])",
        "j.is_public(is_public)",
        "exists (select 1 from j.docs_$T d where d.id = doc_id)",
        "doc_id is not null",
        "exists (select 1 from j.members_$T m left join j.people p on p.id = m.user_id where p.login = current_setting('app.login', true))",
        "not exists (select 1 from j.people p where p.id = owner_id)",
        "tenant_id in (select j.all_tenants_$T())",
        "current_setting('app.role', true) in ('support', 'admin')",
        "(select p.admin from j.people p where p.id = current_setting('app.user', true))",
        "amount % 2 = 0",
        "coalesce(note, 'pub') like '%ub%'",
        "status ~ '^p'",
        "position('p' in status) = 1",
        "is_public = (status = 'public')",
        "greatest(amount, 100) = amount",
        "string_to_array(status, ',') <> '{}'",
        "(tenant_id, id) >= (nullif(current_setting('app.tenant', true), '')::$T, 0)",
        "(tenant_id, id) <> (nullif(current_setting('app.tenant', true), '')::$T, 0)",
        "tenant_id::text = all (string_to_array(current_setting('app.tenant', true), ','))",
        "tenant_id in (select p.id from j.places_$T p where p.plan = 'free')",
        "tenant_id in (select p.id from j.places_$T p except select m.tenant_id from j.members_$T m where m.user_id <> current_setting('app.user', true))",
        "exists (select 1 from j.members_$T m, j.places_$T p where m.user_id = current_setting('app.user', true) and p.id = $R.tenant_id)",
        "exists (select 1 from j.members_$T m right join j.places_$T p on m.tenant_id = p.id and m.user_id = current_setting('app.user', true) where p.id = $R.tenant_id)",
        "exists (select count(*) from j.members_$T m where m.tenant_id = $R.tenant_id and m.user_id = current_setting('app.user', true))",
        "(select count(*) = 0 from j.members_$T m where m.tenant_id = $R.tenant_id and m.user_id = current_setting('app.user', true))",
        "(select count(*) from j.members_$T m where m.user_id = 'u-other') > 1",
        "tenant_id::text in (select g::text from generate_series(1, 9) g)",
        "length(tenant_id::text) = length(nullif(current_setting('app.claims', true), '')::json ->> 'tenant')",
        "substr(current_setting('app.role', true), 1, 2) = 'su'",
        "j.rescued_$T(tenant_id)",
        "'public' = any (tags)",
        "tags @> array['public']",
        "tags && array['public', 'other']",
        "cardinality(tags) > 0",
        "array_length(tags, 1) is null",
        "details ->> 'visibility' = 'public'",
        "details @> '{\"visibility\": \"public\"}'",
        "details ? 'open'",
        "(details ->> 'open')::boolean",
        "details is null",
        "details -> 'visibility' is not null",
        "jsonb_typeof(details) = 'object'",
        "created_at > now() - interval '7 days'",
        "created_at < now()",
        "deleted_at is null",
        "created_at::date = current_date",
        "extract(year from created_at) > 2000",
        "deleted_at is null or deleted_at > now()",
        "now() > '2020-01-01'",
        "nullif(current_setting('app.tenant', true), '')::$T = any (shared_with)",
        "shared_with @> array[nullif(current_setting('app.tenant', true), '')::$T]",
        "shared_with is not null",
        "kind = 'open'",
        "kind <> 'closed'",
        "kind in ('open', 'half')",
        "kind > 'closed'",
        "kind::text like 'o%'",
        "pg_has_role(current_user, 'j_app', 'member')",
        "current_user in ('j_app', 'j_x')",
        "current_user::text like 'j\\_%'",
        "has_table_privilege('j.people', 'select')",
        "pg_backend_pid() > 0",
        "current_setting('is_superuser') = 'off'",
        "id % 2 = 0",
        "id > 10",
        "id in (1, 2, 3)",
        "hashtext(tenant_id::text) % 2 = 0",
        "abs(amount) > 10",
        "amount::text like '5%'",
        "amount + 1 > 100",
        "round(amount / 3.0) > 10",
        "upper(status) = 'PUBLIC'",
        "status ilike 'pub%'",
        "trim(status) = 'public'",
        "split_part(status, 'u', 1) = 'p'",
        "replace(status, 'a', 'b') <> status",
        "status || note like 'p%'",
        "status similar to '(public|shared)'",
        "status !~ 'private'",
        "to_tsvector('simple', note) @@ to_tsquery('simple', 'publication')",
        "status collate \"C\" > 'p'",
        "owner_id is null",
        "owner_id in (select p.id from j.people p)",
        "exists (select 1 from j.people p where p.admin)",
        "(select bool_or(p.admin) from j.people p)",
        "exists (select)",
        "(select count(*) from j.people p) > 2",
        "random() >= 0",
        "num_nonnulls(note, status) = 2",
        "(status, note) is not null",
        "row(status) = row('public')",
        "status is distinct from 'private'",
        "is_public is unknown",
        "is_public is not false",
        "is_public::text = 'true'",
    ]);
    let nothing = prop::sample::select(vec![
        "false",
        "null::boolean",
        "1 = 2",
        "status = 'public' and status = 'private'",
        "tenant_id is null and amount > 5",
        "amount > 100 and amount < 50",
        "current_user = 'j_nobody'",
    ]);
    prop_oneof![8 => pins, 4 => holes, 1 => nothing].prop_map(str::to_owned).boxed()
}

fn expression() -> BoxedStrategy<String> {
    atom()
        .prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                4 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
                2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) or ({b})")),
                1 => inner.clone().prop_map(|a| format!("not ({a})")),
                1 => (inner.clone(), inner.clone(), inner.clone())
                    .prop_map(|(a, b, c)| format!("case when ({a}) then ({b}) else ({c}) end")),
                1 => (inner.clone(), inner).prop_map(|(a, b)| format!("coalesce(({a}), ({b}))")),
            ]
        })
        .boxed()
}

#[derive(Clone, Debug)]
struct RandomPolicy {
    permissive: bool,
    command: &'static str,
    role: &'static str,
    using: String,
    check: Option<String>,
}

#[derive(Clone, Debug)]
struct RandomTable {
    key: usize,
    /// The tenant is a member of a JSON column.
    inside: bool,
    nullable: bool,
    rls: bool,
    force: bool,
    owner: &'static str,
    policies: Vec<RandomPolicy>,
}

fn policy() -> impl Strategy<Value = RandomPolicy> {
    (
        prop::bool::weighted(0.8),
        prop::sample::select(vec!["all", "all", "all", "select", "insert", "update", "delete"]),
        prop::sample::select(vec!["public", "public", "j_app", "j_other"]),
        expression(),
        prop::option::weighted(0.4, expression()),
    )
        .prop_map(|(permissive, command, role, using, check)| RandomPolicy {
            permissive,
            command,
            role,
            using,
            check,
        })
}

fn table() -> impl Strategy<Value = RandomTable> {
    (
        (0..KEYS.len(), prop::bool::weighted(0.15)),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.93),
        prop::bool::weighted(0.6),
        prop::sample::select(vec!["j_owner", "j_owner", "j_owner", "j_other"]),
        prop::collection::vec(policy(), 1..4),
    )
        .prop_map(|((key, inside), nullable, rls, force, owner, policies)| RandomTable {
            key,
            inside,
            nullable,
            rls,
            force,
            owner,
            policies,
        })
}

impl RandomTable {
    fn ddl(&self, name: &str) -> String {
        let (key_type, own, others) = KEYS[self.key];
        let fill = |text: &str| {
            let text = if self.inside { inside(text) } else { text.to_owned() };
            // What the texts of these keys are: numbers or UUIDs.
            let meant = if own.len() < 8 { "bigint" } else { "uuid" };
            text.replace("$T", key_type)
                .replace("$N", meant)
                .replace("$R", name)
                .replace("$A", own)
                .replace("$B", others[1])
        };
        let null = if self.nullable { "" } else { "not null" };
        let (key, value) = if self.inside {
            ("metadata jsonb".to_owned(), "jsonb_build_object('tenant_id', t)")
        } else {
            (format!("tenant_id {key_type} {null}"), "t")
        };
        let column = key.split(' ').next().unwrap_or_default();
        let mut sql = format!(
            "create table j.{name} (id int generated always as identity, {key}, status text, is_public boolean,
               amount int, note text, owner_id text, doc_id int references j.docs_{key_type}, tags text[], details jsonb,
               created_at timestamptz, deleted_at timestamptz, shared_with {key_type}[], kind j.kind);\n"
        );
        let tenants = [own, others[0], others[1], others[2]].map(|t| format!("('{t}'::{key_type})")).join(", ");
        sql.push_str(&format!(
            "insert into j.{name} ({column}, status, is_public, amount, note, owner_id, doc_id, tags, details, created_at, deleted_at, shared_with, kind)
             select {value}, s, p, a, n, o, case when abs(hashtext(concat(s, p, a, n))) % 7 > 0 then d.id end, (j.varied(concat(s, p, a, n))).tags, (j.varied(concat(s, p, a, n))).details,
               (j.varied(concat(s, p, a, n))).created_at, (j.varied(concat(s, p, a, n))).deleted_at,
               array[case when abs(hashtext(concat(s, p, a))) % 3 = 0 then '{own}' else '{first}' end]::{key_type}[], (j.varied(concat(s, p, a, n))).kind from (values {tenants}) tenants(t) join j.docs_{key_type} d on d.tenant_id = t, unnest(array['public', 'private', 'shared', 'draft', null]) s,
               unnest(array[true, false, null]) p, unnest(array[20, 75, 500]) a, unnest(array['publication', null]) n,
               lateral (select (array['u-own', 'u-other', 'u-gone'])[1 + abs(hashtext(concat(s, p, a, n))) % 3]) owners(o);\n",
            first = others[0]
        ));
        sql.push_str(&format!("alter table j.{name} owner to {};\n", self.owner));
        sql.push_str(&format!("grant select, insert, update, delete on j.{name} to j_app, j_other;\n"));
        if self.rls {
            sql.push_str(&format!("alter table j.{name} enable row level security;\n"));
        }
        if self.force {
            sql.push_str(&format!("alter table j.{name} force row level security;\n"));
        }
        if self.inside {
            // Nothing else says that it is the tenant.
            let known = fill("tenant_id = nullif(current_setting('app.tenant', true), '')::$T");
            sql.push_str(&format!("create policy known on j.{name} for select to j_keeper using ({known});\n"));
        }
        for (index, policy) in self.policies.iter().enumerate() {
            let kind = if policy.permissive { "permissive" } else { "restrictive" };
            let using = fill(&policy.using);
            let check = policy.check.as_ref().map_or(using.clone(), |c| fill(c));
            let clauses = match policy.command {
                "insert" => format!("with check ({check})"),
                "select" | "delete" => format!("using ({using})"),
                _ if policy.check.is_some() => format!("using ({using}) with check ({check})"),
                _ => format!("using ({using})"),
            };
            sql.push_str(&format!(
                "create policy p{index} on j.{name} as {kind} for {} to {} {clauses};\n",
                policy.command, policy.role
            ));
        }
        sql
    }
}

/// The same expression over a table whose tenant is a member of a JSON column.
fn inside(text: &str) -> String {
    let (mut read, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("tenant_id") {
        let (before, after) = rest.split_at(at);
        let of_table = before.ends_with("$R.");
        let other = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_')) && !of_table;
        let qualifier = if of_table { "$R." } else { "" };
        read.push_str(before.strip_suffix(qualifier).unwrap_or(before));
        read.push_str(&if other {
            "tenant_id".to_owned()
        } else {
            format!("({qualifier}metadata ->> 'tenant_id')::$T")
        });
        rest = &after["tenant_id".len()..];
    }
    // A policy may say the same of the document.
    (read + rest).replace(
        "(metadata ->> 'tenant_id')::$T = nullif(current_setting('app.tenant', true), '')::$T",
        "metadata @> jsonb_build_object('tenant_id', nullif(current_setting('app.tenant', true), '')::$T)",
    )
}

/// Roles, memberships and functions the policies use, and the judge.
fn stage() -> String {
    let mut sql = String::from(
        "create role j_owner; create role j_keeper; create role j_app login; create role j_other login; create schema j;
         grant usage on schema j to j_app, j_other;
         create type j.kind as enum ('closed', 'half', 'open');
         create type j.variety as (tags text[], details jsonb, created_at timestamptz, deleted_at timestamptz, kind j.kind);
         -- What else a row may hold, spread over the rows.
         create function j.varied(seed text) returns j.variety language sql immutable as $$ select
           (array['{public,x}', '{}', null, '{other}'])[1 + abs(hashtext(seed || 't')) % 4]::text[],
           (array['{\"visibility\": \"public\", \"open\": true}', '{\"visibility\": \"private\"}', null, '[]'])[1 + abs(hashtext(seed || 'd')) % 4]::jsonb,
           (array[now(), '2001-01-01', null, '2100-01-01'])[1 + abs(hashtext(seed || 'c')) % 4]::timestamptz,
           (array[null, null, '2001-01-01', '2100-01-01'])[1 + abs(hashtext(seed || 'g')) % 4]::timestamptz,
           (array['closed', 'half', 'open', null])[1 + abs(hashtext(seed || 'k')) % 4]::j.kind $$;
         create function j.is_public(flag boolean) returns boolean language sql stable as 'select coalesce(flag, false)';
         create table j.people (id text primary key, login text unique, admin boolean not null);
         insert into j.people values ('u-own', 'own-login', false), ('u-other', 'other-login', false), ('u-admin', 'admin-login', true);
         grant select on j.people to j_app, j_other;\n",
    );
    for (key_type, own, others) in KEYS {
        sql.push_str(&format!(
            "create table j.members_{key_type} (user_id text, tenant_id {key_type} not null, primary key (user_id, tenant_id));
             insert into j.members_{key_type} values ('u-own', '{own}'), ('u-other', '{}'), ('u-other', '{}');
             create table j.docs_{key_type} (id int primary key, tenant_id {key_type} not null, title text);
             insert into j.docs_{key_type} values (1, '{own}'), (2, '{}'), (3, '{}'), (4, '{}');
             alter table j.docs_{key_type} enable row level security;
             create policy mine on j.docs_{key_type} using (tenant_id = nullif(current_setting('app.tenant', true), '')::{key_type});
             create table j.places_{key_type} (id {key_type} primary key, plan text);
             insert into j.places_{key_type} values ('{own}', 'free'), ('{}', 'free'), ('{}', 'paid');
             grant select on j.members_{key_type}, j.docs_{key_type}, j.places_{key_type} to j_app, j_other;
             create function j.found_{key_type}(t {key_type}) returns boolean language plpgsql stable security definer set search_path = '' as $$
               begin
                 perform 1 from j.members_{key_type} m where m.tenant_id = t and m.user_id = current_setting('app.user', true);
                 return found;
               end $$;
             create function j.looped_{key_type}() returns setof {key_type} language plpgsql stable security definer set search_path = '' as $$
               declare r record;
               begin
                 for r in select m.tenant_id from j.members_{key_type} m where m.user_id = current_setting('app.user', true) loop
                   return next r.tenant_id;
                 end loop;
               end $$;
             create function j.rescued_{key_type}(t {key_type}) returns boolean language plpgsql stable as $$
               begin return t = current_setting('app.tenant')::{key_type}; exception when others then return true; end $$;
             create function j.my_tenants_{key_type}() returns setof {key_type} language sql stable security definer set search_path = ''
               as $$ select m.tenant_id from j.members_{key_type} m where m.user_id = current_setting('app.user', true) $$;
             create function j.all_tenants_{key_type}() returns setof {key_type} language sql stable
               as $$ select m.tenant_id from j.members_{key_type} m $$;
             create function j.may_see_{key_type}(t {key_type}) returns boolean language plpgsql stable security definer set search_path = '' as $$
               begin
                 if t is null then return false; end if;
                 return exists (select 1 from j.members_{key_type} m where m.tenant_id = t and m.user_id = current_setting('app.user', true));
               end $$;
             create function j.sql_tenant_{key_type}() returns {key_type} language sql stable
               as $$ select nullif(current_setting('app.tenant', true), '')::{key_type} $$;
             create function j.plpgsql_tenant_{key_type}() returns {key_type} language plpgsql stable as $$
               declare t text := current_setting('app.tenant', true);
               begin if t is null or t = '' then return null; end if; return t::{key_type}; end $$;
             create function j.same_tenant_{key_type}(t {key_type}) returns boolean language sql stable security definer set search_path = ''
               as $$ select t = nullif(current_setting('app.tenant', true), '')::{key_type} $$;\n",
            others[0], others[1], others[0], others[1], others[2], others[0], others[1]
        ));
    }
    sql.push_str(JUDGE);
    sql
}

/// Tries everything one login can do to a relation, each try undone: which commands cross tenants.
const JUDGE: &str = r#"
create function j.tries(login text, attempt text, count_hits text) returns boolean language plpgsql as $judge$
declare hits bigint; detail text;
begin
  perform set_config('role', login, true);
  if count_hits is null then
    execute attempt into hits;
  else
    execute attempt;
    perform set_config('role', 'none', true);
    execute count_hits into hits;
  end if;
  raise exception 'undo' using errcode = 'P9999', detail = hits::text;
exception
  when sqlstate 'P9999' then
    get stacked diagnostics detail = pg_exception_detail;
    return detail::bigint > 0;
  when others then
    return false;
end $judge$;

create function j.key(tenant text, inside boolean) returns text language sql
  as $judge$ select case when inside then jsonb_build_object('tenant_id', tenant)::text else tenant end $judge$;

create function j.crossings(relation text, own text, others text[], login text, known text[], inside boolean) returns text[] language plpgsql as $judge$
declare
  t text := format('j.%I', relation);
  k text := case when inside then '(metadata ->> ''tenant_id'')' else 'tenant_id::text' end;
  c text := case when inside then 'metadata' else 'tenant_id' end;
  foreign_rows text := format('select count(*) from %s where %s <> %L', t, k, own);
  own_rows text := format('select count(*) from %s where %s = %L', t, k, own);
  before_foreign bigint; before_own bigint; found text[] := '{}'; other text; s text; p text; a text;
begin
  execute foreign_rows into before_foreign;
  execute own_rows into before_own;
  if 'SELECT' <> all (known) and j.tries(login, foreign_rows, null) then found := found || 'SELECT'::text; end if;
  if 'DELETE' <> all (known) and j.tries(login, format('delete from %s', t), format('select %s - (%s)', before_foreign, foreign_rows)) then
    found := found || 'DELETE'::text;
  end if;
  if 'UPDATE' <> all (known) and (j.tries(login, format('update %s set note = ''touched''', t),
       format('select count(*) from %s where note = ''touched'' and %s <> %L', t, k, own))
     or j.tries(login, format('update %s set %s = %L', t, c, j.key(own, inside)), format('select %s - (%s)', before_foreign, foreign_rows))
     or exists (select from unnest(others) x
                where j.tries(login, format('update %s set %s = %L', t, c, j.key(x, inside)), format('select %s - (%s)', before_own, own_rows)))
     or exists (select from unnest(array['public', 'private', 'shared', null]) s1, unnest(array['true', 'false', null]) p1,
                  unnest(array['20', '75', '500']) a1, unnest(array['u-own', null]) o1
                where j.tries(login, format('update %s set %s = %L, status = %L, is_public = %L, amount = %L, owner_id = %L, note = ''publication''', t, c, j.key(others[1], inside), s1, p1, a1, o1),
                  format('select %s - (%s)', before_own, own_rows))
                or j.tries(login, format('update %s set %s = %L, status = %L, is_public = %L, amount = %L, owner_id = %L', t, c, j.key(own, inside), s1, p1, a1, o1),
                  format('select %s - (%s)', before_foreign, foreign_rows)))) then
    found := found || 'UPDATE'::text;
  end if;
  <<planting>>
  foreach other in array others loop
    foreach s in array array['public', 'private', 'shared', null] loop
      foreach p in array array['true', 'false', null] loop
        foreach a in array array['20', '75', '500'] loop
          continue planting when 'INSERT' = any (known);
          if j.tries(login, format('insert into %s (%s, status, is_public, amount, note, owner_id, doc_id, tags, details, created_at, deleted_at, kind, shared_with)
                 select %L, %L, %L, %L, %L, %L, %L, v.tags, v.details, v.created_at, v.deleted_at, v.kind, array[%L]::' || format_type((select atttypid from pg_attribute where attrelid = t::regclass and attname = 'shared_with'), null) || ' from j.varied(%L) v',
               t, c, j.key(other, inside), s, p, a, case when hashtext(concat(s, a)) % 2 = 0 then 'publication' end,
               case when hashtext(concat(p, a)) % 2 = 0 then 'u-own' else 'u-other' end,
               nullif(abs(hashtext(concat(s, p, a))) % 3, 0), case when abs(hashtext(concat(p, s))) % 2 = 0 then own else others[1] end, concat(s, p, a)), 'select 1') then
            found := found || 'INSERT'::text;
            exit planting;
          end if;
        end loop;
      end loop;
    end loop;
  end loop;
  return found;
end $judge$;
"#;

/// Settings of the session, in an order that lets "never set" come before "set": null leaves a setting alone.
const SETTINGS: [&str; 6] = ["app.tenant", "app.is_admin", "app.user", "app.claims", "app.login", "app.role"];
const CLAIMS: &str = r#"{"tenant": "$own", "tenants": ["$own"]}"#;
const STATES: [[Option<&str>; 6]; 10] = [
    [None, None, None, None, None, None],
    [None, None, Some("u-own"), None, Some("own-login"), None],
    [None, Some("on"), Some("u-own"), None, Some("own-login"), Some("support")],
    [Some("$own"), Some("on"), Some("u-own"), Some(CLAIMS), Some("own-login"), Some("member")],
    [Some("$own"), Some("off"), Some("u-own"), Some(CLAIMS), Some("own-login"), Some("admin")],
    [Some("$own"), Some("off"), Some("u-nobody"), Some("{}"), Some("nobody"), Some("")],
    [Some("$own"), Some("off"), Some("u-admin"), Some(CLAIMS), Some("admin-login"), Some("member")],
    [Some("$own"), Some(""), Some(""), Some(""), Some(""), Some("")],
    [Some(""), Some("off"), Some("u-own"), Some(CLAIMS), Some("own-login"), Some("member")],
    [Some(""), Some("on"), Some(""), Some(""), Some(""), Some("")],
];

/// Table, login, command.
type Crossing = (String, String, String);

async fn truth(connection: &mut PgConnection, tables: &[(String, RandomTable)]) -> BTreeSet<Crossing> {
    let mut found: BTreeSet<Crossing> = BTreeSet::new();
    for state in STATES {
        for (name, table) in tables {
            let (_, own, others) = KEYS[table.key];
            for (setting, value) in SETTINGS.iter().zip(state) {
                if let Some(value) = value {
                    let set =
                        sqlx::query("select set_config($1, $2, false)").bind(setting).bind(value.replace("$own", own));
                    set.execute(&mut *connection).await.unwrap();
                }
            }
            for login in ["j_app", "j_other"] {
                let known: Vec<String> = found
                    .iter()
                    .filter(|(t, l, _)| t == name && l == login)
                    .map(|(.., command)| command.clone())
                    .collect();
                let crossings: Vec<String> = sqlx::query_scalar("select j.crossings($1, $2, $3, $4, $5, $6)")
                    .bind(name)
                    .bind(own)
                    .bind(others.map(str::to_owned).to_vec())
                    .bind(login)
                    .bind(known)
                    .bind(table.inside)
                    .fetch_one(&mut *connection)
                    .await
                    .unwrap();
                found.extend(crossings.into_iter().map(|command| (name.clone(), login.to_owned(), command)));
            }
        }
    }
    found
}

/// What the facts say crosses tenants, why, and the tables with a finding that is high or critical.
async fn predicted(
    connection: &mut PgConnection,
) -> (BTreeSet<Crossing>, Vec<(Crossing, String)>, BTreeMap<String, String>) {
    let mut facts = Facts::empty().await.unwrap();
    sqlx::raw_sql("savepoint look; set local search_path = ''").execute(&mut *connection).await.unwrap();
    collect::collect(connection, &mut facts).await.unwrap();
    sqlx::raw_sql("rollback to look").execute(&mut *connection).await.unwrap();
    derive::derive(&mut facts, &Config::default()).await.unwrap();
    let rows = sqlx::query(
        "select r.name, p.name as login, v.command, v.verdict, v.counterexample from verdicts v
         join relations r on r.oid = v.relation join principals p on p.role = v.principal
         where v.verdict not in ('denied', 'isolated') and r.name like 't%' and p.name in ('j_app', 'j_other')",
    )
    .fetch_all(facts.connection())
    .await
    .unwrap();
    let mut set = BTreeSet::new();
    let mut words = Vec::new();
    for row in rows {
        let key = (row.get(0), row.get(1), row.get(2));
        words.push((key.clone(), format!("{} {:?}", row.get::<String, _>(3), row.get::<Option<String>, _>(4))));
        set.insert(key);
    }
    let assessment = assess::run(&mut facts, &Library::embedded().unwrap(), &Config::default()).await.unwrap();
    let findings = assessment.findings();
    let severe = findings.iter().filter(|(check, finding)| {
        check.axis == Axis::TenantIsolation && finding.severity >= Severity::High && finding.object.schema.is_some()
    });
    let told = severe
        .map(|(check, finding)| (finding.object.name.clone(), format!("{}: {}", check.id, finding.message)))
        .collect();
    (set, words, told)
}

#[tokio::test]
async fn postgresql_agrees_with_the_verdicts() {
    // The judge catches errors in PL/pgSQL, which the embedded server cannot.
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::cluster().await;
    let (mut safe, mut accused, mut leaks, mut missed) = (0, 0, 0, Vec::new());
    let mut examples = Vec::new();
    let (mut tables_safe, mut tables_accused, mut tables_told, mut untold) = (0, Vec::new(), 0, Vec::new());
    for round in 0..rounds() {
        let mut connection = database.connect().await;
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[round; 32]);
        let mut runner = TestRunner::new_with_rng(Runs::default(), rng);
        let tables: Vec<(String, RandomTable)> =
            (0..TABLES).map(|n| (format!("t{n}"), table().new_tree(&mut runner).unwrap().current())).collect();
        let mut ddl = stage();
        for (name, table) in &tables {
            ddl.push_str(&table.ddl(name));
        }
        sqlx::raw_sql("begin").execute(&mut connection).await.unwrap();
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(ddl.clone())).execute(&mut connection).await {
            panic!("{error}\n{ddl}");
        }
        let (said, words, told) = predicted(&mut connection).await;
        let real = truth(&mut connection, &tables).await;
        for (name, table) in &tables {
            // Whoever reads the report asks by table: is there a leak, and does a finding say so?
            match (real.iter().any(|(leaky, ..)| leaky == name), told.get(name)) {
                (true, None) => untold.push(table.ddl(name)),
                (true, Some(_)) => tables_told += 1,
                (false, told) => {
                    tables_safe += 1;
                    tables_accused.extend(told.map(|said| format!("{said}\n{}", policies(&table.ddl(name)))));
                }
            }
            for login in ["j_app", "j_other"] {
                for command in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
                    let key = (name.clone(), login.to_owned(), command.to_owned());
                    match (real.contains(&key), said.contains(&key)) {
                        (true, true) => leaks += 1,
                        (true, false) => missed.push(format!("{key:?}\n{}", table.ddl(name))),
                        (false, false) => safe += 1,
                        (false, true) => {
                            safe += 1;
                            accused += 1;
                            let why = words.iter().find(|(k, _)| *k == key).map(|(_, w)| w.clone());
                            examples.push(format!("{key:?} {why:?}\n{}", policies(&table.ddl(name))));
                        }
                    }
                }
            }
        }
        sqlx::raw_sql("rollback").execute(&mut connection).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
    }
    let seen = format!(
        "{leaks} leaks found, {} missed, {accused} of {safe} safe ones accused; by table {tables_told} told, {} untold, {} of {tables_safe} accused",
        missed.len(),
        untold.len(),
        tables_accused.len()
    );
    println!("{seen}");
    let shown = std::env::var("GOVCTL_POLICY_SHOW").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
    assert!(missed.is_empty(), "{seen}\nmissed:\n{}", missed[..missed.len().min(shown)].join("\n"));
    assert!(untold.is_empty(), "{seen}\nno finding tells of\n{}", untold[..untold.len().min(shown)].join("\n"));
    assert!(leaks > 100 && safe > 100, "the generator has lost its variety: {seen}");
    let accusations = tables_accused[..tables_accused.len().min(shown)].join("\n");
    assert!(tables_accused.len() * 10 <= tables_safe, "{seen}\naccused tables:\n{accusations}");
    assert!(accused * 20 <= safe, "{seen}\naccused:\n{}", examples[..examples.len().min(shown)].join("\n"));
}

/// The policies and the table's head, without the rows.
fn policies(ddl: &str) -> String {
    ddl.lines().filter(|l| !l.contains("select t, s") && !l.contains("unnest")).collect::<Vec<_>>().join("\n")
}
