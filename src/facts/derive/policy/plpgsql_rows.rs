//! PL/pgSQL bodies that give rows, or decide while they walk over some: each `RETURN` is one arm of a query.
//!
//! An arm has the rows of the loops around it as its sources, the variables assigned before it as further ones, and the
//! conditions that lead to it as its filter. A loop is one of its rows, as everywhere in the search. A variable that is
//! assigned twice, or in a branch that goes on, would need a history: such a body is unreadable, as is `EXECUTE`.

use super::expr::{Expr, From, Query, Select, Source, Test};
use super::plpgsql::{declared, expression, name};
use super::{body, lower, lower_query};
use squawk_syntax::{SyntaxKind, SyntaxNode};
use std::sync::Arc;

/// Marks a source that is a variable: no part of `*`.
pub(super) const VARIABLE: &str = "\u{1}";

/// The query a block stands for; none where it does more than look.
pub(super) fn arms(block: &SyntaxNode) -> Option<Query> {
    let mut walk = Walk::default();
    let mut path = Path::default();
    for (name, value) in declared(block)? {
        if value != Expr::Null {
            path.assign(name, value)?;
        }
    }
    walk.body(&lower::child(block, SyntaxKind::PLPGSQL_BODY)?, &mut path.clone())?;
    if let Some(section) = lower::child(block, SyntaxKind::PLPGSQL_EXCEPTION_SECTION) {
        for handler in section.descendants().filter(|n| n.kind() == SyntaxKind::PLPGSQL_BODY) {
            walk.body(&handler, &mut path.clone())?;
        }
    }
    (!walk.query.arms.is_empty()).then_some(walk.query)
}

/// What lies between the start of the body and a statement.
#[derive(Clone, Default)]
pub(super) struct Path {
    pub(super) sources: Vec<Source>,
    pub(super) filters: Vec<Expr>,
    pub(super) assigned: Vec<String>,
}

impl Path {
    pub(super) fn assign(&mut self, name: String, value: Expr) -> Option<()> {
        if self.assigned.contains(&name) {
            return None;
        }
        let from = From::Query(Arc::new(body::scalar(value)));
        self.push(format!("{VARIABLE}{name}"), vec![name.clone()], from);
        self.assigned.push(name);
        Some(())
    }

    /// The variable set last, and what it was set to.
    pub(super) fn last(&self) -> Option<(&str, Expr)> {
        let From::Query(query) = &self.sources.last()?.from else { return None };
        let (_, value) = query.arms.first()?.targets.first()?;
        Some((self.assigned.last()?, value.clone()))
    }

    pub(super) fn push(&mut self, alias: String, columns: Vec<String>, from: From) {
        self.sources.push(Source { alias: Some(alias), columns, from, optional: false, on: None });
    }
}

#[derive(Default)]
struct Walk {
    query: Query,
}

impl Walk {
    /// Walks a run of statements. Whether it may go on behind them; none where it cannot be read.
    fn body(&mut self, body: &SyntaxNode, path: &mut Path) -> Option<bool> {
        for statement in body.children() {
            if !self.statement(&statement, path)? {
                return Some(false);
            }
        }
        Some(true)
    }

    fn statement(&mut self, statement: &SyntaxNode, path: &mut Path) -> Option<bool> {
        let value = lower::child(statement, SyntaxKind::PLPGSQL_EXPR).is_some();
        match statement.kind() {
            SyntaxKind::PLPGSQL_RETURN_STMT => {
                if value {
                    self.arm(expression(statement)?, path);
                }
                return Some(false);
            }
            SyntaxKind::PLPGSQL_RETURN_NEXT_STMT if value => self.arm(expression(statement)?, path),
            SyntaxKind::PLPGSQL_RETURN_QUERY_STMT => {
                let query = statement.children().find(|n| lower::is_query(n.kind()))?;
                self.rows(lower_query::lower_query(&query), path);
            }
            SyntaxKind::PLPGSQL_RAISE_STMT => return Some(!super::plpgsql::raises(statement)),
            SyntaxKind::PLPGSQL_NULL_STMT => {}
            SyntaxKind::PLPGSQL_PERFORM_STMT => {}
            SyntaxKind::PLPGSQL_ASSIGN_STMT => {
                path.assign(name(statement, SyntaxKind::PLPGSQL_VAR_NAME_REF)?, expression(statement)?)?;
            }
            SyntaxKind::ERROR => {
                let (targets, query) = super::plpgsql::into(&statement.text().to_string())?;
                targets.iter().all(|target| !target.contains('.')).then_some(())?;
                for (index, target) in targets.into_iter().enumerate() {
                    path.assign(target, Expr::Scalar(Arc::new(super::plpgsql::only(&query, index)?)))?;
                }
            }
            SyntaxKind::PLPGSQL_IF_STMT => return self.conditional(statement, path),
            SyntaxKind::PLPGSQL_FOR_QUERY_STMT => {
                let query = statement.children().find(|n| lower::is_query(n.kind()))?;
                let row = name(statement, SyntaxKind::PLPGSQL_FOR_VARIABLE)?;
                let from = From::Query(Arc::new(lower_query::lower_query(&query)));
                self.repeated(statement, path, row, Vec::new(), from)?;
            }
            SyntaxKind::PLPGSQL_FOR_EACH_STMT => {
                let element = name(statement, SyntaxKind::PLPGSQL_FOR_VARIABLE)?;
                let unnest = body::call("unnest", vec![expression(statement)?]);
                self.repeated(statement, path, element.clone(), vec![element], From::Call(unnest))?;
            }
            _ => return None,
        }
        Some(true)
    }

    /// The body of a loop, for one of the rows.
    fn repeated(
        &mut self,
        statement: &SyntaxNode,
        path: &Path,
        alias: String,
        columns: Vec<String>,
        from: From,
    ) -> Option<()> {
        let mut inside = path.clone();
        inside.push(alias, columns, from);
        self.body(&lower::child(statement, SyntaxKind::PLPGSQL_BODY)?, &mut inside)?;
        (inside.assigned.len() == path.assigned.len()).then_some(())
    }

    /// Each branch under its condition and those that were not met before it. PL/pgSQL takes NULL for false.
    fn conditional(&mut self, statement: &SyntaxNode, path: &mut Path) -> Option<bool> {
        let clauses = statement.children().filter(|n| n.kind() == SyntaxKind::PLPGSQL_ELSIF_CLAUSE);
        let mut unmet = path.clone();
        let mut goes_on = false;
        for branch in std::iter::once(statement.clone()).chain(clauses) {
            let condition = expression(&branch)?;
            let mut inside = unmet.clone();
            inside.filters.push(condition.clone());
            let through = self.body(&lower::child(&branch, SyntaxKind::PLPGSQL_BODY)?, &mut inside)?;
            if through && inside.assigned.len() != path.assigned.len() {
                return None;
            }
            goes_on |= through;
            unmet.filters.push(Expr::Not(Box::new(Expr::Is(Box::new(condition), Test::True))));
        }
        let otherwise = lower::child(statement, SyntaxKind::PLPGSQL_ELSE_CLAUSE);
        let through = match otherwise {
            Some(otherwise) => {
                let mut inside = unmet.clone();
                let through = self.body(&lower::child(&otherwise, SyntaxKind::PLPGSQL_BODY)?, &mut inside)?;
                if through && inside.assigned.len() != path.assigned.len() {
                    return None;
                }
                through
            }
            None => true,
        };
        // Only where every branch has ended it is certain that none of their conditions was met.
        if !goes_on {
            path.filters = unmet.filters;
        }
        Some(goes_on || through)
    }

    fn arm(&mut self, value: Expr, path: &Path) {
        let targets = vec![(None, value)];
        let (sources, filters) = (path.sources.clone(), path.filters.clone());
        self.query.arms.push(Select { sources, filters, targets, ..Select::default() });
    }

    fn rows(&mut self, query: Query, path: &Path) {
        self.query.ctes.extend(query.ctes);
        for mut arm in query.arms {
            arm.sources.splice(0..0, path.sources.iter().cloned());
            arm.filters.extend(path.filters.iter().cloned());
            self.query.arms.push(arm);
        }
    }
}
