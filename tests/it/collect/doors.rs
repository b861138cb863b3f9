//! Programs, side doors and hostile names.

use super::shop::{Shop, assert_rows};

#[tokio::test]
async fn programs_and_side_doors_mean_what_the_schema_says() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::open("t_doors").await;
    let facts = &mut shop.facts().await;
    assert_rows(
        facts,
        "select name, signature, kind, language, security_definer, leakproof, volatility, strict, returns, returns_set,
                argument_names, argument_types, trim(source), search_path, settings, default_acl, comment
         from functions where schema = 'app' and name not in ('touched', 'watched') order by name",
        &[
            r#"added | integer, text, integer[] | function | plpgsql | 1 | 1 | volatile | 1 | record | 0 | ["a", "b", "rest", "c"] | ["integer", "text", "integer[]"] | begin c := b; end | app, pg_temp | ["search_path", "work_mem"] | 1 | adds"#,
            r#"atomic | integer | function | sql | 0 | 0 | volatile | 0 | integer | 0 | ["a"] | ["integer"] | BEGIN ATOMIC
 SELECT 1;
 SELECT (a + 2);
END | ∅ | [] | 1 | ∅"#,
            r#"modern | integer | function | sql | 0 | 0 | immutable | 0 | integer | 1 | ["a"] | ["integer"] | RETURN (a + 1) | ∅ | [] | 1 | ∅"#,
            r#"proceed | integer | procedure | plpgsql | 0 | 0 | volatile | 0 | void | 0 | [""] | ["integer"] | begin end | ∅ | [] | 1 | ∅"#,
            r#"tenant |  | function | sql | 0 | 0 | stable | 0 | uuid | 0 | [] | [] | select nullif(current_setting('app.tenant', true), '')::uuid | ∅ | [] | 0 | ∅"#,
            r#"total | integer | aggregate | internal | 0 | 0 | immutable | 0 | integer | 0 | [""] | ["integer"] | aggregate_dummy | ∅ | [] | 1 | ∅"#,
        ],
    )
    .await;
    assert_rows(
        facts,
        "select r.name, t.name, f.name, t.enabled, t.timing, t.row_level, t.on_insert, t.on_update, t.on_delete, t.on_truncate, t.has_condition
         from triggers t join relations r on r.oid = t.relation join functions f on f.oid = t.function order by 1, 2",
        &[
            "events | touch | touched | origin | AFTER | 1 | 1 | 0 | 0 | 0 | 0",
            "events_1 | touch | touched | origin | AFTER | 1 | 1 | 0 | 0 | 0 | 0",
            "events_1_2030 | touch | touched | origin | AFTER | 1 | 1 | 0 | 0 | 0 | 0",
            "events_rest | touch | touched | origin | AFTER | 1 | 1 | 0 | 0 | 0 | 0",
            "orders | touch | touched | always | BEFORE | 1 | 1 | 1 | 0 | 0 | 1",
            "orders | wiped | touched | origin | AFTER | 0 | 0 | 0 | 0 | 1 | 0",
        ],
    )
    .await;
    assert_rows(
        facts,
        "select name, event, enabled from event_triggers",
        &["t_doors_watch | ddl_command_end | disabled"],
    )
    .await;
    assert_rows(
        facts,
        "select name, event, instead, enabled, replace(definition, char(10), '') from rules",
        &["no_delete | DELETE | 1 | origin | CREATE RULE no_delete AS    ON DELETE TO app.tenants DO INSTEAD NOTHING;"],
    )
    .await;
    assert_rows(
        facts,
        "select c.name, p.name, i.position, i.bound from inheritance i join relations c on c.oid = i.child join relations p on p.oid = i.parent order by 1",
        &[
            "events_1 | events | 1 | FOR VALUES IN ('11111111-1111-1111-1111-111111111111')",
            "events_1_2030 | events_1 | 1 | FOR VALUES FROM ('2030-01-01') TO (MAXVALUE)",
            "events_rest | events | 1 | DEFAULT",
            "old_orders | counters | 1 | ∅",
        ],
    )
    .await;
    assert_rows(
        facts,
        "select r.name, k.strategy, k.position, k.column_number from partition_keys k join relations r on r.oid = k.relation order by 1",
        &["events | list | 1 | 1", "events_1 | range | 1 | 2"],
    )
    .await;
    assert_rows(
        facts,
        "select s.name, t.name, q.owned_by_column from sequences q join relations s on s.oid = q.relation left join relations t on t.oid = q.owned_by_relation order by 1",
        &["counters_n_seq | counters | 1", "orders_id_seq | orders | 1"],
    )
    .await;
    assert_rows(
        facts,
        "select name, wrapper, host, dbname, default_acl from foreign_servers",
        &["far | postgres_fdw | far.example | shop | 0"],
    )
    .await;
    assert_rows(
        facts,
        "select coalesce(r.name, 'PUBLIC'), m.remote_user, m.has_password from user_mappings m left join roles r on r.oid = m.role order by 1",
        &["PUBLIC | shared | 1", "t_doors_app | app | 1"],
    )
    .await;
    assert_rows(
        facts,
        "select name, all_tables, publishes from publications where name in ('t_doors_all', 't_doors_some') order by 1",
        &["t_doors_all | 1 | insert, update, delete, truncate", "t_doors_some | 0 | insert, update"],
    )
    .await;
    assert_rows(
        facts,
        "select r.name, x.row_filter, x.has_column_list from publication_relations x join publications p on p.oid = x.publication
         join relations r on r.oid = x.relation where p.name <> 't_doors_all' order by 1",
        if shop.version >= 150_000 {
            &[
                "\u{1b}[31mred | ∅ | 0",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | ∅ | 0",
                "orders | (id > 7) | 1",
                "select | ∅ | 0",
                "tenants | ∅ | 0",
            ]
        } else {
            &["tenants | ∅ | 0"]
        },
    )
    .await;
    assert_rows(facts, "select name, enabled from subscriptions", &["t_doors_pull | 0"]).await;
    assert_rows(
        facts,
        "select id, schedule, role_name, database, active from scheduled_jobs",
        &["1 | 0 3 * * * | t_doors_app | t_doors | 1"],
    )
    .await;
    assert_rows(
        facts,
        "select provenance, count(*) > 1 from functions where schema = 'public' group by 1",
        &["extension | 1"],
    )
    .await;
    shop.remove().await;
}

#[tokio::test]
async fn hostile_names_arrive_as_they_are() {
    if crate::support::is_embedded() {
        return;
    }
    let shop = Shop::open("t_names").await;
    let facts = &mut shop.facts().await;
    let schema = "quote\" and 'tick'";
    assert_rows(facts, "select name from schemas where name like 'quote%'", &[schema]).await;
    assert_rows(
        facts,
        "select name from relations where schema like 'quote%' order by length(name)",
        &["v\"", "select", "\u{1b}[31mred", &"a".repeat(63)],
    )
    .await;
    assert_rows(
        facts,
        "select c.name from columns c join relations r on r.oid = c.relation where r.name = 'select' order by number",
        &["Größe", "line\nbreak", "\\033[31mred", "👩‍🚀"],
    )
    .await;
    assert_rows(
        facts,
        "select name, using_expression from policies where name like 'p;%'",
        &["p; -- \"x\"\ny | (\"Größe\" > 0)"],
    )
    .await;
    shop.remove().await;
}
