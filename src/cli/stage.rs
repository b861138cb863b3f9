//! `govctl stage`: how mature, since when, and by which line.

use super::Global;
use crate::error::Stop;
use crate::exit::Exit;
use crate::history::History;
use crate::ui::Ui;
use std::path::PathBuf;

/// How mature the database is, since when, and why
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of its migrations
    #[arg(long, value_name = "DIR")]
    migrations: Option<PathBuf>,
    /// The migration tool, where the folder does not say it
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
}

pub(super) async fn run(args: &Args, _global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    let history = History::read(args.migrations.as_deref().unwrap_or_else(|| ".".as_ref()), args.tool.as_deref())?;
    let mut text = format!("{}: {} migrations\n", history.tool, history.migrations.len());
    for t in history.transitions() {
        text += &format!("stage {} {}:{} {} {:?} {:?}\n", t.stage, t.line.path, t.line.line, t.object, t.line.date, t.line.date_source);
    }
    for t in history.regressions() {
        text += &format!("regression {} {} {}:{}\n", t.kind, t.object, t.line.path, t.line.line);
    }
    text += &format!("{} gaps, {} dynamic, {} unreadable, schema per tenant {:?}\n", history.gaps().len(), history.dynamic().len(), history.unreadable().len(), history.schema_per_tenant());
    for u in history.unreadable().iter().take(5) { text += &format!("  unreadable {}:{} {}\n", u.line.path, u.line.line, u.why); }
    for u in history.dynamic().iter().take(5) { text += &format!("  dynamic {}:{} {}\n", u.line.path, u.line.line, u.why.chars().take(100).collect::<String>()); }
    for u in history.gaps().iter().take(3) { text += &format!("  gap {} {}:{} {:?}\n", u.table, u.key.path, u.key.line, u.isolated.as_ref().map(|l| (&l.path, l.line))); }
    ui.data(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Clean)
}
