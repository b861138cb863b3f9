//! Built-in functions and operators with one plain meaning (PostgreSQL documentation, chapter 9).

use super::expr::Comparison;
use super::value::{Value, compare};

/// The function is evaluated by [`function`].
pub(crate) fn is_known(name: &str) -> bool {
    matches!(
        name,
        "lower"
            | "upper"
            | "btrim"
            | "trim"
            | "ltrim"
            | "rtrim"
            | "length"
            | "char_length"
            | "left"
            | "right"
            | "md5"
            | "sha256"
            | "concat"
            | "abs"
            | "mod"
            | "reverse"
            | "substr"
            | "substring"
            | "starts_with"
            | "strpos"
            | "replace"
            | "concat_ws"
            | "format"
            | "greatest"
            | "least"
            | "num_nulls"
            | "num_nonnulls"
            | "array_position"
    ) || is_injective(name)
}

/// Two inputs that differ give two outputs that differ, near enough: a hash is as good as its input for telling two apart.
fn is_injective(name: &str) -> bool {
    is_strict_injective(name)
        || matches!(name, "jsonb_build_object" | "json_build_object" | "jsonb_build_array" | "json_build_array")
}

fn is_strict_injective(name: &str) -> bool {
    matches!(
        name,
        "md5"
            | "sha224"
            | "sha256"
            | "sha384"
            | "sha512"
            | "digest"
            | "encode"
            | "convert_to"
            | "hashtext"
            | "hashtextextended"
            | "quote_literal"
            | "quote_ident"
    )
}

/// Applies a known function; none where the arguments do not fit it.
pub(crate) fn function(name: &str, arguments: &[Value]) -> Option<Value> {
    if arguments.contains(&Value::Error) {
        return Some(Value::Error);
    }
    if let Some(value) = lenient(name, arguments) {
        return Some(value);
    }
    if arguments.contains(&Value::Null) {
        return Some(Value::Null);
    }
    let text = arguments.first()?.as_text()?;
    let number = |i: usize| arguments.get(i).and_then(Value::as_text).and_then(|t| t.parse::<i64>().ok());
    let chars: Vec<char> = text.chars().collect();
    let count = chars.len() as i64;
    let slice = |from: i64, to: i64| -> String {
        chars[from.clamp(0, count) as usize..to.clamp(from.clamp(0, count), count) as usize].iter().collect()
    };
    Some(match name {
        "lower" => Value::text(&text.to_lowercase()),
        "upper" => Value::text(&text.to_uppercase()),
        "btrim" | "trim" if arguments.len() == 1 => Value::text(text.trim_matches(' ')),
        "ltrim" if arguments.len() == 1 => Value::text(text.trim_start_matches(' ')),
        "rtrim" if arguments.len() == 1 => Value::text(text.trim_end_matches(' ')),
        "length" | "char_length" => Value::text(&count.to_string()),
        "left" => {
            let n = number(1)?;
            Value::text(&slice(0, if n < 0 { count + n } else { n }))
        }
        "right" => {
            let n = number(1)?;
            Value::text(&slice(if n < 0 { -n } else { count - n }, count))
        }
        "substr" | "substring" => {
            let from = number(1)? - 1;
            let to = if arguments.len() > 2 { from + number(2)? } else { count };
            Value::text(&slice(from, to))
        }
        "reverse" => Value::text(&chars.iter().rev().collect::<String>()),
        name if is_strict_injective(name) => {
            let arguments: Vec<&str> = arguments.iter().map(Value::as_text).collect::<Option<_>>()?;
            Value::text(&format!("{name}:{}", arguments.join("\u{1}")))
        }
        "replace" => match arguments.get(1)?.as_text()? {
            "" => Value::text(text),
            from => Value::text(&text.replace(from, arguments.get(2)?.as_text()?)),
        },
        "abs" => Value::text(&text.parse::<i64>().ok()?.abs().to_string()),
        "mod" => Value::text(&text.parse::<i64>().ok()?.checked_rem(number(1)?)?.to_string()),
        "starts_with" => Value::Bool(text.starts_with(arguments.get(1)?.as_text()?)),
        "strpos" => {
            let at = text.find(arguments.get(1)?.as_text()?);
            Value::text(&at.map_or(0, |byte| text[..byte].chars().count() + 1).to_string())
        }
        _ => return None,
    })
}

/// Functions that take NULL for an answer.
fn lenient(name: &str, arguments: &[Value]) -> Option<Value> {
    let nulls = arguments.iter().filter(|value| **value == Value::Null).count();
    let texts = |values: &[Value]| values.iter().filter_map(|v| v.as_text().map(str::to_owned)).collect::<Vec<_>>();
    Some(match name {
        "concat" => Value::text(&texts(arguments).concat()),
        "concat_ws" => {
            let (separator, rest) = arguments.split_first()?;
            Value::text(&texts(rest).join(separator.as_text()?))
        }
        "num_nulls" => Value::text(&nulls.to_string()),
        "num_nonnulls" => Value::text(&(arguments.len() - nulls).to_string()),
        "greatest" | "least" => {
            let wanted = if name == "least" { Comparison::Less } else { Comparison::Greater };
            let known = arguments.iter().filter(|value| **value != Value::Null);
            let further = |best: Value, value: &Value| {
                if compare(wanted, value, &best).is_true() { value.clone() } else { best }
            };
            known
                .fold(None, |best, value| Some(best.map_or_else(|| value.clone(), |best| further(best, value))))
                .unwrap_or(Value::Null)
        }
        "array_position" => {
            let [Value::List(items), wanted] = arguments else { return None };
            let at = items.iter().position(|item| compare(Comparison::Equal, item, wanted).is_true());
            at.map_or(Value::Null, |at| Value::text(&(at + 1).to_string()))
        }
        "format" => {
            let (pattern, rest) = arguments.split_first()?;
            let mut given = rest.iter();
            let mut parts = pattern.as_text()?.split('%');
            let mut text = parts.next()?.to_owned();
            for part in parts {
                // Positions, widths and `%%` are left unread.
                let end = part.strip_prefix(['s', 'I', 'L'])?;
                text.push_str(given.next()?.as_text().unwrap_or_default());
                text.push_str(end);
            }
            Value::text(&text)
        }
        name if is_injective(name) && !is_strict_injective(name) => {
            let part = |value: &Value| value.as_text().map_or_else(|| "\u{1}null".to_owned(), str::to_owned);
            Value::text(&format!("{name}:{}", arguments.iter().map(part).collect::<Vec<_>>().join("\u{1}")))
        }
        _ => return None,
    })
}

/// `||` and integer arithmetic.
pub(crate) fn operator(operator: &str, operands: &[Value]) -> Option<Value> {
    if operands.contains(&Value::Error) {
        return Some(Value::Error);
    }
    if operands.contains(&Value::Null) {
        return Some(Value::Null);
    }
    let texts: Vec<&str> = operands.iter().map(Value::as_text).collect::<Option<_>>()?;
    if operator == "||" {
        return Some(Value::text(&texts.concat()));
    }
    let numbers: Vec<i128> = texts.iter().map(|t| t.parse().ok()).collect::<Option<_>>()?;
    let result = match (operator, numbers.as_slice()) {
        ("+", [l, r]) => l.checked_add(*r),
        ("-", [l, r]) => l.checked_sub(*r),
        ("-", [n]) => n.checked_neg(),
        ("*", [l, r]) => l.checked_mul(*r),
        ("/", [_, 0]) | ("%", [_, 0]) => return Some(Value::Error),
        ("/", [l, r]) => l.checked_div(*r),
        ("%", [l, r]) => l.checked_rem(*r),
        _ => None,
    };
    result.map(|n| Value::text(&n.to_string()))
}

/// The elements of `'{a,b}'`; quoting inside is kept simple, since keys have none.
pub(crate) fn array_literal(text: &str) -> Vec<Value> {
    let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
    if inner.is_empty() {
        return Vec::new();
    }
    inner
        .split(',')
        .map(|part| {
            let part = part.trim();
            if part.eq_ignore_ascii_case("null") { Value::Null } else { Value::text(part.trim_matches('"')) }
        })
        .collect()
}
