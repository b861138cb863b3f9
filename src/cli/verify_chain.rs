//! `govctl verify-chain`: hash chains recomputed row by row.

use super::Global;
use super::checkpoint::write as whole_file;
use super::outputs::Outputs;
use super::source::Source;
use super::trust::Trust;
use crate::chain::checkpoint::{self, Checkpoint};
use crate::chain::encoding;
use crate::chain::evidence::bundle;
use crate::chain::expect::Expected;
use crate::chain::kept::Kept;
use crate::chain::run::{self, Wish};
use crate::chain::shard::{Part, Shard};
use crate::chain::verdict::{ChainReport, Verdict};
use crate::check::Severity;
use crate::config::Config;
use crate::error::Stop;
use crate::exit::Exit;
use crate::report::chain as report;
use crate::report::{Format, Settings};
use crate::ui::clean::clean_lines;
use crate::ui::{Look, Ui};
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
    /// A checkpoint that the rows must agree with, at its own size; repeatable
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Read only the rows behind this checkpoint; those before it are not looked at again
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// Read only the Kth of N parts of each chain, and write what was read to --shard-out, for --merge
    #[arg(long, value_name = "K/N", requires = "shard_out", conflicts_with_all = ["checkpoint", "since"])]
    shard: Option<String>,
    /// The last number that --shard reads; say the same one for all parts of a table that still grows
    #[arg(long, value_name = "NUMBER", requires = "shard")]
    until: Option<i64>,
    /// Where --shard writes
    #[arg(long, value_name = "FILE", requires = "shard")]
    shard_out: Option<PathBuf>,
    /// A part that --shard wrote; repeatable. The chain is judged by the parts, and not read again
    #[arg(long, value_name = "FILE", conflicts_with_all = ["shard", "checkpoint", "since"])]
    merge: Vec<PathBuf>,
    /// Write what an auditor needs to check the answer into this folder: the report, how rows are hashed, what the chains are
    /// now, the checkpoints and keys, and a second verifier; no rows
    #[arg(long, value_name = "DIR", conflicts_with_all = ["shard", "merge", "resume"])]
    evidence: Option<PathBuf>,
    /// Keep in this file what was read, and go on from there: for tables that take hours. It goes away once all is read
    #[arg(long, value_name = "FILE", conflicts_with_all = ["shard", "merge", "checkpoint", "since"])]
    resume: Option<PathBuf>,
    /// A key that checkpoints must be signed with, or of a witness that must have seen them, beside those of govctl.yaml;
    /// repeatable
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// The secret of keyed chains, from a file [default: the variable GOVCTL_CHAIN_KEY]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Connections that read at the same time
    #[arg(long, value_name = "N", default_value_t = run::workers())]
    workers: usize,
    /// Every break, where otherwise ten of each chain are shown
    #[arg(long)]
    all: bool,
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
    let trust = Trust::new(&args.trust, &config)?;
    let checkpoints = args.checkpoint.iter().map(|path| checkpoint(path, &trust)).collect::<Result<Vec<_>, _>>()?;
    let since = args.since.as_deref().map(|path| checkpoint(path, &trust)).transpose()?;
    let part = match &args.shard {
        None => None,
        Some(text) => Some(Part::parse(text, args.until).ok_or_else(|| {
            Stop::usage(format!("{text} is no part"), "say which of how many, for example --shard 2/8")
        })?),
    };
    let merge = args.merge.iter().map(|path| shard_file(path)).collect::<Result<Vec<_>, _>>()?.concat();
    let outputs = Outputs::open(&global.output)?;
    let stop = Arc::new(AtomicBool::new(false));
    let kept = args.resume.as_deref().map(Kept::open).transpose()?;
    let wish = Wish {
        workers: args.workers.max(1),
        expected,
        checkpoints,
        since,
        part,
        merge,
        kept,
        marks: args.evidence.is_some(),
        describe: args.evidence.is_some(),
        stop: Arc::clone(&stop),
        ..Wish::of(args.table.clone(), key)
    };
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
    if let (Some(_), Some(path)) = (part, &args.shard_out) {
        return write_shards(&reports, path, ui);
    }
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
    if let Some(folder) = &args.evidence {
        let database = options.get_database().unwrap_or_default();
        evidence(folder, args, &trust, database, &reports, &settings, ui)?;
    }
    outputs.write_with(&settings, |format, settings, to| report::write(format, &reports, settings, to))?;
    ui.data(|out| report::write(global.format, &reports, &settings, out))?;
    Ok(exit)
}

/// Writes the folder, the manifest last.
fn evidence(
    folder: &Path,
    args: &Args,
    trust: &Trust<'_>,
    database: &str,
    reports: &[ChainReport],
    settings: &Settings,
    ui: &Ui,
) -> Result<(), Stop> {
    let mut given = Vec::new();
    for (format, name) in [(Format::Human, "report.txt"), (Format::Json, "report.json")] {
        let mut text = Vec::new();
        let settings = Settings { look: Look::PLAIN, all: true, quiet: false, ..*settings };
        let unwritten = |cause| Stop::Unwritten { what: name.to_owned(), cause, audited: true };
        report::write(format, reports, &settings, &mut text).map_err(unwritten)?;
        given.push((name.to_owned(), String::from_utf8_lossy(&text).into_owned()));
    }
    for (number, path) in args.checkpoint.iter().chain(&args.since).enumerate() {
        let name = format!("checkpoints/{}.checkpoint", number + 1);
        given.push((name.clone(), read(path)?));
        if let Ok(document) = std::fs::read_to_string(beside(path)) {
            given.push((name + ".json", document));
        }
    }
    for (number, key) in trust.all().enumerate() {
        given.push((format!("keys/{}.pub", number + 1), key.text() + "\n"));
    }
    for (name, text) in bundle(database, reports, given, jiff::Timestamp::now()) {
        whole_file(&folder.join(name), &text)?;
    }
    ui.status(&format!("The evidence is in {}; keep the SHA-256 of its manifest.json elsewhere.", folder.display()));
    Ok(())
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

/// One line a chain.
fn shard_file(path: &Path) -> Result<Vec<Shard>, Stop> {
    let text = read(path)?;
    let shards: Option<Vec<Shard>> = text.lines().map(Shard::parse).collect();
    shards.filter(|shards| !shards.is_empty()).ok_or_else(|| {
        Stop::usage(format!("{} holds no part of a chain", path.display()), "--shard K/N --shard-out FILE writes one")
    })
}

/// What was read of each chain, to be joined later. Whether the chain holds is not said before.
fn write_shards(reports: &[ChainReport], path: &Path, ui: &Ui) -> Result<Exit, Stop> {
    let (mut text, mut lines, mut exit) = (String::new(), String::new(), Exit::Clean);
    for report in reports {
        match &report.shard {
            Some(shard) => {
                lines += &shard.text();
                let flawed = if shard.is_flawed() { "; not all of them hold: --merge says what is wrong" } else { "" };
                text += &format!("{} rows of {} were read{flawed}\n", shard.rows(), report.table);
                if shard.is_flawed() {
                    exit = Exit::Broken;
                }
            }
            None => {
                text += &format!("{} was not read: {}\n", report.table, report.why.as_deref().unwrap_or("interrupted"));
                exit = exit.or_worse(Exit::Undecided);
            }
        }
    }
    whole_file(path, &lines)?;
    ui.data(|out| clean_lines(&text).try_for_each(|line| writeln!(out, "{line}")))?;
    Ok(exit)
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

/// A note, and the file beside it.
pub(super) fn checkpoint(path: &Path, trust: &Trust<'_>) -> Result<Checkpoint, Stop> {
    let note = read(path)?;
    let trust = trust.of(note.lines().next().unwrap_or_default());
    let document = std::fs::read_to_string(beside(path)).ok();
    checkpoint::read(&note, document.as_deref(), &trust, jiff::Timestamp::now()).map_err(|why| {
        let help = "govctl checkpoint writes two files: keep both, and change neither";
        Stop::usage(format!("{} is no checkpoint: {why}", path.display()), help)
    })
}

/// What the root of a note is made of.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".json");
    PathBuf::from(beside)
}

pub(super) fn read(path: &Path) -> Result<String, Stop> {
    std::fs::read_to_string(path).map_err(|cause| Stop::Unreadable { path: path.display().to_string(), cause })
}

/// The key of keyed chains: never from the command line, where everybody on the machine reads it.
pub(super) fn secret(file: Option<&Path>) -> Result<Option<Vec<u8>>, Stop> {
    match file {
        Some(path) => match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes.trim_ascii_end().to_vec())),
            Err(cause) => Err(Stop::Unreadable { path: path.display().to_string(), cause }),
        },
        None => Ok(std::env::var("GOVCTL_CHAIN_KEY").ok().filter(|key| !key.is_empty()).map(String::into_bytes)),
    }
}
