//! What can be written through a view: PostgreSQL passes INSERT, UPDATE and DELETE on a simple view on to its table, with the
//! rights of the view's owner. The view's condition chooses which rows can be changed, and says nothing about the rows
//! that come of it unless the view has a check option (`CREATE VIEW`, "Updatable Views").

use super::decide::{Decision, JUDGED, Question, WRITTEN, foreign_key_is_foreign};
use super::eval::conjunction;
use super::expr::{Expr, From, Query, Select};
use super::frame::Frame;
use super::outlet;
use super::search::{Outcome, RowInfo, RowKey, RowKind, Search};
use super::value::{self, Value};
use super::world::{Class, World};
use crate::facts::derive::catalog::{Oid, Relation};
use crate::facts::derive::privileges::Rights;
use std::rc::Rc;

/// A simple view, and the table under it.
struct Door<'d> {
    select: &'d Select,
    alias: String,
    base: &'d Relation,
    /// New rows have to meet the view's condition too.
    checked: bool,
    /// The policies of the table bind the view's owner.
    bound: bool,
    owner: Oid,
}

/// Decides what `role`, acting for `principal`, can do through the view; none where nothing gets through, or only with the
/// role's own rights on the table.
pub(crate) fn written(
    world: &World<'_>,
    principal: Oid,
    role: Oid,
    view: &Relation,
    command: &'static str,
    right: Rights,
) -> Option<Decision> {
    if view.kind != "view" || view.security_invoker {
        return None;
    }
    let query = world.view(view)?;
    let door = Door::of(world, view, &query)?;
    let held = world.privileges.of(view.owner).on_any_column(door.base.oid) & right != 0;
    if !held || door.bound && world.policies(view.owner, door.base, command).0.is_empty() {
        return None;
    }
    let keyed = door.shows_whose(world);
    let questions = match command {
        "INSERT" if keyed => vec![Question::Plant],
        "INSERT" => Vec::new(),
        "UPDATE" if keyed => vec![Question::Change { key: true }, Question::Move],
        "UPDATE" => vec![Question::Change { key: false }],
        _ => vec![Question::Touch("DELETE")],
    };
    let mut last = None;
    for question in questions {
        let mut search = Search::new(world, principal, role);
        let keys = door.base.columns_and_members().filter(|c| world.class(door.base, c, false) == Class::Key);
        search.own_keys = keys.map(|c| value::own(&c.type_name)).collect();
        search.visiting.push(door.base.oid);
        let judged = if question == Question::Move { RowKind::Own } else { RowKind::Judged };
        for (row, kind) in [(JUDGED, judged), (WRITTEN, RowKind::Written)] {
            search.rows.insert(row, RowInfo { relation: door.base.oid, kind, writable: false });
        }
        let witness = search.run_unless_blind(&mut |search| door.passes(search, question, role, command));
        let leaks = witness.is_some();
        last = Some(outlet::decision(world, search, witness, question.words()));
        if leaks {
            break;
        }
    }
    last
}

impl<'d> Door<'d> {
    /// The view as one that PostgreSQL updates by itself: one table, and its plain rows.
    fn of(world: &'d World<'_>, view: &Relation, query: &'d Query) -> Option<Self> {
        let ([select], true) = (query.arms.as_slice(), query.ctes.is_empty()) else { return None };
        let [source] = select.sources.as_slice() else { return None };
        let From::Relation(schema, name) = &source.from else { return None };
        let base = world.catalog.relation_named(schema.as_deref(), name)?;
        let simple = !select.grouped && base.is_table() && world.tenancy.is_tenant_data(base.oid);
        // Aggregates, DISTINCT and LIMIT leave their words in the text alone.
        let text = view.definition.as_deref().unwrap_or_default().to_lowercase();
        let narrowed = ["distinct", "limit", "offset"].iter().any(|word| text.split_whitespace().any(|w| w == *word));
        (simple && !narrowed).then(|| Self {
            select,
            alias: source.alias.clone().unwrap_or_else(|| base.name.clone()),
            base,
            checked: world.catalog.checked_views.contains(&view.oid),
            bound: world.is_bound(view.owner, base),
            owner: view.owner,
        })
    }

    /// The view has the column that says whose a row is.
    fn shows_whose(&self, world: &World<'_>) -> bool {
        let path =
            world.tenancy.paths.get(&self.base.oid).and_then(|path| path.hops.first()).map(|(_, column)| *column);
        let keys = world.tenancy.keys_of(self.base.oid).map(|(column, _)| self.base.stored(column));
        let whose: Vec<i64> = keys.chain(path).collect();
        self.select.star
            || self.select.targets.iter().any(|(_, target)| match target {
                Expr::Column(_, name) => self.base.column(name).is_some_and(|c| whose.contains(&c.number)),
                _ => false,
            })
    }

    fn passes(&self, search: &mut Search<'_>, question: Question, role: Oid, command: &str) -> Outcome<Value> {
        let frame = |row: RowKey| Frame::of_source(row, self.base, self.alias.clone(), self.owner, role);
        let shown = |search: &mut Search<'_>, row| search.all_hold(&self.select.filters, &frame(row));
        let allowed = |search: &mut Search<'_>, row, check| {
            let frame: Rc<Frame> = Frame::of_row(row, self.base, self.owner, role);
            if self.bound {
                search.permitted(self.base, command, check, self.owner, &frame)
            } else {
                Ok(Value::Bool(true))
            }
        };
        let mut parts = Vec::new();
        if question != Question::Plant {
            parts.push(shown(search, JUDGED));
            parts.push(allowed(search, JUDGED, false));
        }
        let new = if matches!(question, Question::Change { key: false }) { JUDGED } else { WRITTEN };
        if !matches!(question, Question::Touch(_)) {
            if self.checked {
                parts.push(shown(search, new));
            }
            parts.push(allowed(search, new, true));
        }
        let claimed = if matches!(question, Question::Plant | Question::Move) { WRITTEN } else { JUDGED };
        parts.push(foreign_key_is_foreign(search, self.base, claimed));
        conjunction(parts)
    }
}
