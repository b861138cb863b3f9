//! `govctl plan-stage`: the migrations to the next stage.

use super::Global;
use super::source::{self, Folder, Source};
use crate::check::{Ids, Library};
use crate::error::Stop;
use crate::exit::Exit;
use crate::facts::{Facts, derive};
use crate::plan::{self, Bench, Goal, Plan, write};
use crate::report;
use crate::target::scratch::Choice;
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
    /// The folder of the migrations; without a database, replayed on a scratch one
    #[arg(long, value_name = "DIR")]
    migrations: Option<PathBuf>,
    /// The migration tool, where the folder does not say it
    #[arg(long, value_name = "NAME", value_parser = source::tool)]
    tool: Option<String>,
    /// Facts saved earlier instead of a database
    #[arg(long, value_name = "FILE", conflicts_with_all = ["argument", "url", "migrations"])]
    facts: Option<PathBuf>,
    /// Print one migration of the plan
    #[arg(long, value_name = "K", conflicts_with = "write")]
    show: Option<usize>,
    /// The server to try the plan on; databases made there are dropped again [default: a throwaway one]
    #[arg(long, value_name = "URL", conflicts_with = "no_prove")]
    scratch_url: Option<String>,
    /// Try the plan on a copy of the schema, which is done anyway where a server is at hand, or fail
    #[arg(long, conflicts_with = "no_prove")]
    prove: bool,
    /// Do not try it
    #[arg(long)]
    no_prove: bool,
    /// Write the migrations into a folder, named like those that are there; nothing is overwritten
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    let json = global.json("plan-stage")?;
    let config = super::diagnose::configuration(global)?;
    config.fits(&Ids::embedded())?;
    let library = Library::embedded()?;
    let progress = ui.progress();
    let mut facts = match &args.facts {
        None => {
            let tool = args.tool.clone().filter(|_| args.migrations.is_some());
            let folder = Folder { migrations: args.migrations.clone(), tool };
            source::gather(&args.source, &folder, &config, source::Rows::All, &*progress).await?
        }
        Some(path) => Facts::open(path).await?,
    };
    progress.begin("Working out who reaches what", None);
    derive::derive(&mut facts, &config).await?;
    let goal = Goal { stage: args.stage, config: &config, library: &library };
    let mut bench = bench(args).await?;
    let plan = plan::make(goal, &mut facts, bench.as_mut(), &*progress).await;
    if let Some(bench) = bench {
        bench.close().await;
    }
    let plan = plan?;
    progress.end();
    let exit = exit(&plan, global);
    let written = match &args.write {
        Some(folder) if !plan.steps.is_empty() => {
            Some(write::write(&plan, folder, args.tool.as_deref(), jiff::Timestamp::now())?)
        }
        _ => None,
    };
    match written {
        Some(written) if !json => {
            ui.data(|out| out.write_all(report::plan::written(&written, &plan, &ui.out).as_bytes()))?
        }
        _ => say(&plan, args, json, exit, ui)?,
    }
    Ok(exit)
}

/// A server to try the plan on. That there is none stops only who asked for it.
async fn bench(args: &Args) -> Result<Option<Bench>, Stop> {
    if args.no_prove {
        return Ok(None);
    }
    let mut bench = Bench::new(Choice::Auto { scratch_url: args.scratch_url.clone() });
    match bench.server().await.map(drop) {
        Ok(()) => Ok(Some(bench)),
        Err(Stop::Scratch(_)) if !args.prove && args.scratch_url.is_none() => Ok(None),
        Err(stop) => Err(stop),
    }
}

fn say(plan: &Plan, args: &Args, json: bool, exit: Exit, ui: &Ui) -> Result<(), Stop> {
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
        return ui.data(|out| report::plan::write(plan, exit.code(), out));
    }
    ui.data(|out| out.write_all(report::plan::screen(plan, &ui.out).as_bytes()))
}

/// A plan is no verdict: it ends well, unless what it was tried on shows that it does not hold, or it does not lead to the stage: then
/// something is left for a person to decide.
fn exit(plan: &Plan, global: &Global) -> Exit {
    let failed = plan.proof.as_ref().is_some_and(|proof| !proof.failed.is_empty());
    let exit = match failed {
        true => Exit::Findings,
        false if plan.falls_short() && !global.allow_undecided => Exit::Undecided,
        false => Exit::Clean,
    };
    if global.exit_zero { exit.forgiven() } else { exit }
}
