//! Which tokens are run on the way up: all but those of the way down.

use super::call::closing;
use super::lex::{Kind, Language, Token};

/// Names of what leads down.
const DOWN: [&str; 6] = ["down", "downgrade", "Down", "undo", "rollback", "DownContext"];

/// The tokens without the functions that lead down.
pub(super) fn up(text: &str, tokens: &[Token], language: Language) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = way_down(text, tokens, at, language) {
            at = end.max(at + 1);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
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
    let leads_down =
        name.starts_with("down") || name.ends_with("_down") || name.contains("downgrade") || name.contains("rollback");
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
