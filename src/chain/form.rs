//! How one value becomes bytes of a preimage.

use super::algorithm::Algorithm;
use super::array;
use super::encoding;
use super::json_form::Style;
use super::time::{self, Clock};
use super::value::{Kind, int};
use std::io::Write;

/// The spelling of one value.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// As `::text` gives it in a session with UTC and ISO dates.
    Text,
    /// Binary send form, or what the server rendered, untouched.
    Raw,
    /// Lower-case hex of bytes, or of a digest however it is stored.
    Hex,
    /// The bytes of a digest, however it is stored.
    Digest,
    /// Base64 of bytes.
    Base64,
    /// Text in capitals, or in small letters: ASCII alone.
    Upper,
    /// The other.
    Lower,
    /// A point in time in a given spelling.
    Time(Clock),
    /// An address without the length of its network where that is one host: `::text` of an inet always has it, programs print none.
    Host,
    /// Whole units since 1970: how many make a second.
    Epoch(i64),
    /// Seconds since 1970 with six digits behind the point, as `extract(epoch …)` gives them.
    EpochText,
    /// The same as Python writes a float: zeros at the end dropped, but for the first.
    EpochFloat,
    /// Ten millionths of a second since the year 1: the ticks of .NET.
    Ticks,
    /// `true` and `false` in other words.
    Bool(&'static str, &'static str),
    /// A uuid without its dashes.
    BareUuid,
    /// A whole number in so many bytes, the highest first.
    BigEndian(u8),
    /// The same, the lowest first.
    LittleEndian(u8),
    /// Whole units since 1970 in eight bytes: how many make a second. The lowest byte first?
    Packed(i64, bool),
    /// A number with a fraction, as a language prints it.
    Number(Fraction),
    /// A spelling as a string inside a JSON document.
    Quoted(Style, Box<Self>),
    /// A value inside a JSON document; times as `Clock` spells them.
    Json(Style, Option<Clock>),
    /// A json or jsonb column written anew.
    Rewritten(Style),
    /// The SHA-256 of a spelling, in hex.
    Digested(Box<Self>),
    /// The elements of an array.
    Array {
        /// What stands before them, between them and behind them.
        around: [&'static str; 3],
        /// They are strings of JSON; none writes them as they are.
        quoted: Option<Style>,
    },
    /// A json or jsonb column, its objects with members of these names alone, in their order: inside a document that JavaScript
    /// wrote with a list of names.
    Listed(Style, Box<[String]>),
    /// A spelling of what is not empty: no text, zero, `false` and what has no members has none, as in Go's `omitempty`.
    Present(Box<Self>),
    /// Its length in bytes, framed as `int4`, then the value; null as -1.
    Framed,
    /// The length of a spelling in bytes, then the spelling.
    Counted(Count, Box<Self>),
}

/// How a number with a fraction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fraction {
    /// Without zeros that say nothing: `12.5`, `12`, as JavaScript.
    Needed,
    /// With at least one digit: `12.5`, `12.0`, as Python.
    One,
}

/// How a length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// In decimal, and this behind it.
    Decimal(u8),
    /// In four bytes, the highest first.
    Be4,
    /// In eight bytes, the highest first.
    Be8,
    /// In four bytes, the lowest first.
    Le4,
    /// In eight bytes, the lowest first.
    Le8,
}

impl Count {
    /// The length of these bytes, and they.
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        let mut counted = Vec::with_capacity(bytes.len() + 8);
        self.push(bytes, &mut counted);
        counted
    }

    /// Appends the length of these bytes, and they.
    pub fn push(self, bytes: &[u8], counted: &mut Vec<u8>) {
        let short = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let long = bytes.len() as u64;
        match self {
            Self::Decimal(behind) => {
                let _ = write!(counted, "{}", bytes.len());
                counted.push(behind);
            }
            Self::Be4 => counted.extend_from_slice(&short.to_be_bytes()),
            Self::Be8 => counted.extend_from_slice(&long.to_be_bytes()),
            Self::Le4 => counted.extend_from_slice(&short.to_le_bytes()),
            Self::Le8 => counted.extend_from_slice(&long.to_le_bytes()),
        }
        counted.extend_from_slice(bytes);
    }
}

impl Fraction {
    /// Ends the number that begins at `start`.
    fn end(self, start: usize, out: &mut Vec<u8>) {
        // What has an exponent, and what is no number, stays as it is.
        if !out[start..].iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-')) {
            return;
        }
        if out[start..].contains(&b'.') {
            while out.last() == Some(&b'0') {
                out.pop();
            }
            if out.last() == Some(&b'.') {
                out.pop();
            }
        }
        if self == Self::One && !out[start..].contains(&b'.') {
            out.extend_from_slice(b".0");
        }
    }
}

impl Form {
    /// The clock that times are spelled by, where this is a spelling of times.
    pub fn clock(&mut self) -> Option<&mut Clock> {
        match self {
            Self::Time(clock) | Self::Json(_, Some(clock)) => Some(clock),
            Self::Quoted(_, inner) | Self::Counted(_, inner) | Self::Present(inner) => inner.clock(),
            _ => None,
        }
    }

    /// The same for capital and small letters.
    pub fn is_caseless(&self) -> bool {
        match self {
            Self::Upper | Self::Lower => true,
            Self::Quoted(_, inner) | Self::Counted(_, inner) | Self::Present(inner) => inner.is_caseless(),
            _ => false,
        }
    }

    /// Members inside a document may be left out.
    pub fn leaves_out(&self) -> bool {
        match self {
            Self::Listed(..) => true,
            Self::Json(style, _) | Self::Rewritten(style) => style.listed,
            Self::Quoted(_, inner) | Self::Counted(_, inner) | Self::Present(inner) | Self::Digested(inner) => {
                inner.leaves_out()
            }
            _ => false,
        }
    }

    /// Appends the value's bytes; `false` where it has none in this form.
    pub fn write(&self, kind: Kind, value: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            Self::Text => text(kind, value, out),
            Self::Raw => {
                out.extend_from_slice(value);
                true
            }
            Self::Hex => match encoding::decode(value, kind == Kind::Bytes) {
                Some((digest, _)) => {
                    encoding::push_hex(digest.bytes(), out);
                    true
                }
                None if kind == Kind::Bytes => {
                    encoding::push_hex(value, out);
                    true
                }
                None => text(kind, value, out),
            },
            Self::Digest => match encoding::decode(value, kind == Kind::Bytes) {
                Some((digest, _)) => {
                    out.extend_from_slice(digest.bytes());
                    true
                }
                None => {
                    out.extend_from_slice(value);
                    true
                }
            },
            Self::Base64 => {
                out.extend_from_slice(encoding::base64(value).as_bytes());
                true
            }
            Self::Upper => {
                let start = out.len();
                let done = text(kind, value, out);
                out[start..].make_ascii_uppercase();
                done
            }
            Self::Lower => {
                let start = out.len();
                let done = text(kind, value, out);
                out[start..].make_ascii_lowercase();
                done
            }
            Self::Time(clock) => micros(kind, value).is_some_and(|micros| {
                clock.write(micros, kind != Kind::Timestamptz, out);
                true
            }),
            Self::Epoch(per_second) => {
                micros(kind, value).is_some_and(|micros| write!(out, "{}", units(micros, *per_second)).is_ok())
            }
            Self::Packed(per_second, lowest) => micros(kind, value).is_some_and(|micros| {
                let units = units(micros, *per_second);
                out.extend(if *lowest { units.to_le_bytes() } else { units.to_be_bytes() });
                true
            }),
            Self::EpochText => micros(kind, value).is_some_and(|micros| {
                let unix = time::unix_micros(micros);
                write!(out, "{}.{:06}", unix.div_euclid(1_000_000), unix.rem_euclid(1_000_000)).is_ok()
            }),
            Self::EpochFloat => micros(kind, value).is_some_and(|micros| {
                let unix = time::unix_micros(micros);
                let digits = format!("{:06}", unix.rem_euclid(1_000_000));
                let digits = digits.trim_end_matches('0');
                let digits = if digits.is_empty() { "0" } else { digits };
                write!(out, "{}.{digits}", unix.div_euclid(1_000_000)).is_ok()
            }),
            Self::Ticks => {
                micros(kind, value).is_some_and(|micros| write!(out, "{}", (micros + time::FROM_YEAR_ONE) * 10).is_ok())
            }
            Self::Bool(yes, no) => {
                out.extend_from_slice(if value == [1] { yes } else { no }.as_bytes());
                true
            }
            Self::Host => {
                let start = out.len();
                let done = text(kind, value, out);
                let mask = if out[start..].contains(&b':') { &b"/128"[..] } else { b"/32" };
                if out[start..].ends_with(mask) {
                    out.truncate(out.len() - mask.len());
                }
                done
            }
            Self::BareUuid => {
                encoding::push_hex(value, out);
                true
            }
            Self::BigEndian(length) => int(value).is_some_and(|number| {
                let bytes = number.to_be_bytes();
                out.extend_from_slice(&bytes[8 - usize::from((*length).min(8))..]);
                true
            }),
            Self::LittleEndian(length) => int(value).is_some_and(|number| {
                let bytes = number.to_le_bytes();
                out.extend_from_slice(&bytes[..usize::from((*length).min(8))]);
                true
            }),
            Self::Number(fraction) => {
                let start = out.len();
                let done = text(kind, value, out);
                fraction.end(start, out);
                done
            }
            Self::Quoted(style, form) => {
                let mut inner = Vec::new();
                let done = form.write(kind, value, &mut inner);
                style.string(&String::from_utf8_lossy(&inner), out);
                done
            }
            Self::Json(style, clock) => json(*style, clock.as_ref(), kind, value, out),
            Self::Rewritten(style) => parsed(kind, value).is_some_and(|value| {
                style.value(&value, out);
                true
            }),
            Self::Listed(style, names) => parsed(kind, value).is_some_and(|value| {
                style.members_of(&value, names, out);
                true
            }),
            Self::Digested(form) => {
                let mut written = Vec::new();
                let done = form.write(kind, value, &mut written);
                encoding::push_hex(Algorithm::Sha256.digest(None, &written).bytes(), out);
                done
            }
            Self::Array { around: [open, comma, close], quoted } => array::elements(value).is_some_and(|elements| {
                let is_empty = elements.is_empty();
                // Of none there are no lines.
                let bare = |text: &'static str| if is_empty { text.trim_ascii() } else { text };
                out.extend_from_slice(bare(open).as_bytes());
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        out.extend_from_slice(comma.as_bytes());
                    }
                    match (element, quoted) {
                        (Some(element), Some(style)) => style.string(element, out),
                        (Some(element), None) => out.extend_from_slice(element.as_bytes()),
                        (None, quoted) => out.extend_from_slice(quoted.map_or("", Style::null).as_bytes()),
                    }
                }
                out.extend_from_slice(bare(close).as_bytes());
                true
            }),
            Self::Counted(count, form) => {
                let mut inner = Vec::new();
                let done = form.write(kind, value, &mut inner);
                out.extend(count.of(&inner));
                done
            }
            Self::Present(form) => !is_empty(kind, value) && form.write(kind, value, out),
            Self::Framed => {
                let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(value);
                true
            }
        }
    }
}

/// Whole units since 1970 of a time of the server: how many make a second.
fn units(micros: i64, per_second: i64) -> i64 {
    let unix = time::unix_micros(micros);
    // A column may hold a time whose nanoseconds no integer does.
    if per_second > 1_000_000 {
        unix.saturating_mul(per_second / 1_000_000)
    } else {
        unix.div_euclid(1_000_000 / per_second)
    }
}

/// What Go takes for the zero of a type.
fn is_empty(kind: Kind, value: &[u8]) -> bool {
    match kind {
        Kind::Int => int(value) == Some(0),
        Kind::Bool => value == [0],
        Kind::Jsonb => matches!(value.get(1..), None | Some(b"{}" | b"[]" | b"null" | b"\"\"")),
        Kind::Json => matches!(value.trim_ascii(), b"{}" | b"[]" | b"null" | b"\"\""),
        Kind::Rendered => value == b"{}" || value.iter().all(|byte| matches!(byte, b'0' | b'.')),
        Kind::Text | Kind::Bytes => value.is_empty(),
        Kind::Timestamptz | Kind::Timestamp | Kind::Date | Kind::Uuid => false,
    }
}

/// Microseconds since 2000 of any kind of time.
fn micros(kind: Kind, value: &[u8]) -> Option<i64> {
    match kind {
        Kind::Timestamptz | Kind::Timestamp => int(value),
        Kind::Date => int(value).map(|days| days * 86_400_000_000),
        _ => None,
    }
}

/// `::text`.
pub fn text(kind: Kind, value: &[u8], out: &mut Vec<u8>) -> bool {
    match kind {
        Kind::Text | Kind::Rendered | Kind::Json => out.extend_from_slice(value),
        Kind::Jsonb => out.extend_from_slice(value.get(1..).unwrap_or_default()),
        Kind::Bool => out.extend_from_slice(if value == [1] { b"true" } else { b"false" }),
        Kind::Int => return int(value).is_some_and(|number| write!(out, "{number}").is_ok()),
        Kind::Uuid => {
            for (at, byte) in value.iter().enumerate() {
                if matches!(at, 4 | 6 | 8 | 10) {
                    out.push(b'-');
                }
                encoding::push_hex(&[*byte], out);
            }
        }
        Kind::Timestamptz | Kind::Timestamp => {
            let Some(micros) = int(value) else { return false };
            Clock::POSTGRES.write(micros, kind == Kind::Timestamp, out);
        }
        Kind::Date => {
            let Some(days) = int(value) else { return false };
            time::date(days, out);
        }
        Kind::Bytes => {
            out.extend_from_slice(b"\\x");
            encoding::push_hex(value, out);
        }
    }
    true
}

/// The value of a json or jsonb column, or of text that holds JSON.
fn parsed(kind: Kind, value: &[u8]) -> Option<serde_json::Value> {
    let text = if kind == Kind::Jsonb { value.get(1..)? } else { value };
    serde_json::from_slice(text).ok()
}

fn json(style: Style, clock: Option<&Clock>, kind: Kind, value: &[u8], out: &mut Vec<u8>) -> bool {
    match kind {
        Kind::Int => text(kind, value, out),
        Kind::Bool => {
            out.extend_from_slice(style.truth(value == [1]).as_bytes());
            true
        }
        Kind::Json | Kind::Jsonb => parsed(kind, value).is_some_and(|value| {
            style.value(&value, out);
            true
        }),
        _ => {
            let mut words = Vec::new();
            let done = match (clock, micros(kind, value)) {
                (Some(clock), Some(micros)) => {
                    clock.write(micros, kind != Kind::Timestamptz, &mut words);
                    true
                }
                _ => text(kind, value, &mut words),
            };
            style.string(&String::from_utf8_lossy(&words), out);
            done
        }
    }
}

/// What `text::bytea` makes of text: `\x` begins hex, else a backslash begins an octal byte or another backslash.
/// None where PostgreSQL would raise an error.
pub fn bytea_input(text: &[u8]) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix(b"\\x") {
        let digits: Vec<u8> = digits.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        return encoding::from_hex(std::str::from_utf8(&digits).ok()?);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        match rest {
            [b'\\', after @ ..] => {
                bytes.push(b'\\');
                rest = after;
            }
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytea_cast_reads_escapes() {
        assert_eq!(bytea_input(br"\x41"), Some(b"A".to_vec()));
        assert_eq!(bytea_input(br"a\\b"), Some(br"a\b".to_vec()));
        assert_eq!(bytea_input(br"a\101b"), Some(b"aAb".to_vec()));
        assert_eq!(bytea_input(br"C:\temp"), None);
        assert_eq!(bytea_input(b"plain"), Some(b"plain".to_vec()));
    }

    #[test]
    fn values_are_spelled() {
        let written = |form: &Form, kind, value: &[u8]| {
            let mut out = Vec::new();
            assert!(form.write(kind, value, &mut out));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(&Form::Text, Kind::Int, &(-7i64).to_be_bytes()), "-7");
        assert_eq!(written(&Form::Text, Kind::Uuid, &[0x11; 16]), "11111111-1111-1111-1111-111111111111");
        assert_eq!(written(&Form::Text, Kind::Jsonb, b"\x01{}"), "{}");
        assert_eq!(written(&Form::Epoch(1000), Kind::Timestamptz, &0i64.to_be_bytes()), "946684800000");
        for (form, first) in [(Form::Packed(1000, false), 0), (Form::Packed(1000, true), 0xe8)] {
            let mut packed = Vec::new();
            // A second after 1970 in milliseconds.
            let micros = 1_000_000 - 946_684_800_000_000_i64;
            assert!(form.write(Kind::Timestamptz, &micros.to_be_bytes(), &mut packed));
            assert_eq!(
                (packed.len(), packed[0], packed.iter().map(|byte| u32::from(*byte)).sum()),
                (8, first, 0xe8 + 3_u32)
            );
        }
        let number = |fraction, value: &str| written(&Form::Number(fraction), Kind::Rendered, value.as_bytes());
        assert_eq!(
            ["12.50", "100", "7.00", "1e+20"].map(|n| number(Fraction::Needed, n)),
            ["12.5", "100", "7", "1e+20"]
        );
        assert_eq!(["12.50", "100", "7.00", "NaN"].map(|n| number(Fraction::One, n)), ["12.5", "100.0", "7.0", "NaN"]);
        let host = |value: &str| written(&Form::Host, Kind::Rendered, value.as_bytes());
        assert_eq!(["10.0.0.7/32", "10.0.0.0/24", "::1/128"].map(host), ["10.0.0.7", "10.0.0.0/24", "::1"]);
        let style = Style::compact(false);
        assert_eq!(written(&Form::Json(style, None), Kind::Text, br#"a"b"#), r#""a\"b""#);
        let present = Form::Present(Box::new(Form::Text));
        let empty: [(Kind, &[u8]); 5] = [
            (Kind::Text, b""),
            (Kind::Int, &[0; 8]),
            (Kind::Jsonb, b"\x01{}"),
            (Kind::Rendered, b"0.00"),
            (Kind::Bool, &[0]),
        ];
        assert!(empty.iter().all(|(kind, value)| !present.write(*kind, value, &mut Vec::new())));
        assert_eq!(written(&present, Kind::Int, &7_i64.to_be_bytes()), "7");
    }
}
