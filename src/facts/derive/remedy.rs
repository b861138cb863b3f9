//! The policy that would isolate a relation, in the style this database already uses: for `fix`, never run by govctl.

use super::catalog::{Catalog, Oid, Relation};
use super::policy::{PLACE, Pins, Setting};
use super::tenancy::{Key, KeyRole, Tenancy};
use super::verdicts::Verdict;
use crate::check::quote::ident;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Predicates by relation.
#[derive(Debug, Default)]
pub(crate) struct Remedy {
    pub(crate) predicates: BTreeMap<Oid, String>,
}

impl Remedy {
    pub(crate) fn find(
        catalog: &Catalog,
        tenancy: &Tenancy,
        pins: &Pins,
        settings: &[Setting],
        verdicts: &[Verdict],
    ) -> Self {
        let style = Style::of(catalog, tenancy, pins, settings, verdicts);
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
    /// Where there is none: most used question about a key.
    forms: HashMap<(bool, String), String>,
    /// Settings that name the tenant, and the person.
    tenant_setting: String,
    user_setting: String,
}

impl Style {
    fn of(catalog: &Catalog, tenancy: &Tenancy, pins: &Pins, settings: &[Setting], verdicts: &[Verdict]) -> Self {
        // What lets rows of others through is no example.
        let leaky: BTreeSet<Oid> =
            verdicts.iter().filter(|it| matches!(it.verdict, "leaks" | "may leak")).map(|it| it.relation).collect();
        let forms: Vec<_> = pins.forms.iter().filter(|((relation, _), _)| !leaky.contains(relation)).cloned().collect();
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
            tails: most_used(&pins.tails, catalog, tenancy),
            forms: most_used(&forms, catalog, tenancy),
            tenant_setting: setting_for(tenancy.entity.as_deref().unwrap_or("tenant")),
            user_setting: setting_for("user"),
        }
    }

    /// `tenant_id = …`, the column qualified where it stands in a sub-select.
    fn pin(&self, relation: &Relation, column: i64, key: &Key, qualifier: Option<&str>) -> Option<String> {
        let column = relation.column_number(column)?;
        let user = key.role == KeyRole::User;
        let place = column.sql(qualifier);
        let kind = (user, column.type_name.clone());
        if let Some(tail) = self.tails.get(&kind) {
            return Some(format!("{place} {tail}"));
        }
        if let Some(form) = self.forms.get(&kind) {
            // Beside other relations a bare name may be theirs.
            let beside = qualifier.is_none() && asks_relations(form);
            let place = if beside { column.sql(Some(&ident(&relation.name))) } else { place };
            return Some(form.replace(PLACE, &place));
        }
        let setting = if user { &self.user_setting } else { &self.tenant_setting }.replace('\'', "''");
        Some(format!("{place} = nullif(current_setting('{setting}', true), '')::{}", cast_name(&column.type_name)))
    }
}

/// Whether an expression has a sub-select; deparsed, one that selects nothing ends its line at once.
pub(crate) fn asks_relations(form: &str) -> bool {
    form.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word.eq_ignore_ascii_case("select"))
}

/// The text most used, by whether the key is a person's and by its type; of several the shortest.
fn most_used(texts: &[((Oid, i64), String)], catalog: &Catalog, tenancy: &Tenancy) -> HashMap<(bool, String), String> {
    let mut counts: BTreeMap<(bool, &str, &str), usize> = BTreeMap::new();
    for (place, text) in texts {
        let Some(key) = tenancy.keys.get(place) else { continue };
        if let Some(column) = catalog.relations.get(&place.0).and_then(|r| r.column_number(place.1)) {
            *counts.entry((key.role == KeyRole::User, column.type_name.as_str(), text.as_str())).or_default() += 1;
        }
    }
    let mut most: HashMap<(bool, String), (usize, &str)> = HashMap::new();
    for ((user, type_name, text), count) in counts {
        let best = most.entry((user, type_name.to_owned())).or_insert((count, text));
        if (count, Reverse(text.len())) > (best.0, Reverse(best.1.len())) {
            *best = (count, text);
        }
    }
    most.into_iter().map(|(kind, (_, text))| (kind, text.to_owned())).collect()
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

#[cfg(test)]
mod tests {
    use super::asks_relations;

    #[test]
    fn a_sub_select_need_not_select_anything() {
        assert!(asks_relations("(EXISTS ( SELECT\n   FROM m\n  WHERE (m.org = $key)))"));
        assert!(asks_relations("$key in (select org from m)"));
        assert!(!asks_relations("($key = preselect_org('SELECTED'))"));
    }
}
