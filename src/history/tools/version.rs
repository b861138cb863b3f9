//! Versions in the names of files.

use std::cmp::Ordering;

/// `0012_add_x.sql` is version `0012`, name `add_x`; the separator and the ending are the tool's.
pub(super) fn leading_digits(file: &str) -> Option<(&str, &str)> {
    let digits = file.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| file.split_at(digits))
}

/// Versions as numbers, part by part: `2`, `10`, `1.2`, `1_10`.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| -> Vec<u128> {
        text.split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().unwrap_or(u128::MAX))
            .collect()
    };
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

/// The rest of a name behind its separator and before its ending.
pub(super) fn rest<'a>(rest: &'a str, ending: &str) -> &'a str {
    rest.trim_start_matches(['_', '-', '.']).strip_suffix(ending).unwrap_or(rest)
}

/// `<digits>_<name><ending>`, sorted by version.
pub(super) fn numbered<'a>(files: impl Iterator<Item = &'a str>, ending: &str) -> Vec<(&'a str, &'a str, &'a str)> {
    let mut found: Vec<_> = files
        .filter(|file| file.ends_with(ending))
        .filter_map(|file| {
            let (version, name) = leading_digits(file)?;
            let separated = name.starts_with(['_', '-']) || name == ending;
            separated.then(|| (file, version, rest(name, ending)))
        })
        .collect();
    found.sort_by(|a, b| compare(a.1, b.1).then_with(|| a.0.cmp(b.0)));
    found
}
