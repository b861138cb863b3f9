//! The sentences and the SQL of a check, filled in from one row of its query.

use super::quote;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

/// What is wrong with a template, or with a row for it, and where in the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// One sentence without its period.
    pub message: String,
    /// In bytes of the template.
    pub part: Range<usize>,
}

/// Nothing is escaped here: control characters are the terminal's business, and SQL is quoted by the filters
/// `ident`, `idents`, `literal` and `relation`. A variable without a value is an error, never an empty string.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("ident", |name: &str| quote::ident(name));
    environment.add_filter("literal", |text: &str| quote::literal(text));
    environment.add_filter("relation", |schema: &str, name: &str| quote::relation(Some(schema), name));
    environment.add_filter("listed", |json: &str| names("listed", json).map(listed));
    environment.add_filter("idents", |json: &str| names("idents", json).map(|names| idents(&names)));
    environment
});

/// A JSON array of names, as `json_group_array` makes it.
fn names(filter: &str, json: &str) -> Result<Vec<String>, Error> {
    serde_json::from_str(json).map_err(|_| {
        let what = format!("`{filter}` takes a JSON array of names (json_group_array)");
        Error::new(minijinja::ErrorKind::InvalidOperation, what)
    })
}

/// A list of columns.
fn idents(names: &[String]) -> String {
    names.iter().map(|name| quote::ident(name)).collect::<Vec<_>>().join(", ")
}

/// In words: at most three, then how many more.
fn listed(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(3);
    if more > 1 {
        names.truncate(3);
        names.push(format!("{more} more"));
    }
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

/// The variables a template needs.
pub fn variables(template: &str) -> Result<BTreeSet<String>, Flaw> {
    let parsed = ENVIRONMENT.template_from_str(template).map_err(|error| flaw(&error, template))?;
    let globals: BTreeSet<_> = ENVIRONMENT.globals().map(|(name, _)| name.to_owned()).collect();
    Ok(parsed.undeclared_variables(false).into_iter().filter(|name| !globals.contains(name)).collect())
}

/// Fills a template in.
pub fn render(template: &str, values: &Map<String, Value>) -> Result<String, Flaw> {
    Template::new(template)?.render(values)
}

/// A template that was read, for many rows.
#[derive(Debug)]
pub struct Template<'t> {
    text: &'t str,
    read: minijinja::Template<'t, 't>,
}

impl<'t> Template<'t> {
    /// Reads a template, or says what is wrong with it.
    pub fn new(text: &'t str) -> Result<Self, Flaw> {
        let read = ENVIRONMENT.template_from_str(text).map_err(|error| flaw(&error, text))?;
        Ok(Self { text, read })
    }

    /// Fills it in.
    pub fn render(&self, values: &Map<String, Value>) -> Result<String, Flaw> {
        let rendered = self.read.render(values).map_err(|error| flaw(&error, self.text))?;
        Ok(rendered.trim().to_owned())
    }
}

fn flaw(error: &Error, template: &str) -> Flaw {
    let part = error.range().filter(|part| template.get(part.clone()).is_some()).unwrap_or(0..template.len());
    let message = match (error.kind(), error.detail()) {
        (minijinja::ErrorKind::UndefinedError, None) => {
            format!("`{}` has no value in this row", &template[part.clone()])
        }
        (kind, None) => kind.to_string(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
    };
    Flaw { message, part }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn values(json: Value) -> Map<String, Value> {
        json.as_object().unwrap().clone()
    }

    #[test]
    fn sql_is_quoted_by_filters_and_sentences_are_left_alone() {
        let row = values(json!({"schema": "App", "name": "user", "secret": "a'b"}));
        assert_eq!(render("{{ schema | relation(name) }}", &row).unwrap(), r#""App"."user""#);
        assert_eq!(render("{{ name | ident }} {{ secret | literal }}\n", &row).unwrap(), r#""user" 'a''b'"#);
        assert_eq!(render("{{ schema }}.{{ name }} <&>", &row).unwrap(), "App.user <&>");
    }

    #[test]
    fn a_missing_value_is_a_flaw_with_its_place() {
        let flaw = render("reached by {{ login }}", &Map::new()).unwrap_err();
        assert_eq!(flaw, Flaw { message: "`login` has no value in this row".to_owned(), part: 14..19 });
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let said = |json: Value| render("{{ names | listed }}", &values(json!({ "names": json.to_string() }))).unwrap();
        assert_eq!(said(json!(["a"])), "a");
        assert_eq!(said(json!(["a", "b"])), "a and b");
        assert_eq!(said(json!(["a", "b", "c", "d"])), "a, b, c and d");
        assert_eq!(said(json!(["a", "b", "c", "d", "e"])), "a, b, c and 2 more");
    }

    #[test]
    fn variables_are_those_a_row_must_bring() {
        let template = "{% for x in range(n) %}{{ x }}{% endfor %}{{ login | default('nobody') }}";
        assert_eq!(variables(template).unwrap(), ["login", "n"].map(str::to_owned).into());
        assert!(variables("{{ login").is_err());
    }
}
