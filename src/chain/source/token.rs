//! SQL and PL/pgSQL as tokens: enough to follow where values go, nothing of the grammar in between.

use crate::check::quote;

/// Before the name of a column of the table beside the chain.
pub const BESIDE: &str = "e\0";

/// A token, with what is known about the value it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A keyword or a plain name, in lower case.
    Word(String),
    /// `"Name"`.
    Quoted(String),
    /// A string constant, read.
    Text(String),
    /// A number, `$1`, or a bit string.
    Number(String),
    /// An operator or a bracket.
    Sign(String),
    /// A column of the row that is hashed.
    Column(String),
    /// The hash of the row before; the column of the chain it was read from.
    Previous(String),
    /// A value that the stored row does not tell.
    Unknown(String),
}

impl Token {
    /// A sign.
    pub fn sign(sign: &str) -> Self {
        Self::Sign(sign.to_owned())
    }

    /// A keyword.
    pub fn word(word: &str) -> Self {
        Self::Word(word.to_owned())
    }

    /// Whether it is this keyword.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(is) if is == word)
    }

    /// Whether it is this sign.
    pub fn is_sign(&self, sign: &str) -> bool {
        matches!(self, Self::Sign(is) if is == sign)
    }

    /// A name, quoted or not.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            _ => None,
        }
    }

    fn sql(&self) -> String {
        match self {
            Self::Word(text) | Self::Number(text) | Self::Sign(text) => text.clone(),
            Self::Quoted(name) => format!("\"{}\"", name.replace('"', "\"\"")),
            Self::Text(text) => quote::literal(text),
            Self::Column(column) => match column.strip_prefix(BESIDE) {
                Some(column) => format!("e.{}", quote::ident(column)),
                None => format!("t.{}", quote::ident(column)),
            },
            // Whoever renders has replaced these; as SQL they are errors.
            Self::Previous(_) => "@previous".to_owned(),
            Self::Unknown(name) => format!("@unknown {name}"),
        }
    }
}

/// Tokens as SQL.
pub fn render(tokens: &[Token]) -> String {
    tokens.iter().map(Token::sql).collect::<Vec<_>>().join(" ")
}

const SIGNS: [&str; 18] =
    ["->>", "#>>", "||", "::", ":=", "<=", ">=", "<>", "!=", "->", "#>", "=>", "..", "@>", "<@", "<<", ">>", "&&"];

/// Reads tokens; comments are dropped. Never fails: what is unterminated ends with the text.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = if first.is_whitespace() {
            &rest[first.len_utf8()..]
        } else if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else {
            let (token, after) = token(rest, first);
            found.push(token);
            after
        };
    }
    found
}

fn token(rest: &str, first: char) -> (Token, &str) {
    match first {
        '\'' => string(&rest[1..], false),
        'e' | 'E' if rest[1..].starts_with('\'') => string(&rest[2..], true),
        '"' => {
            let (name, after) = quoted(&rest[1..], '"');
            (Token::Quoted(name), after)
        }
        '$' => match dollar(rest) {
            Some((text, after)) => (Token::Text(text.to_owned()), after),
            None => {
                let end = rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| at + 1);
                (Token::Number(rest[..end].to_owned()), &rest[end..])
            }
        },
        c if c.is_ascii_digit() => {
            let mut end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
            if let Some(range) = rest[..end].find("..") {
                end = range;
            }
            (Token::Number(rest[..end].to_owned()), &rest[end..])
        }
        c if c.is_alphabetic() || c == '_' => {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
            (Token::Word(rest[..end].to_lowercase()), &rest[end..])
        }
        c => {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let end = sign.map_or(c.len_utf8(), str::len);
            (Token::Sign(rest[..end].to_owned()), &rest[end..])
        }
    }
}

fn string(rest: &str, escapes: bool) -> (Token, &str) {
    if !escapes {
        let (text, after) = quoted(rest, '\'');
        return (Token::Text(text), after);
    }
    let mut text = String::new();
    let mut characters = rest.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((at, 'x')) => text.push(numbered(&mut characters, &rest[at + 1..], 16, 2)),
                Some((at, '0'..='7')) => text.push(numbered(&mut characters, &rest[at..], 8, 3)),
                Some((_, other)) => text.push(other),
                None => break,
            },
            '\'' if rest[at + 1..].starts_with('\'') => {
                characters.next();
                text.push('\'');
            }
            '\'' => return (Token::Text(text), &rest[at + 1..]),
            c => text.push(c),
        }
    }
    (Token::Text(text), "")
}

/// The character whose number follows, in at most so many digits; its digits are passed over.
fn numbered(characters: &mut std::str::CharIndices<'_>, rest: &str, base: u32, most: usize) -> char {
    let digits = rest.chars().take(most).take_while(|c| c.is_digit(base)).count();
    // The first octal digit has been passed already.
    for _ in usize::from(base == 8)..digits {
        characters.next();
    }
    u32::from_str_radix(&rest[..digits], base).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
}

/// Up to the closing quote; a doubled one is one.
fn quoted(rest: &str, quote: char) -> (String, &str) {
    let mut text = String::new();
    let mut at = 0;
    while let Some(end) = rest[at..].find(quote) {
        text.push_str(&rest[at..at + end]);
        at += end + 1;
        if !rest[at..].starts_with(quote) {
            return (text, &rest[at..]);
        }
        text.push(quote);
        at += 1;
    }
    text.push_str(&rest[at..]);
    (text, "")
}

fn dollar(rest: &str) -> Option<(&str, &str)> {
    let end = rest[1..].find('$')? + 2;
    let tag = &rest[..end];
    let named = tag[1..end - 1].chars().all(|c| c.is_alphanumeric() || c == '_');
    if !named || tag[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let body = &rest[end..];
    let close = body.find(tag)?;
    Some((&body[..close], &body[close + end..]))
}

fn block_comment(rest: &str) -> &str {
    let mut depth = 0;
    let mut at = 0;
    loop {
        let tail = &rest[at..];
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return &rest[at..];
            }
        } else {
            match tail.chars().next() {
                Some(c) => at += c.len_utf8(),
                None => return "",
            }
        }
    }
}

/// Where the bracket opened at `open` is closed.
pub fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is_sign("(") || token.is_sign("[") {
            depth += 1;
        } else if token.is_sign(")") || token.is_sign("]") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// Parts between separators that stand in no bracket and in no CASE.
pub fn split<'a>(tokens: &'a [Token], separator: &str) -> Vec<&'a [Token]> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, token) in tokens.iter().enumerate() {
        if token.is_sign("(") || token.is_sign("[") || token.is_word("case") {
            depth += 1;
        } else if token.is_sign(")") || token.is_sign("]") || (token.is_word("end") && depth > 0) {
            depth -= 1;
        } else if depth == 0 && token.is_sign(separator) {
            parts.push(&tokens[start..at]);
            start = at + 1;
        }
    }
    if start < tokens.len() || !parts.is_empty() {
        parts.push(&tokens[start..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_comments_and_names_are_told_apart() {
        let text = r#"NEW."Hash" := encode(x, 'it''s') || E'\n' -- no
            /* a /* b */ c */ || $a$ $b$ $a$ || $1::TEXT"#;
        let tokens = tokens(text);
        assert_eq!(tokens[0], Token::word("new"));
        assert_eq!(tokens[2], Token::Quoted("Hash".into()));
        assert!(tokens.contains(&Token::Text("it's".into())) && tokens.contains(&Token::Text("\n".into())));
        assert_eq!(super::tokens(r"E'a\x1fb\037c\\'"), [Token::Text("a\u{1f}b\u{1f}c\\".into())]);
        assert!(tokens.contains(&Token::Text(" $b$ ".into())) && tokens.contains(&Token::Number("$1".into())));
        assert_eq!(split(&tokens[4..], "||").len(), 4);
    }

    #[test]
    fn unfinished_text_ends() {
        for text in ["'abc", "$x$ abc", "/* abc", "\"abc", "E'a\\", "--"] {
            let _ = tokens(text);
        }
    }
}
