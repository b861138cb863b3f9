//! What the expression that hashes a row leaves open: columns it does not read, neighbours without a seam between them,
//! spellings that depend on the session.

use super::source::token::{Token, closing};
use std::collections::BTreeSet;

/// A column, as far as its text form matters.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    /// Its name.
    pub name: &'a str,
    /// The base type.
    pub type_name: &'a str,
}

/// What is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hazards {
    /// Columns that are read.
    pub reads: BTreeSet<String>,
    /// The previous hash is read.
    pub reads_previous: bool,
    /// Neighbours whose seam could be moved: what the one loses the other wins, and the hash stays.
    pub unframed: Vec<(String, String)>,
    /// Points in time that are spelled in the session's zone.
    pub session: BTreeSet<String>,
}

/// Calls whose value has one length, or says it.
const FRAMED: [&str; 14] = [
    "to_char",
    "int2send",
    "int4send",
    "int8send",
    "uuid_send",
    "timestamptz_send",
    "date_send",
    "digest",
    "hmac",
    "sha256",
    "sha512",
    "md5",
    "lpad",
    "octet_length",
];

/// Calls that read a point in time and not a wall clock.
const OF_INSTANT: [&str; 5] = ["extract", "date_part", "timestamptz_send", "date_send", "timezone"];

/// Looks at an expression over a stored row; `prev` is the column of the previous hash.
pub fn find(expression: &[Token], columns: &[Typed<'_>], prev: Option<&str>) -> Hazards {
    let mut found = Hazards::default();
    for token in expression {
        match token {
            Token::Column(name) if prev == Some(name) => found.reads_previous = true,
            Token::Column(name) => _ = found.reads.insert(name.clone()),
            Token::Previous(_) => found.reads_previous = true,
            _ => {}
        }
    }
    whole_row(expression, columns, prev, &mut found);
    unframed(expression, columns, prev, &mut found);
    session(expression, columns, &mut found);
    found
}

/// `to_jsonb(t) - 'hash'`: every column but those that are taken away.
fn whole_row(expression: &[Token], columns: &[Typed<'_>], prev: Option<&str>, found: &mut Hazards) {
    let whole = expression.windows(3).any(|it| it[0].is_sign("(") && it[1].is_word("t") && it[2].is_sign(")"));
    if !whole {
        return;
    }
    let taken: Vec<&str> = expression
        .iter()
        .filter_map(|token| match token {
            Token::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    for column in columns.iter().filter(|column| !taken.contains(&column.name)) {
        if prev == Some(column.name) {
            found.reads_previous = true;
        } else {
            found.reads.insert(column.name.to_owned());
        }
        if column.type_name == "timestamptz" {
            found.session.insert(column.name.to_owned());
        }
    }
}

/// Every list of neighbours in the expression: operands of `||`, arguments of `concat`.
fn unframed(expression: &[Token], columns: &[Typed<'_>], prev: Option<&str>, found: &mut Hazards) {
    seams(&split(expression, "||"), columns, prev, found);
    for (at, _) in expression.iter().enumerate().filter(|(_, token)| token.is_sign("(")) {
        let Some(end) = closing(expression, at) else { continue };
        let inner = &expression[at + 1..end];
        let arguments = split(inner, ",");
        match (at.checked_sub(1).and_then(|before| expression[before].name()), arguments.as_slice()) {
            (Some("concat"), values) => seams(values, columns, prev, found),
            (Some("concat_ws"), [separator, values @ ..]) if is_empty(separator) => seams(values, columns, prev, found),
            (Some("array_to_string"), [[array, open, values @ .., close], separator, ..])
                if is_empty(separator) && array.is_word("array") && open.is_sign("[") && close.is_sign("]") =>
            {
                seams(&split(values, ","), columns, prev, found);
            }
            (Some("format"), [[Token::Text(pattern)], values @ ..]) => {
                // `%s%s`: nothing stands between the two.
                for (number, between) in pattern.split("%s").skip(1).enumerate() {
                    if let (true, Some(two)) = (between.is_empty(), values.get(number..number + 2)) {
                        seams(two, columns, prev, found);
                    }
                }
            }
            _ => {}
        }
        for argument in split(inner, ",") {
            seams(&split(argument, "||"), columns, prev, found);
        }
    }
}

fn seams(operands: &[&[Token]], columns: &[Typed<'_>], prev: Option<&str>, found: &mut Hazards) {
    // An empty text between two is none.
    let operands: Vec<&[Token]> = operands.iter().copied().filter(|operand| !is_empty(operand)).collect();
    for two in operands.windows(2) {
        let (Some(left), Some(right)) = (loose(two[0], columns, prev), loose(two[1], columns, prev)) else { continue };
        if !found.unframed.contains(&(left.clone(), right.clone())) {
            found.unframed.push((left, right));
        }
    }
}

fn is_empty(operand: &[Token]) -> bool {
    matches!(operand, [Token::Text(text), ..] if text.is_empty())
}

/// The column whose text makes up an operand, where its length is anybody's guess.
fn loose(operand: &[Token], columns: &[Typed<'_>], prev: Option<&str>) -> Option<String> {
    let framed = operand.iter().any(|token| token.name().is_some_and(|name| FRAMED.contains(&name)));
    // Sums are operands of their own, and are looked at by themselves.
    let mixed = operand.iter().any(|token| token.is_sign("||") || matches!(token, Token::Previous(_)));
    if framed || mixed {
        return None;
    }
    let mut read = operand.iter().filter_map(|token| match token {
        Token::Column(name) if prev != Some(name) => Some(name),
        _ => None,
    });
    let name = read.next()?;
    let column = columns.iter().find(|column| column.name == name)?;
    let fixed = matches!(column.type_name, "uuid" | "bool" | "date" | "timestamptz" | "timestamp")
        || super::source::is_hash_name(name)
        // Random bytes, as many for every row.
        || column.type_name == "bytea" && name.to_lowercase().ends_with("salt");
    (!fixed).then(|| name.clone())
}

fn session(expression: &[Token], columns: &[Typed<'_>], found: &mut Hazards) {
    for (at, token) in expression.iter().enumerate() {
        let Token::Column(name) = token else { continue };
        if !columns.iter().any(|column| column.name == name && column.type_name == "timestamptz") {
            continue;
        }
        let placed = expression.get(at + 1).is_some_and(|token| token.is_word("at"))
            && expression.get(at + 2).is_some_and(|token| token.is_word("time"));
        if !placed && !enclosing(expression, at).iter().any(|call| OF_INSTANT.contains(call)) {
            found.session.insert(name.clone());
        }
    }
}

/// Names of the calls around a place; a bracket around it that `at time zone` follows counts as `timezone`.
fn enclosing(expression: &[Token], at: usize) -> Vec<&str> {
    let mut calls = Vec::new();
    for (open, token) in expression.iter().enumerate().take(at) {
        if !token.is_sign("(") || closing(expression, open).is_none_or(|end| end < at) {
            continue;
        }
        let end = closing(expression, open).unwrap_or(at);
        if expression.get(end + 1).is_some_and(|token| token.is_word("at")) {
            calls.push("timezone");
        }
        calls.extend(open.checked_sub(1).and_then(|before| expression[before].name()));
    }
    calls
}

/// Parts between a sign, brackets left whole.
fn split<'a>(expression: &'a [Token], sign: &str) -> Vec<&'a [Token]> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, token) in expression.iter().enumerate() {
        if token.is_sign("(") || token.is_sign("[") {
            depth += 1;
        } else if token.is_sign(")") || token.is_sign("]") {
            depth -= 1;
        } else if depth == 0 && token.is_sign(sign) {
            parts.push(&expression[start..at]);
            start = at + 1;
        }
    }
    parts.push(&expression[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::source::token::tokens;

    const COLUMNS: [Typed<'_>; 5] = [
        Typed { name: "actor", type_name: "text" },
        Typed { name: "action", type_name: "text" },
        Typed { name: "at", type_name: "timestamptz" },
        Typed { name: "tenant", type_name: "uuid" },
        Typed { name: "prev_hash", type_name: "text" },
    ];

    fn look(sql: &str) -> Hazards {
        let of = |token: Token| match token.name() {
            Some(name) if name.starts_with("c_") => Token::Column(name[2..].to_owned()),
            _ => token,
        };
        find(&tokens(sql).into_iter().map(of).collect::<Vec<_>>(), &COLUMNS, Some("prev_hash"))
    }

    fn seams_of(sql: &str) -> Vec<(String, String)> {
        look(sql).unframed
    }

    #[test]
    fn a_seam_that_could_be_moved_is_found() {
        let moved = vec![("actor".to_owned(), "action".to_owned())];
        assert_eq!(seams_of("encode(digest(c_prev_hash || c_actor || c_action, 'sha256'), 'hex')"), moved);
        assert_eq!(seams_of("sha256(convert_to(coalesce(c_actor, '') || coalesce(c_action, ''), 'UTF8'))"), moved);
        assert_eq!(seams_of("md5(concat(c_actor, c_action))"), moved);
        assert_eq!(seams_of("md5(c_prev_hash || c_actor || '|' || c_action)"), []);
        assert_eq!(seams_of("md5(c_prev_hash || c_tenant || c_action)"), [], "a fixed length is a seam");
        assert_eq!(
            seams_of("sha256(c_prev_hash || int4send(octet_length(c_actor)) || c_actor || int4send(1) || c_action)"),
            []
        );
        assert_eq!(seams_of("md5(concat_ws('|', c_actor, c_action))"), []);
        for joined in [
            "c_actor || '' || c_action",
            "concat_ws('', c_actor, c_action)",
            "array_to_string(array[c_actor, c_action], '')",
            "format('%s|%s%s', c_tenant, c_actor, c_action)",
        ] {
            assert_eq!(seams_of(&format!("md5({joined})")), moved, "{joined}");
        }
        for joined in ["array_to_string(array[c_actor, c_action], '|')", "format('%s|%s', c_actor, c_action)"] {
            assert_eq!(seams_of(&format!("md5({joined})")), [], "{joined}");
        }
    }

    #[test]
    fn a_time_in_the_sessions_zone_is_found() {
        let zoned = |sql: &str| look(sql).session.contains("at");
        assert!(
            zoned("md5(c_at::text || c_actor)") && zoned("md5(c_at || '|')") && zoned("md5(to_char(c_at, 'HH24'))")
        );
        assert!(zoned("md5(jsonb_build_object('at', c_at)::text)") && zoned("md5(to_jsonb(t)::text)"));
        assert!(
            !zoned("md5(to_char(c_at at time zone 'UTC', 'HH24'))") && !zoned("md5(extract(epoch from c_at)::text)")
        );
        assert!(!zoned("sha256(timestamptz_send(c_at))") && !zoned("md5((c_at) at time zone 'UTC'::text)"));
    }

    #[test]
    fn a_whole_row_reads_all_but_what_is_taken_away() {
        let found = look("md5(c_prev_hash || (to_jsonb(t) - 'actor' - 'prev_hash')::text)");
        assert!(found.reads_previous && found.reads.contains("action") && !found.reads.contains("actor"));
    }
}
