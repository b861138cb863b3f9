//! Which migration brought in what a finding is about.

use super::finding::{Finding, Introduced};
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::HashMap;

/// Lines of migrations, by what they brought in.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// Tables and views.
    relations: HashMap<(String, String), Introduced>,
    /// Without their arguments.
    functions: HashMap<(String, String), Introduced>,
    policies: HashMap<(String, String, String), Introduced>,
    roles: HashMap<String, Introduced>,
}

/// A row of `introductions`.
type Row = (String, Option<String>, Option<String>, String, String, u32);

impl Origins {
    pub(super) async fn read(facts: &mut Facts) -> Result<Self, Stop> {
        let sql = "select kind, schema, relation, name, path, line from introductions";
        let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(facts.connection()).await?;
        let mut origins = Self::default();
        for (kind, schema, relation, name, path, line) in rows {
            let place = Introduced { path, line };
            match (kind.as_str(), schema, relation) {
                ("table" | "view", Some(schema), _) => drop(origins.relations.insert((schema, name), place)),
                ("function", Some(schema), _) => drop(origins.functions.insert((schema, name), place)),
                ("policy", Some(schema), Some(relation)) => {
                    drop(origins.policies.insert((schema, relation, name), place))
                }
                ("role", ..) => drop(origins.roles.insert(name, place)),
                _ => {}
            }
        }
        Ok(origins)
    }

    /// The row itself may say it (`path`, `line`); else the policy it names, else its object.
    pub(super) fn of(&self, finding: &Finding) -> Option<Introduced> {
        let text = |key: &str| finding.facts.get(key).and_then(|value| value.as_str());
        if let (Some(path), Some(line)) = (text("path"), finding.facts.get("line").and_then(serde_json::Value::as_u64))
        {
            return Some(Introduced { path: path.to_owned(), line: u32::try_from(line).unwrap_or(1) });
        }
        let object = &finding.object;
        let Some(schema) = object.schema.clone() else {
            return (object.kind == "role").then(|| self.roles.get(&object.name)).flatten().cloned();
        };
        if matches!(object.kind.as_str(), "function" | "procedure" | "aggregate" | "window") {
            let name = object.name.split_once('(').map_or(object.name.as_str(), |(name, _)| name);
            return self.functions.get(&(schema, name.to_owned())).cloned();
        }
        let policy =
            text("policy").and_then(|name| self.policies.get(&(schema.clone(), object.name.clone(), name.to_owned())));
        policy.or_else(|| self.relations.get(&(schema.clone(), object.name.clone()))).cloned()
    }
}
