//! What an agent may become, as a graph: its roles, how far away each is, and what each of them is allowed.

use crate::error::Stop;
use crate::facts::Facts;
use std::collections::{BTreeMap, BTreeSet};

/// Graphs drawn at most; a product with more agents than this is better read as facts.
const MOST: usize = 24;

/// One agent, and every role it reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleGraph {
    /// The login.
    pub agent: String,
    /// The agent first, then by distance and name.
    pub nodes: Vec<RoleNode>,
    /// Memberships between them.
    pub edges: Vec<RoleEdge>,
}

/// A role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleNode {
    /// Its name.
    pub name: String,
    /// Memberships from the agent to it, on the way that was found.
    pub distance: usize,
    /// What makes it powerful: `superuser`, `bypassrls`, `createrole`, `owns 3 relations`.
    pub powers: Vec<String>,
}

/// A membership, from the member to the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleEdge {
    /// Index of the member.
    pub from: usize,
    /// Index of the role.
    pub to: usize,
    /// Its rights count at once; else it takes a SET ROLE.
    pub inherits: bool,
}

type Reached = (i64, String, i64, String, bool, bool, bool, bool, i64);

/// A graph for every login known to be an agent's.
pub(super) async fn of_agents(facts: &mut Facts) -> Result<Vec<RoleGraph>, Stop> {
    let rows: Vec<Reached> = sqlx::query_as(
        "select p.role, p.name, r.oid, reach.path, r.superuser, r.bypass_rls, r.create_role, r.replication,
                (select count(*) from relations o where o.owner = r.oid and o.provenance = 'user')
         from principals p
         join role_reach reach on reach.role = p.role and (reach.inherits = 1 or reach.can_set = 1 or reach.reaches = p.role)
         join roles r on r.oid = reach.reaches
         where p.purpose = 'agent' and p.kind in ('login', 'superuser')
         order by p.name, r.name",
    )
    .fetch_all(facts.connection())
    .await?;
    let members: Vec<(i64, i64, bool)> = sqlx::query_as(
        "select member, role, max(inherit_option) from memberships group by member, role order by member, role",
    )
    .fetch_all(facts.connection())
    .await?;
    let mut names: BTreeMap<i64, String> = BTreeMap::new();
    let roles: Vec<(i64, String)> = sqlx::query_as("select oid, name from roles").fetch_all(facts.connection()).await?;
    names.extend(roles);

    let mut agents: BTreeMap<(String, i64), Vec<Reached>> = BTreeMap::new();
    for row in rows {
        agents.entry((row.1.clone(), row.0)).or_default().push(row);
    }
    let graphs =
        agents.into_iter().take(MOST).map(|((agent, role), reached)| graph(agent, role, reached, &members, &names));
    Ok(graphs.collect())
}

fn graph(
    agent: String,
    role: i64,
    reached: Vec<Reached>,
    members: &[(i64, i64, bool)],
    names: &BTreeMap<i64, String>,
) -> RoleGraph {
    let mut nodes: Vec<(i64, RoleNode)> = reached
        .into_iter()
        .map(|(_, _, oid, path, superuser, bypass_rls, create_role, replication, owns)| {
            let flags = [
                (superuser, "superuser"),
                (bypass_rls, "bypassrls"),
                (create_role, "createrole"),
                (replication, "replication"),
            ];
            let mut powers: Vec<_> = flags.into_iter().filter(|(is, _)| *is).map(|(_, word)| word.to_owned()).collect();
            if owns > 0 {
                powers.push(if owns == 1 { "owns 1 relation".to_owned() } else { format!("owns {owns} relations") });
            }
            let distance = if oid == role { 0 } else { path.matches(" → ").count().max(1) };
            (oid, RoleNode { name: names.get(&oid).cloned().unwrap_or_default(), distance, powers })
        })
        .collect();
    nodes.sort_by(|(_, a), (_, b)| (a.distance, &a.name).cmp(&(b.distance, &b.name)));
    let at: BTreeMap<i64, usize> = nodes.iter().enumerate().map(|(at, (oid, _))| (*oid, at)).collect();
    let edges: BTreeSet<_> = members
        .iter()
        .filter_map(|(member, role, inherits)| {
            Some(RoleEdge { from: *at.get(member)?, to: *at.get(role)?, inherits: *inherits })
        })
        .collect();
    RoleGraph { agent, nodes: nodes.into_iter().map(|(_, node)| node).collect(), edges: edges.into_iter().collect() }
}
