//! What of who asks a search has looked at: whoever is the same in all of it gets the same answer.

use super::decide::is_writable;
use super::world::World;
use crate::facts::derive::catalog::{Oid, Relation};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::rc::Rc;

/// The role that connected and the role that asks, as far as a search went into them.
#[derive(Debug)]
pub(super) struct Asker {
    principal: Oid,
    role: Oid,
    /// By name, as a member of others, or as one and the same.
    named: Cell<bool>,
    /// Relations the principal may write for other tenants, or may not.
    writable: BTreeMap<Oid, bool>,
    /// Relations the role looks at: what it may read, and which policies are its own.
    seen: BTreeSet<Oid>,
}

impl Asker {
    pub(super) const fn new(principal: Oid, role: Oid) -> Self {
        Self { principal, role, named: Cell::new(false), writable: BTreeMap::new(), seen: BTreeSet::new() }
    }

    pub(super) fn is_named(&self) {
        self.named.set(true);
    }

    pub(super) fn writes(&mut self, relation: Oid, writable: bool) {
        self.writable.insert(relation, writable);
    }

    /// A role, this one or an owner of some function or view, looks at a relation.
    pub(super) fn sees(&mut self, role: Oid, relation: Oid) {
        if role == self.role {
            self.seen.insert(relation);
        }
    }

    /// What another search for the same roles went into.
    pub(super) fn join(&mut self, other: Self) {
        self.named.set(self.named.get() | other.named.get());
        self.writable.extend(other.writable);
        self.seen.extend(other.seen);
    }

    fn is_like(&self, world: &World<'_>, principal: Oid, role: Oid) -> bool {
        if (self.principal, self.role) == (principal, role) {
            return true;
        }
        // While something else is being decided, what may be written is an assumption.
        !self.named.get()
            && world.deciding.borrow().is_empty()
            && self
                .seen
                .iter()
                .filter_map(|oid| world.catalog.relations.get(oid))
                .all(|r| self.sees_like(world, role, r))
            && self.writable.iter().all(|(&to, &writable)| is_writable(world, principal, to) == writable)
    }

    fn sees_like(&self, world: &World<'_>, role: Oid, relation: &Relation) -> bool {
        let same = |what: &dyn Fn(Oid) -> bool| what(self.role) == what(role);
        same(&|role| world.may_read(role, relation))
            && same(&|role| world.is_bound(role, relation))
            && relation.policies.iter().all(|policy| same(&|role| world.applies(role, policy)))
    }
}

/// An answer, and whom it was given to; none: it is the same for everybody.
type Given<A> = Rc<(Option<Asker>, A)>;

/// Answers by their question.
#[derive(Debug)]
pub(super) struct Answers<K, A> {
    of: HashMap<K, Vec<Given<A>>>,
}

impl<K, A> Default for Answers<K, A> {
    fn default() -> Self {
        Self { of: HashMap::new() }
    }
}

impl<K: Eq + Hash, A: Clone> Answers<K, A> {
    pub(super) fn insert(&mut self, key: K, asker: Option<Asker>, answer: A) {
        self.of.entry(key).or_default().push(Rc::new((asker, answer)));
    }
}

/// The answer that these roles get too, if one was given. Finding that out may itself ask.
pub(super) fn recall<K: Eq + Hash, A: Clone>(
    answers: &RefCell<Answers<K, A>>,
    world: &World<'_>,
    key: &K,
    (principal, role): (Oid, Oid),
) -> Option<A> {
    let given = answers.borrow().of.get(key)?.clone();
    let fits = |asker: &Option<Asker>| asker.as_ref().is_none_or(|asker| asker.is_like(world, principal, role));
    given.iter().find(|one| fits(&one.0)).map(|one| one.1.clone())
}
