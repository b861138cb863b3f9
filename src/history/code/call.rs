//! Calls and their arguments, as far as builders of schemas are called.

use super::lex::{Kind, Token};

/// An argument or an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A string or a symbol.
    Text(String),
    /// `a.b.c` and the calls behind it: `sa.Column("x", …)`, `table.uuid("x").references("id")`.
    Chain(Vec<Call>),
    /// `[…]`, `(…)`.
    List(Vec<Argument>),
    /// `{ a: 1 }`.
    Map(Vec<Argument>),
    Other,
}

/// `name: value`, `name=value`, `"name" => value`, or a value alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    pub(super) name: Option<String>,
    pub(super) value: Value,
}

/// A name with dots, and what it is called with; a bare name has no arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) path: String,
    pub(super) at: usize,
    pub(super) called: bool,
    pub(super) arguments: Vec<Argument>,
}

impl Call {
    /// The last word of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit(['.', ':']).next().unwrap_or(&self.path)
    }

    /// The n-th argument without a name.
    pub(super) fn positional(&self, n: usize) -> Option<&Value> {
        self.arguments.iter().filter(|argument| argument.name.is_none()).nth(n).map(|argument| &argument.value)
    }

    pub(super) fn named(&self, names: &[&str]) -> Option<&Value> {
        let fits = |argument: &&Argument| argument.name.as_deref().is_some_and(|name| names.contains(&name));
        self.arguments.iter().find(fits).map(|argument| &argument.value)
    }

    pub(super) fn text(&self, n: usize) -> Option<&str> {
        self.positional(n).and_then(Value::text)
    }

    pub(super) fn named_text(&self, names: &[&str]) -> Option<&str> {
        self.named(names).and_then(Value::text)
    }
}

impl Value {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The strings of a list, or the string itself.
    pub(super) fn texts(&self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text.clone()],
            Self::List(items) | Self::Map(items) => items.iter().flat_map(|item| item.value.texts()).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn calls(&self) -> &[Call] {
        match self {
            Self::Chain(calls) => calls,
            _ => &[],
        }
    }

    pub(super) fn fields(&self) -> &[Argument] {
        match self {
            Self::Map(fields) | Self::List(fields) => fields,
            _ => &[],
        }
    }

    pub(super) fn field(&self, names: &[&str]) -> Option<&Self> {
        let fits = |argument: &&Argument| argument.name.as_deref().is_some_and(|name| names.contains(&name));
        self.fields().iter().find(fits).map(|argument| &argument.value)
    }
}

/// The index of the bracket that closes the one at `open`; the end where none does.
pub(super) fn closing(text: &str, tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (n, token) in tokens.iter().enumerate().skip(open) {
        if token.opens(text) {
            depth += 1;
        } else if token.closes(text) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return n;
            }
        }
    }
    tokens.len()
}

/// How deep arguments may nest; what lies deeper is [`Value::Other`].
const DEPTH: usize = 40;

/// Every chain of calls that begins a statement or stands in one, outermost first. `bare` languages call without
/// parentheses: the arguments are then the rest of the line.
pub(super) fn chains(text: &str, tokens: &[Token], bare: bool) -> Vec<Vec<Call>> {
    let reader = Reader { text, tokens, bare };
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].kind == Kind::Word && !(at > 0 && tokens[at - 1].is_punctuation(text, '.')) {
            let (calls, end) = reader.chain(at, DEPTH);
            if calls.iter().any(|call| call.called) {
                found.push(calls);
            }
            // What is inside the brackets is looked at as well: blocks hold statements.
            let _ = end;
        }
        at += 1;
    }
    found
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    bare: bool,
}

impl Reader<'_> {
    fn mark(&self, at: usize, mark: char) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_punctuation(self.text, mark))
    }

    /// `a.b(x).c(y)` from its first word; where it ends.
    fn chain(&self, at: usize, depth: usize) -> (Vec<Call>, usize) {
        let mut calls = Vec::new();
        let mut at = at;
        let mut path = String::new();
        let mut start = self.tokens[at].start;
        loop {
            match self.tokens.get(at) {
                Some(token) if token.kind == Kind::Word => {
                    if path.is_empty() {
                        start = token.start;
                    }
                    path.push_str(token.text(self.text));
                    at += 1;
                }
                _ => break,
            }
            // Type arguments of C#, TypeScript and Rust: `Column<Guid>(`.
            if self.mark(at, '<')
                && let Some(close) = (at + 1..(at + 12).min(self.tokens.len())).find(|n| self.mark(*n, '>'))
                && self.mark(close + 1, '(')
            {
                at = close + 1;
            }
            if self.mark(at, '(') {
                let end = closing(self.text, self.tokens, at);
                let arguments = self.arguments(at + 1, end, depth.saturating_sub(1));
                calls.push(Call { path: std::mem::take(&mut path), at: start, called: true, arguments });
                at = (end + 1).min(self.tokens.len());
            } else if self.bare && self.begins_argument(at) && !path.is_empty() {
                let end = self.line_end(at);
                let arguments = self.arguments(at, end, depth.saturating_sub(1));
                calls.push(Call { path: std::mem::take(&mut path), at: start, called: true, arguments });
                return (calls, end);
            }
            if self.mark(at, '?') && self.mark(at + 1, '.') {
                at += 1;
            }
            if self.mark(at, '.') {
                at += 1;
                if !path.is_empty() {
                    path.push('.');
                }
            } else if self.mark(at, ':') && self.mark(at + 1, ':') {
                at += 2;
                path.push_str("::");
            } else {
                break;
            }
        }
        if !path.is_empty() {
            calls.push(Call { path, at: start, called: false, arguments: Vec::new() });
        }
        (calls, at)
    }

    /// On the same line, and something a call without parentheses may be given.
    fn begins_argument(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at).filter(|token| !token.first) else { return false };
        match token.kind {
            Kind::Symbol | Kind::Text { .. } | Kind::Words => true,
            // `create table(:x) do`
            Kind::Word => {
                matches!(token.text(self.text), "table" | "references" | "index" | "constraint" | "unique_index")
            }
            _ => false,
        }
    }

    /// Up to the end of the line, or of the lines that a comma or an open bracket joins; a block is not part of it.
    fn line_end(&self, at: usize) -> usize {
        let mut depth = 0usize;
        for n in at..self.tokens.len() {
            let token = &self.tokens[n];
            if depth == 0 && n > at && token.first && !self.mark(n - 1, ',') {
                return n;
            }
            if depth == 0 && token.kind == Kind::Word && matches!(token.text(self.text), "do" | "if" | "unless") {
                return n;
            }
            if token.opens(self.text) {
                depth += 1;
            } else if token.closes(self.text) {
                if depth == 0 {
                    return n;
                }
                depth -= 1;
            }
        }
        self.tokens.len()
    }

    fn arguments(&self, at: usize, end: usize, depth: usize) -> Vec<Argument> {
        let mut found = Vec::new();
        let mut at = at;
        let end = end.min(self.tokens.len());
        while at < end {
            if self.mark(at, ',') {
                at += 1;
                continue;
            }
            let stop = self.comma(at, end);
            found.push(self.argument(at, stop, depth));
            at = stop.max(at + 1);
        }
        found
    }

    /// The next comma outside brackets.
    fn comma(&self, at: usize, end: usize) -> usize {
        let mut depth = 0usize;
        for n in at..end {
            let token = &self.tokens[n];
            if depth == 0 && token.is_punctuation(self.text, ',') {
                return n;
            }
            if token.opens(self.text) {
                depth += 1;
            } else if token.closes(self.text) {
                depth = depth.saturating_sub(1);
            }
        }
        end
    }

    fn argument(&self, at: usize, end: usize, depth: usize) -> Argument {
        let token = &self.tokens[at];
        let key = match &token.kind {
            Kind::Word => Some(token.text(self.text).to_owned()),
            _ => token.content(self.text),
        };
        let arrow = self.mark(at + 1, '=') && self.mark(at + 2, '>');
        let colon = self.mark(at + 1, ':') && !self.mark(at + 2, ':');
        let equals = self.mark(at + 1, '=') && !self.mark(at + 2, '=') && !arrow;
        // `x => x.Id` is a function, `"a" => 1` a pair.
        let pair = arrow && token.kind != Kind::Word;
        if (pair || colon || equals) && at + 1 < end {
            let from = at + if pair { 3 } else { 2 };
            return Argument { name: key, value: self.value(from, end, depth) };
        }
        Argument { name: None, value: self.value(at, end, depth) }
    }

    fn value(&self, at: usize, end: usize, depth: usize) -> Value {
        if at >= end || depth == 0 {
            return Value::Other;
        }
        let token = &self.tokens[at];
        match &token.kind {
            Kind::Words => Value::List(
                token
                    .text(self.text)
                    .split_whitespace()
                    .map(|word| Argument { name: None, value: Value::Text(word.to_owned()) })
                    .collect(),
            ),
            Kind::Text { .. } | Kind::Symbol if at + 1 == end => {
                token.content(self.text).map_or(Value::Other, Value::Text)
            }
            Kind::Text { .. } => {
                // Adjacent strings are one.
                let parts: Vec<_> = self.tokens[at..end].iter().filter(|t| !t.is_punctuation(self.text, '+')).collect();
                let whole: Option<Vec<_>> = parts.iter().map(|t| t.content(self.text)).collect();
                whole.map_or(Value::Other, |parts| Value::Text(parts.concat()))
            }
            Kind::Punctuation if token.opens(self.text) => {
                let close = closing(self.text, self.tokens, at).min(end);
                // `(column) => column.notNull()`
                if close + 3 < end && self.mark(close + 1, '=') && self.mark(close + 2, '>') {
                    return self.value(close + 3, end, depth - 1);
                }
                let inner = self.arguments(at + 1, close, depth - 1);
                if token.text(self.text) == "{" { Value::Map(inner) } else { Value::List(inner) }
            }
            Kind::Punctuation if token.is_punctuation(self.text, '&') => self.value(at + 1, end, depth),
            Kind::Word if token.is_word(self.text, "new") || token.is_word(self.text, "await") => {
                self.value(at + 1, end, depth)
            }
            // `table => new { … }`
            Kind::Word if self.mark(at + 1, '=') && self.mark(at + 2, '>') => self.value(at + 3, end, depth),
            Kind::Word => Value::Chain(self.chain(at, depth).0),
            _ => Value::Other,
        }
    }
}
