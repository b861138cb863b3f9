//! Reports of hash chains, said in one format; decides nothing.

mod human;
mod json;

use super::{Format, Settings};
use crate::chain::verdict::ChainReport;
use std::io;

/// Writes the reports in one format.
///
/// # Errors
/// Those of the writer.
pub fn write(format: Format, reports: &[ChainReport], settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Human => to.write_all(human::render(reports, settings).as_bytes()),
        Format::Json => json::write(reports, settings, to),
    }
}
