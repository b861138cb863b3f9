//! Every way govctl ends; the only place that knows the numbers.

use std::process::ExitCode;

/// Exit codes, the same for every format. When several apply: 5 before 1 before 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was decided; nothing at or above `--fail-on` is open.
    Clean = 0,
    /// At least one open finding at or above `--fail-on`.
    Findings = 1,
    /// The command line, a URL, the configuration or a check file is wrong, or an output cannot be written.
    Usage = 2,
    /// No session with the database; no audit was performed.
    Unreachable = 3,
    /// No open finding, but at least one check or chain could not be decided.
    Undecided = 4,
    /// A hash chain is broken.
    Broken = 5,
    /// Interrupted; nothing was judged. 128 plus the number of the signal, as shells have it.
    Interrupted = 130,
}

impl Exit {
    /// All codes, in the order of the table in the manual.
    pub const ALL: [Self; 7] =
        [Self::Clean, Self::Findings, Self::Usage, Self::Unreachable, Self::Undecided, Self::Broken, Self::Interrupted];

    /// The number the process ends with.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// One line for the manual.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Clean => "clean: everything was decided and nothing at or above --fail-on is open",
            Self::Findings => "at least one open finding at or above --fail-on",
            Self::Usage => "command line, URL, configuration, check file, or an output that cannot be written",
            Self::Unreachable => "no session with the database; no audit was performed",
            Self::Undecided => "no open finding, but something could not be decided",
            Self::Broken => "a hash chain is broken",
            Self::Interrupted => "interrupted; no audit was performed",
        }
    }

    /// Of what several chains came to: a broken one outweighs one that is undecided, and that one those that are clean.
    #[must_use]
    pub const fn or_worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Broken, _) | (_, Self::Broken) => Self::Broken,
            (Self::Undecided, _) | (_, Self::Undecided) => Self::Undecided,
            (same, _) => same,
        }
    }

    /// What `--exit-zero` makes of it: what an audit found is forgiven, that there was none is not.
    pub const fn forgiven(self) -> Self {
        match self {
            Self::Findings | Self::Undecided => Self::Clean,
            other => other,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
