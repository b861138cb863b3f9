//! PL/pgSQL bodies that only compute: assignments, `SELECT … INTO`, `IF`, `RAISE`, `RETURN`, a handler at the end.
//!
//! Such a body is one expression: each `RETURN` under the conditions that lead to it. What returns rows, or walks over
//! them, is read by [`plpgsql_rows`](super::plpgsql_rows). `EXECUTE` and everything else make the body unreadable, which is
//! said and never guessed.

use super::expr::{Expr, Query, Test};
use super::lower_query::lower_query;
use super::{body, lower};
use squawk_syntax::ast::{AstNode, CreateFunction};
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};
use std::sync::Arc;

/// What the body returns; none where it does more than compute.
pub(crate) fn result(source: &str) -> Option<Query> {
    let block = block(source)?;
    if let Some(query) = returned_query(&block) {
        return Some(query);
    }
    block_result(&block).map(body::scalar).or_else(|| super::plpgsql_rows::arms(&block))
}

/// The outermost block of a body.
pub(super) fn block(source: &str) -> Option<SyntaxNode> {
    let quote = "$govctl_body$";
    if source.contains(quote) {
        return None;
    }
    let text = format!("create function f() returns int as {quote}{source}{quote} language plpgsql");
    let parse = SourceFile::parse(&text);
    let function = parse.syntax_node().descendants().find_map(CreateFunction::cast)?;
    let body = function.plpgsql()?;
    body.syntax().children().find(|n| n.kind() == SyntaxKind::PLPGSQL_BLOCK)
}

/// `BEGIN RETURN QUERY …; [RETURN;] END`.
fn returned_query(block: &SyntaxNode) -> Option<Query> {
    let body = lower::child(block, SyntaxKind::PLPGSQL_BODY)?;
    let mut statements = body.children();
    let first = statements.next().filter(|n| n.kind() == SyntaxKind::PLPGSQL_RETURN_QUERY_STMT)?;
    let only = statements
        .all(|n| n.kind() == SyntaxKind::PLPGSQL_RETURN_STMT && lower::child(&n, SyntaxKind::PLPGSQL_EXPR).is_none());
    let query = first.children().find(|n| lower::is_query(n.kind()))?;
    only.then(|| lower_query(&query))
}

fn block_result(block: &SyntaxNode) -> Option<Expr> {
    let body = lower::child(block, SyntaxKind::PLPGSQL_BODY)?;
    let statements: Vec<SyntaxNode> = body.children().collect();
    let mut result = sequence(&statements, &[])?;
    if let Some(section) = lower::child(block, SyntaxKind::PLPGSQL_EXCEPTION_SECTION) {
        for handler in section.descendants().filter(|n| n.kind() == SyntaxKind::PLPGSQL_BODY) {
            let statements: Vec<SyntaxNode> = handler.children().collect();
            result = Expr::Rescue(Box::new(result), Box::new(sequence(&statements, &[])?));
        }
    }
    for (name, initial) in declared(block)?.into_iter().rev() {
        result = Expr::Let(name, Box::new(initial), Box::new(result));
    }
    Some(result)
}

/// The variables a block declares, with what they hold at first.
pub(super) fn declared(block: &SyntaxNode) -> Option<Vec<(String, Expr)>> {
    let section = lower::child(block, SyntaxKind::PLPGSQL_DECLARE_SECTION);
    let one = |declaration: SyntaxNode| {
        if declaration.kind() != SyntaxKind::PLPGSQL_VAR_DECL {
            return None;
        }
        let name = name(&declaration, SyntaxKind::PLPGSQL_VAR_NAME)?;
        let initial = lower::child(&declaration, SyntaxKind::PLPGSQL_VAR_INIT);
        Some((name, initial.map_or(Some(Expr::Null), |initial| expression(&initial))?))
    };
    section.iter().flat_map(SyntaxNode::children).map(one).collect()
}

pub(super) fn name(node: &SyntaxNode, kind: SyntaxKind) -> Option<String> {
    let name = node.descendants().find(|n| n.kind() == kind)?;
    Some(lower::identifier(name.text().to_string().trim()))
}

pub(super) fn expression(node: &SyntaxNode) -> Option<Expr> {
    let inner = lower::child(node, SyntaxKind::PLPGSQL_EXPR)?;
    let found = inner.descendants().find(|n| lower::is_expression(n.kind()))?;
    // An expression with a FROM of its own is a query that no clause here holds.
    let whole = inner.children().all(|n| n.kind() == SyntaxKind::TARGET_LIST);
    whole.then(|| lower::lower(&found))
}

/// What a run of statements returns, continued by `rest` where it falls through.
fn sequence(statements: &[SyntaxNode], rest: &[SyntaxNode]) -> Option<Expr> {
    let Some((first, after)) = statements.split_first() else {
        return if rest.is_empty() { Some(Expr::Null) } else { sequence(rest, &[]) };
    };
    match first.kind() {
        SyntaxKind::PLPGSQL_RETURN_STMT => {
            if lower::child(first, SyntaxKind::PLPGSQL_EXPR).is_none() {
                Some(Expr::Null)
            } else {
                expression(first)
            }
        }
        SyntaxKind::PLPGSQL_ASSIGN_STMT => {
            let target = name(first, SyntaxKind::PLPGSQL_VAR_NAME_REF)?;
            let value = expression(first)?;
            Some(Expr::Let(target, Box::new(value), Box::new(sequence(after, rest)?)))
        }
        SyntaxKind::PLPGSQL_RAISE_STMT => {
            if raises(first) {
                return Some(Expr::Raise);
            }
            sequence(after, rest)
        }
        SyntaxKind::PLPGSQL_NULL_STMT => sequence(after, rest),
        SyntaxKind::PLPGSQL_IF_STMT => conditional(first, after, rest),
        SyntaxKind::PLPGSQL_CASE_STMT => choice(first, after, rest),
        SyntaxKind::PLPGSQL_PERFORM_STMT => {
            let query = lower_query(&first.children().find(|n| lower::is_query(n.kind()))?);
            Some(Expr::Let("found".into(), Box::new(Expr::Exists(Arc::new(query))), Box::new(sequence(after, rest)?)))
        }
        SyntaxKind::ERROR => select_into(&first.text().to_string(), after, rest),
        _ => None,
    }
}

fn conditional(statement: &SyntaxNode, after: &[SyntaxNode], rest: &[SyntaxNode]) -> Option<Expr> {
    let continued: Vec<SyntaxNode> = after.iter().chain(rest).cloned().collect();
    let branch = |node: &SyntaxNode| {
        let body = lower::child(node, SyntaxKind::PLPGSQL_BODY)?;
        sequence(&body.children().collect::<Vec<_>>(), &continued)
    };
    let mut whens = vec![(expression(statement)?, branch(statement)?)];
    let mut otherwise = None;
    for clause in statement.children() {
        match clause.kind() {
            SyntaxKind::PLPGSQL_ELSIF_CLAUSE => whens.push((expression(&clause)?, branch(&clause)?)),
            SyntaxKind::PLPGSQL_ELSE_CLAUSE => otherwise = Some(branch(&clause)?),
            _ => {}
        }
    }
    let otherwise = match otherwise {
        Some(otherwise) => otherwise,
        None => sequence(&continued, &[])?,
    };
    Some(Expr::Case(None, whens, Some(Box::new(otherwise))))
}

/// `RAISE` ends the statement, but where it only talks.
pub(super) fn raises(statement: &SyntaxNode) -> bool {
    let level = lower::child(statement, SyntaxKind::PLPGSQL_RAISE_LEVEL).map(|l| lower::folded(&l).to_lowercase());
    level.is_none_or(|level| level == "exception")
}

/// `CASE … END CASE`, which raises where nothing fits.
fn choice(statement: &SyntaxNode, after: &[SyntaxNode], rest: &[SyntaxNode]) -> Option<Expr> {
    let continued: Vec<SyntaxNode> = after.iter().chain(rest).cloned().collect();
    let branch = |node: &SyntaxNode| {
        let body = lower::child(node, SyntaxKind::PLPGSQL_BODY)?;
        sequence(&body.children().collect::<Vec<_>>(), &continued)
    };
    let operand = lower::child(statement, SyntaxKind::PLPGSQL_EXPR).and_then(|_| expression(statement)).map(Box::new);
    let mut whens = Vec::new();
    let mut otherwise = Expr::Raise;
    for clause in statement.children() {
        match clause.kind() {
            SyntaxKind::PLPGSQL_CASE_WHEN => whens.push((expression(&clause)?, branch(&clause)?)),
            SyntaxKind::PLPGSQL_ELSE_CLAUSE => otherwise = branch(&clause)?,
            _ => {}
        }
    }
    Some(Expr::Case(operand, whens, Some(Box::new(otherwise))))
}

/// `SELECT … INTO [STRICT] v FROM …;`, which the parser leaves as tokens.
fn select_into(text: &str, after: &[SyntaxNode], rest: &[SyntaxNode]) -> Option<Expr> {
    let (targets, query) = into(text)?;
    if targets.iter().any(|target| target.contains('.')) {
        return None;
    }
    let first = targets.first()?.clone();
    let found = Expr::Not(Box::new(Expr::Is(Box::new(Expr::Column(None, first)), Test::Null)));
    let mut result = Expr::Let("found".into(), Box::new(found), Box::new(sequence(after, rest)?));
    for (index, target) in targets.into_iter().enumerate().rev() {
        let value = Expr::Scalar(Arc::new(only(&query, index)?));
        result = Expr::Let(target, Box::new(value), Box::new(result));
    }
    Some(result)
}

/// The variables and the query of `SELECT … INTO`.
pub(super) fn into(text: &str) -> Option<(Vec<String>, Query)> {
    let words: Vec<&str> = text.trim().trim_end_matches(';').split_whitespace().collect();
    let first = words.first()?.to_ascii_lowercase();
    let into =
        words.iter().position(|w| w.eq_ignore_ascii_case("into")).filter(|_| first == "select" || first == "with")?;
    let strict = usize::from(words.get(into + 1)?.eq_ignore_ascii_case("strict"));
    let start = into + 1 + strict;
    // `a, b` and `a ,b`: the list goes on as long as there are commas.
    let mut end = start + 1;
    while words.get(end - 1)?.ends_with(',') || words.get(end).is_some_and(|word| word.starts_with(',')) {
        end += 1;
    }
    let targets: Vec<String> = words[start..end].concat().split(',').map(lower::identifier).collect();
    if targets.iter().any(|target| target.is_empty() || target.contains(['(', ')'])) {
        return None;
    }
    let query = [&words[..into], &words[end..]].concat().join(" ");
    Some((targets, lower::query(&query)?))
}

/// The query with one of its targets.
pub(super) fn only(query: &Query, target: usize) -> Option<Query> {
    let mut query = query.clone();
    for arm in &mut query.arms {
        arm.targets = vec![arm.targets.get(target).cloned()?];
    }
    Some(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computing_bodies_become_one_expression() {
        let body = "declare v uuid; begin v := nullif(current_setting('a.b', true), '')::uuid;
                    if v is null then raise exception 'none'; end if; return v; exception when others then return null; end";
        let query = result(body).expect("readable");
        assert!(matches!(query.arms[0].targets[0].1, Expr::Let(..)));
        let found = result(
            "begin select tenant_id into strict t from users where id = 1; if not found then return null; end if; return t; end",
        );
        assert!(found.is_some());
    }

    #[test]
    fn each_return_of_a_body_that_gives_rows_is_an_arm() {
        let body = "declare r record; mine text := current_setting('a.b', true); begin
                    if mine is null then return; end if;
                    for r in select tenant_id from m where u = mine loop
                      if r.tenant_id > 0 then return next r.tenant_id; end if;
                    end loop;
                    return query select id from t where owner = mine;
                    end";
        let query = result(body).expect("readable");
        let shape: Vec<_> = query.arms.iter().map(|arm| (arm.sources.len(), arm.filters.len())).collect();
        assert_eq!(shape, [(2, 2), (2, 2)]);
        for body in [
            "begin perform 1 from m where m.t = x; return found; end",
            "begin case x when 1 then return true; else return false; end case; end",
            "declare a int; b int; begin select m.a, m.b into a, b from m; return a = b; end",
            "begin foreach x in array xs loop if x = 1 then return true; end if; end loop; return false; end",
        ] {
            assert!(result(body).is_some(), "{body}");
        }
    }

    #[test]
    fn bodies_that_do_more_are_unreadable() {
        for body in [
            "begin execute 'select 1'; return 1; end",
            "declare n int := 0; begin for r in select 1 loop n := n + 1; end loop; return n; end",
            "begin return query execute 'select 1'; end",
            "not plpgsql",
        ] {
            assert!(result(body).is_none(), "{body}");
        }
    }
}
