//! What a function returns, as a query over its arguments: SQL bodies, and PL/pgSQL that is one expression in disguise.

use super::expr::{Call, Expr, Query, Select};
use super::{lower, plpgsql};
use crate::facts::derive::catalog::Function;

/// The function's result; none where the body does something that no query says.
pub(crate) fn of(function: &Function) -> Option<Query> {
    let source = function.source.as_deref()?;
    match function.language.as_str() {
        "sql" => sql(source),
        "plpgsql" => plpgsql::result(source),
        _ => None,
    }
}

fn sql(source: &str) -> Option<Query> {
    let text = source.trim().trim_end_matches(';').trim();
    let lowered = text.to_ascii_lowercase();
    if let Some(rest) = lowered.strip_prefix("return").filter(|rest| rest.starts_with([' ', '\n', '\t', '('])) {
        let expression = &text[text.len() - rest.len()..];
        return Some(scalar(lower::expression(expression)));
    }
    if let Some(rest) = lowered.strip_prefix("begin atomic") {
        let body = text[text.len() - rest.len()..].trim_end();
        let body = body.get(..body.len().checked_sub(3)?)?;
        return lower::query(body);
    }
    lower::query(text)
}

/// A query that returns one expression.
pub(crate) fn scalar(expression: Expr) -> Query {
    let select = Select { targets: vec![(None, expression)], ..Select::default() };
    Query { ctes: Vec::new(), arms: vec![select] }
}

/// A call of a built-in function.
pub(crate) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Call(Call { schema: None, name: name.to_owned(), arguments })
}
