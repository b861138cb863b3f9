//! `govctl checks`: what can be found.

use super::Global;
use crate::check::{Axis, Library, Severity};
use crate::error::Stop;
use crate::exit::Exit;
use crate::report;
use crate::ui::clean::clean;
use crate::ui::table::{self, Cell};
use crate::ui::{Tone, Ui, theme};
use serde::Serialize;

/// List the checks
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only those whose id matches, e.g. 'tenant-isolation/*'; repeatable
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
}

/// `govctl.checks/1`, a contract: fields may be added.
#[derive(Serialize)]
struct Checks<'a> {
    schema: &'static str,
    checks: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    axis: Axis,
    stage: u8,
    severity: Severity,
    covers: &'a [String],
    title: &'a str,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    let json = global.json("checks")?;
    let library = Library::embedded()?.select(&args.only)?;
    ui.data(|out| {
        if json { report::write_json(&listed(&library), out) } else { out.write_all(screen(&library, ui).as_bytes()) }
    })?;
    Ok(Exit::Clean)
}

fn listed(library: &Library) -> Checks<'_> {
    let listed = library.iter().map(|check| Listed {
        id: &check.id.0,
        axis: check.axis,
        stage: check.stage,
        severity: check.severity,
        covers: &check.covers,
        title: &check.title,
    });
    Checks { schema: "govctl.checks/1", checks: listed.collect() }
}

fn screen(library: &Library, ui: &Ui) -> String {
    let head = ["Check", "Severity", "Stage", "Finds"];
    let rows = library.iter().map(|check| {
        vec![
            Cell::text(clean(&check.id.0)),
            Cell::text(check.severity).tone(theme::severity(check.severity)),
            Cell::number(check.stage),
            Cell::text(clean(&check.title)),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let (count, plural) = (rows.len(), if rows.len() == 1 { "" } else { "s" });
    let head = head.into_iter().map(|title| Cell::text(title).tone(Tone::Strong)).collect();
    let table = table::draw(&ui.out, head, rows, Some(3));
    format!("{table}\n{count} check{plural}. What one looks for, its SQL and its fix:\n  govctl explain CHECK\n")
}
