//! Two facts files of one database: what opened, what closed, which role gained what.
//!
//! Objects are compared by name, since a restored database has other oids. What one side could not decide is neither
//! opened nor closed; it is said to be unknown.

mod rights;

pub use rights::{Change, Rights};

use crate::assess::{Assessment, Finding, Fingerprint};
use crate::check::{Check, CheckId, Severity};
use crate::error::Stop;
use crate::exit::Exit;
use crate::facts::Facts;
use std::collections::{BTreeMap, BTreeSet};

/// A finding with its check, copied out of its assessment.
pub type Found = (Check, Finding);

/// What lies between two facts files.
#[derive(Debug)]
pub struct Diff {
    /// Earlier.
    pub before: Assessment,
    /// Later.
    pub after: Assessment,
    /// Findings that are new, worst first.
    pub opened: Vec<Found>,
    /// Findings that are gone.
    pub closed: Vec<Found>,
    /// Findings that are another severity or whose evidence is another, in words: as before, as after.
    pub changed: Vec<(Found, Found)>,
    /// Checks that did not see everything on one side, so that what is said of them is not certain.
    pub unsure: BTreeSet<CheckId>,
    /// Roles, privileges, policies and tables.
    pub changes: Vec<Change>,
}

/// Compares. Both facts are derived and assessed with the same checks and the same configuration.
pub async fn diff(before: (&mut Facts, Assessment), after: (&mut Facts, Assessment)) -> Result<Diff, Stop> {
    let changes = Rights::read(before.0).await?.until(&Rights::read(after.0).await?);
    let (before, after) = (before.1, after.1);
    let (old, new) = (by_fingerprint(&before), by_fingerprint(&after));
    let not_in = |these: &BTreeMap<Fingerprint, Found>, others: &BTreeMap<Fingerprint, Found>| {
        let gone = these.iter().filter(|(fingerprint, _)| !others.contains_key(*fingerprint));
        sorted(gone.map(|(_, found)| found.clone()).collect())
    };
    let changed = |(fingerprint, was): (&Fingerprint, &Found)| {
        let is = new.get(fingerprint)?;
        differs(&was.1, &is.1).then(|| (was.clone(), is.clone()))
    };
    let unsure =
        [&before, &after].into_iter().flat_map(|it| it.undecided().into_iter().map(|(check, _)| check.id.clone()));
    Ok(Diff {
        opened: not_in(&new, &old),
        closed: not_in(&old, &new),
        changed: old.iter().filter_map(changed).collect(),
        unsure: unsure.collect(),
        changes,
        before,
        after,
    })
}

impl Diff {
    /// 1 where something at or above `fail_on` opened or got worse, 4 where that cannot be told.
    pub fn exit(&self, fail_on: Severity, allow_undecided: bool) -> Exit {
        let worse = self.changed.iter().filter(|(was, is)| is.1.severity > was.1.severity).map(|(_, is)| is);
        let counts = |(_, finding): &Found| finding.is_open() && finding.severity >= fail_on;
        if self.opened.iter().chain(worse).any(counts) {
            Exit::Findings
        } else if !self.unsure.is_empty() && !allow_undecided {
            Exit::Undecided
        } else {
            Exit::Clean
        }
    }

    /// Whether what is said about a check is not certain.
    pub fn is_unsure(&self, check: &Check) -> bool {
        self.unsure.contains(&check.id)
    }
}

/// What a finding says is another. Not its state, which is another with every policy and role of its object: these are
/// told by themselves.
fn differs(was: &Finding, is: &Finding) -> bool {
    let words = |it: &Finding| -> Vec<(String, String)> {
        let text = |(name, value): (&String, &serde_json::Value)| Some((name.clone(), value.as_str()?.to_owned()));
        it.facts.iter().filter_map(text).collect()
    };
    was.severity != is.severity || was.is_open() != is.is_open() || was.message != is.message || words(was) != words(is)
}

fn by_fingerprint(it: &Assessment) -> BTreeMap<Fingerprint, Found> {
    let all = it.findings().into_iter().chain(it.pardoned());
    all.map(|(check, finding)| (finding.fingerprint.clone(), (check.clone(), finding.clone()))).collect()
}

fn sorted(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|(a, x), (b, y)| {
        (y.severity, &a.id, &x.object, &x.message).cmp(&(x.severity, &b.id, &y.object, &y.message))
    });
    found
}
