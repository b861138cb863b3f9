use super::*;
use crate::assess::{
    Advice, Answer, AxisAnswer, Cause, Declared, Finding, Fingerprint, ObjectRef, Stage, Target, Verdict,
};
use crate::check::{Axis, Check, CheckId};
use crate::ui::clean::is_hostile;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// A name that forges a line, hides, turns the reading direction and colours the rest.
const HOSTILE: &str = "x\n0 fail\u{1b}[2J\u{9b}31m\u{202e}gnp\u{200b}\u{2028}\r\u{7}";

fn check(id: &str, title: &str, severity: &str) -> Check {
    let (folder, _) = id.split_once('/').expect("an axis and a name");
    let text = format!(
        "id: {id}\ntitle: {title}\naxis: {folder}\nstage: 2\nseverity: {severity}\ncovers: [TI-01]\n\
         controls: {{nist: [AC-3], owasp_llm: [LLM02]}}\nwhy: it matters\n\
         sql: select name, kind from relations\nfinding: '{{{{ name }}}} is wrong'\n\
         fix: alter table {{{{ name }}}} mend\nproof:\n  bad: create table x ()\n  finds: [x is wrong]\n"
    );
    let id = CheckId(id.to_owned());
    crate::check::parse(&id, "checks/x.yaml", &text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn finding(of: &Check, severity: Severity, name: &str) -> Finding {
    let object =
        ObjectRef { kind: "table".to_owned(), schema: Some("app".to_owned()), name: name.to_owned(), column: None };
    Finding {
        severity,
        unscaled: severity,
        fingerprint: Fingerprint::of(&of.id, &object, &[]),
        state: "0123456789abcdef".to_owned(),
        introduced: None,
        pardon: None,
        message: format!("app.{name} is reached by app_user and has no row-level security"),
        facts: Map::from_iter([("logins".to_owned(), Value::from("app_user"))]),
        fix: Some(format!("alter table app.{name} enable row level security;")),
        default: None,
        object,
    }
}

fn failed(findings: Vec<Finding>) -> Verdict {
    Verdict::Fail { findings, hidden: Vec::new() }
}

fn cause(what: &str, needs: &str) -> Cause {
    Cause { kind: "no-privilege", what: what.to_owned(), needs: needs.to_owned() }
}

fn assessment(verdicts: Vec<(Check, Verdict)>) -> Assessment {
    Assessment {
        stage: Stage::default(),
        target: Target {
            kind: "database".to_owned(),
            database: "shop".to_owned(),
            server_version: "15.18 (Debian 15.18-0+deb12u1)".to_owned(),
            role: "auditor".to_owned(),
            taken_at: "2026-08-23T14:07:31Z".to_owned(),
        },
        axes: vec![AxisAnswer {
            axis: Axis::TenantIsolation,
            name: "Tenant isolation".to_owned(),
            question: "Is every tenant's data out of the others' reach?".to_owned(),
            answer: Answer::No,
            found: Answer::No,
            reason: "7 findings, the worst critical".to_owned(),
            evidence: Vec::new(),
            posture: None,
            required: None,
            owner: None,
            usual_owner: "security engineering".to_owned(),
            attestation: None,
        }],
        tenancy: "many tenants: 9 columns say which tenant a row belongs to".to_owned(),
        declared: Declared::default(),
        advice: Advice { axis: Some(Axis::TenantIsolation), reason: "7 critical findings".to_owned() },
        graphs: Vec::new(),
        warnings: Vec::new(),
        checks: verdicts.into_iter().map(|(check, verdict)| (check.id.clone(), (check, verdict))).collect(),
        notes: vec!["3 relations of extensions not judged: vault (3)".to_owned()],
    }
}

/// A bit of everything.
fn mixed() -> Assessment {
    let disabled = check("tenant-isolation/rls-disabled", "Tenant data without row-level security", "critical");
    let names = ["orders", "refunds", "invoices", "a_table_with_quite_a_long_name", "carts", "notes", "payments"];
    let mut findings: Vec<_> = names.iter().map(|name| finding(&disabled, Severity::Critical, name)).collect();
    findings.push(finding(&disabled, Severity::Info, "nobody_reads_this"));
    let truncate = check("tenant-isolation/truncate-granted", "TRUNCATE granted on tenant data", "high");
    let mut decide = check("tenant-isolation/shared-login", "Tenants share a login", "low");
    (decide.fix, decide.ask) = (None, Some("which login belongs to which tenant".to_owned()));
    let mut shared = finding(&decide, Severity::Low, "app_user");
    (shared.message, shared.fix) = ("every tenant uses the same one".to_owned(), None);
    let hidden = || cause("settings that only superusers see", "grant pg_read_all_settings to auditor");
    assessment(vec![
        (disabled, failed(findings)),
        (truncate, Verdict::Pass),
        (decide, failed(vec![shared])),
        (check("audit/no-log", "No audit log", "high"), Verdict::Undecided(vec![hidden()])),
        (check("audit/unlogged", "An unlogged audit table", "low"), Verdict::Undecided(vec![hidden()])),
        (check("rbac/one-role", "One role for all", "low"), Verdict::NotApplicable("nobody logs in".to_owned())),
    ])
}

fn settings(look: Look) -> Settings {
    Settings {
        look,
        all: false,
        quiet: false,
        fail_on: Severity::Low,
        allow_undecided: false,
        baseline: false,
        exit: Exit::Findings,
    }
}

fn said(format: Format, it: &Assessment, settings: &Settings) -> String {
    let mut text = Vec::new();
    write(format, it, settings, &mut text).expect("memory takes everything");
    String::from_utf8(text).expect("reports are text")
}

#[test]
fn a_bit_of_everything_at_100_columns() {
    insta::assert_snapshot!(said(Format::Human, &mixed(), &settings(Look::PLAIN)), @r"
    shop on PostgreSQL 15.18, as auditor, 2026-08-23 14:07:31 UTC
    Tenancy, many tenants: 9 columns say which tenant a row belongs to
    3 relations of extensions not judged: vault (3)

     Axis               Passing                          Findings   Undecided   Not applicable
    ───────────────────────────────────────────────────────────────────────────────────────────
     tenant-isolation   ██████░░░░░░░░░░░░░░    1 of 3          9           0                0
     rbac               no check applies                        0           0                1
     audit              ░░░░░░░░░░░░░░░░░░░░    0 of 2          0           2                0

    critical  tenant-isolation/rls-disabled  Tenant data without row-level security
              app.a_table_with_quite_a_long_name is reached by app_user and has no row-level security
              app.carts is reached by app_user and has no row-level security
              app.invoices is reached by app_user and has no row-level security
              app.notes is reached by app_user and has no row-level security
              app.orders is reached by app_user and has no row-level security
              … 2 more (--all)
              fix  alter table app.a_table_with_quite_a_long_name enable row level security;
                   alter table app.carts enable row level security;
                   alter table app.invoices enable row level security;
                   alter table app.notes enable row level security;
                   alter table app.orders enable row level security;

    low  tenant-isolation/shared-login  Tenants share a login
         app.app_user: every tenant uses the same one
         ask  which login belongs to which tenant

    info  tenant-isolation/rls-disabled  Tenant data without row-level security
          app.nobody_reads_this is reached by app_user and has no row-level security
          fix  alter table app.nobody_reads_this enable row level security;

     ?  audit/no-log
     ?  audit/unlogged
        settings that only superusers see

    2 checks could not be decided and are not counted as passing. To decide them:
      grant pg_read_all_settings to auditor

    1 check does not apply: nobody logs in

    Four questions for Monday

     no              Tenant isolation: Is every tenant's data out of the others' reach?
                     7 findings, the worst critical
                     owner: nobody is named; mostly security engineering

    Spend the quarter on tenant isolation: 7 critical findings

    1 pass, 9 fail (7 critical, 1 low, 1 info), 2 undecided, 1 not applicable.
    8 of 9 findings are at or above low, the worst critical. 2 checks could not be decided. Start with:
      govctl explain tenant-isolation/rls-disabled
    ");
}

#[test]
fn a_bit_of_everything_in_ascii_at_80_columns() {
    let look = Look { unicode: false, width: 80, ..Look::PLAIN };
    let text = said(Format::Human, &mixed(), &settings(look));
    insta::assert_snapshot!(text, @r"
    shop on PostgreSQL 15.18, as auditor, 2026-08-23 14:07:31 UTC
    Tenancy, many tenants: 9 columns say which tenant a row belongs to
    3 relations of extensions not judged: vault (3)

     Axis               Passing            Findings   Undecided   Not applicable
    -----------------------------------------------------------------------------
     tenant-isolation   ##....    1 of 3          9           0                0
     rbac               no check applies          0           0                1
     audit              ......    0 of 2          0           2                0

    critical  tenant-isolation/rls-disabled  Tenant data without row-level security
              app.a_table_with_quite_a_long_name is reached by app_user and has no
              row-level security
              app.carts is reached by app_user and has no row-level security
              app.invoices is reached by app_user and has no row-level security
              app.notes is reached by app_user and has no row-level security
              app.orders is reached by app_user and has no row-level security
              ... 2 more (--all)
              fix  alter table app.a_table_with_quite_a_long_name enable row level security;
                   alter table app.carts enable row level security;
                   alter table app.invoices enable row level security;
                   alter table app.notes enable row level security;
                   alter table app.orders enable row level security;

    low  tenant-isolation/shared-login  Tenants share a login
         app.app_user: every tenant uses the same one
         ask  which login belongs to which tenant

    info  tenant-isolation/rls-disabled  Tenant data without row-level security
          app.nobody_reads_this is reached by app_user and has no row-level security
          fix  alter table app.nobody_reads_this enable row level security;

     ?  audit/no-log
     ?  audit/unlogged
        settings that only superusers see

    2 checks could not be decided and are not counted as passing. To decide them:
      grant pg_read_all_settings to auditor

    1 check does not apply: nobody logs in

    Four questions for Monday

     no              Tenant isolation: Is every tenant's data out of the others'
                     reach?
                     7 findings, the worst critical
                     owner: nobody is named; mostly security engineering

    Spend the quarter on tenant isolation: 7 critical findings

    1 pass, 9 fail (7 critical, 1 low, 1 info), 2 undecided, 1 not applicable.
    8 of 9 findings are at or above low, the worst critical. 2 checks could not be
    decided. Start with:
      govctl explain tenant-isolation/rls-disabled
    ");
    assert!(text.is_ascii());
    let sentences = |line: &&str| !line.contains("alter table"); // a statement is never broken
    assert!(text.lines().filter(sentences).all(|line| line.len() <= 80));
}

#[test]
fn all_leaves_nothing_out() {
    let text = said(Format::Human, &mixed(), &Settings { all: true, ..settings(Look::PLAIN) });
    assert!(text.contains("app.payments is reached") && !text.contains("--all"));
}

#[test]
fn quiet_is_one_line() {
    let text = said(Format::Human, &mixed(), &Settings { quiet: true, ..settings(Look::PLAIN) });
    insta::assert_snapshot!(text, @r"1 pass, 9 fail (7 critical, 1 low, 1 info), 2 undecided, 1 not applicable");
}

#[test]
fn the_last_lines_say_what_follows() {
    let last = |verdict, fail_on| {
        let it = assessment(vec![(check("rbac/x", "X", "low"), verdict)]);
        let text = said(Format::Human, &it, &Settings { fail_on, ..settings(Look::PLAIN) });
        text.split("not applicable.\n").last().expect("a last part").to_owned()
    };
    let one = || failed(vec![finding(&check("rbac/x", "X", "low"), Severity::Low, "t")]);
    insta::assert_snapshot!(last(Verdict::Pass, Severity::Low), @r"Nothing was found, and no check was left undecided.");
    insta::assert_snapshot!(last(one(), Severity::Low), @r"
    1 finding is open, the worst low. Start with:
      govctl explain rbac/x
    ");
    insta::assert_snapshot!(last(one(), Severity::High), @r"
    Nothing is at or above high; 1 finding is below it.
      govctl explain rbac/x
    ");
    insta::assert_snapshot!(last(Verdict::Undecided(vec![cause("w", "n")]), Severity::Low), @r"Nothing was found, but 1 check could not be decided: this is not a clean result.");
    insta::assert_snapshot!(last(Verdict::NotApplicable("r".to_owned()), Severity::Low), @r"
    No check applies to this database: nothing was judged.
      govctl checks
    ");
}

#[test]
fn json_is_the_contract() {
    let document: Value = serde_json::from_str(&said(Format::Json, &mixed(), &settings(Look::PLAIN))).expect("JSON");
    assert_eq!(document["schema"], "govctl.diagnose/1");
    for key in ["declared", "history", "evidenced", "next"] {
        assert_eq!(document["stage"].get(key), Some(&Value::Null), "{key}");
    }
    assert_eq!(document["stage"]["transitions"], serde_json::json!([]));
    assert_eq!(document["axes"][0]["answer"], "no");
    assert_eq!(document["axes"][0]["axis"], "tenant-isolation");
    assert_eq!(document["findings"].as_array().map(Vec::len), Some(9));
    let fingerprint = document["findings"][0]["fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert_eq!(fingerprint.len(), 64);
    assert_eq!(
        document["findings"][0],
        serde_json::json!({
            "check": "tenant-isolation/rls-disabled", "axis": "tenant-isolation", "stage": 2, "severity": "critical",
            "object": {"kind": "table", "schema": "app", "name": "a_table_with_quite_a_long_name", "column": null},
            "message": "app.a_table_with_quite_a_long_name is reached by app_user and has no row-level security",
            "facts": {"logins": "app_user"}, "introduced": null,
            "fix": "alter table app.a_table_with_quite_a_long_name enable row level security;",
            "fingerprint": fingerprint, "state": "0123456789abcdef", "covers": ["TI-01"],
            "controls": ["NIST AC-3", "OWASP LLM02"], "waiver": null, "baseline": false
        })
    );
    assert_eq!(
        document["undecided"][0],
        serde_json::json!({"check": "audit/no-log", "cause": "no-privilege", "what": "settings that only superusers see",
            "needs": "grant pg_read_all_settings to auditor"})
    );
    assert_eq!(
        document["summary"],
        serde_json::json!({"pass": 1, "fail": 9, "undecided": 2, "waived": 0, "baselined": 0, "not_applicable": 1, "exit": 1})
    );
}

fn hostile(name: &str) -> Assessment {
    let of = check("tenant-isolation/rls-disabled", "Tenant data without row-level security", "critical");
    let hidden = check("audit/no-log", "No audit log", "high");
    let moot = check("rbac/one-role", "One role for all", "low");
    let findings = vec![finding(&of, Severity::Critical, name)];
    let mut it = assessment(vec![
        (of, failed(findings)),
        (hidden, Verdict::Undecided(vec![cause(name, name)])),
        (moot, Verdict::NotApplicable(name.to_owned())),
    ]);
    for text in [&mut it.target.database, &mut it.target.role, &mut it.target.server_version, &mut it.target.taken_at] {
        name.clone_into(text);
    }
    name.clone_into(&mut it.axes[0].reason);
    name.clone_into(&mut it.notes[0]);
    it
}

#[test]
fn a_hostile_name_is_shown_as_what_it_is() {
    let text = said(Format::Human, &hostile(HOSTILE), &settings(Look::PLAIN));
    assert!(!text.contains(|c| c != '\n' && is_hostile(c)));
    assert!(text.contains(r"app.x\n0 fail\x1b[2J\u{9b}31m\u{202e}gnp\u{200b}\u{2028}\r\x07 is reached by"));
    assert!(!text.lines().any(|line| line.starts_with("0 fail")), "a name forged a line");
    let json = said(Format::Json, &hostile(HOSTILE), &settings(Look::PLAIN));
    assert!(!json.contains(|c| c != '\n' && is_hostile(c)));
    let document: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(document["target"]["database"], HOSTILE, "escapes do not change the value");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_name_gets_through_raw(name in any::<String>(), colour: bool, unicode: bool, width in 40usize..=100) {
        let it = hostile(&name);
        let settings = settings(Look { colour, unicode, width });
        let text = said(Format::Human, &it, &settings);
        let rest = without_colours(&text);
        prop_assert!(!rest.contains(|c| c != '\n' && is_hostile(c)), "{:?}", rest);
        prop_assert!(colour || rest.len() == text.len(), "colours where none were wanted");
        let json = said(Format::Json, &it, &settings);
        prop_assert!(!json.contains(|c| c != '\n' && is_hostile(c)), "{:?}", json);
        let document: Value = serde_json::from_str(&json).expect("JSON");
        prop_assert_eq!(document["findings"][0]["object"]["name"].as_str(), Some(name.as_str()));
    }
}

/// Takes out `ESC [ digits and ; m`, and nothing else.
fn without_colours(text: &str) -> String {
    let mut rest = String::new();
    for (at, part) in text.split("\u{1b}[").enumerate() {
        match part.split_once('m') {
            Some((code, after)) if at > 0 && code.bytes().all(|byte| byte.is_ascii_digit() || byte == b';') => {
                rest.push_str(after)
            }
            _ if at > 0 => rest.push_str(&format!("\u{1b}[{part}")),
            _ => rest.push_str(part),
        }
    }
    rest
}

#[test]
fn a_declared_regime_has_a_pack_that_counts_every_check_once() {
    let library = crate::check::Library::embedded().expect("the checks are sound");
    let verdicts = library.iter().enumerate().map(|(at, check)| {
        let verdict = match at % 3 {
            0 => Verdict::Pass,
            1 => failed(vec![finding(check, check.severity, "orders")]),
            _ => Verdict::Undecided(vec![cause("rows of app.orders", "grant select on app.orders to auditor")]),
        };
        (check.clone(), verdict)
    });
    let mut it = assessment(verdicts.collect());
    assert!(regimes::packs(&it).is_empty(), "nothing is declared");
    it.declared.regimes = vec![crate::config::Regime::Soc2, crate::config::Regime::Glba];
    let packs = regimes::packs(&it);
    let bears = |id: &str| {
        library
            .iter()
            .filter(|check| check.controls.iter().any(|(of, ids)| of == "soc2" && ids.iter().any(|it| it == id)))
            .count()
    };
    for control in &packs[0].controls {
        let said = control.pass.len() + control.fail.len() + control.accepted.len() + control.undecided.len();
        assert_eq!(said, bears(control.id), "{}", control.id);
    }
    assert!(packs[0].controls.iter().any(|control| control.id == "CC7.2" && control.counts().contains(" undecided")));
    assert!(packs[1].controls.is_empty(), "no paragraph of it is mapped");
}
