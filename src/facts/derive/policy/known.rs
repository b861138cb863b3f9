//! Decisions remembered: thousands of tables share a handful of policies, and roles share what they may do.

use super::asker::{Answers, Asker, recall};
use super::decide::{Decision, Question};
use super::world::World;
use crate::facts::derive::catalog::{Oid, Relation};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

/// What of a relation a decision depends on, whoever asks.
#[derive(Debug)]
struct Shape {
    /// Relations of one shape have one number.
    number: usize,
    /// Of each policy: it means the same whoever asks.
    alone: Vec<bool>,
}

/// Everything a decision depends on, but for who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    shape: usize,
    questions: Vec<Question>,
    /// Of each policy: it is one of the role's.
    applies: Vec<bool>,
    /// The relation, where more than the row and the session matters.
    relation: Option<Oid>,
}

impl Key {
    pub(super) fn new(world: &World<'_>, role: Oid, relation: &Relation, questions: &[Question]) -> Self {
        let shape = world.shapes.borrow_mut().shape(world, relation);
        let applies: Vec<bool> = relation.policies.iter().map(|policy| world.applies(role, policy)).collect();
        let alone = applies.iter().zip(&shape.alone).all(|(applies, alone)| *alone || !applies);
        Self { shape: shape.number, questions: questions.to_vec(), applies, relation: (!alone).then_some(relation.oid) }
    }

    /// The decision looks at nothing but the row and the session.
    pub(super) const fn is_alone(&self) -> bool {
        self.relation.is_none()
    }
}

/// What was decided so far.
#[derive(Default)]
pub(super) struct Known {
    /// With the place of the policy, since equal policies of two tables have two oids.
    decisions: RefCell<Answers<Key, (Decision, Option<usize>)>>,
}

impl Known {
    pub(super) fn get(&self, world: &World<'_>, key: &Key, relation: &Relation, roles: (Oid, Oid)) -> Option<Decision> {
        let (decision, place) = recall(&self.decisions, world, key, roles)?;
        let policy = place.and_then(|place| relation.policies.get(place)).map(|policy| policy.oid);
        Some(Decision { policy, ..decision })
    }

    pub(super) fn insert(&self, key: Key, relation: &Relation, asker: Asker, decision: Decision) {
        let place = decision.policy.and_then(|oid| relation.policies.iter().position(|policy| policy.oid == oid));
        let asker = (!key.is_alone()).then_some(asker);
        self.decisions.borrow_mut().insert(key, asker, (decision, place));
    }
}

/// The shapes of the relations seen so far.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    of: HashMap<Oid, Rc<Shape>>,
    numbers: HashMap<String, usize>,
}

impl Shapes {
    fn shape(&mut self, world: &World<'_>, relation: &Relation) -> Rc<Shape> {
        if let Some(shape) = self.of.get(&relation.oid) {
            return Rc::clone(shape);
        }
        let alone =
            relation.policies.iter().map(|policy| policy.texts().all(|text| world.stands_alone(text))).collect();
        let count = self.numbers.len();
        let number = *self.numbers.entry(described(world, relation)).or_insert(count);
        let shape = Rc::new(Shape { number, alone });
        self.of.insert(relation.oid, Rc::clone(&shape));
        shape
    }
}

/// The shape as text, and the relation's name where a policy may use it.
fn described(world: &World<'_>, relation: &Relation) -> String {
    let mut text = format!("{};", world.person_tied(relation));
    let mut named = false;
    for policy in &relation.policies {
        named |= policy.texts().any(|text| text.contains(&relation.name));
        let _ = write!(text, "{}{}{:?}{:?};", policy.permissive, policy.command, policy.using, policy.check);
    }
    if named {
        let _ = write!(text, "{:?};", relation.name);
    }
    for column in relation.columns_and_members() {
        let class = world.class(relation, column, false);
        let _ = write!(text, "{:?}:{}:{}:{class:?};", column.name, column.type_oid, column.not_null);
    }
    text
}
