//! The matrix for people: one table a login.

use super::read::{Held, Matrix, Principal};
use crate::ui::clean::clean;
use crate::ui::table::{self, Cell};
use crate::ui::wrap::wrap;
use crate::ui::{Look, Tone};
use std::fmt::Write;

pub(super) fn draw(matrix: &Matrix, look: &Look) -> String {
    let mut text = String::new();
    for principal in &matrix.principals {
        text.push_str(&heading(principal, look));
        let rows: Vec<_> = principal.relations.iter().map(row).collect();
        if rows.is_empty() {
            let nothing = if principal.kind == "superuser" {
                "everything, past every policy"
            } else {
                "nothing that was asked for"
            };
            let _ = writeln!(text, "  {nothing}\n");
            continue;
        }
        let head = ["Relation", "Rights", "Rows", "Holds", "As"];
        let head = head.into_iter().map(|title| Cell::text(title).tone(Tone::Strong)).collect();
        text.push_str(&table::draw(look, head, rows, Some(4)));
        text.push('\n');
    }
    if matrix.principals.is_empty() {
        text.push_str("No login was asked for.\n");
        return text;
    }
    let legend = "Rights: S select, I insert, U update, D delete, T truncate; small where on some columns only. Rows: what \
                  row-level security lets through when it reads; isolated is one tenant's alone. Holds: classes of columns it \
                  can read, by their names.";
    text.push_str(&wrap(legend, "", look.width));
    for why in &matrix.unseen {
        text.push_str(&wrap(&format!("Not seen: {}", clean(why)), "", look.width));
    }
    text
}

fn heading(principal: &Principal, look: &Look) -> String {
    let purpose = match (principal.purpose.as_str(), principal.purpose_source.as_str()) {
        ("unknown", _) => "purpose unknown".to_owned(),
        (purpose, source) => format!("{purpose} (by {source})"),
    };
    let kind = match principal.kind.as_str() {
        "unused" => "no login yet",
        kind => kind,
    };
    let reaches: Vec<String> = principal
        .becomes
        .iter()
        .map(|role| {
            let how = match (role.inherits, role.can_set) {
                (true, _) => "",
                (false, true) => " by SET ROLE",
                (false, false) => " without rights",
            };
            format!("{}{how}{}", clean(&role.path), if role.admin { ", may grant it" } else { "" })
        })
        .collect();
    let mut line = format!("{}, {kind}", purpose);
    if !reaches.is_empty() {
        let _ = write!(line, "; {}", reaches.join("; "));
    }
    let name = look.paint(Tone::Strong, clean(&principal.role));
    format!("{}\n", wrap(&clean(&line), &format!("{name}  "), look.width).trim_end())
}

fn row(held: &Held) -> Vec<Cell> {
    let letter = |right: &str, letter: char| match right {
        "yes" => letter,
        "columns" => letter.to_ascii_lowercase(),
        _ => '·',
    };
    let rights: String = [
        letter(&held.select, 'S'),
        letter(&held.insert, 'I'),
        letter(&held.update, 'U'),
        letter(&held.delete, 'D'),
        letter(&held.truncate, 'T'),
    ]
    .iter()
    .collect();
    let exposure = held.exposure.as_deref().unwrap_or("");
    let tone = match exposure {
        "isolated" | "bound" => Tone::Good,
        "may leak" => Tone::Doubt,
        "" => Tone::Faint,
        _ => Tone::Bad,
    };
    let plain = |name: &str| clean(name).to_string();
    let itself = held.path == held.as_role;
    vec![
        Cell::text(plain(&format!("{}.{}", held.schema, held.name))),
        Cell::text(rights),
        Cell::text(exposure).tone(tone),
        Cell::text(held.classes.0.join(", ")),
        Cell::text(if itself { String::new() } else { plain(&held.path) }),
    ]
}
