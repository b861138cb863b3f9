//! Evaluates an expression in one try, in three-valued logic, asking for variables as it needs them.

use super::expr::{Call, Comparison, Expr, Test};
use super::rows::{Bound, Frame};
use super::search::{Halt, Outcome, Part, Search, Var};
use super::value::{self, Value};
use super::world::Class;
use super::{builtin, words};
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

    fn with(self, value: Value) -> Self {
        Self { value, ..self }
    }
}

/// The sort of a value computed from several.
fn combined<'v>(values: impl IntoIterator<Item = &'v Val>) -> Sort {
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

    pub(crate) fn eval(&mut self, expr: &Expr, frame: &Rc<Frame>) -> Outcome<Val> {
        self.eval_as(expr, frame, false)
    }

    fn condition(&mut self, result: Outcome<Value>) -> Outcome<Val> {
        result.map(|value| Val { value, sort: Sort::Plain, origin: None })
    }

    fn eval_as(&mut self, expr: &Expr, frame: &Rc<Frame>, boolean: bool) -> Outcome<Val> {
        match expr {
            Expr::Null => Ok(Val::constant(Value::Null)),
            Expr::Bool(b) => Ok(Val::constant(Value::Bool(*b))),
            Expr::Constant(text) => Ok(Val::constant(self.constant(text))),
            Expr::Raise => Ok(Val::constant(Value::Error)),
            Expr::Column(qualifier, name) => self.column(qualifier.as_deref(), name, frame, boolean),
            Expr::Parameter(n) => match frame.parameter(*n) {
                Some(val) => Ok(val),
                None => self.unknown(&format!("${n}"), frame, &[], boolean),
            },
            Expr::Cast(inner, type_name) => self.cast(inner, type_name, frame),
            Expr::Not(inner) => {
                let value = self.truth(inner, frame).map(value::not);
                self.condition(value)
            }
            Expr::And(parts) => {
                let value = self.all(parts, frame);
                self.condition(value)
            }
            Expr::Or(parts) => {
                let value = self.any(parts, frame);
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
                let value = match self.elements(array, frame)? {
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
            Expr::Array(_) | Expr::ArrayQuery(_) => Ok(match self.elements(expr, frame)? {
                Some(elements) => Val {
                    sort: combined(&elements),
                    origin: None,
                    value: Value::List(elements.into_iter().map(|e| e.value).collect()),
                },
                None => Val::constant(Value::Null),
            }),
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

    pub(crate) fn all(&mut self, parts: &[Expr], frame: &Rc<Frame>) -> Outcome<Value> {
        let mut parts: Vec<_> = parts.iter().map(|part| move |search: &mut Self| search.truth(part, frame)).collect();
        let mut parts: Vec<&mut Part<'_, '_>> = parts.iter_mut().map(|part| part as _).collect();
        self.conjoin(&mut parts)
    }

    fn any(&mut self, parts: &[Expr], frame: &Rc<Frame>) -> Outcome<Value> {
        let mut parts: Vec<_> = parts.iter().map(|part| move |search: &mut Self| search.truth(part, frame)).collect();
        let mut parts: Vec<&mut Part<'_, '_>> = parts.iter_mut().map(|part| part as _).collect();
        self.disjoin(&mut parts)
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
            Some(Bound::Value(val)) => Ok(val),
            Some(Bound::Anything(text)) => {
                let text = format!("{text}.{name}");
                self.unknown(&text, frame, &[Expr::Column(None, "\u{1}".into())], boolean)
            }
            Some(Bound::Absent) => Ok(Val { value: Value::Null, sort: Sort::Plain, origin: None }),
            None => self.unknown(name, frame, &[Expr::Column(None, "\u{1}".into())], boolean),
        }
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
        let value = value::cast(inner.value.clone(), type_name);
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

    fn comparison(&mut self, op: Comparison, left: &Expr, right: &Expr, frame: &Rc<Frame>) -> Outcome<Value> {
        // Rows compare part by part, so that each pair teaches its own variables.
        if let (Expr::Row(l), Expr::Row(r), Comparison::Equal) = (left, right, op) {
            let outcomes = l.iter().zip(r).map(|(l, r)| self.comparison(op, l, r, frame)).collect::<Vec<_>>();
            return conjunction(outcomes);
        }
        let left_val = self.eval(left, frame);
        let right_val = self.eval(right, frame);
        let (left, right) = (left_val?, right_val?);
        Ok(self.compared(op, &left, &right))
    }

    /// Compares, and lets both sides learn from each other.
    pub(crate) fn compared(&mut self, op: Comparison, left: &Val, right: &Val) -> Value {
        let ordered = !matches!(op, Comparison::Equal | Comparison::NotEqual);
        self.teach(left, right, ordered);
        self.teach(right, left, ordered);
        value::compare(op, &left.value, &right.value)
    }

    fn teach(&mut self, pupil: &Val, other: &Val, ordered: bool) {
        let Some(var) = &pupil.origin else { return };
        let mut lessons = Vec::new();
        match (&pupil.sort, &other.sort) {
            // A session value beside a key is the session's own key: by definition it names no other tenant.
            (Sort::Session, Sort::Key(_, type_name)) => lessons.push(value::own(type_name)),
            (Sort::Key(Class::Key, type_name), Sort::Constant | Sort::Session) => {
                if other.origin.is_none() {
                    if other.sort == Sort::Constant {
                        self.named_keys.insert((other.value.clone(), value::own(type_name)));
                    }
                    lessons.push(other.value.clone());
                }
            }
            (Sort::Key(..), Sort::Key(..) | Sort::Plain) => {}
            (Sort::Key(..), Sort::Constant | Sort::Session) if other.origin.is_some() => {}
            _ => lessons.push(other.value.clone()),
        }
        if ordered && !lessons.is_empty() {
            // Two variables that taught each other their neighbours would never be done; an end of the scale does.
            let constant = other.origin.is_none();
            let beside = if constant { value::neighbours(&other.value) } else { value::ends(&other.value) };
            lessons.extend(beside);
        }
        for lesson in lessons {
            self.learn(var, &lesson);
        }
    }

    fn like(&mut self, left: &Expr, right: &Expr, fold: bool, frame: &Rc<Frame>) -> Outcome<Val> {
        let (left, right) = (self.eval(left, frame)?, self.eval(right, frame)?);
        if let (Some(var), Some(pattern)) = (&left.origin, right.value.as_text())
            && (right.sort == Sort::Constant || left.sort == Sort::Plain)
        {
            let example = pattern.replace('%', "").replace('_', "x");
            self.learn(var, &Value::text(&example));
        }
        // Whoever sets the pattern may set it to match everything.
        if let (Some(var), Sort::Session) = (&right.origin, &right.sort) {
            self.learn(var, &Value::text("%"));
        }
        let value = match (left.value.as_text(), right.value.as_text()) {
            (Some(l), Some(r)) if fold => Value::Bool(value::like(&l.to_lowercase(), &r.to_lowercase())),
            (Some(l), Some(r)) => Value::Bool(value::like(l, r)),
            _ if left.value == Value::Error || right.value == Value::Error => Value::Error,
            _ => Value::Null,
        };
        self.condition(Ok(value))
    }

    pub(crate) fn quantified(&mut self, op: Comparison, left: &Val, any: bool, elements: &[Val]) -> Value {
        let results: Vec<_> = elements.iter().map(|e| Ok(self.compared(op, left, e))).collect();
        let result = if any { disjunction(results) } else { conjunction(results) };
        result.unwrap_or(Value::Null)
    }

    /// The elements of an array, as far as they are known; none for NULL.
    pub(crate) fn elements(&mut self, expr: &Expr, frame: &Rc<Frame>) -> Outcome<Option<Vec<Val>>> {
        match expr {
            Expr::Array(items) => {
                let mut all = Vec::new();
                for item in items {
                    all.push(self.eval(item, frame)?);
                }
                Ok(Some(all))
            }
            Expr::Cast(inner, type_name) if type_name.ends_with("[]") => {
                let element = type_name.trim_end_matches("[]");
                let elements = self.elements(inner, frame)?;
                Ok(elements.map(|list| {
                    list.into_iter()
                        .map(|e| {
                            let cast = value::cast(e.value.clone(), element);
                            e.with(cast)
                        })
                        .collect()
                }))
            }
            Expr::ArrayQuery(query) => self.query_elements(query, frame).map(Some),
            Expr::Constant(text) => {
                let items = builtin::array_literal(text).into_iter();
                let item = |value: Value| value.as_text().map(|text| self.constant(text)).unwrap_or(value);
                Ok(Some(items.map(|value| Val::constant(item(value))).collect()))
            }
            Expr::Call(call) if call.schema.is_none() && call.arguments.len() >= 2 && splits(&call.name) => {
                // A list in a setting: the session's own keys are what it holds.
                let whole = self.eval(&call.arguments[0], frame)?;
                Ok(if whole.value == Value::Null { None } else { Some(vec![whole]) })
            }
            _ => {
                let whole = self.eval(expr, frame)?;
                Ok(match whole.value.clone() {
                    Value::Null => None,
                    Value::List(items) => {
                        let part = |value| Val { value, sort: whole.sort.clone(), origin: whole.origin.clone() };
                        Some(items.into_iter().map(part).collect())
                    }
                    _ => Some(vec![whole]),
                })
            }
        }
    }

    /// Something that cannot be evaluated: of the session where nothing in it depends on a row, else of the row.
    pub(crate) fn unknown(&mut self, text: &str, frame: &Rc<Frame>, inner: &[Expr], boolean: bool) -> Outcome<Val> {
        let of_row = inner.iter().any(|e| frame.depends_on_row(e, self.world.catalog));
        let (var, sort) = if of_row {
            (Var::Opaque(format!("{text}\u{1}{}", frame.path), boolean), Sort::Plain)
        } else {
            (Var::Session(text.to_owned(), boolean), Sort::Session)
        };
        let value = self.get(var.clone())?;
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
        if let ("@>" | "<@" | "&&" | "?", [left, right]) = (operator, operands)
            && let Some(value) = self.containment(operator, left, right, frame)?
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
                return Ok(Val { value, sort, origin: None });
            }
        }
        let text = words::render(whole);
        let boolean =
            boolean || matches!(operator, "~" | "!~" | "~*" | "!~*" | "@>" | "<@" | "&&" | "?" | "@@" | "similar to");
        self.unknown(&text, frame, operands, boolean)
    }

    /// Arrays of keys and lists of the session; none where a side is an array column.
    fn containment(&mut self, operator: &str, left: &Expr, right: &Expr, frame: &Rc<Frame>) -> Outcome<Option<Value>> {
        let (Some(left), Some(right)) = (self.elements(left, frame)?, self.elements(right, frame)?) else {
            return Ok(Some(Value::Null));
        };
        if left.iter().chain(&right).any(|v| v.sort == Sort::Plain) {
            return Ok(None);
        }
        let (outer, inner) = if operator == "<@" { (right, left) } else { (left, right) };
        let found: Vec<_> =
            inner.iter().map(|part| Ok(self.quantified(Comparison::Equal, part, true, &outer))).collect();
        let value = if operator == "&&" { disjunction(found) } else { conjunction(found) };
        value.map(Some)
    }

    pub(crate) fn call(&mut self, call: &Call, frame: &Rc<Frame>, boolean: bool) -> Outcome<Val> {
        if call.schema.is_none()
            && let Some(result) = self.builtin(call, frame, boolean)?
        {
            return Ok(result);
        }
        self.user_function(call, frame, boolean)
    }

    fn builtin(&mut self, call: &Call, frame: &Rc<Frame>, boolean: bool) -> Outcome<Option<Val>> {
        let session = |name: &str| Val { value: Value::text(name), sort: Sort::Session, origin: None };
        let name_of = |oid| self.world.catalog.roles.get(&oid).map_or("public", |r| r.name.as_str());
        Ok(Some(match (call.name.as_str(), call.arguments.as_slice()) {
            ("current_user" | "user" | "current_role", []) => session(name_of(frame.role)),
            ("session_user", []) => session(name_of(self.principal)),
            ("current_database" | "current_catalog", []) => Val::constant(Value::text(&self.world.catalog.database)),
            ("current_setting", [name, rest @ ..]) => {
                let Some(setting) = self.eval(name, frame)?.value.as_text().map(str::to_lowercase) else {
                    return Ok(None);
                };
                let missing_ok = match rest {
                    [flag, ..] => self.truth(flag, frame)?.is_true(),
                    [] => false,
                };
                let var = Var::Setting(setting);
                let value = match self.get(var.clone())? {
                    Value::Null if !missing_ok => Value::Error,
                    value => value,
                };
                Val { value, sort: Sort::Session, origin: Some(var) }
            }
            ("coalesce", arguments) => {
                for argument in arguments {
                    let val = self.eval_as(argument, frame, boolean)?;
                    if val.value != Value::Null {
                        return Ok(Some(val));
                    }
                }
                Val::constant(Value::Null)
            }
            ("nullif", [left, right]) => {
                let (left, right) = (self.eval(left, frame)?, self.eval(right, frame)?);
                let equal = self.compared(Comparison::Equal, &left, &right);
                if equal.is_true() { left.with(Value::Null) } else { left }
            }
            ("pg_has_role", arguments) => match self.has_role(arguments, frame)? {
                Some(value) => Val { value: Value::Bool(value), sort: Sort::Session, origin: None },
                None => return Ok(None),
            },
            ("to_jsonb" | "to_json", [inner]) => self.eval(inner, frame)?,
            (name, arguments) => return self.pure(name, arguments, frame),
        }))
    }

    /// Built-in functions without surprises, where their arguments are the session's or name the tenant.
    fn pure(&mut self, name: &str, arguments: &[Expr], frame: &Rc<Frame>) -> Outcome<Option<Val>> {
        if !builtin::is_known(name) {
            return Ok(None);
        }
        let values = arguments.iter().map(|a| self.eval(a, frame)).collect::<Outcome<Vec<_>>>()?;
        let sort = combined(&values);
        let keeps_origin = matches!(name, "lower" | "upper" | "btrim" | "trim" | "ltrim" | "rtrim");
        if sort == Sort::Plain && !keeps_origin {
            return Ok(None);
        }
        let origin = values.first().filter(|_| keeps_origin).and_then(|v| v.origin.clone());
        let result = builtin::function(name, &values.iter().map(|v| v.value.clone()).collect::<Vec<_>>());
        Ok(result.map(|value| Val { value, sort, origin }))
    }

    fn has_role(&mut self, arguments: &[Expr], frame: &Rc<Frame>) -> Outcome<Option<bool>> {
        let mut texts = Vec::new();
        for argument in arguments {
            let val = self.eval(argument, frame)?;
            let Some(text) = val.value.as_text() else { return Ok(None) };
            texts.push(text.to_owned());
        }
        let role = |name: &str| self.world.catalog.roles.values().find(|r| r.name == name).map(|r| r.oid);
        let (of, other, how) = match texts.as_slice() {
            [other, how] => (Some(frame.role), role(other), how),
            [of, other, how] => (role(of), role(other), how),
            _ => return Ok(None),
        };
        let (Some(of), Some(other)) = (of, other) else { return Ok(None) };
        Ok(match how.to_ascii_uppercase().as_str() {
            "USAGE" => Some(self.world.reach.has_privileges_of(of, other)),
            "MEMBER" => Some(self.world.reach.is_member(of, other)),
            "SET" => Some(self.world.reach.can_set(of, other)),
            _ => None,
        })
    }
}

fn splits(name: &str) -> bool {
    matches!(name, "string_to_array" | "regexp_split_to_array")
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
