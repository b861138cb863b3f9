//! The hashes of graphile-migrate: each over the one before and the migration's body. Source: graphile/migrate src/hash.ts.

use sha1::{Digest, Sha1};

/// The hash of a body behind another; trimmed as the tool trims.
pub(crate) fn of(previous: Option<&str>, body: &str) -> String {
    let text = format!("{}\n{}", previous.unwrap_or_default(), body.trim());
    let digest = Sha1::digest(format!("{}\n", text.trim()));
    format!("sha1:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// What stands behind `--! Hash:`.
pub(crate) fn stated(text: &str) -> Option<String> {
    header(text, "Hash")
}

fn header(text: &str, name: &str) -> Option<String> {
    let headers = text.lines().take_while(|line| line.starts_with("--! "));
    let line = headers.filter_map(|line| line[4..].split_once(':')).find(|(key, _)| *key == name)?;
    Some(line.1.trim().to_owned())
}
