//! From a place in a value to its place in the file.

use super::Place;
use std::ops::Range;

/// Where bytes `part` of `value` stand in the file, when the value itself stands at `place`.
///
/// Plain and quoted scalars on one line and literal blocks (`|`) map byte for byte. What was folded or escaped has no
/// such map; then the answer is the whole value.
pub fn place_in(text: &str, place: Place, value: &str, part: Range<usize>) -> Place {
    let written = &text[place.offset()..place.offset() + place.len()];
    let indent = place.offset() - text[..place.offset()].rfind('\n').map_or(0, |newline| newline + 1);
    let map = |at| {
        let shift = if written.starts_with(value) {
            Some(at)
        } else if written.get(1..).is_some_and(|inner| inner.starts_with(value)) {
            Some(at + 1)
        } else {
            in_block(written, indent, value, at)
        };
        shift.map(|shift| place.offset() + shift)
    };
    match (map(part.start), map(part.end)) {
        (Some(start), Some(end)) if start <= end => Place::from(start..end),
        _ => place,
    }
}

/// Walks the value and the block as written side by side; the block's later lines carry `indent` blanks more.
fn in_block(written: &str, indent: usize, value: &str, at: usize) -> Option<usize> {
    let (mut in_value, mut in_written) = (0, 0);
    for (number, (line, raw)) in value.split_inclusive('\n').zip(written.split_inclusive('\n')).enumerate() {
        let blanks = raw.len() - raw.trim_start_matches(' ').len();
        let skipped = if number == 0 { 0 } else { indent.min(blanks) };
        if raw[skipped..].trim_end_matches(['\r', '\n']) != line.trim_end_matches('\n') {
            return None;
        }
        if at < in_value + line.len() || (at == value.len() && at == in_value + line.len()) {
            return Some(in_written + skipped + (at - in_value));
        }
        in_value += line.len();
        in_written += raw.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Node, Value};

    /// The text in the file that stands for `word` of the only value of a map.
    fn found<'a>(file: &'a str, word: &str) -> &'a str {
        let Value::Map(entries) = Node::parse(file).unwrap().value else { panic!("no map") };
        let Value::Text(value) = &entries[0].1.value else { panic!("no text") };
        let start = value.find(word).unwrap();
        let place = place_in(file, entries[0].1.place, value, start..start + word.len());
        &file[place.offset()..place.offset() + place.len()]
    }

    #[test]
    fn literal_blocks_and_one_line_scalars_map_exactly() {
        assert_eq!(found("sql: |\n  select a\n\n     from tête\n  where x\n", "x"), "x");
        assert_eq!(found("sql: |\n  select a\n\n     from tête\n  where x\n", "tête\nwhere"), "tête\n  where");
        assert_eq!(found("sql: select a\n", "a"), "a");
        assert_eq!(found("sql: 'select a'\n", "a"), "a");
    }

    #[test]
    fn a_folded_value_is_shown_whole() {
        assert_eq!(found("sql: >\n  select a\n  from b\n", "b"), "select a\n  from b\n");
    }
}
