//! Comparisons, and what they teach: a variable set beside a value has that value among its candidates.

use super::builtin;
use super::eval::{Sort, Val, combined, conjunction, disjunction};
use super::expr::{Comparison, Expr};
use super::frame::Frame;
use super::search::{Outcome, Search, Var};
use super::value::{self, Value};
use super::words;
use super::world::Class;
use std::rc::Rc;

impl Search<'_> {
    pub(super) fn comparison(
        &mut self,
        op: Comparison,
        left: &Expr,
        right: &Expr,
        frame: &Rc<Frame>,
    ) -> Outcome<Value> {
        // Rows compare part by part, so that each pair teaches its own variables.
        if let Some((left, right)) = parts(left, right) {
            return self.rows_compared(op, left, right, frame);
        }
        let left_val = self.eval(left, frame);
        let right_val = self.eval(right, frame);
        let (left_val, right_val) = (left_val?, right_val?);
        // A list beside a column of arrays: which elements that has is anybody's guess.
        let list = |val: &Val| matches!(val.value, Value::List(_));
        let nothing = |val: &Val| matches!(val.value, Value::Null | Value::Error);
        if (list(&left_val) || list(&right_val)) && !nothing(&left_val) && !nothing(&right_val) {
            let text = format!("{} {} {}", words::render(left), words::symbol(op), words::render(right));
            return Ok(self.unknown(&text, frame, &[left.clone(), right.clone()], true)?.value);
        }
        // Labels of an enum have an order of their own.
        let ordered = !matches!(op, Comparison::Equal | Comparison::NotEqual);
        if ordered && (self.is_enum(&left_val) || self.is_enum(&right_val)) {
            let text = format!("{} {} {}", words::render(left), words::symbol(op), words::render(right));
            return Ok(self.free(&text, frame, true, true)?.value);
        }
        Ok(self.compared(op, &left_val, &right_val))
    }

    /// The value of a column whose type is an enum.
    fn is_enum(&self, val: &Val) -> bool {
        let Some(Var::Column(row, number)) = &val.origin else { return false };
        let relation = self.rows.get(row).and_then(|info| self.world.catalog.relations.get(&info.relation));
        relation.and_then(|r| r.column_number(*number)).is_some_and(|column| column.type_kind == "enum")
    }

    /// Rows and arrays of one length: equal where all parts are, else ordered by the first that differs.
    fn rows_compared(&mut self, op: Comparison, left: &[Expr], right: &[Expr], frame: &Rc<Frame>) -> Outcome<Value> {
        let mut each = |op| -> Vec<Outcome<Value>> {
            left.iter().zip(right).map(|(l, r)| self.comparison(op, l, r, frame)).collect()
        };
        let (strict, or_equal) = match op {
            Comparison::Equal => return conjunction(each(op)),
            Comparison::NotEqual => return disjunction(each(op)),
            Comparison::Less | Comparison::LessEqual => (Comparison::Less, op == Comparison::LessEqual),
            Comparison::Greater | Comparison::GreaterEqual => (Comparison::Greater, op == Comparison::GreaterEqual),
        };
        let equal = each(Comparison::Equal).into_iter().collect::<Outcome<Vec<_>>>()?;
        let ahead = each(strict).into_iter().collect::<Outcome<Vec<_>>>()?;
        let first = ahead.into_iter().enumerate().map(|(at, ahead)| {
            let before = equal.iter().take(at).cloned();
            Ok(value::and(before.chain([ahead])))
        });
        let all = or_equal.then(|| Ok(value::and(equal.clone())));
        disjunction(first.chain(all).collect())
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
        let computed = |val: &Val| matches!(val.origin, Some(Var::Computed(_)));
        let anonymous = |val: &Val| val.origin.is_none() || computed(val);
        match (&pupil.sort, &other.sort) {
            (Sort::Session, Sort::Key(..)) if computed(pupil) => {}
            // By definition the session names no other tenant, also where an argument of its caller does.
            (Sort::Session, Sort::Plain) if value::is_foreign(&other.value) => return,
            // A session value beside a key is the session's own key: by definition it names no other tenant.
            (Sort::Session, Sort::Key(_, type_name)) => lessons.push(value::own(type_name)),
            (Sort::Key(Class::Key, type_name), Sort::Constant | Sort::Session) => {
                if anonymous(other) {
                    if other.sort == Sort::Constant {
                        self.named_keys.insert((other.value.clone(), value::own(type_name)));
                    }
                    lessons.push(other.value.clone());
                }
            }
            // Rows that belong to nobody are found by whatever they are compared with, another tenant's key included.
            (Sort::Key(Class::Identity | Class::User, _), Sort::Key(Class::Key, _)) => {
                lessons.push(other.value.clone())
            }
            // What the session computes is no token of another tenant's row.
            (Sort::Key(Class::Identity, _), Sort::Session) if self.is_judged(var) => {}
            (Sort::Key(..), Sort::Key(..) | Sort::Plain) => {}
            (Sort::Key(..), Sort::Constant | Sort::Session) if !anonymous(other) => {}
            _ => lessons.push(other.value.clone()),
        }
        if ordered && !lessons.is_empty() {
            // Two variables that taught each other their neighbours would never be done; an end of the scale does.
            let constant = anonymous(other);
            let beside = if constant { value::neighbours(&other.value) } else { value::ends(&other.value) };
            lessons.extend(beside);
        } else if pupil.sort == Sort::Plain && other.sort == Sort::Plain && other.origin.is_some() {
            // Two columns that nothing else is said of may also differ.
            lessons.extend(value::ends(&other.value).pop());
        }
        for lesson in lessons {
            self.learn(var, &lesson);
        }
    }

    pub(super) fn like(&mut self, left: &Expr, right: &Expr, fold: bool, frame: &Rc<Frame>) -> Outcome<Val> {
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
                Ok(match &whole.value {
                    Value::Null => None,
                    Value::Text(text) if text.is_empty() && call.name == "string_to_array" => Some(Vec::new()),
                    _ => Some(vec![whole]),
                })
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

    /// `~`, `!~`, `~*` and `!~*`, where the pattern comes with the session and can be read.
    pub(super) fn regular(
        &mut self,
        operator: &str,
        text: &Expr,
        pattern: &Expr,
        frame: &Rc<Frame>,
    ) -> Outcome<Option<Value>> {
        if matches!(pattern, Expr::Constant(_)) {
            return Ok(None);
        }
        let values = [self.eval(text, frame)?, self.eval(pattern, frame)?];
        if matches!(combined(&values), Sort::Plain | Sort::Session) {
            return Ok(None);
        }
        let [text, pattern] = values.map(|v| v.value);
        if text == Value::Error || pattern == Value::Error {
            return Ok(Some(Value::Error));
        }
        if text == Value::Null || pattern == Value::Null {
            return Ok(Some(Value::Null));
        }
        let (Some(text), Some(pattern)) = (text.as_text(), pattern.as_text()) else { return Ok(None) };
        let matched = match operator.ends_with('*') {
            true => value::regular(&text.to_lowercase(), &pattern.to_lowercase()),
            false => value::regular(text, pattern),
        };
        Ok(matched.map(|matched| Value::Bool(matched != operator.starts_with('!'))))
    }

    /// An array as one value.
    pub(super) fn list(&mut self, expr: &Expr, frame: &Rc<Frame>) -> Outcome<Val> {
        Ok(match self.elements(expr, frame)? {
            Some(elements) => Val {
                sort: combined(&elements),
                origin: None,
                value: Value::List(elements.into_iter().map(|e| e.value).collect()),
            },
            None => Val::constant(Value::Null),
        })
    }

    /// Arrays of keys and lists of the session; none where a side is an array column.
    pub(super) fn containment(
        &mut self,
        operator: &str,
        left: &Expr,
        right: &Expr,
        frame: &Rc<Frame>,
    ) -> Outcome<Option<Value>> {
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
}

fn splits(name: &str) -> bool {
    matches!(name, "string_to_array" | "regexp_split_to_array")
}

/// The parts of two rows or arrays of one length.
fn parts<'e>(left: &'e Expr, right: &'e Expr) -> Option<(&'e [Expr], &'e [Expr])> {
    match (left, right) {
        (Expr::Row(l), Expr::Row(r)) | (Expr::Array(l), Expr::Array(r)) if l.len() == r.len() => Some((l, r)),
        _ => None,
    }
}
