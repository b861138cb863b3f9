//! The answers to the other three questions.

use super::ground::{Ground, Verdicts};
use super::{Answer, Found};
use crate::assess::scene::{Tenancy, counted};
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
    // What a superuser reads is no column's to tell: the hashes of all passwords, the files of the server.
    if verdicts.serious().is_none() && !ground.roles.superusers.is_empty() {
        let names = ground.roles.superusers.join(", ");
        return Found::new(
            Answer::No,
            format!("as a superuser, every row and every password's hash is open to {names}"),
        );
    }
    decided(&verdicts).unwrap_or_else(|| {
        if ground.roles.agents.is_empty() {
            return nobody(ground);
        }
        let why = "the database gives its agents no secret; what else is in their context only a person can say";
        Found::new(Answer::Unsure, format!("{why}{}", verdicts.lesser())).beyond_database()
    })
}

/// Every action of an agent, for one customer, in one month: from a table that says who, what, when and for whom, in which
/// an agent is an actor of its own.
pub(super) fn audit(ground: &Ground<'_>) -> Found {
    let verdicts = ground.verdicts(Axis::Audit);
    let found = || {
        let single = ground.scene.tenancy == Tenancy::Single;
        let Some(best) = ground.logs.iter().min_by_key(|log| (log.lacks(single).len(), log.names_agent != Some(true)))
        else {
            let none = "no table records who did what";
            return if ground.logs_hidden {
                Found::new(Answer::Unsure, format!("{none}, as far as could be seen"))
            } else {
                Found::new(Answer::No, none)
            };
        };
        let lacks = best.lacks(single);
        if !lacks.is_empty() {
            return Found::new(Answer::No, format!("{} does not say {}", best.name, lacks.join(" or ")));
        }
        match best.names_agent {
            Some(false) => Found::new(Answer::No, format!("no agent is an actor of its own in {}", best.name)),
            None => {
                let why = format!("{} says who acted, and not whether that was an agent or a user", best.name);
                Found::new(Answer::Unsure, why).beyond_database()
            }
            Some(true) => decided(&verdicts).unwrap_or_else(|| {
                let lesser = verdicts.lesser();
                Found::new(Answer::Yes, format!("from {}: agents are actors of their own there{lesser}", best.name))
            }),
        }
    };
    // Something serious says more than what the columns lack, and a table that is not there more than what was not run.
    let found = match verdicts.serious() {
        Some(serious) => Found::new(Answer::No, serious),
        None => found(),
    };
    let evidence = ground.logs.iter().take(SHOWN).map(|log| format!("{}: {}", log.name, log.reason)).collect();
    Found { evidence, ..found }
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
        if ground.roles.superusers.contains(agent) {
            return format!("{agent} may become every role, as a superuser");
        }
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
