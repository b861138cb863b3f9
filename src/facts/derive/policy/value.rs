//! Values of the small model: what a column or a setting may be, few enough to try them all.

use super::expr::Comparison;
use std::cmp::Ordering;
use std::sync::Arc;

/// A value in one try. Scalars are their text; casts check that the text fits the type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Text(Arc<str>),
    List(Vec<Self>),
    /// The expression raises: the statement fails and no row comes through.
    Error,
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::List(_) | Self::Error => None,
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }
}

fn is_number(type_name: &str) -> bool {
    matches!(type_name, "int2" | "int4" | "int8" | "numeric" | "oid" | "float4" | "float8")
}

/// The session's own tenant or user, in a column of this type.
pub(crate) fn own(type_name: &str) -> Value {
    Value::text(match type_name {
        name if is_number(name) => "7001",
        // A text as well: policies cast one to the other, and what is no UUID would raise there.
        _ => "70000000-0000-4000-8000-000000000001",
    })
}

/// Other tenants: before, after, and looking alike, so that ranges, lengths, prefixes, endings and remainders are seen through.
pub(crate) fn foreign(type_name: &str) -> Vec<Value> {
    let values: &[&str] = match type_name {
        name if is_number(name) => &["7002", "7000", "17001", "70010", "34721"],
        "uuid" => &[
            "70000000-0000-4000-8000-000000000002",
            "10000000-0000-4000-8000-000000000001",
            "f0000000-0000-4000-8000-000000000001",
            "70000000-0000-4000-8000-000000000003",
        ],
        _ => &[
            "70000000-0000-4000-8000-000000000002",
            "10000000-0000-4000-8000-000000000001",
            "f0000000-0000-4000-8000-000000000001",
            "70000000-0000-4000-8000-000000000001-2",
            "2-70000000-0000-4000-8000-000000000001",
        ],
    };
    values.iter().map(|v| Value::text(v)).collect()
}

/// The key of another tenant, in some type.
pub(crate) fn is_foreign(value: &Value) -> bool {
    ["int8", "uuid", "text"].iter().any(|type_name| foreign(type_name).contains(value))
}

/// The number that the text of a key stands for where a policy casts it to one: there the texts are numbers, and not the
/// UUIDs they are taken for elsewhere.
fn number_of(text: &Value) -> Option<Value> {
    if *text == own("text") {
        return Some(own("int8"));
    }
    let (texts, numbers) = (foreign("text"), foreign("int8"));
    texts.iter().position(|other| other == text).and_then(|at| numbers.get(at).cloned())
}

/// Some value that nothing in the policy names.
pub(crate) fn fresh(type_name: &str) -> Value {
    match type_name {
        "bool" => Value::Bool(true),
        "date" => Value::text("2031-01-01"),
        "timestamp" | "timestamptz" => Value::text("2031-01-01 00:00:00+00"),
        "uuid" => Value::text("c0000000-0000-4000-8000-00000000000c"),
        name if is_number(name) => Value::text("424242"),
        _ => Value::text("something"),
    }
}

/// Values that an argument of this type, as `format_type` writes it, may have.
pub(crate) fn some(type_text: &str) -> Vec<Value> {
    match type_text {
        "boolean" => vec![Value::Bool(true), Value::Bool(false)],
        "uuid" | "date" => vec![fresh(type_text)],
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => vec![fresh("int8")],
        _ if type_text.starts_with("timestamp") => vec![fresh("timestamptz")],
        _ => Vec::new(),
    }
}

/// Values just below and just above one, for comparisons that order.
pub(crate) fn neighbours(value: &Value) -> Vec<Value> {
    let Some(text) = value.as_text() else { return Vec::new() };
    match text.parse::<f64>() {
        Ok(number) => [number - 1.0, number + 1.0].iter().map(|n| Value::text(&n.to_string())).collect(),
        Err(_) => vec![Value::text(""), Value::text(&format!("{text}~"))],
    }
}

/// Values below and above all others of this sort.
pub(crate) fn ends(value: &Value) -> Vec<Value> {
    let numeric = value.as_text().is_some_and(|text| text.parse::<f64>().is_ok());
    let ends = if numeric { ["-1000000000", "1000000000"] } else { ["", "~~~~"] };
    ends.iter().map(|end| Value::text(end)).collect()
}

/// A type of numbers, as an expression names it.
pub(crate) fn is_number_in_sql(type_text: &str) -> bool {
    is_number(type_text) || matches!(type_text, "smallint" | "integer" | "int" | "bigint" | "real" | "double precision")
}

/// `::type` on a value. A text that does not fit raises, as PostgreSQL does.
pub(crate) fn cast(value: Value, type_text: &str) -> Value {
    let Some(text) = value.as_text() else { return value };
    let base = type_text.split('(').next().unwrap_or(type_text).trim();
    let fits = match base {
        "integer" | "int" | "int4" | "bigint" | "int8" | "smallint" | "int2" | "oid" => {
            return match text.trim().parse::<i128>() {
                Ok(number) => Value::text(&number.to_string()),
                Err(_) if value == Value::Bool(true) => Value::text("1"),
                Err(_) if value == Value::Bool(false) => Value::text("0"),
                Err(_) => match text.trim().parse::<f64>() {
                    Ok(number) => Value::text(&(number.round() as i64).to_string()),
                    Err(_) => number_of(&value).unwrap_or(Value::Error),
                },
            };
        }
        "numeric" | "decimal" | "real" | "double precision" | "float8" | "float4" => {
            if text.trim().parse::<f64>().is_err() {
                return number_of(&value).unwrap_or(Value::Error);
            }
            true
        }
        "uuid" => {
            let digits: String = text.chars().filter(|c| *c != '-' && *c != '{' && *c != '}').collect();
            if digits.len() != 32 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
                return Value::Error;
            }
            return Value::text(&text.trim_matches(['{', '}']).to_ascii_lowercase());
        }
        "boolean" | "bool" => {
            return match text.trim().to_ascii_lowercase().as_str() {
                "t" | "true" | "y" | "yes" | "on" | "1" => Value::Bool(true),
                "f" | "false" | "n" | "no" | "off" | "0" => Value::Bool(false),
                _ => Value::Error,
            };
        }
        "date" | "timestamp" | "timestamptz" | "timestamp with time zone" | "timestamp without time zone" => {
            text.contains(|c: char| c.is_ascii_digit()) || matches!(text, "now" | "infinity" | "-infinity")
        }
        "text" | "character varying" | "varchar" | "name" | "citext" | "bpchar" | "character" => {
            let length = type_text.split_once('(').and_then(|(_, n)| n.trim_end_matches(')').trim().parse().ok());
            return length
                .map_or_else(|| Value::text(text), |n| Value::text(&text.chars().take(n).collect::<String>()));
        }
        _ => true,
    };
    if fits { value } else { Value::Error }
}

fn order(left: &str, right: &str) -> Ordering {
    // A UUID without its dashes has more digits than a floating point number tells apart.
    if let (Ok(l), Ok(r)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return l.cmp(&r);
    }
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(l), Ok(r)) => l.partial_cmp(&r).unwrap_or(Ordering::Equal),
        _ => left.cmp(right),
    }
}

/// A comparison in three-valued logic.
pub(crate) fn compare(comparison: Comparison, left: &Value, right: &Value) -> Value {
    let ordering = match (left, right) {
        (Value::Error, _) | (_, Value::Error) => return Value::Error,
        (Value::Null, _) | (_, Value::Null) => return Value::Null,
        (Value::List(l), Value::List(r)) => return compare_lists(comparison, l, r),
        _ => match (left.as_text(), right.as_text()) {
            (Some(l), Some(r)) => order(l, r),
            _ => return Value::Null,
        },
    };
    Value::Bool(match comparison {
        Comparison::Equal => ordering == Ordering::Equal,
        Comparison::NotEqual => ordering != Ordering::Equal,
        Comparison::Less => ordering == Ordering::Less,
        Comparison::LessEqual => ordering != Ordering::Greater,
        Comparison::Greater => ordering == Ordering::Greater,
        Comparison::GreaterEqual => ordering != Ordering::Less,
    })
}

/// Rows and arrays: equal where all parts are, unequal where one is not.
fn compare_lists(comparison: Comparison, left: &[Value], right: &[Value]) -> Value {
    let parts = left.iter().zip(right).map(|(l, r)| compare(Comparison::Equal, l, r));
    let equal = if left.len() == right.len() { and(parts) } else { Value::Bool(false) };
    match comparison {
        Comparison::Equal => equal,
        Comparison::NotEqual => not(equal),
        Comparison::Less | Comparison::LessEqual | Comparison::Greater | Comparison::GreaterEqual => Value::Null,
    }
}

pub(crate) fn not(value: Value) -> Value {
    match value {
        Value::Bool(b) => Value::Bool(!b),
        other => other,
    }
}

pub(crate) fn and(values: impl IntoIterator<Item = Value>) -> Value {
    let mut result = Value::Bool(true);
    for value in values {
        match value {
            Value::Bool(false) => return value,
            Value::Bool(true) => {}
            Value::Error => result = Value::Error,
            _ if result != Value::Error => result = Value::Null,
            _ => {}
        }
    }
    result
}

/// `LIKE` with the default escape character.
pub(crate) fn like(text: &str, pattern: &str) -> bool {
    fn go(text: &[char], pattern: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|skip| go(&text[skip..], rest)),
            ['_', rest @ ..] => !text.is_empty() && go(&text[1..], rest),
            ['\\', c, rest @ ..] | [c, rest @ ..] => text.first() == Some(c) && go(&text[1..], rest),
        }
    }
    go(&text.chars().collect::<Vec<_>>(), &pattern.chars().collect::<Vec<_>>())
}

/// `text ~ pattern` for a pattern that is a text with perhaps `^` before it and `$` behind it; none for any other.
pub(crate) fn regular(text: &str, pattern: &str) -> Option<bool> {
    let (from_start, rest) = pattern.strip_prefix('^').map_or((false, pattern), |rest| (true, rest));
    let (to_end, part) = rest.strip_suffix('$').map_or((false, rest), |part| (true, part));
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | ',' | '@' | ' ');
    part.chars().all(is_plain).then(|| match (from_start, to_end) {
        (true, true) => text == part,
        (true, false) => text.starts_with(part),
        (false, true) => text.ends_with(part),
        (false, false) => text.contains(part),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_is_a_text_is_read() {
        for (text, pattern, expected) in [
            ("abc", "^abc$", Some(true)),
            ("abcd", "^abc$", Some(false)),
            ("abcd", "^abc", Some(true)),
            ("abc", "bc$", Some(true)),
            ("abc", "b", Some(true)),
            ("", "^$", Some(true)),
            ("abc", "^$", Some(false)),
            ("abc", "a.c", None),
            ("abc", "^(abc)$", None),
        ] {
            assert_eq!(regular(text, pattern), expected, "{text} ~ {pattern}");
        }
    }

    #[test]
    fn like_matches_as_postgresql_does() {
        for (text, pattern, expected) in [
            ("abc", "a%", true),
            ("abc", "a_c", true),
            ("abc", "b%", false),
            ("a%c", "a\\%c", true),
            ("", "%", true),
            ("x", "", false),
        ] {
            assert_eq!(like(text, pattern), expected, "{text} like {pattern}");
        }
    }

    #[test]
    fn the_text_of_a_key_may_be_a_number_or_a_uuid() {
        for type_name in ["bigint", "numeric"] {
            assert_eq!(cast(own("text"), type_name), own("int8"));
            assert_eq!(cast(foreign("text")[1].clone(), type_name), foreign("int8")[1]);
            assert_eq!(cast(Value::text("publication"), type_name), Value::Error);
        }
        assert_eq!(cast(own("text"), "uuid"), own("uuid"));
    }

    #[test]
    fn numbers_of_many_digits_differ() {
        let [one, other] = ["70000000000040008000000000000001", "70000000000040008000000000000002"].map(Value::text);
        assert_eq!(compare(Comparison::Equal, &one, &other), Value::Bool(false));
        assert_eq!(compare(Comparison::Equal, &Value::text("7"), &Value::text("7.0")), Value::Bool(true));
    }

    #[test]
    fn empty_text_is_no_uuid_and_no_integer() {
        assert_eq!(cast(Value::text(""), "uuid"), Value::Error);
        assert_eq!(cast(Value::text(""), "integer"), Value::Error);
        assert_eq!(cast(Value::text(" 7 "), "integer"), Value::text("7"));
    }

    #[test]
    fn own_and_foreign_never_meet() {
        for type_name in ["int4", "uuid", "text", "numeric", "bpchar"] {
            assert!(!foreign(type_name).contains(&own(type_name)));
            assert!(!foreign(type_name).contains(&fresh(type_name)) && own(type_name) != fresh(type_name));
        }
    }
}
