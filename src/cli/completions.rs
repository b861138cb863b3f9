//! `govctl completions`: what a shell needs to complete the rest.

use super::Global;
use crate::error::Stop;
use crate::exit::Exit;
use crate::ui::Ui;
use clap_complete::Shell;

/// Print the completions for a shell
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    global.text_only("completions")?;
    ui.data(|out| out.write_all(&script(args.shell)))?;
    Ok(Exit::Clean)
}

/// The script for one shell.
pub(super) fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "govctl", &mut script);
    script
}
