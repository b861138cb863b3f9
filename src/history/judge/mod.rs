//! What a table means: whose rows they are, who may do what, what was done. Names propose, keys and policies confirm.

mod audit;
mod later;
mod policy;
mod roles;

pub(crate) use audit::chained;
pub(crate) use later::{cosigns, keeps_reasoning};
pub(crate) use policy::{guards, isolates};
pub(crate) use roles::{Tie, tie};

use super::event::{Column, Constraint, Event, What};
use super::schema::{KnownColumn, Table};
use super::sql::path;
use crate::facts::derive::tenancy::{self, PERSON_TABLES, PERSONS, TIERS, is_plain_entity, plain};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What the whole history says about the words it uses: a table named after an entity, sooner or later, makes
/// `project_id` a key; a word alone does not.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Words of [`TIERS`] that name a table.
    entities: BTreeSet<&'static str>,
    /// Words that stand in a key column.
    keys: BTreeSet<&'static str>,
    /// The tables that were asked about.
    tables: HashSet<String>,
    /// What the names of columns propose.
    names: HashMap<String, Option<(usize, &'static str)>>,
    /// The tables that the migration at hand makes, sooner or later: one that lists its tables by their names, as
    /// `pg_dump` does, makes the roles behind what refers to them.
    soon: BTreeSet<String>,
}

/// A column that says whose a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) word: &'static str,
    pub(crate) tier: usize,
}

impl Key {
    /// The word could hardly mean anything but a group of people who share data.
    pub(crate) fn is_strong(self) -> bool {
        self.tier == 0 || self.tier == 1 && !matches!(self.word, "account" | "store" | "shop")
    }
}

impl Known {
    pub(crate) fn of<'a>(events: impl Iterator<Item = &'a Event>) -> Self {
        let mut known = Self::default();
        let (mut policies, mut made) = (Vec::new(), HashSet::new());
        for event in events {
            match &event.what {
                What::CreateTable(table) => {
                    made.insert(table.table.name.as_str());
                    known.table(&table.table.name);
                    table.columns.iter().for_each(|column| known.column(column));
                    table.constraints.iter().for_each(|constraint| known.constraint(constraint));
                }
                What::RenameTable(_, to) => {
                    made.insert(to.as_str());
                    known.table(to);
                }
                What::AddColumn(_, column) => known.column(column),
                What::AddConstraint(_, constraint) => known.constraint(constraint),
                What::RenameColumn { to, .. } => known.name(to),
                What::Rls(table, _) => known.table(&table.name),
                What::CreatePolicy(policy) => policies.push(policy),
                _ => {}
            }
        }
        // A policy on a table that other hands make: what it says of its columns is all there is.
        for policy in policies.into_iter().filter(|policy| !made.contains(policy.table.name.as_str())) {
            known.table(&policy.table.name);
            let written = [&policy.using, &policy.check].into_iter().flatten();
            for node in written.flat_map(|expression| expression.syntax_node().descendants()) {
                path(&node).and_then(|parts| Some(parts.last()?.clone())).iter().for_each(|column| known.name(column));
            }
        }
        known
    }

    /// Another migration begins.
    pub(crate) fn begin(&mut self, events: &[Event]) {
        let made = events.iter().filter_map(|event| match &event.what {
            What::CreateTable(made) => Some(plain(&made.table.name)),
            _ => None,
        });
        self.soon = made.collect();
    }

    fn table(&mut self, name: &str) {
        if self.tables.insert(name.to_owned()) {
            let words = TIERS.iter().flat_map(|words| words.iter());
            let (whole, last) = (plain(name), plain(name.rsplit('_').next().unwrap_or(name)));
            let named = words.filter(|word| is_named(name, &whole, &last, word));
            self.entities.extend(named.map(|word| meant(word)));
        }
    }

    fn column(&mut self, column: &Column) {
        self.name(&column.name);
        column.references.iter().for_each(|target| self.table(&target.name));
    }

    /// What is referenced is a table, although no migration may make it.
    fn constraint(&mut self, constraint: &Constraint) {
        if let Constraint::ForeignKey { target, .. } = constraint {
            self.table(&target.name);
        }
    }

    fn name(&mut self, name: &str) {
        let found = *self.names.entry(name.to_owned()).or_insert_with(|| proposed(name));
        self.keys.extend(found.map(|(_, word)| word));
    }

    fn proposed(&self, column: &str) -> Option<(usize, &'static str)> {
        self.names.get(column).copied().unwrap_or_else(|| proposed(column))
    }

    /// The key a column may be, by its name and the tables there are; or by the table it references.
    pub(crate) fn key(&self, table: &Table, column: &str) -> Option<Key> {
        let by_name = self.key_name(column);
        by_name.or_else(|| {
            let target = table.target(column)?;
            let (tier, word) = entity(&target.name)?;
            (tier < 2 && !is_touched(column)).then_some(Key { word, tier })
        })
    }

    pub(crate) fn key_name(&self, column: &str) -> Option<Key> {
        let (tier, word) = self.proposed(column)?;
        (tier == 0 || self.entities.contains(word)).then_some(Key { word, tier })
    }

    /// The table lists the tenants themselves, and others name them by its primary key.
    pub(crate) fn entity(&self, table: &str) -> Option<Key> {
        let (tier, word) = entity(table)?;
        (self.keys.contains(word) && !is_person_table(table)).then_some(Key { word, tier })
    }

    /// A table that says which person belongs to which tenant.
    pub(crate) fn is_membership(&self, table: &Table) -> bool {
        let keyed = table.columns.iter().any(|known| self.key(table, &known.column.name).is_some());
        keyed && table.columns.iter().any(|known| is_person(table, known))
    }

    /// The first tenant key of a table.
    pub(crate) fn key_of(&self, table: &Table) -> Option<(Key, super::schema::Place)> {
        let keys = table.columns.iter().filter_map(|known| Some((self.key(table, &known.column.name)?, known.since)));
        keys.min_by_key(|(key, since)| (key.tier, *since))
    }
}

/// `app_organizations` and `Organization` are named after the word; `organization_settings` is not.
fn is_named(table: &str, whole: &str, last: &str, word: &str) -> bool {
    is_plain_entity(whole, word) || is_plain_entity(last, word) && !table.contains(&format!("{word}_"))
}

fn entity(table: &str) -> Option<(usize, &'static str)> {
    let (whole, last) = (plain(table), plain(table.rsplit('_').next().unwrap_or(table)));
    let tiers = TIERS.iter().enumerate();
    let found = tiers.flat_map(|(tier, words)| words.iter().map(move |word| (tier, *word))).find(|(_, word)| {
        // `app_tenants` lists tenants; `bank_accounts` lists something else.
        let prefixed = || NEVER_ELSE.contains(word) && is_named(table, &whole, &last, word);
        is_plain_entity(&whole, word) || prefixed()
    });
    found.map(|(tier, word)| (tier, meant(word)))
}

/// Words that mean a tenant behind any prefix.
const NEVER_ELSE: [&str; 5] = ["tenant", "organization", "organisation", "org", "workspace"];

fn proposed(column: &str) -> Option<(usize, &'static str)> {
    tenancy::proposed(column).map(|(tier, word)| (tier, meant(word)))
}

/// `org_id` is a key into `organizations`.
fn meant(word: &'static str) -> &'static str {
    match word {
        "org" | "organisation" => "organization",
        word => word,
    }
}

pub(crate) fn is_person_table(name: &str) -> bool {
    PERSON_TABLES.contains(&plain(name).as_str())
}

/// A column that says who touched a row, not who it is about.
fn is_touched(column: &str) -> bool {
    let name = plain(column);
    let words =
        ["owner", "author", "creator", "created", "updated", "invited", "inviter", "assigned", "granted", "deleted"];
    name.ends_with("by") || name.contains("byuser") || words.iter().any(|word| name.starts_with(word))
}

/// The column names the person a row is about.
pub(crate) fn is_person(table: &Table, known: &KnownColumn) -> bool {
    let name = known.plain.as_str();
    if is_touched(&known.column.name) {
        return false;
    }
    let to_person = table.target(&known.column.name).is_some_and(|target| is_person_table(&target.name));
    // A list of members names a person in its own words as well: `git_profile_id`.
    let listed = || plain(&table.name.name).contains("member") && LISTED.iter().any(|ending| name.ends_with(ending));
    to_person || name == "user" || name == "member" || PERSONS.contains(&name) && name != "sub" || listed()
}

/// How the column of a person ends in a list of members.
const LISTED: [&str; 4] = ["userid", "profileid", "personid", "employeeid"];

/// `tenant_member_id`, `organization_user_id`: a row of a list of members, whether or not a migration makes that list.
fn names_membership(column: &str) -> bool {
    let stem = column.strip_suffix("id").unwrap_or_default();
    let tenants = || TIERS[..2].iter().copied().flatten().copied().chain(["team", "project"]);
    ["member", "membership", "user"]
        .iter()
        .any(|ending| stem.strip_suffix(ending).is_some_and(|word| tenants().any(|tenant| tenant == word)))
}

/// The column references a person, beside the table's own key.
fn is_account_of(table: &Table, known: &KnownColumn) -> bool {
    let to_person = |target: &super::event::Name| is_person_table(&target.name) && target.name != table.name.name;
    known.plain != "id" && !is_touched(&known.column.name) && table.target(&known.column.name).is_some_and(to_person)
}
