//! Which tokens are run on the way up: all but those of the way down.

use super::call::closing;
use super::helpers::{definition, mentions};
use super::lex::{Kind, Language, Token};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Names of what leads down.
const DOWN: [&str; 6] = ["down", "downgrade", "Down", "undo", "rollback", "DownContext"];

/// How deep what leads down calls what leads down.
const ROUNDS: usize = 3;

/// The tokens without the functions that lead down, and without what only those use.
pub(super) fn up(text: &str, tokens: &[Token], language: Language) -> Vec<Token> {
    let mut down = BTreeSet::new();
    let seconds = if language == Language::Python { second_arguments(text, tokens) } else { BTreeMap::new() };
    let way_down = |at: usize| seconds.get(&at).copied().or_else(|| way_down(text, tokens, at, language));
    let mut kept = without(tokens, way_down, text, &mut down);
    for _ in 0..ROUNDS {
        let only_down = only_down(text, &kept, &down, language);
        if only_down.is_empty() {
            break;
        }
        let unused = |at: usize| only_down.iter().find(|range| range.start == at).map(|range| range.end);
        kept = without(&kept, unused, text, &mut down);
    }
    kept
}

/// The tokens without those that lead from `at` to an end; the names those use are remembered.
fn without(
    tokens: &[Token],
    end: impl Fn(usize) -> Option<usize>,
    text: &str,
    down: &mut BTreeSet<String>,
) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = end(at) {
            let end = end.max(at + 1).min(tokens.len());
            let names = tokens[at..end].iter().filter(|token| token.kind == Kind::Word);
            down.extend(names.map(|token| token.text(text).to_owned()));
            at = end;
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Helpers and constants that the way down names and the way up does not.
fn only_down(text: &str, tokens: &[Token], down: &BTreeSet<String>, language: Language) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if tokens[at].kind != Kind::Word || !down.contains(tokens[at].text(text)) {
            continue;
        }
        let Some(range) = definition(text, tokens, at, language) else { continue };
        let name = tokens[at].text(text);
        let mut others = tokens.iter().enumerate().filter(|(n, _)| !range.contains(n));
        if !others.any(|(_, token)| mentions(text, token, name)) {
            found.push(range);
        }
    }
    found
}

/// `RunPython(forwards, backwards)`, `RunSQL(sql, reverse_sql=sql)`: what comes behind the first argument.
fn second_arguments(text: &str, tokens: &[Token]) -> BTreeMap<usize, usize> {
    let calls = (0..tokens.len().saturating_sub(2)).filter(|n| {
        (tokens[*n].is_word(text, "RunPython") || tokens[*n].is_word(text, "RunSQL"))
            && tokens[n + 1].is_punctuation(text, '(')
            && !tokens[n + 2].text(text).starts_with("reverse")
    });
    let seconds = calls.filter_map(|call| {
        let end = closing(text, tokens, call + 1);
        Some((first_comma(text, tokens, call + 1, end)?, end))
    });
    seconds.collect()
}

fn first_comma(text: &str, tokens: &[Token], open: usize, end: usize) -> Option<usize> {
    let mut depth = 0usize;
    (open + 1..end).find(|n| {
        let token = &tokens[*n];
        if token.opens(text) {
            depth += 1;
        } else if token.closes(text) {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is_punctuation(text, ',')
    })
}

/// Where the way down that begins here ends.
fn way_down(text: &str, tokens: &[Token], at: usize, language: Language) -> Option<usize> {
    if let Some(end) = constant_down(text, tokens, at) {
        return Some(end);
    }
    let word = |n: usize| tokens.get(n).filter(|token| token.kind == Kind::Word).map(|token| token.text(text));
    let is_down = |n: usize| word(n).is_some_and(|word| DOWN.contains(&word));
    let mark = |n: usize, mark: char| tokens.get(n).is_some_and(|token| token.is_punctuation(text, mark));
    match language {
        Language::Python => {
            // `def downgrade():` and everything that stands further right.
            let starts = word(at) == Some("def") && is_down(at + 1);
            let indent = tokens[at].indent;
            let inside = |token: &Token| !token.first || token.indent > indent;
            starts.then(|| at + 1 + tokens[at + 1..].iter().take_while(|token| inside(token)).count())
        }
        Language::Ruby | Language::Elixir => {
            let starts = matches!(word(at), Some("def")) && is_down(at + 1);
            if starts || is_down(at) && at > 0 && mark(at - 1, '.') && at + 1 < tokens.len() {
                return Some(block_end(text, tokens, at));
            }
            None
        }
        _ => {
            // `down(…) {`, `exports.down = …`, `const down = …`, `fn down(`: up to the brace that closes its body.
            if !is_down(at) || word(at) == Some("rollback") && language != Language::JavaScript {
                return None;
            }
            let defines = matches!(
                at.checked_sub(1).and_then(word),
                Some("function" | "async" | "fn" | "void" | "public" | "const" | "let" | "func" | "override")
            );
            let exported = at >= 2 && mark(at - 1, '.') && matches!(word(at - 2), Some("exports"));
            let method = at.checked_sub(1).is_none_or(|before| {
                tokens[before].closes(text) || mark(before, ';') || mark(before, ',') || mark(before, '{')
            });
            let shape = mark(at + 1, '(') || mark(at + 1, '=') || mark(at + 1, ':');
            if !(defines || exported || method) || !shape {
                return None;
            }
            let parameters = tokens[at..].iter().position(|token| token.is_punctuation(text, '(')).map(|n| at + n)?;
            let after = closing(text, tokens, parameters);
            let body = tokens[after..]
                .iter()
                .position(|token| token.is_punctuation(text, '{') || token.is_punctuation(text, ';'));
            let body = after + body?;
            if tokens[body].is_punctuation(text, ';') { Some(body + 1) } else { Some(closing(text, tokens, body) + 1) }
        }
    }
}

/// The `end` of what begins here, by the words that open and close blocks.
fn block_end(text: &str, tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (n, token) in tokens.iter().enumerate().skip(at) {
        if token.is_punctuation(text, '{') && depth == 0 && n < at + 4 {
            return closing(text, tokens, n) + 1;
        }
        if token.kind != Kind::Word {
            continue;
        }
        let word = token.text(text);
        // A modifier (`x if y`) opens nothing.
        let opens = matches!(word, "do" | "fn")
            || token.first && matches!(word, "def" | "if" | "unless" | "case" | "begin" | "while");
        // `def name do` of Elixir opens once.
        let counted =
            opens
                && !(word == "do" && tokens[..n].iter().rev().take_while(|t| !t.first).any(|t| t.is_word(text, "def")))
                && !(word == "do"
                    && tokens[..n].iter().rev().find(|t| t.first).is_some_and(|t| {
                        matches!(t.text(text), "def" | "if" | "unless" | "case") && t.kind == Kind::Word
                    }));
        if counted {
            depth += 1;
        } else if word == "end" {
            depth -= 1;
            if depth <= 0 {
                return n + 1;
            }
        }
    }
    tokens.len()
}

/// `DOWNGRADE = […]`, `const downSql = `…``.
fn constant_down(text: &str, tokens: &[Token], at: usize) -> Option<usize> {
    let name = tokens[at].text(text).to_lowercase();
    let leads_down = name.starts_with("down")
        || name.ends_with("_down")
        || name.contains("downgrade")
        || name.contains("rollback")
        || name.starts_with("reverse");
    let named = tokens[at].kind == Kind::Word && leads_down && name != "down_revision";
    let value = at + 2;
    if !named || !tokens.get(at + 1)?.is_punctuation(text, '=') {
        return None;
    }
    let first = tokens.get(value)?;
    if first.opens(text) {
        let end = closing(text, tokens, value);
        // `down = (…) => {` is a function, and its body comes behind.
        let arrow = tokens.get(end + 1).is_some_and(|token| token.is_punctuation(text, '='));
        return (!arrow).then_some(end + 1);
    }
    first.is_text().then_some(value + 1)
}
