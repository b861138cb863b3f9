//! The answers to the other three questions.

use super::ground::{Ground, Verdicts};
use super::{Answer, Found};
use crate::assess::scene::counted;
use crate::check::Axis;

/// Ways shown of one agent.
const SHOWN: usize = 3;

/// Known where the roles are, and no agent becomes what it should not.
pub(super) fn rbac(ground: &Ground<'_>) -> Found {
    let verdicts = ground.verdicts(Axis::Rbac);
    let roles = ground.roles;
    let found = decided(&verdicts).unwrap_or_else(|| {
        if roles.agents.is_empty() {
            return nobody(ground);
        }
        let (agents, ways) = (roles.agents.len(), roles.agents.values().map(Vec::len).sum::<usize>());
        let others = if ways == 0 { "none of the others".to_owned() } else { counted(ways, "other role") };
        let all = counted(roles.roles, "role");
        Found::new(
            Answer::Yes,
            format!("{all}, of which {} may become {others}{}", counted(agents, "agent login"), verdicts.lesser()),
        )
    });
    Found { evidence: impersonation(ground), ..found }
}

/// What a prompt holds is nowhere in a database: without a word from whoever wrote it, the best answer is "unsure".
pub(super) fn secret_separation(ground: &Ground<'_>) -> Found {
    let verdicts = ground.verdicts(Axis::SecretSeparation);
    decided(&verdicts).unwrap_or_else(|| {
        if ground.roles.agents.is_empty() {
            return nobody(ground);
        }
        let why = "the database gives its agents no secret; what else is in their context only a person can say";
        Found::new(Answer::Unsure, format!("{why}{}", verdicts.lesser())).beyond_database()
    })
}

/// Every action of an agent, for one customer, in one month.
pub(super) fn audit(ground: &Ground<'_>) -> Found {
    let verdicts = ground.verdicts(Axis::Audit);
    decided(&verdicts)
        .unwrap_or_else(|| Found::new(Answer::Yes, format!("every check of the axis passes{}", verdicts.lesser())))
}

/// The answer, where the verdicts give it: `no` with the worst, or `unsure` with what stayed open.
fn decided(verdicts: &Verdicts<'_>) -> Option<Found> {
    if let Some(serious) = verdicts.serious() {
        return Some(Found::new(Answer::No, serious));
    }
    let open = verdicts.open()?;
    let found = Found::new(Answer::Unsure, open);
    // Where nothing was looked at at all, a person's word is better than none.
    Some(if verdicts.count == 0 && verdicts.left_out == 0 { found.beyond_database() } else { found })
}

fn nobody(ground: &Ground<'_>) -> Found {
    let logins = counted(ground.scene.logins, "login");
    Found::new(Answer::Unsure, format!("none of {logins} is known to be an agent's")).beyond_database()
}

/// What each agent may become, shortest ways first.
fn impersonation(ground: &Ground<'_>) -> Vec<String> {
    let one = |(agent, ways): (&String, &Vec<String>)| {
        if ways.is_empty() {
            return format!("{agent} may become no other role");
        }
        let mut ways: Vec<_> = ways.iter().collect();
        ways.sort_by_key(|way| (way.matches('→').count(), *way));
        let more = ways.len().saturating_sub(SHOWN);
        let shown = ways.iter().take(SHOWN).map(|way| way.as_str()).collect::<Vec<_>>().join(", ");
        if more == 0 { shown } else { format!("{shown} and {more} more") }
    };
    ground.roles.agents.iter().map(one).collect()
}
