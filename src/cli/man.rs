//! `govctl man`: the manual and the completions as files, from the definitions of the command line.

use super::{Global, completions};
use crate::error::Stop;
use crate::exit::Exit;
use clap_complete::Shell;
use clap_mangen::Man;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Write the manual pages, and the completions below completions/, into a folder
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Args {
    /// The folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Exit, Stop> {
    global.text_only("man")?;
    let unwritten = |path: &Path, cause| Stop::Unwritten { what: path.display().to_string(), cause, audited: true };
    let pages = files().map_err(|cause| unwritten(&args.folder, cause))?;
    for (name, text) in pages {
        let path = args.folder.join(name);
        let folder = path.parent().unwrap_or(&args.folder);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
        written.map_err(|cause| unwritten(&path, cause))?;
    }
    Ok(Exit::Clean)
}

/// Every file, by its path below `man/`.
///
/// # Errors
/// Those of rendering, which writes to memory.
pub fn files() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut root = super::command().disable_help_subcommand(true);
    root.build();
    let mut files = vec![("govctl.1".to_owned(), page(&root, None)?)];
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = format!("govctl-{}", command.get_name());
        files.push((format!("{name}.1"), page(command, Some(&name))?));
    }
    for (shell, name) in [(Shell::Bash, "govctl.bash"), (Shell::Zsh, "_govctl"), (Shell::Fish, "govctl.fish")] {
        files.push((format!("completions/{name}"), completions::script(shell)));
    }
    Ok(files)
}

fn page(command: &clap::Command, name: Option<&str>) -> io::Result<Vec<u8>> {
    let mut command = command.clone().after_help(None::<&str>);
    if let Some(name) = name {
        command = command.display_name(name.to_owned());
    }
    let man = Man::new(command).manual("govctl").source(concat!("govctl ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if name.is_none() {
        man.render_subcommands_section(&mut page)?;
    }
    page.extend(exit_status().into_bytes());
    Ok(page)
}

/// All codes; a page that listed some would be read as if there were no others.
fn exit_status() -> String {
    let mut section =
        ".SH \"EXIT STATUS\"\nThe same for every format. Where several apply: 5 before 1 before 4.\n".to_owned();
    for exit in Exit::ALL {
        let _ = write!(section, ".TP\n\\fB{}\\fR\n{}\n", exit.code(), exit.meaning().replace('-', "\\-"));
    }
    section
}
