//! What a person may type.

pub mod man;

mod checkpoint;
mod checks;
mod completions;
mod demo;
mod diagnose;
mod diff;
mod explain;
mod facts;
mod init;
mod matrix;
mod outputs;
mod plan_stage;
mod source;
mod stage;
mod trust;
mod verify_chain;
mod waive;
mod welcome;
mod witness;

use crate::check::Severity;
use crate::error::Stop;
use crate::exit::Exit;
use crate::report::Format;
use crate::target::url::DatabaseUrl;
use crate::ui::{Colour, Ui};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use outputs::Output;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Audits the governance of a PostgreSQL database that AI agents work on. Never writes to it.
#[derive(Debug, Parser)]
#[command(name = "govctl", version, max_term_width = 100, after_help = EXIT_CODES, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 clean, 1 open findings, 2 usage, 3 no session with the database, 4 undecided only,
5 a hash chain is broken. `man govctl` and `govctl help COMMAND` say more.";

#[derive(Debug, Subcommand)]
enum Command {
    Diagnose(diagnose::Args),
    VerifyChain(verify_chain::Args),
    Checkpoint(checkpoint::Args),
    Witness(witness::Args),
    PlanStage(plan_stage::Args),
    Stage(stage::Args),
    Demo(demo::Args),
    Diff(diff::Args),
    Init(init::Args),
    Waive(waive::Args),
    Facts(facts::Args),
    Matrix(matrix::Args),
    Checks(checks::Args),
    Explain(explain::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Flags that every command knows.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// How the answer on stdout is said
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Also write the report to a file in the same run, e.g. json=report.json; repeatable
    #[arg(long, global = true, value_name = "FORMAT=PATH")]
    output: Vec<Output>,
    /// Configuration [default: govctl.yaml in the current folder, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The least severe finding that fails the run
    #[arg(long, global = true, value_enum, value_name = "SEVERITY", default_value_t = Severity::Low)]
    fail_on: Severity,
    /// Only what an earlier report does not have counts, or has less bad; a report in JSON
    #[arg(long, global = true, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// End with 0 where nothing was found but something could not be decided
    #[arg(long, global = true)]
    allow_undecided: bool,
    /// End with 0 instead of 1 or 4; never instead of 2, 3 or 5
    #[arg(long, global = true)]
    exit_zero: bool,
    /// When to colour
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    color: Colour,
    /// Draw no progress
    #[arg(long, global = true)]
    no_progress: bool,
    /// Only the counts, and no status
    #[arg(long, short, global = true)]
    quiet: bool,
}

impl Global {
    /// Commands that write no report must not swallow the wish for one.
    fn no_report(&self, command: &str) -> Result<(), Stop> {
        if self.output.is_empty() {
            return Ok(());
        }
        Err(Stop::usage(format!("{command} writes no report"), "--output goes with diagnose and demo"))
    }

    /// The same for what is only ever text.
    fn text_only(&self, command: &str) -> Result<(), Stop> {
        self.no_report(command)?;
        match self.format {
            Format::Human => Ok(()),
            _ => Err(Stop::usage(format!("{command} has no other format than text"), "leave out --format")),
        }
    }

    /// Whether to answer in JSON; other formats are for assessments alone.
    fn json(&self, command: &str) -> Result<bool, Stop> {
        self.no_report(command)?;
        match self.format {
            Format::Human => Ok(false),
            Format::Json => Ok(true),
            _ => Err(Stop::usage(format!("{command} answers as human or json"), "the other formats go with diagnose")),
        }
    }
}

/// Expressions in a database nest as deep as their author liked, and parsing and judging them recurses.
const STACK: usize = 512 << 20;

/// The whole program.
pub fn main() -> ExitCode {
    let program = std::thread::Builder::new().name("govctl".to_owned()).stack_size(STACK).spawn(program);
    match program.map(std::thread::JoinHandle::join) {
        Ok(Ok(exit)) => exit,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(_) => self::program(), // no room for such a stack: the ordinary one will do for most
    }
}

fn program() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return mistyped(&error, &arguments, &Ui::new(colour(&arguments), true, false)),
    };
    let ui = Ui::new(cli.global.color, cli.global.no_progress, cli.global.quiet);
    let exit = run(&cli, &ui).unwrap_or_else(|stop| {
        ui.stop(&stop);
        stop.exit()
    });
    exit.into()
}

fn run(cli: &Cli, ui: &Ui) -> Result<Exit, Stop> {
    let Some(command) = &cli.command else { return welcome::run(ui) };
    match command {
        Command::Completions(args) => completions::run(args, &cli.global, ui),
        Command::Man(args) => man::run(args, &cli.global),
        Command::Checks(args) => checks::run(args, &cli.global, ui),
        Command::Explain(args) => explain::run(args, &cli.global, ui),
        Command::Diagnose(args) => unless_interrupted(diagnose::run(args, &cli.global, ui)),
        // It hears Ctrl-C itself: what was read until then is a result.
        Command::Checkpoint(args) => unless_interrupted(checkpoint::run(args, &cli.global, ui)),
        Command::Witness(args) => unless_interrupted(witness::run(args, &cli.global, ui)),
        Command::VerifyChain(args) => to_the_end(verify_chain::run(args, &cli.global, ui)),
        Command::PlanStage(args) => unless_interrupted(plan_stage::run(args, &cli.global, ui)),
        Command::Stage(args) => unless_interrupted(stage::run(args, &cli.global, ui)),
        Command::Demo(args) => unless_interrupted(demo::run(args, &cli.global, ui)),
        Command::Diff(args) => unless_interrupted(diff::run(args, &cli.global, ui)),
        Command::Init(args) => unless_interrupted(init::run(args, &cli.global, ui)),
        Command::Waive(args) => unless_interrupted(waive::run(args, &cli.global, ui)),
        Command::Facts(args) => unless_interrupted(facts::run(args, &cli.global, ui)),
        Command::Matrix(args) => unless_interrupted(matrix::run(args, &cli.global, ui)),
    }
}

/// Runs to the end.
fn to_the_end(work: impl Future<Output = Result<Exit, Stop>>) -> Result<Exit, Stop> {
    let runtime = event_loop()?;
    let exit = runtime.block_on(work);
    runtime.shutdown_background();
    exit
}

fn event_loop() -> Result<tokio::runtime::Runtime, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Stop::usage(format!("the system gives no event loop: {error}"), ""))
}

/// Runs to the end, or until Ctrl-C: then everything begun is dropped, which clears the line and stops a scratch server.
fn unless_interrupted(work: impl Future<Output = Result<Exit, Stop>>) -> Result<Exit, Stop> {
    let runtime = event_loop()?;
    let exit = runtime.block_on(async {
        tokio::select! {
            exit = work => exit,
            Ok(()) = tokio::signal::ctrl_c() => Err(Stop::Interrupted),
        }
    });
    // A name still being resolved would hold the process back.
    runtime.shutdown_background();
    exit
}

/// Answers `--help` and `--version`; says what else clap did not understand, which may be a URL with a password in it.
fn mistyped(error: &clap::Error, arguments: &[OsString], ui: &Ui) -> ExitCode {
    let words = arguments.iter().filter_map(|argument| argument.to_str());
    let values =
        words.map(|word| word.split_once('=').filter(|_| word.starts_with('-')).map_or(word, |(_, value)| value));
    let masked = values.map(|value| (value, DatabaseUrl::shown(value))).filter(|(value, shown)| value != shown);
    match ui.clap(error, &masked.collect::<Vec<_>>()) {
        Ok(()) if error.use_stderr() => Exit::Usage,
        Ok(()) => Exit::Clean,
        Err(stop) => {
            ui.stop(&stop);
            stop.exit()
        }
    }
    .into()
}

/// `--color` of a command line that does not parse.
fn colour(arguments: &[OsString]) -> Colour {
    let mut words = arguments.iter().filter_map(|argument| argument.to_str());
    while let Some(word) = words.next() {
        let value = if word == "--color" { words.next() } else { word.strip_prefix("--color=") };
        if let Some(colour) = value.and_then(|value| Colour::from_str(value, false).ok()) {
            return colour;
        }
    }
    Colour::Auto
}

/// The definitions everything else is written from.
fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definitions_are_sound() {
        super::command().debug_assert();
    }
}
