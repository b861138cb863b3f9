//! A mistake in a file somebody wrote, with a caret under it.

use super::Place;
use crate::secrets::{Kind, Rules};
use miette::{Diagnostic, NamedSource};
use std::fmt::Write;
use thiserror::Error;

/// One mistake, at one place.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
#[error("{message}")]
pub struct Mistake {
    /// What is wrong, a sentence without its period.
    pub message: String,
    /// Where, in bytes of the file.
    #[label("{label}")]
    pub place: Place,
    /// The words under the caret.
    pub label: String,
    /// What to do instead.
    #[help]
    pub help: Option<String>,
}

impl Mistake {
    /// A mistake; the words under the caret say what belongs there.
    pub fn new(place: Place, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { message: message.into(), place, label: label.into(), help: None }
    }

    /// The same mistake with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Something in a file that stops nothing, and that its writer should look at.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(severity(Warning))]
pub struct Caution {
    /// What, a sentence without its period.
    pub message: String,
    #[source_code]
    source_code: NamedSource<String>,
    #[label("{label}")]
    place: Place,
    label: String,
    #[help]
    help: String,
}

impl Caution {
    /// Names the file it is in.
    pub fn new(path: &str, text: &str, place: Place, [message, label, help]: [&str; 3]) -> Self {
        let source_code = NamedSource::new(path, masked(text));
        Self { message: message.into(), source_code, place, label: label.into(), help: help.into() }
    }
}

/// Every mistake in one file, in the order of the file; never empty.
#[derive(Debug, Error, Diagnostic)]
#[error("{path} {}", count(.all.len()))]
#[diagnostic(code(govctl::file))]
pub struct Mistakes {
    /// The file, as given or as embedded.
    pub path: String,
    #[source_code]
    source_code: NamedSource<String>,
    /// The mistakes.
    #[related]
    pub all: Vec<Mistake>,
}

impl Mistakes {
    /// Names the file the mistakes are in, and sorts them by place.
    pub fn new(path: &str, text: &str, mut all: Vec<Mistake>) -> Self {
        all.sort_by_key(|mistake| mistake.place.offset());
        // A mistake quotes what it is about.
        for mistake in &mut all {
            mistake.message = masked(&mistake.message);
            mistake.label = masked(&mistake.label);
            mistake.help = mistake.help.as_deref().map(masked);
        }
        Self { path: path.to_owned(), source_code: NamedSource::new(path, masked(text)), all }
    }

    /// Without the picture, for a line of a report: `checks/a/b.yaml:17:37: no such column: x`.
    pub fn in_words(&self) -> String {
        let mut words = String::new();
        for mistake in &self.all {
            let before = &self.source_code.inner()[..mistake.place.offset()];
            let (line, column) =
                (before.matches('\n').count() + 1, before.chars().rev().take_while(|c| *c != '\n').count() + 1);
            let separator = if words.is_empty() { "" } else { "; " };
            let _ = write!(words, "{separator}{}:{line}:{column}: {}", self.path, mistake.message);
        }
        words
    }
}

/// The text as it may be shown, each byte where it was: a file about secrets may hold one.
fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for hit in Rules::own().find(text, Kind::Text).into_iter().filter(|hit| hit.rule.is_some()) {
        shown.push_str(&text[at..hit.place.start]);
        for c in text[hit.place.clone()].chars() {
            if c == '\n' { shown.push(c) } else { shown.push_str(&"*".repeat(c.len_utf8())) }
        }
        at = hit.place.end;
    }
    shown.push_str(&text[at..]);
    shown
}

fn count(mistakes: usize) -> String {
    if mistakes == 1 { "has a mistake".to_owned() } else { format!("has {mistakes} mistakes") }
}
