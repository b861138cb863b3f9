//! Where the facts of a run come from: a database or a file.

use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::facts::collect::{self, Wanted};
use crate::history::{self, History};
use crate::secrets;
use crate::target::scratch::Choice;
use crate::target::url::{DatabaseUrl, UrlError};
use crate::target::{Session, replay};
use crate::ui::progress::Progress;
use sqlx::postgres::PgConnectOptions;
use std::path::PathBuf;

/// Which database.
#[derive(Debug, clap::Args)]
pub(super) struct Source {
    /// postgres://user@host/dbname, or libpq keywords: "host=... dbname=..."
    ///
    /// Without it --url, DATABASE_URL and the PG* variables are asked, in this order. What they leave open comes from
    /// the PG* variables and ~/.pgpass.
    #[arg(value_name = "URL")]
    argument: Option<String>,
    /// The same as an option
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

impl Source {
    /// Nothing names a database.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.options(), Err(Stop::Url(UrlError::Missing)))
    }

    /// How to connect. Nothing is contacted.
    pub(super) fn options(&self) -> Result<PgConnectOptions, Stop> {
        let variable = |name: &str| std::env::var(name).ok();
        let url = DatabaseUrl::find(self.argument.as_deref(), self.url.as_deref(), variable)?;
        // The driver's words might repeat what it was given.
        url.options().map_err(|_| Stop::usage("the connection settings do not fit together", "give them as one URL"))
    }
}

/// A folder of migrations.
#[derive(Debug, clap::Args)]
pub(super) struct Folder {
    /// The folder of the migrations: what brought what in, and since when; without a database, replayed on a scratch one
    #[arg(long, value_name = "DIR")]
    pub(super) migrations: Option<PathBuf>,
    /// The migration tool, where the folder does not say it
    #[arg(long, value_name = "NAME", requires = "migrations", value_parser = tool)]
    pub(super) tool: Option<String>,
}

impl Folder {
    /// Reads it, where one was named.
    pub(super) fn read(&self) -> Result<Option<History>, Stop> {
        self.migrations.as_deref().map(|folder| History::read(folder, self.tool.as_deref())).transpose()
    }
}

/// One of the names `--tool` takes.
pub(super) fn tool(name: &str) -> Result<String, String> {
    if history::is_tool(name) {
        return Ok(name.to_owned());
    }
    let mut known: Vec<_> = history::tool_names().collect();
    known.sort_unstable();
    Err(format!("there is {}", known.join(", ")))
}

/// Which rows may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// None.
    None,
    /// The first of the logs, for who acted in them.
    Logs,
    /// A sample of every table as well.
    All,
}

impl Rows {
    pub(super) const fn unless(no_data: bool) -> Self {
        if no_data { Self::None } else { Self::All }
    }
}

/// Facts of a database, of a folder of migrations, or of both.
pub(super) async fn gather(
    source: &Source,
    folder: &Folder,
    config: &Config,
    rows: Rows,
    progress: &dyn Progress,
) -> Result<Facts, Stop> {
    let options = match source.options() {
        Err(Stop::Url(UrlError::Missing)) if folder.migrations.is_some() => None,
        options => Some(options?),
    };
    progress.begin("Reading the migrations", None);
    let Some(mut history) = folder.read()? else {
        let options = options.ok_or(UrlError::Missing)?;
        let mut facts = collect(options, config, rows, progress).await?;
        history::facts::absent(&mut facts).await?;
        return Ok(facts);
    };
    let wanted = || Wanted { rows: false, actors: false, rules: config.secrets.rules() };
    let Some(options) = options else {
        progress.begin("Replaying the migrations", None);
        let mut facts = replay::facts(&history, Choice::Auto { scratch_url: None }, wanted()).await?;
        history.write(&mut facts, config.secrets.rules()).await?;
        history::facts::no_comparison(&mut facts).await?;
        return Ok(facts);
    };
    progress.begin("Reading the history table", None);
    history.compare(options.clone()).await?;
    let mut facts = collect(options, config, rows, progress).await?;
    history.write(&mut facts, config.secrets.rules()).await?;
    progress.begin("Replaying the migrations", None);
    let replayed = replay::facts(&history, Choice::Auto { scratch_url: None }, wanted()).await;
    history::facts::compare(&mut facts, replayed).await?;
    Ok(facts)
}

/// Reads what the catalogs say and a sample of rows, in one read-only transaction.
pub(super) async fn collect(
    options: PgConnectOptions,
    config: &Config,
    rows: Rows,
    progress: &dyn Progress,
) -> Result<Facts, Stop> {
    progress.begin("Connecting", None);
    // What looks for secrets is made ready, and the store, while the server answers.
    std::thread::spawn(secrets::Rules::own);
    let (session, facts) = tokio::join!(Session::open(options), Facts::empty());
    let (mut session, mut facts) = (session?, facts?);
    progress.begin(if rows == Rows::All { "Reading the catalogs and some rows" } else { "Reading the catalogs" }, None);
    let wanted = Wanted { rows: rows == Rows::All, actors: rows != Rows::None, rules: config.secrets.rules() };
    let mut beside = if session.is_large { session.beside().await? } else { None };
    let second = beside.as_mut().map(Session::connection);
    let collected = collect::collect_wanted(session.connection(), second, &mut facts, wanted).await;
    let close_beside = async {
        if let Some(beside) = beside {
            beside.close().await;
        }
    };
    tokio::join!(session.close(), close_beside);
    collected.map(|()| facts)
}
