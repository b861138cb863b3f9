//! What to do first: what cannot wait, the one axis to spend the quarter on, and what is not needed yet.

use super::ladder::Posture;
use super::{Answer, AxisAnswer, Finding, Verdict};
use crate::check::{Axis, Check, CheckId, Severity};
use std::collections::BTreeMap;

/// RP-11: one axis, not four.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// The axis; none where every question is answered and nothing serious is open.
    pub axis: Option<Axis>,
    /// Why that one, one sentence.
    pub reason: String,
}

/// Critical findings first: they are exposed now. Then an answer nobody has, whatever the stage: a team that does not
/// know cannot be asked to mend. Then the worst findings. Between equals the stage's posture decides, then the ladder.
pub(super) fn advise(axes: &[AxisAnswer], checks: &BTreeMap<CheckId, (Check, Verdict)>) -> Advice {
    let open = |axis: Axis| {
        let of_axis = checks.values().filter(move |(check, _)| check.axis == axis);
        of_axis.flat_map(|(_, verdict)| verdict.findings()).filter(|finding| finding.is_open())
    };
    let rank = |answer: &AxisAnswer| {
        let worst = open(answer.axis).map(|finding: &Finding| finding.severity).max();
        let posture = answer.posture.unwrap_or(Posture::Required);
        match (worst, answer.answer) {
            (Some(Severity::Critical), _) => Some((3, Severity::Critical, posture)),
            (_, Answer::Unsure) => Some((2, worst.unwrap_or(Severity::Info), posture)),
            (Some(worst), _) if worst >= Severity::Medium => Some((1, worst, posture)),
            (_, Answer::No) if posture > Posture::Dormant => Some((0, Severity::Info, posture)),
            _ => None,
        }
    };
    // max_by_key gives the last of equals; the first in the order of the ladder is wanted.
    let chosen = axes.iter().rev().filter_map(|answer| Some((rank(answer)?, answer))).max_by_key(|(rank, _)| *rank);
    let Some(((kind, worst, _), answer)) = chosen else {
        return Advice { axis: None, reason: "every question is answered and nothing serious is open".to_owned() };
    };
    let count = open(answer.axis).filter(|finding| finding.severity == worst).count();
    let findings = if count == 1 { "finding" } else { "findings" };
    let reason = match kind {
        3 | 1 => format!("{count} {worst} {findings}"),
        2 => format!("nobody can answer its question: {}", answer.reason),
        _ => format!("its answer is no: {}", answer.reason),
    };
    Advice { axis: Some(answer.axis), reason }
}
