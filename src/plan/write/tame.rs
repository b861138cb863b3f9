//! Names and strings that a tool would read as its own marks: `-- +goose Down` on a line of its own, inside a quoted name.
//! They are written by code points, which PostgreSQL reads as the same name and no tool reads as anything.

use super::inside::{Piece, tokens, words};
use super::tools::Writer;
use crate::error::Stop;
use squawk_lexer::{LiteralKind, TokenKind};

/// The statements, with nothing in them that the tool takes for a mark.
pub(super) fn all(statements: Vec<String>, writer: &Writer, step: &str) -> Result<Vec<String>, Stop> {
    let each = statements.into_iter().map(|statement| {
        if !is_trouble(&statement, writer) {
            return Ok(statement);
        }
        let tamed = text(&statement);
        if is_trouble(&tamed, writer) {
            let message = format!("step {step} holds text that {} would take for a mark of its own", writer.name);
            return Err(Stop::usage(message, "write it for another tool, with --tool plain-sql"));
        }
        Ok(tamed)
    });
    each.collect()
}

fn is_trouble(statement: &str, writer: &Writer) -> bool {
    let lower = statement.to_lowercase();
    let marked = |line: &str| {
        let line = line.trim_start();
        line.starts_with("--") && writer.marks.iter().any(|mark| line.contains(mark))
    };
    writer.anywhere.iter().any(|text| lower.contains(text)) || lower.split(['\n', '\r']).any(marked)
}

fn text(sql: &str) -> String {
    let routine = words(sql);
    let body = routine.first().is_some_and(|word| word == "do")
        || routine.iter().any(|word| matches!(word.as_str(), "function" | "procedure"));
    tokens(sql).into_iter().map(|piece| one(piece, body)).collect()
}

fn one((kind, text): Piece<'_>, body: bool) -> String {
    match kind {
        TokenKind::QuotedIdent { terminated: true, .. } if text.starts_with('"') => pointed(text, '"'),
        TokenKind::Literal { kind: LiteralKind::Str { terminated: true } } if text.starts_with('\'') => {
            pointed(text, '\'')
        }
        TokenKind::Literal { kind: LiteralKind::EscStr { .. } } => text.replace('\r', "\\r").replace('\n', "\\n"),
        TokenKind::Literal { kind: LiteralKind::DollarQuotedString { terminated: true } } if body => {
            let tag = text[1..].find('$').map_or(text.len(), |end| end + 2);
            let (opening, rest) = text.split_at(tag);
            let (inner, closing) = rest.split_at(rest.len() - tag);
            format!("{opening}{}{closing}", self::text(inner))
        }
        _ => text.to_owned(),
    }
}

/// `"a-b"` as `U&"a\002db"`: "Identifiers and Key Words" in PostgreSQL's documentation, section 4.1.1.
fn pointed(quoted: &str, quote: char) -> String {
    let inner = &quoted[1..quoted.len() - 1];
    let point = |c: char| match c {
        c if c == quote || c == ' ' || c.is_ascii_alphanumeric() || c == '_' => c.to_string(),
        c => format!("\\+{:06x}", u32::from(c)),
    };
    format!("U&{quote}{}{quote}", inner.chars().map(point).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::super::tools;
    use super::*;

    fn tamed(tool: &str, sql: &str) -> Result<String, Stop> {
        all(vec![sql.to_owned()], tools::of(tool), "s").map(|mut all| all.remove(0))
    }

    #[test]
    fn a_name_is_no_mark() {
        assert_eq!(
            tamed("goose", "drop table \"a\n-- +goose Down\nb\"").unwrap(),
            "drop table U&\"a\\+00000a\\+00002d\\+00002d \\+00002bgoose Down\\+00000ab\""
        );
        assert_eq!(tamed("goose", "drop table \"a\nb\"").unwrap(), "drop table \"a\nb\"");
        assert_eq!(tamed("goose", "select '-- +goose Down'").unwrap(), "select '-- +goose Down'");
        let body = tamed("dbmate", "do $$ begin execute '\n-- migrate:down\n'; end $$").unwrap();
        assert!(!body.contains("migrate:"), "{body}");
    }

    #[test]
    fn what_cannot_be_told_from_a_mark_is_not_written() {
        assert!(tamed("goose", "do $$ begin\n-- +goose Down\nend $$").is_err());
    }
}
