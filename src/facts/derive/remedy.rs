//! The policy that would isolate a relation, in the style this database already uses: for `fix`, never run by govctl.

use super::catalog::{Catalog, Oid, Relation};
use super::policy::{Pins, Setting};
use super::tenancy::{KeyRole, Tenancy};
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
            if let Some((column, _)) = tenancy.keys_of(relation.oid).min_by_key(|(_, key)| key.role == KeyRole::User) {
                predicates.extend(style.pin(relation, column, None).map(|predicate| (relation.oid, predicate)));
            } else if let Some(path) = tenancy.paths.get(&relation.oid) {
                predicates.extend(through(catalog, tenancy, &style, path).map(|predicate| (relation.oid, predicate)));
            }
        }
        Self { predicates }
    }
}

/// How policies of this database say "of the session's tenant".
struct Style {
    /// Most used right side of a pin, by type of the key: ` = current_tenant()`, ` IN ( SELECT …)`.
    tails: HashMap<String, String>,
    /// Setting that names the tenant.
    setting: String,
}

impl Style {
    fn of(catalog: &Catalog, tenancy: &Tenancy, pins: &Pins, settings: &[Setting]) -> Self {
        let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
        for (place, tail) in &pins.tails {
            let keyed = tenancy.keys.get(place).is_some_and(|key| key.role != KeyRole::User);
            let column = catalog.relations.get(&place.0).and_then(|r| r.column_number(place.1)).filter(|_| keyed);
            if let Some(column) = column {
                *counts.entry((column.type_name.as_str(), tail.as_str())).or_default() += 1;
            }
        }
        let mut tails: HashMap<String, (usize, String)> = HashMap::new();
        for ((type_name, tail), count) in counts {
            let best = tails.entry(type_name.to_owned()).or_default();
            if (count, std::cmp::Reverse(tail)) > (best.0, std::cmp::Reverse(best.1.as_str())) || best.0 == 0 {
                *best = (count, tail.to_owned());
            }
        }
        let mut used: BTreeMap<&str, usize> = BTreeMap::new();
        for setting in settings.iter().filter(|s| s.caller_may_set()) {
            *used.entry(&setting.name).or_default() += 1;
        }
        let named = used.into_iter().filter(|(name, _)| tenancy.entity.is_some_and(|word| name.contains(word)));
        let setting = named
            .max_by_key(|(_, count)| *count)
            .map_or_else(|| format!("app.{}_id", tenancy.entity.unwrap_or("tenant")), |(name, _)| name.to_owned());
        Self { tails: tails.into_iter().map(|(name, (_, tail))| (name, tail)).collect(), setting }
    }

    /// `tenant_id = …`, the column qualified where it stands in a sub-select.
    fn pin(&self, relation: &Relation, column: i64, qualifier: Option<&str>) -> Option<String> {
        let column = relation.column_number(column)?;
        let name = ident(&column.name);
        let place = qualifier.map_or(name.clone(), |q| format!("{q}.{name}"));
        let tail = self.tails.get(&column.type_name).cloned().unwrap_or_else(|| {
            let setting = self.setting.replace('\'', "''");
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
    let (column, _) = tenancy.keys_of(last.oid).next()?;
    conditions.push(style.pin(last, column, above.as_deref())?);
    Some(format!("exists (select 1 from {} where {})", from.join(", "), conditions.join(" and ")))
}
