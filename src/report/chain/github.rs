//! GitHub's workflow commands: an annotation for each break, a warning for what is undecided.

use crate::chain::verdict::{ChainReport, Verdict};
use crate::ui::clean::clean;
use std::io;

pub(super) fn write(reports: &[ChainReport], to: &mut dyn io::Write) -> io::Result<()> {
    for report in reports {
        for it in &report.breaks {
            let title =
                data(&format!("{} is broken: {}", report.table, it.kind)).replace(':', "%3A").replace(',', "%2C");
            writeln!(to, "::error title={title}::{}", data(&format!("at {}: {}", it.at, it.detail)))?;
        }
        if report.verdict == Verdict::Undecided {
            let (why, needs) = (report.why.as_deref().unwrap_or_default(), report.needs.as_deref().unwrap_or_default());
            let title = data(&format!("{} could not be decided", report.table)).replace(':', "%3A").replace(',', "%2C");
            writeln!(to, "::warning title={title}::{}", data(&format!("{why}; needs: {needs}")))?;
        }
    }
    Ok(())
}

/// Lines and per cents are escaped, and nothing begins a command of its own.
fn data(text: &str) -> String {
    clean(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
