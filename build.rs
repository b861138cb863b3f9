//! Embeds every check: a file below a folder of `checks/` is one, and no list has to name it.

#![allow(clippy::disallowed_macros, reason = "cargo listens to the stdout of build scripts")]

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=checks");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    collect(&root.join("checks"), "checks", &mut files)?;
    files.sort();
    let entries: String = files
        .iter()
        // What lies directly in `checks/` is data about checks: the requirements, the ladder.
        .filter(|(name, _)| name.matches('/').count() > 1)
        .map(|(name, path)| format!("    ({name:?}, include_str!({path:?})),\n"))
        .collect();
    fs::write(out.join("checks.rs"), format!("&[\n{entries}]\n"))
}

fn collect(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = format!("{name}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            collect(&path, &name, files)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            files.push((name, path));
        }
    }
    Ok(())
}
