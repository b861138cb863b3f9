//! SQL migrations: from a script to what its statements do, with the place of each. Parsed, never matched.

mod depth;
mod mask;
mod names;
mod read;
mod run;
mod run_condition;
mod run_rows;
mod run_value;
mod split;

pub(crate) use mask::{HOLE, placeholders};
pub(crate) use names::{arguments, called, child, constants, identifier, name, path, word};
pub(crate) use run::{Runner, Scope, resolved};
pub(crate) use split::{Flaw, statements};

use super::event::{Event, What};
use squawk_syntax::SourceFile;
use std::ops::Range;

/// What the statements of one part of a file do.
pub(crate) fn read(text: &str, part: Range<usize>) -> (Vec<Event>, Vec<Flaw>) {
    let Some(script) = text.get(part.clone()) else { return Default::default() };
    let script = placeholders(script);
    let (found, mut flaws) = statements(&script);
    flaws.iter_mut().for_each(|flaw| flaw.at += part.start);
    let mut events = Vec::new();
    for range in found {
        let statement = &script[range.clone()];
        if matters(statement) {
            let at = part.start + range.start;
            let (done, flaw) = match view_without_query(statement) {
                Some(view) => (one(&view).0, None),
                None => one(statement),
            };
            flaws.extend(flaw.map(|(offset, message)| Flaw { at: at + offset, message }));
            events.extend(done.into_iter().map(|what| Event { at, what }));
        }
    }
    (events, flaws)
}

/// What one statement does, and what the parser could not take, as an offset into it.
pub(crate) fn one(statement: &str) -> (Vec<What>, Option<(usize, String)>) {
    if let Some(at) = depth::too_deep(statement) {
        return (Vec::new(), Some((at, "from here on this nests deeper than it is followed".to_owned())));
    }
    let parse = SourceFile::parse(statement);
    let error = parse.errors().into_iter().next();
    let flaw = error.map(|error| (usize::from(error.range().start()), error.message().to_owned()));
    let done = parse.syntax_node().children().flat_map(|node| read::statement(&node)).collect();
    (done, flaw)
}

/// Of a view nobody asks more than its name: its query, which may be long, is not parsed.
fn view_without_query(statement: &str) -> Option<String> {
    let mut words = statement.split_whitespace().map(str::to_ascii_lowercase);
    if words.next()? != "create" || !matches!(words.next()?.as_str(), "view" | "materialized" | "recursive") {
        return None;
    }
    let head = 2 + words.position(|word| word == "as")?;
    Some(format!("{} as select 1", statement.split_whitespace().take(head).collect::<Vec<_>>().join(" ")))
}

/// Statements that can say nothing about governance are not parsed.
fn matters(statement: &str) -> bool {
    let mut words = statement.split(|c: char| c.is_whitespace() || c == '(').filter(|word| !word.is_empty());
    let mut next = || words.next().unwrap_or_default().to_ascii_lowercase();
    let first = next();
    let second = next();
    match first.as_str() {
        "create" => !matches!(
            second.as_str(),
            "index" | "unique" | "extension" | "sequence" | "publication" | "collation" | "database"
        ),
        "alter" => matches!(second.as_str(), "table" | "policy" | "type" | "role" | "user" | "group" | "foreign"),
        "drop" => matches!(second.as_str(), "table" | "policy" | "trigger"),
        "set" => second.starts_with("search_path") || matches!(second.as_str(), "local" | "session"),
        "do" | "grant" | "revoke" | "call" => true,
        // A call is short; a long query is data.
        "select" => statement.len() < 4_000 && statement.contains('('),
        _ => first.starts_with("do$"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{Name, Rls};

    #[test]
    fn places_are_those_of_the_statements() {
        let text = "-- create table no (id int);\nselect 1;\n\n  create table t (id int); alter table t enable row level security;\n";
        let (events, flaws) = read(text, 0..text.len());
        assert!(flaws.is_empty());
        assert_eq!(events.len(), 2, "{events:?}");
        assert_eq!(&text[events[0].at..events[0].at + 14], "create table t");
        assert_eq!(events[1].what, What::Rls(Name::bare("t"), Rls::Enable));
    }

    #[test]
    fn views_are_known_by_name() {
        let text = "create view a.v (x, y) with (security_barrier) as select 1, 2;\n\
                    create or replace view \"V 2\" as select 1;\ncreate materialized view if not exists m as select 1;\n\
                    create recursive view r (n) as select 1;";
        let (events, flaws) = read(text, 0..text.len());
        assert!(flaws.is_empty(), "{flaws:?}");
        let views = events.iter().map(|event| match &event.what {
            What::CreateView(view) => view.to_string(),
            other => panic!("{other:?}"),
        });
        assert_eq!(views.collect::<Vec<_>>(), ["a.v", "V 2", "m", "r"]);
    }

    #[test]
    fn a_broken_statement_costs_only_itself() {
        let text = "create table a (id int);\ncreate tabel b (id int);\ncreate policy p on;\ncreate table c (id int);";
        let (events, flaws) = read(text, 0..text.len());
        let made = events.iter().filter(|event| matches!(event.what, What::CreateTable(_))).count();
        assert_eq!(made, 2, "{events:?}");
        assert_eq!(flaws.len(), 2, "{flaws:?}");
    }
}
