//! The judgement: every check's verdict, and what follows from them.

mod advice;
mod answers;
mod finding;
mod graph;
mod judge;
pub mod ladder;
mod origin;
mod pardon;
mod run;
mod scene;
mod stage;
mod state;
mod verdict;

pub use advice::Advice;
pub use answers::{Answer, AxisAnswer};
pub use finding::{Finding, Fingerprint, Introduced, ObjectRef, Pardon};
pub use graph::{RoleEdge, RoleGraph, RoleNode};
pub use judge::{Outcome, judge};
pub use pardon::Warning;
pub use run::{answered, run};
pub use stage::{Criterion, FirstActor, Gap, Moment, Regression, Stage, Unread};
pub use verdict::{Cause, Verdict};

use crate::check::{Check, CheckId, Severity};
use crate::config::Regime;
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

/// What the owner of the database says about it.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// The stage.
    pub stage: Option<u8>,
    /// Whose rules apply.
    pub regimes: Vec<Regime>,
    /// The stage whose postures count, see [`ladder::stage_in_force`].
    pub in_force: Option<u8>,
}

/// Everything a report may say. Renderers take this and nothing else.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// Where the facts came from.
    pub target: Target,
    /// Every check that was selected, with its definition, in id order.
    pub checks: BTreeMap<CheckId, (Check, Verdict)>,
    /// How tenants share the database, one sentence.
    pub tenancy: String,
    /// What govctl.yaml says.
    pub declared: Declared,
    /// How mature it is, by what holds and by what the migrations record.
    pub stage: Stage,
    /// The four questions, answered.
    pub axes: Vec<AxisAnswer>,
    /// What to do first.
    pub advice: Advice,
    /// What each agent may become.
    pub graphs: Vec<RoleGraph>,
    /// What to look at in govctl.yaml.
    pub warnings: Vec<Warning>,
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
    /// Checks that did not see everything, whether or not they found something.
    pub undecided: usize,
    /// Findings under a waiver.
    pub waived: usize,
    /// Findings that a baseline knows.
    pub baselined: usize,
    /// Checks that do not apply.
    pub not_applicable: usize,
}

impl Assessment {
    /// Open findings with their checks, worst first, then by check and object.
    pub fn findings(&self) -> Vec<(&Check, &Finding)> {
        self.sorted(Finding::is_open)
    }

    /// Findings that a waiver or the baseline covers, in the same order.
    pub fn pardoned(&self) -> Vec<(&Check, &Finding)> {
        self.sorted(|finding| !finding.is_open())
    }

    fn sorted(&self, wanted: impl Fn(&Finding) -> bool) -> Vec<(&Check, &Finding)> {
        let mut all: Vec<_> = self
            .checks
            .values()
            .flat_map(|(check, verdict)| verdict.findings().iter().map(move |finding| (check, finding)))
            .filter(|(_, finding)| wanted(finding))
            .collect();
        all.sort_by(|a, b| {
            (b.1.severity, &a.0.id, &a.1.object, &a.1.message).cmp(&(a.1.severity, &b.0.id, &b.1.object, &b.1.message))
        });
        all
    }

    /// What could not be decided, with each cause: also of checks that found something all the same.
    pub fn undecided(&self) -> Vec<(&Check, &Cause)> {
        let each = |(check, verdict)| Verdict::causes(verdict).iter().map(move |cause| (check, cause));
        self.checks.values().map(|(check, verdict)| (check, verdict)).flat_map(each).collect()
    }

    /// Counts shared by every format.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for (_, verdict) in self.checks.values() {
            match verdict {
                Verdict::Pass => tally.pass += 1,
                Verdict::NotApplicable(_) => tally.not_applicable += 1,
                Verdict::Fail { .. } | Verdict::Undecided(_) => {}
            }
            tally.undecided += usize::from(!verdict.causes().is_empty());
            for finding in verdict.findings() {
                match finding.pardon {
                    None => tally.fail += 1,
                    Some(Pardon::Waiver { .. }) => tally.waived += 1,
                    Some(Pardon::Baseline) => tally.baselined += 1,
                }
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
