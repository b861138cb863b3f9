//! Side doors that open by themselves: triggers whose function runs with its owner's rights, and rules, which run with
//! those of the relation's owner. Who may write the relation moves them with values of his own choice.

use super::catalog::{Catalog, Oid, Relation};
use super::policy::World;
use super::policy::effects::{self, Effect};
use super::policy::outlet;
use super::principals::{Kind, Principal};
use super::privileges;
use super::verdicts::{Verdict, acting_roles};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What one principal can do to rows of other tenants by writing a relation.
#[derive(Debug)]
pub(crate) struct Fired {
    pub(crate) principal: Oid,
    /// What has to be written.
    pub(crate) relation: Oid,
    pub(crate) door: Door,
    /// `INSERT`, `UPDATE`, `DELETE`; `SELECT` where rows are copied into the one that is written.
    pub(crate) command: &'static str,
    /// Whose rows are touched.
    pub(crate) target: Oid,
    pub(crate) verdict: &'static str,
    /// The rows are found by a foreign key of the relation, so that their keys have to be known.
    pub(crate) by_link: bool,
    pub(crate) counterexample: Option<String>,
}

/// What is moved, and with whose rights.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// `trigger` or `rule`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) function: Option<Oid>,
    pub(crate) runs_as: Oid,
}

/// Every door that lets rows of other tenants through, for every principal that can move it.
pub(crate) fn find(world: &World<'_>, doors: &[Moved], principals: &[Principal], verdicts: &[Verdict]) -> Vec<Fired> {
    let is_definer = |oid| world.catalog.functions.get(&oid).is_some_and(|function| function.security_definer);
    let doors: Vec<_> = doors.iter().filter(|(_, _, door, _)| door.function.is_none_or(is_definer)).collect();
    if doors.is_empty() {
        return Vec::new();
    }
    let isolated: BTreeSet<(Oid, Oid, &str)> =
        verdicts.iter().filter(|v| v.verdict == "isolated").map(|v| (v.principal, v.relation, v.command)).collect();
    let movers: Vec<_> = principals
        .iter()
        .filter(|p| p.kind != Kind::Superuser)
        .map(|principal| (principal, acting_roles(world, principal)))
        .collect();
    let mut found = Vec::new();
    for (relation, events, door, effects) in doors {
        let Some(on) = world.catalog.relations.get(relation) else { continue };
        let keyed = on.is_table() && world.tenancy.is_tenant_data(on.oid);
        for (principal, acting) in movers.iter().filter(|(p, _)| p.role != door.runs_as) {
            let mover = acting.iter().find(|acting| {
                let held = world.privileges.of(acting.role);
                held.schemas_used.contains(&on.schema_oid)
                    && events.iter().any(|(command, right)| {
                        // Where the relation itself is open, that is the finding.
                        held.on_any_column(on.oid) & right != 0
                            && (!keyed || isolated.contains(&(principal.role, on.oid, *command)))
                    })
            });
            let Some(mover) = mover else { continue };
            let mut seen = BTreeMap::new();
            for effect in effects.iter() {
                let Some(target) = world.catalog.relation_named(effect.schema.as_deref(), &effect.table) else {
                    continue;
                };
                let bound = world.is_bound(door.runs_as, target);
                let closed = bound && target.rls && world.policies(door.runs_as, target, effect.command).0.is_empty();
                if !target.is_table() || !world.tenancy.is_tenant_data(target.oid) || closed || !target.rls {
                    continue;
                }
                let decision = outlet::fired(world, (principal.role, mover.role, door.runs_as), on, target, effect);
                if decision.verdict != "isolated" {
                    seen.entry((effect.command, target.oid)).or_insert((decision, by_link(on, target, effect)));
                }
            }
            found.extend(seen.into_iter().map(|((command, target), (decision, by_link))| Fired {
                principal: principal.role,
                relation: on.oid,
                door: door.clone(),
                command,
                target,
                verdict: decision.verdict,
                by_link,
                counterexample: decision.counterexample,
            }));
        }
    }
    found
}

pub(super) type Moved = (Oid, Vec<(&'static str, privileges::Rights)>, Door, Rc<[Effect]>);

/// Every trigger whose function can be read, and every rule: what moves it, and what it does.
pub(super) fn doors(catalog: &Catalog) -> Vec<Moved> {
    let mut doors = Vec::new();
    let mut bodies = BTreeMap::new();
    for trigger in catalog.triggers.iter().filter(|t| matches!(t.enabled.as_str(), "origin" | "always")) {
        let Some(function) = catalog.functions.get(&trigger.function) else { continue };
        if function.language != "plpgsql" {
            continue;
        }
        // One function often serves the triggers of many tables.
        let read = || Rc::from(effects::of_trigger(function.source.as_deref().unwrap_or_default()));
        let effects: Rc<[Effect]> = Rc::clone(bodies.entry(function.oid).or_insert_with(read));
        let events = [
            (trigger.on_insert, ("INSERT", privileges::INSERT)),
            (trigger.on_update, ("UPDATE", privileges::UPDATE)),
            (trigger.on_delete, ("DELETE", privileges::DELETE)),
        ];
        let events = events.into_iter().filter(|(fires, _)| *fires).map(|(_, event)| event).collect();
        let (name, runs_as) = (trigger.name.clone(), function.owner);
        doors.push((
            trigger.relation,
            events,
            Door { kind: "trigger", name, function: Some(function.oid), runs_as },
            effects,
        ));
    }
    for rule in catalog.rules.iter().filter(|r| matches!(r.enabled.as_str(), "origin" | "always")) {
        let Some(relation) = catalog.relations.get(&rule.relation) else { continue };
        let event = match rule.event.as_str() {
            "INSERT" => ("INSERT", privileges::INSERT),
            "UPDATE" => ("UPDATE", privileges::UPDATE),
            "DELETE" => ("DELETE", privileges::DELETE),
            _ => continue,
        };
        let door = Door { kind: "rule", name: rule.name.clone(), function: None, runs_as: relation.owner };
        doors.push((rule.relation, vec![event], door, effects::of_rule(&rule.definition).into()));
    }
    doors.retain(|(.., effects)| !effects.is_empty());
    doors
}

/// The touched row is the one that a foreign key of one column names.
fn by_link(on: &Relation, target: &Relation, effect: &Effect) -> bool {
    let links = on.foreign_keys.iter().filter(|key| key.target == target.oid && key.columns.len() == 1);
    let names: Vec<&str> =
        links.filter_map(|key| on.column_number(key.columns[0].0)).map(|column| column.name.as_str()).collect();
    effect.command != "INSERT" && names.iter().any(|name| effect.asks_for(name))
}
