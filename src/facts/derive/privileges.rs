//! What a role may do: `has_table_privilege` and its siblings, computed from the collected ACLs.
//!
//! `pg_class_aclmask` and `pg_attribute_aclmask` in `src/backend/catalog/aclchk.c`: a right counts where an ACL entry
//! names PUBLIC, the role, or a role whose privileges it has; an object without a stored ACL has the built-in one of
//! `acldefault`; the predefined roles `pg_read_all_data`, `pg_write_all_data` and `pg_maintain` add theirs.

use super::catalog::{Catalog, Grant, Oid, PUBLIC};
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
const EVERY: Rights = 255;

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
    fn add(&mut self, given: Given) {
        match given {
            Given::Relation(oid, rights) => *self.relations.entry(oid).or_default() |= rights,
            Given::Column(oid, number, rights) => *self.columns.entry((oid, number)).or_default() |= rights,
            Given::Use(oid) => drop(self.schemas_used.insert(oid)),
            Given::Create(oid) => drop(self.schemas_created_in.insert(oid)),
            Given::Execute(oid) => drop(self.functions.insert(oid)),
        }
    }

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

/// What one stored ACL entry gives.
#[derive(Clone, Copy, Debug)]
enum Given {
    Relation(Oid, Rights),
    Column(Oid, i64, Rights),
    Use(Oid),
    Create(Oid),
    Execute(Oid),
}

impl Given {
    fn of(grant: &Grant) -> Option<Self> {
        let rights = right(&grant.privilege);
        match (grant.object_kind.as_str(), grant.privilege.as_str()) {
            ("relation", _) => Some(Self::Relation(grant.object, rights)),
            ("column", _) => Some(Self::Column(grant.object, grant.column_number, rights)),
            ("schema", "USAGE") => Some(Self::Use(grant.object)),
            ("schema", "CREATE") => Some(Self::Create(grant.object)),
            ("function", _) => Some(Self::Execute(grant.object)),
            _ => None,
        }
    }
}

/// The privileges of every role, computed when first asked for.
pub(crate) struct Privileges<'a> {
    catalog: &'a Catalog,
    reach: &'a Reach,
    /// Every right there is: MAINTAIN came with PostgreSQL 17.
    all: Rights,
    by_grantee: HashMap<Oid, Vec<Given>>,
    /// What the built-in ACL gives the owner of an object without a stored one.
    by_owner: HashMap<Oid, Vec<Given>>,
    held: RefCell<HashMap<Oid, Rc<Held>>>,
}

impl<'a> Privileges<'a> {
    pub(crate) fn new(catalog: &'a Catalog, reach: &'a Reach) -> Self {
        let all = if catalog.server_version_num >= 170_000 { EVERY } else { EVERY & !MAINTAIN };
        let mut by_grantee: HashMap<Oid, Vec<Given>> = HashMap::new();
        for grant in &catalog.grants {
            by_grantee.entry(grant.grantee).or_default().extend(Given::of(grant));
        }
        // acldefault gives EXECUTE on functions to PUBLIC.
        let functions = catalog.functions.values().filter(|f| f.default_acl);
        by_grantee.entry(PUBLIC).or_default().extend(functions.map(|f| Given::Execute(f.oid)));
        let mut by_owner: HashMap<Oid, Vec<Given>> = HashMap::new();
        for relation in catalog.relations.values().filter(|r| r.default_acl) {
            let rights = if relation.kind == "sequence" { SELECT | UPDATE } else { all };
            by_owner.entry(relation.owner).or_default().push(Given::Relation(relation.oid, rights));
        }
        for schema in catalog.schemas.values().filter(|s| s.default_acl) {
            by_owner.entry(schema.owner).or_default().extend([Given::Use(schema.oid), Given::Create(schema.oid)]);
        }
        Self { catalog, reach, all, by_grantee, by_owner, held: RefCell::default() }
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
        Held {
            relations: self.catalog.relations.keys().map(|&oid| (oid, self.all)).collect(),
            columns: BTreeMap::new(),
            schemas_used: self.catalog.schemas.keys().copied().collect(),
            schemas_created_in: self.catalog.schemas.keys().copied().collect(),
            functions: self.catalog.functions.keys().copied().collect(),
        }
    }

    fn compute(&self, role: Oid) -> Held {
        let inherited = self.reach.of(role).filter(|(_, step)| step.inherits).map(|(to, _)| to);
        let mut held = Held::default();
        for grantee in std::iter::once(PUBLIC).chain(inherited) {
            for sources in [&self.by_grantee, &self.by_owner] {
                sources.get(&grantee).into_iter().flatten().for_each(|given| held.add(*given));
            }
            self.predefined(grantee, &mut held);
        }
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
