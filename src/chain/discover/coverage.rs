//! What the hash of a row vouches for, and what not.

use crate::chain::definition::Chain;
use crate::chain::form::Form;
use crate::chain::items::Items;
use crate::chain::recipe::Formula;
use crate::chain::source::token::{Token, tokens};
use crate::chain::value::Kind;

/// Long or personal by its type or its name: what is put behind a digest so that it may be taken away.
pub(super) fn is_payload(kind: Kind, name: &str) -> bool {
    const NAMES: [&str; 11] =
        ["payload", "body", "content", "data", "detail", "prompt", "message", "salt", "state", "diff", "meta"];
    matches!(kind, Kind::Json | Kind::Jsonb | Kind::Bytes) || NAMES.iter().any(|part| name.contains(part))
}

/// Columns that neither the chain nor a digest in it reads, and those of which it leaves out members. What the server renders
/// is looked for in its expression.
pub(super) fn uncovered(chain: &Chain, items: &Items, formulas: &[Formula]) -> Vec<String> {
    if formulas.is_empty() {
        return Vec::new();
    }
    let chained: Vec<usize> = formulas.iter().flat_map(Formula::reads).collect();
    let covers = |name: &str| {
        // A digest that the chain does not read covers nothing.
        let of_digest = chain
            .commitments
            .iter()
            .filter(|commitment| chained.contains(&commitment.at) || mentions(items, &chained, &commitment.column));
        let reads = |read: &[usize]| read.iter().any(|at| items.list[*at].column.as_deref() == Some(name));
        reads(&chained)
            || mentions(items, &chained, name)
            || of_digest.into_iter().any(|commitment| reads(&commitment.of) || mentions(items, &commitment.of, name))
    };
    let spelled =
        |test: fn(&Form) -> bool| -> Vec<usize> { formulas.iter().flat_map(|formula| formula.spelled(test)).collect() };
    let (partly, caseless) = (spelled(Form::leaves_out), spelled(Form::is_caseless));
    let is_of = |of: &[usize], name: &str| of.iter().any(|at| items.list[*at].column.as_deref() == Some(name));
    let own = |column: usize| column == chain.hash || chain.prev == Some(column);
    chain
        .relation
        .columns
        .iter()
        .enumerate()
        .filter(|(at, _)| !own(*at))
        .filter_map(|(_, column)| match column.name.as_str() {
            name if !covers(name) => Some(name.to_owned()),
            name if is_of(&partly, name) => Some(format!("{name} (members within)")),
            name if is_of(&caseless, name) => Some(format!("{name} (capitals)")),
            _ => None,
        })
        .collect()
}

/// A rendered expression names the column, or the whole row.
pub(super) fn mentions(items: &Items, read: &[usize], name: &str) -> bool {
    read.iter().filter(|at| items.list[**at].column.is_none()).any(|at| {
        let tokens = tokens(&items.list[*at].sql);
        let named = tokens
            .windows(3)
            .any(|three| three[0].is_word("t") && three[1].is_sign(".") && three[2].name() == Some(name));
        let whole = (0..tokens.len().saturating_sub(2)).any(|at| {
            let three = &tokens[at..at + 3];
            let row = three[0].is_sign("(") && three[1].is_word("t") && !three[2].is_sign(".");
            row && member(&tokens[at + 2..]).is_none_or(|member| member == name)
        });
        named || whole && !removes(&tokens, name)
    })
}

/// Of `to_jsonb(t) ->> 'column'`, behind the `t`: the only column that counts.
fn member(mut behind: &[Token]) -> Option<&str> {
    loop {
        behind = match behind {
            [arrow, Token::Text(member), ..] if arrow.is_sign("->>") || arrow.is_sign("->") => return Some(member),
            [close, rest @ ..] if close.is_sign(")") => rest,
            [cast, kind, rest @ ..] if cast.is_sign("::") && (kind.is_word("jsonb") || kind.is_word("json")) => rest,
            // Hashes that were not there yet.
            [join, Token::Text(_), rest @ ..] if join.is_sign("||") => rest,
            _ => return None,
        };
    }
}

/// `to_jsonb(t) - 'column'`, or `- array['column', …]`, or `- '{column, …}'::text[]`.
fn removes(expression: &[Token], name: &str) -> bool {
    let is = |token: &Token| matches!(token, Token::Text(text) if text == name);
    let listed = |token: &Token| match token {
        Token::Text(text) => text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .is_some_and(|names| names.split(',').any(|one| one.trim().trim_matches('"') == name)),
        _ => false,
    };
    (0..expression.len()).filter(|at| expression[*at].is_sign("-")).any(|at| match &expression[at + 1..] {
        [array, open, rest @ ..] if array.is_word("array") && open.is_sign("[") => {
            rest.iter().take_while(|token| !token.is_sign("]")).any(is)
        }
        [first, ..] => is(first) || listed(first),
        [] => false,
    })
}
