//! Waivers and the baseline: findings that are there and not open.

use super::{Finding, Pardon, Verdict};
use crate::check::{Check, CheckId};
use crate::config::{Config, Waiver};
use crate::yaml::Place;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Something about the configuration that a person should look at; it stops nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What, a sentence without its period.
    pub message: String,
    /// The words under the caret.
    pub label: String,
    /// What to do.
    pub help: String,
    /// Where in the configuration.
    pub place: Place,
    /// The line of that, from 1, where there is a file.
    pub line: Option<usize>,
}

/// Marks what a waiver or the baseline covers, and says which waivers no longer do what they were written for.
pub(super) fn apply(checks: &mut BTreeMap<CheckId, (Check, Verdict)>, config: &Config, today: Date) -> Vec<Warning> {
    let mut uses: Vec<_> = config.waivers.iter().map(Use::of).collect();
    for (check, verdict) in checks.values_mut() {
        let Verdict::Fail { findings, .. } = verdict else { continue };
        for finding in findings {
            let object = finding.object.to_string();
            for it in uses.iter_mut().filter(|it| it.waiver.covers(&check.id.0, &object)) {
                it.meet(finding, today);
            }
            let known = config.baseline.as_ref().is_some_and(|baseline| baseline.knows(finding));
            if finding.pardon.is_none() && known {
                finding.pardon = Some(Pardon::Baseline);
            }
        }
    }
    uses.into_iter().filter_map(|it| it.warning(checks, config, today)).collect()
}

/// What became of one waiver.
struct Use<'a> {
    waiver: &'a Waiver,
    /// States of the findings it is about.
    met: BTreeSet<String>,
    /// Those it does not accept.
    changed: BTreeSet<String>,
}

impl<'a> Use<'a> {
    fn of(waiver: &'a Waiver) -> Self {
        Self { waiver, met: BTreeSet::new(), changed: BTreeSet::new() }
    }

    fn meet(&mut self, finding: &mut Finding, today: Date) {
        let Waiver { reason, owner, until, accepts, .. } = self.waiver;
        self.met.insert(finding.state.clone());
        if !accepts.is_empty() && !accepts.contains(&finding.state) {
            self.changed.insert(finding.state.clone());
        } else if !self.waiver.expired(today) {
            finding.pardon = Some(Pardon::Waiver { reason: reason.clone(), owner: owner.clone(), until: *until });
        }
    }

    fn warning(self, checks: &BTreeMap<CheckId, (Check, Verdict)>, config: &Config, today: Date) -> Option<Warning> {
        let place = self.waiver.check_place;
        let line = config.source.as_ref().map(|source| source.line(place));
        let warn = |message: String, label: &str, help: String| {
            Some(Warning { message, label: label.to_owned(), help, place, line })
        };
        let (_, verdict) = checks.get(&CheckId(self.waiver.check.clone()))?; // not selected
        if self.met.is_empty() {
            let lines = config.source.as_ref().map(|source| {
                let first = source.line(self.waiver.place);
                let last = source.line((self.waiver.place.offset() + self.waiver.place.len().saturating_sub(1)).into());
                format!("delete lines {first} to {last}")
            });
            // Where the check could not look, or its question does not arise, nobody knows.
            let decided = matches!(verdict, Verdict::Pass | Verdict::Fail { .. }) && verdict.causes().is_empty();
            return decided
                .then(|| {
                    let help = lines.unwrap_or_else(|| "delete it".to_owned());
                    warn("this waiver matches nothing any more".to_owned(), "nothing it covers was found", help)
                })
                .flatten();
        }
        if self.waiver.expired(today) {
            let message = format!("this waiver ran out on {}", self.waiver.until);
            let help = "mend it, or look at it again and give it a new `until`".to_owned();
            return warn(message, "what it covered is open again", help);
        }
        let listed = |states: &BTreeSet<String>| states.iter().cloned().collect::<Vec<_>>().join(", ");
        if !self.changed.is_empty() {
            let message = "what this waiver accepted is not what is there now".to_owned();
            let help = format!("look at it again; to accept it as it is: accepts: [{}]", listed(&self.met));
            return warn(message, "open again", help);
        }
        if self.waiver.accepts.is_empty() {
            let message = "this waiver also covers what gets worse".to_owned();
            let help = format!("to hold it to what is there now, add  accepts: [{}]", listed(&self.met));
            return warn(message, "it accepts whatever is found", help);
        }
        None
    }
}
