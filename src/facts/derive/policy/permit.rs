//! The policies of a relation, put to one row: its reader's, or those of a table that a policy looks up.

use super::frame::Frame;
use super::search::{Floors, Outcome, Part, RowInfo, RowKey, RowKind, Search, Var};
use super::value::Value;
use crate::facts::derive::catalog::{Oid, Policy, Relation};
use std::rc::Rc;

impl Search<'_> {
    /// The row of a table that a policy looks up, as the role of the frame sees it.
    pub(super) fn look_up(&mut self, relation: &Relation, row: RowKey, role: Oid, user: Oid) -> Outcome<Value> {
        let writable = super::decide::is_writable(self.world, self.principal, relation.oid);
        self.asker.writes(relation.oid, writable);
        self.rows.entry(row).or_insert(RowInfo { relation: relation.oid, kind: RowKind::Inner, writable });
        self.visible(relation, row, role, user)
    }

    /// The role may read this row of the relation.
    fn visible(&mut self, relation: &Relation, row: RowKey, role: Oid, user: Oid) -> Outcome<Value> {
        self.asker.sees(role, relation.oid);
        if !self.world.may_read(role, relation) {
            return Ok(Value::Error);
        }
        if !self.world.is_bound(role, relation) {
            return Ok(Value::Bool(true));
        }
        if self.blind {
            return self.get(Var::Opaque(format!("row {row} is visible"), true));
        }
        if self.visiting.contains(&relation.oid) {
            return Ok(Value::Error);
        }
        self.visiting.push(relation.oid);
        let frame = Frame::of_row(row, relation, role, user);
        let result = self.permitted(relation, "SELECT", false, role, &frame);
        self.visiting.pop();
        result
    }

    /// The policies of one command let the frame's row through. `check`: as a new row, by WITH CHECK.
    pub(crate) fn permitted(
        &mut self,
        relation: &Relation,
        command: &str,
        check: bool,
        role: Oid,
        frame: &Rc<Frame>,
    ) -> Outcome<Value> {
        let world = self.world;
        self.asker.sees(role, relation.oid);
        let (permissive, mut restrictive) = world.policies(role, relation, command);
        if self.visiting.len() < 2 {
            restrictive.retain(|policy| match self.floors {
                Floors::All => true,
                Floors::Nothing => false,
                Floors::Only(oid) => policy.oid == oid,
            });
        }
        let truth = |search: &mut Self, policy: &Policy| {
            let text = if check { policy.check.as_ref().or(policy.using.as_ref()) } else { policy.using.as_ref() };
            match text {
                Some(text) => {
                    let parsed = world.expression(text);
                    search.holds(&parsed, frame)
                }
                None => Ok(Value::Bool(true)),
            }
        };
        let mut floors: Vec<_> = restrictive.iter().map(|p| move |search: &mut Self| truth(search, p)).collect();
        let mut allowed = |search: &mut Self| {
            let mut doors: Vec<_> = permissive.iter().map(|p| move |search: &mut Self| truth(search, p)).collect();
            let mut doors: Vec<&mut Part<'_, '_>> = doors.iter_mut().map(|door| door as _).collect();
            search.disjoin(&mut doors)
        };
        let mut parts: Vec<&mut Part<'_, '_>> = floors.iter_mut().map(|floor| floor as _).collect();
        parts.push(&mut allowed);
        self.conjoin(&mut parts)
    }
}
