//! `govctl checkpoint`: what the chains are today, signed, to be kept where the database cannot reach it.

use super::Global;
use super::source::Source;
use super::trust::Trust;
use super::verify_chain::{checkpoint, read, secret};
use crate::chain::checkpoint::{document, note};
use crate::chain::evidence::file_name;
use crate::chain::note::{Role, Secret};
use crate::chain::pins;
use crate::chain::run::{self, Wish};
use crate::chain::verdict::Verdict;
use crate::config::Config;
use crate::error::Stop;
use crate::exit::Exit;
use crate::ui::Ui;
use crate::ui::clean::clean_lines;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Sign what the hash chains are today, to be kept outside the database
///
/// Verifies every chain first, and signs none that is broken or does not extend the checkpoint that is in the folder
/// already. Writes two files a table: a C2SP signed note, and what its root is made of. Keep the folder where nobody
/// who can write to the database can write: in a repository, a bucket with a retention lock, another machine.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    /// Only this table; repeatable
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
    /// The private key that signs
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Make a key of this name first, write it to --key, and print the public one
    #[arg(long, value_name = "NAME")]
    new_key: Option<String>,
    /// The folder of the checkpoints
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// The secret of keyed chains, from a file [default: the variable GOVCTL_CHAIN_KEY]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    global.text_only("checkpoint")?;
    if let Some(name) = &args.new_key {
        return make(&args.key, name, Role::Log, ui);
    }
    let signer = Secret::parse(&read(&args.key)?).filter(|key| key.role() == Role::Log).ok_or_else(|| {
        let help = "govctl checkpoint --new-key NAME --key FILE makes one";
        Stop::usage(format!("{} holds no private key", args.key.display()), help)
    })?;
    let options = args.source.options()?;
    let config = Config::find(global.config.as_deref())?;
    let database = options.get_database().unwrap_or_default().to_owned();
    let trust = Trust::new(&[], &config)?.and(signer.public()).of_logs();
    // Whatever was signed before must still be so.
    let mut checkpoints = Vec::new();
    for path in kept(&args.out) {
        checkpoints.push(checkpoint(&path, &trust)?);
    }
    let key = secret(args.key_file.as_deref())?;
    let wish = Wish { checkpoints, marks: true, ..Wish::of(args.table.clone(), key) };
    let progress = ui.progress();
    let reports = run::verify(&options, &wish, &config, &*progress).await?;
    progress.end();
    let (mut text, mut exit) = (String::new(), Exit::Clean);
    for report in &reports {
        let table = &report.table;
        if report.verdict != Verdict::Intact {
            let broken = report.verdict == Verdict::Broken;
            exit = exit.or_worse(if broken { Exit::Broken } else { Exit::Undecided });
            let why = report.reason().unwrap_or_default();
            let _ = writeln!(text, "{table} is {} and was not signed: {why}", report.verdict.word());
            continue;
        }
        if report.marks.is_empty() {
            let _ = writeln!(text, "{table} has no rows and was not signed");
            continue;
        }
        if let Some(objection) = trust.objection(&signer.public(), table) {
            exit = exit.or_worse(Exit::Undecided);
            let _ = writeln!(text, "{table} was not signed: {objection}");
            continue;
        }
        let origin = pins::origin(&database, table, report.column.as_deref().unwrap_or_default());
        let path =
            args.out.join(format!("{}.checkpoint", file_name(table, report.column.as_deref().unwrap_or_default())));
        let beside = PathBuf::from(format!("{}.json", path.display()));
        // The note last: it is what makes the pair count.
        write(&beside, &document(&origin, &report.marks))?;
        write(&path, &signer.sign(&note(&origin, &report.marks), jiff::Timestamp::now()))?;
        let _ = writeln!(text, "{} signs {} rows of {table}", path.display(), report.rows);
    }
    if reports.is_empty() {
        text.push_str("There is no chain to sign.\n");
    }
    ui.data(|out| clean_lines(&text).try_for_each(|line| writeln!(out, "{line}")))?;
    Ok(exit)
}

pub(super) fn make(path: &Path, name: &str, role: Role, ui: &Ui) -> Result<Exit, Stop> {
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
        return Err(Stop::usage(
            "a key's name has neither blanks nor a plus sign",
            "for example --new-key audit.example.com",
        ));
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| Stop::usage(format!("the system gives no random numbers: {error}"), ""))?;
    let secret = Secret::new(name, role, &seed);
    let unwritten = |cause| Stop::Unwritten { what: path.display().to_string(), cause, audited: false };
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).and_then(|mut file| writeln!(file, "{}", secret.text())).map_err(unwritten)?;
    ui.data(|out| writeln!(out, "{}", secret.public().text()))?;
    Ok(Exit::Clean)
}

/// The checkpoints in a folder.
fn kept(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "checkpoint")).collect();
    paths.sort();
    paths
}

/// Whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Stop> {
    let unwritten = |cause| Stop::Unwritten { what: path.display().to_string(), cause, audited: false };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(unwritten)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(unwritten)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(unwritten)?;
    file.persist(path).map_err(|error| unwritten(error.error))?;
    Ok(())
}
