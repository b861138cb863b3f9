//! `govctl stage`: how mature, since when, and by which line.

use super::Global;
use super::source::{self, Folder, Source};
use crate::assess::{self, Stage};
use crate::check::Library;
use crate::error::Stop;
use crate::exit::Exit;
use crate::facts::{Facts, derive};
use crate::report::{Format, stage};
use crate::ui::Ui;
use std::path::PathBuf;

/// How mature the database is, since when, and by which line
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    folder: Folder,
    /// Facts saved earlier instead of a database
    #[arg(long, value_name = "FILE", conflicts_with_all = ["argument", "url", "migrations"])]
    facts: Option<PathBuf>,
    /// Fail the run where the stage is below N: the evidenced one; without a database, the one recorded and not undone
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    at_least: Option<u8>,
    /// Read no rows: the first agent in an audit log is not looked for
    #[arg(long)]
    no_data: bool,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    global.no_report("stage")?;
    let config = super::diagnose::configuration(global)?;
    let progress = ui.progress();
    let stage = if args.facts.is_none() && args.source.is_missing() && args.folder.migrations.is_some() {
        // The folder alone: nothing is replayed, and nothing has to be installed.
        progress.begin("Reading the migrations", None);
        let mut facts = Facts::empty().await?;
        if let Some(history) = args.folder.read()? {
            history.write_stages(&mut facts, config.secrets.rules()).await?;
        }
        Stage::recorded(&mut facts, config.stage).await?
    } else {
        let rows = if args.no_data { source::Rows::None } else { source::Rows::Logs };
        let mut facts = match &args.facts {
            None => source::gather(&args.source, &args.folder, &config, rows, &*progress).await?,
            Some(path) => Facts::open(path).await?,
        };
        derive::derive(&mut facts, &config).await?;
        assess::run(&mut facts, &Library::embedded()?, &config).await?.stage
    };
    progress.end();
    let below = args.at_least.is_some_and(|wanted| !stage.is_at_least(wanted));
    let exit = if below { Exit::Findings } else { Exit::Clean };
    let exit = if global.exit_zero { exit.forgiven() } else { exit };
    match global.format {
        Format::Human => ui.data(|out| out.write_all(stage::screen(&stage, args.at_least, &ui.out).as_bytes()))?,
        Format::Json => ui.data(|out| stage::Document::write(&stage, exit.code(), out))?,
        _ => return Err(Stop::usage("stage is said as text or JSON", "--format human or --format json")),
    }
    Ok(exit)
}
