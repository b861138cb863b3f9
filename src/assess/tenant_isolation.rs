//! The answer to the first of the four questions.

use super::scene::{Scene, Tenancy, counted};
use super::{Answer, AxisAnswer, Finding, Verdict};
use crate::check::{Axis, Check, CheckId, Severity};
use std::collections::BTreeMap;

/// The question, as the Monday diagnostic asks it.
const QUESTION: &str = "Where is tenant isolation enforced: in the database layer, or higher?";

/// What the answer rests on beside the verdicts.
pub(super) struct Circumstances<'a> {
    pub(super) scene: &'a Scene,
    /// A single tenant is declared, and facts say otherwise.
    pub(super) refuted: bool,
    /// Checks of the axis that were not selected.
    pub(super) left_out: usize,
    /// Checks of the axis that found something and did not see everything.
    pub(super) half_seen: usize,
}

/// `yes` only where every check of the axis ran, saw everything, and nothing high or critical is open.
pub(super) fn answer(checks: &BTreeMap<CheckId, (Check, Verdict)>, circumstances: &Circumstances<'_>) -> AxisAnswer {
    let axis = Axis::TenantIsolation;
    let verdicts: Vec<_> =
        checks.values().filter(|(check, _)| check.axis == axis).map(|(_, verdict)| verdict).collect();
    let (answer, reason) = decide(&verdicts, circumstances);
    AxisAnswer { axis, question: QUESTION, answer, reason }
}

fn decide(verdicts: &[&Verdict], circumstances: &Circumstances<'_>) -> (Answer, String) {
    let Circumstances { scene, refuted, left_out, half_seen } = circumstances;
    let findings: Vec<&Finding> = verdicts.iter().flat_map(|verdict| findings(verdict)).collect();
    let serious = serious(&findings);
    let undecided = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Undecided(_))).count() + half_seen;
    let tables = counted(scene.tenant_tables, "table");
    let logins = counted(scene.logins, "login");

    match (scene.tenancy, serious) {
        (Tenancy::Single, _) if !refuted => {
            (Answer::NotApplicable, format!("a single tenant: {}", scene.tenancy_reason))
        }
        (Tenancy::None, serious) => {
            let but = serious.map(|serious| format!("; still, {serious}")).unwrap_or_default();
            (Answer::Unsure, format!("no tenant key was found, so it is not known which tables hold tenant data{but}"))
        }
        (_, Some(serious)) => (Answer::No, format!("{serious} ({tables} with tenant data, {logins})")),
        _ if undecided > 0 => {
            let checks = counted(undecided, "check");
            (
                Answer::Unsure,
                format!("nothing serious is open on {tables} with tenant data, but {checks} could not see everything"),
            )
        }
        _ if *left_out > 0 || verdicts.is_empty() => {
            let all = counted(verdicts.len() + left_out, "check");
            (Answer::Unsure, format!("only {} of {all} on this axis were run", verdicts.len()))
        }
        _ => {
            let lesser = if findings.is_empty() {
                String::new()
            } else {
                format!(", {} aside", counted(findings.len(), "lesser finding"))
            };
            (Answer::Yes, format!("in the database layer: it keeps the tenants in {tables} apart for {logins}{lesser}"))
        }
    }
}

fn findings(verdict: &Verdict) -> &[Finding] {
    match verdict {
        Verdict::Fail(findings) => findings,
        Verdict::Pass | Verdict::NotApplicable(_) | Verdict::Undecided(_) => &[],
    }
}

/// "2 critical and 1 high finding, the worst: …", where there is one.
fn serious(findings: &[&Finding]) -> Option<String> {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (critical, high) = (count(Severity::Critical), count(Severity::High));
    let worst = findings
        .iter()
        .filter(|finding| finding.severity >= Severity::High)
        .min_by_key(|finding| (std::cmp::Reverse(finding.severity), &finding.object, &finding.message))?;
    let counts = match (critical, high) {
        (_, 0) => format!("{critical} critical"),
        (0, _) => format!("{high} high"),
        _ => format!("{critical} critical and {high} high"),
    };
    let noun = if critical + high == 1 { "finding" } else { "findings" };
    Some(format!("{counts} {noun}, the worst: {}", worst.message))
}
