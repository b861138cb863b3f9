//! What a stage needs and the database has not: tables, columns and what belongs to them.
//!
//! The facts may be those of a copy on which earlier changes ran: each structure looks at what exists, under whatever
//! name, and adds what is missing.

mod ground;
mod key;
mod stage4;
mod template;
mod tenants;

pub use stage4::stage4;

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
    let mut all = tenants::missing(facts, config).await?;
    let mut add = |(changes, questions): (Vec<Change>, Vec<Question>)| {
        all.0.extend(changes);
        all.1.extend(questions);
    };
    add((key::missing(facts).await?, Vec::new()));
    if goal >= 4 {
        add(stage4(facts, config).await?);
    }
    Ok(all)
}
