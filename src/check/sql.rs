//! Just enough of SQLite's grammar to tell words from strings and comments.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bare word: a keyword or a name.
    Word,
    /// A quoted name: `"a"`, `` `a` `` or `[a]`.
    Name,
    /// A string or a number.
    Constant,
    /// Anything else, one character.
    Sign,
}

/// One token and where it stands in the SQL, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) place: Range<usize>,
}

impl Token {
    /// The token as written.
    pub(super) fn text<'a>(&self, sql: &'a str) -> &'a str {
        &sql[self.place.clone()]
    }
}

/// The tokens of some SQL; blanks and comments are left out.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let (kind, length) = match first {
            c if c.is_whitespace() => (None, rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
            '\'' => (Some(Kind::Constant), quoted(rest, '\'')),
            '"' | '`' => (Some(Kind::Name), quoted(rest, first)),
            '[' => (Some(Kind::Name), rest.find(']').map_or(rest.len(), |end| end + 1)),
            c if is_word(c) => {
                let kind = if c.is_ascii_digit() { Kind::Constant } else { Kind::Word };
                (Some(kind), rest.find(|c| !is_word(c)).unwrap_or(rest.len()))
            }
            c => (Some(Kind::Sign), c.len_utf8()),
        };
        tokens.extend(kind.map(|kind| Token { kind, place: at..at + length }));
        at += length;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Length of a quoted token at the start of `text`; a doubled quote stays inside.
fn quoted(text: &str, quote: char) -> usize {
    let mut quotes = text.char_indices().skip(1).filter(|(_, c)| *c == quote).map(|(at, _)| at).peekable();
    while let Some(at) = quotes.next() {
        if quotes.next_if_eq(&(at + 1)).is_none() {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        tokens(sql).iter().map(|token| token.text(sql)).collect()
    }

    #[test]
    fn strings_comments_and_quoted_names_are_told_apart() {
        let sql = "select 'it''s; roles' -- grants;\n from \"a\"\"b\" /* functions; */ where [x y]>=1.5";
        assert_eq!(
            texts(sql),
            ["select", "'it''s; roles'", "from", "\"a\"\"b\"", "where", "[x y]", ">", "=", "1", ".", "5"]
        );
    }

    #[test]
    fn what_is_never_closed_ends_with_the_text() {
        assert_eq!(texts("select 'a''"), ["select", "'a''"]);
        assert_eq!(texts("a /* b"), ["a"]);
        assert_eq!(texts("é \"b"), ["é", "\"b"]);
    }
}
