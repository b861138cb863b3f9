//! Sentences on lines.

use std::borrow::Cow;
use textwrap::{Options, WordSeparator, WordSplitter};

/// Clean text on lines of at most `width` columns, broken at spaces alone: an identifier is never cut, rather a line is
/// too long. `first` begins the first line, the others are indented as deep. Colours in `first` take no room.
pub fn wrap(text: &str, first: &str, width: usize) -> String {
    let indent = " ".repeat(textwrap::core::display_width(first));
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).into_iter().map(|line: Cow<'_, str>| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_at_spaces_and_nowhere_else() {
        let text = wrap("a long-hyphenated_identifier.that_does_not_fit ends", "\x1b[31mhigh\x1b[0m  ", 20);
        assert_eq!(text, "\x1b[31mhigh\x1b[0m  a\n      long-hyphenated_identifier.that_does_not_fit\n      ends\n");
    }
}
