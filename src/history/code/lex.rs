//! Words, strings and punctuation of the languages that migrations are written in.

use crate::history::sql::Flaw;
use std::ops::Range;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    /// And TypeScript.
    JavaScript,
    Ruby,
    Elixir,
    CSharp,
    Java,
    Kotlin,
    Rust,
    Go,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, also `:symbol` of Ruby and Elixir (then the symbol alone) and `@attribute`.
    Word,
    /// The content of a string, without its quotes.
    Text {
        escapes: bool,
        holes: Vec<Range<usize>>,
    },
    /// The words of `%w[a b]` and `~w(a b)`.
    Words,
    Symbol,
    Number,
    Punctuation,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
    /// Where it begins, with its quotes.
    pub(super) start: usize,
    /// It is the first on its line.
    pub(super) first: bool,
    /// Columns before it on its line.
    pub(super) indent: usize,
}

impl Token {
    pub(super) fn text<'a>(&self, text: &'a str) -> &'a str {
        &text[self.range.clone()]
    }

    pub(super) fn is_word(&self, text: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.text(text) == word
    }

    pub(super) fn is_punctuation(&self, text: &str, mark: char) -> bool {
        self.kind == Kind::Punctuation && self.text(text).starts_with(mark)
    }

    pub(super) fn opens(&self, text: &str) -> bool {
        self.kind == Kind::Punctuation && matches!(self.text(text), "(" | "[" | "{")
    }

    pub(super) fn closes(&self, text: &str) -> bool {
        self.kind == Kind::Punctuation && matches!(self.text(text), ")" | "]" | "}")
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text { .. })
    }

    /// A string's or a symbol's value; a string with holes has none.
    pub(super) fn content(&self, text: &str) -> Option<String> {
        match &self.kind {
            Kind::Text { escapes, holes } if holes.is_empty() => {
                let raw = self.text(text);
                Some(if *escapes && raw.contains('\\') {
                    raw.replace("\\n", "\n").replace('\\', "")
                } else {
                    raw.to_owned()
                })
            }
            Kind::Symbol => Some(self.text(text).to_owned()),
            _ => None,
        }
    }
}

/// Every token of a file. What is never closed is reported and costs its line.
pub(super) fn lex(text: &str, language: Language) -> (Vec<Token>, Vec<Flaw>) {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        language,
        tokens: Vec::new(),
        flaws: Vec::new(),
        heredocs: Vec::new(),
        line: 0,
        fresh: true,
    };
    lexer.run();
    let mut flaws = lexer.flaws;
    let tokens = shallow(text, lexer.tokens, &mut flaws);
    (tokens, flaws)
}

/// Brackets in brackets, no deeper than this: nobody writes more, and arguments are read again at each level.
const DEEPEST: usize = 100;

/// The tokens without those that nest too deep.
fn shallow(text: &str, mut tokens: Vec<Token>, flaws: &mut Vec<Flaw>) -> Vec<Token> {
    let mut depth = 0usize;
    let mut told = false;
    tokens.retain(|token| {
        depth = depth.saturating_sub(usize::from(token.closes(text)));
        let kept = depth < DEEPEST;
        if !kept && !told {
            told = true;
            flaws.push(Flaw {
                at: token.start,
                message: "from here on brackets nest deeper than they are followed".to_owned(),
            });
        }
        depth += usize::from(token.opens(text));
        kept
    });
    tokens
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    language: Language,
    tokens: Vec<Token>,
    flaws: Vec<Flaw>,
    /// Heredocs announced on this line: the index of their token, and the tag.
    heredocs: Vec<(usize, String)>,
    line: usize,
    fresh: bool,
}

impl Lexer<'_> {
    fn starts(&self, prefix: &str) -> bool {
        self.bytes[self.at..].starts_with(prefix.as_bytes())
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: Kind, start: usize, range: Range<usize>) {
        self.tokens.push(Token { kind, range, start, first: self.fresh, indent: start - self.line.min(start) });
        self.fresh = false;
    }

    fn run(&mut self) {
        use Language::{Elixir, Python, Ruby};
        while self.at < self.bytes.len() {
            let byte = self.bytes[self.at];
            let slashes = !matches!(self.language, Python | Ruby | Elixir);
            match byte {
                b'\n' => self.newline(),
                _ if byte.is_ascii_whitespace() => self.at += 1,
                b'#' if matches!(self.language, Python | Ruby | Elixir) => self.skip_line(),
                b'/' if slashes && self.peek(1) == b'/' => self.skip_line(),
                b'/' if slashes && self.peek(1) == b'*' => {
                    let end = self.text[self.at + 2..].find("*/");
                    let end = end.map_or(self.bytes.len(), |end| self.at + end + 4);
                    if self.text[self.at..end].contains('\n') {
                        self.line = self.at + self.text[self.at..end].rfind('\n').unwrap_or(0) + 1;
                    }
                    self.at = end;
                }
                b'=' if self.language == Ruby && self.at == self.line && self.starts("=begin") => {
                    self.at = self.text[self.at..].find("\n=end").map_or(self.bytes.len(), |end| self.at + end + 5);
                }
                _ if self.string() => {}
                _ if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'@' | b'$') || byte >= 0x80 => self.word(),
                b':' if matches!(self.language, Ruby | Elixir) && self.symbol() => {}
                _ if byte.is_ascii_digit() => {
                    let start = self.at;
                    while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'_' {
                        self.at += 1;
                    }
                    self.push(Kind::Number, start, start..self.at);
                }
                _ => {
                    let start = self.at;
                    self.at += 1;
                    self.push(Kind::Punctuation, start, start..self.at);
                }
            }
        }
    }

    fn newline(&mut self) {
        self.at += 1;
        self.line = self.at;
        self.fresh = true;
        for (token, tag) in std::mem::take(&mut self.heredocs) {
            let start = self.at;
            let mut end = start;
            loop {
                if end >= self.bytes.len() {
                    self.flaws.push(Flaw {
                        at: self.tokens[token].start,
                        message: format!("the text up to {tag} never ends"),
                    });
                    break;
                }
                let length = self.text[end..].find('\n').map_or(self.bytes.len() - end, |n| n + 1);
                if self.text[end..end + length].trim() == tag {
                    self.at = end + length;
                    break;
                }
                end += length;
                self.at = end;
            }
            self.tokens[token].range = start..end;
            let holes = self.holes(start..end, "#{", "}");
            self.tokens[token].kind = Kind::Text { escapes: true, holes };
            self.line = self.at;
        }
    }

    fn skip_line(&mut self) {
        self.at += self.bytes[self.at..].iter().position(|b| *b == b'\n').unwrap_or(self.bytes.len() - self.at);
    }

    fn word(&mut self) {
        let start = self.at;
        self.at += 1;
        while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'_' || self.peek(0) >= 0x80 {
            self.at += 1;
        }
        if matches!(self.language, Language::Ruby | Language::Elixir) && matches!(self.peek(0), b'?' | b'!') {
            self.at += 1;
        }
        self.push(Kind::Word, start, start..self.at);
    }

    fn symbol(&mut self) -> bool {
        let before = self.at.checked_sub(1).map_or(b' ', |at| self.bytes[at]);
        if before == b':'
            || before.is_ascii_alphanumeric()
            || !(self.peek(1).is_ascii_alphabetic() || self.peek(1) == b'_')
        {
            return false;
        }
        let start = self.at;
        self.at += 1;
        while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'_' {
            self.at += 1;
        }
        self.push(Kind::Symbol, start, start + 1..self.at);
        true
    }

    /// A string of the language, if one begins here.
    fn string(&mut self) -> bool {
        use Language::{CSharp, Elixir, Go, Java, JavaScript, Kotlin, Python, Ruby, Rust};
        let start = self.at;
        let rest = &self.text[self.at..];
        match self.language {
            Python => {
                let prefix = rest.bytes().take_while(|b| b"rRbBfFuU".contains(b)).count();
                if prefix > 2 || !matches!(rest.as_bytes().get(prefix), Some(b'"' | b'\'')) {
                    return false;
                }
                let letters = rest[..prefix].to_lowercase();
                let quote = &rest[prefix..];
                let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|q| quote.starts_with(q)).unwrap_or("\"");
                let raw = letters.contains('r');
                let holes = if letters.contains('f') { Some(("{", "}")) } else { None };
                self.quoted(start, prefix, quote, !raw, holes, quote.len() == 3)
            }
            JavaScript => match rest.as_bytes()[0] {
                b'`' => self.quoted(start, 0, "`", true, Some(("${", "}")), true),
                b'"' => self.quoted(start, 0, "\"", true, None, false),
                b'\'' => self.quoted(start, 0, "'", true, None, false),
                _ => false,
            },
            Ruby => self.ruby(start, rest),
            Elixir => {
                if rest.starts_with("~w") {
                    return self.bracketed(start, 2, true);
                }
                if rest.starts_with("~s") || rest.starts_with("~S") {
                    return match ["\"\"\"", "\""].into_iter().find(|q| rest[2..].starts_with(q)) {
                        Some(quote) => self.quoted(start, 2, quote, false, Some(("#{", "}")), true),
                        None => self.bracketed(start, 2, false),
                    };
                }
                let quote = ["\"\"\"", "\"", "'"].into_iter().find(|q| rest.starts_with(q));
                quote.is_some_and(|quote| self.quoted(start, 0, quote, true, Some(("#{", "}")), true))
            }
            CSharp => {
                let prefix = rest.bytes().take_while(|b| b"@$".contains(b)).count();
                let Some(quote) = ["\"\"\"", "\""].into_iter().find(|q| rest[prefix..].starts_with(q)) else {
                    return rest.starts_with('\'') && self.quoted(start, 0, "'", true, None, false);
                };
                let verbatim = rest[..prefix].contains('@') || quote.len() == 3;
                let holes = if rest[..prefix].contains('$') { Some(("{", "}")) } else { None };
                self.quoted(start, prefix, quote, !verbatim, holes, verbatim)
            }
            Java | Kotlin => {
                let quote = ["\"\"\"", "\"", "'"].into_iter().find(|q| rest.starts_with(q));
                let raw = self.language == Kotlin && quote == Some("\"\"\"");
                quote.is_some_and(|quote| self.quoted(start, 0, quote, !raw, None, quote.len() == 3))
            }
            Rust => {
                if let Some(after) = rest.strip_prefix('r') {
                    let hashes = after.bytes().take_while(|b| *b == b'#').count();
                    if after[hashes..].starts_with('"') {
                        let end = format!("\"{}", "#".repeat(hashes));
                        return self.until(start, hashes + 2, &end);
                    }
                }
                if rest.starts_with('\'') && !(rest.as_bytes().get(2) == Some(&b'\'') || rest.starts_with("'\\")) {
                    return false; // a lifetime
                }
                let quote = ["\"", "'"].into_iter().find(|q| rest.starts_with(q));
                quote.is_some_and(|quote| self.quoted(start, 0, quote, true, None, true))
            }
            Go => match rest.as_bytes()[0] {
                b'`' => self.until(start, 1, "`"),
                b'"' => self.quoted(start, 0, "\"", true, None, false),
                b'\'' => self.quoted(start, 0, "'", true, None, false),
                _ => false,
            },
        }
    }

    fn ruby(&mut self, start: usize, rest: &str) -> bool {
        if let Some(after) = rest.strip_prefix("<<") {
            let squiggle = after.bytes().take_while(|b| matches!(b, b'~' | b'-')).count();
            let quoted = after[squiggle..].starts_with(['\'', '"', '`']);
            let tag = &after[squiggle + usize::from(quoted)..];
            let length = tag.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            let is_tag = tag.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') || quoted;
            if length == 0 || !is_tag || squiggle == 0 && !tag.starts_with(|c: char| c.is_ascii_uppercase()) {
                return false;
            }
            let tag = tag[..length].to_owned();
            self.at = start + 2 + squiggle + length + 2 * usize::from(quoted);
            self.push(Kind::Text { escapes: true, holes: Vec::new() }, start, start..start);
            self.heredocs.push((self.tokens.len() - 1, tag));
            return true;
        }
        if rest.starts_with("%w") || rest.starts_with("%i") {
            return self.bracketed(start, 2, true);
        }
        if rest.starts_with("%q") || rest.starts_with("%Q") {
            return self.bracketed(start, 2, false);
        }
        match rest.as_bytes()[0] {
            b'"' => self.quoted(start, 0, "\"", true, Some(("#{", "}")), true),
            b'\'' => self.quoted(start, 0, "'", true, None, true),
            _ => false,
        }
    }

    /// `(…)`, `[…]`, `{…}`, `|…|` behind a prefix.
    fn bracketed(&mut self, start: usize, prefix: usize, words: bool) -> bool {
        let Some(open) = self.bytes.get(start + prefix).copied() else { return false };
        let close = match open {
            b'(' => ')',
            b'[' => ']',
            b'{' => '}',
            b'<' => '>',
            b'|' | b'/' | b'!' => char::from(open),
            _ => return false,
        };
        let Some(length) = self.text[start + prefix + 1..].find(close) else { return false };
        let content = start + prefix + 1..start + prefix + 1 + length;
        self.at = content.end + 1;
        let kind = if words {
            Kind::Words
        } else {
            Kind::Text { escapes: false, holes: self.holes(content.clone(), "#{", "}") }
        };
        self.push(kind, start, content);
        true
    }

    /// A raw string up to its end.
    fn until(&mut self, start: usize, prefix: usize, end: &str) -> bool {
        let from = start + prefix;
        let Some(length) = self.text.get(from..).and_then(|rest| rest.find(end)) else { return self.unclosed(start) };
        self.at = from + length + end.len();
        self.push(Kind::Text { escapes: false, holes: Vec::new() }, start, from..from + length);
        true
    }

    fn quoted(
        &mut self,
        start: usize,
        prefix: usize,
        quote: &str,
        escapes: bool,
        holes: Option<(&str, &str)>,
        lines: bool,
    ) -> bool {
        let from = start + prefix + quote.len();
        let mut at = from;
        loop {
            match self.bytes.get(at) {
                None => return self.unclosed(start),
                Some(b'\n') if !lines => return self.unclosed(start),
                Some(b'\\') if escapes => at += 2,
                Some(_) if self.bytes[at..].starts_with(quote.as_bytes()) => {
                    // `""` inside a verbatim string of C#.
                    if self.language == Language::CSharp
                        && !escapes
                        && quote.len() == 1
                        && self.bytes.get(at + 1) == Some(&b'"')
                    {
                        at += 2;
                        continue;
                    }
                    break;
                }
                Some(b'$')
                    if self.language == Language::JavaScript
                        && quote == "`"
                        && self.bytes.get(at + 1) == Some(&b'{') =>
                {
                    at = self.hole_end(at + 2);
                }
                Some(_) => at += 1,
            }
        }
        let content = from..at;
        self.at = at + quote.len();
        let holes = holes.map(|(open, close)| self.holes(content.clone(), open, close)).unwrap_or_default();
        self.push(Kind::Text { escapes, holes }, start, content.clone());
        if let Some(last) = self.text[content.clone()].rfind('\n') {
            self.line = content.start + last + 1;
        }
        true
    }

    /// Behind the brace that closes a hole.
    fn hole_end(&self, from: usize) -> usize {
        let mut depth = 1;
        let mut at = from;
        while at < self.bytes.len() && depth > 0 {
            match self.bytes[at] {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// The holes of a string, each with its marks.
    fn holes(&self, content: Range<usize>, open: &str, close: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = content.start;
        while let Some(next) = self.text.get(at..content.end).and_then(|rest| rest.find(open)) {
            let start = at + next;
            // `{{` is a brace, not a hole.
            if open == "{" && self.bytes.get(start + 1) == Some(&b'{') {
                at = start + 2;
                continue;
            }
            let Some(length) = self.text.get(start..content.end).and_then(|rest| rest.find(close)) else { break };
            found.push(start..start + length + close.len());
            at = start + length + close.len();
        }
        found
    }

    fn unclosed(&mut self, start: usize) -> bool {
        self.flaws.push(Flaw { at: start, message: "this string is never closed".to_owned() });
        self.at = start;
        self.skip_line();
        self.at = self.at.max(start + 1);
        true
    }
}
