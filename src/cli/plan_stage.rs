//! `govctl plan-stage`: the migrations to the next stage.

use super::Global;
use super::source::{self, Folder, Source};
use crate::check::Library;
use crate::error::Stop;
use crate::exit::Exit;
use crate::facts::{Facts, derive};
use crate::plan::{Draft, Goal, Plan};
use crate::report;
use crate::ui::Ui;
use std::path::PathBuf;

/// The migrations that lead to a stage: written for your own tool, never run
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The stage to reach, 2 to 5
    #[arg(value_name = "N", value_parser = clap::value_parser!(u8).range(2..=5))]
    stage: u8,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    folder: Folder,
    /// Facts saved earlier instead of a database
    #[arg(long, value_name = "FILE", conflicts_with_all = ["argument", "url", "migrations"])]
    facts: Option<PathBuf>,
    /// Print one migration of the plan
    #[arg(long, value_name = "K", conflicts_with = "write")]
    show: Option<usize>,
    /// Write the migrations into a folder, named like those that are there; nothing is overwritten
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    let json = global.json("plan-stage")?;
    let config = super::diagnose::configuration(global)?;
    let library = Library::embedded()?;
    config.fits(&library)?;
    let progress = ui.progress();
    let mut facts = match &args.facts {
        None => source::gather(&args.source, &args.folder, &config, true, &*progress).await?,
        Some(path) => Facts::open(path).await?,
    };
    progress.begin("Working out who reaches what", None);
    derive::derive(&mut facts, &config).await?;
    progress.begin("Planning", None);
    let goal = Goal { stage: args.stage, config: &config, library: &library };
    let mut draft = Draft::new(goal);
    draft.look(&mut facts).await?;
    let plan = draft.plan();
    progress.end();
    say(&plan, args, json, ui)?;
    Ok(exit(&plan, global))
}

fn say(plan: &Plan, args: &Args, json: bool, ui: &Ui) -> Result<(), Stop> {
    if let Some(number) = args.show {
        let Some(step) = plan.steps.iter().find(|step| step.n == number) else {
            let there = format!("the plan has {} migrations", plan.steps.len());
            return Err(Stop::usage(
                format!("there is no migration {number}: {there}"),
                "leave out --show to see them",
            ));
        };
        return ui.data(|out| out.write_all(report::plan::show(step).as_bytes()));
    }
    if json {
        return ui.data(|out| report::plan::write(plan, 0, out));
    }
    ui.data(|out| out.write_all(report::plan::screen(plan, &ui.out).as_bytes()))
}

/// A plan is no verdict: it ends well, unless what it was tried on shows that it does not hold.
fn exit(plan: &Plan, global: &Global) -> Exit {
    let failed = plan.proof.as_ref().is_some_and(|proof| !proof.failed.is_empty());
    let exit = if failed { Exit::Findings } else { Exit::Clean };
    if global.exit_zero { exit.forgiven() } else { exit }
}
