//! The end of a screen: the four questions for Monday, the axis to spend the quarter on, what is not needed yet.

use super::Screen;
use crate::assess::AxisAnswer;
use crate::report::outline;
use crate::ui::clean::clean;
use crate::ui::wrap::wrap;
use crate::ui::{Tone, theme};

/// As wide as the widest answer, "not applicable", and a gap.
const ANSWER: usize = 16;

impl Screen<'_> {
    pub(super) fn monday(&self) -> String {
        if self.it.axes.is_empty() {
            return String::new();
        }
        let mut text = format!("{}\n\n", self.look.paint(Tone::Strong, "Four questions for Monday"));
        for axis in &self.it.axes {
            text.push_str(&self.question(axis));
        }
        text.push('\n');
        text.push_str(&self.quarter());
        text
    }

    /// The answer before its question; below it why, what it rests on, and whose it is.
    fn question(&self, axis: &AxisAnswer) -> String {
        let (word, tone) = theme::answer(axis.answer);
        let gap = " ".repeat(ANSWER - word.len());
        let first = format!(" {}{gap}", self.look.paint(tone, word));
        let below = " ".repeat(ANSWER + 1);
        let posture = axis.posture.map(|posture| format!(" ({})", posture.words())).unwrap_or_default();
        let question = format!("{}{posture}: {}", axis.name, axis.question);
        let mut text = wrap(&question, &first, self.look.width);
        text.push_str(&wrap(&clean(&axis.reason), &below, self.look.width));
        for line in &axis.evidence {
            text.push_str(&wrap(&clean(line), &below, self.look.width));
        }
        let owner = self.look.paint(Tone::Faint, clean(&outline::owner(axis)));
        text.push_str(&format!("{below}{owner}\n"));
        text
    }

    fn quarter(&self) -> String {
        let mut text = wrap(&clean(&outline::quarter(self.it)), "", self.look.width);
        let early = outline::not_needed_yet(self.it);
        if !early.is_empty() {
            text.push_str("\nWhat you do not need yet\n");
        }
        for (_, finding) in early {
            text.push_str(&wrap(&clean(&finding.message), "  ", self.look.width));
        }
        text
    }

    /// Who accepts what, until when and why.
    pub(super) fn waived(&self) -> String {
        let word = self.look.paint(Tone::Faint, "waived");
        let line = |line: String| wrap(&clean(&line), &format!("{word}  "), self.look.width);
        outline::waived(self.it).into_iter().map(line).collect()
    }
}
