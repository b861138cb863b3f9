//! Secrets in the files themselves, by line: who may read the repository has them, whatever the database holds today.

use super::read::History;
use super::tools::Kind as Written;
use crate::error::Stop;
use crate::facts::Facts;
use crate::secrets::{Kind, Rules};
use std::collections::BTreeMap;

impl History {
    /// Fills `migration_secrets`: the rule, the line and how often; never the value.
    pub(super) async fn write_secrets(&self, facts: &mut Facts, rules: &Rules) -> Result<(), Stop> {
        let mut rows = Vec::new();
        for migration in &self.migrations {
            let kind = match migration.kind {
                Written::Sql(_) => Kind::Sql,
                _ => Kind::OtherCode,
            };
            let mut lines = BTreeMap::new();
            for hit in rules.find(&migration.text, kind).into_iter().filter(|hit| hit.tell) {
                let Some(rule) = hit.rule else { continue };
                let line = migration.text[..hit.place.start].matches('\n').count() + 1;
                *lines.entry((line, &rule.id, &rule.title)).or_insert(0_u64) += 1;
            }
            rows.extend(lines.into_iter().map(|((line, rule, title), count)| {
                let place = [migration.version.clone(), migration.path.clone(), line.to_string()];
                let what = [rule.clone(), title.clone(), count.to_string()];
                place.into_iter().chain(what).map(Some).collect()
            }));
        }
        let columns = ["version", "path", "line", "rule", "title", "count"];
        facts.insert("migration_secrets", &columns, rows).await
    }
}
