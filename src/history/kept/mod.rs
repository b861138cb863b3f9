//! Sums that a tool keeps in the folder itself, so that a text changed afterwards is seen without any database.

pub(crate) mod atlas_sum;
pub(crate) mod graphile_hash;

use super::folder::Dir;
use super::read::{Fault, Migration};

/// What does not agree with the folder's own sums. `shown` is how a path below the folder is shown.
pub(super) fn faults(dir: Dir<'_>, tool: &str, migrations: &[Migration], shown: impl Fn(&str) -> String) -> Vec<Fault> {
    let mut faults = atlas(dir, &shown);
    if tool == "graphile-migrate" {
        let committed: Vec<_> = migrations.iter().filter(|migration| !migration.dormant).collect();
        let mut previous: Option<String> = None;
        for migration in committed {
            faults.extend(graphile_hash::fault(migration.text(), previous.as_deref()).map(|detail| Fault {
                kind: "drifted",
                version: migration.version.clone(),
                path: migration.path.clone(),
                detail,
            }));
            previous = graphile_hash::stated(migration.text());
        }
    }
    faults
}

/// Also beside the files of other tools: Atlas reads those as well.
fn atlas(dir: Dir<'_>, shown: impl Fn(&str) -> String) -> Vec<Fault> {
    const SUM: &str = "atlas.sum";
    let Some(sum) = dir.text(SUM).filter(|_| dir.has(SUM)) else { return Vec::new() };
    let files: Vec<(String, String)> = dir
        .files()
        .filter(|file| atlas_sum::counts(&sum, file))
        .filter_map(|file| Some((file.to_owned(), dir.text(file)?)))
        .collect();
    let found = atlas_sum::differences(&sum, &files).into_iter();
    found
        .map(|(kind, file, detail)| Fault {
            kind,
            version: file.split('_').next().unwrap_or(&file).to_owned(),
            path: shown(&dir.path(&file)),
            detail: detail.to_owned(),
        })
        .collect()
}
