//! The schema as it grows, statement by statement: as much of it as the transitions ask about.

use super::event::{Column, Constraint, Function, Name, Policy, Trigger};
use super::sql::Scope;
use crate::facts::derive::tenancy::plain;
use squawk_syntax::{Parse, SyntaxNode};
use std::collections::{BTreeMap, HashMap};

/// A statement of the history: which migration, and where in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// Index into the history's migrations.
    pub(crate) migration: usize,
    /// Byte offset into the file.
    pub(crate) at: usize,
}

/// A column and the statement that brought it.
#[derive(Clone, Debug)]
pub(crate) struct KnownColumn {
    pub(crate) column: Column,
    pub(crate) since: Place,
    /// Its name in the spelling in which names are compared; asked for at every statement that touches the table.
    pub(crate) plain: String,
}

impl KnownColumn {
    fn new(column: Column, since: Place) -> Self {
        Self { plain: plain(&column.name), column, since }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct KnownPolicy {
    pub(crate) policy: Policy,
    /// Its expressions.
    pub(crate) expressions: Vec<SyntaxNode>,
}

impl KnownPolicy {
    pub(crate) fn new(policy: Policy) -> Self {
        let mut known = Self { policy, expressions: Vec::new() };
        known.express();
        known
    }

    /// `ALTER POLICY` gives those expressions that it names.
    pub(crate) fn alter(&mut self, by: &Policy) {
        self.policy.using = by.using.clone().or(self.policy.using.take());
        self.policy.check = by.check.clone().or(self.policy.check.take());
        self.express();
    }

    fn express(&mut self) {
        let written = [&self.policy.using, &self.policy.check].into_iter().flatten();
        self.expressions = written.map(Parse::syntax_node).collect();
    }
}

#[derive(Clone, Debug)]
pub(crate) struct KnownTrigger {
    pub(crate) trigger: Trigger,
    pub(crate) enabled: bool,
}

/// What forbids a command on a table, beside triggers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forbidden {
    pub(crate) update: Option<Place>,
    pub(crate) delete: Option<Place>,
    /// The roles it was taken from.
    pub(crate) from: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) name: Name,
    pub(crate) columns: Vec<KnownColumn>,
    pub(crate) foreign_keys: Vec<(Vec<String>, Name)>,
    pub(crate) uniques: Vec<Vec<String>>,
    pub(crate) rls: Option<Place>,
    pub(crate) forced: bool,
    pub(crate) policies: Vec<KnownPolicy>,
    pub(crate) triggers: Vec<KnownTrigger>,
    pub(crate) forbidden: Forbidden,
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<&KnownColumn> {
        self.columns.iter().find(|known| known.column.name == name)
    }

    pub(crate) fn column_mut(&mut self, name: &str) -> Option<&mut KnownColumn> {
        self.columns.iter_mut().find(|known| known.column.name == name)
    }

    /// The table a column references, by its constraint.
    pub(crate) fn target(&self, column: &str) -> Option<&Name> {
        let own = self.column(column).and_then(|known| known.column.references.as_ref());
        own.or_else(|| {
            let key = self.foreign_keys.iter().find(|(columns, _)| columns.iter().any(|c| c == column))?;
            Some(&key.1)
        })
    }

    pub(crate) fn add_column(&mut self, column: Column, since: Place) {
        if self.column(&column.name).is_none() {
            self.columns.push(KnownColumn::new(column, since));
        }
    }

    pub(crate) fn rename_column(&mut self, from: &str, to: &str) {
        if let Some(known) = self.column_mut(from) {
            to.clone_into(&mut known.column.name);
            known.plain = plain(to);
        }
    }

    pub(crate) fn drop_column(&mut self, name: &str) {
        self.columns.retain(|known| known.column.name != name);
        self.foreign_keys.retain(|(columns, _)| !columns.iter().any(|column| column == name));
    }

    pub(crate) fn constrain(&mut self, constraint: Constraint, since: Place) {
        match constraint {
            Constraint::ForeignKey { columns, target } => self.foreign_keys.push((columns, target)),
            Constraint::Unique(columns) => self.uniques.push(columns),
            Constraint::Check { column, labels } => {
                if let Some(known) = self.column_mut(&column) {
                    if known.column.labels != labels {
                        known.since = known.since.max(since);
                    }
                    known.column.labels = labels;
                }
            }
        }
    }
}

/// Everything that exists at one moment of the history.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    pub(crate) tables: Vec<Table>,
    by_name: HashMap<String, Vec<usize>>,
    /// Labels of an enum or a domain over constants, and the statement that brought the last of them.
    pub(crate) enums: HashMap<String, (Vec<String>, Place)>,
    pub(crate) functions: HashMap<String, Function>,
    pub(crate) roles: BTreeMap<String, Place>,
    pub(crate) search_path: Vec<String>,
}

impl Schema {
    /// The table a name means. An unqualified name means the one on the search path, else any of that name.
    pub(crate) fn find(&self, name: &Name) -> Option<usize> {
        let all = self.by_name.get(&name.name)?;
        let schema_of = |at: &usize| self.tables[*at].name.schema.as_deref().unwrap_or("public");
        match &name.schema {
            Some(schema) => all.iter().find(|at| schema_of(at) == schema).copied(),
            None => {
                let on_path = self.search_path.iter().find_map(|schema| all.iter().find(|at| schema_of(at) == schema));
                on_path.or_else(|| all.iter().find(|at| schema_of(at) == "public")).or_else(|| all.last()).copied()
            }
        }
    }

    pub(crate) fn table(&self, name: &Name) -> Option<&Table> {
        self.find(name).map(|at| &self.tables[at])
    }

    /// The table of that name; one that no migration made is taken as it comes.
    pub(crate) fn expect(&mut self, name: &Name) -> usize {
        self.find(name).unwrap_or_else(|| self.create(name))
    }

    pub(crate) fn create(&mut self, name: &Name) -> usize {
        let schema =
            name.schema.clone().or_else(|| self.search_path.first().cloned()).filter(|schema| schema != "public");
        let full = Name { schema, name: name.name.clone() };
        let at = self.tables.len();
        self.by_name.entry(full.name.clone()).or_default().push(at);
        self.tables.push(Table { name: full, ..Table::default() });
        at
    }

    pub(crate) fn drop(&mut self, name: &Name) {
        if let Some(at) = self.find(name) {
            self.forget(at);
            self.tables[at] = Table::default();
        }
    }

    pub(crate) fn rename(&mut self, from: &Name, to: Name) {
        if let Some(at) = self.find(from) {
            self.forget(at);
            self.by_name.entry(to.name.clone()).or_default().push(at);
            let was = std::mem::replace(&mut self.tables[at].name, to.clone());
            // Whoever references the table references it by its new name.
            for table in &mut self.tables {
                let columns = table.columns.iter_mut().filter_map(|known| known.column.references.as_mut());
                let targets = columns.chain(table.foreign_keys.iter_mut().map(|(_, target)| target));
                targets.filter(|target| target.name == was.name).for_each(|target| target.name.clone_from(&to.name));
            }
        }
    }

    fn forget(&mut self, at: usize) {
        if let Some(all) = self.by_name.get_mut(&self.tables[at].name.name) {
            all.retain(|other| *other != at);
        }
    }

    /// What a column may hold, by its CHECK, its enum or its domain, and since when.
    pub(crate) fn labels(&self, known: &KnownColumn) -> Option<(Vec<String>, Place)> {
        if !known.column.labels.is_empty() {
            return Some((known.column.labels.clone(), known.since));
        }
        let (labels, since) = self.enums.get(&known.column.type_name)?;
        Some((labels.clone(), (*since).max(known.since)))
    }

    /// Tables that exist.
    pub(crate) fn living(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(|table| !table.name.name.is_empty())
    }
}

impl Scope for Schema {
    fn tables(&self) -> Vec<(String, String, Vec<String>)> {
        let entry = |table: &Table| {
            let schema = table.name.schema.clone().unwrap_or_else(|| "public".to_owned());
            let columns = table.columns.iter().map(|known| known.column.name.clone()).collect();
            (schema, table.name.name.clone(), columns)
        };
        self.living().map(entry).collect()
    }

    fn policies(&self) -> Vec<(String, String)> {
        let each = self
            .living()
            .flat_map(|table| table.policies.iter().map(|known| (table.name.name.clone(), known.policy.name.clone())));
        each.collect()
    }

    fn function(&self, name: &Name) -> Option<&Function> {
        self.functions.get(&name.name)
    }
}
