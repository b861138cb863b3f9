//! Expressions over constants, as far as migrations put statements together with them.

use super::HOLE;
use super::names::{arguments, called, child, constant, path};
use super::run::Variables;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

/// What an expression is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<Self>),
    Record(Vec<(String, Self)>),
    Unknown,
}

impl Value {
    /// As it stands in a text that is put together.
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            // A scalar variable that loops over a query takes its first column.
            Self::Record(fields) => fields.first().map_or_else(|| HOLE.to_owned(), |(_, value)| value.shown()),
            Self::List(_) | Self::Unknown => HOLE.to_owned(),
        }
    }

    pub(super) fn into_list(self) -> Option<Vec<Self>> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }
}

pub(super) fn evaluate(node: &SyntaxNode, variables: &Variables) -> Value {
    match node.kind() {
        K::LITERAL => match constant(node) {
            Some(text) => Value::Text(text),
            None => Value::Text(node.text().to_string()),
        },
        K::NAME_REF | K::FIELD_EXPR => variable(node, variables),
        K::PAREN_EXPR | K::CAST_EXPR => {
            node.children().next().map_or(Value::Unknown, |inner| cast(node, evaluate(&inner, variables)))
        }
        K::ARRAY_EXPR => Value::List(node.children().map(|n| evaluate(&n, variables)).collect()),
        K::TUPLE_EXPR => {
            let fields = node.children().enumerate();
            Value::Record(fields.map(|(n, field)| (format!("column{}", n + 1), evaluate(&field, variables))).collect())
        }
        K::BIN_EXPR => binary(node, variables),
        K::CALL_EXPR => call(node, variables),
        _ => Value::Unknown,
    }
}

/// `'{a,b}'::text[]` is a list.
fn cast(node: &SyntaxNode, value: Value) -> Value {
    match value {
        Value::Text(text) if child(node, K::ARRAY_TYPE).is_some() => {
            let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
            let items = inner.split(',').map(|item| Value::Text(item.trim().trim_matches('"').to_owned()));
            Value::List(if inner.is_empty() { Vec::new() } else { items.collect() })
        }
        value => value,
    }
}

fn variable(node: &SyntaxNode, variables: &Variables) -> Value {
    let Some(parts) = path(node) else { return Value::Unknown };
    let found = match parts.as_slice() {
        [name] => variables.get(name),
        [record, field] => match variables.get(record) {
            Some(Value::Record(fields)) => fields.iter().find(|(name, _)| name == field).map(|(_, value)| value),
            _ => variables.get(field).filter(|_| !variables.contains_key(record)),
        },
        _ => None,
    };
    found.cloned().unwrap_or(Value::Unknown)
}

fn binary(node: &SyntaxNode, variables: &Variables) -> Value {
    let operands: Vec<_> = node.children().collect();
    let concatenates = operands.iter().any(|n| n.kind() == K::CUSTOM_OP && n.text() == "||");
    match operands.as_slice() {
        [left, _, right] if concatenates => match (evaluate(left, variables), evaluate(right, variables)) {
            (Value::List(mut left), Value::List(right)) => {
                left.extend(right);
                Value::List(left)
            }
            (left, right) => Value::Text(left.shown() + &right.shown()),
        },
        _ => Value::Unknown,
    }
}

fn call(node: &SyntaxNode, variables: &Variables) -> Value {
    let Some(function) = called(node) else { return Value::Unknown };
    let values: Vec<_> = arguments(node).iter().map(|n| evaluate(n, variables)).collect();
    let first = values.first().cloned().unwrap_or(Value::Unknown);
    match function.name.as_str() {
        "format" => match values.split_first() {
            Some((Value::Text(pattern), rest)) => Value::Text(format(pattern, rest)),
            _ => Value::Unknown,
        },
        "quote_ident" => Value::Text(quoted_name(&first.shown())),
        "quote_literal" | "quote_nullable" => Value::Text(quoted_text(&first.shown())),
        "concat" => Value::Text(values.iter().map(Value::shown).collect()),
        "lower" => Value::Text(first.shown().to_lowercase()),
        "upper" => Value::Text(first.shown().to_uppercase()),
        "trim" | "btrim" | "coalesce" | "unnest" => first,
        "replace" => match values.as_slice() {
            [Value::Text(text), Value::Text(from), Value::Text(to)] if !from.is_empty() => {
                Value::Text(text.replace(from, to))
            }
            _ => Value::Unknown,
        },
        "string_to_array" => match values.as_slice() {
            [Value::Text(text), Value::Text(by)] if !by.is_empty() => {
                Value::List(text.split(by.as_str()).map(|part| Value::Text(part.to_owned())).collect())
            }
            _ => Value::Unknown,
        },
        _ => Value::Unknown,
    }
}

/// PostgreSQL's `format`: `%I`, `%L`, `%s`, `%1$I`, `%%`.
fn format(pattern: &str, arguments: &[Value]) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    let mut next = 0;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && rest[digits..].starts_with('$') {
            next = rest[..digits].parse::<usize>().unwrap_or(1).saturating_sub(1);
            rest = &rest[digits + 1..];
        }
        rest = rest.trim_start_matches(|c: char| c == '-' || c.is_ascii_digit());
        let value = arguments.get(next).map_or_else(|| HOLE.to_owned(), Value::shown);
        next += 1;
        match rest.chars().next() {
            Some('I') => text.push_str(&quoted_name(&value)),
            Some('L') => text.push_str(&quoted_text(&value)),
            _ => text.push_str(&value),
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    text + rest
}

fn quoted_name(name: &str) -> String {
    // A word of the grammar needs quotes, and quotes are never wrong.
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
