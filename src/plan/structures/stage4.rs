//! Stage 4: an append-only, hash-chained log of who did what, with a typed actor, an auditor and a replica; and
//! references in the place of secrets.

mod log;
mod references;
mod upgrade;

use super::ground::Ground;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Question};

/// What is missing for stage 4.
pub async fn stage4(facts: &mut Facts, config: &Config) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let ground = Ground::read(facts).await?;
    let mut changes = Vec::new();
    let mut questions = Vec::new();
    log::plan(facts, &ground, &mut changes, &mut questions).await?;
    references::plan(facts, config, &ground, &mut changes, &mut questions).await?;
    Ok((changes, questions))
}

pub(crate) use log::payload_tag;

/// The schema in which logins are registered as actors, or will be.
pub(crate) async fn log_schema(facts: &mut Facts, ground: &Ground) -> Result<Option<String>, Stop> {
    let found: Option<String> =
        sqlx::query_scalar("select schema from functions where name = 'session_actor' and signature = '' limit 1")
            .fetch_optional(facts.connection())
            .await?;
    if found.is_some() {
        return Ok(found);
    }
    let logs: Option<i64> = sqlx::query_scalar("select 1 from event_logs where purpose = 'audit' limit 1")
        .fetch_optional(facts.connection())
        .await?;
    Ok(logs.is_none().then(|| log::schema(&ground.schemas).to_owned()))
}
