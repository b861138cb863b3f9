//! What every prose format says, in the same order and the same words; a format only knows how it looks.

use crate::assess::ladder::STAGES;
use crate::assess::{Assessment, AxisAnswer, Cause, Finding, Introduced, Pardon, Target, Verdict, Warning};
use crate::check::{Axis, Check, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// How many objects of one check are shown where not all are asked for.
pub(super) const SHOWN: usize = 5;

/// Findings of one check that are equally bad.
pub(super) struct Group<'a> {
    pub(super) severity: Severity,
    pub(super) check: &'a Check,
    pub(super) findings: Vec<&'a Finding>,
}

/// Open findings, worst first, then by check.
pub(super) fn groups(it: &Assessment) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (check, finding) in it.findings() {
        match groups.last_mut() {
            Some(group) if group.severity == finding.severity && group.check.id == check.id => {
                group.findings.push(finding);
            }
            _ => groups.push(Group { severity: finding.severity, check, findings: vec![finding] }),
        }
    }
    groups
}

/// What came of the checks of one axis, in numbers.
#[derive(Default)]
pub(super) struct AxisCount {
    pub(super) pass: usize,
    /// Checks with findings, and their findings.
    pub(super) failing: usize,
    pub(super) findings: usize,
    pub(super) undecided: usize,
    pub(super) not_applicable: usize,
}

impl AxisCount {
    /// Checks whose question arose.
    pub(super) fn asked(&self) -> usize {
        self.pass + self.failing + self.undecided
    }
}

/// Every axis that a check was run for, in order.
pub(super) fn axes(it: &Assessment) -> BTreeMap<Axis, AxisCount> {
    let mut axes: BTreeMap<Axis, AxisCount> = BTreeMap::new();
    for (check, verdict) in it.checks.values() {
        let count = axes.entry(check.axis).or_default();
        match verdict {
            Verdict::Pass => count.pass += 1,
            Verdict::Fail { findings, .. } => {
                count.failing += 1;
                count.findings += findings.iter().filter(|finding| finding.is_open()).count();
            }
            Verdict::Undecided(_) => count.undecided += 1,
            Verdict::NotApplicable(_) => count.not_applicable += 1,
        }
    }
    axes
}

/// `33 pass, 13 fail (2 high, 11 low), 2 undecided, 3 not applicable`
pub(super) fn counts(it: &Assessment) -> String {
    let tally = it.tally();
    let mut by_severity: BTreeMap<Severity, usize> = BTreeMap::new();
    for (_, finding) in it.findings() {
        *by_severity.entry(finding.severity).or_default() += 1;
    }
    let severities =
        by_severity.iter().rev().map(|(severity, n)| format!("{n} {severity}")).collect::<Vec<_>>().join(", ");
    let mut parts = vec![format!("{} pass", tally.pass)];
    parts.push(if severities.is_empty() { "0 fail".to_owned() } else { format!("{} fail ({severities})", tally.fail) });
    parts.push(format!("{} undecided", tally.undecided));
    if tally.waived > 0 {
        parts.push(format!("{} waived", tally.waived));
    }
    if tally.baselined > 0 {
        parts.push(format!("{} known from the baseline", tally.baselined));
    }
    parts.push(format!("{} not applicable", tally.not_applicable));
    parts.join(", ")
}

/// Whether a check found something beside what it could not see.
pub(super) fn found_something(it: &Assessment, check: &Check) -> bool {
    it.checks.get(&check.id).is_some_and(|(_, verdict)| !verdict.findings().is_empty())
}

/// Undecided checks by cause: what was hidden, the step that would show it, and the checks that wait for it.
pub(super) fn undecided(it: &Assessment) -> Vec<(&Cause, Vec<&Check>)> {
    let mut causes: Vec<(&Cause, Vec<&Check>)> = Vec::new();
    for (check, cause) in it.undecided() {
        match causes.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, checks)) => checks.push(check),
            None => causes.push((cause, vec![check])),
        }
    }
    causes
}

/// Checks that do not apply, by reason.
pub(super) fn not_applicable(it: &Assessment) -> BTreeMap<&str, Vec<&Check>> {
    let mut reasons: BTreeMap<&str, Vec<&Check>> = BTreeMap::new();
    for (check, verdict) in it.checks.values() {
        if let Verdict::NotApplicable(reason) = verdict {
            reasons.entry(reason).or_default().push(check);
        }
    }
    reasons
}

/// What is there and not needed yet: findings of the checks that look for what was built too early (OB-11).
pub(super) fn not_needed_yet(it: &Assessment) -> Vec<(&Check, &Finding)> {
    let early = |check: &Check| check.covers.iter().any(|id| id.starts_with("OB-"));
    it.findings().into_iter().filter(|(check, _)| early(check)).collect()
}

/// What every report says about the regimes it names (STG-17).
pub(super) const ORIENTATION: &str =
    "Control ids say what a check maps to, for orientation; they are no legal advice and no statement of compliance.";

/// `13 open findings, 2 undecided`.
pub(super) fn headline(it: &Assessment) -> String {
    let tally = it.tally();
    let findings = if tally.fail == 1 { "1 open finding".to_owned() } else { format!("{} open findings", tally.fail) };
    match tally.undecided {
        0 => findings,
        n => format!("{findings}, {} undecided", checks(n)),
    }
}

/// When the facts were taken, to the second.
pub(super) fn taken(target: &Target) -> String {
    let taken = target.taken_at.parse::<jiff::Timestamp>();
    taken.map_or_else(|_| target.taken_at.clone(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// The finding's sentence, the object before it where it does not name it.
pub(super) fn sentence_of(finding: &Finding) -> String {
    if finding.message.contains(&finding.object.name) {
        finding.message.clone()
    } else {
        format!("{}: {}", finding.object, finding.message)
    }
}

/// The finding's sentence, the object before it where it does not name it, and the migration that brought it in.
pub(super) fn message(finding: &Finding) -> String {
    let message = sentence_of(finding);
    match &finding.introduced {
        Some(Introduced { path, line }) => format!("{message}, since {path}:{line}"),
        None => message,
    }
}

/// Whose an axis is.
pub(super) fn owner(axis: &AxisAnswer) -> String {
    match &axis.owner {
        Some(owner) => format!("owner: {owner}"),
        None => format!("owner: nobody is named; mostly {}", axis.usual_owner),
    }
}

/// The stage that is declared and the one that counts, where there is one.
pub(super) fn declared(it: &Assessment) -> String {
    let named = |stage: u8| STAGES.get(usize::from(stage) - 1).copied().unwrap_or_default();
    match (it.declared.stage, it.declared.in_force) {
        (Some(declared), Some(stage)) if declared == stage => {
            format!("Declared at stage {stage} of 5, {}", named(stage))
        }
        (Some(declared), Some(stage)) => {
            format!("Declared at stage {declared}, judged at stage {stage} of 5, {}", named(stage))
        }
        (None, Some(stage)) => format!("Judged at stage {stage} of 5, {}", named(stage)),
        (_, None) => String::new(),
    }
}

/// A warning as a line of text.
pub(super) fn warning(it: &Warning) -> String {
    let line = it.line.map(|line| format!("govctl.yaml:{line}: ")).unwrap_or_default();
    format!("{line}{}; {}", it.message, it.help)
}

/// The one axis to spend the quarter on (RP-11).
pub(super) fn quarter(it: &Assessment) -> String {
    let named = |axis| it.axes.iter().find(|answer| answer.axis == axis).map_or("", |answer| answer.name.as_str());
    match it.advice.axis {
        Some(axis) => format!("Spend the quarter on {}: {}", sentence(named(axis)), it.advice.reason),
        None => format!("No axis needs the quarter: {}", it.advice.reason),
    }
}

/// A heading within a sentence; an abbreviation stays as it is.
fn sentence(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain([second]).chain(letters).collect()
        }
        _ => name.to_owned(),
    }
}

/// A line for each waiver and object.
pub(super) fn waived(it: &Assessment) -> Vec<String> {
    let line = |(check, finding): (&Check, &Finding)| match &finding.pardon {
        Some(Pardon::Waiver { reason, owner, until }) => {
            Some(format!("{}  {}, by {owner} until {until}: {reason}", check.id, finding.object))
        }
        Some(Pardon::Baseline) | None => None,
    };
    let mut lines: Vec<(String, usize)> = Vec::new();
    for line in it.pardoned().into_iter().filter_map(line) {
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, times)) => *times += 1,
            None => lines.push((line, 1)),
        }
    }
    let counted = |(line, times)| if times == 1 { line } else { format!("{line} ({times} findings)") };
    lines.into_iter().map(counted).collect()
}

/// The fixes of some findings, each once, in order.
pub(super) fn fixes<'a>(findings: &[&'a Finding]) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    findings.iter().filter_map(|finding| finding.fix.as_deref()).filter(|fix| seen.insert(*fix)).collect()
}

/// What follows, and what to type next; ids and commands are alone on a line, so that a double click copies them.
pub(super) fn consequence(it: &Assessment, fail_on: Severity) -> (String, Option<String>) {
    let tally = it.tally();
    let groups = groups(it);
    let doubt = match tally.undecided {
        0 => String::new(),
        n => format!(" {} could not be decided.", checks(n)),
    };
    if let Some(worst) = groups.first() {
        let explain = Some(format!("govctl explain {}", worst.check.id));
        let counting = it.findings().iter().filter(|(_, finding)| finding.severity >= fail_on).count();
        let text = if counting == 0 {
            format!("Nothing is at or above {fail_on}; {} below it.{doubt}", stand(tally.fail))
        } else {
            let worst = worst.severity;
            let all = if counting == tally.fail {
                format!("{} open", stand(counting))
            } else {
                format!("{counting} of {} findings are at or above {fail_on}", tally.fail)
            };
            format!("{all}, the worst {worst}.{doubt} Start with:")
        };
        (text, explain)
    } else if tally.undecided > 0 {
        let text = format!(
            "Nothing was found, but {} could not be decided: this is not a clean result.",
            checks(tally.undecided)
        );
        (text, None)
    } else if tally.waived + tally.baselined > 0 {
        ("Nothing is open: what was found is accepted, and no check was left undecided.".to_owned(), None)
    } else if tally.pass == 0 {
        ("No check applies to this database: nothing was judged.".to_owned(), Some("govctl checks".to_owned()))
    } else {
        ("Nothing was found, and no check was left undecided.".to_owned(), None)
    }
}

fn stand(findings: usize) -> String {
    if findings == 1 { "1 finding is".to_owned() } else { format!("{findings} findings are") }
}

/// `1 check`, `2 checks`.
pub(super) fn checks(n: usize) -> String {
    if n == 1 { "1 check".to_owned() } else { format!("{n} checks") }
}

/// Control ids as readers know them: `NIST AC-3`.
pub(super) fn controls(check: &Check) -> Vec<String> {
    let each = |(key, ids): &(String, Vec<String>)| ids.iter().map(|id| format!("{} {id}", framework(key))).collect();
    check.controls.iter().flat_map::<Vec<_>, _>(each).collect()
}

/// The name of a framework, from its key in a check.
pub(super) fn framework(key: &str) -> String {
    match key {
        "owasp_llm" | "owasp_agentic" => "OWASP".to_owned(),
        "soc2" => "SOC 2".to_owned(),
        "iso27001" => "ISO 27001".to_owned(),
        other => other.replace('_', " ").to_uppercase(),
    }
}
