//! `govctl matrix`: who may do what to which relation, and whose rows they then see.

mod read;
mod screen;

use super::Global;
use super::source::{self, Source};
use crate::config::Config;
use crate::error::Stop;
use crate::exit::Exit;
use crate::facts::{Facts, derive};
use crate::report;
use crate::ui::Ui;
use glob::Pattern;
use std::path::PathBuf;

/// Show who may do what: login by relation by command, and whose rows row-level security then lets through
///
/// Reads no rows. Rights that a login has only by SET ROLE stand on a line of their own, with the way to them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    /// A facts file saved earlier instead of a database
    #[arg(long, value_name = "FILE", conflicts_with_all = ["argument", "url"])]
    facts: Option<PathBuf>,
    /// Only logins whose name matches; repeatable
    #[arg(long, value_name = "GLOB")]
    role: Vec<String>,
    /// Only relations whose schema.name matches; repeatable
    #[arg(long, value_name = "GLOB")]
    relation: Vec<String>,
    /// Only agents
    #[arg(long)]
    agents: bool,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    let json = global.json("matrix")?;
    let config = Config::find(global.config.as_deref())?;
    let (roles, relations) = (globs(&args.role)?, globs(&args.relation)?);
    let options = if args.facts.is_none() { Some(args.source.options()?) } else { None };
    let progress = ui.progress();
    let mut facts = match (&args.facts, options) {
        (None, Some(options)) => source::collect(options, &config, source::Rows::None, &*progress).await?,
        (path, _) => Facts::open(path.as_deref().unwrap_or_else(|| "".as_ref())).await?,
    };
    progress.begin("Working out who reaches what", None);
    derive::derive(&mut facts, &config).await?;
    let mut matrix = read::matrix(&mut facts).await?;
    progress.end();
    let any = |patterns: &[Pattern], name: &str| patterns.is_empty() || patterns.iter().any(|p| p.matches(name));
    matrix.principals.retain(|p| any(&roles, &p.role) && (!args.agents || p.purpose == "agent"));
    for principal in &mut matrix.principals {
        principal.relations.retain(|r| any(&relations, &format!("{}.{}", r.schema, r.name)));
    }
    ui.data(|out| {
        if json { report::write_json(&matrix, out) } else { out.write_all(screen::draw(&matrix, &ui.out).as_bytes()) }
    })?;
    Ok(Exit::Clean)
}

fn globs(texts: &[String]) -> Result<Vec<Pattern>, Stop> {
    let pattern = |text: &String| {
        Pattern::new(text).map_err(|error| Stop::usage(format!("`{text}` is no glob: {}", error.msg), "quote it"))
    };
    texts.iter().map(pattern).collect()
}
