//! A check against facts: rows, each about one object.

use super::{Check, Severity, query};
use crate::assess::ObjectRef;
use crate::error::Stop;
use crate::facts::Facts;
use crate::yaml::{Mistake, Mistakes};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Mutex;

/// One row of a check's SQL.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What the row is about.
    pub object: ObjectRef,
    /// Whether it is a fault, and how bad.
    pub standing: Standing,
    /// Every column that is not NULL, by name.
    pub values: Map<String, Value>,
}

/// What a row says about its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Something is wrong.
    Wrong(Severity),
    /// It cannot be known.
    Undecided {
        /// What is hidden or unreadable.
        what: String,
        /// The statement or step that would decide it.
        needs: String,
    },
}

/// Runs the SQL of a check. Whatever fails is a mistake in the check's file, with a caret.
pub async fn evaluate(check: &Check, facts: &mut Facts) -> Result<Vec<Row>, Mistakes> {
    read(check, query::rows(check, facts).await?)
}

/// Checks in one message: enough that few wait for it, and few enough that both threads finish together.
const TOGETHER: usize = 8;

/// The same for many checks, in their order. Two threads of SQLite share the work, each with the facts to itself.
pub async fn evaluate_all(checks: &[&Check], facts: &mut Facts) -> Result<Vec<Result<Vec<Row>, Mistakes>>, Stop> {
    if checks.len() <= TOGETHER {
        let rows = query::rows_of(checks, facts).await;
        return Ok(checks.iter().zip(rows).map(|(check, rows)| read(check, rows?)).collect());
    }
    let mut twin = facts.twin().await?;
    let waiting = Mutex::new(checks.chunks(TOGETHER).enumerate());
    let work = async |facts: &mut Facts| {
        let mut done = Vec::new();
        loop {
            let next = waiting.lock().map_or(None, |mut waiting| waiting.next());
            let Some((number, part)) = next else { return done };
            let rows = query::rows_of(part, facts).await;
            let read = part.iter().zip(rows).map(|(check, rows)| read(check, rows?)).collect::<Vec<_>>();
            done.push((number, read));
        }
    };
    let (mut done, others) = tokio::join!(work(facts), work(&mut twin));
    done.extend(others);
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().flat_map(|(_, rows)| rows).collect())
}

fn read(check: &Check, rows: Vec<Map<String, Value>>) -> Result<Vec<Row>, Mistakes> {
    rows.into_iter().map(|values| row(check, values)).collect::<Result<_, _>>().map_err(|message| {
        let mistake = Mistake::new(check.source.sql, message, "returned by this SQL");
        Mistakes::new(&check.source.path, &check.source.text, vec![mistake])
    })
}

fn row(check: &Check, values: Map<String, Value>) -> Result<Row, String> {
    let optional = |column: &str| values.get(column).map(text);
    let required = |column: &str| optional(column).ok_or_else(|| format!("a row without a value in `{column}`"));
    let standing = match values.get("severity") {
        None => Standing::Wrong(check.severity),
        Some(Value::String(word)) if word == "undecided" => {
            Standing::Undecided { what: required("what")?, needs: required("needs")? }
        }
        Some(word) => Standing::Wrong(
            Severity::deserialize(word).map_err(|_| format!("a row whose `severity` is {word}, which is none"))?,
        ),
    };
    let object = ObjectRef {
        kind: required("kind")?,
        schema: optional("schema"),
        name: required("name")?,
        column: optional("column"),
    };
    Ok(Row { object, standing, values })
}

/// A value as a sentence shows it.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
