//! Flyway: `V<version>__description.sql`, baselines `B`, repeatables `R` after all others by their description.
//! Source: flyway/flyway flyway-core resource/ResourceNameParser.java.

use super::version::compare;
use super::{Claim, Dir, Kind, Planned, Tool, whole};
use crate::history::code::Language;

pub(super) const TOOL: Tool = Tool { name: "flyway", claim };

/// SQL, and classes that are given a connection.
const ENDINGS: [(&str, Kind); 3] =
    [(".sql", Kind::Sql(whole)), (".java", Kind::Code(Language::Java)), (".kt", Kind::Code(Language::Kotlin))];

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let (mut versioned, mut repeatable) = (Vec::new(), Vec::new());
    for file in dir.all_files() {
        let base = file.rsplit('/').next().unwrap_or(&file);
        let Some((stem, kind)) = ENDINGS.iter().find_map(|(ending, kind)| Some((base.strip_suffix(ending)?, *kind)))
        else {
            continue;
        };
        match parts(stem) {
            Some(('V' | 'B', version, name)) => {
                versioned.push(Planned::new(dir, &file, version, name.replace('_', " "), kind));
            }
            Some(('R', _, name)) => repeatable.push(Planned::new(dir, &file, "", name.replace('_', " "), kind)),
            _ => {}
        }
    }
    versioned.sort_by(|a, b| compare(&a.version.replace('_', "."), &b.version.replace('_', ".")));
    repeatable.sort_by(|a, b| a.name.cmp(&b.name));
    let direct = dir.files().any(|file| file.rsplit_once('.').and_then(|(stem, _)| parts(stem)).is_some());
    // The folder above holds the same files; the one they are in says more.
    let sure = if direct || dir.at().is_empty() { 85 } else { 70 };
    if versioned.is_empty() {
        return None;
    }
    versioned.extend(repeatable);
    Some(Claim { sure, migrations: versioned, notes: Vec::new() })
}

/// `V1.2__add_x` as prefix, version and name.
pub(super) fn parts(stem: &str) -> Option<(char, &str, &str)> {
    let prefix = stem.chars().next().filter(|c| matches!(c, 'V' | 'U' | 'B' | 'R'))?;
    let (version, name) = stem[1..].split_once("__")?;
    let numbers = version.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'_'));
    let fits = if prefix == 'R' { version.is_empty() } else { numbers && !version.is_empty() };
    fits.then_some((prefix, version, name))
}
