//! `--baseline FILE`: an earlier report. What it knows is not new.

use crate::assess::{Finding, Fingerprint};
use crate::check::Severity;
use crate::error::Stop;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// What an earlier report found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    known: HashMap<Fingerprint, Known>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    state: String,
    severity: Severity,
}

/// As much of `govctl.diagnose/1` as a baseline is read from.
#[derive(serde::Deserialize)]
struct Report {
    schema: String,
    findings: Vec<Found>,
}

#[derive(serde::Deserialize)]
struct Found {
    fingerprint: String,
    state: String,
    severity: Severity,
}

impl Baseline {
    /// Reads a report that `--output json=FILE` wrote.
    pub fn read(path: &Path) -> Result<Self, Stop> {
        let shown = path.display().to_string();
        let text = fs::read(path).map_err(|cause| Stop::Unreadable { path: shown.clone(), cause })?;
        let refused = |why: String| {
            Stop::usage(
                format!("the baseline {shown} {why}"),
                "a baseline is a report of an earlier run: govctl diagnose --output json=baseline.json",
            )
        };
        let report: Report = serde_json::from_slice(&text).map_err(|error| {
            refused(format!("is not a report in JSON (line {}, column {})", error.line(), error.column()))
        })?;
        if report.schema != "govctl.diagnose/1" {
            return Err(refused(format!("is {:?}, not govctl.diagnose/1", report.schema)));
        }
        let known = report
            .findings
            .into_iter()
            .map(|Found { fingerprint, state, severity }| (Fingerprint(fingerprint), Known { state, severity }));
        Ok(Self { known: known.collect() })
    }

    /// Whether this was there, and is not worse now.
    pub fn knows(&self, finding: &Finding) -> bool {
        let known = self.known.get(&finding.fingerprint);
        known.is_some_and(|known| known.state == finding.state || finding.severity < known.severity)
    }

    /// How many findings it has.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether it knows nothing.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// How many of its findings are none of these any more.
    pub fn gone<'a>(&self, still: impl Iterator<Item = &'a Finding>) -> usize {
        let still: std::collections::HashSet<_> = still.map(|finding| &finding.fingerprint).collect();
        self.known.keys().filter(|fingerprint| !still.contains(fingerprint)).count()
    }
}
