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
