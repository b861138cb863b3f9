//! Side doors: what a view or a function that runs with its owner's rights lets through.

use super::asker::recall;
use super::decide::Decision;
use super::effects::Effect;
use super::expr::{Expr, Query};
use super::frame::{Cell, Frame, SourceBound};
use super::search::{RowInfo, RowKey, RowKind, Search, Var, Witness};
use super::value;
use super::words;
use super::world::{Class, World};
use crate::facts::derive::catalog::{Function, Oid, Relation};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// What lets rows out with other rights than the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outlet {
    View(Oid),
    Function(Oid),
}

/// Decides a view that `role` reads, acting for `principal`.
pub(crate) fn view(world: &World<'_>, principal: Oid, role: Oid, view: &Relation) -> Decision {
    let Some(query) = world.view(view) else { return unreadable(&view.name) };
    let outlet = Outlet::View(view.oid);
    if let Some(known) = recall(&world.outlets, world, &outlet, (principal, role)) {
        return known;
    }
    let runs_as = if view.security_invoker && view.kind == "view" { role } else { view.owner };
    // The rows of a materialized view were chosen in the session of its last refresh, not in the reader's. One query for
    // the whole search: variables are told apart by the query's place in memory.
    let query = if view.kind == "materialized view" { Arc::new(unfiltered(&query)) } else { query };
    let mut search = Search::new(world, principal, role);
    search.own_keys.clone_from(&world.own_keys);
    let frame = Frame::of_body(runs_as, role, 1, Vec::new());
    let witness = search.run_unless_blind(&mut |search| search.returns_foreign(&query, &frame, None));
    remembered(world, outlet, search, witness, "rows of another tenant are visible")
}

/// Decides a SECURITY DEFINER function that `principal` may call with any arguments.
pub(crate) fn function(world: &World<'_>, principal: Oid, function: &Function) -> Decision {
    let Some(query) = world.body(function) else { return unreadable(&function.name) };
    let outlet = Outlet::Function(function.oid);
    if let Some(known) = recall(&world.outlets, world, &outlet, (principal, function.owner)) {
        return known;
    }
    let mut search = Search::new(world, principal, function.owner);
    search.own_keys.clone_from(&world.own_keys);
    let (names, types) = (function.names(), function.types());
    let mut variables = Vec::new();
    for index in 0..function.arity() {
        let name = names.get(index).filter(|n| !n.is_empty()).cloned();
        let label = name.clone().unwrap_or_else(|| format!("${}", index + 1));
        // The caller chooses the arguments, so they may name any tenant.
        let argument = Var::Argument(label);
        for value in types.get(index).map(|type_text| value::some(type_text)).unwrap_or_default() {
            search.learn(&argument, &value);
        }
        super::frame::bind(&mut variables, function, index, name.as_ref(), Cell::Argument(argument));
    }
    let frame = Frame::of_body(function.owner, function.owner, 1, variables);
    let witness = search.run_unless_blind(&mut |search| search.returns_foreign(&query, &frame, None));
    remembered(world, outlet, search, witness, "rows of another tenant are returned")
}

fn remembered(
    world: &World<'_>,
    outlet: Outlet,
    mut search: Search<'_>,
    witness: Option<Witness>,
    what: &str,
) -> Decision {
    let asker = search.take_asker();
    let decision = decision(world, search, witness, what);
    world.outlets.borrow_mut().insert(outlet, Some(asker), decision.clone());
    decision
}

/// The row that fired.
const FIRED: RowKey = 2;
/// What it was before.
const BEFORE: RowKey = 3;

/// Decides one statement of a trigger or rule that `principal`, acting as `mover`, sets off with a row of `on`: whether it
/// touches a row of `target` that is another tenant's. In a table that isolates, the row that fires is the session's own;
/// elsewhere it holds what the caller likes.
pub(crate) fn fired(
    world: &World<'_>,
    (principal, mover, runs_as): (Oid, Oid, Oid),
    on: &Relation,
    target: &Relation,
    effect: &Effect,
) -> Decision {
    let keys = |relation: &Relation| -> Vec<String> {
        let keyed = relation.columns.iter().filter(|c| world.class(relation, c, false) == Class::Key);
        keyed.map(|c| c.name.clone()).collect()
    };
    let (own_keys, target_keys) = (keys(on), keys(target));
    let columns: Vec<String> = target.columns.iter().map(|c| c.name.clone()).collect();
    let fills_key = effect.into.as_ref().is_some_and(|column| own_keys.contains(column));
    if fills_key || target_keys.is_empty() || !effect.writes(&target_keys, &columns) {
        return Decision::isolated(BTreeSet::new());
    }
    let mut effect = effect.clone();
    for link in on.foreign_keys.iter().filter(|link| link.target == target.oid && link.columns.len() > 1) {
        let names = |(own, theirs): &(i64, i64)| {
            Some((on.column_number(*own)?.name.clone(), target.column_number(*theirs)?.name.clone()))
        };
        let (same, pairs): (Vec<_>, Vec<_>) =
            link.columns.iter().filter_map(names).partition(|(_, theirs)| target_keys.contains(theirs));
        if let [same] = same.as_slice() {
            effect.holds_with(&pairs, same);
        }
    }
    // The row itself, or one that cannot be written beside it.
    let own_name = |number: &i64| on.column_number(*number).map(|column| (column.name.clone(), column.name.clone()));
    let itself: Vec<_> = on.primary_key.iter().filter_map(own_name).collect();
    if let ([key], true) = (own_keys.as_slice(), on.oid == target.oid && !itself.is_empty()) {
        effect.holds_with(&itself, &(key.clone(), key.clone()));
    }
    let query = Arc::new(effect.query(&target_keys, &columns));
    // Only what is asked for: each value is one more to choose.
    let mut asked = BTreeSet::new();
    query.walk(&mut |expr| {
        if let Expr::Column(_, name) = expr {
            asked.insert(name.clone());
        }
    });
    let isolates = on.is_table() && world.tenancy.is_tenant_data(on.oid);
    let mut search = Search::new(world, principal, mover);
    search.own_keys =
        target.columns.iter().filter(|c| target_keys.contains(&c.name)).map(|c| value::own(&c.type_name)).collect();
    for row in [FIRED, BEFORE].into_iter().filter(|_| isolates) {
        search.rows.insert(row, RowInfo { relation: on.oid, kind: RowKind::Own, writable: false });
    }
    let witness = search.run_unless_blind(&mut |search| {
        let mut sources = Vec::new();
        for (alias, row) in [("new", FIRED), ("old", BEFORE)] {
            let frame = Frame::of_source(row, on, alias.to_owned(), runs_as, runs_as);
            let mut values = Vec::new();
            for column in on.columns.iter().filter(|column| asked.contains(&column.name)) {
                let whose = isolates && matches!(world.class(on, column, false), Class::Key | Class::User);
                let cell = if whose {
                    Cell::Value(search.eval(&Expr::Column(Some(alias.to_owned()), column.name.clone()), &frame)?)
                } else {
                    Cell::Argument(Var::Argument(format!("{alias}.{}", column.name)))
                };
                values.push((column.name.clone(), cell));
            }
            sources.push((alias.to_owned(), SourceBound::Columns(values)));
        }
        let frame = Frame { sources, role: runs_as, user: runs_as, path: 1, closed: true, ..Frame::default() };
        search.returns_foreign(&query, &Rc::new(frame), Some(target.oid))
    });
    let what = match effect.command {
        "INSERT" => "rows are written for another tenant",
        "UPDATE" => "rows of another tenant are changed",
        "DELETE" => "rows of another tenant are deleted",
        _ => "rows of another tenant are copied",
    };
    decision(world, search, witness, what)
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
        None => Decision::isolated(search.unread),
    }
}

fn unreadable(name: &str) -> Decision {
    Decision {
        verdict: "may leak",
        cause: Some("unreadable"),
        counterexample: Some(format!("the definition of {name} cannot be read")),
        policy: None,
        unread: BTreeSet::new(),
    }
}
