//! The answer to one check. There is no default: "could not look" is an answer.

use super::Finding;

/// What came of one check.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Looked everywhere, found nothing.
    Pass,
    /// At least one finding; never empty.
    Fail(Vec<Finding>),
    /// The question does not arise here; the reason, one sentence.
    NotApplicable(String),
    /// Could not look everywhere and found nothing where it looked; never empty.
    Undecided(Vec<Cause>),
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
