//! `atlas.sum`: one hash over each file and all before it, and one over all of these. Source: ariga/atlas sql/migrate/dir.go.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The file's text for these files: name and text of each. What asks to be left out is.
pub(crate) fn of(files: &[(String, String)]) -> String {
    let mut files: Vec<_> = files.iter().filter(|(_, text)| !is_left_out(text)).collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let (mut running, mut whole) = (Sha256::new(), Sha256::new());
    let mut lines = String::new();
    for (name, text) in files {
        running.update(name);
        running.update(text);
        let hash = STANDARD.encode(running.clone().finalize());
        whole.update(name);
        whole.update(&hash);
        lines.push_str(&format!("{name} h1:{hash}\n"));
    }
    format!("h1:{}\n{lines}", STANDARD.encode(whole.finalize()))
}

/// Whether the sums are over this file too: of pairs, as golang-migrate has them, Atlas reads the way up alone.
pub(crate) fn counts(sum: &str, file: &str) -> bool {
    const DOWN: &str = ".down.sql";
    file.ends_with(".sql") && (!file.ends_with(DOWN) || sum.lines().any(|line| line.contains(&format!("{DOWN} h1:"))))
}

/// Whether a file of sums is the one for these files.
pub(crate) fn agrees(sum: &str, files: &[(String, String)]) -> bool {
    let lines = |text: &str| {
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    lines(sum) == lines(&of(files))
}

/// `-- atlas:sum ignore` in the file's first comments.
fn is_left_out(text: &str) -> bool {
    let head = text.lines().take_while(|line| line.starts_with("--") || line.starts_with('#'));
    head.map(|line| line.trim_start_matches(['-', '#', ' '])).any(|line| line.trim_end() == "atlas:sum ignore")
}

/// Where the files and their sums part: kind of fault, file, what about it. Each hash runs over all files before it too, so that
/// behind the first that changed nothing more is known.
pub(super) fn differences(sum: &str, files: &[(String, String)]) -> Vec<(&'static str, String, &'static str)> {
    let own = of(files);
    let lines = |text: &str| -> Vec<(String, String)> {
        let lines = text.lines().skip(1).filter_map(|line| line.trim_end().rsplit_once(" h1:"));
        lines.map(|(file, hash)| (file.to_owned(), hash.to_owned())).collect()
    };
    let (kept, own) = (lines(sum), lines(&own));
    let mut found = Vec::new();
    for (file, _) in kept.iter().filter(|(file, _)| !own.iter().any(|(known, _)| known == file)) {
        found.push(("missing", file.clone(), "atlas.sum has its hash, and the folder does not have it"));
    }
    for (file, _) in own.iter().filter(|(file, _)| !kept.iter().any(|(known, _)| known == file)) {
        found.push(("drifted", file.clone(), "atlas.sum does not have its hash"));
    }
    let changed = kept.iter().zip(&own).find(|(kept, own)| kept != own);
    if let Some(((file, _), (known, _))) = changed
        && file == known
    {
        found.push(("drifted", file.clone(), "its text is not the one that atlas.sum has the hash of"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_changed_is_named() {
        let files = |texts: [&str; 3]| -> Vec<(String, String)> {
            texts.iter().enumerate().map(|(n, text)| (format!("{n}_a.sql"), (*text).to_owned())).collect()
        };
        let sum = of(&files(["a", "b", "c"]));
        assert!(differences(&sum, &files(["a", "b", "c"])).is_empty());
        let named = |texts| {
            differences(&sum, &files(texts))
                .into_iter()
                .map(|(kind, file, _)| format!("{kind} {file}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(named(["a", "x", "c"]), ["drifted 1_a.sql"]);
        assert_eq!(named(["a", "b", "-- atlas:sum ignore\nc"]), ["missing 2_a.sql"]);
        assert_eq!(differences(&sum, &files(["a", "b", "c"])[..2]).len(), 1);
    }
}
