//! The history read from its beginning: when each stage was reached, what was undone later, and how long a tenant key
//! stood without a policy.

mod apply;

use super::event::{Event, Name, On, What};
use super::judge::{self, Known, Tie};
use super::schema::{KnownPolicy, Place, Schema, Table};
use super::sql::Runner;
use crate::facts::derive::tenancy::plain;
use std::collections::{BTreeMap, BTreeSet};

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
    /// The statement that first named each table or role, or last said what a policy, view or function is: what a
    /// finding was introduced by.
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
        reached.chain(undone).collect::<BTreeSet<_>>().into_iter()
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
        in_parts: None,
        cosigns: BTreeSet::new(),
        keeps_reasoning: BTreeSet::new(),
    };
    for (migration, events) in migrations.enumerate() {
        reader.schema.search_path.clear();
        reader.known.begin(events);
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
    /// The first roles in a part of a tenant: they count where no roles in the tenant itself follow.
    in_parts: Option<(Place, String)>,
    /// Tables that have one half of stage 5.
    cosigns: BTreeSet<usize>,
    keeps_reasoning: BTreeSet<usize>,
}

impl Reader {
    fn event(&mut self, what: &What, place: Place) {
        match what {
            What::Do { body, start } => {
                let mut run = Runner::new(&self.schema);
                run.block(body, *start);
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

    /// Of what is replaced as a whole, the statement that says what it is now.
    fn last(&mut self, kind: &'static str, name: &str, place: Place) {
        self.timeline.introduced.insert((kind, name.to_owned()), place);
    }

    fn isolates(&self, at: usize) -> bool {
        let table = &self.schema.tables[at];
        let by = |known: &KnownPolicy| judge::isolates(known, table, &self.schema, &self.known);
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
            if !self.has_reached(3)
                && let Some((roles, tie)) = self.roles_table(at)
            {
                match tie {
                    Tie::Tenant => self.reach(3, place, roles),
                    Tie::Part => drop(self.in_parts.get_or_insert((place, roles))),
                }
            }
            let table = &self.schema.tables[at];
            let chained = judge::chained(table, &self.schema);
            if chained.append_only {
                self.undone.remove(&("append-only removed", name.to_string()));
            }
            if !self.has_reached(4) && chained.complete() {
                self.reach(4, place, name.to_string());
            }
            self.halves(at);
            let both = !self.cosigns.is_empty() && !self.keeps_reasoning.is_empty();
            if self.has_reached(4) && !self.has_reached(5) && both {
                self.reach(5, place, name.to_string());
            }
        }
    }

    /// The table itself, or where it lists the roles themselves, one that gives them to people: a role that gets a tenant
    /// gives one to whoever has it.
    fn roles_table(&self, at: usize) -> Option<(String, Tie)> {
        let table = &self.schema.tables[at];
        let ties = |table: &Table| judge::tie(table, &self.schema, &self.known);
        if let Some(tie) = ties(table) {
            return Some((table.name.to_string(), tie));
        }
        let refers = |other: &&Table| {
            other
                .columns
                .iter()
                .any(|known| other.target(&known.column.name).is_some_and(|it| it.name == table.name.name))
        };
        let listed = plain(&table.name.name).contains("role");
        let mut others = self.schema.living().filter(|_| listed).filter(refers);
        others.find_map(|other| Some((other.name.to_string(), ties(other)?)))
    }

    /// Which half of stage 5 a table has.
    fn halves(&mut self, at: usize) {
        let table = &self.schema.tables[at];
        for (has, tables) in
            [(judge::cosigns(table), &mut self.cosigns), (judge::keeps_reasoning(table), &mut self.keeps_reasoning)]
        {
            if has {
                tables.insert(at);
            } else {
                tables.remove(&at);
            }
        }
    }

    fn end(mut self) -> Timeline {
        if let (false, Some((place, roles))) = (self.has_reached(3), self.in_parts.take()) {
            self.reach(3, place, roles);
        }
        self.timeline.regressions =
            self.undone.into_iter().map(|((kind, object), place)| Regression { kind, object, place }).collect();
        self.timeline.regressions.sort_by_key(|regression| regression.place);
        self.timeline.reached.sort_by_key(|reached| reached.stage);
        let living: BTreeSet<_> = self.schema.living().map(|table| table.name.clone()).collect();
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
