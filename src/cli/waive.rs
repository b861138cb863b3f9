//! `govctl waive`: accepts what is found now, as it is now, for a while.

use super::Global;
use super::diagnose;
use super::source::{self, Folder, Source};
use crate::assess::Finding;
use crate::check::{Axis, Ids, Library};
use crate::config::{Accepted, FILE, today};
use crate::error::Stop;
use crate::exit::Exit;
use crate::facts::Facts;
use crate::ui::Ui;
use crate::ui::clean::clean_lines;
use glob::{MatchOptions, Pattern};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// How long a waiver counts where nobody says.
const DAYS: i64 = 90;

/// Accept a finding for a while: writes a waiver into govctl.yaml that holds for its state as it is now
///
/// When what it accepts gets worse, by an expression, a role or a way, it is open again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    folder: Folder,
    /// Look at a facts file saved earlier instead of a database
    #[arg(long, value_name = "FILE", conflicts_with_all = ["argument", "url", "migrations"])]
    facts: Option<PathBuf>,
    /// The check whose finding is accepted
    #[arg(long, value_name = "CHECK")]
    check: String,
    /// The object, as the finding names it, or a glob over several
    #[arg(long, value_name = "OBJECT")]
    object: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who answers for it [default: the owner of the check's axis in govctl.yaml]
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// The last day on which it counts, at most a year away [default: in 90 days]
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// Print the entry, and write nothing
    #[arg(long)]
    print: bool,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    global.text_only("waive")?;
    let config = diagnose::configuration(global)?;
    config.fits(&Ids::embedded())?;
    let library = Library::embedded()?;
    let check = library.get(&args.check)?;
    let pattern = Pattern::new(&args.object).map_err(|error| {
        Stop::usage(format!("{} is no glob: {}", args.object, error.msg), "`*` stands for any text")
    })?;
    let owner =
        args.owner.clone().or_else(|| config.owners.get(&check.axis).cloned()).ok_or_else(|| nobody(check.axis))?;
    let progress = ui.progress();
    let mut facts = match &args.facts {
        None => source::gather(&args.source, &args.folder, &config, source::Rows::All, &*progress).await?,
        Some(path) => Facts::open(path).await?,
    };
    let only = library.select(std::slice::from_ref(&args.check))?;
    let assessment = diagnose::judge(&mut facts, &only, &config, &*progress).await?;
    progress.end();
    let findings: Vec<&Finding> =
        assessment.findings().into_iter().chain(assessment.pardoned()).map(|(_, finding)| finding).collect();
    let meant = |finding: &&&Finding| {
        let object = finding.object.to_string();
        object == args.object || pattern.matches_with(&object, MatchOptions::new())
    };
    let states: BTreeSet<String> = findings.iter().filter(meant).map(|finding| finding.state.clone()).collect();
    if states.is_empty() {
        return Err(nothing(args, &findings));
    }
    let accepted = Accepted {
        check: args.check.clone(),
        object: args.object.clone(),
        reason: args.reason.clone(),
        owner,
        until: args.until.unwrap_or_else(|| today().saturating_add(DAYS.days())),
        states: states.into_iter().collect(),
    };
    let path = global.config.clone().unwrap_or_else(|| FILE.into());
    let shown = path.display().to_string();
    let unreadable = |cause| Stop::Unreadable { path: shown.clone(), cause };
    let text = if path.exists() { fs::read_to_string(&path).map_err(unreadable)? } else { String::new() };
    let new = accepted.put_into(&shown, &text)?;
    if args.print {
        ui.data(|out| clean_lines(&accepted.lines(2)).try_for_each(|line| writeln!(out, "{line}")))?;
        return Ok(Exit::Clean);
    }
    fs::write(&path, new).map_err(|cause| Stop::Unwritten { what: shown.clone(), cause, audited: true })?;
    let many = accepted.states.len();
    let what = if many == 1 { "1 finding".to_owned() } else { format!("{many} findings") };
    ui.status(&format!("Wrote {shown}: {what} accepted until {}, as long as nothing about it changes", accepted.until));
    Ok(Exit::Clean)
}

fn nobody(axis: Axis) -> Stop {
    Stop::usage(format!("nobody is named who answers for {axis}"), "--owner NAME, or `owners` in govctl.yaml")
}

/// What the check found instead.
fn nothing(args: &Args, findings: &[&Finding]) -> Stop {
    let objects: BTreeSet<String> = findings.iter().map(|finding| finding.object.to_string()).collect();
    let found = match objects.len() {
        0 => "it found nothing: there is nothing to accept".to_owned(),
        n => {
            let shown = objects.into_iter().take(5).collect::<Vec<_>>().join(", ");
            format!("it found {shown}{}", if n > 5 { format!(" and {} more", n - 5) } else { String::new() })
        }
    };
    Stop::usage(format!("{} found nothing about {}", args.check, args.object), found)
}
