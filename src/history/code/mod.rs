//! Migrations written in a programming language: their SQL strings, and what their builders are asked to do.
//! Read token by token and never run.

mod bind;
mod call;
mod dsl;
mod embedded;
mod helpers;
mod lex;
mod modules;
mod ways;

pub(crate) use lex::Language;
pub(crate) use modules::Modules;

use super::event::Event;
use super::sql::Flaw;
use lex::{Token, lex};

/// What a file does on the way up.
pub(crate) fn read(
    text: &str,
    language: Language,
    tool: &str,
    (path, name): (&str, &str),
    modules: &Modules,
) -> (Vec<Event>, Vec<Flaw>) {
    let (tokens, flaws) = lex(text, language);
    let tokens = ways::up(text, &tokens, language);
    let events = match modules.join(path, text, &tokens, language) {
        Some(joined) => events(&joined.text, &joined.tokens, language, tool, name, text.len()),
        None => events(text, &tokens, language, tool, name, text.len()),
    };
    (events, flaws)
}

/// The events of a migration of `own` bytes, and of what it uses of the modules behind it.
fn events(text: &str, tokens: &[Token], language: Language, tool: &str, name: &str, own: usize) -> Vec<Event> {
    let bindings = bind::Bindings::of(text, tokens, language, own);
    let mut events = embedded::read(text, tokens, language, &bindings);
    events.extend(dsl::read(text, tokens, language, tool, name, &bindings));
    let helpers = helpers::Helpers::of(text, tokens, language);
    events.sort_by_cached_key(|event| helpers.order(event.at));
    if own < text.len() {
        // What a module does is done where it is called; what nobody calls is not done.
        events.iter_mut().filter(|event| event.at >= own).for_each(|event| event.at = helpers.order(event.at).0);
        events.retain(|event| event.at < own);
    }
    events
}

/// Whether the tool runs the file at all: TypeORM runs the classes that a file exports.
pub(crate) fn is_run(text: &str, tool: &str) -> bool {
    let exports = |line: &str| line.trim_start().starts_with("export ") || line.contains("exports");
    tool != "typeorm" || text.is_empty() || text.lines().any(exports)
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
