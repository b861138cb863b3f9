//! All formats of one assessment say the same, and each of them keeps to its standard.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

const FORMATS: [&str; 8] = ["human", "json", "sarif", "junit", "github", "markdown", "html", "oscal"];

/// Every format of one run over the demo, with a waiver, a name that is markup everywhere, and something undecided.
struct Said {
    texts: Vec<(&'static str, String)>,
    code: i32,
}

impl Said {
    async fn of(more: &[&str]) -> Self {
        let database = crate::support::cluster().await;
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
        for script in ["1_schema.sql", "2_policies.sql", "3_holes.sql", "4_data.sql"] {
            database.run(&std::fs::read_to_string(root.join(script)).unwrap()).await;
        }
        database
            .run(
                r#"create table app."</td><script>alert(1)</script>|`::error::" (id bigint primary key, tenant_id uuid not null);
                   grant select on app."</td><script>alert(1)</script>|`::error::" to support_agent"#,
            )
            .await;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(
            path("govctl.yaml"),
            "stage: 3\nowners: {audit: Lee <lee@example.com>, rbac: kim, tenant-isolation: sam, secret-separation: ann}\n\
             waivers:\n- {check: tenant-isolation/materialized-view-exposed, object: app.*, reason: 'known <b>', owner: o, until: 2026-12-31}\n",
        )
        .unwrap();
        let outputs: Vec<_> = FORMATS.iter().map(|format| format!("{format}={}", path(format))).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
        command.env_clear().env("SOURCE_DATE_EPOCH", "1773532800").stdin(Stdio::null()).current_dir(folder.path());
        command.args(["diagnose", &database.url()]).args(more);
        for output in &outputs {
            command.args(["--output", output]);
        }
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let read = |format: &&'static str| (*format, std::fs::read_to_string(path(format)).unwrap());
        Self { texts: FORMATS.iter().map(read).collect(), code: output.status.code().unwrap() }
    }

    fn text(&self, format: &str) -> &str {
        &self.texts.iter().find(|(known, _)| *known == format).unwrap().1
    }

    fn json(&self, format: &str) -> Value {
        serde_json::from_str(self.text(format)).unwrap()
    }
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).unwrap_or_else(|| panic!("no list at {pointer}"))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer} of {value}"))
}

#[tokio::test]
async fn every_format_has_the_same_findings_counts_and_end() {
    let said = Said::of(&[]).await;
    let json = said.json("json");
    let all: BTreeSet<&str> = list(&json, "/findings").iter().map(|it| text(it, "/fingerprint")).collect();
    let open: BTreeSet<&str> = list(&json, "/findings")
        .iter()
        .filter(|it| it["waiver"].is_null() && it["baseline"] == false)
        .map(|it| text(it, "/fingerprint"))
        .collect();
    assert!(open.len() > 10 && all.len() > open.len(), "{} {}", open.len(), all.len());
    assert_eq!(json["summary"]["exit"], said.code);
    assert_eq!((said.code, &json["summary"]["fail"]), (1, &Value::from(open.len())));

    let sarif = said.json("sarif");
    let results = list(&sarif, "/runs/0/results");
    let of = |result: &'_ Value| result["partialFingerprints"]["govctl/1"].as_str().unwrap().to_owned();
    assert_eq!(results.iter().map(of).collect::<BTreeSet<_>>(), all.iter().map(|it| (*it).to_owned()).collect());
    assert_eq!(results.iter().filter(|result| result.get("suppressions").is_none()).count(), open.len());
    assert_eq!(sarif["runs"][0]["invocations"][0]["exitCode"], said.code);
    for (ours, theirs) in
        [("pass", "pass"), ("fail", "fail"), ("waived", "waived"), ("not_applicable", "notApplicable")]
    {
        assert_eq!(json["summary"][ours], sarif["runs"][0]["properties"][theirs], "{ours}");
    }

    let oscal = said.json("oscal");
    let findings = list(&oscal, "/assessment-results/results/0/findings");
    let of = |finding: &'_ Value| {
        let props = list(finding, "/props");
        props.iter().find(|prop| prop["name"] == "fingerprint").unwrap()["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(findings.iter().map(of).collect::<BTreeSet<_>>(), all.iter().map(|it| (*it).to_owned()).collect());
    assert_eq!(oscal["assessment-results"]["results"][0]["props"][0]["value"], said.code.to_string());

    let junit = said.text("junit");
    assert_eq!(junit.matches("<failure ").count(), failing(&json), "what is below --fail-on fails nothing");
    for fingerprint in &open {
        for format in ["junit", "github", "markdown", "html"] {
            assert!(said.text(format).contains(&fingerprint[..16]), "{format} lacks {fingerprint}");
        }
    }
    let counts = said.text("github").lines().last().unwrap().strip_prefix("govctl: ").unwrap();
    let human = said.text("human").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(human.contains(&format!("{counts}.")), "{counts}");
    assert!(said.text("html").contains(counts));
    assert!(said.text("markdown").starts_with(&format!("## govctl: {} open findings", open.len())));
}

fn failing(json: &Value) -> usize {
    let counts = |it: &&Value| it["waiver"].is_null() && it["severity"] != "info";
    list(json, "/findings").iter().filter(counts).count()
}

#[tokio::test]
async fn a_run_without_findings_that_count_ends_alike_everywhere() {
    let said = Said::of(&["--only", "tenant-isolation/materialized-view-exposed"]).await;
    assert_eq!(said.code, 0);
    assert_eq!(said.json("json")["summary"]["exit"], 0);
    assert_eq!(said.json("sarif")["runs"][0]["invocations"][0]["exitCode"], 0);
    assert!(said.text("junit").contains("failures=\"0\""));
    assert!(!said.text("github").contains("::error"));
}

/// Keys that an object may have; a letter of the standard that is misspelt would be ignored by every reader.
fn only(value: &Value, keys: &[&str], place: &str) {
    for key in value.as_object().unwrap_or_else(|| panic!("{place} is no object")).keys() {
        assert!(keys.contains(&key.as_str()), "{place} has {key:?}");
    }
}

/// As much of the schema of OASIS as govctl writes: required members, their types, the values of enumerations, and that
/// indices lead where they say.
#[tokio::test]
async fn sarif_is_sarif() {
    let said = Said::of(&[]).await;
    let log = said.json("sarif");
    only(&log, &["$schema", "version", "runs"], "the log");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    only(run, &["tool", "invocations", "columnKind", "results", "properties"], "the run");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = list(run, "/tool/driver/rules");
    let levels = ["none", "note", "warning", "error"];
    for rule in rules {
        let keys = ["id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"];
        only(rule, &keys, "a rule");
        assert!(!text(rule, "/shortDescription/text").is_empty() && !text(rule, "/help/text").is_empty());
        assert!(levels.contains(&text(rule, "/defaultConfiguration/level")));
        let weight: f64 = text(rule, "/properties/security-severity").parse().unwrap();
        assert!(weight > 0.0 && weight <= 10.0);
        let tags = list(rule, "/properties/tags");
        assert_eq!(tags.iter().filter_map(Value::as_str).collect::<BTreeSet<_>>().len(), tags.len(), "{tags:?}");
    }
    let ids: BTreeSet<_> = rules.iter().map(|rule| text(rule, "/id")).collect();
    assert_eq!(ids.len(), rules.len(), "rules are a set");
    only(&run["invocations"][0], &["executionSuccessful", "exitCode", "toolExecutionNotifications"], "the invocation");
    for result in list(run, "/results") {
        let keys = [
            "ruleId",
            "ruleIndex",
            "level",
            "message",
            "locations",
            "partialFingerprints",
            "suppressions",
            "baselineState",
            "properties",
        ];
        only(result, &keys, "a result");
        let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(text(&rules[at], "/id"), text(result, "/ruleId"));
        assert!(levels.contains(&text(result, "/level")) && !text(result, "/message/text").is_empty());
        let location = &list(result, "/locations")[0];
        only(location, &["logicalLocations", "physicalLocation"], "a location");
        assert!(["function", "resource"].contains(&text(location, "/logicalLocations/0/kind")));
        for suppression in result["suppressions"].as_array().into_iter().flatten() {
            only(suppression, &["kind", "status", "justification", "properties"], "a suppression");
            assert_eq!((text(suppression, "/kind"), text(suppression, "/status")), ("external", "accepted"));
        }
    }
}

/// The same for NIST's: what is required, how identifiers look, that references lead somewhere, that no list is empty.
#[tokio::test]
async fn oscal_is_oscal() {
    let said = Said::of(&[]).await;
    let document = said.json("oscal");
    let results = &document["assessment-results"];
    only(results, &["uuid", "metadata", "import-ap", "results", "back-matter"], "the document");
    let metadata = ["title", "last-modified", "version", "oscal-version", "roles", "parties", "remarks"];
    only(&results["metadata"], &metadata, "metadata");
    let mut uuids = BTreeSet::new();
    walk(results, &mut |key, value| match (key, value) {
        (_, Value::Array(items)) => assert!(!items.is_empty(), "{key} is empty"),
        ("uuid", Value::String(uuid)) => {
            assert!(is_uuid(uuid), "{uuid}");
            assert!(uuids.insert(uuid.clone()), "{uuid} twice");
        }
        ("value" | "title" | "prose" | "description", Value::String(text)) => {
            assert!(!text.is_empty() && (key != "value" || text.trim() == text), "{key}: {text:?}");
        }
        ("last-modified" | "start" | "collected" | "deadline", Value::String(time)) => {
            time.parse::<jiff::Timestamp>().unwrap();
        }
        _ => {}
    });
    walk(results, &mut |key, value| {
        if let ("observation-uuid" | "risk-uuid", Value::String(uuid)) = (key, value) {
            assert!(uuids.contains(uuid), "{key} leads nowhere");
        }
    });
    let plan = text(results, "/import-ap/href").strip_prefix('#').unwrap();
    assert_eq!(text(results, "/back-matter/resources/0/uuid"), plan);
    let result = &results["results"][0];
    let keys = [
        "uuid",
        "title",
        "description",
        "start",
        "props",
        "reviewed-controls",
        "attestations",
        "observations",
        "risks",
        "findings",
    ];
    only(result, &keys, "the result");
    for control in list(result, "/reviewed-controls/control-selections/0/include-controls") {
        let id = text(control, "/control-id");
        let (family, number) = id.split_once('-').unwrap();
        assert!(family.len() == 2 && number.chars().all(|c| c.is_ascii_digit() || c == '.'), "{id}");
    }
    let attestations = list(result, "/attestations");
    assert_eq!(attestations.len(), 4, "the four answers");
    let parties: BTreeSet<_> = list(results, "/metadata/parties").iter().map(|party| text(party, "/uuid")).collect();
    for attestation in attestations {
        assert!(parties.contains(text(attestation, "/responsible-parties/0/party-uuids/0")));
        assert!(!text(attestation, "/parts/0/prose").is_empty());
    }
    for observation in list(result, "/observations") {
        only(
            observation,
            &["uuid", "title", "description", "props", "methods", "collected", "remarks"],
            "an observation",
        );
        assert_eq!(list(observation, "/methods"), ["TEST"]);
    }
    for risk in list(result, "/risks") {
        let keys = ["uuid", "title", "description", "statement", "props", "status", "deadline", "remediations"];
        only(risk, &keys, "a risk");
        assert!(["open", "deviation-approved"].contains(&text(risk, "/status")));
    }
    for finding in list(result, "/findings") {
        let keys = ["uuid", "title", "description", "props", "target", "related-observations", "related-risks"];
        only(finding, &keys, "a finding");
        assert_eq!(text(finding, "/target/type"), "objective-id");
        assert_eq!(text(finding, "/target/status/state"), "not-satisfied");
    }
}

fn walk(value: &Value, each: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => walk_fields(fields, each),
        Value::Array(items) => items.iter().for_each(|item| walk(item, each)),
        _ => {}
    }
}

fn walk_fields(fields: &Map<String, Value>, each: &mut dyn FnMut(&str, &Value)) {
    for (key, value) in fields {
        each(key, value);
        walk(value, each);
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
        && (parts[2].starts_with('4') || parts[2].starts_with('5'))
        && parts[3].starts_with(['8', '9', 'a', 'b'])
}

/// A name that is markup in every format stays a name.
#[tokio::test]
async fn names_are_names_in_every_format() {
    let said = Said::of(&[]).await;
    let html = said.text("html");
    assert!(html.contains("&lt;script&gt;alert(1)") && !html.contains("<script"), "a name became markup");
    assert!(!html.contains("<b>") || !html.contains("known <b>"), "a reason became markup");
    assert!(
        !html.contains("http://") && !html.contains("https://") && !html.contains("url("),
        "the page asks the network"
    );
    assert!(html.contains("<svg") && html.contains("Content-Security-Policy"));
    let markdown = said.text("markdown");
    // Within a fence everything is text, also what looks like a tag.
    let outside: String = markdown.split("```").step_by(2).collect();
    assert!(!outside.contains("<script") && !outside.contains("</td>"), "a name became markup");
    assert!(!said.text("junit").contains("<script"), "a name became markup");
    let commands = said.text("github").lines().filter(|line| line.starts_with("::"));
    assert!(commands.clone().all(|line| ["::error ", "::warning ", "::notice "].iter().any(|it| line.starts_with(it))));
    assert!(said.text("github").lines().all(|line| line.starts_with("::") || line.starts_with("govctl: ")));
    for opened in ["div", "section", "article", "ul", "li", "svg", "g", "table", "tr", "td", "details", "pre", "p"] {
        let starts = html.matches(&format!("<{opened}>")).count() + html.matches(&format!("<{opened} ")).count();
        assert_eq!(
            starts,
            html.matches(&format!("</{opened}>")).count(),
            "<{opened}> is not closed as often as opened"
        );
    }
}
