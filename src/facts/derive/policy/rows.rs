//! Rows that sub-selects, views and functions find: each is one more row of the small model.

use super::eval::{Sort, Val, conjunction};
use super::expr::{Call, Comparison, Expr, From, Query, Select, Source};
use super::search::{Outcome, Part, RowInfo, RowKey, RowKind, Search, Var};
use super::value::{self, Value};
use crate::facts::derive::catalog::{Catalog, Function, Oid, Policy, Relation};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

/// What a name in a FROM clause stands for.
#[derive(Clone, Debug)]
pub(crate) enum Bound {
    Row(RowKey, Oid),
    Value(Val),
    /// A source that cannot be evaluated: its columns may be anything.
    Anything(String),
    /// The missing side of an outer join.
    Absent,
}

#[derive(Debug)]
pub(crate) enum SourceBound {
    Row(RowKey, Oid),
    Columns(Vec<(String, Val)>),
    Anything(String),
    Absent,
}

/// The names an expression may use, innermost first.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    parent: Option<Rc<Self>>,
    sources: Vec<(String, SourceBound)>,
    variables: Vec<(String, Val)>,
    ctes: Vec<(String, Arc<Query>)>,
    /// Whose rights count here: the caller's, or the owner's inside a definer function or view.
    pub(crate) role: Oid,
    /// Tells apart two evaluations of one text.
    pub(crate) path: u64,
    /// A function body: names outside are not seen.
    closed: bool,
}

fn mix(path: u64, parts: &[u64]) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    parts.hash(&mut hasher);
    hasher.finish()
}

impl Frame {
    /// The frame of a policy: the judged row under the relation's own name.
    pub(crate) fn of_row(row: RowKey, relation: &Relation, role: Oid) -> Rc<Self> {
        let sources = vec![(relation.name.clone(), SourceBound::Row(row, relation.oid))];
        Rc::new(Self { sources, role, path: row, ..Self::default() })
    }

    /// The frame of a view or function body, run with the rights of `role`.
    pub(crate) fn of_body(role: Oid, path: u64, variables: Vec<(String, Val)>) -> Rc<Self> {
        Rc::new(Self { role, path, variables, closed: true, ..Self::default() })
    }

    pub(crate) fn with_variable(parent: &Rc<Self>, name: &str, val: Val) -> Rc<Self> {
        Rc::new(Self {
            parent: Some(Rc::clone(parent)),
            variables: vec![(name.to_owned(), val)],
            role: parent.role,
            path: parent.path,
            ..Self::default()
        })
    }

    fn scopes(&self) -> impl Iterator<Item = &Self> {
        let mut next = Some(self);
        std::iter::from_fn(move || {
            let frame = next?;
            next = if frame.closed { None } else { frame.parent.as_deref() };
            Some(frame)
        })
    }

    pub(crate) fn parameter(&self, number: usize) -> Option<Val> {
        let name = format!("${number}");
        self.scopes().flat_map(|f| &f.variables).find(|(n, _)| *n == name).map(|(_, val)| val.clone())
    }

    fn cte(&self, name: &str) -> Option<Arc<Query>> {
        self.scopes().flat_map(|f| &f.ctes).find(|(n, _)| n == name).map(|(_, q)| Arc::clone(q))
    }

    /// What a column name stands for; none where it is unknown.
    pub(crate) fn resolve(&self, qualifier: Option<&str>, name: &str, catalog: &Catalog) -> Option<Bound> {
        for frame in self.scopes() {
            for (alias, source) in &frame.sources {
                if qualifier.is_some_and(|q| q != alias) {
                    continue;
                }
                match source {
                    SourceBound::Row(row, oid) => {
                        if catalog.relations.get(oid).is_some_and(|r| r.column(name).is_some()) {
                            return Some(Bound::Row(*row, *oid));
                        }
                    }
                    SourceBound::Columns(columns) => {
                        // `f` alone names the one column of a function's result.
                        let found = columns.iter().find(|(n, _)| n == name);
                        let whole = columns.first().filter(|_| columns.len() == 1 && name == alias);
                        if let Some((_, val)) = found.or(whole) {
                            return Some(Bound::Value(val.clone()));
                        }
                    }
                    SourceBound::Anything(text) => return Some(Bound::Anything(text.clone())),
                    SourceBound::Absent if qualifier.is_some() => return Some(Bound::Absent),
                    SourceBound::Absent => {}
                }
            }
            let qualified = qualifier.map(|q| format!("{q}.{name}"));
            let wanted = qualified.as_deref().unwrap_or(name);
            if let Some((_, val)) = frame.variables.iter().find(|(n, _)| n == wanted) {
                return Some(Bound::Value(val.clone()));
            }
        }
        None
    }

    /// Something in the expression reads a row.
    pub(crate) fn depends_on_row(&self, expr: &Expr, catalog: &Catalog) -> bool {
        let mut depends = false;
        expr.walk(&mut |e| match e {
            Expr::Column(qualifier, name) => {
                depends |= match self.resolve(qualifier.as_deref(), name, catalog) {
                    Some(Bound::Value(val)) => matches!(val.sort, Sort::Plain | Sort::Key(..)),
                    _ => true,
                };
            }
            Expr::Parameter(n) => {
                depends |= self.parameter(*n).is_some_and(|v| matches!(v.sort, Sort::Plain | Sort::Key(..)));
            }
            Expr::Exists(q) | Expr::Scalar(q) | Expr::ArrayQuery(q) | Expr::QuantifiedQuery(_, _, _, q) => {
                depends |= q.arms.iter().any(|arm| !arm.sources.is_empty());
            }
            _ => {}
        });
        depends
    }
}

fn address<T>(node: &T) -> u64 {
    std::ptr::from_ref(node) as usize as u64
}

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
    )
}

/// Some row of a query: whether its filter lets it through, and where its targets are read.
struct SomeRow {
    truth: Value,
    frame: Rc<Frame>,
    query: Arc<Query>,
    arm: usize,
}

impl Search<'_> {
    fn returns_set(&self, call: &Call) -> bool {
        let named = self.world.catalog.functions_named(call.schema.as_deref(), &call.name, call.arguments.len());
        named.first().is_some_and(|f| f.returns_set)
    }

    /// Some row of the query: whether its filter lets it through, and the frame its targets are read in.
    fn some_row(&mut self, query: &Arc<Query>, frame: &Rc<Frame>, output: bool) -> Outcome<SomeRow> {
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
        conditions.push(self.all(&select.filters, &frame));
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
                let visible = self.look_up(relation, row, frame.role)?;
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
                        return Ok((alias, SourceBound::Columns(vec![(column, val)]), truth));
                    }
                }
                let val = self.eval(expr, frame)?;
                let column = source.columns.first().cloned().unwrap_or_else(|| alias.clone());
                Ok((alias, SourceBound::Columns(vec![(column, val)]), yes))
            }
            From::Opaque(text) => Ok((alias(""), SourceBound::Anything(text.clone()), yes)),
        }
    }

    /// One element of an array.
    fn element(&mut self, array: &Expr, row: RowKey, frame: &Rc<Frame>) -> Outcome<(Value, Val)> {
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

    /// The row of a table that a policy looks up, as the role of the frame sees it.
    fn look_up(&mut self, relation: &Relation, row: RowKey, role: Oid) -> Outcome<Value> {
        let writable = super::decide::is_writable(self.world, self.principal, relation.oid);
        self.rows.entry(row).or_insert(RowInfo { relation: relation.oid, kind: RowKind::Inner, writable });
        self.visible(relation, row, role)
    }

    /// The role may read this row of the relation.
    pub(crate) fn visible(&mut self, relation: &Relation, row: RowKey, role: Oid) -> Outcome<Value> {
        if !self.world.may_read(role, relation) {
            return Ok(Value::Error);
        }
        if !self.world.is_bound(role, relation) {
            return Ok(Value::Bool(true));
        }
        if self.visiting.contains(&relation.oid) {
            return Ok(Value::Error);
        }
        self.visiting.push(relation.oid);
        let frame = Frame::of_row(row, relation, role);
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
        let (permissive, mut restrictive) = world.policies(role, relation, command);
        if self.without_floors && self.visiting.len() < 2 {
            restrictive.clear();
        }
        let truth = |search: &mut Self, policy: &Policy| {
            let text = if check { policy.check.as_ref().or(policy.using.as_ref()) } else { policy.using.as_ref() };
            match text {
                Some(text) => {
                    let parsed = world.expression(text);
                    search.truth(&parsed, frame)
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

    fn view(
        &mut self,
        view: &Relation,
        alias: String,
        row: RowKey,
        frame: &Rc<Frame>,
        output: bool,
    ) -> Outcome<(String, SourceBound, Value)> {
        if !self.world.may_read(frame.role, view) {
            return Ok((alias, SourceBound::Absent, Value::Error));
        }
        let Some(query) = self.world.view(view) else {
            return Ok((alias, SourceBound::Anything(view.name.clone()), Value::Bool(true)));
        };
        let role = if view.security_invoker { frame.role } else { view.owner };
        let inner = Frame::of_body(role, row, Vec::new());
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
        let mut columns = Vec::new();
        if select.star {
            columns.extend(self.star(&inner)?);
        }
        for (index, (name, target)) in select.targets.iter().enumerate() {
            let val = self.eval(target, &inner)?;
            // Names given outside win over those of the first arm.
            let first = query.arms.first().and_then(|a| a.targets.get(index)).and_then(|(n, _)| n.clone());
            let name = first.or_else(|| name.clone()).unwrap_or_default();
            columns.push((name, val));
        }
        for (column, name) in columns.iter_mut().zip(names) {
            column.0.clone_from(name);
        }
        Ok((truth, SourceBound::Columns(columns)))
    }

    /// `*`: every column of every source.
    fn star(&mut self, frame: &Rc<Frame>) -> Outcome<Vec<(String, Val)>> {
        let mut columns = Vec::new();
        for (alias, source) in &frame.sources {
            match source {
                SourceBound::Row(_, oid) => {
                    let names: Vec<String> = self
                        .world
                        .catalog
                        .relations
                        .get(oid)
                        .map(|r| r.columns.iter().map(|c| c.name.clone()).collect())
                        .unwrap_or_default();
                    for name in names {
                        let val = self.eval(&Expr::Column(Some(alias.clone()), name.clone()), frame)?;
                        columns.push((name, val));
                    }
                }
                SourceBound::Columns(named) => columns.extend(named.iter().cloned()),
                SourceBound::Anything(_) | SourceBound::Absent => {}
            }
        }
        Ok(columns)
    }

    /// The first output of a query's row.
    fn first_target(&mut self, query: &Query, arm: usize, frame: &Rc<Frame>) -> Outcome<Val> {
        let Some(select) = query.arms.get(arm) else { return Ok(Val::constant(Value::Null)) };
        if select.targets.len() > 1 {
            let parts = select.targets.iter().map(|(_, e)| self.eval(e, frame)).collect::<Outcome<Vec<_>>>()?;
            let value = Value::List(parts.into_iter().map(|part| part.value).collect());
            return Ok(Val { value, sort: Sort::Plain, origin: None });
        }
        match select.targets.first() {
            Some((_, Expr::Call(call))) if call.schema.is_none() && is_aggregate(&call.name) => {
                match call.arguments.first() {
                    Some(argument) => self.eval(argument, frame),
                    None => Ok(Val::constant(Value::text("1"))),
                }
            }
            Some((_, Expr::Call(call))) => self.set_returning(call, frame),
            Some((_, target)) => self.eval(target, frame),
            None => Ok(self.star(frame)?.into_iter().next().map_or_else(|| Val::constant(Value::Null), |(_, val)| val)),
        }
    }

    /// A function in the target list may return many rows: some one of them.
    fn set_returning(&mut self, call: &Call, frame: &Rc<Frame>) -> Outcome<Val> {
        if call.name == "unnest" && call.arguments.len() == 1 {
            return Ok(self.element(&call.arguments[0], frame.path, frame)?.1);
        }
        self.call(call, frame, false)
    }

    pub(crate) fn exists(&mut self, query: &Arc<Query>, frame: &Rc<Frame>) -> Outcome<Value> {
        let SomeRow { truth, frame: inner, query, .. } = self.some_row(query, frame, false)?;
        self.found(truth, &query, &inner)
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
        let SomeRow { truth, frame: inner, query, arm } = self.some_row(query, frame, false)?;
        let found = self.found(truth, &query, &inner)?;
        let target = query.arms.get(arm).and_then(|a| a.targets.first()).map(|(_, e)| e);
        let counts = matches!(target, Some(Expr::Call(call)) if call.schema.is_none() && call.name == "count");
        match found {
            Value::Error => Ok(Val::constant(Value::Error)),
            Value::Bool(true) if counts => Ok(Val { value: Value::text("1"), sort: Sort::Plain, origin: None }),
            _ if counts => Ok(Val { value: Value::text("0"), sort: Sort::Plain, origin: None }),
            Value::Bool(true) => match target {
                Some(target) if boolean && !matches!(target, Expr::Call(_)) => {
                    let value = self.truth(target, &inner)?;
                    Ok(Val { value, sort: Sort::Plain, origin: None })
                }
                Some(Expr::Call(call)) if boolean && !is_aggregate(&call.name) => self.call(call, &inner, true),
                _ => self.first_target(&query, arm, &inner),
            },
            _ => Ok(Val { value: Value::Null, sort: Sort::Plain, origin: None }),
        }
    }

    pub(crate) fn query_elements(&mut self, query: &Arc<Query>, frame: &Rc<Frame>) -> Outcome<Vec<Val>> {
        let SomeRow { truth, frame: inner, query, arm } = self.some_row(query, frame, false)?;
        let found = self.found(truth, &query, &inner)?;
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
        let SomeRow { truth, frame: inner, query, arm } = self.some_row(query, frame, false)?;
        let found = self.found(truth, &query, &inner)?;
        match found {
            Value::Bool(true) => {
                let left = self.eval(left, frame)?;
                let right = self.first_target(&query, arm, &inner)?;
                if let (Value::List(l), Value::List(r)) = (&left.value, &right.value)
                    && l.len() == r.len()
                {
                    return Ok(value::compare(op, &left.value, &right.value));
                }
                Ok(self.compared(op, &left, &right))
            }
            Value::Error => Ok(Value::Error),
            _ => Ok(Value::Bool(!any)),
        }
    }

    /// The query a readable user function stands for, and the frame of its arguments.
    fn inlined(&mut self, call: &Call, frame: &Rc<Frame>) -> Outcome<Option<(Arc<Query>, Rc<Frame>)>> {
        let world = self.world;
        let candidates = world.catalog.functions_named(call.schema.as_deref(), &call.name, call.arguments.len());
        let Some(function) = candidates.first() else { return Ok(None) };
        if candidates.len() > 1 && candidates.iter().any(|f| f.source != function.source) {
            return Ok(None);
        }
        let depth = self.visiting.iter().filter(|oid| **oid == -function.oid).count();
        let Some(body) = world.body(function).filter(|_| depth == 0) else { return Ok(None) };
        let names = function.names();
        let defaults = world.defaults(function);
        let given =
            call.arguments.iter().chain(defaults.iter().skip(defaults.len() + call.arguments.len() - function.arity()));
        let mut variables = Vec::new();
        for (index, argument) in given.enumerate() {
            let val = self.eval(argument, frame)?;
            if function.strict && val.value == Value::Null {
                let null = super::body::scalar(Expr::Null);
                return Ok(Some((Arc::new(null), Rc::clone(frame))));
            }
            bind(&mut variables, function, index, names.get(index), val);
        }
        let role = if function.security_definer { function.owner } else { frame.role };
        let path = mix(frame.path, &[address(call), function.oid as u64]);
        Ok(Some((body, Frame::of_body(role, path, variables))))
    }

    /// A call of a function that is not built in.
    pub(crate) fn user_function(&mut self, call: &Call, frame: &Rc<Frame>, boolean: bool) -> Outcome<Val> {
        let world = self.world;
        let functions = world.catalog.functions_named(call.schema.as_deref(), &call.name, call.arguments.len());
        let boolean = boolean || functions.first().is_some_and(|f| f.returns == "boolean");
        if let Some((query, inner)) = self.inlined(call, frame)? {
            let oid = functions.first().map_or(0, |f| f.oid);
            self.visiting.push(-oid);
            let result = self.scalar(&query, &inner, boolean);
            self.visiting.pop();
            return result;
        }
        if let Some(function) = functions.first() {
            self.unread.insert(format!("{}.{}", function.schema, function.name));
        }
        let text = super::words::render(&Expr::Call(call.clone()));
        self.unknown(&text, frame, &call.arguments, boolean)
    }
}

fn copies(bound: &[(String, SourceBound)]) -> Vec<(String, SourceBound)> {
    bound
        .iter()
        .map(|(alias, source)| {
            let copy = match source {
                SourceBound::Row(row, oid) => SourceBound::Row(*row, *oid),
                SourceBound::Columns(columns) => SourceBound::Columns(columns.clone()),
                SourceBound::Anything(text) => SourceBound::Anything(text.clone()),
                SourceBound::Absent => SourceBound::Absent,
            };
            (alias.clone(), copy)
        })
        .collect()
}

/// An argument is known in the body as `$1`, by its name, and by its name behind the function's.
pub(crate) fn bind(
    variables: &mut Vec<(String, Val)>,
    function: &Function,
    index: usize,
    name: Option<&String>,
    val: Val,
) {
    variables.push((format!("${}", index + 1), val.clone()));
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        variables.push((format!("{}.{name}", function.name), val.clone()));
        variables.push((name.clone(), val));
    }
}
