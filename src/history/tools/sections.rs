//! Files that hold the way up and the way down, told apart by marks in comments.

use std::ops::Range;

/// Which way a line leads from here on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Up,
    Down,
}

/// The parts behind a mark for up. Before the first mark nothing is run, unless `from_start`.
pub(super) fn up(text: &str, from_start: bool, mark: impl Fn(&str) -> Option<Mark>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut began = from_start.then_some(0);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        match mark(line.trim()) {
            Some(Mark::Up) if began.is_none() => began = Some(at + line.len()),
            Some(Mark::Up) if from_start && parts.is_empty() => began = Some(at + line.len()),
            Some(Mark::Down) => parts.extend(began.take().map(|start| start..at)),
            _ => {}
        }
        at += line.len();
    }
    parts.extend(began.map(|start| start..text.len()));
    parts
}

/// `-- name` behind a comment's dashes, in lower case; none where the line is no comment.
pub(super) fn remark(line: &str) -> Option<String> {
    line.strip_prefix("--").map(|rest| rest.trim().to_lowercase())
}
