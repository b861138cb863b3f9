//! Structures are written as SQL with minijinja; a line `--> statement` begins a statement, `--> undo` what takes it back.

use crate::check::template::render;
use crate::error::Stop;
use crate::plan::Statement;
use serde_json::{Map, Value};

/// The statements of a template. Without `--> undo` the way back follows from the statement; an empty one says that there
/// is nothing to take back, or that something else takes it along.
pub(crate) fn statements(template: &str, values: &Map<String, Value>) -> Result<Vec<Statement>, Stop> {
    // What the facts hold cannot begin a statement: the mark becomes a character that no name or expression has.
    let text = render(&template.replace("--> ", "\u{1}"), values).map_err(|flaw| Stop::Facts {
        message: format!("a template of the plan is wrong: {}", flaw.message),
        help: None,
    })?;
    let mut found: Vec<Statement> = Vec::new();
    for part in text.split('\u{1}').skip(1) {
        let (kind, sql) = part.split_once('\n').unwrap_or((part, ""));
        let sql = sql.trim().to_owned();
        match (kind.trim(), found.last_mut()) {
            ("undo", Some(last)) => last.down = Some(sql),
            _ => found.push(Statement::new(sql)),
        }
    }
    Ok(found)
}

/// Marks for dollar quotes that none of the texts holds.
pub(crate) fn dollar(texts: &[&str]) -> String {
    let mut tag = "$govctl$".to_owned();
    for number in 1.. {
        if !texts.iter().any(|text| text.contains(&tag)) {
            break;
        }
        tag = format!("$govctl{number}$");
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_come_with_their_way_back() {
        let found = statements(
            "{# x #}--> statement\nselect 1\n--> undo\nselect 2;\nselect 3\n--> statement\nselect 4\n--> undo\n",
            &Map::new(),
        );
        assert_eq!(
            found.unwrap(),
            [Statement::undone_by("select 1", "select 2;\nselect 3"), Statement::undone_by("select 4", "")]
        );
    }

    #[test]
    fn the_quotes_are_of_no_name() {
        assert_eq!(dollar(&["a$govctl$b"]), "$govctl1$");
    }
}
