//! Which tables are taken for event logs, what their columns say, and what keeps their rows.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use govctl::check::proof::facts_of;
use govctl::config::Config;
use govctl::facts::Facts;
use sqlx::{AssertSqlSafe, Connection, Row};

async fn facts(ddl: &str) -> Facts {
    let database = crate::support::cluster().await;
    let mut connection = database.connect().await;
    let facts = facts_of(ddl, &Config::default(), &mut connection).await.unwrap();
    connection.close().await.unwrap();
    facts
}

/// Rows as text, columns separated by ` | `.
async fn rows(facts: &mut Facts, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(facts.connection()).await.unwrap();
    let text = |row: &sqlx::sqlite::SqliteRow, i: usize| {
        let text = row
            .try_get::<Option<String>, _>(i)
            .or_else(|_| row.try_get::<Option<i64>, _>(i).map(|n| n.map(|n| n.to_string())));
        text.unwrap().unwrap_or_else(|| "∅".into())
    };
    rows.iter().map(|row| (0..row.len()).map(|i| text(row, i)).collect::<Vec<_>>().join(" | ")).collect()
}

#[tokio::test]
async fn logs_are_recognised_and_their_lookalikes_are_not() {
    let mut facts = facts(include_str!("event_logs/logs.sql")).await;
    let wrong = rows(
        &mut facts,
        "select r.schema || '.' || r.name, coalesce(r.comment, 'no log'), coalesce(l.purpose, 'no log'), l.reason
         from relations r left join event_logs l on l.relation = r.oid
         where coalesce(r.comment, 'no log') <> coalesce(l.purpose, 'no log') order by 1",
    )
    .await;
    assert!(wrong.is_empty(), "table | meant | taken for | because\n{}", wrong.join("\n"));
    assert!(rows(&mut facts, "select 1 from event_logs").await.len() > 15);
}

const LOG: &str = "
    create role logs_owner nologin; create role agent login; create role app login; create role migrator login; create role eraser login;
    grant logs_owner to migrator;
    create schema gov authorization logs_owner; grant usage on schema gov to agent, app, eraser;
    set local role logs_owner;
    create type gov.kind as enum ('user', 'agent', 'service');
    create domain gov.who as text check (value in ('human', 'bot'));
    create table gov.audit_log (tenant_id uuid, seq bigint, at timestamptz not null, actor_kind gov.kind, actor text, action text, payload jsonb);
    create table gov.activity_log (at timestamptz, actor_type gov.who, actor text, action text, object text);
    create table gov.access_log (at timestamptz, actor_type text check (actor_type ~ '^(user|service)$'), actor text, action text, object text);
    create table gov.agent_log (at timestamptz, actor_type text, actor text, action text, object text);
    create table gov.security_log (at timestamptz, agent_id text, user_id text, action text, object text, check (num_nonnulls(agent_id, user_id) = 1));
    create table gov.action_log (at timestamptz, type text check (type in ('USER', 'API_KEY')), user_id text, action text, object text);
    create table gov.event_log (tenant_id uuid, at timestamptz, actor text, action text) partition by range (at);
    create table gov.event_log_1 partition of gov.event_log default;
    create function gov.no() returns trigger language plpgsql as $$ begin raise exception 'append-only'; end $$;
    create function gov.fill() returns trigger language plpgsql as $$ begin new.actor := session_user; new.at := now(); return new; end $$;
    create trigger no_change before update or delete on gov.audit_log for each row execute function gov.no();
    create trigger no_truncate before truncate on gov.audit_log for each statement execute function gov.no();
    create trigger fill before insert on gov.audit_log for each row execute function gov.fill();
    alter table gov.audit_log enable always trigger no_change;
    alter table gov.audit_log enable always trigger no_truncate;
    create trigger no_change before update of action or delete on gov.activity_log for each row execute function gov.no();
    create trigger off before truncate on gov.activity_log for each statement execute function gov.no();
    alter table gov.activity_log disable trigger off;
    create rule no_update as on update to gov.access_log do instead nothing;
    create rule no_delete as on delete to gov.access_log where old.actor = 'x' do instead nothing;
    create trigger no_change before update or delete on gov.event_log for each row execute function gov.no();
    grant insert on all tables in schema gov to agent;
    grant update on gov.activity_log to app;
    grant update (payload) on gov.audit_log to eraser;
    grant truncate on gov.event_log_1 to app;
    reset role;";

#[tokio::test]
async fn what_may_change_a_log_and_what_refuses_it() {
    let mut facts = facts(LOG).await;
    let logs = rows(
        &mut facts,
        "select r.name, held_by, on_update, on_delete, on_truncate, guards_always, owner_logins
         from event_logs l join relations r on r.oid = l.relation order by 1",
    )
    .await;
    let owned = "[\"migrator\"]";
    assert_eq!(
        logs,
        [
            format!("access_log | owner | refused | partly | none | 0 | {owned}"),
            format!("action_log | owner | none | none | none | 0 | {owned}"),
            format!("activity_log | others | partly | refused | none | 0 | {owned}"),
            format!("agent_log | owner | none | none | none | 0 | {owned}"),
            format!("audit_log | columns | refused | refused | refused | 1 | {owned}"),
            format!("event_log | others | refused | refused | none | 0 | {owned}"),
            format!("security_log | owner | none | none | none | 0 | {owned}"),
        ]
    );
    let rights = rows(
        &mut facts,
        "select p.name, r.name, command, via, on_columns, path from event_log_rights e join principals p on p.role = e.principal
         join relations r on r.oid = e.relation join relations l on l.oid = e.log where l.name in ('audit_log', 'event_log') and command <> 'INSERT'
         and p.name <> 'migrator' order by 1, 2, 3",
    )
    .await;
    assert_eq!(
        rights,
        ["app | event_log_1 | TRUNCATE | grant | 0 | app", "eraser | audit_log | UPDATE | grant | 1 | eraser"]
    );
    let owner = rows(
        &mut facts,
        "select command, via, path from event_log_rights e join principals p on p.role = e.principal
         join relations r on r.oid = e.relation where r.name = 'audit_log' and p.name = 'migrator' order by 1",
    )
    .await;
    assert_eq!(owner.len(), 5, "{owner:?}");
    assert!(owner.iter().all(|right| right.contains("| owner |")), "{owner:?}");
    let filled = rows(&mut facts, "select name from event_log_columns where filled_by_trigger = 1 order by 1").await;
    assert_eq!(filled, ["actor", "at"]);
    let partition = rows(
        &mut facts,
        "select r.name, command, effect, enabled from event_log_guards g join relations r on r.oid = g.relation
         where r.name = 'event_log_1' order by 2",
    )
    .await;
    assert_eq!(partition, ["event_log_1 | DELETE | refused | origin", "event_log_1 | UPDATE | refused | origin"]);
}

#[tokio::test]
async fn an_actor_s_kind_is_typed_by_what_limits_it() {
    let mut facts = facts(LOG).await;
    let kinds = rows(
        &mut facts,
        "select r.name, c.name, actor_kind_source, actor_kinds, names_agent from event_logs l join relations r on r.oid = l.relation
         left join event_log_columns c on c.relation = r.oid and c.role = 'actor kind' order by 1",
    )
    .await;
    assert_eq!(
        kinds,
        [
            "access_log | actor_type | check | [\"user\",\"service\"] | 0",
            "action_log | type | check | [\"USER\",\"API_KEY\"] | 0",
            "activity_log | actor_type | check | [\"human\",\"bot\"] | 1",
            "agent_log | actor_type | free | [] | 0",
            "audit_log | actor_kind | enum | [\"user\",\"agent\",\"service\"] | 1",
            "event_log | ∅ | ∅ | ∅ | ∅",
            "security_log | ∅ | columns | [] | 1",
        ]
    );
}
