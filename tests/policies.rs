//! Random policies, judged by PostgreSQL itself: no leak is missed, and few tables are accused wrongly.
//!
//! Each table gets random policies, an owner, and rows of several tenants that cover what the policies ask for. Every
//! login then reads and writes for real, in every state of the session's settings; what crosses tenants is the truth.

mod support;

use govctl::config::Config;
use govctl::facts::{Facts, collect, derive};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::BTreeSet;

/// Rounds and tables a round. More: `GOVCTL_POLICY_ROUNDS=50 cargo test --test policies -- --nocapture`.
fn rounds() -> u8 {
    std::env::var("GOVCTL_POLICY_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(3)
}
const TABLES: usize = 60;

/// Tenant key types: the type, the session's own tenant, others.
const KEYS: [(&str, &str, [&str; 3]); 3] = [
    ("int", "5", ["3", "7", "50"]),
    ("text", "acme", ["aaa", "acme-2", "zz"]),
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
    ]);
    let holes = prop::sample::select(vec![
        "true",
        "1 = 1",
        "tenant_id is not null",
        "tenant_id = tenant_id",
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
        0..KEYS.len(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.93),
        prop::bool::weighted(0.6),
        prop::sample::select(vec!["j_owner", "j_owner", "j_owner", "j_other"]),
        prop::collection::vec(policy(), 1..4),
    )
        .prop_map(|(key, nullable, rls, force, owner, policies)| RandomTable {
            key,
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
        let fill =
            |text: &str| text.replace("$T", key_type).replace("$R", name).replace("$A", own).replace("$B", others[1]);
        let null = if self.nullable { "" } else { "not null" };
        let mut sql = format!(
            "create table j.{name} (id int generated always as identity, tenant_id {key_type} {null}, status text, is_public boolean,
               amount int, note text, owner_id text);\n"
        );
        let tenants = [own, others[0], others[1], others[2]].map(|t| format!("('{t}'::{key_type})")).join(", ");
        sql.push_str(&format!(
            "insert into j.{name} (tenant_id, status, is_public, amount, note, owner_id)
             select t, s, p, a, n, o from (values {tenants}) tenants(t), unnest(array['public', 'private', 'shared', null]) s,
               unnest(array[true, false, null]) p, unnest(array[20, 75, 500]) a, unnest(array['publication', null]) n,
               unnest(array['u-own', 'u-other']) o;\n"
        ));
        sql.push_str(&format!("alter table j.{name} owner to {};\n", self.owner));
        sql.push_str(&format!("grant select, insert, update, delete on j.{name} to j_app, j_other;\n"));
        if self.rls {
            sql.push_str(&format!("alter table j.{name} enable row level security;\n"));
        }
        if self.force {
            sql.push_str(&format!("alter table j.{name} force row level security;\n"));
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

/// Roles, memberships and functions the policies use, and the judge.
fn stage() -> String {
    let mut sql = String::from(
        "create role j_owner; create role j_app login; create role j_other login; create schema j;
         grant usage on schema j to j_app, j_other;
         create function j.is_public(flag boolean) returns boolean language sql stable as 'select coalesce(flag, false)';\n",
    );
    for (key_type, own, others) in KEYS {
        sql.push_str(&format!(
            "create table j.members_{key_type} (user_id text, tenant_id {key_type} not null, primary key (user_id, tenant_id));
             insert into j.members_{key_type} values ('u-own', '{own}'), ('u-other', '{}'), ('u-other', '{}');
             grant select on j.members_{key_type} to j_app, j_other;
             create function j.sql_tenant_{key_type}() returns {key_type} language sql stable
               as $$ select nullif(current_setting('app.tenant', true), '')::{key_type} $$;
             create function j.plpgsql_tenant_{key_type}() returns {key_type} language plpgsql stable as $$
               declare t text := current_setting('app.tenant', true);
               begin if t is null or t = '' then return null; end if; return t::{key_type}; end $$;
             create function j.same_tenant_{key_type}(t {key_type}) returns boolean language sql stable security definer set search_path = ''
               as $$ select t = nullif(current_setting('app.tenant', true), '')::{key_type} $$;\n",
            others[0], others[1]
        ));
    }
    sql.push_str(JUDGE);
    sql
}

const JUDGE: &str = r#"
create function j.crosses(relation text, own text, login text, command text) returns boolean language plpgsql as $judge$
declare hit bigint := 0; text_hit text;
begin
  begin
    perform set_config('role', login, true);
    case command
      when 'SELECT' then
        execute format('select count(*) from j.%I where tenant_id::text <> %L', relation, own) into hit;
      when 'INSERT' then
        execute format('insert into j.%1$I (tenant_id, status, is_public, amount, note, owner_id) values (%2$s)', relation, own);
        hit := 1;
      when 'UPDATE' then
        execute format('update j.%I set note = ''touched''', relation);
      when 'TAKE' then
        execute format('update j.%I set tenant_id = %L', relation, own);
      when 'MOVE' then
        execute format('update j.%1$I set tenant_id = %2$s', relation, own);
      when 'DELETE' then
        execute format('delete from j.%I', relation);
    end case;
    perform set_config('role', 'none', true);
    case command
      when 'UPDATE' then
        execute format('select count(*) from j.%I where note = ''touched'' and tenant_id::text <> %L', relation, own) into hit;
      when 'TAKE' then
        execute format('select 576 - count(*) from j.%I where tenant_id::text <> %L', relation, own) into hit;
        hit := hit - 144;
      when 'MOVE' then
        execute format('select 144 - count(*) from j.%I where tenant_id::text = %L', relation, split_part(own, '/*', 2)) into hit;
      when 'DELETE' then
        execute format('select 432 - count(*) from j.%I where tenant_id::text <> %L', relation, own) into hit;
      else null;
    end case;
    raise exception 'undo' using errcode = 'P9999', detail = hit::text;
  exception
    when sqlstate 'P9999' then
      get stacked diagnostics text_hit = pg_exception_detail;
      return text_hit::bigint > 0;
    when others then
      return false;
  end;
end $judge$;
"#;

/// Settings of the session, in an order that lets "never set" come before "set": null leaves a setting alone.
const STATES: [[Option<&str>; 3]; 9] = [
    [None, None, None],
    [None, None, Some("u-own")],
    [None, Some("on"), Some("u-own")],
    [Some("$own"), Some("on"), Some("u-own")],
    [Some("$own"), Some("off"), Some("u-own")],
    [Some("$own"), Some("off"), Some("u-nobody")],
    [Some("$own"), Some(""), Some("")],
    [Some(""), Some("off"), Some("u-own")],
    [Some(""), Some("on"), Some("")],
];

type Crossing = (String, String, &'static str);

async fn truth(connection: &mut PgConnection, tables: &[(String, RandomTable)]) -> BTreeSet<Crossing> {
    let mut found = BTreeSet::new();
    for state in STATES {
        for (name, table) in tables {
            let (key_type, own, others) = KEYS[table.key];
            for (setting, value) in ["app.tenant", "app.is_admin", "app.user"].iter().zip(state) {
                if let Some(value) = value {
                    sqlx::query("select set_config($1, $2, false)")
                        .bind(setting)
                        .bind(value.replace("$own", own))
                        .execute(&mut *connection)
                        .await
                        .unwrap();
                }
            }
            for login in ["j_app", "j_other"] {
                for (command, verb) in
                    [("SELECT", "SELECT"), ("UPDATE", "UPDATE"), ("TAKE", "UPDATE"), ("DELETE", "DELETE")]
                {
                    if crosses(connection, name, own, login, command).await {
                        found.insert((name.clone(), login.to_owned(), verb));
                    }
                }
                for other in others {
                    let row = |s: &str, p: &str, a: &str, n: &str, o: &str| {
                        format!("'{other}'::{key_type}, {s}, {p}, {a}, {n}, {o}")
                    };
                    for s in ["'public'", "'private'", "null"] {
                        for (p, n) in [("true", "'publication'"), ("false", "null")] {
                            for (a, o) in [("500", "'u-own'"), ("20", "'u-other'"), ("75", "'u-own'")] {
                                let key = (name.clone(), login.to_owned(), "INSERT");
                                if !found.contains(&key)
                                    && crosses(connection, name, &row(s, p, a, n, o), login, "INSERT").await
                                {
                                    found.insert(key);
                                }
                            }
                        }
                    }
                    let to = format!("'{other}'::{key_type} /*{own}/**/*/").replace("/**/*/", "/* */ */");
                    if crosses(connection, name, &to, login, "MOVE").await {
                        found.insert((name.clone(), login.to_owned(), "UPDATE"));
                    }
                }
            }
        }
    }
    found
}

async fn crosses(connection: &mut PgConnection, table: &str, own: &str, login: &str, command: &str) -> bool {
    sqlx::query_scalar("select j.crosses($1, $2, $3, $4)")
        .bind(table)
        .bind(own)
        .bind(login)
        .bind(command)
        .fetch_one(connection)
        .await
        .unwrap()
}

async fn predicted(connection: &mut PgConnection) -> (BTreeSet<Crossing>, Vec<(Crossing, String)>) {
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
        let command = match row.get::<String, _>(2).as_str() {
            "SELECT" => "SELECT",
            "INSERT" => "INSERT",
            "UPDATE" => "UPDATE",
            _ => "DELETE",
        };
        let key = (row.get::<String, _>(0), row.get::<String, _>(1), command);
        words.push((key.clone(), format!("{} {:?}", row.get::<String, _>(3), row.get::<Option<String>, _>(4))));
        set.insert(key);
    }
    (set, words)
}

#[tokio::test]
async fn postgresql_agrees_with_the_verdicts() {
    // The judge catches errors in PL/pgSQL, which the embedded server cannot.
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    let (mut safe, mut accused, mut leaks, mut missed) = (0, 0, 0, Vec::new());
    let mut examples = Vec::new();
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
        let (said, words) = predicted(&mut connection).await;
        let real = truth(&mut connection, &tables).await;
        for (name, table) in &tables {
            for login in ["j_app", "j_other"] {
                for command in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
                    let key = (name.clone(), login.to_owned(), command);
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
    let seen = format!("{leaks} leaks found, {} missed, {accused} of {safe} safe ones accused", missed.len());
    let shown = std::env::var("GOVCTL_POLICY_SHOW").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
    assert!(missed.is_empty(), "{seen}\nmissed:\n{}", missed[..missed.len().min(shown)].join("\n"));
    assert!(leaks > 100 && safe > 100, "the generator has lost its variety: {seen}");
    assert!(accused * 20 <= safe, "{seen}\naccused:\n{}", examples[..examples.len().min(shown)].join("\n"));
    println!("{seen}");
    if shown > 3 {
        println!("{}", examples[..examples.len().min(shown)].join("\n"));
    }
}

/// The policies and the table's head, without the rows.
fn policies(ddl: &str) -> String {
    ddl.lines().filter(|l| !l.contains("select t, s") && !l.contains("unnest")).collect::<Vec<_>>().join("\n")
}
