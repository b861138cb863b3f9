//! Who may connect, and what for: the callers every verdict is about.

use super::catalog::{Catalog, Grant, Oid, PUBLIC, Role};
use super::purposes::RolePurpose;
use super::reach::Reach;
use std::collections::{BTreeMap, BTreeSet};

/// What kind of caller a principal is; the names of the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Superuser,
    Login,
    Unused,
    Public,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Superuser => "superuser",
            Self::Login => "login",
            Self::Unused => "unused",
            Self::Public => "public",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) role: Oid,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) purpose: &'static str,
}

/// Every login, every role that waits for one, and PUBLIC where nobody else would show what it may do.
pub(crate) fn find(catalog: &Catalog, reach: &Reach, purposes: &BTreeMap<Oid, RolePurpose>) -> Vec<Principal> {
    let logins: Vec<&Role> = catalog.roles.values().filter(|r| r.login && !r.name.starts_with("pg_")).collect();
    let usable =
        |login: &Role| reach.of(login.oid).filter(|(_, step)| step.inherits || step.can_set()).map(|(to, _)| to);
    let reached: BTreeSet<Oid> = logins.iter().filter(|r| !r.superuser).copied().flat_map(usable).collect();
    let owner = |grant: &Grant| match grant.object_kind.as_str() {
        "relation" | "column" => catalog.relations.get(&grant.object).map(|r| r.owner),
        "function" => catalog.functions.get(&grant.object).map(|f| f.owner),
        _ => None,
    };
    let by_others = catalog.grants.iter().filter(|grant| owner(grant).is_some_and(|owner| owner != grant.grantee));
    let granted: BTreeSet<Oid> = by_others.map(|grant| grant.grantee).collect();
    let principal = |role: &Role, kind: Kind| {
        let purpose = purposes.get(&role.oid).map_or("unknown", RolePurpose::name);
        Principal { role: role.oid, name: role.name.clone(), kind, purpose }
    };
    let kind = |role: &Role, otherwise: Kind| if role.superuser { Kind::Superuser } else { otherwise };
    let mut principals: Vec<Principal> = logins.iter().map(|r| principal(r, kind(r, Kind::Login))).collect();
    let waiting = catalog
        .roles
        .values()
        .filter(|r| !r.login && r.provenance != "system" && granted.contains(&r.oid) && !reached.contains(&r.oid));
    principals.extend(waiting.map(|r| principal(r, kind(r, Kind::Unused))));
    if principals.iter().all(|p| p.kind == Kind::Superuser) {
        principals.push(Principal { role: PUBLIC, name: "PUBLIC".into(), kind: Kind::Public, purpose: "unknown" });
    }
    principals
}
