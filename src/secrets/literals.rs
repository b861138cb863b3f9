//! What stands between the quotes of some SQL, and beside it as a comment.

use std::ops::Range;

/// The insides of string literals and comments, as byte ranges. What a dollar quote holds may be code again, so its
/// own literals are given too. Text that is no SQL gives whatever looks like one.
pub fn literals(sql: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    scan(sql, 0, &mut found);
    found
}

fn scan(sql: &str, offset: usize, found: &mut Vec<Range<usize>>) {
    let bytes = sql.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = match rest {
            [b'\'', ..] => {
                let escapes = at > 0
                    && matches!(bytes[at - 1], b'e' | b'E')
                    && !bytes.get(at.wrapping_sub(2)).is_some_and(u8::is_ascii_alphanumeric);
                let end = quoted(bytes, at + 1, b'\'', escapes);
                found.push(offset + at + 1..offset + end);
                end + 1
            }
            [b'"', ..] => quoted(bytes, at + 1, b'"', false) + 1,
            [b'-', b'-', ..] => {
                let end = at + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
                found.push(offset + at + 2..offset + end);
                end
            }
            [b'/', b'*', ..] => {
                let end = sql[at + 2..].find("*/").map_or(bytes.len(), |length| at + 2 + length);
                found.push(offset + at + 2..offset + end);
                end + 2
            }
            [b'$', ..] => match dollar(sql, at) {
                Some(inside) => {
                    let end = inside.end + (inside.start - at);
                    found.push(offset + inside.start..offset + inside.end);
                    scan(&sql[inside.clone()], offset + inside.start, found);
                    end
                }
                None => at + 1,
            },
            _ => at + 1,
        };
        at = end.max(at + 1);
    }
}

/// Where the closing quote stands, or the end. A doubled quote is none.
fn quoted(bytes: &[u8], mut at: usize, quote: u8, escapes: bool) -> usize {
    while at < bytes.len() {
        if escapes && bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at] != quote {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return at;
        }
    }
    bytes.len()
}

/// The inside of a dollar quote that begins here.
fn dollar(sql: &str, at: usize) -> Option<Range<usize>> {
    let length = sql[at + 1..].find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    let tag = &sql[at..at + length + 2];
    if !tag.ends_with('$') || tag[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let start = at + tag.len();
    let end = sql[start..].find(tag).map(|length| start + length)?;
    Some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_every_kind_are_found_whole() {
        let of = |sql: &str| literals(sql).into_iter().map(|range| sql[range].to_owned()).collect::<Vec<_>>();
        assert_eq!(
            of("select 'a''b', \"no'one\", E'c\\'d' -- e 'f'\n, /* g */ 'h"),
            ["a''b", "c\\'d", " e 'f'", " g ", "h"]
        );
        assert_eq!(of("$x$ do 'a' $$b$$ $x$ $1 'c'"), [" do 'a' $$b$$ ", "a", "b", "c"]);
        assert_eq!(of("grün 'ß' $ä$x$ä$"), ["ß", "x"]);
    }
}
