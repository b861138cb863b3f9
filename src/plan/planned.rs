//! What the plan makes itself, and what rests on it.

use super::before::Before;
use super::change::Change;
use super::ddl::{self, Action, Ddl, Name};
use crate::error::Stop;
use std::collections::{BTreeMap, BTreeSet};

/// What is being planned, as far as one statement depends on another.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    /// Tables that earlier changes of the plan make: nobody uses them yet.
    pub(crate) tables: BTreeSet<Name>,
    /// Names of indexes and constraints that are taken.
    pub(crate) names: BTreeSet<String>,
    /// What the plan makes, and the stage it makes it for.
    pub(crate) made: BTreeMap<Name, u8>,
    /// Columns that the plan adds to what is there, and the stage it adds them for.
    columns: BTreeMap<(Name, String), u8>,
    /// Tables whose owner policies bind before the plan. What binds it on a copy that has run the plan was bound by the plan, and in
    /// its order that may come later.
    pub(crate) bound: BTreeSet<Name>,
    /// Tables whose owner policies bind from some stage of the plan on.
    pub(crate) forced: BTreeMap<Name, u8>,
    /// Functions that somebody else owns once the plan has run, by name and arguments.
    pub(crate) handed_over: BTreeSet<(Name, String)>,
    /// Policies the plan makes, by table and name.
    pub(crate) policies: BTreeSet<(Name, String)>,
}

impl Planned {
    /// Takes down what a change makes, before anything is decided about changes that rest on it.
    pub(crate) async fn expect(&mut self, change: &Change, before: &mut Before<'_>) -> Result<(), Stop> {
        for statement in &change.statements {
            match ddl::read(&statement.up) {
                Ddl::Create { kind: "table", name, .. } if before.has(&name).await? => {}
                Ddl::Create { kind: "schema", name, .. } if before.has_schema(&name.name).await? => {}
                Ddl::Create { kind: "table", name, .. } => {
                    self.tables.insert(name.clone());
                    self.made.entry(name).or_insert(change.stage);
                }
                Ddl::Create { name, .. } | Ddl::CreateRoutine { name, .. } => {
                    self.made.entry(name).or_insert(change.stage);
                }
                Ddl::AlterRoutine { name, arguments, rest, .. } if rest.starts_with("owner to") => {
                    self.handed_over.insert((name, arguments));
                }
                Ddl::AlterTable { table, actions } => {
                    for action in &actions {
                        if let Action::AddColumn(column) = action
                            && !before.has_column(&table, &column.name).await?
                        {
                            self.columns.entry((table.clone(), column.name.clone())).or_insert(change.stage);
                        }
                    }
                    if actions.contains(&Action::Force) {
                        let owner = before.ordinary_owner(&table).await?;
                        let since = owner.map(|_| self.forced.entry(table).or_insert(change.stage));
                        since.into_iter().for_each(|since| *since = change.stage.min(*since));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Of a table and its partitions, those that bind their owner when a change of that stage is made: rows come before policies
    /// inside a stage.
    pub(crate) async fn bound(&self, table: &Name, stage: u8, before: &mut Before<'_>) -> Result<Vec<Name>, Stop> {
        let mut tree = before.tree(table).await?;
        if tree.is_empty() {
            tree.push(table.clone());
        }
        let is_bound =
            |name: &Name| self.bound.contains(name) || self.forced.get(name).is_some_and(|since| *since < stage);
        Ok(tree.into_iter().filter(is_bound).collect())
    }

    /// Whether a statement puts something into a schema that the plan makes.
    pub(crate) fn is_in_new_schema(&self, name: &Name) -> bool {
        let schema = name.schema.clone().map(|name| Name { schema: None, name });
        schema.is_some_and(|schema| self.made.contains_key(&schema))
    }

    /// The highest stage of what a statement rests on: what the plan makes, and columns that it adds.
    pub(crate) fn since(&self, sql: &str) -> Option<u8> {
        let (tables, words): (BTreeSet<Name>, BTreeSet<Name>) = names(sql).partition(|name| name.schema.is_some());
        let words: BTreeSet<String> = words.into_iter().map(|name| name.name).collect();
        let named = |(table, column): &&(Name, String)| tables.contains(table) && words.contains(column);
        let columns = self.columns.iter().filter(|(column, _)| named(column)).map(|(_, stage)| *stage).max();
        self.made_by(sql).max(columns)
    }

    /// The highest stage of what the plan makes and a statement names.
    pub(crate) fn made_by(&self, sql: &str) -> Option<u8> {
        names(sql).filter_map(|name| self.made.get(&name).copied()).max()
    }
}

/// Every name in a statement, keywords among them.
fn names(sql: &str) -> impl Iterator<Item = Name> {
    let mut at = ddl::Cursor::new(sql);
    std::iter::from_fn(move || {
        while !at.is_done() {
            if let Some(name) = at.name() {
                return Some(name);
            }
            at.any();
        }
        None
    })
}
