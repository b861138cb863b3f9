//! Event logs: tables that record who did what and when, what their columns say, and what keeps their rows as they are
//! (AU-01, AU-02, AU-04, AU-07, AU-11 to AU-13).

mod actor;
mod chain;
mod changers;
mod columns;
mod guards;
mod names;
mod recognise;
mod writers;

use super::catalog::{Catalog, Oid, Relation};
use super::principals::Principal;
use super::privileges::Privileges;
use super::reach::Reach;
use super::tenancy::{KeyRole, Tenancy};
pub(crate) use actor::Kinds;
pub(crate) use chain::Chained;
pub(crate) use changers::Right;
pub(crate) use columns::names_of;
pub(crate) use guards::Guard;
pub(crate) use recognise::Purpose;

/// A table that records events.
#[derive(Debug)]
pub(crate) struct EventLog {
    pub(crate) relation: Oid,
    pub(crate) purpose: Purpose,
    pub(crate) reason: String,
    /// Role and column.
    pub(crate) columns: Vec<(&'static str, i64)>,
    /// Columns that a trigger fills before INSERT.
    pub(crate) filled: Vec<i64>,
    /// Columns that a trigger takes from a setting of the session.
    pub(crate) from_settings: Vec<(i64, String)>,
    pub(crate) kinds: Option<Kinds>,
    pub(crate) guards: Vec<Guard>,
    /// Of the log itself: for UPDATE, DELETE and TRUNCATE, how far it is refused, and whether in every session.
    pub(crate) refused: [(&'static str, bool); 3],
    pub(crate) rights: Vec<Right>,
    /// Logins that are the owner or may become it.
    pub(crate) owners: Vec<String>,
    pub(crate) chained: Option<Chained>,
    /// Trigger functions that insert into it.
    pub(crate) writers: Vec<writers::Writer>,
}

impl EventLog {
    /// Who could change or remove rows, were there no trigger: 'nobody' but superusers, the 'owner' and who may become it,
    /// those with UPDATE on some 'columns', or 'others'.
    pub(crate) fn held(&self) -> &'static str {
        let changes = || self.rights.iter().filter(|right| guards::COMMANDS.contains(&right.command));
        let granted = || changes().filter(|right| right.via == "grant");
        if granted().any(|right| !right.on_columns) {
            "others"
        } else if granted().next().is_some() {
            "columns"
        } else if changes().next().is_some() {
            "owner"
        } else {
            "nobody"
        }
    }
}

/// Every event log among the tables. A partition is part of its parent.
pub(crate) fn find(
    catalog: &Catalog,
    reach: &Reach,
    privileges: &Privileges<'_>,
    principals: &[Principal],
    tenancy: &Tenancy,
) -> Vec<EventLog> {
    let callers = changers::Callers { catalog, reach, privileges, principals };
    let own = |r: &&Relation| r.is_table() && !r.is_partition && r.provenance == "user";
    let candidates = catalog.relations.values().filter(own).filter(|r| !catalog.partition_parents.contains_key(&r.oid));
    candidates.filter_map(|relation| log(&callers, tenancy, relation)).collect()
}

fn log(callers: &changers::Callers<'_>, tenancy: &Tenancy, relation: &Relation) -> Option<EventLog> {
    let catalog = callers.catalog;
    let mut columns = columns::roles(relation);
    let column =
        |columns: &[(&str, i64)], role: &str| columns.iter().find(|(found, _)| *found == role).map(|(_, n)| *n);
    let kinds = actor::kinds(catalog, relation, column(&columns, "actor kind"), column(&columns, "actor"));
    if let (None, Some(number)) = (column(&columns, "actor kind"), kinds.as_ref().and_then(|kinds| kinds.column)) {
        columns.push(("actor kind", number));
        columns.retain(|(role, other)| *role != "action" || *other != number);
    }
    let (purpose, reason) = recognise::recognise(relation, &columns, kinds.as_ref())?;
    let tenant = tenancy.keys_of(relation.oid).find(|(_, key)| key.role != KeyRole::User).map(|(number, _)| number);
    let tenant = tenant.or_else(|| column(&columns, "acting for tenant"));
    columns.extend(tenant.map(|number| ("tenant", number)));
    let partitions = catalog.partitions_of(relation.oid);
    let mut guards = guards::of(catalog, relation);
    for partition in partitions.iter().filter_map(|oid| catalog.relations.get(oid)) {
        guards.extend(guards::of(catalog, partition));
    }
    let refused = guards::COMMANDS.map(|command| guards::sum(&guards, relation.oid, command));
    Some(EventLog {
        relation: relation.oid,
        purpose,
        reason,
        chained: chain::of(catalog, relation, &columns),
        columns,
        filled: guards::filled(catalog, relation),
        from_settings: guards::from_settings(catalog, relation),
        kinds,
        guards,
        refused,
        rights: callers.of(relation.oid, &partitions),
        owners: callers.owners(relation.owner),
        writers: writers::of(catalog, relation),
    })
}
