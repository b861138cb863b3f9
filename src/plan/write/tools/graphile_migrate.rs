//! graphile-migrate: committed migrations, each with the hash of itself and of the one before it; no way back.
//! Source: graphile/migrate src/{hash,header,migration}.ts, src/commands/commit.ts.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, alone, beside};
use crate::error::Stop;
use crate::history::graphile_hash;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer = Writer {
    name: "graphile-migrate",
    sql: true,
    outside: alone,
    marks: &["--!"],
    anywhere: &["--!", ":database_"],
    draft,
};

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let committed: Vec<_> = ground.known.iter().filter(|known| known.version != "current").collect();
    let count = Count::of(committed.iter().map(|known| known.version.as_str()), Count::first(6));
    let inside = committed.iter().any(|known| !known.path.contains('/')) || ground.at.ends_with("committed");
    let folder = if inside { "" } else { "committed/" };
    let last = committed.last().map(|known| ground.must_read(&known.path)).transpose()?;
    let mut previous = last.as_deref().and_then(graphile_hash::stated);
    if last.is_some() && previous.is_none() {
        return Err(Stop::usage(
            format!("{} has no line that begins with --! Hash", ground.shown(&committed[committed.len() - 1].path)),
            "the next migration has to name its hash",
        ));
    }
    for (n, part) in parts.iter().enumerate() {
        let stem = format!("{}-{}", count.next(n, ground.now), part.name.replace('_', "-"));
        let file = format!("{stem}.sql");
        let first = if part.transaction { "" } else { "--! no-transaction\n" };
        let body = script::one_way(part, &file, first, Way::Up, &format!("see down/{stem}.down.sql"));
        let hash = graphile_hash::of(previous.as_deref(), &body);
        let before = previous.as_deref().unwrap_or("-");
        let head =
            format!("--! Previous: {before}\n--! Hash: {hash}\n--! Message: {}\n\n", part.name.replace('_', " "));
        draft.file(format!("{folder}{file}"), format!("{head}{}\n", body.trim()));
        previous = Some(hash);
        beside(&mut draft, part, &stem, &file);
    }
    draft.note("The migrations are written as committed ones; current.sql is left as it is.");
    Ok(draft)
}
