//! What a sub-select says: whether it finds a row, and the value it gives.

use super::eval::{Sort, Val, conjunction, disjunction};
use super::expr::{Call, Comparison, Expr, Query, Select};
use super::frame::{Frame, mix};
use super::rows::SomeRow;
use super::search::{Outcome, Search, Var};
use super::value::Value;
use super::words;
use std::rc::Rc;
use std::sync::Arc;

/// A function that makes one value of many rows.
fn is_aggregate(name: &str) -> bool {
    matches!(
        name,
        "array_agg"
            | "bool_or"
            | "bool_and"
            | "every"
            | "max"
            | "min"
            | "any_value"
            | "count"
            | "string_agg"
            | "json_agg"
            | "jsonb_agg"
            | "sum"
            | "avg"
            | "json_object_agg"
            | "jsonb_object_agg"
    )
}

/// The query aggregates all its rows into one, which is there even if they are none.
fn aggregates(select: &Select) -> bool {
    let mut found = false;
    for (_, target) in &select.targets {
        target.walk(&mut |e| match e {
            Expr::Call(call) => found |= call.schema.is_none() && is_aggregate(&call.name),
            // With FILTER or DISTINCT.
            Expr::Opaque(text, _) => found |= text.split_once('(').is_some_and(|(name, _)| is_aggregate(name.trim())),
            _ => {}
        });
    }
    found && !select.grouped
}

impl Search<'_> {
    /// The first output of a query's row.
    fn first_target(&mut self, query: &Query, arm: usize, frame: &Rc<Frame>) -> Outcome<Val> {
        let Some(select) = query.arms.get(arm) else { return Ok(Val::constant(Value::Null)) };
        if select.targets.len() > 1 {
            let parts = select.targets.iter().map(|(_, e)| self.eval(e, frame)).collect::<Outcome<Vec<_>>>()?;
            let value = Value::List(parts.into_iter().map(|part| part.value).collect());
            return Ok(Val { value, sort: Sort::Plain, origin: None });
        }
        match select.targets.first() {
            Some((_, Expr::Call(call))) => self.set_returning(call, frame),
            Some((_, target)) => self.eval(target, frame),
            None => match self.star(frame).into_iter().next() {
                Some((_, cell)) => self.cell(&cell),
                None => Ok(Val::constant(Value::Null)),
            },
        }
    }

    /// A function in the target list may return many rows: some one of them.
    fn set_returning(&mut self, call: &Call, frame: &Rc<Frame>) -> Outcome<Val> {
        if call.name == "unnest" && call.arguments.len() == 1 {
            return Ok(self.element(&call.arguments[0], frame.path, frame)?.1);
        }
        self.call(call, frame, false)
    }

    /// An aggregate over the rows of a query, of which one stands for all; none where its value cannot be known.
    pub(super) fn aggregate(&mut self, call: &Call, frame: &Rc<Frame>) -> Outcome<Option<Val>> {
        let Some(found) = frame.aggregated().filter(|_| is_aggregate(&call.name)) else { return Ok(None) };
        match (call.name.as_str(), call.arguments.first()) {
            ("count", _) if found => {
                let var = Var::Opaque(format!("the number of rows\u{1}{}", frame.path), false);
                let number = self.get(var.clone())?;
                let some = number.as_text().and_then(|text| text.parse::<u32>().ok()).is_some_and(|n| n > 0);
                let value = if some { number } else { Value::text("1") };
                Ok(Some(Val { value, sort: Sort::Plain, origin: Some(var) }))
            }
            ("count", _) => Ok(Some(Val { value: Value::text("0"), sort: Sort::Plain, origin: None })),
            _ if !found => Ok(Some(Val { value: Value::Null, sort: Sort::Plain, origin: None })),
            ("sum" | "avg", _) | (_, None) => Ok(None),
            (_, Some(argument)) => self.eval(argument, frame).map(Some),
        }
    }

    /// Whether the query gives a row, and the frame its targets are read in.
    fn row(&mut self, query: &Arc<Query>, frame: &Rc<Frame>) -> Outcome<(Value, SomeRow)> {
        let mut row = self.some_row(query, frame, false)?;
        let mut found = self.found(row.truth.clone(), &row.query, &row.frame)?;
        if row.query.arms.get(row.arm).is_some_and(aggregates) && found != Value::Error {
            row.frame = Frame::of_aggregate(&row.frame, found.is_true());
            found = Value::Bool(true);
        }
        Ok((found, row))
    }

    pub(crate) fn exists(&mut self, query: &Arc<Query>, frame: &Rc<Frame>) -> Outcome<Value> {
        Ok(self.row(query, frame)?.0)
    }

    /// The filter let the row through, and there is such a row.
    fn found(&mut self, truth: Value, query: &Query, frame: &Rc<Frame>) -> Outcome<Value> {
        let rows = query.arms.iter().any(|arm| !arm.sources.is_empty());
        Ok(match truth {
            Value::Bool(true) if rows => self.get(Var::Present(mix(frame.path, &[0])))?,
            Value::Bool(true) | Value::Error => truth,
            _ => Value::Bool(false),
        })
    }

    pub(crate) fn scalar(&mut self, query: &Arc<Query>, frame: &Rc<Frame>, boolean: bool) -> Outcome<Val> {
        let (found, SomeRow { frame: inner, query, arm, .. }) = self.row(query, frame)?;
        let target = query.arms.get(arm).and_then(|a| a.targets.first()).map(|(_, e)| e);
        match found {
            Value::Error => Ok(Val::constant(Value::Error)),
            Value::Bool(true) => match target {
                Some(target) if boolean && !matches!(target, Expr::Call(_)) => {
                    let value = self.truth(target, &inner)?;
                    Ok(Val { value, sort: Sort::Plain, origin: None })
                }
                Some(Expr::Call(call)) if boolean => self.call(call, &inner, true),
                _ => self.first_target(&query, arm, &inner),
            },
            _ => Ok(Val { value: Value::Null, sort: Sort::Plain, origin: None }),
        }
    }

    pub(crate) fn query_elements(&mut self, query: &Arc<Query>, frame: &Rc<Frame>) -> Outcome<Vec<Val>> {
        let (found, SomeRow { frame: inner, query, arm, .. }) = self.row(query, frame)?;
        if found.is_true() { Ok(vec![self.first_target(&query, arm, &inner)?]) } else { Ok(Vec::new()) }
    }

    pub(crate) fn quantified_query(
        &mut self,
        op: Comparison,
        left: &Expr,
        any: bool,
        query: &Arc<Query>,
        frame: &Rc<Frame>,
    ) -> Outcome<Value> {
        let (found, SomeRow { frame: inner, query, arm, .. }) = self.row(query, frame)?;
        match found {
            Value::Bool(true) => {
                // A row beside the targets of a query: each pair teaches its own variables.
                let targets = query.arms.get(arm).map(|select| select.targets.as_slice()).unwrap_or_default();
                if let (Expr::Row(parts), Comparison::Equal | Comparison::NotEqual) = (left, op)
                    && parts.len() == targets.len()
                {
                    let mut pairs = Vec::new();
                    for (part, (_, target)) in parts.iter().zip(targets) {
                        let (part, target) = (self.eval(part, frame)?, self.eval(target, &inner)?);
                        pairs.push(Ok(self.compared(op, &part, &target)));
                    }
                    return if op == Comparison::Equal { conjunction(pairs) } else { disjunction(pairs) };
                }
                let left_val = self.eval(left, frame)?;
                let right = self.first_target(&query, arm, &inner)?;
                if matches!((&left_val.value, &right.value), (Value::List(_), _) | (_, Value::List(_))) {
                    let text = format!("{} {} (…)", words::render(left), words::symbol(op));
                    return Ok(self.free(&text, &inner, true, true)?.value);
                }
                Ok(self.compared(op, &left_val, &right))
            }
            Value::Error => Ok(Value::Error),
            _ => Ok(Value::Bool(!any)),
        }
    }
}
