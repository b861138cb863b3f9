//! Text from a database, made harmless: a name may hold anything, also what steers a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// One line of text in which whatever would move, hide, reorder or colour something is a visible escape.
///
/// Letters of every script stay as they are. A backslash does too, so this is for reading, not for parsing back.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_hostile(c) && c.is_ascii() => _ = write!(safe, "\\x{:02x}", u32::from(c)),
            c if is_hostile(c) => _ = write!(safe, "\\u{{{:x}}}", u32::from(c)),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// The same for text that is meant to have lines, such as SQL: they stay lines, each one harmless.
pub fn clean_lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.trim_end().split('\n').map(|line| clean(line.strip_suffix('\r').unwrap_or(line)))
}

/// Control characters, and the characters that are drawn as nothing or change how their neighbours are drawn.
pub fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}'            // soft hyphen, grapheme joiner, Arabic letter mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' // Khmer and Mongolian invisibles
            | '\u{200b}'..='\u{200f}'                   // zero width, direction marks
            | '\u{2028}'..='\u{202e}'                   // line and paragraph separators, overrides
            | '\u{2060}'..='\u{206f}'                   // word joiner, invisible operators, isolates
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'      // variation selectors, byte order mark
            | '\u{fff9}'..='\u{fffb}'                   // interlinear annotation
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' // shorthand and music formatting
            | '\u{e0000}'..='\u{e0fff}') // tags and further variation selectors
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_that_forges_a_line_is_one_line() {
        assert_eq!(clean("a\nok  \x1b[2Jall clean\u{9b}0m"), r"a\nok  \x1b[2Jall clean\u{9b}0m");
        assert_eq!(clean("\u{202e}txt.exe\u{200b}\u{2028}"), r"\u{202e}txt.exe\u{200b}\u{2028}");
    }

    #[test]
    fn names_of_people_and_places_stay() {
        for name in ["orders", "Größe", "заказы", "注文", "طلبات", "🧾", r"a\d"] {
            assert!(matches!(clean(name), Cow::Borrowed(same) if same == name));
        }
    }

    #[test]
    fn sql_keeps_its_lines() {
        assert_eq!(clean_lines("a;\r\nb\x07;\n").collect::<Vec<_>>(), ["a;", r"b\x07;"]);
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_left(text in any::<String>()) {
            prop_assert!(!clean(&text).contains(is_hostile));
        }

        #[test]
        fn hostile_text_is_seen(text in "[\u{0}-\u{20}\u{7f}-\u{9f}\u{200b}-\u{202e}\u{2060}-\u{206f}a-c]{0,40}") {
            let safe = clean(&text);
            prop_assert!(!safe.contains(is_hostile));
            prop_assert_eq!(safe == text, !text.contains(is_hostile));
        }
    }
}
