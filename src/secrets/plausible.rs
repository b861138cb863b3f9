//! What only looks like a secret: placeholders, words, hashes, identifiers, keys that are public by design.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use regex::Regex;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Shannon entropy in bits a character.
pub(super) fn entropy(text: &str) -> f64 {
    let mut counts: HashMap<char, f64> = HashMap::new();
    text.chars().for_each(|c| *counts.entry(c).or_default() += 1.0);
    let length: f64 = counts.values().sum();
    counts.values().map(|count| -(count / length) * (count / length).log2()).sum()
}

/// Stands for a secret that somebody else fills in.
pub(super) fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 22] = [
        "example",
        "changeme",
        "change_me",
        "change-me",
        "changethis",
        "placeholder",
        "your_",
        "your-",
        "yourpass",
        "xxxx",
        "****",
        "redacted",
        "dummy",
        "<",
        "${",
        "{{",
        "%s",
        "%l",
        "...",
        "replace_",
        "replace-",
        "insert_",
    ];
    let lower = text.to_lowercase();
    let first = text.chars().next();
    WORDS.iter().any(|word| lower.contains(word))
        || ["password", "passwd", "secret", "postgres", "pass", "pw", "user", "admin", "test", "root", "token"]
            .contains(&lower.as_str())
        || text.starts_with(['$', '%', ':', '[', '{'])
        || text.chars().all(|c| Some(c) == first)
        || lower.trim_start_matches(|c: char| !c.is_ascii_digit()).starts_with("000000000")
}

static HASH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:\$(?:2[abxy]|argon2\w*|pbkdf2|scrypt|y|6|5|1|7)\$|SCRAM-SHA-256\$|md5[0-9a-f]{32}$|\{S?SHA\d*\}|pbkdf2_|sha(?:1|224|256|384|512)[:$-])")
        .expect("a constant")
});
static IDENTIFIER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?:
        [0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}     # UUID
      | \d{4}-\d\d-\d\d.*                                        # date
      | [\d.,:+-]+                                               # number
      | (?i:sha-?\d+|md5|base64(?:url)?|hex|escape|utf-?8|aes(?:[-/\w]*)|hs\d+|rs\d+|es\d+|bf|xdes|des|cbc|3des[-\w]*)
      )$",
    )
    .expect("a constant")
});

/// Something that code says all the time: an algorithm, an encoding, a number, an identifier, a sentence.
pub(super) fn is_of_code(text: &str) -> bool {
    text.contains(char::is_whitespace) || IDENTIFIER.is_match(text)
}

/// The stored form of a password, from which nobody logs in.
pub(super) fn is_hash(text: &str) -> bool {
    HASH.is_match(text)
}

/// Names where a secret is kept instead of being one.
fn is_reference(text: &str) -> bool {
    const STORES: [&str; 16] = [
        "vault:",
        "vault/",
        "arn:",
        "op://",
        "secretsmanager",
        "projects/",
        "env:",
        "env.",
        "file:",
        "ssm:",
        "kms:",
        "sm://",
        "process.env",
        "secret:",
        "keyring:",
        "doppler:",
    ];
    let lower = text.to_lowercase();
    lower.starts_with(['/', '.', '~'])
        || STORES.iter().any(|store| lower.starts_with(store))
        || (lower.contains("://") && !lower.contains('@'))
}

/// A value nobody would write by hand as a word: it has digits or signs among its letters.
pub fn is_random(text: &str) -> bool {
    if is_hash(text) || is_reference(text) || text.chars().count() < 3 {
        return false;
    }
    let letters = text.chars().any(char::is_alphabetic);
    let digit = text.chars().any(|c| c.is_ascii_digit());
    let sign = text.chars().any(|c| "!@#$%^&*+?~=".contains(c));
    // A function call or a name in two parts is code.
    let call = text.contains(['(', ')']) || text.contains("::");
    let mixed = text.chars().skip(1).any(|c| c.is_ascii_uppercase()) && text.chars().any(|c| c.is_ascii_lowercase());
    !call && letters && (digit || sign || (mixed && text.len() >= 16 && entropy(text) >= 3.5))
}

/// Long, without a blank, and mixed as only a machine mixes.
pub(super) fn is_machine_made(text: &str) -> bool {
    let count = |test: fn(&char) -> bool| text.chars().filter(test).count();
    (20..=4096).contains(&text.len())
        && !is_of_code(text)
        && !text.contains(['/', '(', '%', '{', '.', ' '])
        && count(char::is_ascii_digit) >= 3
        && count(char::is_ascii_lowercase) >= 3
        && (count(char::is_ascii_uppercase) >= 3 || text.bytes().all(|b| b.is_ascii_hexdigit()))
        && entropy(text) >= 3.3
}

/// One word as rules for passwords ask for: capitals and small letters, a digit and a sign.
pub(super) fn is_password_like(text: &str) -> bool {
    let has = |test: fn(char) -> bool| text.chars().any(test);
    (8..=64).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "!@#?&*$_-".contains(c))
        && has(|c| c.is_ascii_uppercase())
        && has(|c| c.is_ascii_lowercase())
        && has(|c| c.is_ascii_digit())
        && has(|c| "!@#?&*$".contains(c))
        && !text.starts_with('$')
}

/// A token that is meant to be seen: Supabase's anonymous key, the one on jwt.io.
pub(super) fn is_public_token(text: &str) -> bool {
    let Some(payload) = text.strip_prefix("ey").and_then(|_| text.split('.').nth(1)) else { return false };
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    let said = String::from_utf8_lossy(&decoded).replace(' ', "");
    said.contains(r#""role":"anon""#)
        || said.contains(r#""name":"JohnDoe""#)
        || said.contains(r#""iss":"supabase-demo""#)
}

/// The value of something whose name says that it is a secret: no placeholder, no switch, no stored hash, no place where
/// the secret is kept.
pub fn is_secret_of_its_name(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    value.len() >= 6 && !is_placeholder(value) && !is_of_code(value) && !is_hash(value) && !is_reference(value)
}
