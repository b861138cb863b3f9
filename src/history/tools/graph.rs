//! Migrations that name what they come after: Alembic's and Django's.

use super::Planned;
use std::collections::{BTreeMap, BTreeSet};

/// A migration, its own name in the graph, and the names it comes after.
pub(super) type Node = (Planned, String, Vec<String>);

/// In an order in which each comes after all it names; among those that may be next, the earliest by date and path.
/// Names that are not in the graph do not count, and a circle is cut where it is found.
pub(super) fn ordered(nodes: Vec<Node>) -> Vec<Planned> {
    let known: BTreeSet<_> = nodes.iter().map(|(_, name, _)| name.clone()).collect();
    let mut after: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut waits: Vec<usize> = vec![0; nodes.len()];
    for (at, (_, _, parents)) in nodes.iter().enumerate() {
        for parent in parents.iter().filter(|parent| known.contains(*parent)) {
            after.entry(parent.clone()).or_default().push(at);
            waits[at] += 1;
        }
    }
    let key = |at: usize| {
        let (planned, ..) = &nodes[at];
        (planned.dated.as_ref().map(|dated| dated.at), planned.path.clone(), at)
    };
    let mut ready: BTreeSet<_> = (0..nodes.len()).filter(|at| waits[*at] == 0).map(key).collect();
    let mut order = Vec::new();
    let mut left: BTreeSet<usize> = (0..nodes.len()).collect();
    while !left.is_empty() {
        let next = ready.pop_first().map_or_else(|| *left.first().expect("some are left"), |(.., at)| at);
        if !left.remove(&next) {
            continue;
        }
        order.push(next);
        for &child in after.get(&nodes[next].1).into_iter().flatten() {
            waits[child] = waits[child].saturating_sub(1);
            if waits[child] == 0 {
                ready.insert(key(child));
            }
        }
    }
    let mut nodes: Vec<_> = nodes.into_iter().map(|(planned, ..)| Some(planned)).collect();
    order.into_iter().filter_map(|at| nodes[at].take()).collect()
}
