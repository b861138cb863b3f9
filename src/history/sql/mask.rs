//! Placeholders that a tool fills in before PostgreSQL sees a script, made into names of the same length: positions stay
//! exact, and a parser takes them.

use std::borrow::Cow;

/// What stands where a value is only known at run time.
pub(crate) const HOLE: &str = "govctl_unknown";

/// `${name}`, `{{ name }}`, `:NAME`, `:'name'` and `:"name"` become identifiers.
pub(crate) fn placeholders(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let colon = |at: usize| {
        bytes[at] == b':'
            && (at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'(' | b',' | b'.'))
            && bytes.get(at + 1).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'"' | b'\'' | b'_'))
    };
    let mut masked: Option<Vec<u8>> = None;
    let mut at = 0;
    while at < bytes.len() {
        let found = match bytes[at] {
            b'$' if bytes.get(at + 1) == Some(&b'{') => braced(bytes, at),
            b'{' if bytes.get(at + 1) == Some(&b'{') && !matches!(bytes.get(at + 2), Some(b'"' | b'\'' | b'{')) => {
                text[at..].find("}}").map(|n| n + 2)
            }
            b':' if colon(at) => Some(named(&bytes[at..])),
            _ => None,
        };
        match found {
            Some(length) if !bytes[at..at + length].contains(&b'\n') => {
                let masked = masked.get_or_insert_with(|| bytes.to_vec());
                for byte in &mut masked[at..at + length] {
                    // In lower case, so that it is one name inside quotes and outside of them.
                    *byte = if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'_' };
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    match masked.map(String::from_utf8) {
        Some(Ok(masked)) => Cow::Owned(masked),
        _ => Cow::Borrowed(text),
    }
}

/// How long `${name}` is; `$${"a": 1}` is a dollar-quoted string.
fn braced(bytes: &[u8], at: usize) -> Option<usize> {
    let is_named = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-' | b' ' | b'/');
    let name = bytes[at + 2..].iter().take_while(|b| is_named(b)).count();
    let quoted = at > 0 && bytes[at - 1] == b'$';
    (!quoted && name > 0 && bytes.get(at + 2 + name) == Some(&b'}')).then_some(name + 3)
}

/// How long `:name`, `:'name'` or `:"name"` is.
fn named(bytes: &[u8]) -> usize {
    let quote = bytes[1];
    if quote == b'"' || quote == b'\'' {
        return bytes[2..].iter().position(|b| *b == quote).map_or(1, |end| end + 3);
    }
    1 + bytes[1..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_names_of_the_same_length() {
        let text = "grant a to :VISITOR, ${flyway:user}; select x::text, {{ .t }} from :\"s\".t where a[1:2] = ':no'";
        let masked = placeholders(text);
        assert_eq!(masked.len(), text.len());
        assert!(masked.starts_with("grant a to _visitor, __flyway_user_; select x::text, __"), "{masked}");
        assert!(masked.contains("a[1:2]"));
        assert_eq!(placeholders("select 1::int"), "select 1::int");
        for text in ["values ($${\"a\": {\"b\": 1}}$$)", "select '{{\"a\": 1}}'", "select '${'"] {
            assert_eq!(placeholders(text), text);
        }
    }
}
