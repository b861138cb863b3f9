//! Expressions and witnesses in words.

use super::expr::{Comparison, Expr};
use super::search::{RowKind, Var, Witness};
use super::value::{self, Value};
use super::world::{Class, World};

/// An expression as SQL again, near enough to be recognised.
pub(crate) fn render(expr: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(render).collect::<Vec<_>>().join(", ");
    match expr {
        Expr::Null => "NULL".into(),
        Expr::Bool(b) => b.to_string(),
        Expr::Constant(text) => {
            if text.parse::<f64>().is_ok() {
                text.clone()
            } else {
                format!("'{}'", text.replace('\'', "''"))
            }
        }
        Expr::Column(Some(qualifier), name) => format!("{qualifier}.{name}"),
        Expr::Column(None, name) => name.clone(),
        Expr::Parameter(n) => format!("${n}"),
        Expr::Cast(inner, type_name) => format!("{}::{type_name}", render(inner)),
        Expr::Not(inner) => format!("not {}", render(inner)),
        Expr::And(parts) => parts.iter().map(render).collect::<Vec<_>>().join(" and "),
        Expr::Or(parts) => format!("({})", parts.iter().map(render).collect::<Vec<_>>().join(" or ")),
        Expr::Compare(op, l, r) => format!("{} {} {}", render(l), symbol(*op), render(r)),
        Expr::Operator(op, operands) => match operands.as_slice() {
            [l, r] if op == "[]" => format!("{}[{}]", render(l), render(r)),
            [l, r] => format!("{} {op} {}", render(l), render(r)),
            _ => format!("{op} {}", list(operands)),
        },
        Expr::Call(call) => {
            let schema = call.schema.as_ref().map(|s| format!("{s}.")).unwrap_or_default();
            format!("{schema}{}({})", call.name, list(&call.arguments))
        }
        Expr::Array(items) => format!("array[{}]", list(items)),
        Expr::Row(items) => format!("({})", list(items)),
        Expr::Opaque(text, _) => text.clone(),
        Expr::Is(..)
        | Expr::Distinct(..)
        | Expr::Like(..)
        | Expr::Case(..)
        | Expr::Quantified(..)
        | Expr::QuantifiedQuery(..)
        | Expr::Exists(_)
        | Expr::Scalar(_)
        | Expr::ArrayQuery(_)
        | Expr::Let(..)
        | Expr::Raise
        | Expr::Rescue(..) => "…".into(),
    }
}

pub(super) fn symbol(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => ">=",
    }
}

/// Why the row comes through: the cause in one word for the checks, the conditions in words for people.
pub(crate) struct Explanation {
    pub(crate) cause: &'static str,
    pub(crate) words: String,
    /// It hangs on an expression that cannot be read.
    pub(crate) uncertain: bool,
}

impl Explanation {
    /// One more condition.
    pub(super) fn also(&mut self, condition: &str) {
        self.words = match self.words.as_str() {
            "always" => format!("when {condition}"),
            words => format!("{words} and {condition}"),
        };
    }
}

/// Says a witness. Conditions that any value would meet are not in it, so none left means: always.
pub(crate) fn explain(world: &World<'_>, witness: &Witness) -> Explanation {
    let mut conditions = Vec::new();
    let mut cause = "not keyed";
    let mut uncertain = witness.exhausted;
    let mut looked_up = Vec::new();
    let mut rank = 0;
    let mut note = |strength: u8, text: &'static str| {
        if strength > rank {
            rank = strength;
            cause = text;
        }
    };
    for (var, value) in &witness.values {
        match var {
            Var::Setting(name) => match value {
                Value::Null => {
                    note(6, "unset setting");
                    conditions.push(format!("{name} is not set"));
                }
                Value::Text(text) if text.is_empty() => {
                    note(6, "unset setting");
                    conditions.push(format!("{name} is empty"));
                }
                value if is_own(value) => {}
                value => {
                    note(7, "settable flag");
                    conditions.push(format!("{name} is set to {}", quoted(value)));
                }
            },
            Var::Session(text, _) if !is_own(value) => {
                note(5, "session flag");
                conditions.push(if *value == Value::Null {
                    format!("{text} is null")
                } else {
                    format!("{text} is {}", quoted(value))
                });
            }
            Var::Computed(text) if *value != value::fresh("text") => {
                note(5, "session flag");
                conditions.push(format!("{text} is {}", quoted(value)));
            }
            Var::Opaque(text, _) => {
                uncertain = true;
                note(10, "unreadable");
                let text = text.split('\u{1}').next().unwrap_or(text);
                conditions.push(format!("{text} may be {}", quoted(value)));
            }
            Var::Column(row, number) => {
                let Some(info) = witness.rows.get(row) else { continue };
                let Some(relation) = world.catalog.relations.get(&info.relation) else { continue };
                let Some(column) = relation.column_number(*number) else { continue };
                let inner = info.kind == RowKind::Inner;
                if inner && !witness.output_rows.contains(row) {
                    let name = format!("{}.{}", relation.schema, relation.name);
                    note(
                        if info.writable { 8 } else { 4 },
                        if info.writable { "writable trust" } else { "trusted table" },
                    );
                    if !looked_up.contains(&name) {
                        looked_up.push(name);
                    }
                    continue;
                }
                match world.class(relation, column, inner) {
                    Class::Key if !is_own(value) && !value::foreign(&column.type_name).contains(value) => {
                        // Nothing but shared rows comes through, whatever else must hold.
                        if super::domain::is_shared(value) {
                            note(9, "shared rows");
                        } else {
                            note(3, "literal tenant");
                        }
                        conditions.push(format!("{} = {}", column.name, quoted(value)));
                    }
                    Class::User if is_own(value) => {
                        note(2, "user key");
                        conditions.push(format!("{} is the session's user", column.name));
                    }
                    // The one value nobody names stands for any.
                    Class::Plain if *value == value::fresh(&column.type_name) && column.type_name != "bool" => {
                        if !column.not_null {
                            conditions.push(format!("{} has a value", column.name));
                        }
                    }
                    Class::Plain => {
                        note(1, "row flag");
                        conditions.push(match value {
                            Value::Null => format!("{} is null", column.name),
                            value => format!("{} = {}", column.name, quoted(value)),
                        });
                    }
                    Class::Key | Class::User | Class::Link | Class::Identity => {}
                }
            }
            Var::Argument(name) => {
                note(8, "argument");
                conditions.push(match value {
                    Value::Null => format!("{name} is null"),
                    _ => format!("the caller passes {name}"),
                });
            }
            Var::Session(..) | Var::Computed(_) | Var::Owned(_) | Var::Present(_) | Var::Arm(..) => {}
        }
    }
    for name in looked_up {
        conditions.push(format!("a matching row is in {name}"));
    }
    if witness.exhausted {
        conditions.push("the policy is too large to decide".into());
    }
    let words = if conditions.is_empty() { "always".to_owned() } else { format!("when {}", conditions.join(" and ")) };
    Explanation { cause, words, uncertain }
}

fn is_own(value: &Value) -> bool {
    ["int4", "uuid", "text"].iter().any(|t| value::own(t) == *value)
}

pub(super) fn quoted(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Text(text) if text.parse::<f64>().is_ok() => text.to_string(),
        Value::Text(text) => format!("'{text}'"),
        Value::List(items) => format!("[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(", ")),
        Value::Error => "an error".into(),
    }
}
