//! The policy that would isolate a relation, in the style this database already uses: for `fix`, never run by govctl.

use super::catalog::{Catalog, Oid, Relation};
use super::policy::{Pins, Setting};
use super::tenancy::{Key, KeyRole, Tenancy};
use crate::check::quote::ident;
use std::collections::{BTreeMap, HashMap};

/// Predicates by relation.
#[derive(Debug, Default)]
pub(crate) struct Remedy {
    pub(crate) predicates: BTreeMap<Oid, String>,
}

impl Remedy {
    pub(crate) fn find(catalog: &Catalog, tenancy: &Tenancy, pins: &Pins, settings: &[Setting]) -> Self {
        let style = Style::of(catalog, tenancy, pins, settings);
        let mut predicates = BTreeMap::new();
        for relation in catalog.relations.values().filter(|r| r.is_table()) {
            if let Some((column, key)) = tenancy.keys_of(relation.oid).min_by_key(|(_, key)| key.role == KeyRole::User)
            {
                predicates.extend(style.pin(relation, column, key, None).map(|predicate| (relation.oid, predicate)));
            } else if let Some(path) = tenancy.paths.get(&relation.oid) {
                predicates.extend(through(catalog, tenancy, &style, path).map(|predicate| (relation.oid, predicate)));
            }
        }
        Self { predicates }
    }
}

/// How policies of this database say "of the session's tenant".
struct Style {
    /// Most used right side of a pin, by whether the key is a person's and by its type: ` = current_tenant()`,
    /// ` IN ( SELECT …)`.
    tails: HashMap<(bool, String), String>,
    /// Settings that name the tenant, and the person.
    tenant_setting: String,
    user_setting: String,
}

impl Style {
    fn of(catalog: &Catalog, tenancy: &Tenancy, pins: &Pins, settings: &[Setting]) -> Self {
        let mut counts: HashMap<(bool, &str, &str), usize> = HashMap::new();
        for (place, tail) in &pins.tails {
            let Some(key) = tenancy.keys.get(place) else { continue };
            if let Some(column) = catalog.relations.get(&place.0).and_then(|r| r.column_number(place.1)) {
                let kind = (key.role == KeyRole::User, column.type_name.as_str(), tail.as_str());
                *counts.entry(kind).or_default() += 1;
            }
        }
        let mut tails: HashMap<(bool, String), (usize, String)> = HashMap::new();
        for ((user, type_name, tail), count) in counts {
            let best = tails.entry((user, type_name.to_owned())).or_default();
            if (count, std::cmp::Reverse(tail)) > (best.0, std::cmp::Reverse(best.1.as_str())) || best.0 == 0 {
                *best = (count, tail.to_owned());
            }
        }
        let mut used: BTreeMap<&str, usize> = BTreeMap::new();
        for setting in settings.iter().filter(|s| s.caller_may_set()) {
            *used.entry(&setting.name).or_default() += 1;
        }
        let setting_for = |word: &str| {
            let named = used.iter().filter(|(name, _)| name.contains(word));
            named
                .max_by_key(|(_, count)| **count)
                .map_or_else(|| format!("app.{word}_id"), |(name, _)| (*name).to_owned())
        };
        Self {
            tails: tails.into_iter().map(|(kind, (_, tail))| (kind, tail)).collect(),
            tenant_setting: setting_for(tenancy.entity.unwrap_or("tenant")),
            user_setting: setting_for("user"),
        }
    }

    /// `tenant_id = …`, the column qualified where it stands in a sub-select.
    fn pin(&self, relation: &Relation, column: i64, key: &Key, qualifier: Option<&str>) -> Option<String> {
        let column = relation.column_number(column)?;
        let user = key.role == KeyRole::User;
        let name = ident(&column.name);
        let place = qualifier.map_or(name.clone(), |q| format!("{q}.{name}"));
        let tail = self.tails.get(&(user, column.type_name.clone())).cloned().unwrap_or_else(|| {
            let setting = if user { &self.user_setting } else { &self.tenant_setting }.replace('\'', "''");
            format!("= nullif(current_setting('{setting}', true), '')::{}", cast_name(&column.type_name))
        });
        Some(format!("{place} {tail}"))
    }
}

fn cast_name(type_name: &str) -> &str {
    if type_name == "bpchar" { "text" } else { type_name }
}

/// `exists (select 1 from parent k1 … where k1.id = child.parent_id and kn.tenant_id = …)`.
fn through(catalog: &Catalog, tenancy: &Tenancy, style: &Style, path: &super::tenancy::Path) -> Option<String> {
    let mut from = Vec::new();
    let mut conditions = Vec::new();
    let mut above = None;
    for (index, &(oid, column)) in path.hops.iter().enumerate() {
        let relation = catalog.relations.get(&oid)?;
        let key = relation.foreign_keys.iter().find(|k| k.columns.first().is_some_and(|(c, _)| *c == column))?;
        let target = catalog.relations.get(&key.target)?;
        let (child, parent) = (above.unwrap_or_else(|| ident(&relation.name)), format!("k{}", index + 1));
        from.push(format!("{}.{} {parent}", ident(&target.schema), ident(&target.name)));
        for &(here, there) in &key.columns {
            let (here, there) = (relation.column_number(here)?, target.column_number(there)?);
            conditions.push(format!("{parent}.{} = {child}.{}", ident(&there.name), ident(&here.name)));
        }
        above = Some(parent);
    }
    let last = catalog.relations.get(&path.key_relation)?;
    let (column, key) = tenancy.keys_of(last.oid).next()?;
    conditions.push(style.pin(last, column, key, above.as_deref())?);
    Some(format!("exists (select 1 from {} where {})", from.join(", "), conditions.join(" and ")))
}
