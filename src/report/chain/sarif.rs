//! SARIF 2.1.0 (OASIS): a rule for each kind of break.

use crate::chain::verdict::{Break, BreakKind, ChainReport, Verdict};
use crate::report::{self, Settings, sarif};
use crate::ui::clean::clean;
use serde_json::{Value, json};
use std::io;

pub(super) fn write(reports: &[ChainReport], settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    let rule = |kind: BreakKind| {
        json!({
            "id": format!("chain/{kind}"),
            "shortDescription": {"text": kind.meaning()},
            "defaultConfiguration": {"level": "error"},
            "properties": {"tags": ["security", "audit"], "security-severity": "9.0"},
        })
    };
    let results = reports.iter().flat_map(|report| report.breaks.iter().map(|it| result(report, it)));
    let undecided = reports.iter().filter(|report| report.verdict == Verdict::Undecided).map(|report| {
        let (why, needs) = (report.why.as_deref().unwrap_or_default(), report.needs.as_deref().unwrap_or_default());
        let text = format!("{} could not be decided: {}; needs: {}", clean(&report.table), clean(why), clean(needs));
        json!({"level": "warning", "message": {"text": text}})
    });
    let document = json!({
        "$schema": sarif::SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": sarif::tool(BreakKind::ALL.map(rule).to_vec()),
            "invocations": [{
                "executionSuccessful": true,
                "exitCode": settings.exit.code(),
                "toolExecutionNotifications": undecided.collect::<Vec<_>>(),
            }],
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    });
    report::write_json(&document, to)
}

fn result(report: &ChainReport, it: &Break) -> Value {
    let partition = it.partition.as_deref().unwrap_or_default();
    let name = format!("{}/{partition}/{}", report.table, it.at);
    let cause = it.cause.as_ref().map(|cause| format!(" (likely: {cause})")).unwrap_or_default();
    json!({
        "ruleId": format!("chain/{}", it.kind),
        "ruleIndex": BreakKind::ALL.iter().position(|kind| *kind == it.kind),
        "level": "error",
        "message": {"text": format!("{} at {}: {}{cause}", report.table, it.at, it.detail)},
        "locations": [{"logicalLocations": [{"fullyQualifiedName": name, "kind": "row"}]}],
        "partialFingerprints": {"govctl.chain/1": format!("{}:{name}", it.kind)},
    })
}
