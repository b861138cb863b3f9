//! An assessment, said in one format; decides nothing.

pub mod chain;
mod diff;
mod github;
mod html;
mod human;
mod json;
mod junit;
mod markdown;
mod oscal;
mod outline;
pub(crate) mod plan;
mod regimes;
mod sarif;
pub(crate) mod stage;

use crate::assess::Assessment;
use crate::check::Severity;
use crate::diff::Diff;
use crate::exit::Exit;
use crate::ui::Look;
use std::io;

/// How an assessment can be said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal
    #[default]
    Human,
    /// For programs; govctl.diagnose/1 and its siblings
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit's XML, for CI servers
    Junit,
    /// Annotations of a GitHub workflow
    Github,
    /// For a pull request
    Markdown,
    /// One page for a browser, without scripts
    Html,
    /// NIST's OSCAL assessment results
    Oscal,
}

/// What a report may depend on beside the assessment. None of it changes what was found.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What the reader's terminal, or file, can show.
    pub look: Look,
    /// Every object, where otherwise five are.
    pub all: bool,
    /// The counts alone.
    pub quiet: bool,
    /// From where on a finding counts for the exit code.
    pub fail_on: Severity,
    /// What is undecided does not count for the exit code.
    pub allow_undecided: bool,
    /// It was compared with a baseline.
    pub baseline: bool,
    /// How the process will end.
    pub exit: Exit,
}

/// Writes the assessment in one format.
///
/// # Errors
/// Those of the writer.
pub fn write(format: Format, it: &Assessment, settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Human => to.write_all(human::render(it, settings).as_bytes()),
        Format::Json => json::write(it, settings, to),
        Format::Sarif => sarif::write(it, settings, to),
        Format::Junit => junit::write(it, settings, to),
        Format::Github => github::write(it, settings, to),
        Format::Markdown => markdown::write(it, settings, to),
        Format::Html => html::write(it, settings, to),
        Format::Oscal => oscal::write(it, settings, to),
    }
}

/// Writes any document as JSON for people and programs: indented, and without a byte that would steer a terminal.
///
/// # Errors
/// Those of the writer.
pub fn write_json(document: &impl serde::Serialize, to: &mut dyn io::Write) -> io::Result<()> {
    json::document(document, to)
}

/// Writes what lies between two facts files as `govctl.diff/1`.
///
/// # Errors
/// Those of the writer.
pub fn write_diff_json(it: &Diff, exit: Exit, to: &mut dyn io::Write) -> io::Result<()> {
    diff::write(it, exit, to)
}

/// The same for a terminal.
pub fn diff_screen(it: &Diff, all: bool, quiet: bool, look: &Look) -> String {
    diff::screen(it, all, quiet, look)
}

/// The controls a check bears on, a line a framework: `NIST AC-3, AC-4`.
pub fn controls(check: &crate::check::Check) -> Vec<String> {
    check.controls.iter().map(|(key, ids)| format!("{} {}", outline::framework(key), ids.join(", "))).collect()
}

#[cfg(test)]
mod tests;
