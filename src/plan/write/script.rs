//! The text of an SQL file.

use super::part::{Part, SERVER};
use super::{header, inside};
use crate::plan::lint::{self, Way};
use squawk_lexer::TokenKind;

/// Statements as psql takes them.
pub(super) fn body(statements: &[String]) -> String {
    let each = statements.iter().map(|statement| {
        // Behind a comment at its end, a semicolon would be part of it.
        let comment = inside::tokens(statement).last().is_some_and(|(kind, _)| *kind == TokenKind::LineComment);
        let end = if comment { "\n;" } else { ";" };
        format!("{statement}{end}\n")
    });
    each.collect::<Vec<_>>().join("\n")
}

/// The header as comments of SQL.
pub(super) fn head(part: &Part<'_>, file: &str, way: Way, undo: &str) -> String {
    header::lines(part, file, way, undo).iter().map(|line| format!("-- {line}\n")).collect()
}

/// A whole file: what has to be its very beginning, the header, what squawk has to be told, and the rest.
pub(super) fn sheet(part: &Part<'_>, first: &str, head: &str, rest: &str) -> String {
    let told = told(part, &format!("{first}{head}\n{rest}"));
    format!("{first}{head}{told}\n{rest}")
}

/// What squawk does not know by itself: how the file is run.
fn told(part: &Part<'_>, text: &str) -> String {
    let mut lines = String::new();
    if !part.transaction {
        lines.push_str("-- squawk-disable-assume-in-transaction\n");
    }
    let mut ignore = |rules: Vec<String>, reason: &str| {
        if !rules.is_empty() {
            lines.push_str(&format!("-- squawk-ignore-file {} -- {reason}\n", rules.join(", ")));
        }
    };
    if part.alone {
        let broken = lint::lint(text, false, SERVER).into_iter().map(|warning| warning.rule);
        let timeouts: std::collections::BTreeSet<_> = broken.filter(|rule| rule.ends_with("-timeout")).collect();
        ignore(timeouts.into_iter().collect(), "sent as one query, in which nothing may stand beside this statement");
    }
    if part.by_hand.is_some() {
        let rules = [
            "require-concurrent-index-creation",
            "require-concurrent-index-deletion",
            "require-concurrent-partition-detach",
        ];
        let broken = lint::lint(text, true, SERVER);
        let rules = rules.into_iter().filter(|rule| broken.iter().any(|warning| warning.rule == *rule));
        ignore(
            rules.map(str::to_owned).collect(),
            "the tool has no other way; done by hand before where the table is busy",
        );
    }
    if part.transaction {
        ignore(lint::broken_untold(text, true, SERVER), "runs inside one transaction: all of it or nothing");
    }
    lines
}

/// A file with one way in it.
pub(super) fn one_way(part: &Part<'_>, file: &str, first: &str, way: Way, undo: &str) -> String {
    let statements = match way {
        Way::Up => &part.up,
        Way::Down => &part.down,
    };
    sheet(part, first, &head(part, file, way, undo), &body(statements))
}

/// The file for psql, where the tool itself cannot.
pub(super) fn by_hand(part: &Part<'_>, file: &str, migration: &str) -> Option<String> {
    let statements = part.by_hand.as_ref()?;
    let lead = format!(
        "-- {file}: for psql, statement by statement, before {migration} is applied and after all that come before it.\n\
         -- {migration} then finds nothing left to do.\n-- squawk-disable-assume-in-transaction\n"
    );
    Some(format!("{lead}\n{}", body(statements)))
}
