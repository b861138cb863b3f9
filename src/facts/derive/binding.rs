//! Whether row security filters what a role sees and writes in a relation.

use super::catalog::{Catalog, Oid, Relation};
use super::reach::Reach;

/// Why row security does not bind this role here, if so: `check_enable_rls` in `src/backend/utils/misc/rls.c`.
pub(crate) fn unbound(catalog: &Catalog, reach: &Reach, role: Oid, relation: &Relation) -> Option<&'static str> {
    if reach.is_superuser(role) {
        Some("superuser")
    } else if !relation.rls {
        Some("rls off")
    } else if catalog.roles.get(&role).is_some_and(|r| r.bypass_rls) {
        Some("bypassrls")
    } else if !relation.force_rls && reach.has_privileges_of(role, relation.owner) {
        Some("owner")
    } else {
        None
    }
}
