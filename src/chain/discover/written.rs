//! Expressions for a column, from wherever this database writes or checks it: triggers, generated columns, functions
//! that insert, verifiers.

use crate::chain::relation::{Library, Relation};
use crate::chain::source::machine::{self, Outcome, World};
use crate::chain::source::token::{BESIDE, Token, tokens};
use std::collections::BTreeMap;

/// An expression that may compute the hash of a row.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Over the stored row; what no column stores is gone or unknown.
    pub expression: Vec<Token>,
    /// Where it was found, in words.
    pub source: String,
    /// The table beside the chain that it reads, and the columns that join the two: of the chain, of that table.
    pub beside: Option<(u32, String, String)>,
}

/// All candidates for `target`, the likeliest first. `hashes` are the columns of digests.
pub(crate) fn candidates(
    relation: &Relation,
    library: &Library,
    target: &str,
    prev: Option<&str>,
    hashes: &[String],
) -> Vec<Candidate> {
    let columns: Vec<String> = relation.columns.iter().map(|column| column.name.clone()).collect();
    let world = World {
        columns: &columns,
        hashes,
        table: &relation.name,
        schema: &relation.schema,
        functions: &library.functions,
        own: false,
        arguments: &[],
    };
    let mut found = Vec::new();
    let mut add = |expression: Vec<Token>, source: String, beside| {
        let candidate = Candidate { expression, source, beside };
        if hashes_something(&candidate.expression)
            && !found.iter().any(|known: &Candidate| known.expression == candidate.expression)
        {
            found.push(candidate);
        }
    };
    for (_, _, expression) in
        library.generated.iter().filter(|(oid, column, _)| *oid == relation.oid && column == target)
    {
        add(named(&tokens(expression), &columns), format!("generated column {target}"), None);
    }
    let is_trigger = |name: &(String, String)| relation.triggers.iter().any(|trigger| trigger.function == *name);
    let mut checked = Vec::new();
    for function in &library.functions {
        let own = is_trigger(&function.name);
        let mentions = function.source.contains(&relation.name) || function.source.contains(target);
        if function.language != "plpgsql" || !(own || mentions) {
            continue;
        }
        let shown =
            format!("{} {}.{}", if own { "trigger function" } else { "function" }, function.name.0, function.name.1);
        // The same function may be given one thing by one trigger and another by the next.
        let mut given: Vec<&[String]> = Vec::new();
        for trigger in relation.triggers.iter().filter(|trigger| trigger.function == function.name) {
            if !given.contains(&trigger.arguments.as_slice()) {
                given.push(&trigger.arguments);
            }
        }
        // A body that verifies is that of nobody's trigger, but says what one does.
        let elsewhere = library.triggers.iter().any(|(oid, name)| *name == function.name && *oid != relation.oid);
        let worlds: Vec<World<'_>> = match given.as_slice() {
            [] => vec![World { own: !elsewhere, ..world }],
            given => given.iter().map(|arguments| World { own: true, arguments, ..world }).collect(),
        };
        for world in worlds {
            let outcome = machine::run(world, &function.source);
            if own && let Some(expression) = outcome.assigned.get(target) {
                add(settled(expression, &outcome.assigned, target, prev), shown.clone(), None);
            }
            // A head or a tail is written by UPDATE, too; only what writes the hash counts.
            for insert in outcome.inserts.iter().filter(|insert| insert.table == relation.name) {
                let values: BTreeMap<String, Vec<Token>> = insert.values.iter().cloned().collect();
                let Some(expression) = values.get(target).cloned() else { continue };
                // A trigger on another table writes the chain: what it calls NEW is a row of that table.
                let beside = library.triggers.iter().find(|(oid, name)| *name == function.name && *oid != relation.oid);
                let Some((beside, _)) = beside.filter(|_| !own) else {
                    add(settled(&expression, &values, target, prev), shown.clone(), None);
                    continue;
                };
                let values: BTreeMap<String, Vec<Token>> =
                    values.into_iter().map(|(name, value)| (name, aside(&value))).collect();
                let expression = settled(&aside(&expression), &values, target, prev);
                let digest = |(name, value): (&String, &Vec<Token>)| {
                    name != target && hashes.contains(name) && hashes_something(value) && reads_beside(value)
                };
                if !reads_beside(&expression) && !values.iter().any(digest) {
                    // Whatever it hashes it also writes down.
                    add(expression, shown.clone(), None);
                    continue;
                }
                let join = values.iter().find_map(|(name, value)| match value.as_slice() {
                    [Token::Column(column)] => {
                        let column = column.strip_prefix(BESIDE)?;
                        (column.ends_with("id") || name.ends_with("id")).then(|| (name.clone(), column.to_owned()))
                    }
                    _ => None,
                });
                if let Some((name, column)) = join {
                    add(expression, shown.clone(), Some((*beside, name, column)));
                }
            }
            checked.push((outcome, shown.clone()));
        }
    }
    for (Outcome { assigned, computed, .. }, shown) in checked {
        for expression in computed {
            if hashes_something(&expression) {
                add(settled(&expression, &assigned, target, prev), shown.clone(), None);
            }
        }
    }
    found
}

/// Calls a hash function.
fn hashes_something(expression: &[Token]) -> bool {
    expression.windows(2).any(|two| {
        two[1].is_sign("(")
            && two[0].name().is_some_and(|name| {
                matches!(name, "digest" | "hmac" | "md5" | "sha224" | "sha256" | "sha384" | "sha512")
            })
    })
}

/// Something of the row that the other table's trigger was about, which the chain does not hold.
fn reads_beside(expression: &[Token]) -> bool {
    expression
        .iter()
        .any(|token| token.is_word("t") || matches!(token, Token::Column(column) if column.starts_with(BESIDE)))
}

/// Columns of NEW as columns of the table beside the chain.
fn aside(expression: &[Token]) -> Vec<Token> {
    let moved = |token: &Token| match token {
        Token::Column(column) => Token::Column(format!("{BESIDE}{column}")),
        other => other.clone(),
    };
    expression.iter().map(moved).collect()
}

/// Bare names of columns, as generated columns have them.
fn named(expression: &[Token], columns: &[String]) -> Vec<Token> {
    let read = |(at, token): (usize, &Token)| match token.name() {
        Some(name)
            if columns.iter().any(|column| column == name)
                && !expression.get(at + 1).is_some_and(|t| t.is_sign("(")) =>
        {
            Token::Column(name.to_owned())
        }
        _ => token.clone(),
    };
    expression.iter().enumerate().map(read).collect()
}

/// With every value that a column stores replaced by that column: what the writer had in a variable, the row has.
fn settled(
    expression: &[Token],
    values: &BTreeMap<String, Vec<Token>>,
    target: &str,
    prev: Option<&str>,
) -> Vec<Token> {
    let mut expression = expression.to_vec();
    let mut known: Vec<(&String, &Vec<Token>)> = values.iter().filter(|(name, _)| *name != target).collect();
    known.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    for (name, value) in known {
        let constant =
            matches!(value.as_slice(), [] | [Token::Text(_) | Token::Number(_)]) || value == &[Token::word("null")];
        if !constant && *value != [Token::Column(name.clone())] {
            expression = replaced(&expression, value, &[Token::Column(name.clone())]);
        }
    }
    let Some(prev) = prev else { return expression };
    let column = Token::Column(prev.to_owned());
    let fallback = values.get(prev).and_then(|value| match value.as_slice() {
        [coalesce, open, Token::Previous(_), comma, fallback @ .., close]
            if coalesce.is_word("coalesce") && open.is_sign("(") && comma.is_sign(",") && close.is_sign(")") =>
        {
            Some(fallback)
        }
        _ => None,
    });
    let instead = match fallback {
        Some(fallback) => {
            let mut call = vec![Token::word("nullif"), Token::sign("("), column, Token::sign(",")];
            call.extend_from_slice(fallback);
            call.push(Token::sign(")"));
            call
        }
        None => vec![column],
    };
    let mut out = Vec::with_capacity(expression.len());
    for token in expression {
        match token {
            Token::Previous(_) => out.extend_from_slice(&instead),
            other => out.push(other),
        }
    }
    out
}

fn replaced(expression: &[Token], value: &[Token], instead: &[Token]) -> Vec<Token> {
    let mut out = Vec::with_capacity(expression.len());
    let mut at = 0;
    while at < expression.len() {
        let after_dot = at > 0 && expression[at - 1].is_sign(".");
        if expression[at..].starts_with(value) && !after_dot {
            out.extend_from_slice(instead);
            at += value.len();
        } else {
            out.push(expression[at].clone());
            at += 1;
        }
    }
    out
}

/// Constants among the sources that may be the first row's previous hash.
pub(super) fn constants(relation: &Relation, library: &Library) -> Vec<String> {
    let mut found = Vec::new();
    for function in &library.functions {
        let own = relation.triggers.iter().any(|trigger| trigger.function == function.name);
        if own || function.source.contains(&relation.name) {
            found.extend(tokens(&function.source).into_iter().filter_map(|token| match token {
                Token::Text(text) if text.len() <= 128 => Some(text),
                _ => None,
            }));
        }
    }
    found.sort();
    found.dedup();
    found
}
