//! GitHub's workflow commands: each finding an annotation, at the line of the migration that brought it in where that is known.

use super::{Settings, outline};
use crate::assess::{Assessment, Finding};
use crate::check::{Check, Severity};
use crate::ui::clean::clean;
use std::fmt::Write as _;
use std::io;

/// Writes the assessment.
pub(super) fn write(it: &Assessment, settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    let mut text = String::new();
    for (check, finding) in it.findings() {
        annotation(check, finding, settings, &mut text);
    }
    for (check, cause) in it.undecided() {
        let message = format!("could not be decided: {}; needs {}", clean(&cause.what), clean(&cause.needs));
        let title = property(&format!("{} undecided", check.id));
        let _ = writeln!(text, "::warning title={title}::{}", data(&message));
    }
    for line in outline::waived(it) {
        let _ = writeln!(text, "::notice title=waived::{}", data(&clean(&line)));
    }
    // What is not a command is text in the log; the word at its start keeps it from becoming one.
    let _ = writeln!(text, "govctl: {}", outline::counts(it));
    to.write_all(text.as_bytes())
}

fn annotation(check: &Check, finding: &Finding, settings: &Settings, to: &mut String) {
    let command = match finding.severity {
        severity if severity < settings.fail_on => "notice",
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "notice",
    };
    let mut properties = String::new();
    if let Some(introduced) = &finding.introduced {
        let _ = write!(properties, "file={},line={},", property(&clean(&introduced.path)), introduced.line);
    }
    let _ = write!(properties, "title={}", property(&format!("{} {}", finding.severity, check.id)));
    let short = &finding.fingerprint.0[..16];
    let message = format!("{} [{short}]", clean(&outline::message(finding)));
    let way_out = finding.fix.as_ref().map(|fix| {
        let lines: Vec<_> = crate::ui::clean::clean_lines(fix).map(|line| line.into_owned()).collect();
        format!("\nfix: {}", lines.join("\n"))
    });
    let _ = writeln!(to, "::{command} {properties}::{}", data(&(message + &way_out.unwrap_or_default())));
}

/// As @actions/core escapes what follows the second `::`.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// And what stands in a property.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
