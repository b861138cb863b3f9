//! Rows that sub-selects, views and functions find: each is one more row of the small model.

use super::eval::{Val, conjunction};
use super::expr::{Expr, From, Query, Select, Source};
use super::frame::{Cell, Frame, Later, SourceBound, address, copies, mix};
use super::search::{Outcome, RowKey, Search, Var};
use super::value::Value;
use crate::facts::derive::catalog::Relation;
use std::rc::Rc;
use std::sync::Arc;

/// Some row of a query: whether its filter lets it through, and where its targets are read.
pub(super) struct SomeRow {
    pub(super) truth: Value,
    pub(super) frame: Rc<Frame>,
    pub(super) query: Arc<Query>,
    pub(super) arm: usize,
}

impl Search<'_> {
    /// Some row of the query: whether its filter lets it through, and the frame its targets are read in.
    pub(super) fn some_row(&mut self, query: &Arc<Query>, frame: &Rc<Frame>, output: bool) -> Outcome<SomeRow> {
        let path = mix(frame.path, &[address(query.as_ref())]);
        let arm = if query.arms.len() > 1 {
            let chosen = self.get(Var::Arm(path, query.arms.len()))?;
            chosen.as_text().and_then(|t| t.parse().ok()).unwrap_or(0)
        } else {
            0
        };
        let outer = Rc::new(Frame {
            parent: Some(Rc::clone(frame)),
            ctes: query.ctes.clone(),
            role: frame.role,
            user: frame.user,
            path: mix(path, &[arm as u64]),
            ..Frame::default()
        });
        let Some(select) = query.arms.get(arm) else {
            return Ok(SomeRow { truth: Value::Bool(false), frame: outer, query: Arc::clone(query), arm: 0 });
        };
        // `SELECT f()` of a set-returning function has the function's rows.
        if let (true, [(_, Expr::Call(call))]) = (select.sources.is_empty(), select.targets.as_slice())
            && self.returns_set(call)
            && let Some((body, inner)) = self.inlined(call, &outer)?
        {
            return self.some_row(&body, &inner, output);
        }
        let (truth, frame) = self.instantiate(select, &outer, output)?;
        Ok(SomeRow { truth, frame, query: Arc::clone(query), arm })
    }

    fn instantiate(&mut self, select: &Select, outer: &Rc<Frame>, output: bool) -> Outcome<(Value, Rc<Frame>)> {
        let mut bound: Vec<(String, SourceBound)> = Vec::new();
        let mut conditions: Vec<Outcome<Value>> = Vec::new();
        let rebuild = |bound: Vec<(String, SourceBound)>| {
            Rc::new(Frame {
                parent: Some(Rc::clone(outer)),
                sources: bound,
                role: outer.role,
                user: outer.user,
                path: outer.path,
                ..Frame::default()
            })
        };
        for (index, source) in select.sources.iter().enumerate() {
            let row = mix(outer.path, &[index as u64 + 1]);
            let lateral = rebuild(copies(&bound));
            let (alias, bind, condition) = self.source(source, row, &lateral, output)?;
            if source.optional {
                if self.get(Var::Present(row))?.is_true() {
                    conditions.push(Ok(condition));
                    bound.push((alias, bind));
                    if let Some(on) = &source.on {
                        let frame = rebuild(copies(&bound));
                        conditions.push(self.truth(on, &frame));
                    }
                } else {
                    bound.push((alias, SourceBound::Absent));
                }
            } else {
                conditions.push(Ok(condition));
                bound.push((alias, bind));
                if let Some(on) = &source.on {
                    let frame = rebuild(copies(&bound));
                    conditions.push(self.truth(on, &frame));
                }
            }
        }
        let frame = rebuild(bound);
        let start = self.reads.len();
        conditions.push(self.all_hold(&select.filters, &frame));
        if output {
            self.narrowing.push(start..self.reads.len());
        }
        Ok((conjunction(conditions)?, frame))
    }

    /// Binds one FROM item. The value says whether the caller may see such a row.
    fn source(
        &mut self,
        source: &Source,
        row: RowKey,
        frame: &Rc<Frame>,
        output: bool,
    ) -> Outcome<(String, SourceBound, Value)> {
        let alias = |fallback: &str| source.alias.clone().unwrap_or_else(|| fallback.to_owned());
        let yes = Value::Bool(true);
        match &source.from {
            From::Relation(schema, name) => {
                let cte = if schema.is_none() { frame.cte(name) } else { None };
                if let Some(query) = cte {
                    let (truth, columns) = self.derived(&query, frame, &source.columns, output)?;
                    return Ok((alias(name), columns, truth));
                }
                let world = self.world;
                let Some(relation) = world.catalog.relation_named(schema.as_deref(), name) else {
                    return Ok((alias(name), SourceBound::Anything(name.clone()), yes));
                };
                if matches!(relation.kind.as_str(), "view" | "materialized view") {
                    return self.view(relation, alias(name), row, frame, output);
                }
                let visible = self.look_up(relation, row, frame.role, frame.user)?;
                if output {
                    self.output_rows.push(row);
                }
                Ok((alias(name), SourceBound::Row(row, relation.oid), visible))
            }
            From::Query(query) => {
                let (truth, columns) = self.derived(query, frame, &source.columns, output)?;
                Ok((alias(""), columns, truth))
            }
            From::Call(expr) => {
                let name = if let Expr::Call(call) = expr { call.name.clone() } else { String::new() };
                let alias = alias(&name);
                if let Expr::Call(call) = expr {
                    if let Some((query, inner)) = self.inlined(call, frame)? {
                        let (truth, columns) = self.derived(&query, &inner, &source.columns, output)?;
                        return Ok((alias, columns, truth));
                    }
                    if matches!(
                        name.as_str(),
                        "unnest"
                            | "jsonb_array_elements_text"
                            | "json_array_elements_text"
                            | "string_to_table"
                            | "regexp_split_to_table"
                    ) {
                        let column = source.columns.first().cloned().unwrap_or_else(|| alias.clone());
                        let (truth, val) = self.element(&call.arguments[0], row, frame)?;
                        return Ok((alias, SourceBound::Columns(vec![(column, Cell::Value(val))]), truth));
                    }
                }
                let val = self.eval(expr, frame)?;
                let column = source.columns.first().cloned().unwrap_or_else(|| alias.clone());
                Ok((alias, SourceBound::Columns(vec![(column, Cell::Value(val))]), yes))
            }
            From::Opaque(text) => Ok((alias(""), SourceBound::Anything(text.clone()), yes)),
        }
    }

    /// One element of an array.
    pub(super) fn element(&mut self, array: &Expr, row: RowKey, frame: &Rc<Frame>) -> Outcome<(Value, Val)> {
        let Some(elements) = self.elements(array, frame)? else {
            return Ok((Value::Bool(false), Val::constant(Value::Null)));
        };
        let index = match elements.len() {
            0 => return Ok((Value::Bool(false), Val::constant(Value::Null))),
            1 => 0,
            n => self.get(Var::Arm(row, n))?.as_text().and_then(|t| t.parse().ok()).unwrap_or(0),
        };
        Ok((Value::Bool(true), elements[index].clone()))
    }

    fn view(
        &mut self,
        view: &Relation,
        alias: String,
        row: RowKey,
        frame: &Rc<Frame>,
        output: bool,
    ) -> Outcome<(String, SourceBound, Value)> {
        self.asker.sees(frame.role, view.oid);
        if !self.world.may_read(frame.role, view) {
            return Ok((alias, SourceBound::Absent, Value::Error));
        }
        let Some(query) = self.world.view(view) else {
            return Ok((alias, SourceBound::Anything(view.name.clone()), Value::Bool(true)));
        };
        let role = if view.security_invoker { frame.role } else { view.owner };
        let inner = Frame::of_body(role, frame.user, row, Vec::new());
        let names: Vec<String> = view.columns.iter().map(|c| c.name.clone()).collect();
        let (truth, columns) = self.derived(&query, &inner, &names, output)?;
        Ok((alias, columns, truth))
    }

    /// One row of a query as named values.
    pub(crate) fn derived(
        &mut self,
        query: &Arc<Query>,
        frame: &Rc<Frame>,
        names: &[String],
        output: bool,
    ) -> Outcome<(Value, SourceBound)> {
        let SomeRow { truth, frame: inner, query, arm } = self.some_row(query, frame, output)?;
        let Some(select) = query.arms.get(arm) else { return Ok((Value::Bool(false), SourceBound::Absent)) };
        if truth == Value::Bool(false) {
            return Ok((truth, SourceBound::Absent));
        }
        let mut columns = if select.star { self.star(&inner) } else { Vec::new() };
        for (target, (name, _)) in select.targets.iter().enumerate() {
            // Names given outside win over those of the first arm.
            let first = query.arms.first().and_then(|a| a.targets.get(target)).and_then(|(n, _)| n.clone());
            let name = first.or_else(|| name.clone()).unwrap_or_default();
            columns.push((name, Cell::Later(Later::target(&query, arm, target, &inner))));
        }
        for (column, name) in columns.iter_mut().zip(names) {
            column.0.clone_from(name);
        }
        Ok((truth, SourceBound::Columns(columns)))
    }

    /// `*`: every column of every source.
    pub(super) fn star(&self, frame: &Rc<Frame>) -> Vec<(String, Cell)> {
        let mut columns = Vec::new();
        for (alias, source) in
            frame.sources.iter().filter(|(alias, _)| !alias.starts_with(super::plpgsql_rows::VARIABLE))
        {
            match source {
                SourceBound::Row(_, oid) => {
                    let relation = self.world.catalog.relations.get(oid);
                    let names = relation.into_iter().flat_map(|r| &r.columns).map(|c| &c.name);
                    columns.extend(names.map(|name| (name.clone(), Cell::Later(Later::named(alias, name, frame)))));
                }
                SourceBound::Columns(named) => columns.extend(named.iter().cloned()),
                SourceBound::Anything(_) | SourceBound::Absent => {}
            }
        }
        columns
    }
}
