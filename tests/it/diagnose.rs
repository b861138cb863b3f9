//! `govctl diagnose` against a real PostgreSQL: both formats, every way it ends, and nothing it leaves behind.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::Value;
use std::process::{Command, Stdio};

/// Two tables without row security that a login reads, one of them with a name no terminal should see raw.
const SHOP: &str = r#"
    create role :login login;
    create schema app;
    grant usage on schema app to :login;
    create table app.tenants (id uuid primary key);
    alter table app.tenants enable row level security;
    create table app.orders (id bigint primary key, tenant_id uuid not null references app.tenants);
    create table app."evil
0 fail" (id bigint primary key, tenant_id uuid not null references app.tenants);
    grant select on all tables in schema app to :login;
"#;

fn shop() -> String {
    SHOP.replace(":login", &crate::support::unique("shop_app"))
}

struct Ran {
    out: String,
    err: String,
    code: i32,
}

/// The program, with nothing of this machine's environment.
async fn govctl(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
    command.env_clear().args(arguments).stdin(Stdio::null()).current_dir(env!("CARGO_TARGET_TMPDIR"));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { out: text(output.stdout), err: text(output.stderr), code: output.status.code().unwrap() }
}

async fn json(arguments: &[&str]) -> (Value, i32) {
    let ran = govctl(&[arguments, &["--format", "json"]].concat()).await;
    (serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err)), ran.code)
}

#[tokio::test]
async fn findings_are_1_in_every_format() {
    let database = crate::support::database().await;
    database.run(&shop()).await;
    let url = database.url();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (report, facts) = (path("report.json"), path("facts.db"));

    let only = ["diagnose", &url, "--only", "tenant-isolation/rls-disabled"];
    let human = govctl(&[&only[..], &["--output", &format!("json={report}"), "--save-facts", &facts]].concat()).await;
    assert_eq!((human.code, human.err.as_str()), (1, ""), "{}", human.out);
    assert!(human.out.contains("alter table app.orders enable row level security;"), "{}", human.out);
    assert!(human.out.contains(r"evil\n0 fail") && !human.out.lines().any(|line| line.starts_with("0 fail")));
    assert!(human.out.lines().last().unwrap().contains("govctl explain tenant-isolation/rls-disabled"));

    let (document, code) = json(&only).await;
    assert_eq!((code, &document["summary"]["exit"]), (1, &Value::from(1)));
    let names = |document: &Value| -> Vec<String> {
        let findings = document["findings"].as_array().unwrap().iter();
        findings.map(|finding| finding["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&document).len(), 2);
    let filed: Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    assert_eq!(names(&filed), names(&document), "the file says what stdout says");
    let (again, code) = json(&["diagnose", "--facts", &facts, "--only", "tenant-isolation/rls-disabled"]).await;
    assert_eq!((code, &again["target"]["kind"]), (1, &Value::from("facts")));
    assert_eq!(names(&again), names(&document), "saved facts give the same findings");

    assert_eq!(govctl(&[&only[..], &["--fail-on", "critical"]].concat()).await.code, 1);
    let (forgiven, code) = json(&[&only[..], &["--exit-zero"]].concat()).await;
    assert_eq!((code, &forgiven["summary"]["exit"]), (0, &Value::from(0)));

    let quiet = govctl(&[&only[..], &["--quiet"]].concat()).await;
    assert_eq!(quiet.out.lines().count(), 1, "{}", quiet.out);
}

#[tokio::test]
async fn findings_below_fail_on_are_0() {
    let database = crate::support::database().await;
    database
        .run("create table tenants (id uuid primary key); create table t (id uuid, tenant_id uuid references tenants)")
        .await;
    let url = database.url();
    // Nobody reaches the table, so that is information.
    let only = ["diagnose", &url, "--only", "tenant-isolation/rls-disabled"];
    let ran = govctl(&only).await;
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("Nothing is at or above low"), "{}", ran.out);
    assert_eq!(govctl(&[&only[..], &["--fail-on", "info"]].concat()).await.code, 1);
}

#[tokio::test]
async fn what_could_not_be_decided_is_4() {
    let database = crate::support::database().await;
    database.run("create table nobody_knows_whose (id bigint primary key)").await;
    let url = database.url();
    let only = ["diagnose", &url, "--only", "tenant-isolation/rls-disabled"];
    let ran = govctl(&only).await;
    assert_eq!(ran.code, 4, "{}", ran.out);
    assert!(ran.out.contains("not a clean result"), "{}", ran.out);
    assert_eq!(govctl(&[&only[..], &["--allow-undecided"]].concat()).await.code, 0);
    assert_eq!(govctl(&[&only[..], &["--exit-zero"]].concat()).await.code, 0);
    let (document, _) = json(&only).await;
    assert_eq!(document["undecided"].as_array().unwrap().len(), 1);
    assert!(!document["undecided"][0]["needs"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_configuration_is_heard_and_a_wrong_one_stops_the_run() {
    let database = crate::support::database().await;
    database.run("create table notes (id bigint primary key)").await;
    let url = database.url();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("govctl.yaml").display().to_string();
    let arguments = ["diagnose", &url, "--config", &file, "--only", "tenant-isolation/rls-disabled"];
    assert_eq!(govctl(&arguments).await.code, 2, "a file that was asked for has to be there");
    std::fs::write(&file, "tenancy: {mode: single}\n").unwrap();
    let (document, code) = json(&arguments).await;
    assert_eq!((code, &document["summary"]["not_applicable"]), (0, &Value::from(1)));
    std::fs::write(&file, "tenancy: {mode: sngle}\n").unwrap();
    let ran = govctl(&arguments).await;
    assert_eq!((ran.code, ran.err.lines().last()), (2, Some("no audit was performed")));
    assert!(ran.err.contains("single"), "{}", ran.err);
}

#[tokio::test]
async fn a_tool_for_one_tenant_that_acts_on_regulated_data_without_a_log_is_critical() {
    let database = crate::support::database().await;
    let role = crate::support::unique("support_agent");
    database
        .run(&format!(
            "create role {role} login;
             create table visits (id bigint primary key, room text, icd10_code text);
             grant select, update on visits to {role}"
        ))
        .await;
    let url = database.url();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("govctl.yaml").display().to_string();
    let arguments = ["diagnose", &url, "--config", &file, "--only", "audit/no-event-log"];
    for (mode, severity) in [("multi", "medium"), ("single", "critical")] {
        let configuration = format!("tenancy: {{mode: {mode}}}\nroles: {{agents: [{role}]}}\n");
        std::fs::write(&file, configuration).unwrap();
        let (document, _) = json(&arguments).await;
        let finding = &document["findings"][0];
        assert_eq!(finding["severity"], severity, "{finding}");
        assert!(
            finding["message"].as_str().unwrap().contains("public.visits.icd10_code holds regulated data"),
            "{finding}"
        );
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_written_is_2() {
    let database = crate::support::database().await;
    database.run(&shop()).await;
    let url = database.url();
    let ran = govctl(&["diagnose", &url, "--output", "json=/dev/full"]).await;
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("/dev/full cannot be written") && !ran.err.contains("no audit was performed"));
}
