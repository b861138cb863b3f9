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

/// What is wrong with a committed migration by its own header: `--! AllowInvalidHash` says that it is known.
pub(super) fn fault(text: &str, before: Option<&str>) -> Option<String> {
    if text.lines().take_while(|line| line.starts_with("--! ")).any(|line| line.starts_with("--! AllowInvalidHash")) {
        return None;
    }
    let (kept, previous) = (header(text, "Hash")?, header(text, "Previous"));
    let previous = previous.as_deref().filter(|previous| *previous != "-");
    if let Some(before) = before
        && previous != Some(before)
    {
        return Some("it does not come after the migration before it, by the hash it names".to_owned());
    }
    (of(previous, body(text)) != kept).then(|| "its text is not the one that its own hash was made of".to_owned())
}

/// What stands behind the header.
pub(in crate::history) fn body(text: &str) -> &str {
    let header: usize = text.split_inclusive('\n').take_while(|line| is_header(line)).map(str::len).sum();
    &text[header..]
}

/// `--! Name` or `--! Name: …`; `--! no-transaction` is of the body.
fn is_header(line: &str) -> bool {
    line.strip_prefix("--! ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// The hashes that a database may have of it.
pub(in crate::history) fn of_text(text: &str) -> String {
    let previous = header(text, "Previous").filter(|previous| previous != "-");
    of(previous.as_deref(), body(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_hashes() {
        let write = |previous: &str, body: &str| {
            let hash = of(Some(previous).filter(|previous| *previous != "-"), body);
            format!("--! Previous: {previous}\n--! Hash: {hash}\n\n{body}\n")
        };
        let first = write("-", "--! no-transaction\nselect 1;");
        let hash = stated(&first).unwrap();
        let second = write(&hash, "select 2;");
        assert_eq!((fault(&first, None), fault(&second, Some(&hash))), (None, None));
        assert!(fault(&second.replace("select 2", "select 3"), Some(&hash)).is_some());
        assert!(fault(&write("sha1:00", "select 2;"), Some(&hash)).is_some());
        let known = second.replace("select 2", "select 3").replacen("\n\n", "\n--! AllowInvalidHash\n\n", 1);
        assert_eq!(fault(&known, Some(&hash)), None);
    }
}
