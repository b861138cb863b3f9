//! Every table of the schema, filled with what its comments say.

use super::shop::{Shop, assert_rows, everything, rows};
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn every_table_is_filled() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::open("t_filled").await;
    shop.sql("select pg_create_physical_replication_slot('{db}')").await;
    // a setting that carries a password; on a server that is no standby it does nothing
    shop.sql("alter system set primary_conninfo = 'host=nowhere.invalid password=never-to-be-seen'").await;
    reload(&shop, "host=nowhere.invalid password=never-to-be-seen").await;
    let mut facts = shop.facts().await;
    let unseen = rows(&mut facts, "select * from unseen").await;
    assert_eq!(unseen, Vec::<String>::new(), "a superuser sees everything");
    for (table, rows) in everything(&mut facts).await {
        let since_15 = table == "parameters" && shop.version < 150_000;
        let of_a_folder = [
            "introductions",
            "isolation_gaps",
            "migration_faults",
            "migration_secrets",
            "migrations",
            "regressions",
            "remarks",
            "replay_differences",
            "transitions",
            "wide_grants",
        ];
        let elsewhere = table == "unseen" || of_a_folder.contains(&&*table);
        assert!(!rows.is_empty() || since_15 || elsewhere, "{table} is empty");
        assert!(!rows.iter().any(|row| row.contains("never-to-be-seen")), "{table} holds a secret");
    }
    shop.sql("alter system reset primary_conninfo").await;
    reload(&shop, "").await;
    shop.sql("select pg_drop_replication_slot('{db}')").await;
    shop.remove().await;
}

/// Makes the server read its configuration, and waits until a new session has it.
async fn reload(shop: &Shop, conninfo: &str) {
    shop.sql("select pg_reload_conf()").await;
    for _ in 0..100 {
        let mut session = PgConnection::connect_with(&shop.options()).await.unwrap();
        let now: String = sqlx::query_scalar("show primary_conninfo").fetch_one(&mut session).await.unwrap();
        if now == conninfo {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the configuration was not read");
}

#[tokio::test]
async fn the_facts_mean_what_the_schema_says() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::open("t_meaning").await;
    let facts = &mut shop.facts().await;
    let since = |version, yes: &'static str, no: &'static str| if shop.version >= version { yes } else { no };

    assert_rows(
        facts,
        "select kind, database, role_is_superuser, in_recovery, schema_version from target",
        &["database | t_meaning | 1 | 0 | 1"],
    )
    .await;
    assert_rows(
        facts,
        "select name, kind, rls, force_rls, security_invoker, security_barrier, is_partition, persistence, default_acl, definition is null, comment
         from relations where schema = 'app' and name in ('orders', 'open_orders', 'safe_orders', 'totals', 'scratch', 'events_1', 'far_orders')
           and name <> 'safe_orders' order by name",
        &[
            "events_1 | partitioned table | 0 | 0 | 0 | 0 | 1 | permanent | 1 | 1 | ∅",
            "far_orders | foreign table | 0 | 0 | 0 | 0 | 0 | permanent | 1 | 1 | ∅",
            "open_orders | view | 0 | 0 | 0 | 1 | 0 | permanent | 1 | 0 | ∅",
            "orders | table | 1 | 1 | 0 | 0 | 0 | permanent | 0 | 1 | what was bought",
            "scratch | table | 0 | 0 | 0 | 0 | 0 | unlogged | 0 | 1 | ∅",
            "totals | materialized view | 0 | 0 | 0 | 0 | 0 | permanent | 1 | 0 | ∅",
        ],
    )
    .await;
    assert_rows(facts, "select count(*) from relations where security_invoker = 1", &[since(150_000, "1", "0")]).await;
    assert_rows(
        facts,
        "select replace(definition, char(10), '') from relations where name = 'open_orders'",
        &[" SELECT orders.id,    orders.tenant_id,    app.tenant() AS me   FROM app.orders  WHERE ((orders.price)::numeric > (0)::numeric);",
          " SELECT id,    tenant_id,    app.tenant() AS me   FROM app.orders  WHERE ((price)::numeric > (0)::numeric);"]
            [usize::from(shop.version >= 160_000)..][..1],
    )
    .await;
    assert_rows(
        facts,
        "select count(definition) > 1, count(distinct definition) = count(definition) from relations",
        &["1 | 1"],
    )
    .await;
    assert_rows(
        facts,
        "select c.number, c.name, c.type, c.type_name, c.type_kind, c.not_null, c.default_expression, c.is_generated, c.identity, c.comment
         from columns c join relations r on r.oid = c.relation where r.name = 'orders' order by 1",
        &[
            "1 | id | bigint | int8 | base | 1 | ∅ | 0 | always | ∅",
            "2 | tenant_id | uuid | uuid | base | 1 | ∅ | 0 | ∅ | ∅",
            "3 | mood | app.mood | mood | enum | 0 | ∅ | 0 | ∅ | ∅",
            "4 | moods | app.mood[] | _mood | array | 0 | ∅ | 0 | ∅ | ∅",
            "5 | price | app.price | numeric | base | 0 | ∅ | 0 | ∅ | ∅",
            "6 | twice | numeric | numeric | base | 0 | (2 * 3) | 1 | ∅ | ∅",
            "7 | span | int4range | int4range | range | 0 | ∅ | 0 | ∅ | ∅",
            "8 | pair | app.pair | pair | composite | 0 | ∅ | 0 | ∅ | ∅",
            "9 | label | character varying(40) | varchar | base | 0 | 'none'::character varying | 0 | ∅ | a label",
            "11 | note | text | text | base | 0 | ∅ | 0 | ∅ | ∅",
        ],
    )
    .await;
    assert_rows(
        facts,
        "select e.label, e.position from enum_labels e join columns c on c.type_oid = e.type_oid and c.name = 'mood' order by 2",
        &["sad | 1", "glad | 2", "o'clock | 3"],
    )
    .await;
    assert_rows(
        facts,
        "select i.method, i.is_unique, i.is_primary, i.is_valid, i.predicate, i.expressions,
                (select group_concat(k.column_number || ':' || k.is_key, ' ') from index_columns k where k.index_oid = i.oid)
         from indexes i where i.name = 'orders_by_tenant'",
        &["btree | 0 | 0 | 1 | ((price)::numeric > (10)::numeric) | lower(note) | 2:1 0:1 9:0"],
    )
    .await;
    assert_rows(facts, "select count(*) from indexes where nulls_not_distinct = 1", &[since(150_000, "1", "0")]).await;
    assert_rows(
        facts,
        "select k.kind, k.on_delete, k.on_update, k.validated, k.enforced, k.definition, t.name, c.column_number, c.referenced_column_number
         from constraints k join relations r on r.oid = k.relation left join relations t on t.oid = k.referenced_relation
         join constraint_columns c on c.constraint_oid = k.oid
         where r.name = 'orders' and k.kind in ('foreign key', 'check') order by 1",
        &[
            "check | ∅ | ∅ | 0 | 1 | CHECK (((price)::numeric < (1000)::numeric)) NOT VALID | ∅ | 5 | ∅",
            "foreign key | cascade | restrict | 1 | 1 | FOREIGN KEY (tenant_id) REFERENCES app.tenants(id) ON UPDATE RESTRICT ON DELETE CASCADE | tenants | 2 | 1",
        ],
    )
    .await;
    assert_rows(facts, "select count(*) from constraints where enforced = 0", &[since(180_000, "2", "0")]).await;

    assert_rows(
        facts,
        "select p.name, p.permissive, p.command, p.using_expression, p.check_expression, p.comment,
                (select group_concat(coalesce(r.name, 'PUBLIC'), ' ') from (select * from policy_roles order by role) pr left join roles r on r.oid = pr.role where pr.policy = p.oid)
         from policies p join relations t on t.oid = p.relation where t.schema = 'app' order by 1",
        &[
            "mine | 1 | ALL | (tenant_id = app.tenant()) | (tenant_id = app.tenant()) | one tenant | PUBLIC",
            "only known | 0 | SELECT | (tenant_id IN ( SELECT tenants.id\n   FROM app.tenants)) | ∅ | ∅ | t_meaning_app t_meaning_agent",
        ],
    )
    .await;
    assert_rows(
        facts,
        "select p.name, d.object_kind, coalesce(r.name, f.name) from policy_dependencies d join policies p on p.oid = d.policy
         left join relations r on r.oid = d.object and d.object_kind = 'relation'
         left join functions f on f.oid = d.object and d.object_kind = 'function' where p.name in ('mine', 'only known') order by 1",
        &["mine | function | tenant", "only known | relation | tenants"],
    )
    .await;
    assert_rows(
        facts,
        "select v.name, d.object_kind, coalesce(r.name, f.name), d.column_number from view_dependencies d join relations v on v.oid = d.view
         left join relations r on r.oid = d.object and d.object_kind = 'relation'
         left join functions f on f.oid = d.object and d.object_kind = 'function' where v.name = 'open_orders' order by 1, 2, 3, 4",
        &["open_orders | function | tenant | 0", "open_orders | relation | orders | 1", "open_orders | relation | orders | 2", "open_orders | relation | orders | 5"],
    )
    .await;
    shop.remove().await;
}

#[tokio::test]
async fn roles_and_rights_mean_what_the_schema_says() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::open("t_rights").await;
    let facts = &mut shop.facts().await;
    assert_rows(
        facts,
        "select name, superuser, inherit, login, bypass_rls, connection_limit, valid_until, comment, provenance
         from roles where name like 't_rights%' or name in ('postgres', 'pg_monitor') and oid > 0 order by name",
        &[
            "pg_monitor | 0 | 1 | 0 | 0 | -1 | ∅ | ∅ | system",
            "postgres | 1 | 1 | 1 | 1 | -1 | ∅ | ∅ | system",
            "t_rights_agent | 0 | 1 | 1 | 1 | -1 | ∅ | the agent | user",
            "t_rights_app | 0 | 0 | 1 | 0 | 7 | 2031-02-03T04:05:06Z | ∅ | user",
            "t_rights_owner | 0 | 1 | 0 | 0 | -1 | ∅ | ∅ | user",
        ],
    )
    .await;
    assert_rows(
        facts,
        "select r.name, d.name, s.name, s.value from role_settings s left join roles r on r.oid = s.role
         left join databases d on d.oid = s.database
         where r.name like 't_rights%' or d.name = 't_rights' order by 1, 2, 3",
        &[
            "∅ | t_rights | work_mem | ∅",
            "t_rights_agent | ∅ | row_security | off",
            "t_rights_app | ∅ | search_path | app, public",
            "t_rights_app | t_rights | app.jwt_secret | ∅",
        ],
    )
    .await;
    let mut expected = vec!["t_rights_owner | t_rights_app | 1 | 0 | 1"];
    if shop.version >= 160_000 {
        expected.insert(0, "t_rights_agent | t_rights_app | 0 | 1 | 0");
    }
    assert_rows(
        facts,
        "select r.name, m.name, admin_option, inherit_option, set_option from memberships
         join roles r on r.oid = role join roles m on m.oid = member where m.name like 't_rights%' order by 1",
        &expected,
    )
    .await;
    assert_rows(
        facts,
        "select g.object_kind, g.column_number, coalesce(r.name, 'PUBLIC'), g.privilege, g.grantable
         from grants g left join roles r on r.oid = g.grantee
         where (g.object_kind in ('relation', 'column') and g.object = (select oid from relations where name = 'orders')
            or g.object_kind not in ('relation', 'column', 'function', 'schema', 'database') or g.object = (select oid from schemas where name = 'app'))
           and (r.name is null or r.name like 't_rights%') order by 1, 2, 3, 4",
        &[
            vec![
                "column | 1 | t_rights_agent | SELECT | 0",
                "column | 11 | t_rights_agent | UPDATE | 0",
                "foreign data wrapper | 0 | t_rights_app | USAGE | 0",
                "foreign server | 0 | t_rights_app | USAGE | 0",
                "large object | 0 | t_rights_app | SELECT | 0",
            ],
            if shop.version >= 150_000 { vec!["parameter | 0 | t_rights_app | SET | 0"] } else { vec![] },
            vec![
                "relation | 0 | t_rights_app | INSERT | 1",
                "relation | 0 | t_rights_app | SELECT | 1",
                "schema | 0 | PUBLIC | USAGE | 0",
                "schema | 0 | t_rights_app | USAGE | 0",
                "schema | 0 | t_rights_owner | CREATE | 0",
                "schema | 0 | t_rights_owner | USAGE | 0",
                "type | 0 | PUBLIC | USAGE | 0",
                "type | 0 | t_rights_app | USAGE | 0",
            ],
        ]
        .concat(),
    )
    .await;
    // every right revoked from everyone: an ACL is stored, and it is empty
    assert_rows(
        facts,
        "select r.default_acl, (select count(*) from grants g where g.object = r.oid) from relations r where r.name = 'scratch'",
        &["0 | 0"],
    )
    .await;
    assert_rows(
        facts,
        "select r.name, coalesce(s.name, 'everywhere'), d.object_kind, coalesce(g.name, 'PUBLIC'), d.privilege from default_privileges d
         join roles r on r.oid = d.role left join schemas s on s.oid = d.schema_oid left join roles g on g.oid = d.grantee order by 2",
        &[
            "t_rights_owner | app | relation | t_rights_app | SELECT",
            "t_rights_owner | everywhere | function | t_rights_owner | EXECUTE",
        ],
    )
    .await;
    shop.remove().await;
}
