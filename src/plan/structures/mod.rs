//! What a stage needs and the database has not: tables, columns and what belongs to them.
//!
//! Each looks at what is there, by whatever name, and adds the rest.

mod key;
mod tenants;

use super::change::{Change, Question};
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;

/// What is missing for the stages from 2 up to the goal, in order.
pub(crate) async fn missing(
    goal: u8,
    facts: &mut Facts,
    config: &Config,
) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let mut changes = Vec::new();
    let mut questions = Vec::new();
    if goal >= 2 {
        let (mut more, mut asked) = tenants::missing(facts, config).await?;
        changes.append(&mut more);
        questions.append(&mut asked);
        changes.extend(key::missing(facts).await?);
    }
    Ok((changes, questions))
}
//! What a stage has and the database lacks, as changes: looked up in the facts, written from templates.
//!
//! The facts may be those of a copy on which earlier changes ran: each structure looks at what exists, under whatever
//! name, and adds what is missing.

mod ground;
mod stage4;
mod template;

pub use stage4::stage4;
