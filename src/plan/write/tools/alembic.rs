//! Alembic: a revision that comes after the one head there is. Source: sqlalchemy/alembic alembic/script/base.py.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::quote::{python, sqlalchemy};
use super::{Writer, comments, each};
use crate::error::Stop;
use crate::history::{Language, assigned};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

pub(super) const WRITER: Writer =
    Writer { name: "alembic", sql: false, outside: each, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let mut head = head(ground)?;
    let numbered =
        !ground.is_empty() && ground.known.iter().all(|known| known.version.bytes().all(|b| b.is_ascii_digit()));
    let count = Count::of_ground(ground, Count::first(4));
    for (n, part) in parts.iter().enumerate() {
        let revision = if numbered {
            count.next(n, ground.now)
        } else {
            let seed = format!("{} {} {}", head.as_deref().unwrap_or_default(), part.name, ground.now);
            Sha256::digest(seed).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
        };
        let file = format!("{}.py", stem(ground, &revision, &part.name));
        let down_revision = head.as_deref().map_or_else(|| "None".to_owned(), |head| format!("{head:?}"));
        let text = format!(
            "\"\"\"{}\n\nRevision ID: {revision}\nRevises: {}\nCreate Date: {}\n\n\"\"\"\n\n{}\nfrom alembic import op\n\n\
             revision = {revision:?}\ndown_revision = {down_revision}\nbranch_labels = None\ndepends_on = None\n\n\n\
             def upgrade() -> None:\n{}\n\ndef downgrade() -> None:\n{}",
            part.name.replace('_', " "),
            head.as_deref().unwrap_or_default(),
            ground.now.strftime("%Y-%m-%d %H:%M:%S"),
            comments(part, &file, "downgrade()", "#"),
            body(&part.up, part.transaction),
            body(&part.down, part.transaction),
        );
        draft.file(file, text);
        head = Some(revision);
    }
    draft.note("The models do not know of the new columns and tables: alembic revision --autogenerate would drop them until they do.");
    Ok(draft)
}

fn body(statements: &[String], transaction: bool) -> String {
    if statements.is_empty() {
        return "    pass\n".to_owned();
    }
    let (lead, indent) =
        if transaction { ("", "    ") } else { ("    with op.get_context().autocommit_block():\n", "        ") };
    let each = statements.iter().map(|statement| format!("{indent}op.execute({})\n", python(&sqlalchemy(statement))));
    format!("{lead}{}", each.collect::<String>())
}

/// The one revision that none comes after.
fn head(ground: &Ground) -> Result<Option<String>, Stop> {
    let mut heads: BTreeSet<String> = ground.known.iter().map(|known| known.version.clone()).collect();
    for known in &ground.known {
        let text = ground.must_read(&known.path)?;
        for parent in assigned(&text, Language::Python, "down_revision") {
            heads.remove(&parent);
        }
    }
    if heads.len() > 1 {
        let names: Vec<_> = heads.iter().map(String::as_str).collect();
        return Err(Stop::usage(
            format!("{} has {} heads: {}", ground.at.display(), names.len(), names.join(", ")),
            "a plan comes after one; first run: alembic merge heads",
        ));
    }
    Ok(heads.into_iter().next())
}

/// As `file_template` in alembic.ini names files.
fn stem(ground: &Ground, revision: &str, name: &str) -> String {
    let slug: String = name.chars().take(40).collect();
    let ini = ground.above("alembic.ini").unwrap_or_default();
    let template =
        ini.lines().find_map(|line| line.trim().strip_prefix("file_template")?.trim_start().strip_prefix('='));
    let mut stem = template.map_or("%%(rev)s_%%(slug)s", str::trim).replace("%%", "%");
    let date = |format: &str| ground.now.strftime(format).to_string();
    for (key, value) in [
        ("%(rev)s", revision.to_owned()),
        ("%(slug)s", slug.trim_end_matches('_').to_owned()),
        ("%(epoch)s", ground.now.as_second().to_string()),
        ("%(year)d", date("%Y")),
        ("%(month).2d", date("%m")),
        ("%(day).2d", date("%d")),
        ("%(hour).2d", date("%H")),
        ("%(minute).2d", date("%M")),
        ("%(second).2d", date("%S")),
    ] {
        stem = stem.replace(key, &value);
    }
    if stem.contains(['%', '/']) { format!("{revision}_{slug}") } else { stem }
}
