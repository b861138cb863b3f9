//! JSON the way languages write it: whitespace, escapes and the order of keys are all part of a hash.

use serde_json::Value;

/// How a serialiser writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// After each element: `,` or `, `.
    pub comma: &'static str,
    /// After each key: `:`, `: ` or ` : `.
    pub colon: &'static str,
    /// Everything beyond ASCII as `\u` escapes, as Python does by default.
    pub ascii: bool,
    /// Keys sorted, also inside.
    pub sorted: bool,
    /// What else is written as an escape.
    pub escaped: Escaped,
    /// Objects have only members whose names stand at the top, in the order of the alphabet:
    /// `JSON.stringify(value, Object.keys(value).sort())`, whose second argument counts at every depth.
    pub listed: bool,
    /// Each member in a line of its own, behind so many spaces for each depth; none: all in one line. A value is then a member
    /// of a document, which begins a depth above it.
    pub indent: u8,
}

/// Characters that some serialisers escape though they need not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escaped {
    /// None.
    Nothing,
    /// `/` as `\\/`, as PHP does.
    Slash,
    /// `<`, `>` and `&`, as Go does.
    Html,
    /// All but plain ASCII, and quotes, `<`, `>`, `&`, `+` and `` ` ``, with capital digits, as .NET does.
    Net,
    /// No JSON at all: Python's `repr`, with quotes, `None`, `True` and `False` of its own.
    Repr,
}

impl Style {
    /// `JSON.stringify`, and every "stable" variant of it when `sorted`.
    pub const fn compact(sorted: bool) -> Self {
        Self { comma: ",", colon: ":", ascii: false, sorted, escaped: Escaped::Nothing, listed: false, indent: 0 }
    }

    /// Python's `json.dumps`.
    pub const fn python(sorted: bool) -> Self {
        Self { comma: ", ", colon: ": ", ascii: true, sorted, escaped: Escaped::Nothing, listed: false, indent: 0 }
    }

    /// Python's `str` of a dictionary.
    pub const REPR: Self = Self { ascii: false, escaped: Escaped::Repr, ..Self::python(false) };

    /// `JSON.stringify` with the sorted names of the top as its list of members.
    pub const LISTED: Self = Self { listed: true, ..Self::compact(true) };

    /// The same with members in lines of their own: `JSON.stringify(value, null, 2)`, `json.dumps(value, indent=2)`.
    pub const fn lined(self, indent: u8) -> Self {
        Self { comma: ",", colon: ": ", indent, ..self }
    }

    /// What it writes for nothing.
    pub const fn null(self) -> &'static str {
        if matches!(self.escaped, Escaped::Repr) { "None" } else { "null" }
    }

    /// `true` and `false`.
    pub const fn truth(self, value: bool) -> &'static str {
        match (self.escaped, value) {
            (Escaped::Repr, true) => "True",
            (Escaped::Repr, false) => "False",
            (_, true) => "true",
            (_, false) => "false",
        }
    }

    /// The spellings that are tried.
    pub const ALL: [Self; 13] = [
        Self::compact(true),
        Self::compact(false),
        Self::python(true),
        Self::python(false),
        Self { ascii: true, ..Self::compact(true) },
        Self { ascii: true, ..Self::compact(false) },
        Self { ascii: false, ..Self::python(true) },
        Self { ascii: false, ..Self::python(false) },
        Self { ascii: true, escaped: Escaped::Slash, ..Self::compact(false) },
        Self { ascii: true, escaped: Escaped::Slash, ..Self::compact(true) },
        Self { escaped: Escaped::Html, ..Self::compact(false) },
        Self { escaped: Escaped::Html, ..Self::compact(true) },
        Self::LISTED,
    ];

    /// A string with its quotes.
    pub fn string(self, text: &str, out: &mut Vec<u8>) {
        if self.escaped == Escaped::Repr {
            return repr(text, out);
        }
        out.push(b'"');
        // Letters, digits and what stands in names and times need nothing: most strings are made of them.
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':' | b'.' | b' ');
        if text.as_bytes().iter().all(is_plain) {
            out.extend_from_slice(text.as_bytes());
            return out.push(b'"');
        }
        for character in text.chars() {
            match character {
                c if self.escaped == Escaped::Net
                    && (!(' '..='~').contains(&c) && !is_short(c) || "\"'<>&+`".contains(c)) =>
                {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.extend_from_slice(format!("\\u{unit:04X}").as_bytes());
                    }
                }
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                '\u{8}' => out.extend_from_slice(b"\\b"),
                '\u{c}' => out.extend_from_slice(b"\\f"),
                '/' if self.escaped == Escaped::Slash => out.extend_from_slice(b"\\/"),
                '<' | '>' | '&' if self.escaped == Escaped::Html => {
                    out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
                }
                c if u32::from(c) < 0x20 => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
                c if c.is_ascii() || !self.ascii => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                c => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                    }
                }
            }
        }
        out.push(b'"');
    }

    /// A whole value.
    pub fn value(self, value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Object(entries) if self.listed => {
                let mut names: Vec<String> = entries.keys().cloned().collect();
                names.sort_by_cached_key(|name| name.encode_utf16().collect::<Vec<_>>());
                self.members(value, Some(&names), 1, out);
            }
            // The names of a list are its numbers, which no object in it has.
            Value::Array(_) if self.listed => self.members(value, Some(&[]), 1, out),
            _ => self.members(value, None, 1, out),
        }
    }

    /// Begins a line at this depth, where members have lines.
    pub fn line(self, depth: usize, out: &mut Vec<u8>) {
        if self.indent > 0 {
            out.push(b'\n');
            out.resize(out.len() + depth * usize::from(self.indent), b' ');
        }
    }

    /// A whole value of which objects have only members of these names, in their order.
    pub fn members_of(self, value: &Value, names: &[String], out: &mut Vec<u8>) {
        self.members(value, Some(names), 1, out);
    }

    fn members(self, value: &Value, names: Option<&[String]>, depth: usize, out: &mut Vec<u8>) {
        match value {
            Value::Null => out.extend_from_slice(self.null().as_bytes()),
            Value::Bool(value) => out.extend_from_slice(self.truth(*value).as_bytes()),
            Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Value::String(text) => self.string(text, out),
            Value::Array(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.extend_from_slice(self.comma.as_bytes());
                    }
                    self.line(depth + 1, out);
                    self.members(item, names, depth + 1, out);
                }
                if !items.is_empty() {
                    self.line(depth, out);
                }
                out.push(b']');
            }
            Value::Object(entries) => {
                let mut entries: Vec<_> = match names {
                    Some(names) => names.iter().filter_map(|name| entries.get_key_value(name)).collect(),
                    None => entries.iter().collect(),
                };
                if self.sorted && names.is_none() {
                    // By UTF-16, as RFC 8785 and JavaScript do.
                    entries.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
                }
                out.push(b'{');
                let is_empty = entries.is_empty();
                for (at, (key, item)) in entries.into_iter().enumerate() {
                    if at > 0 {
                        out.extend_from_slice(self.comma.as_bytes());
                    }
                    self.line(depth + 1, out);
                    self.string(key, out);
                    out.extend_from_slice(self.colon.as_bytes());
                    self.members(item, names, depth + 1, out);
                }
                if !is_empty {
                    self.line(depth, out);
                }
                out.push(b'}');
            }
        }
    }
}

/// It has an escape of one letter.
const fn is_short(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\t' | '\u{8}' | '\u{c}')
}

/// A string as Python's `repr` writes it: in single quotes, unless only they are in it.
fn repr(text: &str, out: &mut Vec<u8>) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote as u8);
    for character in text.chars() {
        match character {
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            c if c == quote => out.extend_from_slice(&[b'\\', quote as u8]),
            c if u32::from(c) < 0x20 || u32::from(c) == 0x7f => {
                out.extend_from_slice(format!("\\x{:02x}", u32::from(c)).as_bytes());
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(quote as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_writes_its_own_json() {
        let value: Value = serde_json::from_str(r#"{"b":[1,true,null],"a":"é\n"}"#).unwrap();
        let written = |style: Style| {
            let mut out = Vec::new();
            style.value(&value, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(Style::compact(false)), r#"{"b":[1,true,null],"a":"é\n"}"#);
        assert_eq!(written(Style::REPR), r#"{'b': [1, True, None], 'a': 'é\n'}"#);
        assert_eq!(
            written(Style { escaped: Escaped::Net, ..Style::compact(false) }),
            r#"{"b":[1,true,null],"a":"\u00E9\n"}"#
        );
        assert_eq!(written(Style::python(true)), r#"{"a": "\u00e9\n", "b": [1, true, null]}"#);
    }

    #[test]
    fn members_have_lines_of_their_own() {
        let value: Value = serde_json::from_str(r#"{"a":[1,{}],"b":{"c":[]}}"#).unwrap();
        let mut out = Vec::new();
        Style::compact(false).lined(2).value(&value, &mut out);
        // As Node.js prints it as a member of another object.
        let lines =
            ["{", "    \"a\": [", "      1,", "      {}", "    ],", "    \"b\": {", "      \"c\": []", "    }", "  }"];
        assert_eq!(String::from_utf8(out).unwrap(), lines.join("\n"));
    }

    #[test]
    fn a_list_of_members_counts_at_every_depth() {
        let value: Value = serde_json::from_str(r#"{"b":{"x":1,"b":{"a":2,"y":3}},"a":[{"z":1,"a":null}]}"#).unwrap();
        let mut out = Vec::new();
        Style::LISTED.value(&value, &mut out);
        // As Node.js prints JSON.stringify(value, Object.keys(value).sort()).
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":[{"a":null}],"b":{"b":{"a":2}}}"#);
        let mut out = Vec::new();
        Style::compact(false).members_of(&value["b"], &["x".to_owned()], &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"x":1}"#);
    }
}
