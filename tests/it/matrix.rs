//! `govctl matrix`: what it says agrees with what PostgreSQL says, and `--no-data` reads no row.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::support::unique;
use serde_json::Value;
use std::process::{Command, Stdio};

/// The program's stdout and exit code.
async fn govctl(arguments: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
    command.env_clear().args(arguments).stdin(Stdio::null()).current_dir(env!("CARGO_TARGET_TMPDIR"));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

#[tokio::test]
async fn the_matrix_says_who_may_do_what_and_how() {
    let database = crate::support::database().await;
    let (agent, writer) = (unique("support_agent"), unique("writer"));
    let script = format!(
        "create role {agent} login noinherit; create role {writer}; grant {writer} to {agent};
         create schema app; grant usage on schema app to {agent}, {writer};
         create table app.tenants (id uuid primary key); alter table app.tenants enable row level security;
         create table app.orders (id int primary key, tenant_id uuid not null references app.tenants, total int);
         alter table app.orders enable row level security;
         create policy tenant on app.orders using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
         create table app.users (id int primary key, tenant_id uuid not null references app.tenants, email text, plan text);
         grant select on app.orders to {agent}; grant select (id, plan) on app.users to {agent};
         grant select, insert, update (total) on app.orders to {writer}; grant select on app.users to {writer}"
    );
    database.run(&script).await;
    let url = database.url();
    let (out, code) = govctl(&["matrix", &url, "--format", "json", "--role", &agent]).await;
    assert_eq!(code, 0, "{out}");
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["schema"], "govctl.matrix/1");
    let principal = &document["principals"][0];
    assert_eq!(
        (&principal["role"], &principal["purpose"], &principal["purpose_source"]),
        (&agent.clone().into(), &"agent".into(), &"name".into())
    );
    assert_eq!(principal["becomes"][0]["path"], format!("{agent} → {writer}"));
    assert_eq!(principal["becomes"][0]["inherits"], false);
    let rows = principal["relations"].as_array().unwrap();
    let found: Vec<String> = rows
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
            let commands = ["select", "insert", "update", "delete", "truncate"].map(text).join(" ");
            format!("{} {} {commands} {} {}", text("name"), text("path"), text("exposure"), row["classes"])
        })
        .collect();
    let (by, none) = (format!("{agent} → {writer}"), "no no");
    assert_eq!(
        found,
        [
            format!("orders {agent} yes no no {none} isolated []"),
            format!("orders {by} yes yes columns {none} isolated []"),
            format!("users {agent} columns no no {none} rls off []"),
            format!("users {by} yes no no {none} rls off [\"personal\"]"),
        ]
    );
    assert_eq!(rows[2]["columns"]["select"], serde_json::json!(["id", "plan"]));
    assert_eq!(rows[0]["verdicts"]["SELECT"], "isolated");

    let (screen, code) = govctl(&["matrix", &url, "--agents", "--relation", "app.o*", "--role", &agent]).await;
    assert_eq!(code, 0);
    assert!(screen.contains("SIu··") && screen.contains("app.orders") && !screen.contains("app.users"), "{screen}");
    assert!(screen.lines().all(|line| line.chars().count() <= 100), "{screen}");
    assert_eq!(govctl(&["matrix", &url, "--role", "[["]).await.1, 2);
}

#[tokio::test]
async fn without_data_no_row_is_read_and_that_is_nobodys_fault() {
    let database = crate::support::database().await;
    database.run("create schema app; create table app.notes (id int primary key, body text); insert into app.notes values (1, 'password=Wint3r-is-near')").await;
    let url = database.url();
    let only = ["diagnose", &url, "--only", "secret-separation/secret-in-rows", "--format", "json"];
    let (with, code) = govctl(&only).await;
    assert_eq!(code, 1, "{with}");
    let (without, code) = govctl(&[&only[..], &["--no-data"]].concat()).await;
    let document: Value = serde_json::from_str(&without).unwrap();
    assert_eq!(code, 0, "{without}");
    assert_eq!(document["undecided"][0]["cause"], "by-choice");
    assert_eq!(document["findings"], serde_json::json!([]));
}

#[tokio::test]
async fn a_gitleaks_file_of_ones_own_is_looked_with() {
    let database = crate::support::database().await;
    database.run("create schema app; create table app.notes (id int primary key, body text); insert into app.notes values (1, 'acme_0a1b2c3d')").await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("govctl.yaml"), "secrets: {gitleaks: rules/acme.toml}\n").unwrap();
    std::fs::create_dir(path("rules")).unwrap();
    let rule = "[[rules]]\nid = \"acme\"\ndescription = \"an Acme token\"\nregex = '''acme_[0-9a-f]{8}'''\n";
    std::fs::write(path("rules/acme.toml"), rule).unwrap();
    let config = path("govctl.yaml").display().to_string();
    let only = ["diagnose", &database.url(), "--only", "secret-separation/secret-in-rows", "--config", &config];
    let (out, code) = govctl(&only).await;
    assert!(code == 1 && out.contains("an Acme token") && !out.contains("0a1b2c3d"), "{out}");
    std::fs::write(path("rules/acme.toml"), "[[rules]]\nid = \"acme\"\nregex = '(' ").unwrap();
    assert_eq!(govctl(&only).await.1, 2);
}
