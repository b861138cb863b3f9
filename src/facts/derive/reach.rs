//! Who can become whom: the closure over memberships, as PostgreSQL computes it.
//!
//! `roles_is_member_of` in `src/backend/utils/adt/acl.c`: a role holds the privileges of another where a chain of
//! memberships with INHERIT leads there, and may `SET ROLE` to it where a chain with SET does. Before PostgreSQL 16
//! INHERIT is the member's own attribute and SET is implied. The owner of the database is a member of
//! `pg_database_owner` without a row saying so; superusers are members of every role.

use super::catalog::{Catalog, Oid};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// One role another reaches.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Its privileges count at once.
    pub(crate) inherits: bool,
    /// `SET ROLE` to it is allowed.
    pub(crate) can_set: bool,
    /// May grant it to others.
    pub(crate) admin: bool,
    /// Roles from the start to this one, the shortest way with the strongest of the three rights.
    pub(crate) path: Vec<Oid>,
}

/// The closure of every role.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    steps: HashMap<Oid, BTreeMap<Oid, Step>>,
    superusers: Vec<Oid>,
}

impl Reach {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let mut edges: HashMap<Oid, Vec<(Oid, bool, bool, bool)>> = HashMap::new();
        for m in &catalog.memberships {
            edges.entry(m.member).or_default().push((m.role, m.inherit_option, m.set_option, m.admin_option));
        }
        // Since PostgreSQL 14 the owner of the database belongs to pg_database_owner implicitly.
        if let Some(role) = catalog.roles.values().find(|r| r.name == "pg_database_owner") {
            edges.entry(catalog.database_owner).or_default().push((role.oid, true, true, false));
        }
        let steps = catalog.roles.keys().map(|&role| (role, Self::from(role, &edges))).collect();
        let superusers = catalog.roles.values().filter(|r| r.superuser).map(|r| r.oid).collect();
        Self { steps, superusers }
    }

    /// Three breadth-first walks, one a right, since a chain must hold its right on every edge.
    fn from(start: Oid, edges: &HashMap<Oid, Vec<(Oid, bool, bool, bool)>>) -> BTreeMap<Oid, Step> {
        let walk = |allowed: &dyn Fn(&(Oid, bool, bool, bool)) -> bool| -> BTreeMap<Oid, Vec<Oid>> {
            let mut paths = BTreeMap::from([(start, vec![start])]);
            let mut queue = VecDeque::from([start]);
            while let Some(role) = queue.pop_front() {
                for edge in edges.get(&role).into_iter().flatten().filter(|edge| allowed(edge)) {
                    if !paths.contains_key(&edge.0) {
                        let mut path = paths[&role].clone();
                        path.push(edge.0);
                        paths.insert(edge.0, path);
                        queue.push_back(edge.0);
                    }
                }
            }
            paths
        };
        let any = walk(&|_| true);
        let inherits = walk(&|edge| edge.1);
        let sets = walk(&|edge| edge.2);
        // ADMIN OPTION counts where its holder's privileges are inherited (is_admin_of_role).
        let admin_of = |role: Oid| {
            edges.iter().any(|(member, to)| any.contains_key(member) && to.iter().any(|edge| edge.0 == role && edge.3))
        };
        any.iter()
            .map(|(&role, path)| {
                let path = inherits.get(&role).or_else(|| sets.get(&role)).unwrap_or(path).clone();
                let step = Step {
                    inherits: inherits.contains_key(&role),
                    can_set: sets.contains_key(&role),
                    admin: role != start && admin_of(role),
                    path,
                };
                (role, step)
            })
            .collect()
    }

    /// Every role `role` is a member of, itself included.
    pub(crate) fn of(&self, role: Oid) -> impl Iterator<Item = (Oid, &Step)> {
        self.steps.get(&role).into_iter().flatten().map(|(&to, step)| (to, step))
    }

    /// `pg_has_role(role, other, 'USAGE')`.
    pub(crate) fn has_privileges_of(&self, role: Oid, other: Oid) -> bool {
        self.is_superuser(role) || self.step(role, other).is_some_and(|s| s.inherits)
    }

    /// `pg_has_role(role, other, 'MEMBER')`.
    pub(crate) fn is_member(&self, role: Oid, other: Oid) -> bool {
        self.is_superuser(role) || self.step(role, other).is_some()
    }

    /// `pg_has_role(role, other, 'SET')`; before PostgreSQL 16 the same as MEMBER.
    pub(crate) fn can_set(&self, role: Oid, other: Oid) -> bool {
        self.is_superuser(role) || self.step(role, other).is_some_and(|s| s.can_set)
    }

    pub(crate) fn is_superuser(&self, role: Oid) -> bool {
        self.superusers.contains(&role)
    }

    pub(crate) fn step(&self, role: Oid, other: Oid) -> Option<&Step> {
        self.steps.get(&role).and_then(|steps| steps.get(&other))
    }
}

/// `agent_ro → ops → admin`.
pub(crate) fn path_text(catalog: &Catalog, path: &[Oid]) -> String {
    let names: Vec<&str> =
        path.iter().map(|oid| catalog.roles.get(oid).map_or("PUBLIC", |role| role.name.as_str())).collect();
    names.join(" → ")
}
