//! What a value has for which a program may write it in a way of its own: a null, a whole second, an accent.
//!
//! A formula that was found by search explains the rows it was tried on. A row that it does not explain was changed, or
//! is the first of its sort: nobody can tell by the hash. So what is new about such a row counts, and whether the row was
//! written again.

use super::time;
use super::value::{Kind, int};

/// Traits of one value, or of all values of a column, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits(pub u32);

const NULL: u32 = 1;
const EMPTY: u32 = 1 << 1;
const ACCENT: u32 = 1 << 2;
const ASTRAL: u32 = 1 << 3;
const QUOTE: u32 = 1 << 4;
const MARKUP: u32 = 1 << 5;
const SLASH: u32 = 1 << 6;
const CAPITAL: u32 = 1 << 7;
const BLANK_END: u32 = 1 << 8;
const LONG: u32 = 1 << 9;
const LONGER: u32 = 1 << 10;
const LONGEST: u32 = 1 << 11;
const WHOLE: u32 = 1 << 12;
const MILLIS: u32 = 1 << 13;
const ZERO_END: u32 = 1 << 14;
const MINUTE: u32 = 1 << 15;
const MIDNIGHT: u32 = 1 << 16;
const NEGATIVE: u32 = 1 << 17;
const BIG: u32 = 1 << 18;
const EXPONENT: u32 = 1 << 19;
const TRUE: u32 = 1 << 20;
const FALSE: u32 = 1 << 21;
const NULL_WITHIN: u32 = 1 << 22;
const NESTED: u32 = 1 << 23;
const EMPTY_WITHIN: u32 = 1 << 24;
const FRACTION: u32 = 1 << 25;
const ZERO: u32 = 1 << 26;
const MEMBERS: u32 = 1 << 27;
const TRUTH_WITHIN: u32 = 1 << 28;

/// Each with what is said of it.
const SAID: [(u32, &str); 29] = [
    (NULL, "is null"),
    (EMPTY, "is empty"),
    (ACCENT, "has characters beyond ASCII"),
    (ASTRAL, "has characters of two code units"),
    (QUOTE, "has quotes, backslashes or control characters"),
    (MARKUP, "has one of < > & '"),
    (SLASH, "has a slash"),
    (CAPITAL, "has capitals"),
    (BLANK_END, "begins or ends with a blank"),
    (LONG, "is longer than 100 bytes"),
    (LONGER, "is longer than 255 bytes"),
    (LONGEST, "is longer than 1,000 bytes"),
    (WHOLE, "is whole"),
    (MILLIS, "has milliseconds only"),
    (ZERO_END, "ends with a zero"),
    (MINUTE, "is a whole minute"),
    (MIDNIGHT, "is midnight"),
    (NEGATIVE, "has a negative number"),
    (BIG, "has a number of more than 15 digits"),
    (EXPONENT, "has a number with an exponent, or none"),
    (TRUE, "is true"),
    (FALSE, "is false"),
    (NULL_WITHIN, "has a null within"),
    (NESTED, "is nested"),
    (EMPTY_WITHIN, "has something empty within"),
    (FRACTION, "has a fraction"),
    (ZERO, "is zero"),
    (MEMBERS, "has several members"),
    (TRUTH_WITHIN, "has true or false within"),
];

impl Traits {
    /// Of one value.
    pub fn of(kind: Kind, value: Option<&[u8]>) -> Self {
        let Some(value) = value else { return Self(NULL) };
        Self(match kind {
            Kind::Bool => {
                if value == [1] {
                    TRUE
                } else {
                    FALSE
                }
            }
            Kind::Int => int(value).map_or(0, whole),
            Kind::Timestamptz | Kind::Timestamp => int(value).map_or(0, instant),
            Kind::Json => document(value),
            Kind::Jsonb => document(value.get(1..).unwrap_or_default()),
            Kind::Text => text(value),
            Kind::Rendered if is_number(value) => number(value),
            Kind::Rendered => text(value),
            Kind::Bytes if value.is_empty() => EMPTY,
            Kind::Bytes | Kind::Date | Kind::Uuid => 0,
        })
    }

    /// Those that are not among `known`.
    #[must_use]
    pub fn beyond(self, known: Self) -> Self {
        Self(self.0 & !known.0)
    }

    /// None.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Said of a column.
    pub fn said(self) -> impl Iterator<Item = &'static str> {
        SAID.into_iter().filter(move |(bit, _)| self.0 & bit != 0).map(|(_, said)| said)
    }
}

fn whole(number: i64) -> u32 {
    let mut traits = 0;
    if number < 0 {
        traits |= NEGATIVE;
    }
    if number == 0 {
        traits |= ZERO;
    }
    if number.unsigned_abs() > 1 << 53 {
        traits |= BIG;
    }
    traits
}

fn instant(micros: i64) -> u32 {
    let unix = time::unix_micros(micros);
    let fraction = unix.rem_euclid(1_000_000);
    let day = unix.rem_euclid(86_400_000_000);
    match (fraction, day) {
        (_, 0) => MIDNIGHT | MINUTE | WHOLE,
        (0, day) if day % 60_000_000 == 0 => MINUTE | WHOLE,
        (0, _) => WHOLE,
        (fraction, _) if fraction % 1000 == 0 && fraction % 10_000 == 0 => MILLIS | ZERO_END,
        (fraction, _) if fraction % 1000 == 0 => MILLIS,
        (fraction, _) if fraction % 10 == 0 => ZERO_END,
        _ => 0,
    }
}

fn is_number(value: &[u8]) -> bool {
    value.first().is_some_and(|first| first.is_ascii_digit() || *first == b'-')
        && value.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'))
        && value.iter().filter(|byte| **byte == b'.').count() < 2
}

fn number(value: &[u8]) -> u32 {
    let mut traits = 0;
    if value.first() == Some(&b'-') {
        traits |= NEGATIVE;
    }
    if value.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        traits |= EXPONENT;
    }
    if value.iter().filter(|byte| byte.is_ascii_digit()).count() > 15 {
        traits |= BIG;
    }
    if value.iter().all(|byte| matches!(byte, b'0' | b'.' | b'-')) {
        traits |= ZERO;
    }
    match value.iter().position(|byte| *byte == b'.').map(|point| &value[point + 1..]) {
        None => traits |= WHOLE,
        Some(digits) if digits.iter().all(|digit| *digit == b'0') => traits |= WHOLE | ZERO_END,
        Some([.., b'0']) => traits |= FRACTION | ZERO_END,
        Some(_) => traits |= FRACTION,
    }
    traits
}

fn of_byte(byte: u8) -> u32 {
    match byte {
        b'"' | b'\\' | 0..0x20 | 0x7f => QUOTE,
        b'<' | b'>' | b'&' | b'\'' => MARKUP,
        b'/' => SLASH,
        b'A'..=b'Z' => CAPITAL,
        0xf0.. => ACCENT | ASTRAL,
        0x80.. => ACCENT,
        _ => 0,
    }
}

fn by_length(length: usize) -> u32 {
    match length {
        0 => EMPTY,
        1..=100 => 0,
        101..=255 => LONG,
        256..=1000 => LONG | LONGER,
        _ => LONG | LONGER | LONGEST,
    }
}

fn text(value: &[u8]) -> u32 {
    let blank = |end: Option<&u8>| end.is_some_and(u8::is_ascii_whitespace);
    let ends = if blank(value.first()) || blank(value.last()) { BLANK_END } else { 0 };
    // Much text tells no more than a little.
    value.iter().take(4096).fold(by_length(value.len()) | ends, |traits, byte| traits | of_byte(*byte))
}

/// Of JSON, without reading it as such: rows come by the million.
fn document(value: &[u8]) -> u32 {
    let mut traits = by_length(value.len()) & !EMPTY;
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(byte) = value.get(at) {
        at += 1;
        match byte {
            b'"' => {
                while let Some(byte) = value.get(at) {
                    at += 1;
                    match byte {
                        b'"' => break,
                        b'\\' => {
                            traits |= QUOTE;
                            at += 1;
                        }
                        byte => traits |= of_byte(*byte) & !CAPITAL,
                    }
                }
            }
            b'{' | b'[' => {
                depth += 1;
                if depth > 1 {
                    traits |= NESTED;
                }
                if matches!(value.get(at), Some(b'}' | b']')) {
                    traits |= if depth > 1 { EMPTY_WITHIN } else { EMPTY };
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => traits |= MEMBERS,
            b'n' => traits |= NULL_WITHIN,
            b't' | b'f' => {
                traits |= TRUTH_WITHIN;
                // "false" has no other letter that counts.
                while value.get(at).is_some_and(u8::is_ascii_lowercase) {
                    at += 1;
                }
            }
            b'-' | b'0'..=b'9' => {
                let start = at - 1;
                while value.get(at).is_some_and(|byte| is_number(&[b'0', *byte])) {
                    at += 1;
                }
                traits |= number(&value[start..at]) & (NEGATIVE | BIG | EXPONENT | FRACTION | ZERO_END);
            }
            _ => {}
        }
    }
    traits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: Kind, value: &str) -> Vec<&'static str> {
        Traits::of(kind, Some(value.as_bytes())).said().collect()
    }

    #[test]
    fn values_have_the_traits_that_programs_differ_in() {
        assert!(Traits::of(Kind::Text, Some(b"evil")).is_none());
        assert!(said(Kind::Json, "{\"evil\": 1}").is_empty());
        assert_eq!(said(Kind::Text, "Zo\u{eb}"), ["has characters beyond ASCII", "has capitals"]);
        assert_eq!(said(Kind::Rendered, "12.50"), ["ends with a zero", "has a fraction"]);
        assert_eq!(said(Kind::Rendered, "10.9.9.9"), [""; 0]);
        assert_eq!(
            said(Kind::Json, "{\"a\": [], \"b\": null, \"c\": {\"d\": -1.5e3, \"e\": true}}"),
            [
                "has a negative number",
                "has a number with an exponent, or none",
                "has a null within",
                "is nested",
                "has something empty within",
                "has a fraction",
                "has several members",
                "has true or false within"
            ]
        );
        assert_eq!(Traits::of(Kind::Timestamptz, Some(&0_i64.to_be_bytes())), Traits(MIDNIGHT | MINUTE | WHOLE));
        assert_eq!(Traits::of(Kind::Timestamptz, Some(&1_120_000_i64.to_be_bytes())), Traits(MILLIS | ZERO_END));
        let (null, seen) = (Traits::of(Kind::Int, None), Traits(NULL | ZERO));
        assert!(null.beyond(seen).is_none() && !null.beyond(Traits(ZERO)).is_none());
    }
}
