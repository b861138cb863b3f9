//! The one place where tables get their shape.

use super::theme::{Look, Tone};
use comfy_table::{
    Attribute, Cell as Drawn, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle,
    Width,
};

/// A cell: clean text, its tone, and the side it keeps to.
pub struct Cell(Drawn);

impl Cell {
    /// Text, to the left.
    pub fn text(text: impl ToString) -> Self {
        Self(Drawn::new(text))
    }

    /// A number, to the right.
    pub fn number(number: impl ToString) -> Self {
        Self(Drawn::new(number).set_alignment(CellAlignment::Right))
    }

    /// The same in a tone.
    pub fn tone(self, tone: Tone) -> Self {
        Self(match tone {
            Tone::Strong => self.0.add_attribute(Attribute::Bold),
            Tone::Faint => self.0.add_attribute(Attribute::Dim),
            Tone::Good => self.0.fg(Color::DarkGreen),
            Tone::Doubt => self.0.fg(Color::DarkYellow),
            Tone::Bad => self.0.fg(Color::DarkRed),
            Tone::Worst => self.0.fg(Color::DarkRed).add_attribute(Attribute::Bold),
            Tone::Action => self.0.fg(Color::DarkCyan),
        })
    }
}

/// Rows under a head and a line. No column is narrower than its content, so that no identifier is cut, except the
/// column `folds`, which wraps where the whole would be wider than `look`.
pub fn draw(look: &Look, head: Vec<Cell>, rows: Vec<Vec<Cell>>, folds: Option<usize>) -> String {
    let columns = head.len();
    let rule = LineStyle::none().fill(if look.unicode { '─' } else { '-' });
    let rule = rule.junction(rule.fill.unwrap_or('-'));
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(rule))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(look.width).unwrap_or(100))
        .force_no_tty()
        .set_header(head.into_iter().map(|cell| cell.0).collect::<Vec<_>>())
        .add_rows(rows.into_iter().map(|row| row.into_iter().map(|cell| cell.0).collect::<Vec<_>>()))
        .set_constraints((0..columns).map(|at| {
            if folds == Some(at) {
                ColumnConstraint::LowerBoundary(Width::Fixed(12))
            } else {
                ColumnConstraint::ContentWidth
            }
        }));
    if look.colour {
        table.enforce_styling();
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folding_column_wraps() {
        let look = Look { colour: false, unicode: false, width: 40 };
        let row = vec![Cell::text("a_long_identifier"), Cell::number(7), Cell::text("words that need two lines here")];
        let head = vec![Cell::text("Name"), Cell::number("n"), Cell::text("What")];
        insta::assert_snapshot!(draw(&look, head, vec![row], Some(2)), @r"
         Name                n   What
        ----------------------------------------
         a_long_identifier   7   words that
                                 need two lines
                                 here
        ");
    }

    #[test]
    fn colours_are_ours_to_switch() {
        let cell = || vec![Cell::text("x").tone(Tone::Bad)];
        let plain = draw(&Look::PLAIN, cell(), vec![cell()], None);
        let coloured = draw(&Look { colour: true, ..Look::PLAIN }, cell(), vec![cell()], None);
        assert!(!plain.contains('\x1b') && coloured.contains('\x1b'));
    }
}
