//! What SQL over a catalog cannot say, computed and written back as facts.

mod catalog;
mod policy;
mod privileges;
mod reach;
mod tenancy;

use super::Facts;
use crate::config::Config;
use crate::error::Stop;

/// Fills part 2 of the schema from part 1.
pub async fn derive(_facts: &mut Facts, _config: &Config) -> Result<(), Stop> {
    Ok(())
}
