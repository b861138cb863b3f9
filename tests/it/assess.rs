//! Verdicts and the answer about tenant isolation, over facts put in by hand.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use govctl::assess::{self, Answer, Assessment, Verdict};
use govctl::check::{Library, Severity};
use govctl::config::Config;
use govctl::exit::Exit;
use govctl::facts::Facts;
use sqlx::{AssertSqlSafe, Executor};
use std::fs;
use std::time::Duration;

/// A target, one user table `app.orders` with oid 7 whose key is `tenant_id`, and one login.
const MULTI: &str = "
    insert into target values (1, '0', '2026-01-01T00:00:00Z', 'database', 'shop', 5, '15.18', 150018, 'auditor', 0, 0);
    insert into tenancy values ('multi', 'name', null, 'app.orders has tenant_id');
    insert into tenant_keys values (7, 2, 'tenant_id', 'key', 'name');
    insert into tenant_data values (7);
    insert into principals values (100, 'app_user', 'login', 'application');
    insert into verdicts values (100, 7, 'SELECT', 'isolated', 100, 'app_user', null, null, null);
    insert into schemas values (1, 'app', 10, 'user', 1, null);
    insert into relations values
      (7, 1, 'app', 'orders', 'table', 10, 1, 0, 0, 0, 0, 'permanent', 5, 1, null, 'user', null),
      (8, 2, 'cron', 'job', 'table', 10, 0, 0, 0, 0, 0, 'permanent', 5, 1, null, 'extension', null),
      (9, 3, 'auth', 'users', 'table', 10, 0, 0, 0, 0, 0, 'permanent', 5, 1, null, 'platform', null);";

/// A check with this axis and SQL, and further lines.
fn yaml(id: &str, sql: &str, more: &str) -> String {
    format!(
        "id: {id}\ntitle: Wrong\nstage: 2\nseverity: high\ncovers: []\nwhy: Because.\nsql: |\n  {sql}\n\
         finding: '{{{{ schema }}}}.{{{{ name }}}} is wrong'\nfix: drop table {{{{ object }}}};\n\
         proof: {{bad: select 1, finds: [x]}}\n{more}"
    )
}

const ORDERS: &str =
    "select schema, name, kind from relations where rls = 0 and oid in (select relation from tenant_keys)";

async fn library(checks: &[(&str, String)]) -> Library {
    let folder = tempfile::tempdir().unwrap();
    for (id, text) in checks {
        let path = folder.path().join(format!("{id}.yaml"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Library::default().with_dir(folder.path()).await.map_err(miette::Report::new).unwrap()
}

async fn assessed(facts: &[&str], checks: &[(&str, String)]) -> Assessment {
    let mut store = Facts::empty().await.unwrap();
    for sql in facts {
        store.connection().execute(AssertSqlSafe((*sql).to_owned())).await.unwrap();
    }
    assess::run(&mut store, &library(checks).await, &Config::default()).await.unwrap()
}

fn one(checks: &str) -> [(&'static str, String); 1] {
    [("tenant-isolation/a", yaml("tenant-isolation/a", checks, ""))]
}

fn verdict<'a>(assessment: &'a Assessment, id: &str) -> &'a Verdict {
    &assessment.checks.iter().find(|(known, _)| known.0 == id).unwrap().1.1
}

#[tokio::test]
async fn silence_over_facts_that_were_all_seen_is_a_pass_and_a_yes() {
    let assessment = assessed(&[MULTI], &one(ORDERS)).await;
    assert!(matches!(verdict(&assessment, "tenant-isolation/a"), Verdict::Pass));
    let answer = &assessment.axes[0];
    assert_eq!(answer.answer, Answer::Yes);
    assert_eq!(answer.reason, "in the database layer: it keeps the tenants in 1 table apart for 1 login");
    assert_eq!(assessment.exit(Severity::Low, false), Exit::Clean);
    assert_eq!(
        assessment.notes,
        ["1 relation of extensions not judged: cron (1)", "1 relation of the platform not judged: auth (1)"]
    );
    assert_eq!(assessment.target.server_version, "15.18");
}

#[tokio::test]
async fn a_finding_is_a_no_with_the_worst_of_them_as_the_reason() {
    let off = "update relations set rls = 0 where oid = 7";
    let assessment = assessed(&[MULTI, off], &one(ORDERS)).await;
    let answer = &assessment.axes[0];
    assert_eq!(answer.answer, Answer::No);
    assert_eq!(answer.reason, "1 high finding, the worst: app.orders is wrong (1 table with tenant data, 1 login)");
    let (_, finding) = assessment.findings()[0];
    assert_eq!(finding.fix.as_deref(), Some("drop table app.orders;"));
    assert_eq!(assessment.exit(Severity::Low, false), Exit::Findings);
}

#[tokio::test]
async fn what_was_hidden_leaves_silence_undecided_and_names_the_grant() {
    let hidden = "insert into unseen values ('columns', null, 'columns were refused', 'grant x to auditor')";
    // tenant_keys rests on columns.
    let assessment = assessed(&[MULTI, hidden], &one(ORDERS)).await;
    let undecided = assessment.undecided();
    assert_eq!((undecided[0].1.kind, undecided[0].1.needs.as_str()), ("no-privilege", "grant x to auditor"));
    assert_eq!(assessment.axes[0].answer, Answer::Unsure);
    assert_eq!(assessment.exit(Severity::Low, false), Exit::Undecided);

    let elsewhere = "insert into unseen values ('large_objects', null, 'refused', 'grant x')";
    let assessment = assessed(&[MULTI, elsewhere], &one(ORDERS)).await;
    assert!(matches!(verdict(&assessment, "tenant-isolation/a"), Verdict::Pass));
}

#[tokio::test]
async fn a_finding_stands_though_something_was_hidden_and_the_report_says_so() {
    let off = "update relations set rls = 0 where oid = 7";
    let hidden = "insert into unseen values ('relations', null, 'some were refused', 'grant x')";
    let low = one(
        "select schema, name, kind, 'low' as severity from relations where oid in (select relation from tenant_keys)",
    );
    let assessment = assessed(&[MULTI, off, hidden], &low).await;
    assert!(matches!(verdict(&assessment, "tenant-isolation/a"), Verdict::Fail { .. }));
    assert_eq!(assessment.undecided()[0].1.needs, "grant x");
    assert_eq!(assessment.exit(Severity::Low, false), Exit::Findings, "1 before 4");
    assert_eq!(assessment.exit(Severity::High, false), Exit::Undecided, "below, and there may be worse");
    // A low finding alone would leave the answer at yes.
    assert_eq!(assessment.axes[0].answer, Answer::Unsure);
}

#[tokio::test]
async fn without_a_tenant_key_silence_about_tenant_data_means_nothing() {
    let none = "delete from tenant_keys; update tenancy set mode = 'none'";
    let blind = [
        ("tenant-isolation/a", yaml("tenant-isolation/a", ORDERS, "")),
        (
            "tenant-isolation/b",
            yaml("tenant-isolation/b", "select null as schema, name, 'role' as kind from roles", ""),
        ),
    ];
    let assessment = assessed(&[MULTI, none], &blind).await;
    let Verdict::Undecided(causes) = verdict(&assessment, "tenant-isolation/a") else { panic!("passed") };
    assert_eq!(causes[0].kind, "no-tenant-key");
    assert!(matches!(verdict(&assessment, "tenant-isolation/b"), Verdict::Pass), "it rests on roles alone");
    assert_eq!(assessment.axes[0].answer, Answer::Unsure);
    assert!(assessment.axes[0].reason.starts_with("no tenant key was found"));
    assert_eq!(assessment.exit(Severity::Low, false), Exit::Undecided);
}

#[tokio::test]
async fn for_a_single_tenant_the_question_does_not_arise_until_a_second_one_shows() {
    let single = "update tenancy set mode = 'single', reason = 'declared in govctl.yaml'; update relations set rls = 0";
    let second = yaml(
        "tenant-isolation/second-tenant",
        "select schema, name, kind from relations where comment = 'two'",
        "single_tenant: applies\n",
    );
    let checks =
        [("tenant-isolation/a", yaml("tenant-isolation/a", ORDERS, "")), ("tenant-isolation/second-tenant", second)];
    let assessment = assessed(&[MULTI, single], &checks).await;
    assert!(matches!(verdict(&assessment, "tenant-isolation/a"), Verdict::NotApplicable(_)));
    assert_eq!(assessment.axes[0].answer, Answer::NotApplicable);
    assert_eq!(assessment.axes[0].reason, "a single tenant: declared in govctl.yaml");
    assert_eq!(assessment.tally().pass, 1, "only the check that applies to a single tenant may pass");

    let two = "update relations set comment = 'two' where oid = 7";
    let assessment = assessed(&[MULTI, single, two], &checks).await;
    assert!(matches!(verdict(&assessment, "tenant-isolation/a"), Verdict::Fail { .. }));
    assert_eq!(assessment.axes[0].answer, Answer::No);
    assert!(assessment.notes.iter().any(|note| note.starts_with("declared single-tenant, yet")));
}

#[tokio::test]
async fn an_answer_needs_every_check_of_the_axis() {
    let mut facts = Facts::empty().await.unwrap();
    facts.connection().execute(MULTI).await.unwrap();
    let two = ["tenant-isolation/a", "tenant-isolation/b"].map(|id| (id, yaml(id, ORDERS, "")));
    let chosen = library(&two).await.select(&["*/a".to_owned()]).unwrap();
    let assessment = assess::run(&mut facts, &chosen, &Config::default()).await.unwrap();
    assert_eq!(assessment.axes[0].answer, Answer::Unsure);
    assert_eq!(assessment.axes[0].reason, "only 1 of 2 checks on this axis were run");
}

#[tokio::test]
async fn one_object_is_found_once_at_its_worst_and_the_identity_tells_findings_apart() {
    let twice = "select r.schema, r.name, r.kind, v.* from relations r join tenant_keys k on k.relation = r.oid,
      (select 'low' as severity, 'a' as login union all select 'critical', 'a' union all select 'high', 'b') v";
    let assessment = assessed(&[MULTI], &one(twice)).await;
    assert_eq!(assessment.findings().iter().map(|(_, f)| f.severity).collect::<Vec<_>>(), [Severity::Critical]);

    let apart = [("tenant-isolation/a", yaml("tenant-isolation/a", twice, "identity: [login]\n"))];
    let assessment = assessed(&[MULTI], &apart).await;
    let found = assessment.findings();
    assert_eq!(found.iter().map(|(_, f)| f.severity).collect::<Vec<_>>(), [Severity::Critical, Severity::High]);
    assert_eq!(serde_json::Value::Object(found[0].1.facts.clone()), serde_json::json!({ "login": "a" }));
}

#[tokio::test]
async fn a_row_may_say_that_it_cannot_know() {
    let sql = "select schema, name, kind, 'undecided' as severity, 'p calls f' as what, 'a look at f' as needs from relations where oid = 7";
    let assessment = assessed(&[MULTI], &one(sql)).await;
    let (_, cause) = assessment.undecided()[0];
    assert_eq!(
        (cause.kind, cause.what.as_str(), cause.needs.as_str()),
        ("unreadable-expression", "p calls f", "a look at f")
    );
}

#[tokio::test]
async fn a_check_that_breaks_over_these_facts_is_undecided_at_its_own_place_and_changes_nothing() {
    for (sql, complaint) in [
        ("select null as schema, name, kind from relations", ":10:14: `schema` has no value in this row"),
        ("select schema, name, null as kind from relations", ":8:3: a row without a value in `kind`"),
        (
            "select schema, name, kind, 'dire' as severity from relations",
            ":8:3: a row whose `severity` is \"dire\", which is none",
        ),
        (
            "with x as (select 1) delete from relations returning schema, name, kind",
            ":8:3: attempt to write a readonly database",
        ),
    ] {
        let sql = sql.replace(" from", "\n  from");
        let mut checks = one(&sql).to_vec();
        checks.push(("tenant-isolation/b", yaml("tenant-isolation/b", "select schema, name, kind from relations", "")));
        let assessment = assessed(&[MULTI], &checks).await;
        let Verdict::Undecided(causes) = verdict(&assessment, "tenant-isolation/a") else { panic!("{sql}: decided") };
        assert_eq!(causes[0].kind, "bad-check");
        assert!(causes[0].what.contains(complaint), "{} instead of {complaint}", causes[0].what);
        assert!(verdict(&assessment, "tenant-isolation/b").findings().len() == 3);
    }
}

#[tokio::test]
async fn a_check_that_never_ends_is_ended() {
    let endless = "with recursive n(x) as (select 1 union all select x + 1 from n)
      select 'app' as schema, count(*) as name, 'table' as kind from n";
    let mut store = Facts::empty().await.unwrap();
    assert_eq!(store.patience().as_secs(), 30);
    store.set_patience(Duration::from_secs(1));
    store.connection().execute(MULTI).await.unwrap();
    let mut checks = one(endless).to_vec();
    checks.push(("tenant-isolation/b", yaml("tenant-isolation/b", "select schema, name, kind from relations", "")));
    let assessment = assess::run(&mut store, &library(&checks).await, &Config::default()).await.unwrap();
    let (_, cause) = assessment.undecided()[0];
    assert!(cause.what.ends_with("not done after 1 s"), "{}", cause.what);
    // The next one is run as if nothing had been.
    assert_eq!(verdict(&assessment, "tenant-isolation/b").findings().len(), 3);
}
