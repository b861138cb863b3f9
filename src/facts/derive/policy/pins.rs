//! Which columns the policies of a database compare with the session: a first look, before tenancy is known.

use super::expr::{Comparison, Expr};
use super::lower;
use crate::facts::derive::catalog::{Catalog, Oid, Relation};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Columns of relations, by how their policies tie them to the session.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    /// Compared with a value of the session itself.
    pub(crate) direct: BTreeSet<(Oid, i64)>,
    /// Compared with what a sub-select returns.
    pub(crate) looked_up: BTreeSet<(Oid, i64)>,
    /// Right sides of policies that are one pin and nothing else, as PostgreSQL's own text: `= current_tenant()`.
    pub(crate) tails: Vec<((Oid, i64), String)>,
}

impl Pins {
    pub(crate) fn find(catalog: &Catalog) -> Self {
        let mut pins = Self::default();
        let mut parsed: HashMap<&str, Arc<Expr>> = HashMap::new();
        for relation in catalog.relations.values() {
            for policy in &relation.policies {
                for text in policy.using.iter().chain(&policy.check) {
                    let expr = parsed.entry(text.as_str()).or_insert_with(|| Arc::new(lower::expression(text)));
                    pins.read(relation, expr);
                    pins.tails.extend(tail(relation, text, expr));
                }
            }
        }
        pins
    }

    /// Every column pinned either way.
    pub(crate) fn all(&self) -> BTreeSet<(Oid, i64)> {
        self.direct.union(&self.looked_up).copied().collect()
    }

    fn read(&mut self, relation: &Relation, expr: &Expr) {
        let column = |e: &Expr| own_column(relation, e).map(|number| (relation.oid, number));
        expr.walk(&mut |e| match e {
            Expr::Compare(Comparison::Equal, left, right) | Expr::Quantified(Comparison::Equal, left, true, right) => {
                for (one, other) in [(left, right), (right, left)] {
                    if let Some(pinned) = column(one) {
                        match origin(other) {
                            Origin::Session => drop(self.direct.insert(pinned)),
                            Origin::Query => drop(self.looked_up.insert(pinned)),
                            Origin::Row => {}
                        }
                    }
                }
            }
            Expr::QuantifiedQuery(Comparison::Equal, left, true, _) => {
                self.looked_up.extend(column(left));
            }
            _ => {}
        });
    }
}

/// The right side of a policy that is one pin.
fn tail(relation: &Relation, text: &str, expr: &Expr) -> Option<((Oid, i64), String)> {
    let of_session = |e: &Expr| matches!(origin(e), Origin::Session | Origin::Query);
    let (key, key_first) = match expr {
        Expr::Compare(Comparison::Equal, left, right) if of_session(right) => (left, true),
        Expr::Compare(Comparison::Equal, left, right) if of_session(left) => (right, false),
        Expr::QuantifiedQuery(Comparison::Equal, left, true, _) => (left, true),
        _ => return None,
    };
    let Expr::Column(None, name) = key.as_ref() else { return None };
    let column = relation.column(name)?;
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let quoted = crate::check::quote::ident(name);
    let tail = if key_first {
        inner.strip_prefix(&quoted)?.strip_prefix(' ')?.to_owned()
    } else {
        format!("= {}", inner.strip_suffix(&quoted)?.strip_suffix(" = ")?)
    };
    // What names the relation again means this relation only.
    let alone = !tail.contains(&format!("{}.", relation.name)) && !tail.contains(&format!("\"{}\".", relation.name));
    alone.then_some(((relation.oid, column.number), tail))
}

/// A column of the policy's own relation, through casts.
fn own_column(relation: &Relation, expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Cast(inner, _) => own_column(relation, inner),
        Expr::Column(qualifier, name) if qualifier.as_ref().is_none_or(|q| *q == relation.name) => {
            relation.column(name).map(|c| c.number)
        }
        _ => None,
    }
}

enum Origin {
    Session,
    Query,
    Row,
}

/// Where the other side of a comparison comes from: a call and no column is the session's.
fn origin(expr: &Expr) -> Origin {
    let (mut calls, mut columns, mut queries) = (false, false, false);
    expr.walk(&mut |e| match e {
        Expr::Call(_) => calls = true,
        Expr::Column(..) => columns = true,
        Expr::Scalar(q) | Expr::ArrayQuery(q) => queries |= q.arms.iter().any(|arm| !arm.sources.is_empty()),
        _ => {}
    });
    match (queries, columns, calls) {
        (true, ..) => Origin::Query,
        (false, false, true) => Origin::Session,
        _ => Origin::Row,
    }
}
