//! The formula of the configuration: an expression over the columns, and why it explains nothing where it does not.

use super::written::Candidate;
use crate::chain::relation::Relation;
use crate::chain::source::token::{Token, tokens};

/// `formula:` with columns in the place of their names. `previous` is the hash of the row before, where no column repeats it.
pub(super) fn candidate(relation: &Relation, formula: &str, has_prev: bool) -> Candidate {
    let mut expression = Vec::new();
    let tokens = tokens(formula);
    let mut at = 0;
    while at < tokens.len() {
        let qualified = tokens[at].is_word("t") && tokens.get(at + 1).is_some_and(|token| token.is_sign("."));
        let Some(token) = tokens.get(if qualified { at + 2 } else { at }) else { break };
        at += if qualified { 3 } else { 1 };
        let call = tokens.get(at).is_some_and(|token| token.is_sign("("));
        match token.name().filter(|_| !call) {
            Some(name) if relation.column(name).is_some() => expression.push(Token::Column(name.to_owned())),
            Some("previous") if !has_prev => expression.push(Token::Previous("previous".to_owned())),
            _ => expression.push(token.clone()),
        }
    }
    Candidate { expression, source: "declared".to_owned(), beside: None }
}

/// Why a declared formula gives no recipe: the first name in it that is neither a column nor a function that may be called.
pub(super) fn unreadable(candidate: &Candidate, has_prev: bool) -> String {
    let known = |name: &str| {
        crate::chain::source::safe::computes(name)
            || crate::chain::algorithm::Algorithm::named(name).is_some()
            || matches!(name, "json_as" | "digest" | "hmac" | "previous")
            || WORDS.contains(&name)
    };
    let unknown = candidate.expression.iter().enumerate().find_map(|(at, token)| {
        let after_cast = at > 0 && candidate.expression[at - 1].is_sign("::");
        token.name().filter(|name| !known(name) && !after_cast)
    });
    match unknown {
        Some("previous") if has_prev => {
            "the formula in govctl.yaml says previous; the table has a column for that".into()
        }
        Some(name) => {
            format!("the formula in govctl.yaml names {name}, which is no column and no function it may call")
        }
        None => "the formula in govctl.yaml is no call of a hash function that could be read".to_owned(),
    }
}

const WORDS: [&str; 12] =
    ["null", "true", "false", "is", "distinct", "from", "end", "epoch", "at", "time", "zone", "schema"];
