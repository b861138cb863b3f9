//! Where each statement of a script begins and ends, without parsing it: so that one broken statement costs only itself,
//! and what cannot matter is never parsed. The rules are those of psql's scanner.

use std::ops::Range;

/// Something that kept a piece of a script from being read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// Byte offset into the file.
    pub(crate) at: usize,
    pub(crate) message: String,
}

/// The statements of a script, each without its leading comments and its semicolon.
pub(crate) fn statements(text: &str) -> (Vec<Range<usize>>, Vec<Flaw>) {
    let mut scanner = Scanner { bytes: text.as_bytes(), text, at: 0, found: Vec::new(), flaws: Vec::new() };
    while scanner.statement() {}
    (scanner.found, scanner.flaws)
}

struct Scanner<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
    found: Vec<Range<usize>>,
    flaws: Vec<Flaw>,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Reads up to the next semicolon. False at the end of the script.
    fn statement(&mut self) -> bool {
        self.blank();
        let start = self.at;
        if start >= self.bytes.len() {
            return false;
        }
        if self.bytes[start] == b'\\' {
            self.line(); // a command of psql
            return true;
        }
        let mut words = Words::default();
        let mut last = start;
        while self.at < self.bytes.len() {
            let byte = self.bytes[self.at];
            match byte {
                b';' if words.complete() => break,
                b'-' if self.peek(1) == b'-' => self.line(),
                b'/' if self.peek(1) == b'*' => self.comment(),
                b'\'' => self.quoted(b'\'', words.last_is_escape(self.bytes, self.at)),
                b'"' => self.quoted(b'"', false),
                b'$' => self.dollar(),
                b'(' | b')' => {
                    words.parenthesis(byte == b'(');
                    self.at += 1;
                }
                b'\\' if self.at > start && self.bytes[self.at - 1] == b'\n' => self.line(),
                _ if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => self.word(&mut words),
                _ if byte.is_ascii_digit() => self.number(),
                _ => self.at += 1,
            }
            if !self.bytes[self.at.min(self.bytes.len()) - 1].is_ascii_whitespace() {
                last = self.at;
            }
        }
        let end = last.min(self.bytes.len());
        if end > start {
            self.found.push(start..end);
        }
        self.at += 1;
        if words.copies_from_stdin {
            self.copied_rows();
        }
        true
    }

    /// White space, comments and stray semicolons before a statement.
    fn blank(&mut self) {
        loop {
            match self.peek(0) {
                b'-' if self.peek(1) == b'-' => self.line(),
                b'/' if self.peek(1) == b'*' => self.comment(),
                b';' => self.at += 1,
                byte if byte.is_ascii_whitespace() => self.at += 1,
                0 if self.at < self.bytes.len() => self.at += 1,
                0xEF if self.text[self.at..].starts_with('\u{feff}') => self.at += 3,
                _ => return,
            }
        }
    }

    fn line(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
    }

    fn comment(&mut self) {
        let start = self.at;
        let mut depth = 0;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => (self.at, depth) = (self.at + 2, depth + 1),
                (b'*', b'/') => (self.at, depth) = (self.at + 2, depth - 1),
                _ => self.at += 1,
            }
            if depth == 0 {
                return;
            }
        }
        self.unterminated(start, "comment");
    }

    fn quoted(&mut self, quote: u8, escapes: bool) {
        let start = self.at;
        self.at += 1;
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'\\' if escapes => self.at += 2,
                byte if byte == quote && self.peek(1) == quote => self.at += 2,
                byte if byte == quote => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
        self.unterminated(start, if quote == b'"' { "quoted name" } else { "string" });
    }

    fn dollar(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start + 1..];
        let tag = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_' || **b >= 0x80).count();
        let digit = rest.first().is_some_and(u8::is_ascii_digit);
        if digit || rest.get(tag) != Some(&b'$') {
            self.at += 1;
            return;
        }
        let opening = &self.text[start..start + tag + 2];
        match self.text[start + opening.len()..].find(opening) {
            Some(length) => self.at = start + 2 * opening.len() + length,
            None => {
                self.at = self.bytes.len();
                self.unterminated(start, "dollar-quoted string");
            }
        }
    }

    /// What is never closed would swallow the rest of the script: it is reported, and reading goes on behind its line.
    fn unterminated(&mut self, start: usize, what: &str) {
        self.flaws.push(Flaw { at: start, message: format!("this {what} is never closed") });
        self.at = start;
        self.line();
    }

    fn word(&mut self, words: &mut Words) {
        let start = self.at;
        let rest = &self.bytes[start..];
        let long = |b: &u8| b.is_ascii_alphanumeric() || matches!(*b, b'_' | b'$') || *b >= 0x80;
        self.at += rest.iter().take_while(|b| long(b)).count().max(1);
        words.word(&self.bytes[start..self.at], start);
    }

    fn number(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'.').count().max(1);
    }

    /// The rows of `COPY … FROM stdin`, as pg_dump writes them.
    fn copied_rows(&mut self) {
        self.line();
        while self.at < self.bytes.len() {
            let start = self.at;
            self.line();
            if self.text[start..self.at].trim_end() == "\\." {
                return;
            }
        }
    }
}

/// What the words of a statement say about where it may end.
#[derive(Default)]
struct Words {
    count: usize,
    first: [u8; 8],
    open: usize,
    rule: bool,
    /// Depth of `BEGIN ATOMIC … END`, the body of an SQL function.
    atomic: usize,
    previous_is_begin: bool,
    previous_is_from: bool,
    copies_from_stdin: bool,
    last: usize,
    last_is_e: bool,
}

impl Words {
    fn word(&mut self, word: &[u8], start: usize) {
        let is = |other: &str| word.eq_ignore_ascii_case(other.as_bytes());
        if self.count == 0 {
            for (slot, byte) in self.first.iter_mut().zip(word) {
                *slot = byte.to_ascii_lowercase();
            }
        }
        self.count += 1;
        self.rule |= self.count <= 4 && self.first.starts_with(b"create") && is("rule");
        if self.previous_is_begin && is("atomic") || self.atomic > 0 && is("case") {
            self.atomic += 1;
        } else if self.atomic > 0 && is("end") {
            self.atomic -= 1;
        }
        self.copies_from_stdin |= self.previous_is_from && is("stdin") && self.first.starts_with(b"copy");
        self.previous_is_begin = is("begin") && self.first.starts_with(b"create");
        self.previous_is_from = is("from");
        self.last = start + word.len();
        self.last_is_e = is("e");
    }

    fn parenthesis(&mut self, opens: bool) {
        self.open = if opens { self.open + 1 } else { self.open.saturating_sub(1) };
    }

    /// A semicolon here ends the statement. Inside parentheses one belongs only to a rule's actions.
    fn complete(&self) -> bool {
        self.atomic == 0 && !(self.rule && self.open > 0)
    }

    /// `E'…'`: a backslash escapes.
    fn last_is_escape(&self, _: &[u8], at: usize) -> bool {
        self.last_is_e && self.last == at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        statements(text).0.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_semicolon_ends_a_statement_only_where_it_is_one() {
        let text = "-- a;\n/* ; /* ; */ */ select ';', \";\", $$ ; $$, $x$ $$ ; $x$, e'\\';' ; create rule r as on insert to t do (a; b);
            create function f() returns int begin atomic select case when 1=1 then 2 end; select 3; end; select 1";
        assert_eq!(split(text).len(), 4, "{:?}", split(text));
        assert_eq!(
            split("copy t from stdin;\n1;2\n\\.\nselect 1;\n\\d t;\nselect 2"),
            ["copy t from stdin", "select 1", "select 2"]
        );
        assert_eq!(split("select 1  ;  -- end\n"), ["select 1"]);
    }

    #[test]
    fn what_is_never_closed_hides_nothing_behind_its_line() {
        let (found, flaws) = statements("select 'a;\nselect 2;\nselect 3;");
        assert_eq!(flaws.len(), 1);
        assert_eq!(flaws[0].at, 7);
        assert!(found.len() >= 2, "{found:?}");
    }
}
