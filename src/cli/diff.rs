//! `govctl diff A B`: what changed between two facts files.

use super::Global;
use super::diagnose::{configuration, judge};
use crate::assess::Assessment;
use crate::check::{Ids, Library};
use crate::config::Config;
use crate::diff::{self, Diff};
use crate::error::Stop;
use crate::exit::Exit;
use crate::facts::Facts;
use crate::report;
use crate::ui::Ui;
use crate::ui::progress::Progress;
use std::path::{Path, PathBuf};

/// Say what opened, what closed and which role gained what, between two facts files
///
/// Both are judged with the checks of this govctl, so an older file is not excused by older checks. Ends with 1 where
/// something at or above --fail-on opened or got worse, and with 4 where that cannot be told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The earlier facts, as `govctl facts --out` or `govctl diagnose --save-facts` wrote them
    #[arg(value_name = "A")]
    before: PathBuf,
    /// The later ones
    #[arg(value_name = "B")]
    after: PathBuf,
    /// Only the checks whose id matches; repeatable
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Every change, where otherwise twenty of each kind are shown
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    let json = global.json("diff")?;
    let config = configuration(global)?;
    config.fits(&Ids::embedded())?;
    let library = Library::embedded()?;
    let library = library.select(&args.only)?;
    let progress = ui.progress();
    let (mut before, was) = assessed(&args.before, &library, &config, &*progress).await?;
    let (mut after, is) = assessed(&args.after, &library, &config, &*progress).await?;
    if was.target.database != is.target.database {
        ui.status(&format!("These are two databases: {} and {}", was.target.database, is.target.database));
    }
    let diff: Diff = diff::diff((&mut before, was), (&mut after, is)).await?;
    progress.end();
    let exit = diff.exit(global.fail_on, global.allow_undecided);
    let exit = if global.exit_zero { exit.forgiven() } else { exit };
    ui.data(|out| match json {
        true => report::write_diff_json(&diff, exit, out),
        false => out.write_all(report::diff_screen(&diff, args.all, global.quiet, &ui.out).as_bytes()),
    })?;
    Ok(exit)
}

async fn assessed(
    path: &Path,
    library: &Library,
    config: &Config,
    progress: &dyn Progress,
) -> Result<(Facts, Assessment), Stop> {
    let mut facts = Facts::open(path).await?;
    let assessment = judge(&mut facts, library, config, progress).await?;
    Ok((facts, assessment))
}
