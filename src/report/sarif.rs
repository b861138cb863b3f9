//! SARIF 2.1.0 (OASIS), for code scanning. What is accepted is suppressed, never left out: an alert that comes and goes
//! with a waiver would be opened and closed at random.

use super::{Settings, json, outline};
use crate::assess::{Assessment, Finding, ObjectRef, Pardon};
use crate::check::{Check, Severity};
use crate::ui::clean::clean;
use serde::Serialize;
use serde_json::{Value, json};
use std::io;

/// Of the standard, with its first errata.
pub(super) const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Value,
    invocations: [Value; 1],
    column_kind: &'static str,
    results: Vec<Reported<'a>>,
    properties: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reported<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'static str,
    message: Value,
    locations: [Value; 1],
    partial_fingerprints: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressions: Option<[Value; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    properties: Value,
}

/// Who says it, and by which rules.
pub(super) fn tool(rules: Vec<Value>) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    json!({"driver": {"name": "govctl", "version": version, "semanticVersion": version, "rules": rules}})
}

/// Writes the assessment.
pub(super) fn write(it: &Assessment, settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    let rules: Vec<&Check> = it.checks.values().map(|(check, _)| check).collect();
    let index = |check: &Check| rules.iter().position(|rule| rule.id == check.id).unwrap_or_default();
    let tool = tool(rules.iter().map(|check| rule(check)).collect());
    let compared = settings.baseline;
    let all = it.findings().into_iter().chain(it.pardoned());
    let results = all.map(|(check, finding)| reported(check, index(check), finding, compared)).collect();
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool,
            invocations: [invocation(it, settings, &index)],
            column_kind: "unicodeCodePoints",
            results,
            properties: summary(it),
        }],
    };
    json::document(&log, to)
}

fn rule(check: &Check) -> Value {
    let fix = match (&check.fix, &check.ask) {
        (Some(fix), _) => format!("Fix, as a template:\n\n{}", fix.trim_end()),
        (None, ask) => ask.clone().unwrap_or_default(),
    };
    json!({
        "id": check.id.0,
        "name": check.id.0,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why.trim()},
        "help": {"text": format!("{}\n\n{fix}", check.why.trim())},
        "defaultConfiguration": {"level": level(check.severity)},
        "properties": {
            "tags": tags(check),
            "security-severity": weight(check.severity),
            "covers": check.covers,
        },
    })
}

fn tags(check: &Check) -> Vec<String> {
    let own = ["security".to_owned(), check.axis.to_string(), format!("stage-{}", check.stage)];
    own.into_iter().chain(outline::controls(check)).collect()
}

/// That something could not be decided is said by the run: SARIF has no result for it that a viewer would show.
fn invocation(it: &Assessment, settings: &Settings, index: &dyn Fn(&Check) -> usize) -> Value {
    let undecided = it.undecided().into_iter().map(|(check, cause)| {
        json!({
            "level": "warning",
            "message": {"text": format!("{} could not be decided: {}; needs {}", check.id, clean(&cause.what), clean(&cause.needs))},
            "associatedRule": {"id": check.id.0, "index": index(check)},
        })
    });
    json!({
        "executionSuccessful": true,
        "exitCode": settings.exit.code(),
        "toolExecutionNotifications": undecided.collect::<Vec<_>>(),
    })
}

fn summary(it: &Assessment) -> Value {
    let tally = it.tally();
    json!({
        "database": it.target.database, "serverVersion": it.target.server_version, "takenAt": it.target.taken_at,
        "pass": tally.pass, "fail": tally.fail, "undecided": tally.undecided, "waived": tally.waived,
        "baselined": tally.baselined, "notApplicable": tally.not_applicable,
    })
}

fn reported<'a>(check: &'a Check, rule_index: usize, finding: &'a Finding, compared: bool) -> Reported<'a> {
    let suppression = |reason: String, properties: Value| {
        [json!({"kind": "external", "status": "accepted", "justification": reason, "properties": properties})]
    };
    Reported {
        rule_id: &check.id.0,
        rule_index,
        level: level(finding.severity),
        message: json!({"text": outline::sentence_of(finding)}),
        locations: [location(finding)],
        partial_fingerprints: json!({"govctl/1": finding.fingerprint.0}),
        suppressions: match &finding.pardon {
            Some(Pardon::Waiver { reason, owner, until }) => {
                Some(suppression(reason.clone(), json!({"owner": owner, "until": until.to_string()})))
            }
            Some(Pardon::Baseline) => Some(suppression("known from the baseline".to_owned(), json!({}))),
            None => None,
        },
        baseline_state: compared.then(|| if finding.pardon == Some(Pardon::Baseline) { "unchanged" } else { "new" }),
        properties: json!({
            "severity": finding.severity, "axis": check.axis, "stage": check.stage, "state": finding.state,
            "fix": finding.fix,
        }),
    }
}

fn location(finding: &Finding) -> Value {
    let ObjectRef { kind, name, .. } = &finding.object;
    let kind = if matches!(kind.as_str(), "function" | "procedure" | "aggregate" | "window") {
        "function"
    } else {
        "resource"
    };
    let mut location = json!({
        "logicalLocations": [{"fullyQualifiedName": finding.object.to_string(), "name": name, "kind": kind}],
    });
    if let Some(introduced) = &finding.introduced {
        location["physicalLocation"] = json!({
            "artifactLocation": {"uri": uri(&introduced.path)},
            "region": {"startLine": introduced.line.max(1)},
        });
    }
    location
}

/// A path as a relative reference (RFC 3986): always with `/`, and nothing in it that would read as a scheme or a query.
fn uri(path: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const IN_PATH: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'[')
        .add(b']')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}')
        .add(b':');
    utf8_percent_encode(&path.replace('\\', "/"), IN_PATH).to_string()
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// Code scanning reads a score as in CVSS: from 9.0 critical, from 7.0 high, from 4.0 medium, below that low.
const fn weight(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.1",
    }
}
