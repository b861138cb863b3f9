//! What the search knows for certain: the catalog, who holds what, whose rows are whose.

use super::asker::Answers;
use super::decide::Decision;
use super::expr::{Expr, Query};
use super::known::{Known, Shapes};
use super::lower;
use super::outlet::Outlet;
use super::value::{self, Value};
use crate::facts::derive::binding;
use crate::facts::derive::catalog::{Catalog, Column, Function, Oid, PUBLIC, Policy, Relation};
use crate::facts::derive::privileges::{self, Privileges};
use crate::facts::derive::reach::Reach;
use crate::facts::derive::tenancy::{self, KeyRole, Tenancy};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// How the values of a column relate to the tenant of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Names the tenant.
    Key,
    /// Names a row of tenant data: a foreign key, or the primary key such keys point at.
    Link,
    /// Names a person.
    User,
    /// Finds one row by something a session may know: a login, an e-mail address, the hash of a token. A session knows no token of
    /// another tenant's row that it was not given.
    Identity,
    /// Anything else; says nothing about the tenant.
    Plain,
}

/// The read-only side of every search.
pub(crate) struct World<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) reach: &'a Reach,
    pub(crate) privileges: &'a Privileges<'a>,
    pub(crate) tenancy: &'a Tenancy,
    /// The session names a person and the person's memberships name the tenants: then a row that names the
    /// person is the session's own. Where the session names the tenant itself, it is not.
    pub(crate) person_implies_tenant: bool,
    /// Some tenant is no person.
    pub(crate) has_tenants: bool,
    /// Persons belong to one tenant each: their table says which, and none lists members.
    pub(crate) persons_have_a_tenant: bool,
    /// The session's own key in every type that keys have.
    pub(crate) own_keys: BTreeSet<Value>,
    expressions: RefCell<HashMap<String, Arc<Expr>>>,
    bodies: RefCell<HashMap<Oid, Option<Arc<Query>>>>,
    defaults: RefCell<HashMap<Oid, Arc<Vec<Expr>>>>,
    views: RefCell<HashMap<Oid, Option<Arc<Query>>>>,
    pub(crate) writable: RefCell<HashMap<(Oid, Oid), bool>>,
    pub(super) shapes: RefCell<Shapes>,
    pub(super) known: Known,
    pub(super) outlets: RefCell<Answers<Outlet, Decision>>,
    pub(crate) deciding: RefCell<HashSet<(Oid, Oid)>>,
    /// Tries so far, in all searches.
    pub(crate) tries: Cell<usize>,
}

impl<'a> World<'a> {
    pub(crate) fn new(
        catalog: &'a Catalog,
        reach: &'a Reach,
        privileges: &'a Privileges<'a>,
        tenancy: &'a Tenancy,
        person_implies_tenant: bool,
    ) -> Self {
        let typed = |(oid, number): &(Oid, i64)| {
            Some(value::own(&catalog.relations.get(oid)?.column_number(*number)?.type_name))
        };
        let of_one = |r: &Relation| tenancy::is_person_table(r) && tenancy.is_tenant_data(r.oid);
        let of_many = |r: &Relation| !tenancy::is_person_table(r) && tenancy.is_membership(r);
        let persons_have_a_tenant = catalog.relations.values().any(of_one) && !catalog.relations.values().any(of_many);
        Self {
            catalog,
            reach,
            privileges,
            tenancy,
            person_implies_tenant,
            persons_have_a_tenant,
            has_tenants: tenancy.keys.values().any(|key| key.role != KeyRole::User),
            own_keys: tenancy.keys.keys().filter_map(typed).collect(),
            expressions: RefCell::default(),
            bodies: RefCell::default(),
            defaults: RefCell::default(),
            views: RefCell::default(),
            writable: RefCell::default(),
            shapes: RefCell::default(),
            known: Known::default(),
            outlets: RefCell::default(),
            deciding: RefCell::default(),
            tries: Cell::new(0),
        }
    }

    pub(crate) fn expression(&self, text: &str) -> Arc<Expr> {
        if let Some(parsed) = self.expressions.borrow().get(text) {
            return Arc::clone(parsed);
        }
        let parsed = Arc::new(lower::expression(text));
        self.expressions.borrow_mut().insert(text.to_owned(), Arc::clone(&parsed));
        parsed
    }

    /// The query a SQL or simple PL/pgSQL function returns; none where its body cannot be read.
    pub(crate) fn body(&self, function: &Function) -> Option<Arc<Query>> {
        if let Some(known) = self.bodies.borrow().get(&function.oid) {
            return known.clone();
        }
        let body = super::body::of(function).map(Arc::new);
        self.bodies.borrow_mut().insert(function.oid, body.clone());
        body
    }

    /// Defaults of a function's last arguments; what cannot be read may be anything.
    pub(crate) fn defaults(&self, function: &Function) -> Arc<Vec<Expr>> {
        if let Some(known) = self.defaults.borrow().get(&function.oid) {
            return Arc::clone(known);
        }
        let text = function.argument_defaults.as_deref().unwrap_or_default();
        let parsed = lower::query(&format!("select {text}")).and_then(|query| query.arms.into_iter().next());
        let mut defaults: Vec<Expr> =
            parsed.map(|select| select.targets.into_iter().map(|(_, e)| e).collect()).unwrap_or_default();
        defaults
            .resize(usize::try_from(function.default_count).unwrap_or(0), Expr::Opaque(text.to_owned(), Vec::new()));
        let defaults = Arc::new(defaults);
        self.defaults.borrow_mut().insert(function.oid, Arc::clone(&defaults));
        defaults
    }

    pub(crate) fn view(&self, view: &Relation) -> Option<Arc<Query>> {
        if let Some(known) = self.views.borrow().get(&view.oid) {
            return known.clone();
        }
        let query = view.definition.as_deref().and_then(lower::query).map(Arc::new);
        self.views.borrow_mut().insert(view.oid, query.clone());
        query
    }

    /// How a column's values relate to the tenant of its row. `inner`: the row is one a policy looks up, where a
    /// session may be tied to it; else it is the row being judged, whose own id says nothing.
    pub(crate) fn class(&self, relation: &Relation, column: &Column, inner: bool) -> Class {
        let number = column.number;
        let foreign_key = relation.foreign_keys.iter().find(|k| k.columns.iter().any(|(c, _)| *c == number));
        let to_tenants = foreign_key.is_some_and(|k| Some(k.target) == self.tenancy.tenant_relation);
        if self.tenancy.keys.contains_key(&(relation.oid, number)) || to_tenants {
            return Class::Key;
        }
        // Where each person is of one tenant, the person whose a row is says which.
        let leads = || self.tenancy.paths.get(&relation.oid).and_then(|path| path.hops.first());
        if self.persons_have_a_tenant && leads() == Some(&(relation.oid, number)) {
            return Class::Link;
        }
        if self.tenancy.is_user_column(relation.oid, number) || tenancy::is_invited(relation, column) {
            return Class::User;
        }
        if foreign_key.is_some_and(|k| self.tenancy.is_tenant_data(k.target)) {
            return Class::Link;
        }
        let own_id = relation.primary_key == [number];
        if own_id && inner && self.tenancy.is_tenant_data(relation.oid) && !self.is_login(relation) {
            return Class::Link;
        }
        let finds_one = relation.uniques.iter().any(|unique| unique == &[number]) || names_identity(&column.name);
        let is_known = inner && finds_one || names_secret(&column.name);
        if is_known && column.type_name != "bool" { Class::Identity } else { Class::Plain }
    }

    /// Each row lets one person in, and its number is what that person's requests bring along.
    pub(crate) fn is_login(&self, relation: &Relation) -> bool {
        let name = tenancy::plain(&relation.name);
        let of_persons = relation.columns.iter().any(|c| self.tenancy.is_user_column(relation.oid, c.number));
        of_persons && LOGINS.contains(&name.trim_end_matches('s'))
    }

    /// A foreign row cannot name the session's person here.
    pub(crate) fn person_tied(&self, relation: &Relation) -> bool {
        self.person_implies_tenant
            || self.tenancy.is_membership(relation)
            || tenancy::is_person_table(relation)
            || relation.columns.iter().any(|column| tenancy::is_invited(relation, column))
            || self.lets_persons_in(relation)
    }

    /// Each row lets one person in to one row of a tenant's, and says nothing else by which it is found: `document_members`.
    fn lets_persons_in(&self, relation: &Relation) -> bool {
        let is_user = |number: &i64| self.tenancy.is_user_column(relation.oid, *number);
        let is_link = |number: &i64| {
            let mut keys = relation.foreign_keys.iter().filter(|key| self.tenancy.is_tenant_data(key.target));
            !is_user(number) && keys.any(|key| key.columns.iter().any(|(column, _)| column == number))
        };
        relation.uniques.iter().any(|unique| {
            unique.iter().all(|number| is_user(number) || is_link(number))
                && unique.iter().any(is_user)
                && unique.iter().any(is_link)
        })
    }

    /// The value is the name of one of these roles.
    pub(crate) fn is_name_of(&self, value: &super::value::Value, roles: [Oid; 2]) -> bool {
        let names = roles.iter().filter_map(|role| self.catalog.roles.get(role));
        value.as_text().is_some_and(|text| names.into_iter().any(|role| role.name == text))
    }

    /// Row security filters what this role sees and writes in the relation (`check_enable_rls`).
    pub(crate) fn is_bound(&self, role: Oid, relation: &Relation) -> bool {
        self.unbound(role, relation).is_none()
    }

    /// Why row security does not bind this role here, if so.
    pub(crate) fn unbound(&self, role: Oid, relation: &Relation) -> Option<&'static str> {
        binding::unbound(self.catalog, self.reach, role, relation)
    }

    /// Policies of one command that apply to a role, permissive and restrictive.
    pub(crate) fn policies<'r>(
        &self,
        role: Oid,
        relation: &'r Relation,
        command: &str,
    ) -> (Vec<&'r Policy>, Vec<&'r Policy>) {
        relation
            .policies
            .iter()
            .filter(|p| p.command == "ALL" || p.command == command)
            .filter(|p| self.applies(role, p))
            .partition(|p| p.permissive)
    }

    /// The policy is one of the role's.
    pub(crate) fn applies(&self, role: Oid, policy: &Policy) -> bool {
        policy.roles.iter().any(|&r| r == PUBLIC || self.reach.has_privileges_of(role, r))
    }

    /// The role may read at least one column. A stored query has its relations named already: USAGE on the schema is
    /// not asked for.
    pub(crate) fn may_read(&self, role: Oid, relation: &Relation) -> bool {
        let held = self.privileges.of(role);
        held.on_any_column(relation.oid) & privileges::SELECT != 0
    }

    /// Rows belong to persons, in a database whose tenants are something else, of which persons are members.
    pub(crate) fn is_a_members(&self, relation: Oid) -> bool {
        let mut keys = self.tenancy.keys_of(relation).peekable();
        self.has_tenants && keys.peek().is_some() && keys.all(|(_, key)| key.role == KeyRole::User)
    }

    /// A row of the relation is either the session's own or another's: tenant data, persons, logins.
    pub(crate) fn is_owned(&self, relation: &Relation) -> bool {
        self.tenancy.is_tenant_data(relation.oid) || tenancy::is_person_table(relation) || self.is_login(relation)
    }

    /// Rows are persons, each of whom belongs to one tenant.
    pub(crate) fn is_of_one_tenant(&self, relation: &Relation) -> bool {
        self.persons_have_a_tenant && tenancy::is_person_table(relation) && self.tenancy.is_tenant_data(relation.oid)
    }

    /// Rows are persons who belong to no one tenant.
    pub(crate) fn is_person(&self, relation: &Relation) -> bool {
        tenancy::is_person_table(relation) && !self.tenancy.is_tenant_data(relation.oid)
    }
}

/// Tables of logins, in the singular. Sessions of a chat are none.
const LOGINS: [&str; 10] = [
    "session",
    "usersession",
    "authsession",
    "loginsession",
    "websession",
    "token",
    "authtoken",
    "accesstoken",
    "refreshtoken",
    "apikey",
];

/// Names of columns by which a session finds its own row.
fn names_identity(name: &str) -> bool {
    let plain = tenancy::plain(name);
    let words = ["email", "username", "login", "loginname", "subject", "externalid", "clerkid", "principal"];
    let roles = ["dbuser", "pguser", "rolename", "dbrole", "pgrole", "rolname"];
    words.iter().chain(&roles).any(|word| plain == *word) || names_secret(name)
}

/// Names of columns whose value nobody guesses: a session that brings it was given it, as in a link to share.
fn names_secret(name: &str) -> bool {
    let name = tenancy::plain(name);
    ["hash", "token", "apikey"].iter().any(|word| name.ends_with(word))
}

impl World<'_> {
    /// The expression means the same whoever asks: it looks up no rows, calls only what is built in and names no role.
    pub(crate) fn stands_alone(&self, text: &str) -> bool {
        let mut alone = true;
        self.expression(text).walk(&mut |e| match e {
            Expr::Exists(_) | Expr::ArrayQuery(_) | Expr::QuantifiedQuery(..) => alone = false,
            Expr::Scalar(query) => alone &= query.arms.iter().all(|arm| arm.sources.is_empty()),
            Expr::Constant(text) => alone &= !self.catalog.roles.values().any(|role| role.name == *text),
            Expr::Call(call) => {
                let of_role = matches!(
                    call.name.as_str(),
                    "current_user" | "session_user" | "user" | "current_role" | "pg_has_role"
                );
                alone &= call.schema.is_none() && !of_role && !self.catalog.has_function(&call.name);
            }
            _ => {}
        });
        alone
    }
}
