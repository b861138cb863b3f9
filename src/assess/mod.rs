//! The judgement: every check's verdict, and what follows from them.

mod finding;
mod judge;
mod run;
mod scene;
mod tenant_isolation;
mod verdict;

pub use finding::{Finding, Fingerprint, ObjectRef};
pub use judge::{Outcome, judge};
pub use run::run;
pub use verdict::{Cause, Verdict};

use crate::check::{Axis, Check, CheckId, Severity};
use crate::exit::Exit;
use std::collections::BTreeMap;

/// Where the facts came from, as every report states it.
#[derive(Clone, Debug)]
pub struct Target {
    /// `database`, `migrations` or `facts`.
    pub kind: String,
    /// Name of the database.
    pub database: String,
    /// `server_version`, e.g. `15.18 (Debian 15.18-0+deb12u1)`.
    pub server_version: String,
    /// The role that looked.
    pub role: String,
    /// RFC 3339, UTC.
    pub taken_at: String,
}

/// The answer to one of the four questions of the Monday diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The control holds.
    Yes,
    /// A finding contradicts it.
    No,
    /// Something that would decide it could not be looked at.
    Unsure,
    /// The question does not arise (TI in single-tenant mode).
    NotApplicable,
}

/// One axis, answered.
#[derive(Clone, Debug)]
pub struct AxisAnswer {
    /// Which of the four.
    pub axis: Axis,
    /// Its question, in words.
    pub question: &'static str,
    /// The answer.
    pub answer: Answer,
    /// The evidence for the answer, one sentence.
    pub reason: String,
}

/// Everything a report may say. Renderers take this and nothing else.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// Where the facts came from.
    pub target: Target,
    /// Every check that was selected, with its definition, in id order.
    pub checks: BTreeMap<CheckId, (Check, Verdict)>,
    /// The axes that were looked at.
    pub axes: Vec<AxisAnswer>,
    /// Remarks about the run as a whole: schemas left out and why, facts that are estimates.
    pub notes: Vec<String>,
}

/// Counts that every format shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Checks that passed.
    pub pass: usize,
    /// Findings that are open.
    pub fail: usize,
    /// Checks that could not be decided.
    pub undecided: usize,
    /// Findings under a waiver.
    pub waived: usize,
    /// Checks that do not apply.
    pub not_applicable: usize,
}

impl Assessment {
    /// Open findings with their checks, worst first, then by check and object.
    pub fn findings(&self) -> Vec<(&Check, &Finding)> {
        let mut all: Vec<_> = self
            .checks
            .values()
            .filter_map(|(check, verdict)| match verdict {
                Verdict::Fail(findings) => Some(findings.iter().map(move |f| (check, f))),
                Verdict::Pass | Verdict::NotApplicable(_) | Verdict::Undecided(_) => None,
            })
            .flatten()
            .collect();
        all.sort_by(|a, b| {
            (b.1.severity, &a.0.id, &a.1.object, &a.1.message).cmp(&(a.1.severity, &b.0.id, &b.1.object, &b.1.message))
        });
        all
    }

    /// Checks that could not be decided, with each cause.
    pub fn undecided(&self) -> Vec<(&Check, &Cause)> {
        self.checks
            .values()
            .filter_map(|(check, verdict)| match verdict {
                Verdict::Undecided(causes) => Some(causes.iter().map(move |c| (check, c))),
                Verdict::Pass | Verdict::NotApplicable(_) | Verdict::Fail(_) => None,
            })
            .flatten()
            .collect()
    }

    /// Counts shared by every format.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for (_, verdict) in self.checks.values() {
            match verdict {
                Verdict::Pass => tally.pass += 1,
                Verdict::Fail(findings) => tally.fail += findings.len(),
                Verdict::NotApplicable(_) => tally.not_applicable += 1,
                Verdict::Undecided(_) => tally.undecided += 1,
            }
        }
        tally
    }

    /// How the process ends: findings at or above `fail_on` before undecided checks. What was left unread by choice does
    /// not count.
    pub fn exit(&self, fail_on: Severity, allow_undecided: bool) -> Exit {
        if self.findings().iter().any(|(_, f)| f.severity >= fail_on) {
            Exit::Findings
        } else if self.undecided().iter().any(|(_, cause)| cause.kind != "by-choice") && !allow_undecided {
            Exit::Undecided
        } else {
            Exit::Clean
        }
    }
}
