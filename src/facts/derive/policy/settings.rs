//! Which settings of the session the policies read, also through the functions they call.

use super::expr::{Expr, Query};
use super::{body, lower};
use crate::facts::derive::catalog::{Catalog, Oid};
use std::collections::{BTreeSet, HashMap};

/// A setting that a policy reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Setting {
    pub(crate) policy: Oid,
    pub(crate) name: String,
    /// Read with `missing_ok`: unset is NULL instead of an error.
    pub(crate) missing_ok: bool,
}

impl Setting {
    /// Any role may SET a setting with a dot in its name; no grant protects it.
    pub(crate) fn caller_may_set(&self) -> bool {
        self.name.contains('.')
    }
}

/// Every setting of every policy. Equal expressions are read once.
pub(crate) fn settings(catalog: &Catalog) -> BTreeSet<Setting> {
    let mut known: HashMap<&str, BTreeSet<(String, bool)>> = HashMap::new();
    let mut found = BTreeSet::new();
    for policy in catalog.relations.values().flat_map(|relation| &relation.policies) {
        for text in policy.texts() {
            let read = known.entry(text).or_insert_with(|| {
                let mut reader = Reader { catalog, seen: BTreeSet::new(), found: BTreeSet::new() };
                reader.expression(&lower::expression(text));
                reader.found
            });
            let named = |(name, missing_ok): &(String, bool)| Setting {
                policy: policy.oid,
                name: name.clone(),
                missing_ok: *missing_ok,
            };
            found.extend(read.iter().map(named));
        }
    }
    found
}

struct Reader<'a> {
    catalog: &'a Catalog,
    seen: BTreeSet<Oid>,
    /// Name, and whether it may be unset.
    found: BTreeSet<(String, bool)>,
}

impl Reader<'_> {
    fn expression(&mut self, expr: &Expr) {
        let mut calls = Vec::new();
        expr.walk(&mut |e| {
            if let Expr::Call(call) = e {
                calls.push(call)
            }
        });
        self.calls(calls);
    }

    fn query(&mut self, query: &Query) {
        let mut calls = Vec::new();
        query.walk(&mut |e| {
            if let Expr::Call(call) = e {
                calls.push(call)
            }
        });
        self.calls(calls);
    }

    fn calls(&mut self, calls: Vec<&super::expr::Call>) {
        for call in calls {
            if call.schema.is_none() && call.name == "current_setting" {
                let name = call.arguments.first().map(unwrapped);
                if let Some(Expr::Constant(name)) = name {
                    let missing_ok = call.arguments.get(1).is_some_and(|e| *unwrapped(e) == Expr::Bool(true));
                    self.found.insert((name.to_lowercase(), missing_ok));
                }
                continue;
            }
            for function in self.catalog.functions_named(call.schema.as_deref(), &call.name, call.arguments.len()) {
                if self.seen.insert(function.oid)
                    && let Some(query) = body::of(function)
                {
                    self.query(&query);
                }
            }
        }
    }
}

fn unwrapped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast(inner, _) => unwrapped(inner),
        other => other,
    }
}
