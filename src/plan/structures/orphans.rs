//! Rows that refer to nothing: nobody's, where references are to say whose a row is. Often they are what a product ships to
//! everybody, default models and templates; only the owner knows.

use super::key::{self, Keyless};
use super::way::Way;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::change::Question;
use crate::plan::ddl::Name;
use std::collections::BTreeMap;

/// A reference by which a row may get its tenant.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    /// What it refers to.
    pub(crate) to: Name,
    /// Pairs of columns: here, there.
    pub(crate) columns: Vec<(String, String)>,
    /// Those of its columns that may be empty.
    pub(crate) may_be_empty: Vec<String>,
    /// Where rows of what it refers to may refer to nothing themselves: all of its references.
    pub(crate) further: Vec<Self>,
}

/// A table whose rows may refer to nothing by which they would get a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Uncertain {
    pub(crate) table: Name,
    /// The key to be.
    pub(crate) key: String,
    /// A row gets no tenant where none of them leads to one.
    pub(crate) hops: Vec<Hop>,
}

impl Uncertain {
    /// As govctl.yaml names it.
    pub(crate) fn said(&self) -> String {
        self.table.said()
    }
}

/// As many references as are followed from one table. What is further off is told where the key is held to be there.
const MOST_HOPS: usize = 64;

/// Tables that get their tenant by references that may all be empty.
pub(crate) async fn uncertain(facts: &mut Facts) -> Result<Vec<Uncertain>, Stop> {
    let mut known = BTreeMap::<i64, Vec<Hop>>::new();
    let mut uncertain = Vec::new();
    for Keyless { oid, table, key, ways, .. } in key::without(facts).await? {
        let further = |way: &Way| known.get(&way.parent).cloned().unwrap_or_default();
        if ways.iter().any(|way| way.may_be_empty.is_empty() && further(way).is_empty()) {
            continue;
        }
        let hop = |way: Way| {
            let further = further(&way);
            Hop { to: way.to, columns: way.columns, may_be_empty: way.may_be_empty, further }
        };
        let hops: Vec<Hop> = ways.into_iter().map(hop).collect();
        if count(&hops) <= MOST_HOPS {
            known.insert(oid, hops.clone());
            uncertain.push(Uncertain { table, key, hops });
        }
    }
    Ok(uncertain)
}

fn count(hops: &[Hop]) -> usize {
    hops.iter().map(|hop| 1 + count(&hop.further)).sum()
}

/// What a sample shows of them already: the tables whose rows no tenant would see, all at once, and the answer to write.
pub(crate) async fn asked(facts: &mut Facts, config: &Config) -> Result<Option<Question>, Stop> {
    let mut stops = Vec::new();
    let chosen = &config.plan.shared_rows;
    for it in uncertain(facts).await?.into_iter().filter(|it| !chosen.contains(&it.said())) {
        if lacks(facts, &it.table, &it.hops).await? {
            stops.push(it.said());
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

/// Whether the sample shows for sure that some row gets no tenant. Of several references it keeps how often each is empty, not whether
/// they are so in one row: then only where there are more empty ones than the rows could hold otherwise.
async fn lacks(facts: &mut Facts, table: &Name, hops: &[Hop]) -> Result<bool, Stop> {
    if let [hop] = hops {
        let mut empty = false;
        for column in &hop.may_be_empty {
            empty |= empty_rows(facts, table, column).await?.0 > 0;
        }
        return Ok(empty || !hop.further.is_empty() && Box::pin(lacks(facts, &hop.to, &hop.further)).await?);
    }
    let (mut empty, mut rows) = (0, 0);
    for hop in hops {
        let mut most = 0;
        for column in &hop.may_be_empty {
            let (of_column, all) = empty_rows(facts, table, column).await?;
            (most, rows) = (most.max(of_column), all);
        }
        empty += most;
    }
    Ok(rows > 0 && empty > rows * (hops.len() as i64 - 1))
}

/// How many rows of the sample have nothing in a column, of how many.
async fn empty_rows(facts: &mut Facts, table: &Name, column: &str) -> Result<(i64, i64), Stop> {
    let sql = "select s.empty, s.empty + s.filled from sampled_columns s join relations r on r.oid = s.relation
               join columns c on c.relation = r.oid and c.number = s.column_number
               where r.schema = ? and r.name = ? and c.name = ?";
    let query = sqlx::query_as(sql).bind(table.schema.clone().unwrap_or_else(|| "public".to_owned()));
    let row = query.bind(table.name.clone()).bind(column.to_owned()).fetch_optional(facts.connection()).await?;
    Ok(row.unwrap_or_default())
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
