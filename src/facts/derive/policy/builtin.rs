//! Built-in functions and operators with one plain meaning (PostgreSQL documentation, chapter 9).

use super::value::Value;

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
    )
}

/// Applies a known function; none where the arguments do not fit it.
pub(crate) fn function(name: &str, arguments: &[Value]) -> Option<Value> {
    if arguments.contains(&Value::Error) {
        return Some(Value::Error);
    }
    if name == "concat" {
        return Some(Value::text(&arguments.iter().filter_map(Value::as_text).collect::<String>()));
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
        // A hash is as good as its input for telling two inputs apart.
        "md5" | "sha256" => Value::text(&format!("{name}:{text}")),
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
