//! The history read from its beginning: when each stage was reached, what was undone later, and how long a tenant key
//! stood without a policy.

use super::event::{CreateTable, Event, Name, On, Rls, What};
use super::judge::{self, Known};
use super::schema::{Forbidden, KnownPolicy, KnownTrigger, Place, Schema};
use super::sql::Runner;
use std::collections::BTreeMap;

/// The statement that completed a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) stage: u8,
    pub(crate) place: Place,
    /// The table, or what else completed it.
    pub(crate) object: String,
}

/// A guard that was taken away, and not put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Regression {
    /// `rls disabled` | `force removed` | `policy dropped` | `bypassrls` | `append-only removed`
    pub(crate) kind: &'static str,
    pub(crate) object: String,
    pub(crate) place: Place,
}

/// A table's tenant key, and the policy that came later or never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) table: Name,
    pub(crate) key: Place,
    pub(crate) isolated: Option<Place>,
}

/// A grant of more than somebody thought through: every privilege, or every table of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wide {
    /// `all on all tables in schema app`.
    pub(crate) what: String,
    /// A role, or `public`.
    pub(crate) to: String,
    pub(crate) place: Place,
}

/// Everything a history says about the ladder.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    pub(crate) reached: Vec<Reached>,
    pub(crate) regressions: Vec<Regression>,
    pub(crate) gaps: Vec<Gap>,
    /// Statements about governance that are put together at run time, and could not be resolved.
    pub(crate) dynamic: Vec<(Place, String)>,
    /// Where a schema of its own is made for each tenant.
    pub(crate) schema_per_tenant: Option<Place>,
    /// The statement that first named each table, policy or role: what a finding was introduced by.
    pub(crate) introduced: BTreeMap<(&'static str, String), Place>,
    /// Those that no later migration takes back.
    pub(crate) wide: Vec<Wide>,
    pub(crate) schema: Schema,
}

impl Timeline {
    /// The migrations that reports name.
    pub(crate) fn named(&self) -> impl Iterator<Item = usize> {
        let reached = self.reached.iter().map(|reached| reached.place.migration);
        let undone = self.regressions.iter().map(|regression| regression.place.migration);
        reached.chain(undone).collect::<std::collections::BTreeSet<_>>().into_iter()
    }
}

/// Reads the events of every migration, in the order in which they run.
pub(crate) fn read<'a>(migrations: impl Iterator<Item = &'a [Event]> + Clone) -> Timeline {
    let known = Known::of(migrations.clone().flatten());
    let mut reader = Reader {
        known,
        schema: Schema::default(),
        timeline: Timeline::default(),
        undone: BTreeMap::new(),
        isolated: BTreeMap::new(),
        keyed: BTreeMap::new(),
    };
    for (migration, events) in migrations.enumerate() {
        reader.schema.search_path.clear();
        for event in events {
            reader.event(&event.what, Place { migration, at: event.at });
        }
    }
    reader.end()
}

/// What a grant is about, in its own words.
fn scope(on: &On) -> String {
    match on {
        On::Schema(schema) => format!("on all tables in schema {schema}"),
        On::Tables(tables) => format!("on {}", tables.iter().map(Name::to_string).collect::<Vec<_>>().join(", ")),
    }
}

struct Reader {
    known: Known,
    schema: Schema,
    timeline: Timeline,
    /// Guards that are off at the moment.
    undone: BTreeMap<(&'static str, String), Place>,
    /// Per table, its tenant key and its isolation, when first seen.
    keyed: BTreeMap<Name, Place>,
    isolated: BTreeMap<Name, Place>,
}

impl Reader {
    fn event(&mut self, what: &What, place: Place) {
        match what {
            What::Do(statement) => {
                let mut run = Runner::new(&self.schema);
                run.block(statement);
                self.ran(run.done, place);
            }
            What::Call { statement, .. } => {
                let mut run = Runner::new(&self.schema);
                run.call(statement);
                self.ran(run.done, place);
            }
            What::Dynamic(text) => self.timeline.dynamic.push((place, text.clone())),
            what => {
                let touched = self.apply(what, place);
                self.look(&touched, place);
            }
        }
    }

    fn ran(&mut self, done: Vec<(usize, What)>, place: Place) {
        for (offset, what) in done {
            self.event(&what, Place { at: place.at + offset, ..place });
        }
    }

    fn first(&mut self, kind: &'static str, name: &str, place: Place) {
        self.timeline.introduced.entry((kind, name.to_owned())).or_insert(place);
    }

    /// Changes the schema. Gives the tables about which there may be something new to say.
    #[expect(clippy::too_many_lines, reason = "one arm a kind of event")]
    fn apply(&mut self, what: &What, place: Place) -> Vec<usize> {
        match what {
            What::CreateTable(made) => return self.create(made, place),
            What::DropTable(table) => {
                let named = table.to_string();
                self.undone.retain(|(_, object), _| *object != named && !object.starts_with(&format!("{named} ")));
                self.schema.drop(table);
                return Vec::new();
            }
            What::RenameTable(from, to) => {
                let schema = self.schema.table(from).and_then(|table| table.name.schema.clone());
                let to = Name { schema, name: to.clone() };
                self.schema.rename(from, to.clone());
                return self.schema.find(&to).into_iter().collect();
            }
            What::SetSchema(table, schema) => {
                let to = Name { schema: Some(schema.clone()).filter(|s| s != "public"), name: table.name.clone() };
                self.schema.rename(table, to);
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
                let known = self.schema.tables[at].columns.iter_mut().find(|known| known.column.name == *from);
                if let Some(known) = known {
                    known.column.name.clone_from(to);
                }
                return vec![at];
            }
            What::SetType { table, column, type_name } => {
                let at = self.schema.expect(table);
                let known = self.schema.tables[at].columns.iter_mut().find(|known| known.column.name == *column);
                if let Some(known) = known {
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
                table.policies.push(KnownPolicy { policy: policy.clone() });
                let name = format!("{} on {}", policy.name, table.name);
                self.first("policy", &name, place);
                return vec![at];
            }
            What::AlterPolicy(policy) => {
                let at = self.schema.expect(&policy.table);
                let old = self.schema.tables[at].policies.iter_mut().find(|known| known.policy.name == policy.name);
                if let Some(old) = old {
                    old.policy.using = policy.using.clone().or(old.policy.using.take());
                    old.policy.check = policy.check.clone().or(old.policy.check.take());
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
                return (0..self.schema.tables.len()).collect();
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
                let switch = |table: &mut super::schema::Table| {
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
                self.grant(privileges, on, place);
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
            What::CreateFunction(function) => {
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
            What::Do(_) | What::Call { .. } | What::Dynamic(_) => {}
        }
        Vec::new()
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
        if before && !self.isolates(at) {
            self.undone.insert(("policy dropped", self.schema.tables[at].name.to_string()), place);
        }
    }

    fn unguard(&mut self, table: &Name, place: Place, change: impl FnOnce(&mut super::schema::Table)) {
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
            if everything {
                forbid(forbidden, "update", place);
                forbid(forbidden, "delete", place);
            }
        }
        objects
    }

    fn grant(&mut self, privileges: &[String], on: &On, place: Place) {
        for at in self.objects(on) {
            let table = self.schema.tables[at].name.clone();
            self.unguard(&table, place, |table| {
                for privilege in privileges {
                    match privilege.as_str() {
                        "update" => table.forbidden.update = None,
                        "delete" => table.forbidden.delete = None,
                        _ => {}
                    }
                }
            });
        }
    }

    /// `CREATE SCHEMA tenant_…` with a name that is put together: a schema for each tenant.
    fn own_schema(&mut self, name: &str, place: Place) {
        if name.contains(super::sql::HOLE) {
            self.timeline.schema_per_tenant.get_or_insert(place);
        }
    }

    fn isolates(&self, at: usize) -> bool {
        let table = &self.schema.tables[at];
        let by = |known: &KnownPolicy| judge::isolates(&known.policy, table, &self.schema, &self.known);
        table.rls.is_some() && table.policies.iter().any(by)
    }

    fn has_reached(&self, stage: u8) -> bool {
        self.timeline.reached.iter().any(|reached| reached.stage == stage)
    }

    fn reach(&mut self, stage: u8, place: Place, object: String) {
        self.timeline.reached.push(Reached { stage, place, object });
    }

    /// What the tables that were touched have become.
    fn look(&mut self, touched: &[usize], place: Place) {
        for &at in touched {
            let table = &self.schema.tables[at];
            if table.name.name.is_empty() {
                continue;
            }
            let name = table.name.clone();
            if let Some((_, since)) = self.known.key_of(table) {
                self.keyed.entry(name.clone()).or_insert(since);
            }
            let open =
                !self.isolated.contains_key(&name) || self.undone.contains_key(&("policy dropped", name.to_string()));
            if open && self.isolates(at) {
                self.isolated.entry(name.clone()).or_insert(place);
                self.undone.remove(&("policy dropped", name.to_string()));
                if !self.has_reached(2) {
                    self.reach(2, place, name.to_string());
                }
            }
            let table = &self.schema.tables[at];
            if !self.has_reached(3) && judge::is_roles_table(table, &self.schema, &self.known) {
                self.reach(3, place, name.to_string());
            }
            let table = &self.schema.tables[at];
            let chained = judge::chained(table, &self.schema);
            if chained.append_only {
                self.undone.remove(&("append-only removed", name.to_string()));
            }
            if !self.has_reached(4) && chained.complete() {
                self.reach(4, place, name.to_string());
            }
            if self.has_reached(4) && !self.has_reached(5) {
                let cosigns = self.schema.living().any(judge::cosigns);
                if cosigns && self.schema.living().any(judge::keeps_reasoning) {
                    self.reach(5, place, name.to_string());
                }
            }
        }
    }

    fn end(mut self) -> Timeline {
        self.timeline.regressions =
            self.undone.into_iter().map(|((kind, object), place)| Regression { kind, object, place }).collect();
        self.timeline.regressions.sort_by_key(|regression| regression.place);
        self.timeline.reached.sort_by_key(|reached| reached.stage);
        let living: std::collections::BTreeSet<_> = self.schema.living().map(|table| table.name.clone()).collect();
        if self.timeline.reached.iter().any(|reached| reached.stage == 2) {
            for (table, key) in self.keyed.into_iter().filter(|(table, _)| living.contains(table)) {
                let isolated = self.isolated.get(&table).copied();
                if isolated.is_none_or(|isolated| isolated.migration != key.migration) {
                    self.timeline.gaps.push(Gap { table, key, isolated });
                }
            }
        }
        self.timeline.schema = self.schema;
        self.timeline
    }
}

fn forbid(forbidden: &mut Forbidden, command: &str, place: Place) {
    match command {
        "update" => drop(forbidden.update.get_or_insert(place)),
        "delete" => drop(forbidden.delete.get_or_insert(place)),
        _ => {}
    }
}
