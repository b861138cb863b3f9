//! The answer to one check. There is no default: "could not look" is an answer.

use super::Finding;

/// What came of one check.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Looked everywhere, found nothing.
    Pass,
    /// Found something.
    Fail {
        /// Never empty; also those that are accepted by a waiver or known from a baseline.
        findings: Vec<Finding>,
        /// What could not be seen beside them: there may be more.
        hidden: Vec<Cause>,
    },
    /// The question does not arise here; the reason, one sentence.
    NotApplicable(String),
    /// Could not look everywhere and found nothing where it looked; never empty.
    Undecided(Vec<Cause>),
}

impl Verdict {
    /// What was found.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Fail { findings, .. } => findings,
            Self::Pass | Self::NotApplicable(_) | Self::Undecided(_) => &[],
        }
    }

    /// What could not be looked at.
    pub fn causes(&self) -> &[Cause] {
        match self {
            Self::Fail { hidden, .. } => hidden,
            Self::Undecided(causes) => causes,
            Self::Pass | Self::NotApplicable(_) => &[],
        }
    }
}

/// Why a check could not be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Machine-readable: `no-privilege`, `timed-out`, `bad-check`, `unreadable-expression`, `not-supported`, `by-choice`.
    pub kind: &'static str,
    /// What was hidden, in words.
    pub what: String,
    /// The statement or step that would decide it.
    pub needs: String,
}
