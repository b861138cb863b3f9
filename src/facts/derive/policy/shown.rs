//! What the result of a query shows of rows of other tenants: the rows it is made of, and those that sub-selects and
//! functions among its columns fetch.

use super::eval::{conjunction, disjunction};
use super::expr::{Expr, Query};
use super::frame::{Bound, Cell, Frame, SourceBound};
use super::search::{Outcome, Search, Var};
use super::value::{self, Value};
use crate::facts::derive::catalog::Oid;
use std::rc::Rc;
use std::sync::Arc;

impl Search<'_> {
    /// The query returns a row, and one of the tenant rows it shows is another tenant's: any, or one of this relation that
    /// it is made of.
    pub(super) fn returns_foreign(&mut self, query: &Arc<Query>, frame: &Rc<Frame>, of: Option<Oid>) -> Outcome<Value> {
        self.output_rows.clear();
        self.foreign(query, frame, of)
    }

    fn foreign(&mut self, query: &Arc<Query>, frame: &Rc<Frame>, of: Option<Oid>) -> Outcome<Value> {
        let before = self.output_rows.len();
        let outer = std::mem::take(&mut self.narrowing);
        let made = self.derived(query, frame, &[], true);
        let narrowing = std::mem::replace(&mut self.narrowing, outer);
        let (truth, columns) = made?;
        if truth == Value::Bool(false) {
            return Ok(truth);
        }
        let mut foreign = Vec::new();
        for at in before..self.output_rows.len() {
            let row = self.output_rows[at];
            let Some(info) = self.rows.get(&row).copied() else { continue };
            if of.map_or_else(|| self.world.tenancy.is_tenant_data(info.relation), |of| of == info.relation) {
                foreign.push(self.get(Var::Owned(row)).map(value::not));
            }
        }
        if let (SourceBound::Columns(columns), None) = (columns, of) {
            for (_, cell) in columns {
                if let Cell::Later(later) = cell {
                    foreign.push(self.shows_foreign(later.expr(), &later.frame));
                }
            }
        }
        let foreign = disjunction(foreign);
        // Where all rows are the session's own, no condition is to blame: they are so whatever else is chosen.
        if matches!(foreign, Ok(Value::Bool(false))) {
            for range in narrowing.into_iter().rev() {
                self.reads.drain(range);
            }
        }
        conjunction(vec![Ok(truth), foreign])
    }

    /// The value of the expression is made of another tenant's row. A condition is made of none.
    fn shows_foreign(&mut self, expr: &Expr, frame: &Rc<Frame>) -> Outcome<Value> {
        if !self.fetches(expr, frame) {
            return Ok(Value::Bool(false));
        }
        match expr {
            Expr::Scalar(query) | Expr::ArrayQuery(query) => self.foreign(query, frame, None),
            Expr::Column(qualifier, name) => match frame.resolve(qualifier.as_deref(), name, self.world.catalog) {
                Some(Bound::Cell(Cell::Later(later))) => self.shows_foreign(later.expr(), &later.frame),
                _ => Ok(Value::Bool(false)),
            },
            Expr::Case(operand, whens, otherwise) => {
                for (when, then) in whens {
                    let truth = match operand {
                        Some(operand) => self.comparison(super::expr::Comparison::Equal, operand, when, frame)?,
                        None => self.truth(when, frame)?,
                    };
                    match truth {
                        Value::Bool(true) => return self.shows_foreign(then, frame),
                        Value::Error => return Ok(Value::Bool(false)),
                        _ => {}
                    }
                }
                otherwise.as_ref().map_or(Ok(Value::Bool(false)), |e| self.shows_foreign(e, frame))
            }
            Expr::Call(call) => {
                let mut parts: Vec<_> = call.arguments.iter().map(|e| self.shows_foreign(e, frame)).collect();
                let functions =
                    self.world.catalog.functions_named(call.schema.as_deref(), &call.name, call.arguments.len());
                if let Some(function) = functions.first().filter(|function| function.returns != "boolean")
                    && let Some((body, inner)) = self.inlined(call, frame)?
                {
                    self.visiting.push(-function.oid);
                    parts.push(self.foreign(&body, &inner, None));
                    self.visiting.pop();
                }
                disjunction(parts)
            }
            Expr::Let(name, bound, body) => {
                let mut used = false;
                body.walk(&mut |e| used |= matches!(e, Expr::Column(None, column) if column == name));
                let fetched = if used { self.shows_foreign(bound, frame) } else { Ok(Value::Bool(false)) };
                let value = self.eval(bound, frame)?;
                let inner = Frame::with_variable(frame, name, value);
                let body = self.shows_foreign(body, &inner);
                disjunction(vec![fetched, body])
            }
            Expr::Cast(e, _) => self.shows_foreign(e, frame),
            Expr::Rescue(first, second) => {
                let parts = vec![self.shows_foreign(first, frame), self.shows_foreign(second, frame)];
                disjunction(parts)
            }
            Expr::Array(list) | Expr::Row(list) | Expr::Operator(_, list) | Expr::Opaque(_, list) => {
                let parts = list.iter().map(|e| self.shows_foreign(e, frame)).collect();
                disjunction(parts)
            }
            _ => Ok(Value::Bool(false)),
        }
    }

    /// Something in the expression reads rows of its own.
    fn fetches(&self, expr: &Expr, frame: &Rc<Frame>) -> bool {
        let catalog = self.world.catalog;
        let mut found = false;
        expr.walk(&mut |e| match e {
            Expr::Scalar(_) | Expr::ArrayQuery(_) => found = true,
            Expr::Call(call) => found |= catalog.has_function(&call.name),
            Expr::Column(qualifier, name) if !found => {
                found = match frame.resolve(qualifier.as_deref(), name, catalog) {
                    Some(Bound::Cell(Cell::Later(later))) => self.fetches(later.expr(), &later.frame),
                    _ => false,
                };
            }
            _ => {}
        });
        found
    }
}
