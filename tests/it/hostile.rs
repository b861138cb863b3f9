//! Names that break SQL, lines and terminals, in every kind of object: what is said stays harmless, what is offered runs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use govctl::check::quote;
use govctl::ui::clean::is_hostile;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Row};
use std::process::{Command, Stdio};

/// Quotes of both kinds, the ends of statements and comments, a line break, a backslash, an escape sequence, a character
/// that turns the line around.
const HOSTILE: &str = "\"'; drop table x; --*/$$\n\\\u{1b}[2J\u{202e}";

/// A database with a hole in every kind of object. `{name}` becomes a hostile identifier.
const HOLES: &str = r#"
    create role {owner}; create role {login} login; create role {auditor} login bypassrls; create role {group};
    grant {group} to {login} with admin option;
    create schema {schema} authorization {owner}; grant usage, create on schema {schema} to {login}, {auditor}, public;
    alter default privileges for role {owner} in schema {schema} grant all on tables to public;
    create type {schema}.{kind} as enum ('{one}', '{two}');
    create table {schema}.{tenants} (id uuid primary key, {column} text unique);
    create table {schema}.{open} (id bigserial primary key, tenant_id uuid references {schema}.{tenants}, {column} {schema}.{kind});
    create table {schema}.{child} (id bigint primary key, {parent} bigint references {schema}.{open}, api_key text, email text unique);
    create table {schema}.{leaky} (id bigint primary key, tenant_id uuid not null, {column} text, unique ({column}));
    alter table {schema}.{leaky} enable row level security;
    create policy {policy} on {schema}.{leaky} using (tenant_id = current_setting('app.tenant')::uuid or {column} = '{one}');
    create policy {flag} on {schema}.{leaky} using (current_setting('app.{two}', true) = 'on');
    create table {schema}.{parts} (id bigint, tenant_id uuid not null) partition by range (id);
    create table {schema}.{part} partition of {schema}.{parts} for values from (0) to (10);
    alter table {schema}.{parts} enable row level security;
    create policy {policy} on {schema}.{parts} using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
    create index {index} on {schema}.{leaky} ({column});
    create view {schema}.{view} as select * from {schema}.{leaky};
    create materialized view {schema}.{matview} as select * from {schema}.{leaky};
    create function {schema}.{function}({argument} text) returns setof {schema}.{leaky} language sql security definer
      as $f$ select * from {schema}.{leaky} $f$;
    create function {schema}.{broadcast}() returns trigger language plpgsql as
      $f$ begin perform pg_notify('all', row_to_json(new)::text); return new; end $f$;
    create trigger {trigger} before insert on {schema}.{open} for each row execute function {schema}.{broadcast}();
    create table {schema}.audit_log (id bigserial primary key, tenant_id uuid, actor text, {column} text, action text, at timestamptz);
    create publication {publication} for table {schema}.{open};
    do $d$ declare t record; begin
      for t in select oid::regclass as name, relkind from pg_class where relnamespace = (select oid from pg_namespace where nspname like 'schema%')
        and relkind in ('r', 'p', 'v') loop
        execute format('alter table %s owner to ', t.name) || {owner_text};
      end loop;
    end $d$;
    grant all on all tables in schema {schema} to {login}, {auditor};
    grant {owner} to {group};
"#;

/// Each `{name}` as an identifier that begins with the name; `'{name}'` as the inside of a string.
fn hostile(script: &str) -> String {
    let name = |plain: &str| format!("{plain}{HOSTILE}");
    let mut sql = script.to_owned();
    for role in ["owner", "login", "auditor", "group"] {
        let quoted = format!("\"{}\"", name(&crate::support::unique(role)).replace('"', "\"\""));
        sql = sql.replace(&format!("{{{role}_text}}"), &format!("'{}'", quoted.replace('\'', "''")));
        sql = sql.replace(&format!("{{{role}}}"), &quoted);
    }
    while let Some(start) = sql.find('{') {
        let end = start + sql[start..].find('}').unwrap();
        let plain = sql[start + 1..end].to_owned();
        let inside = sql[..start].ends_with('\'') || sql[..start].ends_with("app.");
        let text = match inside {
            true => plain.clone(),
            false => format!("\"{}\"", name(&plain).replace('"', "\"\"")),
        };
        sql.replace_range(start..=end, &text);
    }
    sql
}

fn govctl(arguments: &[&str]) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
    command.env_clear().args(arguments).stdin(Stdio::null()).current_dir(env!("CARGO_TARGET_TMPDIR"));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert!(matches!(output.status.code(), Some(1)), "{:?} {}", output.status, text(output.stderr));
    (text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn every_fix_runs_and_nothing_steers_the_reader() {
    if crate::support::is_embedded() {
        return;
    }
    let database = crate::support::database().await;
    database.run(&hostile(HOLES)).await;
    let url = database.url();
    for format in ["human", "json", "markdown", "html", "sarif", "junit", "github", "oscal"] {
        let (out, err) = govctl(&["diagnose", &url, "--format", format, "--no-progress"]);
        for (stream, text) in [("stdout", out), ("stderr", err)] {
            let steers = text.find(|c| !matches!(c, '\n' | '\t') && is_hostile(c));
            assert!(steers.is_none(), "{format}, {stream}: {:?}", &text[steers.unwrap().saturating_sub(200)..]);
        }
    }
    let report: Value = serde_json::from_str(&govctl(&["diagnose", &url, "--format", "json"]).0).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let checks: std::collections::BTreeSet<_> = findings.iter().map(|f| f["check"].as_str().unwrap()).collect();
    assert!(checks.len() > 20, "the holes have lost their variety: {checks:?}");
    let mut connection = database.connect().await;
    let mut refused = Vec::new();
    for finding in findings {
        let Some(fix) = finding["fix"].as_str() else { continue };
        assert!(!fix.contains(|c| c != '\n' && is_hostile(c)), "{fix:?}");
        sqlx::raw_sql("begin; set local search_path = ''").execute(&mut connection).await.unwrap();
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(fix)).execute(&mut connection).await {
            refused.push(format!("{}: {error}\n{fix}", finding["check"]));
        }
        sqlx::raw_sql("rollback").execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    assert!(refused.is_empty(), "{}", refused.join("\n\n"));
}

#[tokio::test]
async fn quoted_names_and_texts_are_what_they_were() {
    let database = crate::support::database().await;
    let mut connection = database.connect().await;
    for text in [HOSTILE, "", "a", "U&\"\\0041\"", "\\+000041", "e'\\n'", "ü\u{200b}\u{e0001}", "select", "Äpfel"] {
        let said: String = sqlx::query_scalar(AssertSqlSafe(format!("select {}::text", quote::literal(text))))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(said, text);
        if text.is_empty() {
            continue;
        }
        let row =
            sqlx::query(AssertSqlSafe(format!("select 1 as {}", quote::ident(text)))).fetch_one(&mut connection).await;
        assert_eq!(sqlx::Column::name(row.unwrap().column(0)), text);
    }
    connection.close().await.unwrap();
}
