//! OSCAL assessment results (NIST, version 1.1.3): each check an observation, each finding a finding against the
//! objective of its first control, each of the four answers an attestation by the axis' owner.
//!
//! Arrays may not be empty there, so what has nothing to say is left out.

use super::{Settings, json, outline};
use crate::assess::{Assessment, AxisAnswer, Finding, Pardon, Verdict};
use crate::check::Check;
use crate::ui::clean::clean;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io;

const VERSION: &str = "1.1.3";
const NAMESPACE: &str = "urn:govctl:oscal";

/// Writes the assessment.
pub(super) fn write(it: &Assessment, settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    json::document(&document(it, settings), to)
}

fn document(it: &Assessment, settings: &Settings) -> Value {
    let target = &it.target;
    let seed = [&target.database, &target.server_version, &target.taken_at].map(|text| clean(text)).join("\n");
    let id = |parts: &[&str]| uuid(&seed, parts);
    let taken =
        if target.taken_at.parse::<jiff::Timestamp>().is_ok() { &target.taken_at } else { "1970-01-01T00:00:00Z" };
    let mut result = Map::new();
    result.insert("uuid".into(), json!(id(&["result"])));
    result.insert("title".into(), json!(format!("govctl diagnose, {}", clean(&target.database))));
    result.insert("description".into(), json!(outline::counts(it)));
    result.insert("start".into(), json!(taken));
    result.insert("props".into(), json!([prop("exit-code", &settings.exit.code().to_string())]));
    result.insert("reviewed-controls".into(), reviewed(it));
    insert(&mut result, "attestations", it.axes.iter().map(|axis| attestation(axis, &id)).collect());
    let checks = it.checks.values().filter(|(_, verdict)| !matches!(verdict, Verdict::NotApplicable(_)));
    insert(
        &mut result,
        "observations",
        checks.map(|(check, verdict)| observation(check, verdict, taken, &id)).collect(),
    );
    let all = || it.findings().into_iter().chain(it.pardoned());
    insert(&mut result, "risks", all().map(|(check, finding)| risk(check, finding, &id)).collect());
    insert(&mut result, "findings", all().map(|(check, finding)| found(check, finding, &id)).collect());

    let parties: Vec<_> = it.axes.iter().map(|axis| party(axis, &id)).collect();
    let mut metadata = json!({
        "title": "govctl assessment results",
        "last-modified": taken,
        "version": "1",
        "oscal-version": VERSION,
        "roles": [{"id": "axis-owner", "title": "Owner of an axis"}],
        "remarks": outline::ORIENTATION,
    });
    if !parties.is_empty() {
        metadata["parties"] = Value::Array(parties);
    }
    let plan = id(&["plan"]);
    json!({"assessment-results": {
        "uuid": id(&["document"]),
        "metadata": metadata,
        "import-ap": {"href": format!("#{plan}")},
        "results": [result],
        "back-matter": {"resources": [{
            "uuid": plan,
            "title": "What govctl looks for",
            "description": "Every check, its SQL and its proof: govctl checks, govctl explain CHECK.",
            "rlinks": [{"href": "README.md"}],
        }]},
    }})
}

/// The NIST controls that any check of the run bears on, as OSCAL's catalogs call them.
fn reviewed(it: &Assessment) -> Value {
    let ids: BTreeSet<_> = it.checks.values().flat_map(|(check, _)| controls(check)).collect();
    if ids.is_empty() {
        return json!({"control-selections": [{"include-all": {}}]});
    }
    let ids: Vec<_> = ids.into_iter().map(|id| json!({"control-id": id})).collect();
    json!({"control-selections": [{"description": "The controls the checks bear on.", "include-controls": ids}]})
}

/// `AC-3(7)` is `ac-3.7`.
fn controls(check: &Check) -> Vec<String> {
    let nist = check.controls.iter().filter(|(framework, _)| framework == "nist").flat_map(|(_, ids)| ids);
    nist.map(|id| id.to_lowercase().replace('(', ".").replace(')', "")).collect()
}

fn party(axis: &AxisAnswer, id: &dyn Fn(&[&str]) -> String) -> Value {
    let name = axis
        .owner
        .as_deref()
        .map_or_else(|| format!("Nobody is named; mostly {}", axis.usual_owner), |it| clean(it).into_owned());
    json!({"uuid": id(&["party", &axis.axis.to_string()]), "type": "organization", "name": name})
}

/// The question, the answer, and who stands for it.
fn attestation(axis: &AxisAnswer, id: &dyn Fn(&[&str]) -> String) -> Value {
    let mut props = vec![
        prop("axis", &axis.axis.to_string()),
        prop("answer", axis.answer.name()),
        prop("found", axis.found.name()),
    ];
    props.extend(axis.posture.map(|posture| prop("posture", &posture.words().replace(' ', "-"))));
    if let Some((said, holds)) = &axis.attestation {
        props.push(prop("attested", said.answer.name()));
        props.push(prop("attested-on", &said.on.to_string()));
        props.push(prop("attestation-expires", &said.expires.to_string()));
        props.push(prop("attestation-stale", if *holds { "no" } else { "yes" }));
        props.push(prop("attested-by", &clean(&said.by)));
    }
    let evidence: Vec<_> = axis.evidence.iter().map(|line| clean(line).into_owned()).collect();
    let prose =
        [vec![axis.question.clone(), format!("{}: {}", axis.answer.name(), clean(&axis.reason))], evidence].concat();
    json!({
        "responsible-parties": [{"role-id": "axis-owner", "party-uuids": [id(&["party", &axis.axis.to_string()])]}],
        "parts": [{"name": "statement", "title": axis.name, "props": props, "prose": prose.join("\n\n")}],
    })
}

fn observation(check: &Check, verdict: &Verdict, taken: &str, id: &dyn Fn(&[&str]) -> String) -> Value {
    let word = match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail { .. } => "fail",
        Verdict::Undecided(_) => "undecided",
        Verdict::NotApplicable(_) => "not-applicable",
    };
    let mut props = vec![prop("check", &check.id.0), prop("verdict", word)];
    props.extend(check.covers.iter().map(|id| prop("requirement", id)));
    let hidden: Vec<_> =
        verdict.causes().iter().map(|cause| format!("{}; needs {}", clean(&cause.what), clean(&cause.needs))).collect();
    let mut observation = json!({
        "uuid": id(&["observation", &check.id.0]),
        "title": check.title,
        "description": check.why.split_whitespace().collect::<Vec<_>>().join(" "),
        "props": props,
        "methods": ["TEST"],
        "collected": taken,
    });
    if !hidden.is_empty() {
        observation["remarks"] = json!(format!("Could not see everything: {}", hidden.join("\n")));
    }
    observation
}

fn found(check: &Check, finding: &Finding, id: &dyn Fn(&[&str]) -> String) -> Value {
    let target =
        controls(check).into_iter().next().map_or_else(|| "govctl".to_owned(), |control| format!("{control}_obj"));
    let mut props = vec![
        prop("fingerprint", &finding.fingerprint.0),
        prop("severity", &finding.severity.to_string()),
        prop("object", &clean(&finding.object.to_string())),
    ];
    if let Some(introduced) = &finding.introduced {
        props.push(prop("introduced", &format!("{}:{}", clean(&introduced.path), introduced.line)));
    }
    json!({
        "uuid": id(&["finding", &finding.fingerprint.0]),
        "title": check.title,
        "description": clean(&outline::sentence_of(finding)),
        "props": props,
        "target": {
            "type": "objective-id",
            "target-id": target,
            "status": {"state": "not-satisfied", "reason": if finding.is_open() { "fail" } else { "other" }},
        },
        "related-observations": [{"observation-uuid": id(&["observation", &check.id.0])}],
        "related-risks": [{"risk-uuid": id(&["risk", &finding.fingerprint.0])}],
    })
}

/// What a waiver accepts is an approved deviation.
fn risk(check: &Check, finding: &Finding, id: &dyn Fn(&[&str]) -> String) -> Value {
    let severity = finding.severity.to_string();
    let mut risk = json!({
        "uuid": id(&["risk", &finding.fingerprint.0]),
        "title": check.title,
        "description": clean(&outline::sentence_of(finding)),
        "statement": check.why.split_whitespace().collect::<Vec<_>>().join(" "),
        "props": [prop("severity", &severity)],
        "status": if finding.is_open() { "open" } else { "deviation-approved" },
    });
    match &finding.pardon {
        Some(Pardon::Waiver { reason, owner, until }) => {
            risk["deadline"] = json!(format!("{until}T23:59:59Z"));
            let accepted = format!("Accepted by {} until {until}: {}", clean(owner), clean(reason));
            risk["props"] = json!([prop("severity", &severity), prop("accepted", &accepted)]);
        }
        Some(Pardon::Baseline) => {
            risk["props"] = json!([prop("severity", &severity), prop("accepted", "known from the baseline")]);
        }
        None => {}
    }
    if let Some(fix) = &finding.fix {
        let lines: Vec<_> = crate::ui::clean::clean_lines(fix).collect();
        risk["remediations"] = json!([{
            "uuid": id(&["remediation", &finding.fingerprint.0]),
            "lifecycle": "recommendation",
            "title": "SQL that mends it",
            "description": lines.join("\n"),
        }]);
    }
    risk
}

/// A property of ours. Values are tokens there: no blanks at the ends, nothing empty.
fn prop(name: &str, value: &str) -> Value {
    let value = value.trim();
    json!({"name": name, "ns": NAMESPACE, "value": if value.is_empty() { "-" } else { value }})
}

fn insert(to: &mut Map<String, Value>, key: &str, values: Vec<Value>) {
    if !values.is_empty() {
        to.insert(key.to_owned(), Value::Array(values));
    }
}

/// The same input, the same report: a UUID from a hash, in the form of version 5 of RFC 9562.
fn uuid(seed: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in [seed].iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
