//! `govctl witness`: what a second machine saw of the chains, signed beside the first signature.

use super::Global;
use super::checkpoint::{make, write};
use super::source::Source;
use super::trust::Trust;
use super::verify_chain::{beside, checkpoint, read, secret};
use crate::chain::checkpoint::{self as note, Checkpoint};
use crate::chain::encoding::hex;
use crate::chain::note::{Note, Public, Role, Secret};
use crate::chain::pins;
use crate::chain::run::{self, Wish};
use crate::chain::verdict::Verdict;
use crate::config::Config;
use crate::error::Stop;
use crate::exit::Exit;
use crate::ui::Ui;
use crate::ui::clean::clean_lines;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Cosign checkpoints that extend the last ones this witness saw
///
/// Run it on another machine, with another key, than `govctl checkpoint`. It reads the chain itself and cosigns a checkpoint
/// (C2SP cosignature/v1, with the time) only if the rows agree with it and still agree with the last checkpoint of that
/// chain that this witness cosigned. It remembers that one in a small file for each chain.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    /// The checkpoint to cosign; the signature is added to this file. Repeatable
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// The public key that checkpoints must be signed with, beside those of govctl.yaml; repeatable
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// The private key of this witness
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Make a key of this name first, write it to --key, and print the public one
    #[arg(long, value_name = "NAME", conflicts_with = "checkpoint")]
    new_key: Option<String>,
    /// The folder where this witness remembers what it saw
    #[arg(long, value_name = "DIR", default_value = ".")]
    state: PathBuf,
    /// The secret of keyed chains, from a file [default: the variable GOVCTL_CHAIN_KEY]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// What this witness last saw of a chain: the two files of a checkpoint.
#[derive(Serialize, Deserialize)]
struct Seen {
    note: String,
    document: Option<String>,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    global.text_only("witness")?;
    if let Some(name) = &args.new_key {
        return make(&args.key, name, Role::Witness, ui);
    }
    let witness = Secret::parse(&read(&args.key)?).filter(|key| key.role() == Role::Witness).ok_or_else(|| {
        let help = "govctl witness --new-key NAME --key FILE makes one; a key that signs checkpoints is another";
        Stop::usage(format!("{} holds no private key of a witness", args.key.display()), help)
    })?;
    let (options, config) = (args.source.options()?, Config::find(global.config.as_deref())?);
    let trust = Trust::new(&args.trust, &config)?.of_logs();
    if args.checkpoint.is_empty() {
        return Err(Stop::usage("a witness needs a checkpoint", "name it with --checkpoint FILE"));
    }
    let (mut text, mut exit) = (String::new(), Exit::Clean);
    for path in &args.checkpoint {
        let new = checkpoint(path, &trust)?;
        if trust.of(&new.origin).is_empty() {
            let help = "name the key it must be signed with using --trust FILE, or under `keys` of govctl.yaml";
            return Err(Stop::usage(format!("nobody says whose checkpoint {} is", path.display()), help));
        }
        let memory = args.state.join(memory(&new.origin));
        let last = last(&memory, &witness.public())?;
        if let Some(why) = last.as_ref().and_then(|last| behind(last, &new)) {
            text += &format!("{} was not cosigned: {why}\n", path.display());
            exit = Exit::Broken;
            continue;
        }
        let Some(table) = pins::table(&new.origin) else {
            let help = "govctl checkpoint writes GOVCTL/DATABASE/TABLE/COLUMN in the first line of a checkpoint";
            return Err(Stop::usage(format!("{} is of no chain that is known here", path.display()), help));
        };
        let key = secret(args.key_file.as_deref())?;
        let checkpoints = last.into_iter().chain([new.clone()]).collect();
        let wish = Wish { checkpoints, ..Wish::of(vec![table.to_owned()], key) };
        let progress = ui.progress();
        let reports = run::verify(&options, &wish, &config, &*progress).await?;
        progress.end();
        // Of several chains in one table the one that was signed counts.
        let of_new = |column: Option<&str>| pins::concerns(&new, table, column.unwrap_or_default());
        let report = reports.iter().find(|report| of_new(report.column.as_deref())).or_else(|| reports.first());
        match report {
            Some(report) if report.verdict == Verdict::Intact && report.tail.pinned => {
                let cosigned = cosigned(&read(path)?, &witness);
                // Before anybody is told: whoever has the signature must be able to rely on it.
                remember(&memory, path, &cosigned)?;
                write(path, &cosigned)?;
                text += &format!("{} is cosigned: {} rows of {table} are what it says\n", path.display(), new.rows());
            }
            Some(report) => {
                let broken = report.verdict == Verdict::Broken;
                exit = exit.or_worse(if broken { Exit::Broken } else { Exit::Undecided });
                let why = report.reason().unwrap_or_else(|| "nothing in the table was compared with it".to_owned());
                text += &format!("{} was not cosigned: {table} is {}, {why}\n", path.display(), report.verdict.word());
            }
            None => {
                exit = exit.or_worse(Exit::Undecided);
                text += &format!("{} was not cosigned: {table} holds no chain\n", path.display());
            }
        }
    }
    ui.data(|out| clean_lines(&text).try_for_each(|line| writeln!(out, "{line}")))?;
    Ok(exit)
}

/// One file a chain, whatever it is called.
fn memory(origin: &str) -> String {
    format!("{}.witness", hex(&Sha256::digest(origin)))
}

fn last(memory: &Path, own: &Public) -> Result<Option<Checkpoint>, Stop> {
    let text = match std::fs::read_to_string(memory) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(Stop::Unreadable { path: memory.display().to_string(), cause }),
    };
    let damaged = |why: String| {
        let help = "restore it from a copy: a witness that forgot what it saw would cosign anything";
        Stop::usage(format!("{} is damaged: {why}", memory.display()), help)
    };
    let seen: Seen = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    let trust = std::slice::from_ref(own);
    note::read(&seen.note, seen.document.as_deref(), trust, Timestamp::now()).map(Some).map_err(damaged)
}

/// Why a checkpoint does not come after the last one.
fn behind(last: &Checkpoint, new: &Checkpoint) -> Option<String> {
    if new.rows() < last.rows() {
        return Some(format!("it saw {} rows, and this witness has seen {}", new.rows(), last.rows()));
    }
    (new.rows() == last.rows() && new.root != last.root)
        .then(|| format!("it says other than the checkpoint of {} rows that this witness has seen", last.rows()))
}

/// The note with the signature of this witness, once.
fn cosigned(note: &str, witness: &Secret) -> String {
    match Note::parse(note) {
        Some(read) if read.seen_by(&witness.public()).is_none() => {
            format!("{note}{}", witness.line(&read.text, Timestamp::now()))
        }
        _ => note.to_owned(),
    }
}

fn remember(memory: &Path, path: &Path, note: &str) -> Result<(), Stop> {
    let document = std::fs::read_to_string(beside(path)).ok();
    let seen = Seen { note: note.to_owned(), document };
    write(memory, &serde_json::to_string_pretty(&seen).unwrap_or_default())
}
