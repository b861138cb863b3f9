//! What one event changes in the schema as it grows, and what it takes away.

use super::{Reader, Wide, scope};
use crate::history::event::{CreateTable, Name, On, Rls, What};
use crate::history::judge;
use crate::history::schema::{Forbidden, KnownPolicy, KnownTrigger, Place, Table};
use crate::history::sql::{HOLE, Runner};

impl Reader {
    /// Changes the schema. Gives the tables about which there may be something new to say.
    #[expect(clippy::too_many_lines, reason = "one arm a kind of event")]
    pub(super) fn apply(&mut self, what: &What, place: Place) -> Vec<usize> {
        match what {
            What::CreateTable(made) => return self.create(made, place),
            What::DropTable(table) => {
                let named = table.to_string();
                self.undone.retain(|(_, object), _| *object != named && !object.starts_with(&format!("{named} ")));
                if let Some(at) = self.schema.find(table) {
                    self.cosigns.remove(&at);
                    self.keeps_reasoning.remove(&at);
                    self.entries(at).iter().for_each(|(kind, name, _)| {
                        self.timeline.introduced.remove(&(*kind, name.clone()));
                    });
                }
                self.schema.drop(table);
                return Vec::new();
            }
            What::RenameTable(from, to) => {
                let schema = self.schema.table(from).and_then(|table| table.name.schema.clone());
                let to = Name { schema, name: to.clone() };
                return self.rename(from, to);
            }
            What::SetSchema(table, schema) => {
                let to = Name { schema: Some(schema.clone()).filter(|s| s != "public"), name: table.name.clone() };
                return self.rename(table, to);
            }
            What::AddColumn(table, column) => {
                let at = self.schema.expect(table);
                self.schema.tables[at].add_column(column.clone(), place);
                return vec![at];
            }
            What::DropColumn(table, column) => {
                let at = self.schema.expect(table);
                self.schema.tables[at].drop_column(column);
            }
            What::RenameColumn { table, from, to } => {
                let at = self.schema.expect(table);
                self.schema.tables[at].rename_column(from, to);
                return vec![at];
            }
            What::SetType { table, column, type_name } => {
                let at = self.schema.expect(table);
                if let Some(known) = self.schema.tables[at].column_mut(column) {
                    known.column.type_name.clone_from(type_name);
                }
                return vec![at];
            }
            What::AddConstraint(table, constraint) => {
                let at = self.schema.expect(table);
                self.schema.tables[at].constrain(constraint.clone(), place);
                return vec![at];
            }
            What::Rls(table, switch) => return self.switch(table, *switch, place),
            What::CreatePolicy(policy) => {
                let at = self.schema.expect(&policy.table);
                let table = &mut self.schema.tables[at];
                table.policies.retain(|known| known.policy.name != policy.name);
                table.policies.push(KnownPolicy::new(policy.clone()));
                let name = format!("{} on {}", policy.name, table.name);
                self.last("policy", &name, place);
                let dropped = ("policy dropped", self.schema.tables[at].name.to_string());
                let just_now = self.undone.get(&dropped).is_some_and(|since| since.migration == place.migration);
                if just_now && self.is_replaced(at, place) {
                    self.undone.remove(&dropped);
                }
                return vec![at];
            }
            What::AlterPolicy(policy) => {
                let at = self.schema.expect(&policy.table);
                let old = self.schema.tables[at].policies.iter_mut().find(|known| known.policy.name == policy.name);
                if let Some(old) = old {
                    old.alter(policy);
                }
                return vec![at];
            }
            What::DropPolicy { table, name } => self.drop_policy(table, name, place),
            What::CreateEnum { name, labels } => {
                self.schema.enums.insert(name.name.clone(), (labels.clone(), place));
            }
            What::AddLabel { name, label, was } => {
                let (labels, since) = self.schema.enums.entry(name.name.clone()).or_default();
                labels.retain(|known| Some(known) != was.as_ref());
                labels.push(label.clone());
                *since = place;
                let tables = self.schema.tables.iter().enumerate();
                let typed = tables.filter(|(_, t)| t.columns.iter().any(|known| known.column.type_name == name.name));
                return typed.map(|(at, _)| at).collect();
            }
            What::RenameType(from, to) => {
                if let Some(labels) = self.schema.enums.remove(&from.name) {
                    self.schema.enums.insert(to.clone(), labels);
                }
                for known in self.schema.tables.iter_mut().flat_map(|table| &mut table.columns) {
                    if known.column.type_name == from.name {
                        known.column.type_name.clone_from(to);
                    }
                }
            }
            What::CreateTrigger(trigger) => {
                let at = self.schema.expect(&trigger.table);
                let table = &mut self.schema.tables[at];
                table.triggers.retain(|known| known.trigger.name != trigger.name);
                table.triggers.push(KnownTrigger { trigger: trigger.clone(), enabled: true });
                return vec![at];
            }
            What::DropTrigger { table, name } => self.unguard(table, place, |table| {
                table.triggers.retain(|known| known.trigger.name != *name);
            }),
            What::SwitchTrigger { table, name, on } => {
                let switch = |table: &mut Table| {
                    let wanted = |known: &&mut KnownTrigger| {
                        name.as_ref().is_none_or(|n| matches!(n.as_str(), "all" | "user") || *n == known.trigger.name)
                    };
                    table.triggers.iter_mut().filter(wanted).for_each(|known| known.enabled = *on);
                };
                self.unguard(table, place, switch);
                return self.schema.find(table).into_iter().collect();
            }
            What::NothingRule { table, event } => {
                let at = self.schema.expect(table);
                forbid(&mut self.schema.tables[at].forbidden, event, place);
                return vec![at];
            }
            What::Revoke { privileges, on, from } => {
                let taken = |wide: &Wide| from.contains(&wide.to) && wide.what.ends_with(&scope(on));
                self.timeline.wide.retain(|wide| !taken(wide));
                return self.revoke(privileges, on, from, place);
            }
            What::Grant { privileges, on, to } => {
                if matches!(on, On::Schema(_)) || privileges.iter().any(|privilege| privilege == "all") {
                    let what = format!("{} {}", privileges.join(", "), scope(on));
                    self.timeline.wide.extend(to.iter().map(|to| Wide { what: what.clone(), to: to.clone(), place }));
                }
                self.grant(privileges, on, to, place);
            }
            What::Role { name, bypass_rls, created } => {
                self.first("role", name, place);
                if *created {
                    self.schema.roles.insert(name.clone(), place);
                }
                match bypass_rls {
                    Some(true) => drop(self.undone.insert(("bypassrls", name.clone()), place)),
                    Some(false) => drop(self.undone.remove(&("bypassrls", name.clone()))),
                    None => {}
                }
            }
            What::SearchPath(path) => self.schema.search_path.clone_from(path),
            What::CreateSchema(name) => self.own_schema(name, place),
            What::CreateView(view) => self.last("view", &view.to_string(), place),
            What::CreateFunction(function) => {
                self.last("function", &function.name.to_string(), place);
                if function.statement.len() < 100_000 && function.statement.to_lowercase().contains("create schema") {
                    let mut run = Runner::new(&self.schema);
                    run.rehearse(function);
                    let made = run.done.into_iter().find_map(|(_, what)| match what {
                        What::CreateSchema(name) => Some(name),
                        _ => None,
                    });
                    made.into_iter().for_each(|name| self.own_schema(&name, place));
                }
                self.schema.functions.insert(function.name.name.clone(), function.clone());
            }
            What::Do { .. } | What::Call { .. } | What::Dynamic(_) => {}
        }
        Vec::new()
    }

    /// What is known of a table is known of it under its new name.
    fn rename(&mut self, from: &Name, to: Name) -> Vec<usize> {
        let Some(at) = self.schema.find(from) else { return Vec::new() };
        let was = self.schema.tables[at].name.clone();
        let before = self.entries(at);
        self.schema.rename(from, to.clone());
        // What brought in a table and its policies did so whatever the table is called now.
        for ((kind, old, place), (_, new, _)) in before.into_iter().zip(self.entries(at)) {
            self.timeline.introduced.remove(&(kind, old));
            self.timeline.introduced.extend(place.map(|place| ((kind, new), place)));
        }
        let object = was.to_string();
        let undone: Vec<_> = self.undone.keys().filter(|(_, known)| *known == object).cloned().collect();
        for key in undone {
            if let Some(place) = self.undone.remove(&key) {
                self.undone.insert((key.0, to.to_string()), place);
            }
        }
        for places in [&mut self.isolated, &mut self.keyed] {
            if let Some(place) = places.remove(&was) {
                places.insert(to.clone(), place);
            }
        }
        vec![at]
    }

    /// The names under which a table and its policies were introduced, and by what.
    fn entries(&self, at: usize) -> Vec<(&'static str, String, Option<Place>)> {
        let table = &self.schema.tables[at];
        let policies =
            table.policies.iter().map(|known| ("policy", format!("{} on {}", known.policy.name, table.name)));
        let all = std::iter::once(("table", table.name.to_string())).chain(policies);
        all.map(|(kind, name)| (kind, name.clone(), self.timeline.introduced.get(&(kind, name)).copied())).collect()
    }

    fn create(&mut self, made: &CreateTable, place: Place) -> Vec<usize> {
        if made.temporary || made.if_not_exists && self.schema.find(&made.table).is_some() {
            return Vec::new();
        }
        let like = made.like.as_ref().and_then(|like| self.schema.table(like)).map(|table| table.columns.clone());
        let at = self.schema.create(&made.table);
        let table = &mut self.schema.tables[at];
        made.columns.iter().for_each(|column| table.add_column(column.clone(), place));
        for known in like.into_iter().flatten() {
            table.add_column(known.column, place);
        }
        made.constraints.iter().for_each(|constraint| table.constrain(constraint.clone(), place));
        let name = table.name.to_string();
        self.first("table", &name, place);
        vec![at]
    }

    fn switch(&mut self, table: &Name, switch: Rls, place: Place) -> Vec<usize> {
        let at = self.schema.expect(table);
        let table = &mut self.schema.tables[at];
        let (disabled, unforced) =
            (("rls disabled", table.name.to_string()), ("force removed", table.name.to_string()));
        match switch {
            Rls::Enable => {
                table.rls.get_or_insert(place);
                self.undone.remove(&disabled);
            }
            Rls::Disable => {
                if table.rls.take().is_some() {
                    self.undone.insert(disabled, place);
                }
            }
            Rls::Force => {
                table.forced = true;
                self.undone.remove(&unforced);
            }
            Rls::NoForce => {
                if std::mem::take(&mut table.forced) {
                    self.undone.insert(unforced, place);
                }
            }
        }
        vec![at]
    }

    /// Dropping the last policy that kept tenants apart is a regression, until another takes its place.
    fn drop_policy(&mut self, table: &Name, name: &str, place: Place) {
        let Some(at) = self.schema.find(table) else { return };
        let before = self.isolates(at);
        self.schema.tables[at].policies.retain(|known| known.policy.name != name);
        if before && !self.isolates(at) && !self.is_replaced(at, place) {
            self.undone.insert(("policy dropped", self.schema.tables[at].name.to_string()), place);
        }
    }

    /// The same migration puts another policy in the place of a tenant's, which asks the session as well: nothing is opened.
    fn is_replaced(&self, at: usize, place: Place) -> bool {
        let table = &self.schema.tables[at];
        table.policies.iter().any(|known| {
            let name = format!("{} on {}", known.policy.name, table.name);
            let since = self.timeline.introduced.get(&("policy", name));
            since.is_some_and(|since| since.migration == place.migration)
                && judge::guards(known, table, &self.schema, &self.known)
        })
    }

    fn unguard(&mut self, table: &Name, place: Place, change: impl FnOnce(&mut Table)) {
        let Some(at) = self.schema.find(table) else { return };
        let before = judge::chained(&self.schema.tables[at], &self.schema).append_only;
        change(&mut self.schema.tables[at]);
        if before && !judge::chained(&self.schema.tables[at], &self.schema).append_only {
            self.undone.insert(("append-only removed", self.schema.tables[at].name.to_string()), place);
        }
    }

    fn objects(&self, on: &On) -> Vec<usize> {
        match on {
            On::Tables(tables) => tables.iter().filter_map(|table| self.schema.find(table)).collect(),
            On::Schema(schema) => {
                let here = |at: &usize| self.schema.tables[*at].name.schema.as_deref().unwrap_or("public") == schema;
                (0..self.schema.tables.len()).filter(here).collect()
            }
        }
    }

    fn revoke(&mut self, privileges: &[String], on: &On, from: &[String], place: Place) -> Vec<usize> {
        let objects = self.objects(on);
        // PUBLIC holds nothing on a new table: taking ALL from it says nothing about UPDATE and DELETE.
        let everything = privileges.iter().any(|p| p == "all") && from.iter().any(|role| role != "public");
        for &at in &objects {
            let forbidden = &mut self.schema.tables[at].forbidden;
            privileges.iter().for_each(|privilege| forbid(forbidden, privilege, place));
            forbidden.from.extend(from.iter().cloned());
            if everything {
                forbid(forbidden, "update", place);
                forbid(forbidden, "delete", place);
            }
        }
        objects
    }

    /// What the same migration took and gives back was never gone.
    fn grant(&mut self, privileges: &[String], on: &On, to: &[String], place: Place) {
        for at in self.objects(on) {
            let forbidden = &self.schema.tables[at].forbidden;
            // Everything goes to owners and administrators too; it matters where it was taken from this role.
            let back = to.iter().any(|role| forbidden.from.contains(role));
            let gives = |command: &str| privileges.iter().any(|given| given == command || given == "all" && back);
            let (update, delete) =
                (forbidden.update.filter(|_| gives("update")), forbidden.delete.filter(|_| gives("delete")));
            if update.or(delete).is_none() {
                continue;
            }
            let just_now = |since: &Place| since.migration == place.migration;
            let give = |table: &mut Table| {
                table.forbidden.update = table.forbidden.update.filter(|_| update.is_none());
                table.forbidden.delete = table.forbidden.delete.filter(|_| delete.is_none());
            };
            if update.iter().chain(&delete).all(just_now) {
                give(&mut self.schema.tables[at]);
            } else {
                let table = self.schema.tables[at].name.clone();
                self.unguard(&table, place, give);
            }
        }
    }

    /// `CREATE SCHEMA tenant_…` with a name that is put together: a schema for each tenant.
    fn own_schema(&mut self, name: &str, place: Place) {
        if name.contains(HOLE) {
            self.timeline.schema_per_tenant.get_or_insert(place);
        }
    }
}

fn forbid(forbidden: &mut Forbidden, command: &str, place: Place) {
    match command {
        "update" => drop(forbidden.update.get_or_insert(place)),
        "delete" => drop(forbidden.delete.get_or_insert(place)),
        _ => {}
    }
}
