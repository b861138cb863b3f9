//! What a value looks like, and the few words that are known by themselves.

use crate::secrets::words;
use regex::Regex;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// For counting different values: of this run alone.
pub(super) fn digest(value: &str) -> u64 {
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    STATE.hash_one(value)
}

macro_rules! regex {
    ($text:literal) => {
        LazyLock::new(|| Regex::new($text).expect("a constant"))
    };
}

static SHAPES: [(&str, LazyLock<Regex>); 9] = [
    ("email", regex!(r"^[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z]{2,24}$")),
    ("uuid", regex!(r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")),
    (
        "password hash",
        regex!(
            r"^(?:\$(?:2[abxy]|argon2\w*|pbkdf2[\w-]*|scrypt|y|6|5|1)\$|SCRAM-SHA-256\$|md5[0-9a-f]{32}$|\{S?SHA\d*\}|pbkdf2_\w+\$)"
        ),
    ),
    (
        "ciphertext",
        regex!(
            r"^(?:-----BEGIN PGP MESSAGE|gAAAAA[A-Za-z0-9_-]{20}|\\303\r\\004|vault:v\d+:|age-encryption|enc:|U2FsdGVkX1|AQICAH)"
        ),
    ),
    ("provider id", regex!(r"^(?:cus|pm|pi|ch|in|sub|acct|card|src|ba|seti|evt|price|prod)_[A-Za-z0-9]{14,}$")),
    ("iban", regex!(r"^[A-Z]{2}\d{2} ?(?:[A-Z0-9]{4} ?){2,7}[A-Z0-9]{1,4}$")),
    ("social security number", regex!(r"^\d{3}-\d{2}-\d{4}$")),
    ("phone", regex!(r"^(?:\+\d{1,3}[ .-]?)(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,}$")),
    ("hex", regex!(r"^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128})$")),
];

/// The shape of a whole value.
pub(super) fn of(value: &str) -> Option<&'static str> {
    let value = value.trim();
    if !(6..=512).contains(&value.len()) {
        return None;
    }
    let known = SHAPES.iter().find(|(_, regex)| regex.is_match(value)).map(|(name, _)| *name);
    known.or_else(|| is_payment_card(value).then_some("payment card")).or_else(|| is_random(value).then_some("random"))
}

/// What the strings of a JSON document are, of what concerns persons alone: each shape once.
pub(super) fn inside(value: &str) -> BTreeSet<&'static str> {
    const OF_PERSONS: [&str; 5] = ["email", "phone", "iban", "social security number", "payment card"];
    if !value.trim_start().starts_with(['{', '[']) {
        return BTreeSet::new();
    }
    // A string without a digit and without an @ is none of them.
    let strings = value.split('"').filter(|part| part.contains(|c: char| c == '@' || c.is_ascii_digit()));
    strings.filter_map(of).filter(|shape| OF_PERSONS.contains(shape)).collect()
}

/// 13 to 19 digits, in groups or not, that end in their check digit and begin as those of the networks do.
fn is_payment_card(value: &str) -> bool {
    let digits: Vec<u32> = value.chars().filter_map(|c| c.to_digit(10)).collect();
    if !(13..=19).contains(&digits.len())
        || !value.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-')
        || ![2, 3, 4, 5, 6].contains(&digits[0])
    {
        return false;
    }
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits.iter().rev().enumerate().map(|(i, &d)| if i % 2 == 1 { doubled(d) } else { d }).sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != digits[0])
}

/// One word that a machine made.
fn is_random(value: &str) -> bool {
    let count = |test: fn(&char) -> bool| value.chars().filter(test).count();
    (20..=256).contains(&value.len())
        && !value.contains(|c: char| c.is_whitespace() || "/.:@".contains(c))
        && count(char::is_ascii_digit) >= 3
        && count(char::is_ascii_alphabetic) >= 6
        && !value.starts_with(['{', '['])
}

/// Words that say who acts, which role somebody has, how something is classified or how it ended.
const WORDS: [&str; 56] = [
    "agent",
    "ai",
    "assistant",
    "bot",
    "llm",
    "model",
    "tool",
    "function",
    "user",
    "human",
    "person",
    "customer",
    "employee",
    "staff",
    "system",
    "service",
    "cron",
    "job",
    "worker",
    "application",
    "app",
    "admin",
    "administrator",
    "owner",
    "member",
    "viewer",
    "editor",
    "guest",
    "support",
    "finance",
    "billing",
    "manager",
    "operator",
    "superadmin",
    "readonly",
    "public",
    "internal",
    "confidential",
    "restricted",
    "secret",
    "allow",
    "deny",
    "denied",
    "allowed",
    "granted",
    "permitted",
    "refused",
    "blocked",
    "success",
    "succeeded",
    "ok",
    "error",
    "approved",
    "rejected",
    "pending",
    "failed",
];

/// The word a value is.
pub(super) fn word(value: &str) -> Option<&'static str> {
    let value = value.trim();
    if value.len() > 16 {
        return None;
    }
    WORDS.iter().find(|word| word.eq_ignore_ascii_case(value)).copied()
}

/// Properties that a tool should not ask a model for: what their words are, in any style of writing, and how they are called here.
const PROPERTIES: [(&str, &str); 28] = [
    ("api key", "property api_key"),
    ("apikey", "property api_key"),
    ("access key", "property access_key"),
    ("secret key", "property secret_key"),
    ("encryption key", "property encryption_key"),
    ("private key", "property private_key"),
    ("password", "property password"),
    ("passwd", "property password"),
    ("passphrase", "property password"),
    ("pwd", "property password"),
    ("access token", "property access_token"),
    ("refresh token", "property refresh_token"),
    ("auth token", "property auth_token"),
    ("bearer token", "property auth_token"),
    ("session token", "property session_token"),
    ("bot token", "property bot_token"),
    ("client secret", "property client_secret"),
    ("webhook secret", "property secret"),
    ("connection string", "property connection_string"),
    ("card number", "property card_number"),
    ("cardnumber", "property card_number"),
    ("cvv", "property cvv"),
    ("cvc", "property cvv"),
    ("ssn", "property ssn"),
    ("social security", "property ssn"),
    ("iban", "property iban"),
    ("bank account", "property bank_account"),
    ("account number", "property account_number"),
];

/// Properties that are one word and mean it only alone: `token`, not `page_token`.
const BARE: [(&str, &str); 6] = [
    ("token", "property token"),
    ("secret", "property secret"),
    ("credentials", "property credentials"),
    ("credential", "property credentials"),
    ("pan", "property card_number"),
    ("dsn", "property connection_string"),
];

/// Those that a JSON schema of a tool's input has.
pub(super) fn properties(value: &str) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    if value.starts_with('{') && value.contains("\"properties\"") && value.contains("\"type\"") {
        // A name is followed by a colon and what it is: an object.
        let parts: Vec<&str> = value.split('"').collect();
        for two in parts.windows(2) {
            if two[1].trim_start().strip_prefix(':').is_some_and(|rest| rest.trim_start().starts_with('{')) {
                found.extend(property(two[0]));
            }
        }
    }
    found
}

fn property(name: &str) -> Option<&'static str> {
    // Of a reference the model may know.
    const ABOUT: [&str; 8] = ["ref", "reference", "id", "name", "type", "last4", "hash", "count"];
    let words = words(name);
    if words.last().is_some_and(|last| ABOUT.contains(&last.as_str())) {
        return None;
    }
    let joined = format!(" {} ", words.join(" "));
    let known = PROPERTIES.iter().find(|(of, _)| joined.contains(&format!(" {of} ")));
    let bare = BARE.iter().find(|(of, _)| words.len() == 1 && words[0] == *of);
    known.or(bare).map(|(_, property)| *property)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_known_by_their_shape() {
        for (value, shape) in [
            ("ada@one.example", Some("email")),
            ("a0000000-0000-4000-8000-000000000001", Some("uuid")),
            ("4242 4242 4242 4242", Some("payment card")),
            ("4242 4242 4242 4243", None),
            ("0000000000000000", None),
            ("DE89 3704 0044 0532 0130 00", Some("iban")),
            ("078-05-1120", Some("social security number")),
            ("+44 20 7946 0958", Some("phone")),
            ("1700000000123", None),
            ("cus_NffrFeUfNV2Hib", Some("provider id")),
            ("d41d8cd98f00b204e9800998ecf8427e", Some("hex")),
            ("a sentence with 4 words and 12 more", None),
            ("kX81mZq0pL22vBn7Yt5RwE", Some("random")),
        ] {
            assert_eq!(of(value), shape, "{value}");
        }
        assert_eq!(of("$2b$12$abcdefghijklmnopqrstuv"), Some("password hash"));
        assert_eq!(word(" Agent "), Some("agent"));
        assert_eq!(word("agents"), None);
        let schema =
            r#"{"type": "object", "properties": {"api_key": {"type": "string"}, "note": {"enum": ["password"]}}}"#;
        assert_eq!(properties(schema), BTreeSet::from(["property api_key"]));
        let schema = r#"{"type": "object", "properties": {"cardNumber": {"type": "string"}, "cardNumberRef": {"type": "string"},
            "page_token": {}, "customer_ref": {}, "auth": {"type": "object", "properties": {"token": {"type": "string"}}}}}"#;
        assert_eq!(properties(schema), BTreeSet::from(["property card_number", "property token"]));
        let document =
            r#"{"contact": {"mail": "ada@one.example", "tel": "+44 20 7946 0958"}, "n": ["ada@two.example"]}"#;
        assert_eq!(inside(document), BTreeSet::from(["email", "phone"]));
        assert!(inside("ada@one.example").is_empty());
    }
}
