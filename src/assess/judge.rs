//! From the rows of a check to findings, and to what could not be decided.

use super::{Cause, Finding, Fingerprint, ObjectRef};
use crate::check::template::{Flaw, Template};
use crate::check::{Check, Row, Standing, evaluate, quote};
use crate::facts::Facts;
use crate::yaml::{Mistake, Mistakes, Place, place_in};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Columns that say what a row is about; the others are the finding's evidence.
const ABOUT: [&str; 6] = ["kind", "schema", "name", "column", "severity", "object"];

/// What a check found, and what it could not see where it looked.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Worst first, then by object; no fingerprint twice.
    pub findings: Vec<Finding>,
    /// Rows that say `undecided`.
    pub undecided: Vec<Cause>,
}

/// Runs a check. Whatever fails is a mistake in the check's file, with a caret.
pub async fn judge(check: &Check, facts: &mut Facts) -> Result<Outcome, Mistakes> {
    outcome(check, evaluate(check, facts).await?)
}

/// What the rows of a check say.
pub(super) fn outcome(check: &Check, rows: Vec<Row>) -> Result<Outcome, Mistakes> {
    let mut findings = BTreeMap::<Fingerprint, Finding>::new();
    let mut undecided = Vec::new();
    let mut sentences = None;
    for row in rows {
        match &row.standing {
            Standing::Undecided { what, needs } => {
                undecided.push(Cause { kind: "unreadable-expression", what: what.clone(), needs: needs.clone() });
            }
            Standing::Wrong(severity) => {
                let sentences = match &sentences {
                    Some(read) => read,
                    None => sentences.insert(Sentences::of(check)?),
                };
                let finding = Finding { severity: *severity, unscaled: *severity, ..finding(check, sentences, row)? };
                let known = findings.entry(finding.fingerprint.clone()).or_insert_with(|| finding.clone());
                if known.severity < finding.severity {
                    *known = finding;
                }
            }
        }
    }
    let mut findings: Vec<_> = findings.into_values().collect();
    findings.sort_by(|a, b| (b.severity, &a.object, &a.message).cmp(&(a.severity, &b.object, &b.message)));
    undecided.sort_by(|a, b| (&a.what, &a.needs).cmp(&(&b.what, &b.needs)));
    undecided.dedup();
    Ok(Outcome { findings, undecided })
}

/// What a check says of each row.
struct Sentences<'c> {
    finding: Sentence<'c>,
    fix: Option<Sentence<'c>>,
    default: Option<Sentence<'c>>,
}

impl<'c> Sentences<'c> {
    fn of(check: &'c Check) -> Result<Self, Mistakes> {
        let read = |text: &'c String, place| Sentence::read(check, text, place);
        Ok(Self {
            finding: read(&check.finding, check.source.finding)?,
            fix: check.fix.as_ref().map(|fix| read(fix, check.source.fix)).transpose()?,
            default: check.default.as_ref().map(|sql| read(sql, check.source.default)).transpose()?,
        })
    }
}

/// A template of a check's file.
struct Sentence<'c> {
    check: &'c Check,
    text: &'c str,
    place: Place,
    template: Template<'c>,
}

impl<'c> Sentence<'c> {
    fn read(check: &'c Check, text: &'c str, place: Place) -> Result<Self, Mistakes> {
        let template = Template::new(text).map_err(|flaw| mistaken(check, text, place, flaw))?;
        Ok(Self { check, text, place, template })
    }

    fn fill(&self, values: &Map<String, Value>) -> Result<String, Mistakes> {
        self.template.render(values).map_err(|flaw| mistaken(self.check, self.text, self.place, flaw))
    }
}

fn mistaken(check: &Check, text: &str, place: Place, Flaw { message, part }: Flaw) -> Mistakes {
    let source = &check.source;
    let mistake = Mistake::new(place_in(&source.text, place, text, part), message, "here");
    Mistakes::new(&source.path, &source.text, vec![mistake])
}

fn finding(check: &Check, sentences: &Sentences<'_>, row: Row) -> Result<Finding, Mistakes> {
    let Row { object, mut values, .. } = row;
    values.insert("object".to_owned(), Value::String(in_sql(&object, &values)));
    let message = sentences.finding.fill(&values)?;
    let fix = sentences.fix.as_ref().map(|fix| fix.fill(&values)).transpose()?;
    let default = sentences.default.as_ref().map(|sql| sql.fill(&values)).transpose()?;
    let identity: Vec<_> = check.identity.iter().map(|column| (column.as_str(), text(values.get(column)))).collect();
    let identity: Vec<_> = identity.iter().map(|(column, value)| (*column, value.as_str())).collect();
    let fingerprint = Fingerprint::of(&check.id, &object, &identity);
    values.retain(|column, _| !ABOUT.contains(&column.as_str()));
    Ok(Finding {
        severity: check.severity,
        unscaled: check.severity,
        object,
        message,
        facts: values,
        fix,
        default,
        fingerprint,
        state: String::new(),
        introduced: None,
        pardon: None,
    })
}

/// The object as SQL names it: qualified and quoted. A function's name ends in its argument types, which stay as they are.
fn in_sql(object: &ObjectRef, values: &Map<String, Value>) -> String {
    let types = values.get("signature").map(|types| format!("({})", text(Some(types))));
    let called = types.filter(|types| object.name.ends_with(types.as_str()));
    let bare = object.name.strip_suffix(called.as_deref().unwrap_or_default()).unwrap_or(&object.name);
    quote::relation(object.schema.as_deref(), bare) + called.as_deref().unwrap_or_default()
}

fn text(value: Option<&Value>) -> String {
    value.map(crate::check::text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_in_sql_is_one_name_however_it_is_called() {
        let named = |schema: Option<&str>, name: &str, values: Value| {
            let schema = schema.map(str::to_owned);
            let object = ObjectRef { kind: "any".to_owned(), schema, name: name.to_owned(), column: None };
            in_sql(&object, values.as_object().unwrap())
        };
        assert_eq!(named(Some("app"), "orders", json!({})), "app.orders");
        assert_eq!(named(None, "Ops", json!({})), "\"Ops\"");
        assert_eq!(named(Some("a.b"), "x\"; drop table y; --", json!({})), r#""a.b"."x""; drop table y; --""#);
        assert_eq!(named(Some("app"), "f(uuid, text)", json!({ "signature": "uuid, text" })), "app.f(uuid, text)");
        assert_eq!(named(Some("app"), "f(x()", json!({ "signature": "" })), "app.\"f(x\"()");
    }
}
