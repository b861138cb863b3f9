//! Tables that agent frameworks make, recognised by their columns (frameworks.yaml).

use super::catalog::{Catalog, Relation};
use super::write::Table;
use crate::error::Stop;
use crate::facts::value::Value;
use serde::Deserialize;

const KNOWN: &str = include_str!("frameworks.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Framework {
    framework: String,
    advice: String,
    tables: Vec<Shape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    part: String,
    columns: String,
    #[serde(default)]
    scope: String,
    /// No other columns.
    #[serde(default)]
    only: bool,
    /// The table's name, where columns alone say too little.
    named: Option<String>,
    /// A column that holds JSON.
    json: Option<String>,
}

impl Shape {
    fn fits(&self, relation: &Relation) -> bool {
        let mut columns = self.columns.split(' ');
        columns.all(|name| relation.column(name).is_some())
            && (!self.only || self.columns.split(' ').count() == relation.columns.len())
            && self.named.as_ref().is_none_or(|name| *name == relation.name)
            && self.json.as_ref().is_none_or(|name| {
                relation.column(name).is_some_and(|column| matches!(column.type_name.as_str(), "json" | "jsonb"))
            })
    }
}

/// `framework_relations`: every table of a known framework. The list is embedded; that it cannot be read is a fault of
/// this program.
pub(super) fn table(catalog: &Catalog) -> Result<Table, Stop> {
    let known: Vec<Framework> = serde_yaml::from_str(KNOWN)
        .map_err(|error| Stop::Facts { message: format!("frameworks.yaml: {error}"), help: None })?;
    let tables = catalog.relations.values().filter(|r| r.is_table() && !r.is_partition && r.provenance != "system");
    let rows = tables.filter_map(|relation| row(&known, relation)).collect();
    Ok(("framework_relations", &["relation", "framework", "part", "scope", "advice"], rows))
}

fn row(known: &[Framework], relation: &Relation) -> Option<Vec<Value>> {
    known.iter().find_map(|framework| {
        let shape = framework.tables.iter().find(|shape| shape.fits(relation))?;
        let scope: Vec<&str> = shape.scope.split_whitespace().filter(|name| relation.column(name).is_some()).collect();
        let text = |text: &str| Value::Text(text.to_owned());
        let scope = serde_json::Value::from(scope).to_string();
        let said = [&framework.framework, &shape.part, &scope, &framework.advice];
        Some(std::iter::once(Value::Integer(relation.oid)).chain(said.map(|said| text(said))).collect())
    })
}
