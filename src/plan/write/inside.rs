//! Statements that want no transaction, in the form that can live in one: the same result, at the price of a longer lock.

use crate::history::statements;
use crate::plan::order::WAIT;
use squawk_lexer::{LiteralKind, TokenKind, tokenize};

/// A token: its kind, and its text.
pub(super) type Piece<'a> = (TokenKind, &'a str);

/// The tokens of a text.
pub(super) fn tokens(text: &str) -> Vec<Piece<'_>> {
    let mut at = 0;
    let tokens = tokenize(text).map(|token| {
        let end = (at + token.len as usize).min(text.len());
        let piece = (token.kind, &text[at..end]);
        at = end;
        piece
    });
    tokens.filter(|(_, text)| !text.is_empty()).collect()
}

/// White space and comments.
pub(super) const fn is_blank(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. })
}

/// The first words, in lower case.
pub(super) fn words(statement: &str) -> Vec<String> {
    let start = statements(statement).0.first().map_or(0, |range| range.start);
    let words = statement[start..].split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    words.take(6).map(str::to_lowercase).collect()
}

/// `set lock_timeout = …`: what squawk asks for, and one statement alone cannot have.
pub(super) fn is_timeout(statement: &str) -> bool {
    is_setting(statement) && words(statement).iter().take(3).any(|word| word.ends_with("_timeout"))
}

/// `set …` and `reset …`, of which the one that needs a transaction anyway is none.
pub(super) fn is_setting(statement: &str) -> bool {
    let words = words(statement);
    let first = words.first().map(String::as_str);
    matches!(first, Some("set" | "reset")) && words.get(1).is_none_or(|word| word != "constraints")
}

/// The statements, as they can run inside a transaction. What can never do so is left out.
pub(super) fn within(statements: &[String]) -> Vec<String> {
    let never = |statement: &&String| {
        let words = words(statement);
        matches!(words.first().map(String::as_str), Some("vacuum"))
            || words.first().is_some_and(|word| word == "alter") && words.get(1).is_some_and(|word| word == "system")
    };
    // What was set for the transaction ends with it.
    let reset =
        |statement: &&String| is_timeout(statement) && words(statement).first().is_some_and(|word| word == "reset");
    let kept = statements.iter().filter(|statement| !never(statement) && !reset(statement));
    kept.map(|statement| one(statement)).collect()
}

fn one(statement: &str) -> String {
    if is_timeout(statement) {
        let at = statements(statement).0.first().map_or(0, |range| range.start);
        // Outside a transaction it may wait for as long as it takes; inside, whoever comes next would wait behind it.
        if words(statement).iter().any(|word| word == "lock_timeout") {
            return format!("{}set local lock_timeout = '{WAIT}'", &statement[..at]);
        }
        let local = words(statement).get(1).is_some_and(|word| word == "local");
        let rest = statement[at..].strip_prefix("set ").filter(|_| !local);
        return rest.map_or_else(|| statement.to_owned(), |rest| format!("{}set local {rest}", &statement[..at]));
    }
    match words(statement).first().map(String::as_str) {
        Some("do") => block(statement),
        Some("create" | "drop" | "reindex" | "alter") => without_concurrently(statement),
        _ => statement.to_owned(),
    }
}

/// `concurrently` as a word, and the space behind it.
fn without_concurrently(statement: &str) -> String {
    let mut kept = String::with_capacity(statement.len());
    let mut dropped = false;
    for (kind, text) in tokens(statement) {
        if kind == TokenKind::Ident && text.eq_ignore_ascii_case("concurrently") {
            dropped = true;
        } else if !(dropped && kind == TokenKind::Whitespace) {
            kept.push_str(text);
            dropped = false;
        } else {
            dropped = false;
        }
    }
    kept
}

/// An anonymous block that commits no more: all its batches are one.
fn block(statement: &str) -> String {
    let commits = |kind: TokenKind, text: &str| {
        matches!(kind, TokenKind::Literal { kind: LiteralKind::DollarQuotedString { terminated: true } })
            && text.to_ascii_lowercase().contains("commit")
    };
    tokens(statement)
        .into_iter()
        .map(|(kind, text)| if commits(kind, text) { uncommitted(text) } else { text.to_owned() })
        .collect()
}

fn uncommitted(quoted: &str) -> String {
    let tag = quoted[1..].find('$').map_or(quoted.len(), |end| end + 2);
    let (opening, rest) = quoted.split_at(tag);
    let (body, closing) = rest.split_at(rest.len() - tag);
    let pieces = tokens(body);
    let solid: Vec<usize> = (0..pieces.len()).filter(|at| !is_blank(pieces[*at].0)).collect();
    let mut text: Vec<&str> = pieces.iter().map(|(_, text)| *text).collect();
    for (n, &at) in solid.iter().enumerate() {
        let is_commit = pieces[at].0 == TokenKind::Ident && pieces[at].1.eq_ignore_ascii_case("commit");
        let starts = n == 0 || pieces[solid[n - 1]].0 == TokenKind::Semi || starts_block(pieces[solid[n - 1]].1);
        // Up to the semicolon: `commit and no chain;`.
        let end = solid[n..].iter().position(|at| pieces[*at].0 == TokenKind::Semi);
        if is_commit
            && starts
            && let Some(end) = end.filter(|end| *end <= 4)
        {
            text[at] = "null";
            solid[n + 1..n + end].iter().for_each(|at| text[*at] = "");
        }
    }
    format!("{opening}{}{closing}", text.concat())
}

/// Words behind which a statement of PL/pgSQL begins.
fn starts_block(word: &str) -> bool {
    ["begin", "loop", "then", "else"].iter().any(|start| word.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_outside_goes_inside() {
        let within = |statement: &str| within(&[statement.to_owned()]).join("|");
        assert_eq!(
            within("create unique index concurrently if not exists \"a concurrently b\" on t (c)"),
            "create unique index if not exists \"a concurrently b\" on t (c)"
        );
        assert_eq!(within("set statement_timeout = '0'"), "set local statement_timeout = '0'");
        assert_eq!(within("-- why\nset lock_timeout = '0'"), "-- why\nset local lock_timeout = '900ms'");
        assert_eq!(within("set local statement_timeout = '1s'"), "set local statement_timeout = '1s'");
        assert_eq!(within("reset lock_timeout"), "");
        assert_eq!(within("vacuum t"), "");
        assert_eq!(
            within(
                "do $x$ begin loop update t set \"commit;\" = 'commit;'; commit; exit; end loop; commit and no chain; end $x$"
            ),
            "do $x$ begin loop update t set \"commit;\" = 'commit;'; null; exit; end loop; null   ; end $x$"
        );
    }

    #[test]
    fn settings_are_told_apart() {
        assert!(is_timeout("/* a */ SET lock_timeout = '1s'"));
        assert!(is_timeout("set local statement_timeout to 0"));
        assert!(!is_timeout("set role x") && is_setting("set role x"));
        assert!(!is_setting("set constraints all deferred"));
        assert!(!is_setting("update t set lock_timeout = 1"));
    }
}
