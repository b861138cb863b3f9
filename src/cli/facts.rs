//! `govctl facts`: what the checks would know, without running any.

use super::Global;
use super::source::{self, Source};
use crate::check::needs;
use crate::config::Config;
use crate::error::Stop;
use crate::exit::Exit;
use crate::facts::{Facts, SCHEMA};
use crate::report;
use crate::ui::clean::clean;
use crate::ui::table::{self, Cell};
use crate::ui::wrap::wrap;
use crate::ui::{Tone, Ui};
use serde::Serialize;
use sqlx::AssertSqlSafe;
use std::fmt::Write;
use std::path::PathBuf;

/// Collect the facts of a database: save them, or say what there is
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    /// Write the facts to a file that `govctl diagnose --facts` takes
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Read no rows of any table
    #[arg(long)]
    no_data: bool,
    /// Print the schema of the facts, which checks are written against; contacts nothing
    #[arg(long, conflicts_with_all = ["argument", "url", "out"])]
    schema: bool,
}

/// What there is.
#[derive(Serialize)]
struct Summary {
    schema: &'static str,
    database: String,
    server_version: String,
    role: String,
    rows: Vec<Rows>,
    unseen: Vec<Unseen>,
}

#[derive(Serialize)]
struct Rows {
    table: &'static str,
    rows: i64,
}

#[derive(Serialize, sqlx::FromRow)]
struct Unseen {
    area: String,
    object: Option<String>,
    why: String,
    needs: String,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    let json = global.json("facts")?;
    if args.schema {
        ui.data(|out| out.write_all(SCHEMA.as_bytes()))?;
        return Ok(Exit::Clean);
    }
    let config = Config::find(global.config.as_deref())?;
    let progress = ui.progress();
    let mut facts =
        source::collect(args.source.options()?, &config, source::Rows::unless(args.no_data), &*progress).await?;
    progress.end();
    if let Some(path) = &args.out {
        facts.save(path).await?;
        ui.status(&format!("Wrote {}", path.display()));
    }
    let summary = summary(&mut facts).await?;
    ui.data(|out| match json {
        true => report::write_json(&summary, out),
        false if args.out.is_some() && summary.unseen.is_empty() => Ok(()),
        false => out.write_all(screen(&summary, ui).as_bytes()),
    })?;
    Ok(Exit::Clean)
}

async fn summary(facts: &mut Facts) -> Result<Summary, Stop> {
    let (database, server_version, role) =
        sqlx::query_as("select database, server_version, role from target").fetch_one(facts.connection()).await?;
    let unseen = sqlx::query_as("select area, object, why, needs from unseen order by area, object")
        .fetch_all(facts.connection())
        .await?;
    let mut rows = Vec::new();
    for table in needs::tables().filter(|table| !table.derived && !matches!(table.name, "target" | "unseen")) {
        // AssertSqlSafe: the name is one of our own schema.
        let count = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {}", table.name)));
        rows.push(Rows { table: table.name, rows: count.fetch_one(facts.connection()).await? });
    }
    Ok(Summary { schema: "govctl.facts-summary/1", database, server_version, role, rows, unseen })
}

fn screen(summary: &Summary, ui: &Ui) -> String {
    let look = &ui.out;
    let version = summary.server_version.split_whitespace().next().unwrap_or_default();
    let line = format!("on PostgreSQL {}, as {}", clean(version), clean(&summary.role));
    let mut text = wrap(&line, &format!("{} ", look.paint(Tone::Strong, clean(&summary.database))), look.width);
    text.push('\n');
    let filled = summary.rows.iter().filter(|table| table.rows > 0);
    let rows = filled.map(|table| vec![Cell::text(table.table), Cell::number(table.rows)]).collect();
    let head = vec![Cell::text("Facts").tone(Tone::Strong), Cell::number("Rows").tone(Tone::Strong)];
    text.push_str(&table::draw(look, head, rows, None));
    let empty: Vec<_> = summary.rows.iter().filter(|table| table.rows == 0).map(|table| table.table).collect();
    if !empty.is_empty() {
        text.push('\n');
        text.push_str(&wrap(&format!("Without rows: {}", empty.join(", ")), "", look.width));
    }
    text.push('\n');
    if summary.unseen.is_empty() {
        text.push_str("Nothing was hidden from this role.\n");
    } else {
        text.push_str("Hidden from this role, and what would show it:\n");
    }
    for unseen in &summary.unseen {
        let object = unseen.object.as_deref().map(|object| format!(" {}", clean(object))).unwrap_or_default();
        let mark = look.paint(Tone::Doubt, "?");
        text.push_str(&wrap(
            &format!("{}{object}: {}", unseen.area, clean(&unseen.why)),
            &format!(" {mark}  "),
            look.width,
        ));
        let _ = writeln!(text, "    {}", look.paint(Tone::Action, clean(&unseen.needs)));
    }
    text
}
