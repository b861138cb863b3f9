//! What a role may do: `has_table_privilege` and its siblings, computed from the collected ACLs.
//!
//! `pg_class_aclmask` and `pg_attribute_aclmask` in `src/backend/catalog/aclchk.c`: a right counts where an ACL entry
//! names PUBLIC, the role, or a role whose privileges it has; an object without a stored ACL has the built-in one of
//! `acldefault`; the predefined roles `pg_read_all_data`, `pg_write_all_data` and `pg_maintain` add theirs.

use super::catalog::{Catalog, Oid, PUBLIC};
use super::reach::Reach;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

/// Rights on a relation or column, one bit each.
pub(crate) type Rights = u8;

pub(crate) const SELECT: Rights = 1;
pub(crate) const INSERT: Rights = 2;
pub(crate) const UPDATE: Rights = 4;
pub(crate) const DELETE: Rights = 8;
pub(crate) const TRUNCATE: Rights = 16;
pub(crate) const REFERENCES: Rights = 32;
pub(crate) const TRIGGER: Rights = 64;
pub(crate) const MAINTAIN: Rights = 128;
const ALL: Rights = 255;

fn right(privilege: &str) -> Rights {
    match privilege {
        "SELECT" => SELECT,
        "INSERT" => INSERT,
        "UPDATE" => UPDATE,
        "DELETE" => DELETE,
        "TRUNCATE" => TRUNCATE,
        "REFERENCES" => REFERENCES,
        "TRIGGER" => TRIGGER,
        "MAINTAIN" => MAINTAIN,
        _ => 0,
    }
}

/// Everything one role may do.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// By relation; absent where it has no right at all.
    pub(crate) relations: BTreeMap<Oid, Rights>,
    /// By relation and column, rights granted on the column alone.
    pub(crate) columns: BTreeMap<(Oid, i64), Rights>,
    /// Schemas with USAGE.
    pub(crate) schemas_used: HashSet<Oid>,
    /// Schemas with CREATE.
    pub(crate) schemas_created_in: HashSet<Oid>,
    /// Functions with EXECUTE.
    pub(crate) functions: HashSet<Oid>,
}

impl Held {
    /// Rights on the whole relation.
    pub(crate) fn on(&self, relation: Oid) -> Rights {
        self.relations.get(&relation).copied().unwrap_or(0)
    }

    /// Rights on one column, through the relation or itself.
    pub(crate) fn on_column(&self, relation: Oid, column: i64) -> Rights {
        self.on(relation) | self.columns.get(&(relation, column)).copied().unwrap_or(0)
    }

    /// Rights on the relation or on any of its columns.
    pub(crate) fn on_any_column(&self, relation: Oid) -> Rights {
        let columns = self.columns.range((relation, 0)..=(relation, i64::MAX));
        columns.fold(self.on(relation), |rights, (_, more)| rights | more)
    }
}

/// The privileges of every role, computed when first asked for.
pub(crate) struct Privileges<'a> {
    catalog: &'a Catalog,
    reach: &'a Reach,
    by_grantee: HashMap<Oid, Vec<usize>>,
    defaults_by_owner: HashMap<Oid, Vec<Oid>>,
    held: RefCell<HashMap<Oid, Rc<Held>>>,
}

impl<'a> Privileges<'a> {
    pub(crate) fn new(catalog: &'a Catalog, reach: &'a Reach) -> Self {
        let mut by_grantee: HashMap<Oid, Vec<usize>> = HashMap::new();
        for (index, grant) in catalog.grants.iter().enumerate() {
            by_grantee.entry(grant.grantee).or_default().push(index);
        }
        let mut defaults_by_owner: HashMap<Oid, Vec<Oid>> = HashMap::new();
        for relation in catalog.relations.values().filter(|r| r.default_acl) {
            defaults_by_owner.entry(relation.owner).or_default().push(relation.oid);
        }
        Self { catalog, reach, by_grantee, defaults_by_owner, held: RefCell::default() }
    }

    /// What `role` holds; `PUBLIC` for what everybody holds.
    pub(crate) fn of(&self, role: Oid) -> Rc<Held> {
        if let Some(held) = self.held.borrow().get(&role) {
            return Rc::clone(held);
        }
        let held = Rc::new(if self.reach.is_superuser(role) { self.everything() } else { self.compute(role) });
        self.held.borrow_mut().insert(role, Rc::clone(&held));
        held
    }

    fn everything(&self) -> Held {
        let maintain = if self.catalog.server_version_num >= 170_000 { ALL } else { ALL & !MAINTAIN };
        Held {
            relations: self.catalog.relations.keys().map(|&oid| (oid, maintain)).collect(),
            columns: BTreeMap::new(),
            schemas_used: self.catalog.schemas.keys().copied().collect(),
            schemas_created_in: self.catalog.schemas.keys().copied().collect(),
            functions: self.catalog.functions.keys().copied().collect(),
        }
    }

    fn compute(&self, role: Oid) -> Held {
        let mut grantees = vec![PUBLIC];
        grantees.extend(self.reach.of(role).filter(|(_, step)| step.inherits).map(|(to, _)| to));
        let maintain = self.catalog.server_version_num >= 170_000;
        let mut held = Held::default();
        for grantee in grantees {
            for &index in self.by_grantee.get(&grantee).into_iter().flatten() {
                let grant = &self.catalog.grants[index];
                let bit = right(&grant.privilege);
                match grant.object_kind.as_str() {
                    "relation" => *held.relations.entry(grant.object).or_default() |= bit,
                    "column" => *held.columns.entry((grant.object, grant.column_number)).or_default() |= bit,
                    "schema" if grant.privilege == "USAGE" => {
                        held.schemas_used.insert(grant.object);
                    }
                    "schema" if grant.privilege == "CREATE" => {
                        held.schemas_created_in.insert(grant.object);
                    }
                    "function" => {
                        held.functions.insert(grant.object);
                    }
                    _ => {}
                }
            }
            for &relation in self.defaults_by_owner.get(&grantee).into_iter().flatten() {
                held.relations.insert(relation, if maintain { ALL } else { ALL & !MAINTAIN });
            }
            for schema in self.catalog.schemas.values().filter(|s| s.default_acl && s.owner == grantee) {
                held.schemas_used.insert(schema.oid);
                held.schemas_created_in.insert(schema.oid);
            }
            self.predefined(grantee, &mut held);
        }
        // acldefault gives EXECUTE on functions to PUBLIC.
        held.functions.extend(self.catalog.functions.values().filter(|f| f.default_acl).map(|f| f.oid));
        held
    }

    /// What membership in a predefined role adds.
    fn predefined(&self, role: Oid, held: &mut Held) {
        let name = self.catalog.roles.get(&role).map_or("", |r| r.name.as_str());
        let rights = match name {
            "pg_read_all_data" => SELECT,
            "pg_write_all_data" => INSERT | UPDATE | DELETE,
            "pg_maintain" => MAINTAIN,
            _ => return,
        };
        for &relation in self.catalog.relations.keys() {
            *held.relations.entry(relation).or_default() |= rights;
        }
        if rights != MAINTAIN {
            held.schemas_used.extend(self.catalog.schemas.keys());
        }
    }
}
