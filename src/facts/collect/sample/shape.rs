//! What a value looks like, and the few words that are known by themselves.

use regex::Regex;
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

/// Properties that a tool should not ask a model for.
const PROPERTIES: [(&str, &str); 12] = [
    ("\"api_key\"", "property api_key"),
    ("\"apiKey\"", "property api_key"),
    ("\"password\"", "property password"),
    ("\"token\"", "property token"),
    ("\"access_token\"", "property access_token"),
    ("\"secret\"", "property secret"),
    ("\"client_secret\"", "property client_secret"),
    ("\"private_key\"", "property private_key"),
    ("\"card_number\"", "property card_number"),
    ("\"cvv\"", "property cvv"),
    ("\"ssn\"", "property ssn"),
    ("\"iban\"", "property iban"),
];

/// Those that a JSON schema of a tool's input has.
pub(super) fn properties(value: &str) -> impl Iterator<Item = &'static str> + '_ {
    let is_schema = value.starts_with('{') && value.contains("\"properties\"") && value.contains("\"type\"");
    let named = move |(quoted, word): &(&str, &'static str)| {
        let asked = value
            .split(quoted)
            .skip(1)
            .any(|rest| rest.trim_start().strip_prefix(':').is_some_and(|r| r.trim_start().starts_with('{')));
        (is_schema && asked).then_some(*word)
    };
    PROPERTIES.iter().filter_map(named)
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
        assert_eq!(properties(schema).collect::<Vec<_>>(), ["property api_key"]);
    }
}
