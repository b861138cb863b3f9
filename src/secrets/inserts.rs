//! `INSERT INTO t (a, api_key) VALUES (1, 'x')`: values that only the place of their column calls secrets.

use super::literals::literals;
use super::names::{Named, named};
use super::plausible::is_secret_of_its_name;
use std::ops::Range;

/// The insides of literals that stand where a column called a secret does.
pub(super) fn under_secret_names(sql: &str) -> Vec<Range<usize>> {
    let quoted = literals(sql);
    let lower = sql.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, word) in lower.match_indices("insert into") {
        found.extend(statement(sql, &lower, at + word.len(), &quoted).unwrap_or_default());
    }
    found
}

fn statement(sql: &str, lower: &str, from: usize, quoted: &[Range<usize>]) -> Option<Vec<Range<usize>>> {
    let open = from + sql[from..].find('(')?;
    // Between the name and the columns stands nothing but the name.
    if sql[from..open].split_whitespace().count() > 1 {
        return None;
    }
    let close = open + sql[open..].find(')')?;
    let columns = sql[open + 1..close].split(',').map(|name| name.trim().trim_matches('"'));
    let secret: Vec<bool> = columns.map(|name| matches!(named(name), Some(Named::Secret | Named::Key))).collect();
    if !secret.contains(&true) {
        return None;
    }
    let values = close + lower[close..].find("values")?;
    if !sql[close + 1..values]
        .split_whitespace()
        .all(|word| ["overriding", "system", "user", "value"].contains(&word.to_ascii_lowercase().as_str()))
    {
        return None;
    }
    Some(tuples(sql, values + "values".len(), quoted, &secret))
}

/// Walks `(…), (…)` to its end.
fn tuples(sql: &str, from: usize, quoted: &[Range<usize>], secret: &[bool]) -> Vec<Range<usize>> {
    let (mut found, mut depth, mut position, mut at) = (Vec::new(), 0_usize, 0_usize, from);
    let bytes = sql.as_bytes();
    while at < bytes.len() {
        if let Some(inside) = quoted.iter().find(|inside| inside.start == at + 1 && bytes[at] == b'\'') {
            let here = depth == 1 && secret.get(position).copied().unwrap_or(false);
            if here && is_secret_of_its_name(&sql[inside.clone()]) {
                found.push(inside.clone());
            }
            at = inside.end + 1;
            continue;
        }
        match bytes[at] {
            b'(' => {
                depth += 1;
                if depth == 1 {
                    position = 0;
                }
            }
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => position += 1,
            b';' => break,
            b if depth == 0 && !b.is_ascii_whitespace() && b != b',' => break,
            _ => {}
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_secret_by_the_name_of_its_column() {
        let of = |sql: &str| under_secret_names(sql).into_iter().map(|range| sql[range].to_owned()).collect::<Vec<_>>();
        assert_eq!(
            of(
                "insert into app.accounts (id, name, \"apiKey\") values (1, 'a,(b', 'Sommer2024!'), (2, f('x', 'y'), E'other-Pw-7');"
            ),
            ["Sommer2024!", "other-Pw-7"]
        );
        assert_eq!(of("INSERT INTO t(password) VALUES ('hunter2x') on conflict (id) do nothing"), ["hunter2x"]);
        for none in [
            "insert into t (id, note) values (1, 'Sommer2024!')",
            "insert into t (id, api_key) select 1, 'Sommer2024!'",
            "insert into t (password_hash) values ('$2b$12$abcdefghijklmnopqrstuv')",
            "insert into t (password) values ('changeme'), (null), (crypt('x', gen_salt('bf')))",
            "insert into t values (1, 'Sommer2024!')",
        ] {
            assert_eq!(of(none), [""; 0], "{none}");
        }
    }
}
