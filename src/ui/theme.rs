//! What colours and signs mean. Words carry the meaning; these repeat it.

use crate::assess::Answer;
use crate::check::Severity;
use std::fmt;

/// A fixed meaning that a colour may repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Headline.
    Strong,
    /// Of lesser weight.
    Faint,
    /// Holds.
    Good,
    /// Could not be decided, or weakens something.
    Doubt,
    /// Does not hold.
    Bad,
    /// Does not hold, and is used against you today.
    Worst,
    /// What to type next.
    Action,
}

impl Tone {
    const fn sgr(self) -> &'static str {
        match self {
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Doubt => "33",
            Self::Bad => "31",
            Self::Worst => "1;31",
            Self::Action => "36",
        }
    }
}

/// How a stream looks: what it can show and how much of it fits on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Colours are wanted.
    pub colour: bool,
    /// Signs beyond ASCII can be shown.
    pub unicode: bool,
    /// Columns, at most 100.
    pub width: usize,
}

impl Look {
    /// A file, or a pipe: no colours, 100 columns.
    pub const PLAIN: Self = Self { colour: false, unicode: true, width: 100 };

    /// `text` in `tone`, where colours are wanted. The text must be clean already.
    pub fn paint<T: fmt::Display>(&self, tone: Tone, text: T) -> String {
        if self.colour { format!("\x1b[{}m{text}\x1b[0m", tone.sgr()) } else { text.to_string() }
    }

    /// The sign `unicode`, or its spelling in ASCII.
    pub const fn sign(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }
}

/// The tone of a severity; its word is [`Severity`]'s own.
pub const fn severity(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Worst,
        Severity::High => Tone::Bad,
        Severity::Medium => Tone::Doubt,
        Severity::Low | Severity::Info => Tone::Faint,
    }
}

/// The word and tone of an answer.
pub const fn answer(answer: Answer) -> (&'static str, Tone) {
    match answer {
        Answer::Yes => ("yes", Tone::Good),
        Answer::No => ("no", Tone::Bad),
        Answer::Unsure => ("unsure", Tone::Doubt),
        Answer::NotApplicable => ("not applicable", Tone::Faint),
    }
}
