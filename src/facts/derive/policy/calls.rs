//! Calls: what PostgreSQL brings along, and functions of the database, read as the query they stand for.

use super::body;
use super::builtin;
use super::eval::{Sort, Val, combined};
use super::expr::{Call, Comparison, Expr, Query};
use super::frame::{Cell, Frame, address, bind, mix};
use super::search::{Outcome, Search, Var};
use super::value::Value;
use super::words;
use std::rc::Rc;
use std::sync::Arc;

impl Search<'_> {
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
            ("current_user" | "user" | "current_role", []) => {
                self.asker.is_named();
                session(name_of(frame.user))
            }
            ("session_user", []) => {
                self.asker.is_named();
                session(name_of(self.principal))
            }
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
            ("jsonb_exists", [list, one]) => match self.containment("?", list, one, frame)? {
                Some(value) => Val { value, sort: Sort::Plain, origin: None },
                None => return Ok(None),
            },
            (name, arguments) => match self.aggregate(call, frame)? {
                Some(value) => value,
                None => return self.pure(name, arguments, frame),
            },
        }))
    }

    /// Built-in functions without surprises, where their arguments are the session's or name the tenant.
    fn pure(&mut self, name: &str, arguments: &[Expr], frame: &Rc<Frame>) -> Outcome<Option<Val>> {
        if !builtin::is_known(name) {
            return Ok(None);
        }
        let value = |(place, argument): (usize, &Expr)| match (name, place) {
            ("array_position", 0) => self.list(argument, frame),
            _ => self.eval(argument, frame),
        };
        let values = arguments.iter().enumerate().map(value).collect::<Outcome<Vec<_>>>()?;
        let sort = combined(&values);
        let keeps_origin = matches!(name, "lower" | "upper" | "btrim" | "trim" | "ltrim" | "rtrim");
        if sort == Sort::Plain && !keeps_origin {
            return Ok(None);
        }
        let origin = values.first().filter(|_| keeps_origin).and_then(|v| v.origin.clone());
        let result = builtin::function(name, &values.iter().map(|v| v.value.clone()).collect::<Vec<_>>());
        match result {
            // A condition on the session alone is one that the session may be chosen for.
            None | Some(Value::Bool(_)) if sort == Sort::Session => Ok(None),
            Some(value) if origin.is_none() => {
                let arguments = arguments.iter().map(words::render).collect::<Vec<_>>().join(", ");
                self.of_session(format!("{name}({arguments})"), value, sort).map(Some)
            }
            result => Ok(result.map(|value| Val { value, sort, origin })),
        }
    }

    fn has_role(&mut self, arguments: &[Expr], frame: &Rc<Frame>) -> Outcome<Option<bool>> {
        self.asker.is_named();
        let mut texts = Vec::new();
        for argument in arguments {
            let val = self.eval(argument, frame)?;
            let Some(text) = val.value.as_text() else { return Ok(None) };
            texts.push(text.to_owned());
        }
        let role = |name: &str| self.world.catalog.roles.values().find(|r| r.name == name).map(|r| r.oid);
        let (of, other, how) = match texts.as_slice() {
            [other, how] => (Some(frame.user), role(other), how),
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

    pub(super) fn returns_set(&self, call: &Call) -> bool {
        let named = self.world.catalog.functions_named(call.schema.as_deref(), &call.name, call.arguments.len());
        named.first().is_some_and(|f| f.returns_set)
    }

    /// The query a readable user function stands for, and the frame of its arguments.
    pub(super) fn inlined(&mut self, call: &Call, frame: &Rc<Frame>) -> Outcome<Option<(Arc<Query>, Rc<Frame>)>> {
        let world = self.world;
        let mut candidates = world.catalog.functions_named(call.schema.as_deref(), &call.name, call.arguments.len());
        if candidates.len() > 1 {
            let types: Vec<_> = call.arguments.iter().map(|argument| frame.type_of(argument, world.catalog)).collect();
            candidates.retain(|function| function.takes(&types));
        }
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
                let null = body::scalar(Expr::Null);
                return Ok(Some((Arc::new(null), Rc::clone(frame))));
            }
            bind(&mut variables, function, index, names.get(index), Cell::Value(val));
        }
        // Inside a view a function that is no definer runs as whoever asks.
        let role = if function.security_definer { function.owner } else { frame.user };
        let path = mix(frame.path, &[address(call), function.oid as u64]);
        Ok(Some((body, Frame::of_body(role, role, path, variables))))
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
        let text = words::render(&Expr::Call(call.clone()));
        let Some(function) = functions.first() else { return self.unknown(&text, frame, &call.arguments, boolean) };
        // What a function of the database does may be the session's, whatever it is called with.
        self.unread.insert(format!("{}.{}", function.schema, function.name));
        let of_row = call.arguments.iter().any(|argument| frame.depends_on_row(argument, world.catalog));
        self.free(&text, frame, of_row, boolean)
    }
}
