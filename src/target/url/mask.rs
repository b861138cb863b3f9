//! A text whose secrets were cut out, and where its places have gone.

use crate::ui::clean::clean;
use miette::SourceSpan;
use std::ops::Range;

const MASK: &str = "*****";

/// The text to show. Made before the text is judged, so that there is nothing to leak later.
#[derive(Debug)]
pub(super) struct Masked {
    text: String,
    /// Each piece of the original and the piece of `text` that stands for it; in order, without holes.
    pieces: Vec<(Range<usize>, Range<usize>, Piece)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Plain,
    Changed,
}

impl Masked {
    /// `secrets` may overlap and come in any order; they begin and end between characters.
    pub(super) fn new(original: &str, mut secrets: Vec<Range<usize>>) -> Self {
        secrets.sort_by_key(|secret| secret.start);
        let mut masked = Self { text: String::new(), pieces: Vec::new() };
        let mut done = 0;
        for secret in secrets {
            let secret = secret.start.max(done)..secret.end;
            if secret.is_empty() {
                continue;
            }
            masked.plain(original, done..secret.start);
            done = secret.end;
            masked.push(secret, MASK, Piece::Changed);
        }
        masked.plain(original, done..original.len());
        masked
    }

    /// What may be printed: one line, nothing hostile in it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether this part of the original is shown as it was.
    pub(super) fn shows(&self, part: &Range<usize>) -> bool {
        let touched = |piece: &&(Range<usize>, _, Piece)| piece.0.start < part.end && part.start < piece.0.end;
        self.pieces.iter().filter(touched).all(|piece| piece.2 == Piece::Plain)
    }

    /// Where a part of the original is in the text; inside a mask it is the mask.
    pub(super) fn span(&self, part: &Range<usize>) -> SourceSpan {
        let start = self.place(part.start, false);
        let end = self.place(part.end.max(part.start), true);
        (start, end.saturating_sub(start)).into()
    }

    fn place(&self, at: usize, is_end: bool) -> usize {
        let inside = |piece: &&(Range<usize>, _, _)| {
            if is_end { piece.0.start < at && at <= piece.0.end } else { piece.0.contains(&at) }
        };
        match self.pieces.iter().find(inside) {
            Some((from, to, Piece::Plain)) => to.start + (at - from.start),
            Some((_, to, Piece::Changed)) if is_end => to.end,
            Some((_, to, Piece::Changed)) => to.start,
            None if at == 0 => 0,
            None => self.text.len(),
        }
    }

    fn plain(&mut self, original: &str, part: Range<usize>) {
        for (offset, character) in original[part.clone()].char_indices() {
            let at = part.start + offset;
            let (at, mut buffer) = (at..at + character.len_utf8(), [0; 4]);
            let same = character.encode_utf8(&mut buffer);
            let shown = clean(same);
            let piece = if shown == *same { Piece::Plain } else { Piece::Changed };
            self.push(at, &shown, piece);
        }
    }

    fn push(&mut self, from: Range<usize>, shown: &str, piece: Piece) {
        let start = self.text.len();
        self.text.push_str(shown);
        self.pieces.push((from, start..self.text.len(), piece));
    }
}
