//! `host=… dbname='my db'`: libpq's keyword strings, with its quoting.

use super::{Mistake, Setting, parameter};
use std::ops::Range;

/// Whether the text begins like a keyword string.
pub(super) fn begins(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| is_word(name.split_whitespace().next().unwrap_or("")))
}

/// The settings a keyword string holds, and the parts of it that may be secret. Once something secret was seen,
/// a string that does not parse is secret to its end: an unquoted password breaks exactly there.
pub(super) fn parse(text: &str) -> (Result<Vec<Setting>, Mistake>, Vec<Range<usize>>) {
    let (mut settings, mut secrets): (Vec<Setting>, Vec<Range<usize>>) = (Vec::new(), Vec::new());
    let mut at = 0;
    loop {
        match next(text, at) {
            Ok(None) => return (Ok(settings), secrets),
            Ok(Some((setting, end))) => {
                let slip = is_word(&setting.name) && (secrets.is_empty() || parameter::meant(&setting.name).is_some());
                if parameter::is_unknown(&setting.name) && !slip {
                    let start = secrets.first().map_or(setting.name_at.start, |secret| secret.start);
                    secrets.push(start..text.len());
                } else if parameter::is_secret(&setting.name) {
                    secrets.push(setting.value_at.clone());
                }
                settings.push(setting);
                at = end;
            }
            Err(Broken { mistake, shown_to }) => {
                secrets.push(secrets.first().map_or(shown_to, |secret| secret.start)..text.len());
                return (Err(mistake), secrets);
            }
        }
    }
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

struct Broken {
    mistake: Mistake,
    /// From here on the text may be a secret.
    shown_to: usize,
}

/// The next setting and where it ends; none at the end of the text.
fn next(text: &str, at: usize) -> Result<Option<(Setting, usize)>, Broken> {
    let skip = |at: usize| at + text[at..].len() - text[at..].trim_start().len();
    let start = skip(at);
    if start == text.len() {
        return Ok(None);
    }
    let name_end = text[start..].find(|c: char| c == '=' || c.is_whitespace()).map_or(text.len(), |end| start + end);
    let name_at = start..name_end;
    let equals = skip(name_end);
    if !text[equals..].starts_with('=') {
        let shown_to = if parameter::is_unknown(&text[name_at.clone()]) { start } else { name_end };
        let mistake =
            Mistake::new(name_at, "a keyword of the connection string has no value", "expected = and a value")
                .help("a value with spaces goes in single quotes: dbname='my db'; in them \\' is a quote");
        return Err(Broken { mistake, shown_to });
    }
    let value_start = skip(equals + 1);
    let (value, value_end) = value(text, value_start)?;
    let name = text[name_at.clone()].to_owned();
    Ok(Some((Setting { name, name_at, value, value_at: value_start..value_end }, value_end)))
}

/// A value, quoted or not; a backslash takes the next character as it is.
fn value(text: &str, start: usize) -> Result<(String, usize), Broken> {
    let quoted = text[start..].starts_with('\'');
    let first = start + usize::from(quoted);
    let mut value = String::new();
    let mut characters = text[first..].char_indices();
    while let Some((offset, character)) = characters.next() {
        match character {
            '\'' if quoted => return Ok((value, first + offset + 1)),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            c if !quoted && c.is_whitespace() => return Ok((value, first + offset)),
            c => value.push(c),
        }
    }
    if quoted {
        let mistake = Mistake::new(start..start + 1, "a value of the connection string has no end", "no ' closes this")
            .help("in single quotes \\' is a quote and \\\\ a backslash");
        return Err(Broken { mistake, shown_to: start });
    }
    Ok((value, text.len()))
}
