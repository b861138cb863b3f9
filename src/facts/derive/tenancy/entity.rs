//! Who the tenants of a database are: by the words of its columns, or by what everything else hangs on.

use super::{Tenancy, is_choice, is_flag, is_member_table, is_person_table, names_entity, plain, proposed};
use crate::facts::derive::catalog::{Catalog, Column, Oid, Relation};
use crate::facts::derive::policy::Pins;
use std::collections::{BTreeMap, BTreeSet, HashMap};

impl Tenancy {
    /// The word for a tenant here and its table: the strongest tier with support. `tenant` needs none; a weaker word
    /// needs a table of that name, a second relation, a table of its members, or a policy that compares it with the session.
    pub(super) fn choose_entity(
        &self,
        catalog: &Catalog,
        tables: &[&Relation],
        pins: &Pins,
    ) -> Option<(&'static str, Option<Oid>)> {
        let pinned = &pins.all();
        let mut uses: BTreeMap<(usize, &'static str), (usize, bool)> = BTreeMap::new();
        for relation in tables.iter().filter(|r| r.is_table()) {
            let members = is_member_table(relation);
            for column in relation.columns_and_members() {
                if let Some(found) = proposed(column.word()).filter(|_| !is_flag(&column.type_name)) {
                    let (count, confirmed) = uses.entry(found).or_default();
                    *count += 1;
                    *confirmed |= members || pinned.contains(&(relation.oid, column.number));
                }
            }
        }
        let table_of = |word: &str| {
            tables.iter().find(|r| r.is_table() && r.primary_key.len() == 1 && names_entity(&r.name, word)).copied()
        };
        let supported: Vec<(usize, &'static str, usize)> = uses
            .iter()
            .filter(|((tier, word), (count, confirmed))| {
                *tier == 0 || *confirmed || *count >= 2 && table_of(word).is_some() || *count >= 4
            })
            .filter(|((_, word), (_, confirmed))| {
                *confirmed || !table_of(word).is_some_and(|table| self.is_a_persons(table, word, tables, pins))
            })
            .map(|((tier, word), (count, _))| (*tier, *word, *count))
            .collect();
        let best = supported.iter().map(|(tier, ..)| *tier).min()?;
        // Within a tier the tenant is the entity whose own table belongs to no other: workspaces of an organization.
        let peers: Vec<_> = supported.iter().filter(|(tier, ..)| *tier == best).collect();
        // What more tables name, and need not belong to the other, does not: an organization that may have a billing account. Nor does
        // one that persons are members of, where nobody is one of the other: an organization that must have such an account.
        let members_of = |word: &str| tables.iter().any(|relation| self.lists_members(relation, word));
        let count_of = |word: &str| peers.iter().find(|(_, w, _)| *w == word).map(|(.., count)| *count);
        let belongs_to_peer = |word: &str| {
            table_of(word).is_some_and(|table| {
                table.columns.iter().any(|c| {
                    let other = proposed(&c.name).map(|(_, other)| other).filter(|other| *other != word);
                    let must = |other: &str| c.not_null && (members_of(other) || !members_of(word));
                    other.is_some_and(|other| {
                        count_of(other).is_some_and(|others| must(other) || Some(others) >= count_of(word))
                    })
                })
            })
        };
        let top = peers
            .iter()
            .filter(|(_, word, _)| !belongs_to_peer(word))
            .max_by_key(|(_, _, count)| *count)
            .or_else(|| peers.iter().max_by_key(|(_, _, count)| *count))?;
        let referenced = Self::most_referenced(catalog, tables, top.1);
        Some((top.1, referenced.or_else(|| table_of(top.1).map(|r| r.oid))))
    }

    /// A workspace that one person has, and nobody shares: policies compare its person with the session's, and so do those of
    /// what names it, while none asks for the workspace and no table lists its members. Then the person is the tenant.
    fn is_a_persons(&self, table: &Relation, word: &str, tables: &[&Relation], pins: &Pins) -> bool {
        let persons = |relation: &Relation| {
            let own = |column: &&Column| column.not_null && self.is_user_column(relation.oid, column.number);
            relation.columns.iter().filter(own).any(|column| pins.direct.contains(&(relation.oid, column.number)))
        };
        let named = |column: &Column| proposed(&column.name).is_some_and(|(_, other)| other == word);
        let mut naming = tables.iter().filter(|r| r.is_table() && r.oid != table.oid && r.columns.iter().any(named));
        persons(table) && naming.all(|relation| persons(relation) && !self.lists_members(relation, word))
    }

    /// The relation has each person once for each entity of this word.
    fn lists_members(&self, relation: &Relation, word: &str) -> bool {
        let named = |column: &Column| proposed(&column.name).is_some_and(|(_, other)| other == word);
        relation.uniques.iter().chain([&relation.primary_key]).any(|unique| {
            let is = |what: &dyn Fn(&Column) -> bool| {
                unique.iter().filter_map(|number| relation.column_number(*number)).any(what)
            };
            is(&named) && is(&|column| self.is_user_column(relation.oid, column.number))
        })
    }

    /// Tenants under a word that is none of [`super::TIERS`]: the one table that each person is said to belong to and on which most
    /// of what belongs to anything hangs, other than through persons. What a person owns is no tenant, and a list that
    /// many refer to (roles, countries) has little hanging on it. Where the owner or the policies say whose rows are, they know better.
    pub(super) fn hub<'t>(&self, tables: &[&'t Relation], pins: &Pins) -> Option<&'t Relation> {
        if !self.keys.is_empty() || pins.direct.iter().any(|(relation, column)| self.is_user_column(*relation, *column))
        {
            return None;
        }
        let refers = |from: &Relation, to: Oid| {
            let stays = |column: i64| !is_choice(from, column);
            from.foreign_keys.iter().any(|key| key.target == to && key.columns.iter().all(|(c, _)| stays(*c)))
        };
        let is_own = |r: &&&Relation| r.is_table() && r.provenance == "user";
        let (persons, others): (Vec<&Relation>, Vec<&Relation>) =
            tables.iter().filter(is_own).copied().partition(|r| is_person_table(r));
        let belong: Vec<&Relation> =
            others.iter().filter(|r| r.foreign_keys.iter().any(|key| key.target != r.oid)).copied().collect();
        let candidates = others.iter().filter(|hub| {
            hub.primary_key.len() == 1
                && persons.iter().any(|person| refers(person, hub.oid) && !refers(hub, person.oid))
                && others.iter().filter(|other| other.oid != hub.oid && refers(other, hub.oid)).count() >= 2
        });
        let beside = |hub: &Relation| belong.iter().filter(|other| other.oid != hub.oid).count();
        let mut hubs = candidates.filter(|hub| 2 * hanging_on(hub, &belong) > beside(hub));
        let hub = hubs.next()?;
        hubs.next().is_none().then_some(*hub)
    }

    /// The relation that most key columns of this word reference.
    fn most_referenced(catalog: &Catalog, tables: &[&Relation], word: &str) -> Option<Oid> {
        let mut targets: HashMap<Oid, usize> = HashMap::new();
        for relation in tables {
            for key in relation.foreign_keys.iter().filter(|key| key.columns.len() == 1) {
                let column = relation.column_number(key.columns[0].0);
                if column.is_some_and(|c| proposed(&c.name).is_some_and(|(_, w)| w == word)) {
                    *targets.entry(key.target).or_default() += 1;
                }
            }
        }
        let best = targets.into_iter().max_by_key(|&(oid, count)| (count, std::cmp::Reverse(oid)))?.0;
        catalog.relations.contains_key(&best).then_some(best)
    }
}

/// How many of these must refer to a row of the hub, or to what must.
fn hanging_on(hub: &Relation, relations: &[&Relation]) -> usize {
    let mut reached = BTreeSet::from([hub.oid]);
    loop {
        let known = reached.len();
        let must = |relation: &&&Relation| {
            let filled = |column: i64| relation.column_number(column).is_some_and(|c| c.not_null);
            let mut keys = relation.foreign_keys.iter().filter(|key| reached.contains(&key.target));
            keys.any(|key| key.columns.iter().all(|(column, _)| filled(*column)))
        };
        let next: Vec<Oid> = relations.iter().filter(must).map(|relation| relation.oid).collect();
        reached.extend(next);
        if reached.len() == known {
            return known - 1;
        }
    }
}

/// The word for one row of a relation of this name.
pub(super) fn singular(relation: &str) -> String {
    let name = plain(relation);
    match name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => name.strip_suffix('s').map_or_else(|| name.clone(), str::to_owned),
    }
}
