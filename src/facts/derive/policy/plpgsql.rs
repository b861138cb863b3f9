//! PL/pgSQL bodies that only compute: assignments, `SELECT … INTO`, `IF`, `RAISE`, `RETURN`, a handler at the end.
//!
//! Such a body is one expression: each `RETURN` under the conditions that lead to it. Loops, `EXECUTE` and everything
//! else make the body unreadable, which is said and never guessed.

use super::expr::{Expr, Query, Test};
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
    let expression = block_result(&block)?;
    Some(body::scalar(expression))
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
    only.then(|| super::lower_query::lower_query(&query))
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
    let declarations = lower::child(block, SyntaxKind::PLPGSQL_DECLARE_SECTION);
    let declared: Vec<SyntaxNode> = declarations.iter().flat_map(SyntaxNode::children).collect();
    for declaration in declared.iter().rev() {
        if declaration.kind() != SyntaxKind::PLPGSQL_VAR_DECL {
            return None;
        }
        let name = name(declaration, SyntaxKind::PLPGSQL_VAR_NAME)?;
        let initial =
            lower::child(declaration, SyntaxKind::PLPGSQL_VAR_INIT).map_or(Some(Expr::Null), |i| expression(&i))?;
        result = Expr::Let(name, Box::new(initial), Box::new(result));
    }
    Some(result)
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
            let level = lower::child(first, SyntaxKind::PLPGSQL_RAISE_LEVEL).map(|l| lower::folded(&l).to_lowercase());
            match level.as_deref() {
                None | Some("exception") => Some(Expr::Raise),
                Some(_) => sequence(after, rest),
            }
        }
        SyntaxKind::PLPGSQL_NULL_STMT => sequence(after, rest),
        SyntaxKind::PLPGSQL_IF_STMT => conditional(first, after, rest),
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

/// `SELECT … INTO [STRICT] v FROM …;`, which the parser leaves as tokens.
fn select_into(text: &str, after: &[SyntaxNode], rest: &[SyntaxNode]) -> Option<Expr> {
    let words: Vec<&str> = text.trim().trim_end_matches(';').split_whitespace().collect();
    let first = words.first()?.to_ascii_lowercase();
    if first == "perform" {
        return sequence(after, rest);
    }
    let into =
        words.iter().position(|w| w.eq_ignore_ascii_case("into")).filter(|_| first == "select" || first == "with")?;
    let strict = usize::from(words.get(into + 1)?.eq_ignore_ascii_case("strict"));
    let target = words.get(into + 1 + strict)?;
    if target.contains([',', '(', ')', '.']) {
        return None;
    }
    let query = [&words[..into], &words[into + 2 + strict..]].concat().join(" ");
    let value = Expr::Scalar(Arc::new(lower::query(&query)?));
    let target = lower::identifier(target);
    let found = Expr::Not(Box::new(Expr::Is(Box::new(Expr::Column(None, target.clone())), Test::Null)));
    let continued = Expr::Let("found".into(), Box::new(found), Box::new(sequence(after, rest)?));
    Some(Expr::Let(target, Box::new(value), Box::new(continued)))
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
    fn bodies_that_do_more_are_unreadable() {
        for body in [
            "begin execute 'select 1'; return 1; end",
            "begin for r in select 1 loop return r; end loop; end",
            "not plpgsql",
        ] {
            assert!(result(body).is_none(), "{body}");
        }
    }
}
