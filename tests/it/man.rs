//! The manual pages and completions in `man/` are those of the command line as it is.
//! `GOVCTL_BLESS=1 cargo test --test it man::` rewrites them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[test]
fn the_manual_is_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let files = govctl::cli::man::files().expect("rendering goes to memory");
    let bless = env::var_os("GOVCTL_BLESS").is_some();
    for (name, text) in &files {
        let path = folder.join(name);
        if bless {
            fs::create_dir_all(path.parent().expect("a folder")).expect("man/ is ours");
            fs::write(&path, text).expect("man/ is ours");
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(written.as_bytes() == text, "man/{name} is stale; GOVCTL_BLESS=1 cargo test --test it man::");
    }
    let known: BTreeSet<_> = files.iter().map(|(name, _)| folder.join(name)).collect();
    let stray: Vec<_> = in_folder(&folder).into_iter().filter(|path| !known.contains(path)).collect();
    assert!(stray.is_empty(), "of a command that is gone: {stray:?}");
}

#[test]
fn every_page_has_the_exit_codes() {
    for (name, text) in govctl::cli::man::files().expect("rendering goes to memory") {
        if name.ends_with(".1") {
            let text = String::from_utf8(text).expect("pages are text");
            for exit in govctl::exit::Exit::ALL {
                assert!(text.contains(&format!("\\fB{}\\fR\n", exit.code())), "{name} lacks {}", exit.code());
            }
        }
    }
}

fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("readable").path());
    entries.flat_map(|path| if path.is_dir() { in_folder(&path) } else { vec![path] }).collect()
}
