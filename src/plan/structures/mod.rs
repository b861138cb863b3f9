//! What a stage needs and the database has not: tables, columns and what belongs to them.
//!
//! The facts may be those of a copy on which earlier changes ran: each structure looks at what exists, under whatever
//! name, and adds what is missing.

mod circle;
mod endless;
mod everybody;
mod floor;
mod ground;
mod holders;
mod key;
mod lookup;
mod nullable;
mod orphans;
mod place;
mod role;
mod stage3;
mod stage4;
mod stage5;
mod template;
mod tenants;
mod through;
mod twins;
mod way;

pub(crate) use endless::{endless, unforced};
pub(crate) use everybody::{meant, spared};
pub(crate) use ground::Deployer;
pub(crate) use key::to_be_keyed;
pub(crate) use lookup::{alter_first, spare};
pub(crate) use orphans::{Hop, Uncertain, asked, scalar, uncertain};
pub use stage3::stage3;
pub use stage4::stage4;
pub(crate) use stage4::{Changeable, changeable, sealed, unsealed};
pub use stage5::stage5;
pub(crate) use tenants::referred_to;
pub(crate) use twins::schema_a_tenant;

use super::change::{Change, Question};
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::ddl::Name;
use std::collections::BTreeSet;

/// What is missing for the stages from 2 up to the goal, in order.
///
/// `logs_grow`: columns are added to a log now; what its hash covers is settled once they are there. `changeable`: logs whose
/// rows may be changed before the plan. `bound`: tables whose owner policies bind before the plan.
pub(crate) async fn missing(
    goal: u8,
    logs_grow: bool,
    changeable: &Changeable,
    bound: &BTreeSet<Name>,
    facts: &mut Facts,
    config: &Config,
) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let round = circle::missing(facts).await?;
    if !round.0.is_empty() {
        // Nothing that reads them can be tried before.
        return Ok(round);
    }
    let (mut changes, mut questions) = tenants::missing(bound, facts, config).await?;
    if !changes.is_empty() {
        // Who a tenant is comes first; the next look at the facts sees the rest.
        return Ok((changes, questions));
    }
    let (first, after) = nullable::missing(bound, facts).await?;
    changes.extend(first);
    changes.extend(key::missing(bound, facts).await?);
    changes.extend(after);
    changes.extend(floor::missing(facts).await?);
    let (shown, asked) = everybody::missing(facts, config).await?;
    changes.extend(shown);
    questions.extend(asked);
    changes.extend(lookup::missing(facts).await?);
    let mut add = |(more, asked): (Vec<Change>, Vec<Question>)| {
        changes.extend(more);
        questions.extend(asked);
    };
    if goal >= 3 {
        add(stage3(facts, config).await?);
        if goal == 3 {
            add(stage4::searches(facts).await?);
        }
    }
    if goal >= 4 && !logs_grow {
        add(stage4::after(facts, config, changeable).await?);
    }
    if goal >= 5 {
        add(stage5(facts, config).await?);
    }
    Ok((changes, questions))
}
