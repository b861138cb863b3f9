//! What the README promises about the end of a run is what the program does.

use govctl::exit::Exit;

#[test]
fn the_readme_lists_every_exit_code() {
    let readme = include_str!("../../README.md");
    for exit in Exit::ALL {
        let row = format!("| {} | {} |", exit.code(), exit.meaning().replace("--fail-on", "`--fail-on`"));
        assert!(readme.contains(&row), "{row}");
    }
}
