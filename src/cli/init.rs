//! `govctl init`: a commented govctl.yaml from what a database shows.

use super::Global;
use super::source::{self, Source};
use crate::config::{Config, FILE, draft};
use crate::error::Stop;
use crate::exit::Exit;
use crate::facts::{Facts, derive};
use crate::report;
use crate::ui::Ui;
use crate::ui::clean::clean_lines;
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

/// Write a commented govctl.yaml from what a database shows; an existing file is never touched
///
/// Everything in it is a comment: what govctl infers it goes on inferring, until somebody takes a line out of its comment.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    /// Look at a facts file saved earlier instead of a database
    #[arg(long, value_name = "FILE", conflicts_with_all = ["argument", "url"])]
    facts: Option<PathBuf>,
    /// Print it, and write no file
    #[arg(long)]
    print: bool,
}

/// `govctl.init/1`.
#[derive(Serialize)]
struct Written {
    schema: &'static str,
    /// Null where it was only printed.
    path: Option<String>,
    text: String,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    let json = global.json("init")?;
    let path = global.config.clone().unwrap_or_else(|| FILE.into());
    let shown = path.display().to_string();
    if !args.print && path.symlink_metadata().is_ok() {
        return Err(there(&shown));
    }
    let options = if args.facts.is_none() { Some(args.source.options()?) } else { None };
    let progress = ui.progress();
    let mut facts = match (&args.facts, options) {
        (None, Some(options)) => source::collect(options, &Config::default(), source::Rows::None, &*progress).await?,
        (path, _) => Facts::open(path.as_deref().unwrap_or_else(|| "".as_ref())).await?,
    };
    progress.begin("Working out who reaches what", None);
    derive::derive(&mut facts, &Config::default()).await?;
    let text = draft(&mut facts).await?;
    progress.end();
    if !args.print {
        // Another process may have written it meanwhile: the system decides, not the look above.
        let mut file =
            OpenOptions::new().write(true).create_new(true).open(&path).map_err(|cause| match cause.kind() {
                io::ErrorKind::AlreadyExists => there(&shown),
                _ => Stop::Unwritten { what: shown.clone(), cause, audited: false },
            })?;
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        if let Err(cause) = written {
            // Half a file would be refused the next time, for being there.
            let _ = std::fs::remove_file(&path);
            return Err(Stop::Unwritten { what: shown, cause, audited: false });
        }
        ui.status(&format!("Wrote {shown}"));
    }
    let written = Written { schema: "govctl.init/1", path: (!args.print).then_some(shown), text };
    ui.data(|out| match (json, args.print) {
        (true, _) => report::write_json(&written, out),
        (false, true) => clean_lines(&written.text).try_for_each(|line| writeln!(out, "{line}")),
        (false, false) => Ok(()),
    })?;
    Ok(Exit::Clean)
}

fn there(path: &str) -> Stop {
    Stop::usage(format!("{path} is there already"), "it stays as it is; --print shows what would be written")
}
