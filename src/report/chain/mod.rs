//! Reports of hash chains, said in one format; decides nothing.

mod github;
mod human;
mod json;
mod junit;
mod sarif;

use super::{Format, Settings};
use crate::chain::verdict::ChainReport;
use std::io;

/// The formats chains are said in.
pub const FORMATS: [Format; 5] = [Format::Human, Format::Json, Format::Sarif, Format::Junit, Format::Github];

/// Writes the reports in one format; in words where there is none of that kind for chains.
///
/// # Errors
/// Those of the writer.
pub fn write(format: Format, reports: &[ChainReport], settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Json => json::write(reports, settings, to),
        Format::Sarif => sarif::write(reports, settings, to),
        Format::Junit => junit::write(reports, to),
        Format::Github => github::write(reports, to),
        Format::Human | Format::Markdown | Format::Html | Format::Oscal => {
            to.write_all(human::render(reports, settings).as_bytes())
        }
    }
}
