//! Evaluates an expression in one try, in three-valued logic, asking for variables as it needs them.

use super::expr::{Comparison, Expr, Test};
use super::frame::{Bound, Cell, Frame, Later};
use super::search::{Halt, Outcome, Part, Search, Var};
use super::value::{self, Value};
use super::world::Class;
use super::{builtin, members, words};
use std::rc::Rc;

/// Where a value comes from: decides what a comparison may teach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Constant,
    /// The session: settings, the current user.
    Session,
    /// A column that says whose the row is, with its type.
    Key(Class, String),
    /// Any other column, or a mixture.
    Plain,
}

/// A value and its origin.
#[derive(Clone, Debug)]
pub(crate) struct Val {
    pub(crate) value: Value,
    pub(crate) sort: Sort,
    /// The variable it is a plain reading of: casts and `coalesce` keep it, arithmetic does not.
    pub(crate) origin: Option<Var>,
}

impl Val {
    pub(crate) fn constant(value: Value) -> Self {
        Self { value, sort: Sort::Constant, origin: None }
    }

    pub(super) fn with(self, value: Value) -> Self {
        Self { value, ..self }
    }
}

/// The sort of a value computed from several.
pub(super) fn combined<'v>(values: impl IntoIterator<Item = &'v Val>) -> Sort {
    values.into_iter().fold(Sort::Constant, |sort, val| match (sort, &val.sort) {
        (Sort::Constant, other) => other.clone(),
        (sort, Sort::Constant) => sort,
        (Sort::Session, Sort::Session) => Sort::Session,
        (Sort::Key(class, name), Sort::Key(..) | Sort::Session) => Sort::Key(class, name),
        (Sort::Session, Sort::Key(class, name)) => Sort::Key(*class, name.clone()),
        _ => Sort::Plain,
    })
}

impl Search<'_> {
    /// The truth of a condition.
    pub(crate) fn truth(&mut self, expr: &Expr, frame: &Rc<Frame>) -> Outcome<Value> {
        Ok(match self.eval_as(expr, frame, true)?.value {
            // Texts are conditions only behind a cast that failed to be seen; numbers never are.
            value @ Value::Text(_) => value::cast(value, "boolean"),
            value => value,
        })
    }

    /// Whether a condition holds: what is unknown keeps a row out as what is false does, so that one part which cannot be
    /// true any more decides an AND, whatever the others still need.
    pub(crate) fn holds(&mut self, expr: &Expr, frame: &Rc<Frame>) -> Outcome<Value> {
        match expr {
            Expr::And(parts) => self.all_hold(parts, frame),
            Expr::Or(parts) => self.over(parts, frame, true, Self::holds),
            _ => Ok(Value::Bool(self.truth(expr, frame)?.is_true())),
        }
    }

    pub(crate) fn all_hold(&mut self, parts: &[Expr], frame: &Rc<Frame>) -> Outcome<Value> {
        self.over(parts, frame, false, Self::holds)
    }

    /// OR over parts that are read one way, where `any` is enough; else AND.
    fn over(
        &mut self,
        parts: &[Expr],
        frame: &Rc<Frame>,
        any: bool,
        read: fn(&mut Self, &Expr, &Rc<Frame>) -> Outcome<Value>,
    ) -> Outcome<Value> {
        let mut parts: Vec<_> = parts.iter().map(|part| move |search: &mut Self| read(search, part, frame)).collect();
        let mut parts: Vec<&mut Part<'_, '_>> = parts.iter_mut().map(|part| part as _).collect();
        if any { self.disjoin(&mut parts) } else { self.conjoin(&mut parts) }
    }

    pub(crate) fn eval(&mut self, expr: &Expr, frame: &Rc<Frame>) -> Outcome<Val> {
        self.eval_as(expr, frame, false)
    }

    pub(super) fn condition(&mut self, result: Outcome<Value>) -> Outcome<Val> {
        result.map(|value| Val { value, sort: Sort::Plain, origin: None })
    }

    pub(super) fn eval_as(&mut self, expr: &Expr, frame: &Rc<Frame>, boolean: bool) -> Outcome<Val> {
        match expr {
            Expr::Null => Ok(Val::constant(Value::Null)),
            Expr::Bool(b) => Ok(Val::constant(Value::Bool(*b))),
            Expr::Constant(text) => Ok(Val::constant(self.constant(text))),
            Expr::Raise => Ok(Val::constant(Value::Error)),
            Expr::Column(qualifier, name) => self.column(qualifier.as_deref(), name, frame, boolean),
            Expr::Parameter(n) => match frame.parameter(*n) {
                Some(cell) => self.cell(&cell),
                None => self.unknown(&format!("${n}"), frame, &[], boolean),
            },
            Expr::Cast(inner, type_name) => self.cast(inner, type_name, frame),
            Expr::Not(inner) => {
                let value = self.truth(inner, frame).map(value::not);
                self.condition(value)
            }
            Expr::And(parts) => {
                let value = self.over(parts, frame, false, Self::truth);
                self.condition(value)
            }
            Expr::Or(parts) => {
                let value = self.over(parts, frame, true, Self::truth);
                self.condition(value)
            }
            Expr::Compare(op, left, right) => {
                let value = self.comparison(*op, left, right, frame);
                self.condition(value)
            }
            Expr::Is(inner, test) => self.is(inner, *test, frame),
            Expr::Distinct(left, right) => {
                let (left, right) = (self.eval(left, frame)?, self.eval(right, frame)?);
                let value = match (&left.value, &right.value) {
                    (Value::Null, Value::Null) => Value::Bool(false),
                    (Value::Null, _) | (_, Value::Null) => Value::Bool(true),
                    _ => value::not(self.compared(Comparison::Equal, &left, &right)),
                };
                self.condition(Ok(value))
            }
            Expr::Like(left, right, fold) => self.like(left, right, *fold, frame),
            Expr::Case(operand, whens, otherwise) => {
                for (when, then) in whens {
                    let truth = match operand {
                        Some(operand) => self.comparison(Comparison::Equal, operand, when, frame)?,
                        None => self.truth(when, frame)?,
                    };
                    match truth {
                        Value::Bool(true) => return self.eval_as(then, frame, boolean),
                        Value::Error => return Ok(Val::constant(Value::Error)),
                        _ => {}
                    }
                }
                otherwise.as_ref().map_or_else(|| Ok(Val::constant(Value::Null)), |e| self.eval_as(e, frame, boolean))
            }
            Expr::Quantified(op, left, any, array) => {
                let left = self.eval(left, frame)?;
                // What holds for all elements of an empty list holds.
                let empty = format!("{} is empty", words::render(array));
                let vacuous = !*any && !array.is_literal() && self.get(Var::Session(empty, true))?.is_true();
                let value = match self.elements(array, frame)? {
                    Some(_) if vacuous => Value::Bool(true),
                    Some(elements) => self.quantified(*op, &left, *any, &elements),
                    None => Value::Null,
                };
                self.condition(Ok(value))
            }
            Expr::QuantifiedQuery(op, left, any, query) => {
                let value = self.quantified_query(*op, left, *any, query, frame);
                self.condition(value)
            }
            Expr::Exists(query) => {
                let value = self.exists(query, frame);
                self.condition(value)
            }
            Expr::Scalar(query) => self.scalar(query, frame, boolean),
            Expr::Array(_) | Expr::ArrayQuery(_) => self.list(expr, frame),
            Expr::Row(parts) => {
                let parts = parts.iter().map(|p| self.eval(p, frame)).collect::<Outcome<Vec<_>>>()?;
                let sort = combined(&parts);
                Ok(Val { value: Value::List(parts.into_iter().map(|p| p.value).collect()), sort, origin: None })
            }
            Expr::Let(name, bound, body) => {
                let bound = self.eval(bound, frame)?;
                let inner = Frame::with_variable(frame, name, bound);
                self.eval_as(body, &inner, boolean)
            }
            Expr::Rescue(body, handler) => {
                let result = self.eval_as(body, frame, boolean)?;
                if result.value == Value::Error { self.eval_as(handler, frame, boolean) } else { Ok(result) }
            }
            Expr::Call(call) => self.call(call, frame, boolean),
            Expr::Operator(operator, operands) => self.operator(operator, operands, expr, frame, boolean),
            Expr::Opaque(text, inner) => self.unknown(text, frame, inner, boolean),
        }
    }

    fn column(&mut self, qualifier: Option<&str>, name: &str, frame: &Rc<Frame>, boolean: bool) -> Outcome<Val> {
        match frame.resolve(qualifier, name, self.world.catalog) {
            Some(Bound::Row(row, relation)) => {
                let world = self.world;
                let Some(table) = world.catalog.relations.get(&relation) else { return Ok(Val::constant(Value::Null)) };
                let Some(column) = table.column(name) else { return self.unknown(name, frame, &[], boolean) };
                let inner = self.rows.get(&row).is_none_or(|r| r.kind == super::search::RowKind::Inner);
                let class = world.class(table, column, inner);
                if class != Class::Plain {
                    self.get(Var::Owned(row))?;
                }
                let var = Var::Column(row, column.number);
                let value = self.get(var.clone())?;
                let sort = if class == Class::Plain { Sort::Plain } else { Sort::Key(class, column.type_name.clone()) };
                Ok(Val { value, sort, origin: Some(var) })
            }
            Some(Bound::Cell(cell)) => self.cell(&cell),
            Some(Bound::Anything(text)) => {
                let text = format!("{text}.{name}");
                self.unknown(&text, frame, &[Expr::Column(None, "\u{1}".into())], boolean)
            }
            Some(Bound::Absent) => Ok(Val { value: Value::Null, sort: Sort::Plain, origin: None }),
            None => self.unknown(name, frame, &[Expr::Column(None, "\u{1}".into())], boolean),
        }
    }

    pub(super) fn cell(&mut self, cell: &Cell) -> Outcome<Val> {
        match cell {
            Cell::Value(val) => Ok(val.clone()),
            Cell::Argument(var) => {
                let value = self.get(var.clone())?;
                Ok(Val { value, sort: Sort::Plain, origin: Some(var.clone()) })
            }
            Cell::Later(later) => self.later(later),
        }
    }

    /// A column of a query: what it rests on is to blame each time it is asked for.
    fn later(&mut self, later: &Later) -> Outcome<Val> {
        if let Some((val, reads)) = later.known.get() {
            self.reads.extend(reads.iter().cloned());
            return Ok(val.clone());
        }
        let start = self.reads.len();
        let val = self.eval(later.expr(), &later.frame)?;
        let _ = later.known.set((val.clone(), self.reads[start..].to_vec()));
        Ok(val)
    }

    fn cast(&mut self, inner: &Expr, type_name: &str, frame: &Rc<Frame>) -> Outcome<Val> {
        let boolean = matches!(type_name, "boolean" | "bool");
        if let Some(element) = type_name.strip_suffix("[]") {
            let Some(elements) = self.elements(inner, frame)? else { return Ok(Val::constant(Value::Null)) };
            let list = elements.iter().map(|e| value::cast(e.value.clone(), element)).collect();
            return Ok(Val { value: Value::List(list), sort: combined(&elements), origin: None });
        }
        let inner = self.eval_as(inner, frame, boolean)?;
        if let (true, Some(var)) = (boolean, &inner.origin) {
            self.learn(var, &Value::text("true"));
            self.learn(var, &Value::text("false"));
        }
        // The text of a key may be a number; that of a UUID is none.
        let is_uuid = matches!(&inner.sort, Sort::Key(_, of) if of == "uuid");
        let value = match value::cast(inner.value.clone(), type_name) {
            Value::Text(_) if is_uuid && value::is_number_in_sql(type_name) => Value::Error,
            value => value,
        };
        Ok(inner.with(value))
    }

    fn is(&mut self, inner: &Expr, test: Test, frame: &Rc<Frame>) -> Outcome<Val> {
        let value = if test == Test::Null { self.eval(inner, frame)?.value } else { self.truth(inner, frame)? };
        let value = match (test, value) {
            (_, Value::Error) => Value::Error,
            (Test::Null, value) => Value::Bool(value == Value::Null),
            (Test::True, value) => Value::Bool(value == Value::Bool(true)),
            (Test::False, value) => Value::Bool(value == Value::Bool(false)),
        };
        self.condition(Ok(value))
    }

    /// Something that cannot be evaluated: of the session where nothing in it depends on a row, else of the row.
    pub(crate) fn unknown(&mut self, text: &str, frame: &Rc<Frame>, inner: &[Expr], boolean: bool) -> Outcome<Val> {
        let catalog = self.world.catalog;
        // What reads neither the row nor the session, `generate_series(1, 9)`, says nothing of the session's tenant.
        let constant = !inner.is_empty() && !inner.iter().any(|e| frame.depends_on_session(e, catalog));
        let of_row = constant || inner.iter().any(|e| frame.depends_on_row(e, catalog));
        self.free(text, frame, of_row, boolean)
    }

    /// A variable for what cannot be evaluated.
    pub(super) fn free(&mut self, text: &str, frame: &Rc<Frame>, of_row: bool, boolean: bool) -> Outcome<Val> {
        let (var, sort) = if of_row {
            (Var::Opaque(format!("{text}\u{1}{}", frame.path), boolean), Sort::Plain)
        } else {
            (Var::Session(text.to_owned(), boolean), Sort::Session)
        };
        let value = self.get(var.clone())?;
        Ok(Val { value, sort, origin: Some(var) })
    }

    /// A value computed from others; where they are the session's alone, the session may be chosen for it.
    pub(super) fn of_session(&mut self, text: String, value: Value, sort: Sort) -> Outcome<Val> {
        if sort != Sort::Session || !matches!(value, Value::Text(_)) {
            return Ok(Val { value, sort, origin: None });
        }
        let (value, var) = self.computed(text, value)?;
        Ok(Val { value, sort, origin: Some(var) })
    }

    fn operator(
        &mut self,
        operator: &str,
        operands: &[Expr],
        whole: &Expr,
        frame: &Rc<Frame>,
        boolean: bool,
    ) -> Outcome<Val> {
        if let Some((qualifier, name)) = members::column(whole)
            && let Some(Bound::Row(..)) = frame.resolve(qualifier, &name, self.world.catalog)
        {
            return self.column(qualifier, &name, frame, boolean);
        }
        if let ("@>" | "<@" | "&&" | "?", [left, right]) = (operator, operands)
            && let Some(value) = self.containment(operator, left, right, frame)?
        {
            return self.condition(Ok(value));
        }
        if let ("~" | "!~" | "~*" | "!~*", [text, pattern]) = (operator, operands)
            && let Some(value) = self.regular(operator, text, pattern, frame)?
        {
            return self.condition(Ok(value));
        }
        let concrete = matches!(operator, "||" | "+" | "-" | "*" | "/" | "%");
        if concrete {
            let values = operands.iter().map(|o| self.eval(o, frame)).collect::<Outcome<Vec<_>>>()?;
            let sort = combined(&values);
            if sort != Sort::Plain
                && let Some(value) =
                    builtin::operator(operator, &values.iter().map(|v| v.value.clone()).collect::<Vec<_>>())
            {
                return self.of_session(words::render(whole), value, sort);
            }
        }
        let text = words::render(whole);
        let boolean =
            boolean || matches!(operator, "~" | "!~" | "~*" | "!~*" | "@>" | "<@" | "&&" | "?" | "@@" | "similar to");
        self.unknown(&text, frame, operands, boolean)
    }
}

/// AND over outcomes: a part that is false decides before a part that still needs something.
pub(crate) fn conjunction(outcomes: Vec<Outcome<Value>>) -> Outcome<Value> {
    let mut need: Option<Halt> = None;
    let mut known = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(Value::Bool(false)) => return Ok(Value::Bool(false)),
            Ok(value) => known.push(value),
            Err(halt) => need = need.or(Some(halt)),
        }
    }
    need.map_or_else(|| Ok(value::and(known)), Err)
}

/// OR over outcomes: a part that is true decides.
pub(crate) fn disjunction(outcomes: Vec<Outcome<Value>>) -> Outcome<Value> {
    let negated = outcomes.into_iter().map(|outcome| outcome.map(value::not)).collect();
    conjunction(negated).map(value::not)
}
