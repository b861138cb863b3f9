//! A statement, read from left to right by its tokens.

use crate::check::quote;
use squawk_lexer::{TokenKind, tokenize};
use std::fmt;
use std::ops::Range;

/// A name with its schema, as PostgreSQL stores them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl Name {
    /// For a reader: with its schema, not quoted.
    pub(crate) fn said(&self) -> String {
        format!("{}.{}", self.schema.as_deref().unwrap_or("public"), self.name)
    }
}

impl fmt::Display for Name {
    /// Quoted, as SQL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quote::relation(self.schema.as_deref(), &self.name))
    }
}

/// Where one is in a statement. Blanks and comments are passed over.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<(TokenKind, Range<usize>)>,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let mut start = 0;
        let mut tokens = Vec::new();
        for token in tokenize(text) {
            let part = start..start + token.len as usize;
            start = part.end;
            let blank = matches!(
                token.kind,
                TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } | TokenKind::Eof
            );
            if !blank {
                tokens.push((token.kind, part));
            }
        }
        Self { text, tokens, at: 0 }
    }

    fn token(&self, ahead: usize) -> Option<(TokenKind, &'a str)> {
        let (kind, part) = self.tokens.get(self.at + ahead)?;
        Some((*kind, &self.text[part.clone()]))
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Takes these words, or nothing.
    pub(crate) fn take(&mut self, words: &str) -> bool {
        let wanted: Vec<_> = words.split(' ').collect();
        let here = |(ahead, word): (usize, &&str)| {
            self.token(ahead).is_some_and(|(kind, text)| kind == TokenKind::Ident && text.eq_ignore_ascii_case(word))
        };
        let found = wanted.iter().enumerate().all(here);
        if found {
            self.at += wanted.len();
        }
        found
    }

    /// Takes one sign, or nothing.
    pub(crate) fn sign(&mut self, sign: TokenKind) -> bool {
        let found = self.token(0).is_some_and(|(kind, _)| kind == sign);
        self.at += usize::from(found);
        found
    }

    /// Whether this sign comes next.
    pub(crate) fn is_at(&self, sign: TokenKind) -> bool {
        self.token(0).is_some_and(|(kind, _)| kind == sign)
    }

    /// Takes a name without a schema.
    pub(crate) fn ident(&mut self) -> Option<String> {
        let (kind, text) = self.token(0)?;
        let name = match kind {
            TokenKind::Ident => text.to_lowercase(),
            TokenKind::QuotedIdent { uescape, .. } => unquoted(text, uescape),
            _ => return None,
        };
        self.at += 1;
        Some(name)
    }

    /// Takes a name, with its schema where one is said.
    pub(crate) fn name(&mut self) -> Option<Name> {
        let first = self.ident()?;
        if !self.sign(TokenKind::Dot) {
            return Some(Name { schema: None, name: first });
        }
        Some(Name { schema: Some(first), name: self.ident()? })
    }

    /// Takes names separated by commas.
    pub(crate) fn idents(&mut self) -> Vec<String> {
        let mut found: Vec<_> = self.ident().into_iter().collect();
        while self.sign(TokenKind::Comma) {
            found.extend(self.ident());
        }
        found
    }

    /// Takes `( … )`, and gives what is between.
    pub(crate) fn parenthesised(&mut self) -> Option<&'a str> {
        if self.token(0)?.0 != TokenKind::OpenParen {
            return None;
        }
        let start = self.tokens[self.at].1.end;
        let mut depth = 0_usize;
        loop {
            let (kind, _) = self.token(0)?;
            match kind {
                TokenKind::OpenParen => depth += 1,
                TokenKind::CloseParen => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(self.text[start..self.tokens[self.at - 1].1.start].trim());
            }
        }
    }

    /// Everything from here on.
    pub(crate) fn rest(&self) -> &'a str {
        self.tokens.get(self.at).map_or("", |(_, part)| self.text[part.start..].trim())
    }

    /// Takes everything up to a comma outside of parentheses, or up to the end.
    pub(crate) fn item(&mut self) -> &'a str {
        self.until(|kind, _| kind == TokenKind::Comma)
    }

    /// Takes everything up to one of these words outside of parentheses, or up to the end.
    pub(crate) fn up_to(&mut self, words: &[&str]) -> &'a str {
        self.until(|kind, text| kind == TokenKind::Ident && words.iter().any(|word| text.eq_ignore_ascii_case(word)))
    }

    /// Takes everything up to a sign, or up to the end.
    pub(crate) fn until_sign(&mut self, sign: TokenKind) -> &'a str {
        let start = self.at;
        while self.token(0).is_some_and(|(kind, _)| kind != sign) {
            self.at += 1;
        }
        match self.tokens.get(start..self.at) {
            Some([first, .., last]) => &self.text[first.1.start..last.1.end],
            Some([one]) => &self.text[one.1.clone()],
            _ => "",
        }
    }

    fn until(&mut self, stop: impl Fn(TokenKind, &str) -> bool) -> &'a str {
        let Some((_, first)) = self.tokens.get(self.at) else { return "" };
        let (start, mut end, mut depth) = (first.start, first.start, 0_i32);
        while let Some((kind, text)) = self.token(0) {
            match kind {
                TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
                TokenKind::CloseParen | TokenKind::CloseBracket => depth -= 1,
                _ if depth == 0 && stop(kind, text) => break,
                _ => {}
            }
            end = self.tokens[self.at].1.end;
            self.at += 1;
        }
        &self.text[start..end]
    }

    /// Takes one token, whatever it is.
    pub(crate) fn any(&mut self) -> Option<&'a str> {
        let (_, text) = self.token(0)?;
        self.at += 1;
        Some(text)
    }
}

/// `"a""b"`, and `U&"a\+00000a"` with its code points: PostgreSQL's documentation, section 4.1.1.
fn unquoted(text: &str, uescape: bool) -> String {
    let open = text.find('"').map_or(0, |at| at + 1);
    let inner = text[open..].strip_suffix('"').unwrap_or(&text[open..]).replace("\"\"", "\"");
    if !uescape && !text.starts_with(['U', 'u']) {
        return inner;
    }
    let mut plain = String::new();
    let mut rest = inner.as_str();
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let (digits, skip) = match after.as_bytes().first() {
            Some(b'\\') => {
                plain.push('\\');
                rest = &after[1..];
                continue;
            }
            Some(b'+') => (after.get(1..7), 7),
            _ => (after.get(..4), 4),
        };
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        plain.extend(code);
        rest = after.get(skip..).unwrap_or("");
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_as_they_are_written() {
        for name in ["orders", "Order", "a\"b", "we\\ird", "a\nb", "select", "naïve", "x\u{1b}[31m", "ends\\"] {
            let sql = quote::relation(Some(name), name);
            let read = Cursor::new(&sql).name().unwrap();
            assert_eq!((read.schema.as_deref(), read.name.as_str()), (Some(name), name), "{sql}");
            assert_eq!(read.to_string(), sql);
        }
    }

    #[test]
    fn items_end_at_commas_outside_of_parentheses() {
        let mut cursor = Cursor::new("numeric(10, 2) default f(1, ',') , b");
        assert_eq!(cursor.item(), "numeric(10, 2) default f(1, ',')");
        assert!(cursor.sign(TokenKind::Comma));
        assert_eq!(cursor.rest(), "b");
    }
}
