//! Stage 4: an append-only, hash-chained log of who did what, with a typed actor, an auditor and a replica.

mod log;

use super::ground::Ground;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Question};

/// What is missing for stage 4.
pub async fn stage4(facts: &mut Facts, _config: &Config) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let ground = Ground::read(facts).await?;
    let mut changes = Vec::new();
    let mut questions = Vec::new();
    log::plan(facts, &ground, &mut changes, &mut questions).await?;
    Ok((changes, questions))
}
