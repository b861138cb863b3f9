//! Atlas: `<version>_name.sql`, and `atlas.sum` over all of them. Source: ariga/atlas sql/migrate/dir.go.

use super::super::draft::{Continued, Draft};
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, beside, each};
use crate::error::Stop;
use crate::history::atlas_sum;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer =
    Writer { name: "atlas", sql: true, outside: each, marks: &["atlas:"], anywhere: &[], draft };

/// The file of sums.
pub(in super::super) const SUM: &str = "atlas.sum";

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    for (n, part) in parts.iter().enumerate() {
        let stem = format!("{}_{}", count.next(n, ground.now), part.name);
        let file = format!("{stem}.sql");
        let first = if part.transaction { "" } else { "-- atlas:txmode none\n" };
        draft.file(&file, script::one_way(part, &file, first, Way::Up, &format!("see down/{stem}.down.sql")));
        beside(&mut draft, part, &stem, &file);
    }
    if parts.iter().any(|part| !part.transaction) {
        draft.note("Apply with --tx-mode file, the default: --tx-mode all runs everything inside one transaction.");
    }
    Ok(draft)
}

/// The sums of a folder, with what is to be written: also beside the files of tools that Atlas reads.
pub(in super::super) fn sums(ground: &Ground, draft: &mut Draft) -> Result<(), Stop> {
    let before = if ground.has(SUM) { Some(ground.must_read(SUM)?) } else { None };
    let mut files = Vec::new();
    let counts = |file: &str| atlas_sum::counts(before.as_deref().unwrap_or_default(), file) && !file.contains('/');
    for file in ground.files().filter(|file| counts(file)) {
        files.push((file.to_owned(), ground.must_read(file)?));
    }
    if let Some(before) = &before
        && !atlas_sum::agrees(before, &files)
    {
        return Err(Stop::usage(
            format!("{} does not agree with the files beside it", ground.shown(SUM)),
            "see what changed since it was written; then run: atlas migrate hash",
        ));
    }
    files.extend(draft.files.iter().filter(|(file, _)| counts(file)).cloned());
    let after = atlas_sum::of(&files);
    draft.continued.push(Continued { path: SUM.to_owned(), before, after });
    Ok(())
}
