//! SQL files for psql, or for somebody's own runner: `NNNN_name.sql`, with `NNNN_name.down.sql` to take it back.
//!
//! Runners of one's own mostly send a file as one query. `begin` and `commit` are right there too, and what wants no
//! transaction stands alone.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::{Outside, Part};
use super::super::script;
use super::{Writer, digits};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(in super::super) const PLAIN: Writer =
    Writer { name: "plain-sql", sql: true, outside, marks: &[], anywhere: &[], draft };

fn outside(ground: &Ground) -> Outside {
    if ground.is_empty() { Outside::Each } else { Outside::Alone }
}

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let versions = ground.known.iter().map(|known| digits(&known.path));
    let count = Count::of(versions, Count::first(4));
    let separator = super::separator(ground, '_');
    // Whoever runs all of `*.sql` by name would run the way back too, and first.
    let downs: Vec<_> = ground.files().filter(|file| file.ends_with(".down.sql")).collect();
    let apart = !ground.is_empty() && downs.is_empty();
    let mut rest = parts;
    for n in 0.. {
        let many = if ground.is_empty() { alike(rest) } else { 1 };
        let (group, after) = rest.split_at(many.min(rest.len()));
        rest = after;
        let Some(part) = group.first() else { break };
        let name = match (part.step.kind, group.len()) {
            (Some(kind), 2..) => format!("{kind}_each_of_{}", group.len()),
            _ => part.name.clone(),
        };
        let stem = format!("{}{separator}{name}", count.next(n, ground.now));
        let (up, down) = (format!("{stem}.sql"), format!("{stem}.down.sql"));
        let place = if apart { format!("down/{down}") } else { down.clone() };
        let goes_back = group.iter().any(|part| !part.down.is_empty());
        match group {
            [part] => {
                draft.file(&up, whole(part, &up, Way::Up, &format!("see {place}")));
                if goes_back {
                    draft.file(place, whole(part, &down, Way::Down, ""));
                }
            }
            _ => {
                draft.file(&up, several(group, &up, Way::Up, &format!("see {place}")));
                if goes_back {
                    draft.file(place, several(group, &down, Way::Down, ""));
                }
            }
        }
    }
    if apart {
        draft.note("The way back is under down/: whatever runs every file of this folder would run it too.");
    } else {
        draft.note("What runs every .sql file of this folder by name must leave out those that end in .down.sql.");
    }
    if let Some(known) = ground.known.iter().find(|known| digits(&known.path).is_empty()) {
        draft.note(format!("By name, the new files come before {}; they are to run after it.", known.path));
    }
    draft.note("The files are for psql, with -v ON_ERROR_STOP=1 and without -1, in the order of their names; --tool names a tool.");
    Ok(draft)
}

/// What somebody still reads.
const TOGETHER: usize = 25;

/// How many of these, from the first on, do the same to one table after the other.
fn alike(parts: &[Part<'_>]) -> usize {
    let kind = |part: &Part<'_>| part.step.kind.map(|kind| (part.step.stage, kind));
    let Some(first) = parts.first().and_then(kind) else { return 1 };
    parts.iter().take(TOGETHER).take_while(|part| kind(part) == Some(first)).count().max(1)
}

/// Several in one file, each in a transaction of its own: no two tables are locked at once.
fn several(group: &[Part<'_>], file: &str, way: Way, undo: &str) -> String {
    let mut text = format!(
        "-- {file}: {} migrations, each in a transaction of its own, so that no two tables are locked at once.\n\
         -- Stopped half-way, it is run again: what was done is found done.\n-- squawk-disable-assume-in-transaction\n",
        group.len()
    );
    let mut one = |part: &Part<'_>| {
        let statements = if way == Way::Up { &part.up } else { &part.down };
        if statements.is_empty() {
            return;
        }
        let (head, body) = (script::head(part, &part.name, way, undo), script::body(statements));
        let (begin, commit) = if part.transaction { ("begin;\n\n", "\ncommit;\n") } else { ("", "") };
        text += &format!("\n{head}\n{begin}{body}{commit}");
    };
    match way {
        Way::Up => group.iter().for_each(&mut one),
        Way::Down => group.iter().rev().for_each(&mut one),
    }
    text
}

/// One file, with its transaction in it.
pub(super) fn whole(part: &Part<'_>, file: &str, way: Way, undo: &str) -> String {
    let statements = if way == Way::Up { &part.up } else { &part.down };
    let body = script::body(statements);
    let head = script::head(part, file, way, undo);
    if part.transaction {
        format!("{head}-- squawk-disable-assume-in-transaction\n\nbegin;\n\n{body}\ncommit;\n")
    } else {
        // The words that sqlx, and those who learned from it, look for.
        script::sheet(part, "-- no-transaction\n", &head, &body)
    }
}
