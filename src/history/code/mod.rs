//! Migrations written in a programming language: their SQL strings, and what their builders are asked to do.
//! Read token by token and never run.

mod bind;
mod call;
mod dsl;
mod embedded;
mod helpers;
mod lex;
mod ways;

pub(crate) use lex::Language;

use super::event::Event;
use super::sql::Flaw;
use lex::{Token, lex};

/// What a file does on the way up.
pub(crate) fn read(text: &str, language: Language, tool: &str, path: &str) -> (Vec<Event>, Vec<Flaw>) {
    let (tokens, flaws) = lex(text, language);
    let tokens = ways::up(text, &tokens, language);
    let bindings = bind::Bindings::of(text, &tokens);
    let mut events = embedded::read(text, &tokens, language, &bindings);
    events.extend(dsl::read(text, &tokens, language, tool, path, &bindings));
    let helpers = helpers::Helpers::of(text, &tokens);
    events.sort_by_cached_key(|event| helpers.order(event.at));
    (events, flaws)
}

/// The strings assigned to a name at the top of a file: `down_revision = ("a", "b")`, also with a type.
pub(crate) fn assigned(text: &str, language: Language, name: &str) -> Vec<String> {
    let (tokens, _) = lex(text, language);
    let at = tokens.windows(2).position(|pair| {
        pair[0].is_word(text, name) && (pair[1].is_punctuation(text, '=') || pair[1].is_punctuation(text, ':'))
    });
    let Some(at) = at else { return Vec::new() };
    let equals = tokens[at..].iter().position(|token| token.is_punctuation(text, '=')).map_or(at, |n| at + n);
    values(text, &tokens[equals + 1..])
}

/// The pairs in a list assigned to a name: `dependencies = [("app", "0001_initial")]`.
pub(crate) fn listed_pairs(text: &str, language: Language, name: &str) -> Vec<(String, String)> {
    let (tokens, _) = lex(text, language);
    let at = tokens.windows(2).position(|pair| pair[0].is_word(text, name) && pair[1].is_punctuation(text, '='));
    let Some(at) = at else { return Vec::new() };
    let mut strings = Vec::new();
    let mut depth = 0usize;
    let mut pairs = Vec::new();
    for token in &tokens[at + 2..] {
        if token.opens(text) {
            depth += 1;
            strings.clear();
        } else if token.closes(text) {
            depth = depth.saturating_sub(1);
            if let [app, name] = strings.as_slice() {
                pairs.push((String::clone(app), String::clone(name)));
            }
            strings.clear();
            if depth == 0 {
                break;
            }
        } else if let Some(content) = token.content(text) {
            strings.push(content);
        }
    }
    pairs
}

/// The strings of one value: `"a"`, or a bracketed list.
fn values(text: &str, tokens: &[Token]) -> Vec<String> {
    let Some(first) = tokens.first() else { return Vec::new() };
    if let Some(content) = first.content(text) {
        return vec![content];
    }
    if !first.opens(text) {
        return Vec::new();
    }
    let end = call::closing(text, tokens, 0);
    tokens[..end].iter().filter_map(|token| token.content(text)).collect()
}
