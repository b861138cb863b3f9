//! Side doors: what a view or a function that runs with its owner's rights lets through.

use super::decide::Decision;
use super::eval::{Sort, Val, conjunction, disjunction};
use super::expr::Query;
use super::frame::Frame;
use super::search::{Outcome, Search, Var, Witness};
use super::value::{self, Value};
use super::words;
use super::world::World;
use crate::facts::derive::catalog::{Function, Oid, Relation};
use std::rc::Rc;
use std::sync::Arc;

/// Decides a view that `role` reads, acting for `principal`.
pub(crate) fn view(world: &World<'_>, principal: Oid, role: Oid, view: &Relation) -> Decision {
    let Some(query) = world.view(view) else { return unreadable(&view.name) };
    let runs_as = if view.security_invoker && view.kind == "view" { role } else { view.owner };
    // The rows of a materialized view were chosen in the session of its last refresh, not in the reader's. One query for
    // the whole search: variables are told apart by the query's place in memory.
    let query = if view.kind == "materialized view" { Arc::new(unfiltered(&query)) } else { query };
    let mut search = Search::new(world, principal, role);
    let frame = Frame::of_body(runs_as, role, 1, Vec::new());
    let witness = search.run(&mut |search| returns_foreign(search, &query, &frame));
    decision(world, search, witness, "rows of another tenant are visible")
}

/// Decides a SECURITY DEFINER function that `principal` may call with any arguments.
pub(crate) fn function(world: &World<'_>, principal: Oid, function: &Function) -> Decision {
    let Some(query) = world.body(function) else { return unreadable(&function.name) };
    let mut search = Search::new(world, principal, function.owner);
    let names = function.names();
    let witness = search.run(&mut |search| {
        let mut variables = Vec::new();
        for index in 0..function.arity() {
            let name = names.get(index).filter(|n| !n.is_empty()).cloned();
            let label = name.clone().unwrap_or_else(|| format!("${}", index + 1));
            // The caller chooses the arguments, so they may name any tenant.
            let var = Var::Argument(label);
            let val = Val { value: search.get(var.clone())?, sort: Sort::Plain, origin: Some(var) };
            super::frame::bind(&mut variables, function, index, name.as_ref(), val);
        }
        let frame = Frame::of_body(function.owner, function.owner, 1, variables);
        returns_foreign(search, &query, &frame)
    });
    decision(world, search, witness, "rows of another tenant are returned")
}

/// The query returns a row, and one of the tenant rows it is made of is another tenant's.
fn returns_foreign(search: &mut Search<'_>, query: &Arc<Query>, frame: &Rc<Frame>) -> Outcome<Value> {
    search.output_rows.clear();
    let (truth, _) = search.derived(query, frame, &[], true)?;
    if truth == Value::Bool(false) {
        return Ok(truth);
    }
    let mut foreign = Vec::new();
    for row in search.output_rows.clone() {
        let Some(info) = search.rows.get(&row).copied() else { continue };
        if search.world.tenancy.is_tenant_data(info.relation) {
            foreign.push(search.get(Var::Owned(row)).map(value::not));
        }
    }
    conjunction(vec![Ok(truth), disjunction(foreign)])
}

/// The query without the conditions that only a session could meet.
fn unfiltered(query: &Query) -> Query {
    let mut query = query.clone();
    for arm in &mut query.arms {
        arm.filters.clear();
    }
    query
}

pub(super) fn decision(world: &World<'_>, search: Search<'_>, witness: Option<Witness>, what: &str) -> Decision {
    match witness {
        Some(witness) => {
            let explanation = words::explain(world, &witness);
            Decision {
                verdict: if explanation.uncertain { "may leak" } else { "leaks" },
                cause: Some(explanation.cause),
                counterexample: Some(format!("{what} {}", explanation.words)),
                policy: None,
                unread: search.unread,
            }
        }
        None => {
            Decision { verdict: "isolated", cause: None, counterexample: None, policy: None, unread: search.unread }
        }
    }
}

fn unreadable(name: &str) -> Decision {
    Decision {
        verdict: "may leak",
        cause: Some("unreadable"),
        counterexample: Some(format!("the definition of {name} cannot be read")),
        policy: None,
        unread: std::collections::BTreeSet::new(),
    }
}
