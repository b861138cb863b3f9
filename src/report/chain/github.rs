//! GitHub's workflow commands: an annotation for each break, a warning for what is undecided.

use crate::chain::verdict::{ChainReport, Verdict};
use crate::report::github::{data, property};
use crate::ui::clean::clean;
use std::io;

pub(super) fn write(reports: &[ChainReport], to: &mut dyn io::Write) -> io::Result<()> {
    for report in reports {
        for it in &report.breaks {
            let title = property(&clean(&format!("{} is broken: {}", report.table, it.kind)));
            writeln!(to, "::error title={title}::{}", data(&clean(&format!("at {}: {}", it.at, it.detail))))?;
        }
        if report.verdict == Verdict::Undecided {
            let (why, needs) = (report.why.as_deref().unwrap_or_default(), report.needs.as_deref().unwrap_or_default());
            let title = property(&clean(&format!("{} could not be decided", report.table)));
            writeln!(to, "::warning title={title}::{}", data(&clean(&format!("{why}; needs: {needs}"))))?;
        }
    }
    Ok(())
}
