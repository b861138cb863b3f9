//! How a digest is stored in a column.

use super::algorithm::Digest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// The way a column spells digests, as one of its values shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The bytes themselves, `bytea`.
    Bytes,
    /// Hex, in either case, perhaps after a prefix such as `0x`, `\x` or `sha256:`.
    Hex,
    /// Base64 in either alphabet, with or without padding.
    Base64,
}

/// Bytes of the digests that exist.
const LENGTHS: [usize; 6] = [16, 20, 28, 32, 48, 64];

/// Bytes of the shortest that are met. Numbers look like them, too: only where a column is named for it.
pub const SHORTEST: usize = 8;

/// Reads a stored digest; none where this is no digest.
pub fn decode(value: &[u8], is_bytes: bool) -> Option<(Digest, Encoding)> {
    if is_bytes {
        // Some store the hex text in a bytea column.
        if LENGTHS.contains(&value.len()) && !(value.len() > 20 && value.iter().all(u8::is_ascii_hexdigit)) {
            return Some((Digest::new(value), Encoding::Bytes));
        }
        return text(value).filter(|(_, encoding)| *encoding == Encoding::Hex);
    }
    text(value)
}

fn text(value: &[u8]) -> Option<(Digest, Encoding)> {
    let value = value.trim_ascii();
    // encode(…, 'base64') breaks lines after 76 characters.
    if value.len() <= 90 && value.contains(&b'\n') {
        return text(&value.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>());
    }
    let bare = prefixes(value);
    let mut bytes = [0; 64];
    // Sixteen digits are what some cut a digest to.
    if bare.len().is_multiple_of(2) && (LENGTHS.contains(&(bare.len() / 2)) || value.len() == 2 * SHORTEST) {
        let bytes = &mut bytes[..bare.len() / 2];
        if unhex(bare, bytes) {
            return Some((Digest::new(bytes), Encoding::Hex));
        }
    }
    // 22 characters are 16 bytes, 88 are 64.
    if !(22..=88).contains(&bare.len()) {
        return None;
    }
    let decoded =
        [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD].iter().find_map(|e| e.decode(bare).ok())?;
    LENGTHS.contains(&decoded.len()).then(|| (Digest::new(&decoded), Encoding::Base64))
}

/// Without `0x`, `\x` and `sha256:`.
fn prefixes(value: &[u8]) -> &[u8] {
    for prefix in [&b"0x"[..], b"\\x"] {
        if let Some(rest) = value.strip_prefix(prefix) {
            return rest;
        }
    }
    // A dash is also a digit of base64.
    let names = |name: &[u8]| [&b"sha"[..], b"md5", b"hmac"].iter().any(|known| name.starts_with(known));
    match value.iter().position(|byte| matches!(byte, b':' | b'-')) {
        Some(at)
            if at <= 11
                && value[..at].iter().all(u8::is_ascii_alphanumeric)
                && value.len() > at + 22
                && (value[at] == b':' || names(&value[..at])) =>
        {
            &value[at + 1..]
        }
        _ => value,
    }
}

/// Hex digits of either case into bytes, `false` where one is none.
fn unhex(digits: &[u8], into: &mut [u8]) -> bool {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0xff,
    };
    for (byte, pair) in into.iter_mut().zip(digits.as_chunks::<2>().0) {
        let (high, low) = (nibble(pair[0]), nibble(pair[1]));
        if (high | low) & 0xf0 != 0 {
            return false;
        }
        *byte = high << 4 | low;
    }
    true
}

/// Bytes of hex digits.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    (text.len().is_multiple_of(2) && unhex(text.as_bytes(), &mut bytes)).then_some(bytes)
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len() * 2);
    push_hex(bytes, &mut text);
    text.into_iter().map(char::from).collect()
}

/// Lower-case hex into a buffer.
pub fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// Padded base64 in the standard alphabet.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads padded base64 in the standard alphabet.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digest_in_every_spelling() {
        let digest = super::super::algorithm::Algorithm::Sha256.digest(None, b"x");
        let hex = digest.hex();
        let spellings = [
            hex.clone(),
            hex.to_uppercase(),
            format!("0x{hex}"),
            format!("\\x{hex}"),
            format!("sha256:{hex}"),
            format!("sha256-{}", base64(digest.bytes())),
            format!("{hex}   "),
            base64(digest.bytes()),
            URL_SAFE_NO_PAD.encode(digest.bytes()),
            format!("{}\n{}", &base64(digest.bytes())[..30], &base64(digest.bytes())[30..]),
        ];
        for spelling in &spellings {
            assert_eq!(decode(spelling.as_bytes(), false).map(|(found, _)| found), Some(digest), "{spelling}");
        }
        // Some have a dash near their beginning.
        for n in 0..200_u8 {
            let digest = super::super::algorithm::Algorithm::Sha256.digest(None, &[n]);
            let text = URL_SAFE_NO_PAD.encode(digest.bytes());
            assert_eq!(decode(text.as_bytes(), false).map(|(found, _)| found), Some(digest), "{text}");
        }
        assert_eq!(decode(digest.bytes(), true), Some((digest, Encoding::Bytes)));
        assert_eq!(decode(hex.as_bytes(), true), Some((digest, Encoding::Hex)));
    }

    #[test]
    fn words_are_no_digests() {
        for word in ["GENESIS", "", "0", "the quick brown fox jumps over it", &"g".repeat(61)] {
            assert_eq!(decode(word.as_bytes(), false), None, "{word}");
        }
    }
}
