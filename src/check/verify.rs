//! Whether a check's templates ask for nothing its SQL does not return.

use super::{Check, query, template};
use crate::facts::Facts;
use crate::yaml::{Mistake, Place, nearest, place_in};
use std::ops::Range;

/// What the query must return so that a finding is about something.
const REQUIRED: [&str; 2] = ["name", "kind"];
/// Made by govctl out of the row: the object as SQL names it.
const OBJECT: &str = "object";

/// Every mistake that shows only once the SQL meets the schema of the facts.
pub(super) async fn mistakes(check: &Check, facts: &mut Facts) -> Vec<Mistake> {
    let columns = match query::columns(check, facts).await {
        Ok(columns) => columns,
        Err(mistake) => return vec![mistake],
    };
    let source = &check.source;
    let mut mistakes = Vec::new();
    for column in REQUIRED.iter().filter(|column| !columns.iter().any(|known| known == *column)) {
        mistakes.push(Mistake::new(source.sql, format!("the SQL returns no `{column}`"), "every row needs one"));
    }
    for column in check.identity.iter().filter(|column| !columns.contains(column)) {
        mistakes.push(unknown(source.identity, column, &columns));
    }
    let fix = check.fix.as_ref().map(|fix| (fix, source.fix));
    let default = check.default.as_ref().map(|default| (default, source.default));
    let templates = [Some((&check.finding, source.finding)), fix, default];
    for (text, place) in templates.into_iter().flatten() {
        mistakes.extend(
            in_template(text, &columns)
                .into_iter()
                .map(|(part, mistake)| Mistake { place: place_in(&source.text, place, text, part), ..mistake }),
        );
    }
    mistakes
}

fn in_template(text: &str, columns: &[String]) -> Vec<(Range<usize>, Mistake)> {
    let nowhere = Place::from(0..0);
    match template::variables(text) {
        Err(flaw) => vec![(flaw.part, Mistake::new(nowhere, flaw.message, "here"))],
        Ok(variables) => variables
            .iter()
            .filter(|variable| *variable != OBJECT && !columns.contains(variable))
            .map(|variable| (word(text, variable), unknown(nowhere, variable, columns)))
            .collect(),
    }
}

fn unknown(place: Place, column: &str, columns: &[String]) -> Mistake {
    let help = nearest(column, columns.iter().map(String::as_str))
        .map_or_else(|| format!("it returns {}", columns.join(", ")), |near| format!("did you mean `{near}`?"));
    Mistake::new(place, format!("the SQL returns no `{column}`"), "not a column").help(help)
}

/// Where a template first says a variable, inside its braces.
fn word(text: &str, variable: &str) -> Range<usize> {
    let boundary = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    text.match_indices(variable)
        .map(|(start, word)| start..start + word.len())
        .filter(|part| boundary(text[..part.start].chars().next_back()) && boundary(text[part.end..].chars().next()))
        .max_by_key(|part| {
            (text[..part.start].rfind("{{") > text[..part.start].rfind("}}"), std::cmp::Reverse(part.start))
        })
        .unwrap_or(0..text.len())
}
