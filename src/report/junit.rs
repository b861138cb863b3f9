//! JUnit's XML, as CI servers read it: a suite an axis, a case for each check, and one for each finding of a check.
//!
//! A test that could not be decided is an error, not a pass and not a skip. There is no standard; this keeps to what
//! Jenkins, GitLab and GitHub's readers agree on.

use super::{Settings, outline};
use crate::assess::{Assessment, Finding, Pardon, Verdict};
use crate::check::{Axis, Check};
use crate::ui::clean::{clean, clean_lines};
use std::fmt::Write as _;
use std::io;

/// A case and what became of it.
struct Case {
    name: String,
    check: String,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    /// Below `--fail-on`: it is said, and fails nothing.
    Remark(String),
    Failed {
        kind: String,
        message: String,
        text: String,
    },
    Undecided(String),
    Skipped(String),
}

/// Writes the assessment.
pub(super) fn write(it: &Assessment, settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let suites: Vec<_> = outline::axes(it).into_keys().map(|axis| (axis, cases(it, axis, settings))).collect();
    let all = || suites.iter().flat_map(|(_, cases)| cases);
    let _ = writeln!(text, "<testsuites name=\"govctl\"{}>", counts(all()));
    for (axis, cases) in &suites {
        let _ = writeln!(
            text,
            "  <testsuite name=\"{axis}\" hostname={} timestamp={}{}>",
            attribute(&it.target.database),
            attribute(it.target.taken_at.trim_end_matches('Z')),
            counts(cases.iter())
        );
        cases.iter().for_each(|case| one(case, &mut text));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    to.write_all(text.as_bytes())
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case> + Clone) -> String {
    let of = |wanted: fn(&Outcome) -> bool| cases.clone().filter(|case| wanted(&case.outcome)).count();
    format!(
        " tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
        cases.clone().count(),
        of(|it| matches!(it, Outcome::Failed { .. })),
        of(|it| matches!(it, Outcome::Undecided(_))),
        of(|it| matches!(it, Outcome::Skipped(_)))
    )
}

fn cases(it: &Assessment, axis: Axis, settings: &Settings) -> Vec<Case> {
    let mut cases = Vec::new();
    for (check, verdict) in it.checks.values().filter(|(check, _)| check.axis == axis) {
        let id = &check.id.0;
        let mut case = |name: String, outcome| cases.push(Case { name, check: id.clone(), outcome });
        for finding in verdict.findings() {
            case(format!("{} [{}]", finding.object, &finding.fingerprint.0[..16]), outcome(check, finding, settings));
        }
        let causes = verdict.causes();
        if !causes.is_empty() {
            let lines: Vec<_> = causes.iter().map(|cause| format!("{}; needs {}", cause.what, cause.needs)).collect();
            let undecided = Outcome::Undecided(lines.join("\n"));
            let forgiven = Outcome::Skipped(lines.join("\n"));
            case(check.title.clone(), if settings.allow_undecided { forgiven } else { undecided });
        }
        match verdict {
            Verdict::Pass => case(check.title.clone(), Outcome::Passed),
            Verdict::NotApplicable(reason) => case(check.title.clone(), Outcome::Skipped(reason.clone())),
            Verdict::Fail { .. } | Verdict::Undecided(_) => {}
        }
    }
    cases
}

fn outcome(check: &Check, finding: &Finding, settings: &Settings) -> Outcome {
    let message = outline::message(finding);
    match &finding.pardon {
        Some(Pardon::Waiver { reason, owner, until }) => {
            Outcome::Skipped(format!("waived by {owner} until {until}: {reason} ({message})"))
        }
        Some(Pardon::Baseline) => Outcome::Skipped(format!("known from the baseline ({message})")),
        None if finding.severity < settings.fail_on => Outcome::Remark(format!("{}: {message}", finding.severity)),
        None => {
            let way_out = finding.fix.as_ref().or(check.ask.as_ref());
            let way_out = way_out.map(|text| format!("\n\n{text}")).unwrap_or_default();
            let text = format!("{message}{way_out}\n\nfingerprint {}", finding.fingerprint.0);
            Outcome::Failed { kind: finding.severity.to_string(), message, text }
        }
    }
}

fn one(case: &Case, to: &mut String) {
    let _ = write!(to, "    <testcase classname={} name={}", attribute(&case.check), attribute(&case.name));
    let _ = match &case.outcome {
        Outcome::Passed => writeln!(to, "/>"),
        Outcome::Remark(text) => writeln!(to, "><system-out>{}</system-out></testcase>", content(text)),
        Outcome::Failed { kind, message, text } => writeln!(
            to,
            "><failure type=\"{kind}\" message={}>{}</failure></testcase>",
            attribute(message),
            content(text)
        ),
        Outcome::Undecided(text) => {
            writeln!(to, "><error type=\"undecided\" message={}/></testcase>", attribute(text))
        }
        Outcome::Skipped(text) => writeln!(to, "><skipped message={}/></testcase>", attribute(text)),
    };
}

/// Quoted. XML has no way at all to write most control characters, so hostile text is made visible first.
pub(super) fn attribute(text: &str) -> String {
    format!("\"{}\"", escaped(&clean(text)))
}

fn content(text: &str) -> String {
    clean_lines(text).map(|line| escaped(&line)).collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'), // no characters of XML
            other => safe.push(other),
        }
    }
    safe
}
