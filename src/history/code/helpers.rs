//! Helpers and constants of a file: what is said in them is done where they are used.

use super::call::closing;
use super::lex::{Kind, Language, Token};
use std::ops::Range;

/// How deep helpers stand in helpers.
const DEPTH: usize = 4;

/// More definitions than this are no migration that somebody wrote.
const MOST: usize = 500;

/// Where a place of the file is reached on the way up.
#[derive(Debug, Default)]
pub(super) struct Helpers {
    /// Each definition as bytes of the file, and where its name is used first.
    defined: Vec<(Range<usize>, usize)>,
}

impl Helpers {
    pub(super) fn of(text: &str, tokens: &[Token], language: Language) -> Self {
        let defined = definitions(text, tokens, language).into_iter().take(MOST).filter_map(|(name, range)| {
            let mut others = tokens.iter().enumerate().filter(|(n, _)| !range.contains(n));
            let used = others.find(|(_, token)| mentions(text, token, name))?.1.start;
            let end = tokens.get(range.end).map_or(text.len(), |token| token.start);
            Some((tokens[range.start].start..end, used))
        });
        Self { defined: defined.collect() }
    }

    /// What sorts a place among all others: where the helper around it is used, then the place itself.
    pub(super) fn order(&self, at: usize) -> (usize, usize) {
        let mut reached = at;
        for _ in 0..DEPTH {
            let around = self.defined.iter().filter(|(range, used)| range.contains(&reached) && !range.contains(used));
            match around.min_by_key(|(range, _)| range.len()) {
                Some((_, used)) => reached = *used,
                None => break,
            }
        }
        (reached, at)
    }
}

/// Every definition of a file: its name, and its tokens.
pub(super) fn definitions<'t>(text: &'t str, tokens: &[Token], language: Language) -> Vec<(&'t str, Range<usize>)> {
    let named = (0..tokens.len()).filter(|at| tokens[*at].kind == Kind::Word);
    named.filter_map(|at| Some((tokens[at].text(text), definition(text, tokens, at, language)?))).collect()
}

/// Words that stand before brackets and a body, and are no method.
const CONTROL: [&str; 15] = [
    "if",
    "for",
    "foreach",
    "while",
    "switch",
    "catch",
    "using",
    "lock",
    "function",
    "with",
    "constructor",
    "async",
    "up",
    "Up",
    "migrate",
];

/// `private async isolate(table: string): Promise<void> {`, `static void Isolate(this MigrationBuilder b, string table)`:
/// the bracket of its parameters, and its last token.
pub(super) fn method(text: &str, tokens: &[Token], at: usize, language: Language) -> Option<(usize, usize)> {
    let mark = |n: usize, mark: char| tokens.get(n).is_some_and(|token| token.is_punctuation(text, mark));
    let name = tokens[at].text(text);
    let before = at.checked_sub(1)?;
    let called = mark(before, '.') || tokens[before].is_word(text, "new") || tokens[before].is_word(text, "await");
    if !matches!(language, Language::JavaScript | Language::CSharp | Language::Java)
        || called
        || CONTROL.contains(&name)
        || !mark(at + 1, '(')
    {
        return None;
    }
    let close = closing(text, tokens, at + 1);
    // Between the parameters and the body stands a type, or what C# makes one statement.
    let head = (close + 1..(close + 16).min(tokens.len())).take_while(|n| !mark(*n, ';') && !mark(*n, ','));
    let arrow = |n: usize| language == Language::CSharp && mark(n, '=') && mark(n + 1, '>');
    let body = head.into_iter().find(|n| mark(*n, '{') || arrow(*n))?;
    let between = ["where", "throws"].iter().any(|word| tokens[close + 1].is_word(text, word));
    if body > close + 1 && !(mark(close + 1, ':') || mark(body, '=') || between) {
        return None;
    }
    let end = if mark(body, '{') { closing(text, tokens, body) } else { statement_end(text, tokens, body + 2) };
    Some((at + 1, end.min(tokens.len().saturating_sub(1))))
}

/// The end of a statement that a semicolon or the next line ends.
fn statement_end(text: &str, tokens: &[Token], at: usize) -> usize {
    let mut depth = 0usize;
    for (n, token) in tokens.iter().enumerate().skip(at) {
        if depth == 0 && n > at && (token.is_punctuation(text, ';') || token.first) {
            return n - 1;
        }
        if token.opens(text) {
            depth += 1;
        } else if token.closes(text) {
            depth = depth.saturating_sub(1);
        }
    }
    tokens.len().saturating_sub(1)
}

/// A token that is the name, or a string with it in a hole.
pub(super) fn mentions(text: &str, token: &Token, name: &str) -> bool {
    match &token.kind {
        Kind::Word => token.text(text) == name,
        Kind::Text { holes, .. } => holes.iter().any(|hole| text[hole.clone()].contains(name)),
        _ => false,
    }
}

/// `def name(…)` of Python with what stands further right, `class Name`, `function name(…) { … }`, a method of a class,
/// `NAME = "…"`, `NAME = […]`.
pub(super) fn definition(text: &str, tokens: &[Token], at: usize, language: Language) -> Option<Range<usize>> {
    let before = at.checked_sub(1).map(|before| tokens[before].text(text));
    let mark = |n: usize, mark: char| tokens.get(n).is_some_and(|token| token.is_punctuation(text, mark));
    match before {
        // What Django calls its migrations is no helper.
        Some("class") if language != Language::Python || tokens[at].is_word(text, "Migration") => None,
        Some("def" | "defp" | "class") => {
            let indent = tokens[at - 1].indent;
            let inside = |token: &&Token| !token.first || token.indent > indent;
            let end = at + tokens[at..].iter().take_while(inside).count();
            // Ruby and Elixir close with a word, at the column of the one that opened.
            let closes = tokens.get(end).is_some_and(|token| token.is_word(text, "end"));
            Some(at - 1..end + usize::from(closes))
        }
        Some("function") => {
            let body = (at..tokens.len()).find(|n| mark(*n, '{'))?;
            Some(at - 1..closing(text, tokens, body) + 1)
        }
        _ => {
            let value = at + 2;
            if let Some((_, end)) = method(text, tokens, at, language) {
                return Some(at..end + 1);
            }
            // At the top of the file, or of a class by a name in capitals; an argument by name is none.
            let exported = before == Some(".") && at >= 2 && tokens[at - 2].is_word(text, "exports");
            let exported = exported && !tokens[at].is_word(text, "up");
            let declared = exported || matches!(before, Some("const" | "let" | "var"));
            let capitals = tokens[at].text(text).starts_with(char::is_uppercase);
            let on_top = declared || tokens[at].first && (tokens[at].indent == 0 || capitals);
            let constant = on_top && mark(at + 1, '=') && !mark(value, '=') && !mark(value, '>');
            let first = tokens.get(value).filter(|_| constant)?;
            let from = if declared { at - 1 } else { at };
            if first.opens(text) {
                let end = closing(text, tokens, value);
                if mark(end + 1, '=') && mark(end + 2, '>') {
                    let close = if mark(end + 3, '{') {
                        closing(text, tokens, end + 3)
                    } else {
                        statement_end(text, tokens, end + 3)
                    };
                    return Some(from..close + 1);
                }
                return Some(from..end + 1);
            }
            let strings = tokens[value..].iter().take_while(|token| token.is_text()).count();
            (strings > 0).then_some(from..value + strings)
        }
    }
}
