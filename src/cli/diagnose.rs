//! `govctl diagnose`: facts, checks, the report, the exit code.

use super::Global;
use super::outputs::Outputs;
use super::source::{self, Folder, Source};
use crate::assess::{self, Assessment};
use crate::check::{Ids, Library};
use crate::config::{Baseline, Config};
use crate::error::Stop;
use crate::exit::Exit;
use crate::facts::{Facts, derive};
use crate::report::{self, Settings};
use crate::ui::Ui;
use crate::ui::progress::Progress;
use crate::yaml::Caution;
use std::path::PathBuf;

/// Run every check against a database
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    folder: Folder,
    /// Audit a facts file saved earlier instead of a database
    #[arg(long, value_name = "FILE", conflicts_with_all = ["argument", "url", "save_facts", "migrations"])]
    facts: Option<PathBuf>,
    /// Keep the collected facts, for another audit or a comparison
    #[arg(long, value_name = "FILE")]
    save_facts: Option<PathBuf>,
    /// Only the checks whose id matches, e.g. 'tenant-isolation/*'; repeatable
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Read no rows of any table; checks that need some are then undecided by choice
    #[arg(long)]
    no_data: bool,
    /// Every object, where otherwise five of each check are shown
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    // Everything that can be wrong with the command line comes before the first connection.
    let config = configuration(global)?;
    let checks = Ids::embedded();
    config.fits(&checks)?;
    checks.patterns(&args.only)?;
    if args.facts.is_none() && args.folder.migrations.is_none() {
        args.source.options()?;
    }
    let outputs = Outputs::open(&global.output)?;

    // The checks are read while the server answers.
    let library = std::thread::spawn(Library::embedded);
    let progress = ui.progress();
    let mut facts = match &args.facts {
        None => {
            source::gather(&args.source, &args.folder, &config, source::Rows::unless(args.no_data), &*progress).await?
        }
        Some(path) => Facts::open(path).await?,
    };
    let library = library.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?.select(&args.only)?;
    let assessment = judge(&mut facts, &library, &config, &*progress).await?;
    if let Some(path) = &args.save_facts {
        facts.save(path).await?;
    }
    progress.end();
    warn(&assessment, &config, ui);
    report(&assessment, args.all, outputs, global, ui)
}

/// Each warning at its own line.
fn warn(it: &Assessment, config: &Config, ui: &Ui) {
    let Some(source) = &config.source else { return };
    for warning in &it.warnings {
        let words = [&*warning.message, &*warning.label, &*warning.help];
        ui.warn(&Caution::new(&source.path, &source.text, warning.place, words));
    }
}

/// What the owner decided, and what was known before.
pub(super) fn configuration(global: &Global) -> Result<Config, Stop> {
    let baseline = global.baseline.as_deref().map(Baseline::read).transpose()?;
    Ok(Config { baseline, ..Config::find(global.config.as_deref())? })
}

/// From collected facts to the assessment.
pub(super) async fn judge(
    facts: &mut Facts,
    library: &Library,
    config: &Config,
    progress: &dyn Progress,
) -> Result<Assessment, Stop> {
    progress.begin("Working out who reaches what", None);
    derive::derive(facts, config).await?;
    progress.begin("Checking", None);
    assess::run(facts, library, config).await
}

/// Says the assessment wherever it was asked for, and how the process ends.
pub(super) fn report(it: &Assessment, all: bool, outputs: Outputs, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    let exit = it.exit(global.fail_on, global.allow_undecided);
    let exit = if global.exit_zero { exit.forgiven() } else { exit };
    let settings = Settings {
        look: ui.out,
        all,
        quiet: global.quiet,
        fail_on: global.fail_on,
        allow_undecided: global.allow_undecided,
        baseline: global.baseline.is_some(),
        exit,
    };
    outputs.write(it, &settings)?;
    ui.data(|out| report::write(global.format, it, &settings, out))?;
    Ok(exit)
}
