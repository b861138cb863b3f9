//! Rows that refer to nothing: nobody's, where references are to say whose a row is. Often they are what a product ships to
//! everybody, default models and templates; only the owner knows.

use super::key;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::before::Before;
use crate::plan::change::Question;
use crate::plan::ddl::Name;

/// A reference on a table's way to the key.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    /// The table that refers.
    pub(crate) from: Name,
    /// What it refers to.
    pub(crate) to: Name,
    /// Pairs of columns: here, there.
    pub(crate) columns: Vec<(String, String)>,
    /// Those of its columns that may be empty.
    pub(crate) may_be_empty: Vec<String>,
}

/// A table whose rows may refer to nothing by which they would get a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Uncertain {
    pub(crate) table: Name,
    /// The key to be.
    pub(crate) key: String,
    /// From the table on, as far as the last reference that may be empty.
    pub(crate) hops: Vec<Hop>,
}

impl Uncertain {
    /// As govctl.yaml names it.
    pub(crate) fn said(&self) -> String {
        self.table.said()
    }
}

/// Tables that get their tenant by references of which one may be empty.
pub(crate) async fn uncertain(facts: &mut Facts) -> Result<Vec<Uncertain>, Stop> {
    let rows = key::without(facts).await?;
    let mut uncertain = Vec::new();
    for (oid, schema, name, hops, key, _) in rows {
        let table = Name { schema: Some(schema), name };
        let (mut at, mut from, mut way) = (oid, table.clone(), Vec::new());
        for left in (1..=hops).rev() {
            let Some((parent, to, columns)) = key::parent(facts, at, left).await? else { break };
            let mut may_be_empty = Vec::new();
            for (here, _) in &columns {
                if !Before::new(facts).is_not_null(&from, here).await? {
                    may_be_empty.push(here.clone());
                }
            }
            way.push(Hop { from: from.clone(), to: to.clone(), columns, may_be_empty });
            (at, from) = (parent, to);
        }
        way.truncate(way.iter().rposition(|hop| !hop.may_be_empty.is_empty()).map_or(0, |last| last + 1));
        if !way.is_empty() {
            uncertain.push(Uncertain { table, key, hops: way });
        }
    }
    Ok(uncertain)
}

/// What a sample shows of them already: the tables whose rows no tenant would see, all at once, and the answer to write.
pub(crate) async fn asked(facts: &mut Facts, config: &Config) -> Result<Option<Question>, Stop> {
    let mut stops = Vec::new();
    let chosen = &config.plan.shared_rows;
    for table in uncertain(facts).await?.into_iter().filter(|table| !chosen.contains(&table.said())) {
        let mut empty = false;
        for hop in &table.hops {
            for column in &hop.may_be_empty {
                empty |= is_empty_somewhere(facts, &hop.from, column).await?;
            }
        }
        if empty {
            stops.push(table.said());
        }
    }
    if stops.is_empty() {
        return Ok(None);
    }
    let same = answer("shared", config.plan.shared.iter().flatten().chain(&stops));
    let rows = answer("shared_rows", chosen.iter().chain(&stops));
    Ok(Some(Question {
        id: "shared-tables".into(),
        question: "Which tables hold the same for every tenant? These have rows that refer to nothing, so that nothing says whose they \
                   are, and no tenant will see them."
            .into(),
        default: format!("none yet; where it is all of them: {same}; where such rows alone are everybody's to read: {rows}"),
        key: "plan.shared".into(),
        answered: false,
    }))
}

async fn is_empty_somewhere(facts: &mut Facts, table: &Name, column: &str) -> Result<bool, Stop> {
    let sql = "select '1' from sampled_columns s join relations r on r.oid = s.relation
               join columns c on c.relation = r.oid and c.number = s.column_number
               where s.empty > 0 and r.schema = ? and r.name = ? and c.name = ?";
    let schema = table.schema.as_deref().unwrap_or("public");
    Ok(!Before::new(facts).ask(sql, &[schema, &table.name, column]).await?.is_empty())
}

/// What to write in govctl.yaml, in YAML's flow style.
pub(super) fn answer<'n>(key: &str, tables: impl Iterator<Item = &'n String>) -> String {
    format!("plan: {{{key}: [{}]}}", tables.map(|table| scalar(table)).collect::<Vec<_>>().join(", "))
}

/// A table as a scalar of YAML: plain where nothing in it means more.
pub(crate) fn scalar(table: &str) -> String {
    let plain = table.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        && table.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if plain { table.to_owned() } else { serde_json::Value::from(table).to_string() }
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn an_answer_is_read_back_as_it_was_meant() {
        let tables = ["public.models", "app.Odd; \"Name\", x", "1.a", "a.b: c"].map(str::to_owned);
        let config = crate::config::parse("govctl.yaml", &answer("shared", tables.iter())).unwrap();
        assert_eq!(config.plan.shared.unwrap(), tables);
    }
}
