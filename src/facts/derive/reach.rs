//! Who can become whom: the closure over memberships, as PostgreSQL computes it.
//!
//! `roles_is_member_of` in `src/backend/utils/adt/acl.c`: a role holds the privileges of another where a chain of
//! memberships with INHERIT leads there, and may `SET ROLE` to it where a chain with SET does. Before PostgreSQL 16
//! INHERIT is the member's own attribute and SET is implied. The owner of the database is a member of
//! `pg_database_owner` without a row saying so; superusers are members of every role. ADMIN OPTION is held where the
//! role itself or any role it is a member of, by whatever options, was granted it.

use super::catalog::{Catalog, Oid, Role};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// One role another reaches.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Its privileges count at once.
    pub(crate) inherits: bool,
    /// May grant it to others.
    pub(crate) admin: bool,
    /// Roles from the start to this one: the shortest way by which privileges are inherited, else one to `SET ROLE`,
    /// else any.
    pub(crate) path: Vec<Oid>,
    /// The shortest way by which `SET ROLE` to it is allowed.
    pub(crate) set_path: Option<Vec<Oid>>,
}

impl Step {
    /// `SET ROLE` to it is allowed.
    pub(crate) const fn can_set(&self) -> bool {
        self.set_path.is_some()
    }
}

/// The closure of every role.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    steps: HashMap<Oid, BTreeMap<Oid, Step>>,
    superusers: BTreeSet<Oid>,
}

/// One membership, seen from the member.
struct Edge {
    to: Oid,
    inherits: bool,
    sets: bool,
    admin: bool,
}

impl Reach {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let mut edges: HashMap<Oid, Vec<Edge>> = HashMap::new();
        for m in &catalog.memberships {
            let edge = Edge { to: m.role, inherits: m.inherit_option, sets: m.set_option, admin: m.admin_option };
            edges.entry(m.member).or_default().push(edge);
        }
        if let (Some(to), Some(owner)) =
            (catalog.roles.values().find(|r| r.name == "pg_database_owner"), catalog.roles.get(&catalog.database_owner))
        {
            let inherits = catalog.server_version_num >= 160_000 || owner.inherit;
            edges.entry(owner.oid).or_default().push(Edge { to: to.oid, inherits, sets: true, admin: false });
        }
        let steps = catalog.roles.values().map(|role| (role.oid, closure(catalog, role, &edges))).collect();
        let superusers = catalog.roles.values().filter(|r| r.superuser).map(|r| r.oid).collect();
        Self { steps, superusers }
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
        self.is_superuser(role) || self.step(role, other).is_some_and(Step::can_set)
    }

    pub(crate) fn is_superuser(&self, role: Oid) -> bool {
        self.superusers.contains(&role)
    }

    pub(crate) fn step(&self, role: Oid, other: Oid) -> Option<&Step> {
        self.steps.get(&role).and_then(|steps| steps.get(&other))
    }
}

/// Three breadth-first walks, one a right, since a chain must hold its right on every edge. A superuser needs no chain:
/// its memberships are kept, and give it everything.
fn closure(catalog: &Catalog, start: &Role, edges: &HashMap<Oid, Vec<Edge>>) -> BTreeMap<Oid, Step> {
    let any = walk(start.oid, edges, |_| true);
    let mut inherits = walk(start.oid, edges, |edge| start.superuser || edge.inherits);
    let mut sets = walk(start.oid, edges, |edge| start.superuser || edge.sets);
    // ADMIN OPTION counts wherever a member holds it, inherited or not (is_admin_of_role).
    let administered: BTreeSet<Oid> = any
        .keys()
        .flat_map(|member| edges.get(member))
        .flatten()
        .filter(|edge| edge.admin)
        .map(|edge| edge.to)
        .collect();
    // Before PostgreSQL 15 a login administers itself, by granting itself to others.
    let itself = start.login && catalog.server_version_num < 150_000;
    let admin = |role: Oid| start.superuser || if role == start.oid { itself } else { administered.contains(&role) };
    any.into_iter()
        .map(|(role, path)| {
            let set_path = sets.remove(&role);
            let inherited = inherits.remove(&role);
            let step = Step {
                inherits: inherited.is_some(),
                admin: admin(role),
                path: inherited.or_else(|| set_path.clone()).unwrap_or(path),
                set_path,
            };
            (role, step)
        })
        .collect()
}

/// The shortest path to every role over the edges that are allowed.
fn walk(start: Oid, edges: &HashMap<Oid, Vec<Edge>>, allowed: impl Fn(&Edge) -> bool) -> BTreeMap<Oid, Vec<Oid>> {
    let mut paths = BTreeMap::from([(start, vec![start])]);
    let mut queue = VecDeque::from([start]);
    while let Some(role) = queue.pop_front() {
        for edge in edges.get(&role).into_iter().flatten().filter(|edge| allowed(edge)) {
            if !paths.contains_key(&edge.to) {
                let path = paths[&role].iter().copied().chain([edge.to]).collect();
                paths.insert(edge.to, path);
                queue.push_back(edge.to);
            }
        }
    }
    paths
}

/// `agent_ro → ops → admin`.
pub(crate) fn path_text(catalog: &Catalog, path: &[Oid]) -> String {
    let names: Vec<&str> =
        path.iter().map(|oid| catalog.roles.get(oid).map_or("PUBLIC", |role| role.name.as_str())).collect();
    names.join(" → ")
}
