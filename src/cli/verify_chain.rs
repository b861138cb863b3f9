//! `govctl verify-chain`: hash chains recomputed row by row.

use super::Global;
use super::outputs::Outputs;
use super::source::Source;
use crate::chain::encoding;
use crate::chain::run::{self, Expected, Wish};
use crate::chain::verdict::{ChainReport, Verdict};
use crate::check::Severity;
use crate::config::Config;
use crate::error::Stop;
use crate::exit::Exit;
use crate::report::Settings;
use crate::report::chain as report;
use crate::ui::Ui;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Recompute the hash chains of audit tables, row by row
///
/// Finds the chains by itself: which columns link the rows, in which order, and how a row is hashed. Ends with 5 where a
/// chain is broken, with 4 where one could not be decided. A chain alone never shows that its end was cut off or that all
/// of it was computed anew: give it a head, or a checkpoint, that is kept outside the database.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    /// Only this table; repeatable [default: every table that looks like a chain]
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
    /// A head that must be there: HASH, POSITION:HASH or TABLE=POSITION:HASH; repeatable
    #[arg(long, value_name = "HEAD")]
    expect: Vec<String>,
    /// The secret of keyed chains, from a file [default: the variable GOVCTL_CHAIN_KEY]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Connections that read at the same time
    #[arg(long, value_name = "N", default_value_t = workers())]
    workers: usize,
    /// Every break, where otherwise ten of each chain are shown
    #[arg(long)]
    all: bool,
}

/// As many as there are processors here, at most four: the server works as hard as we do.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 4)
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    if !report::FORMATS.contains(&global.format) {
        let message = "verify-chain answers as human, json, sarif, junit or github";
        return Err(Stop::usage(message, "the other formats go with diagnose"));
    }
    let config = Config::find(global.config.as_deref())?;
    let options = args.source.options()?;
    let expected = args.expect.iter().map(|given| expectation(given)).collect::<Result<Vec<_>, _>>()?;
    let key = secret(args.key_file.as_deref())?;
    let outputs = Outputs::open(&global.output)?;
    let stop = Arc::new(AtomicBool::new(false));
    let wish =
        Wish { tables: args.table.clone(), workers: args.workers.max(1), expected, key, stop: Arc::clone(&stop) };
    let progress = ui.progress();
    let reports = {
        let mut work = std::pin::pin!(run::verify(&options, &wish, &config, &*progress));
        loop {
            tokio::select! {
                done = &mut work => break done?,
                Ok(()) = tokio::signal::ctrl_c() => {
                    // A second one does not wait for what was read so far.
                    if stop.swap(true, Ordering::Relaxed) {
                        return Err(Stop::Interrupted);
                    }
                }
            }
        }
    };
    progress.end();
    let exit = exit(&reports, global.allow_undecided);
    let exit = if global.exit_zero { exit.forgiven() } else { exit };
    let settings = Settings {
        look: ui.out,
        all: args.all,
        quiet: global.quiet,
        fail_on: Severity::Low,
        allow_undecided: global.allow_undecided,
        baseline: false,
        exit,
    };
    outputs.write_with(&settings, |format, settings, to| report::write(format, &reports, settings, to))?;
    ui.data(|out| report::write(global.format, &reports, &settings, out))?;
    Ok(exit)
}

fn exit(reports: &[ChainReport], allow_undecided: bool) -> Exit {
    let any = |verdict| reports.iter().any(|report| report.verdict == verdict);
    if any(Verdict::Broken) {
        Exit::Broken
    } else if any(Verdict::Undecided) && !allow_undecided {
        Exit::Undecided
    } else {
        Exit::Clean
    }
}

/// `[TABLE=][POSITION:]HASH`.
fn expectation(given: &str) -> Result<Expected, Stop> {
    let (table, rest) = match given.split_once('=') {
        // Base64 ends in `=`.
        Some((table, rest)) if !rest.is_empty() && !rest.starts_with('=') => (Some(table.to_owned()), rest),
        _ => (None, given),
    };
    let (position, hash) = match rest.rsplit_once(':') {
        Some((position, hash)) if !position.eq_ignore_ascii_case("sha256") => (Some(position.to_owned()), hash),
        _ => (None, rest),
    };
    let Some((hash, _)) = encoding::decode(hash.as_bytes(), false) else {
        let help = "a head is the hash of a row, e.g. --expect 1000:9f86d081…, as `head` of the JSON report says it";
        return Err(Stop::usage(format!("{given} holds no hash"), help));
    };
    Ok(Expected { table, position, hash, given: given.to_owned() })
}

/// The key of keyed chains: never from the command line, where everybody on the machine reads it.
fn secret(file: Option<&Path>) -> Result<Option<Vec<u8>>, Stop> {
    match file {
        Some(path) => match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes.trim_ascii_end().to_vec())),
            Err(cause) => Err(Stop::Unreadable { path: path.display().to_string(), cause }),
        },
        None => Ok(std::env::var("GOVCTL_CHAIN_KEY").ok().filter(|key| !key.is_empty()).map(String::into_bytes)),
    }
}
