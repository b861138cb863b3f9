//! Which columns the policies of a database compare with the session: a first look, before tenancy is known.

use super::expr::{Comparison, Expr, Select};
use super::{lower, members};
use crate::check::quote::ident;
use crate::facts::derive::catalog::{Catalog, Oid, Relation};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Columns of relations, by how their policies tie them to the session.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    /// Compared with a value of the session itself.
    pub(crate) direct: BTreeSet<(Oid, i64)>,
    /// The same, by policies for the owner alone, as whom functions of a log run, or for roles that nobody is.
    pub(crate) of_owner: BTreeSet<(Oid, i64)>,
    /// Compared with what a sub-select returns.
    pub(crate) looked_up: BTreeSet<(Oid, i64)>,
    /// Right sides of policies that are one pin and nothing else, as PostgreSQL's own text: `= current_tenant()`.
    pub(crate) tails: Vec<((Oid, i64), String)>,
    /// Policies that read rows by asking something about one column of them, with [`PLACE`] for the column:
    /// `has_role_on_account(⋅)`.
    pub(crate) forms: Vec<((Oid, i64), String)>,
}

/// Where a column stands in a form. PostgreSQL's text never holds it.
pub(crate) const PLACE: char = '\0';

impl Pins {
    pub(crate) fn find(catalog: &Catalog) -> Self {
        let mut pins = Self::default();
        let mut parsed: HashMap<&str, Arc<Expr>> = HashMap::new();
        for relation in catalog.relations.values() {
            for policy in &relation.policies {
                let for_others = catalog.is_for_others(policy, relation.owner);
                for text in policy.using.iter().chain(&policy.check) {
                    let expr = parsed.entry(text.as_str()).or_insert_with(|| Arc::new(lower::expression(text)));
                    pins.read(relation, expr, for_others);
                    let reads = policy.permissive && matches!(policy.command.as_str(), "SELECT" | "ALL");
                    match tail(relation, text, expr) {
                        Some(tail) => pins.tails.push(tail),
                        None if reads && policy.using.as_ref() == Some(text) => {
                            pins.forms.extend(form(relation, text, expr));
                        }
                        None => {}
                    }
                }
            }
        }
        pins
    }

    /// Every column pinned either way.
    pub(crate) fn all(&self) -> BTreeSet<(Oid, i64)> {
        self.direct.iter().chain(&self.of_owner).chain(&self.looked_up).copied().collect()
    }

    /// Whether sessions of this database say their tenant; else what they are members of says it.
    pub(crate) fn are_told(&self, is_tenant: impl Fn(&(Oid, i64)) -> bool) -> bool {
        let mut otherwise = self.looked_up.iter().chain(self.forms.iter().map(|(key, _)| key));
        self.direct.iter().any(&is_tenant) || self.of_owner.iter().any(&is_tenant) && !otherwise.any(&is_tenant)
    }

    fn read(&mut self, relation: &Relation, expr: &Expr, for_others: bool) {
        let column = |e: &Expr| own_column(relation, e).map(|number| (relation.oid, number));
        expr.walk(&mut |e| match e {
            Expr::Compare(Comparison::Equal, left, right) | Expr::Quantified(Comparison::Equal, left, true, right) => {
                for (one, other) in [(left, right), (right, left)] {
                    if let Some(pinned) = column(one) {
                        match origin(other) {
                            Origin::Session if for_others => drop(self.direct.insert(pinned)),
                            Origin::Session => drop(self.of_owner.insert(pinned)),
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
    let quoted = ident(name);
    let tail = if key_first {
        inner.strip_prefix(&quoted)?.strip_prefix(' ')?.to_owned()
    } else {
        format!("= {}", inner.strip_suffix(&quoted)?.strip_suffix(" = ")?)
    };
    // What names the relation again means this relation only.
    let alone = !tail.contains(&format!("{}.", relation.name)) && !tail.contains(&format!("\"{}\".", relation.name));
    alone.then_some(((relation.oid, column.number), tail))
}

/// A policy that is one question about one column: a call that takes it, or a sub-select that names it.
fn form(relation: &Relation, text: &str, expr: &Expr) -> Option<((Oid, i64), String)> {
    if matches!(expr, Expr::And(_) | Expr::Or(_)) {
        return None;
    }
    let (mut columns, mut asks) = (BTreeSet::new(), false);
    expr.walk(&mut |e| match e {
        // Somebody's own function: those of PostgreSQL are written without a schema.
        Expr::Call(call) => asks |= !call.arguments.is_empty() && call.schema.is_some(),
        Expr::Exists(_) | Expr::Scalar(_) | Expr::QuantifiedQuery(..) => asks = true,
        // Of the row itself; in a sub-select PostgreSQL writes the relation before it.
        Expr::Column(None, name) => drop(columns.insert(name)),
        Expr::Column(Some(qualifier), name) if *qualifier == relation.name => drop(columns.insert(name)),
        _ => {}
    });
    let name = columns.pop_first().filter(|_| asks && columns.is_empty())?;
    let column = relation.column(name)?;
    let form = placed(text, Some(&ident(&relation.name)), &ident(name))?;
    Some(((relation.oid, column.number), form))
}

/// The text with [`PLACE`] for each mention of the column, by itself or behind its relation; none where it names no such.
pub(crate) fn placed(text: &str, relation: Option<&str>, column: &str) -> Option<String> {
    let (mut form, mut rest, mut found) = (String::new(), text, false);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => rest[1..].find('\'')? + 2,
            _ => name_length(rest).max(first.len_utf8()),
        };
        let (word, after) = rest.split_at(length);
        let behind = || word.strip_prefix(relation?)?.strip_prefix('.');
        let is_column = word == column || behind() == Some(column);
        if is_column && !after.starts_with('(') {
            form.push(PLACE);
            found = true;
        } else {
            form.push_str(word);
        }
        rest = after;
    }
    found.then_some(form)
}

/// How long the name is with which a text begins: words and quoted names with dots between.
fn name_length(text: &str) -> usize {
    let mut end = 0;
    while let Some(first) = text[end..].chars().next() {
        end += match first {
            '"' => text[end + 1..].find('"').map_or(text.len() - end, |at| at + 2),
            _ if first.is_alphanumeric() || matches!(first, '_' | '$' | '.') => first.len_utf8(),
            _ => break,
        };
    }
    end
}

/// A column of the policy's own relation, through casts.
fn own_column(relation: &Relation, expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Cast(inner, _) => own_column(relation, inner),
        Expr::Column(qualifier, name) if qualifier.as_ref().is_none_or(|q| *q == relation.name) => {
            relation.column(name).map(|c| c.number)
        }
        _ => {
            let (qualifier, name) = members::column(expr)?;
            let own = qualifier.is_none_or(|qualifier| qualifier == relation.name);
            relation.column(&name).filter(|_| own).map(|c| c.number)
        }
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
        Expr::Scalar(q) => queries |= q.arms.iter().any(|arm| !arm.sources.is_empty()),
        // Several values that somebody's own function gives are looked up there.
        Expr::ArrayQuery(q) => queries |= q.arms.iter().any(|arm| !arm.sources.is_empty() || calls_own(arm)),
        _ => {}
    });
    match (queries, columns, calls) {
        (true, ..) => Origin::Query,
        (false, false, true) => Origin::Session,
        _ => Origin::Row,
    }
}

/// Calls a function that is none of PostgreSQL's: those are written without a schema.
fn calls_own(arm: &Select) -> bool {
    let is_own = |e: &Expr| matches!(e, Expr::Call(call) if call.schema.is_some());
    arm.targets.iter().any(|(_, target)| {
        let mut found = false;
        target.walk(&mut |e| found |= is_own(e));
        found
    })
}

#[cfg(test)]
mod tests {
    use super::{PLACE, placed};

    #[test]
    fn columns_are_found_by_themselves_and_behind_their_relation() {
        let form = |text| placed(text, Some("docs"), "org_id").map(|form| form.replace(PLACE, "?"));
        assert_eq!(form("app.may(org_id) = true").unwrap(), "app.may(?) = true");
        assert_eq!(form("m.org_id = docs.org_id").unwrap(), "m.org_id = ?");
        assert_eq!(form("app.org_id() = 'org_id'"), None);
        let quoted = placed("\"Tenant ID\" = x", None, "\"Tenant ID\"").unwrap();
        assert_eq!(quoted.replace(PLACE, "?"), "? = x");
    }
}
