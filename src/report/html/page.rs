//! What the template is given: text that is harmless, in the order and the words of every other format.

use super::picture::{self, Drawn, Heatmap};
use crate::assess::{Assessment, AxisAnswer, Finding, Pardon, Verdict};
use crate::check::Check;
use crate::report::{Settings, outline, regimes};
use crate::ui::clean::{clean, clean_lines};
use serde::Serialize;

/// The whole page.
#[derive(Serialize)]
pub(super) struct Page {
    style: &'static str,
    version: &'static str,
    database: String,
    line: String,
    headline: String,
    consequence: String,
    tenancy: String,
    declared: String,
    notes: Vec<String>,
    axes: Vec<Axis>,
    quarter: String,
    early: Vec<String>,
    undecided: Vec<Undecided>,
    heatmap: Option<Heatmap>,
    counts: Vec<Count>,
    groups: Vec<Group>,
    waived: Vec<String>,
    baselined: Vec<Object>,
    graphs: Vec<Drawn>,
    regimes: Vec<Regime>,
    passed: Vec<Passed>,
    not_applicable: Vec<NotApplicable>,
    warnings: Vec<String>,
    orientation: &'static str,
    summary: String,
}

#[derive(Serialize)]
struct Axis {
    name: String,
    question: String,
    answer: &'static str,
    reason: String,
    evidence: Vec<String>,
    posture: Option<&'static str>,
    required: Option<&'static str>,
    owner: String,
    attested: Option<String>,
}

#[derive(Serialize)]
struct Undecided {
    what: String,
    needs: String,
    checks: Vec<String>,
}

#[derive(Serialize)]
struct Count {
    axis: String,
    pass: usize,
    asked: usize,
    findings: usize,
    undecided: usize,
    not_applicable: usize,
}

#[derive(Serialize)]
struct Group {
    severity: String,
    id: String,
    title: String,
    why: Vec<String>,
    limits: Option<String>,
    objects: Vec<Object>,
    fix: String,
    ask: Option<String>,
    covers: String,
    controls: String,
    sql: String,
}

#[derive(Serialize)]
struct Object {
    fingerprint: String,
    state: String,
    object: String,
    message: String,
    since: Option<String>,
}

#[derive(Serialize)]
struct Regime {
    name: &'static str,
    controls: Vec<Control>,
}

#[derive(Serialize)]
struct Control {
    id: String,
    counts: String,
    open: Vec<String>,
}

#[derive(Serialize)]
struct Passed {
    id: String,
    title: String,
    sql: String,
}

#[derive(Serialize)]
struct NotApplicable {
    reason: String,
    checks: Vec<String>,
}

impl Page {
    pub(super) fn of(it: &Assessment, settings: &Settings, style: &'static str) -> Self {
        let target = &it.target;
        let version = target.server_version.split_whitespace().next().unwrap_or("of unknown version");
        let (consequence, _) = outline::consequence(it, settings.fail_on);
        let ids = |checks: &[&Check]| checks.iter().map(|check| check.id.0.clone()).collect();
        Self {
            style,
            version: env!("CARGO_PKG_VERSION"),
            database: one(&target.database),
            line: one(&format!("PostgreSQL {version}, as {}, {}", target.role, outline::taken(target))),
            headline: outline::headline(it),
            consequence: consequence.trim_end_matches(" Start with:").to_owned(),
            tenancy: one(&it.tenancy),
            declared: outline::declared(it),
            notes: it.notes.iter().map(|note| one(note)).collect(),
            axes: it.axes.iter().map(axis).collect(),
            quarter: one(&outline::quarter(it)),
            early: outline::not_needed_yet(it).into_iter().map(|(_, finding)| one(&finding.message)).collect(),
            undecided: outline::undecided(it)
                .into_iter()
                .map(|(cause, checks)| Undecided {
                    what: one(&cause.what),
                    needs: lines(&cause.needs),
                    checks: ids(&checks),
                })
                .collect(),
            heatmap: Heatmap::of(it),
            counts: outline::axes(it)
                .into_iter()
                .map(|(axis, count)| Count {
                    axis: axis.to_string(),
                    asked: count.asked(),
                    pass: count.pass,
                    findings: count.findings,
                    undecided: count.undecided,
                    not_applicable: count.not_applicable,
                })
                .collect(),
            groups: outline::groups(it).iter().map(group).collect(),
            waived: outline::waived(it).iter().map(|line| one(line)).collect(),
            baselined: it
                .pardoned()
                .into_iter()
                .filter(|(_, finding)| finding.pardon == Some(Pardon::Baseline))
                .map(|(_, finding)| object(finding))
                .collect(),
            graphs: it.graphs.iter().map(picture::draw).collect(),
            regimes: regimes::packs(it).into_iter().map(regime).collect(),
            passed: it
                .checks
                .values()
                .filter(|(_, verdict)| matches!(verdict, Verdict::Pass))
                .map(|(check, _)| Passed { id: check.id.0.clone(), title: one(&check.title), sql: lines(&check.sql) })
                .collect(),
            not_applicable: outline::not_applicable(it)
                .into_iter()
                .map(|(reason, checks)| NotApplicable { reason: one(reason), checks: ids(&checks) })
                .collect(),
            warnings: it.warnings.iter().map(outline::warning).map(|line| one(&line)).collect(),
            orientation: outline::ORIENTATION,
            summary: outline::counts(it),
        }
    }
}

fn axis(it: &AxisAnswer) -> Axis {
    let attested = it.attestation.as_ref().map(|(said, holds)| {
        let evidence = said.evidence.as_ref().map(|evidence| format!(": {evidence}")).unwrap_or_default();
        let state = if *holds { format!("until {}", said.expires) } else { format!("ran out on {}", said.expires) };
        one(&format!("{} answered {} on {}, {state}{evidence}", said.by, said.answer.name(), said.on))
    });
    Axis {
        name: it.name.clone(),
        question: it.question.clone(),
        answer: it.answer.name(),
        reason: one(&it.reason),
        evidence: it.evidence.iter().map(|line| one(line)).collect(),
        posture: it.posture.map(|posture| posture.words()),
        required: it.required.map(|posture| posture.words()),
        owner: one(&outline::owner(it)),
        attested,
    }
}

fn regime(pack: regimes::Pack<'_>) -> Regime {
    let control = |control: &regimes::Control<'_>| Control {
        id: one(control.id),
        counts: control.counts(),
        open: control.fail.iter().chain(&control.undecided).map(|id| (*id).to_owned()).collect(),
    };
    Regime { name: pack.name, controls: pack.controls.iter().map(control).collect() }
}

fn group(group: &outline::Group<'_>) -> Group {
    let check = group.check;
    Group {
        severity: group.severity.to_string(),
        id: check.id.0.clone(),
        title: one(&check.title),
        why: check.why.trim().split("\n\n").map(|text| one(&flat(text))).collect(),
        limits: check.limits.as_ref().map(|limits| one(&flat(limits))),
        objects: group.findings.iter().map(|finding| object(finding)).collect(),
        fix: outline::fixes(&group.findings).into_iter().map(lines).collect::<Vec<_>>().join("\n"),
        ask: check.ask.as_ref().map(|ask| one(&flat(ask))),
        covers: check.covers.join(", "),
        controls: outline::controls(check).join(", "),
        sql: lines(&check.sql),
    }
}

fn object(finding: &Finding) -> Object {
    Object {
        fingerprint: finding.fingerprint.0.clone(),
        state: finding.state.clone(),
        object: one(&finding.object.to_string()),
        message: one(&outline::sentence_of(finding)),
        since: finding.introduced.as_ref().map(|it| one(&format!("{}:{}", it.path, it.line))),
    }
}

/// A line of harmless text.
fn one(text: &str) -> String {
    clean(text).into_owned()
}

/// SQL: lines stay lines.
fn lines(text: &str) -> String {
    clean_lines(text).collect::<Vec<_>>().join("\n")
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
