//! The exposure matrix (TI-10): every relation a principal can read, and why row security does or does not bind it there.

use super::binding::unbound;
use super::catalog::{Catalog, Oid, Relation};
use super::policy::World;
use super::principals::Principal;
use super::privileges::{Held, SELECT};
use super::reach::path_text;
use super::verdicts::{Acting, Verdict};
use std::collections::HashMap;
use std::rc::Rc;

/// What one principal reads of one relation.
#[derive(Debug)]
pub(crate) struct Exposure {
    pub(crate) principal: Oid,
    pub(crate) relation: Oid,
    pub(crate) verdict: &'static str,
    pub(crate) as_role: Oid,
    pub(crate) path: String,
    pub(crate) is_tenant_data: bool,
}

/// The matrix, from the verdicts where there are some.
pub(crate) fn find(world: &World<'_>, principals: &[Principal], verdicts: &[Verdict]) -> Vec<Exposure> {
    let selects = verdicts.iter().filter(|v| v.command == "SELECT" && v.verdict != "denied");
    let decided: HashMap<(Oid, Oid), &Verdict> = selects.map(|v| ((v.principal, v.relation), v)).collect();
    let mut matrix = Vec::new();
    for principal in principals {
        let acting = everyone(world, principal);
        for relation in world.catalog.relations.values().filter(|r| r.kind != "sequence") {
            let Some((reader, _)) = acting.iter().find(|(_, held)| may_read(held, relation)) else { continue };
            let verdict = decided.get(&(principal.role, relation.oid)).copied();
            let (as_role, path, verdict) = match (relation.kind.as_str(), verdict) {
                ("foreign table", _) => (reader.role, &reader.path, "foreign table"),
                (_, Some(v)) => (v.as_role, &v.path, in_the_matrix(world.catalog, relation, v.verdict)),
                ("materialized view", None) => (reader.role, &reader.path, "materialized view"),
                ("view", None) if !relation.security_invoker => (reader.role, &reader.path, "definer view"),
                ("view", None) if !world.reach.is_superuser(reader.role) => (reader.role, &reader.path, "bound"),
                (_, None) => {
                    let reason = unbound(world.catalog, world.reach, reader.role, relation).unwrap_or("bound");
                    (reader.role, &reader.path, in_the_matrix(world.catalog, relation, reason))
                }
            };
            matrix.push(Exposure {
                principal: principal.role,
                relation: relation.oid,
                verdict,
                as_role,
                path: path.clone(),
                is_tenant_data: world.tenancy.is_tenant_data(relation.oid),
            });
        }
    }
    matrix
}

/// The principal itself, then every role it may SET ROLE to, however powerful, and what they hold.
fn everyone(world: &World<'_>, principal: &Principal) -> Vec<(Acting, Rc<Held>)> {
    let itself = Acting { role: principal.role, path: principal.name.clone() };
    let others = world.reach.of(principal.role).filter(|(to, _)| *to != principal.role).filter_map(|(role, step)| {
        let path = path_text(world.catalog, step.set_path.as_ref()?);
        Some(Acting { role, path })
    });
    std::iter::once(itself).chain(others).map(|acting| (acting.clone(), world.privileges.of(acting.role))).collect()
}

fn may_read(held: &Held, relation: &Relation) -> bool {
    held.schemas_used.contains(&relation.schema_oid) && held.on_any_column(relation.oid) & SELECT != 0
}

/// A verdict, or the reason why row security does not bind, in the words of the matrix: for what leaks by its very kind
/// the kind says more.
fn in_the_matrix(catalog: &Catalog, relation: &Relation, verdict: &'static str) -> &'static str {
    match (relation.kind.as_str(), verdict) {
        (_, "isolated") => verdict,
        ("materialized view", _) => "materialized view",
        ("view", _) if !relation.security_invoker => "definer view",
        (_, "rls off") if goes_around_parent(catalog, relation) => "partition",
        _ => verdict,
    }
}

/// A partition without row security whose parent, at any height, has some: it binds only who goes by the parent.
fn goes_around_parent(catalog: &Catalog, relation: &Relation) -> bool {
    let above = |child: &Oid| catalog.partition_parents.get(child).copied();
    relation.is_partition
        && std::iter::successors(above(&relation.oid), above)
            .any(|oid| catalog.relations.get(&oid).is_some_and(|parent| parent.rls))
}
