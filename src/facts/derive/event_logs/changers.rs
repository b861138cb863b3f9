//! Who could change or remove rows of a log, were there no trigger: grants first, ownership second.

use super::super::catalog::{Catalog, Oid, PUBLIC};
use super::super::principals::{Kind, Principal};
use super::super::privileges::{DELETE, Held, INSERT, Privileges, Rights, SELECT, TRUNCATE, UPDATE};
use super::super::reach::{Reach, path_text};
use std::rc::Rc;

/// One way in which a principal can do something to a log.
#[derive(Clone, Debug)]
pub(crate) struct Right {
    pub(crate) principal: Oid,
    pub(crate) log: Oid,
    /// The log, or the partition through which it goes.
    pub(crate) relation: Oid,
    pub(crate) command: &'static str,
    /// 'grant' | 'owner'
    pub(crate) via: &'static str,
    /// On some columns only.
    pub(crate) on_columns: bool,
    pub(crate) as_role: Oid,
    pub(crate) path: String,
}

const RIGHTS: [(&str, Rights); 5] =
    [("SELECT", SELECT), ("INSERT", INSERT), ("UPDATE", UPDATE), ("DELETE", DELETE), ("TRUNCATE", TRUNCATE)];

/// What is needed to say who may do what.
pub(super) struct Callers<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) reach: &'a Reach,
    pub(super) privileges: &'a Privileges<'a>,
    pub(super) principals: &'a [Principal],
}

impl Callers<'_> {
    /// The rights of everybody but superusers on a log and its partitions.
    pub(super) fn of(&self, log: Oid, partitions: &[Oid]) -> Vec<Right> {
        let mut rights = Vec::new();
        for principal in self.principals.iter().filter(|p| p.kind != Kind::Superuser) {
            for relation in [log].iter().chain(partitions) {
                rights.extend(self.rights(principal, log, *relation));
            }
        }
        rights
    }

    /// Principals that are the owner or may become it.
    pub(super) fn owners(&self, owner: Oid) -> Vec<String> {
        let owns = |p: &&Principal| p.kind != Kind::Superuser && self.may_act_as(p.role, owner);
        self.principals.iter().filter(owns).map(|p| p.name.clone()).collect()
    }

    fn may_act_as(&self, role: Oid, other: Oid) -> bool {
        self.reach.of(role).any(|(to, step)| to == other && (step.inherits || step.can_set()))
    }

    fn rights(&self, principal: &Principal, log: Oid, relation: Oid) -> Vec<Right> {
        let Some(owner) = self.catalog.relations.get(&relation).map(|r| r.owner) else { return Vec::new() };
        let own = [(principal.role, principal.name.clone())];
        let others = self.reach.of(principal.role).filter(|(to, step)| *to != principal.role && step.can_set());
        let others = others.map(|(to, step)| {
            let path = step.set_path.as_deref().unwrap_or(&step.path);
            (to, path_text(self.catalog, path))
        });
        let acting: Vec<(Oid, String, Rc<Held>)> =
            own.into_iter().chain(others).map(|(role, path)| (role, path, self.privileges.of(role))).collect();
        let mut found = Vec::new();
        for (command, right) in RIGHTS {
            // What was granted says more than what comes with owning, and the whole table more than some columns.
            let ways = acting.iter().filter_map(|(role, path, held)| {
                let visible =
                    self.catalog.relations.get(&relation).is_some_and(|r| held.schemas_used.contains(&r.schema_oid));
                let whole = held.on(relation) & right != 0;
                let some = held.on_any_column(relation) & right != 0;
                let owns = self.reach.has_privileges_of(*role, owner);
                (visible && some).then_some((owns, !whole, *role, path))
            });
            if let Some((owns, on_columns, as_role, path)) = ways.min_by_key(|(owns, columns, ..)| (*owns, *columns)) {
                let principal = if principal.kind == Kind::Public { PUBLIC } else { principal.role };
                let via = if owns { "owner" } else { "grant" };
                found.push(Right { principal, log, relation, command, via, on_columns, as_role, path: path.clone() });
            }
        }
        found
    }
}
