//! Conditions of an `IF` that ask whether a table or a column is there: `EXISTS (SELECT … FROM information_schema.tables …)`,
//! `to_regclass('x') IS NOT NULL`. What is done to a table that no migration made is not done.

use super::names::{arguments, called, child, path};
use super::run::{Scope, Variables};
use super::run_rows::{conjuncts, rows};
use super::run_value::{Value, evaluate};
use crate::history::event::Name;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

/// The condition holds only where something is there that is not. One that cannot be judged is taken to hold.
pub(super) fn is_in_vain(branch: &SyntaxNode, variables: &Variables, scope: &dyn Scope) -> bool {
    let Some(expression) = child(branch, K::PLPGSQL_EXPR) else { return false };
    let target = expression.descendants().find(|n| n.kind() == K::TARGET);
    let condition = target.and_then(|target| target.children().next());
    condition.into_iter().flat_map(conjuncts).any(|part| asks_in_vain(&part, variables, scope))
}

fn asks_in_vain(part: &SyntaxNode, variables: &Variables, scope: &dyn Scope) -> bool {
    match part.kind() {
        K::PAREN_EXPR => part.children().next().is_some_and(|inner| asks_in_vain(&inner, variables, scope)),
        // `EXISTS (SELECT …)`
        K::CALL_EXPR if child(part, K::EXISTS_FN).is_some() => {
            let query = part.descendants().find(|n| n.kind() == K::SELECT);
            let query = query.filter(asks_for_tables);
            query.and_then(|query| rows(&query, variables, scope)).is_some_and(|rows| rows.is_empty())
        }
        // `to_regclass('public.x') IS NOT NULL`
        K::BIN_EXPR | K::POSTFIX_EXPR => {
            let text = part.text().to_string().to_lowercase();
            let call = part.descendants().find(|n| n.kind() == K::CALL_EXPR);
            let asked = call.filter(|call| called(call).is_some_and(|function| function.name == "to_regclass"));
            let named = asked.and_then(|call| table(&call, variables));
            let stands = text.split_whitespace().rev().take(3).collect::<Vec<_>>() == ["null", "not", "is"];
            stands && named.is_some_and(|named| !is_there(&named, scope))
        }
        _ => false,
    }
}

/// Tables and columns are all known; of indexes, constraints and roles the schema knows little.
fn asks_for_tables(query: &SyntaxNode) -> bool {
    let relations = query.descendants().filter(|n| n.kind() == K::RELATION_NAME_REF);
    let mut named = relations.filter_map(|n| super::names::name(&n)).map(|relation| relation.name).peekable();
    let about_columns = query.descendants().filter_map(|n| path(&n)).flatten().any(|word| word == "column_name");
    let wanted = |relation: &String| matches!(relation.as_str(), "tables" | "pg_tables" | "columns");
    named.peek().is_some() && named.all(|relation| wanted(&relation)) || about_columns
}

/// The table that `to_regclass` is given.
fn table(call: &SyntaxNode, variables: &Variables) -> Option<Name> {
    let Value::Text(text) = evaluate(arguments(call).first()?, variables) else { return None };
    let parts: Vec<_> = text.split('.').map(super::identifier).collect();
    Name::of(&parts).filter(|name| !name.name.contains(super::HOLE))
}

fn is_there(wanted: &Name, scope: &dyn Scope) -> bool {
    let schema = wanted.schema.as_deref();
    scope.tables().iter().any(|(own, name, _)| *name == wanted.name && schema.is_none_or(|schema| schema == own))
}
