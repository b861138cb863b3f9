//! Where the facts of a run come from: a database or a file.

use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::facts::collect::{self, Wanted};
use crate::target::Session;
use crate::target::url::DatabaseUrl;
use crate::ui::progress::Progress;
use sqlx::postgres::PgConnectOptions;

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
    /// How to connect. Nothing is contacted.
    pub(super) fn options(&self) -> Result<PgConnectOptions, Stop> {
        let variable = |name: &str| std::env::var(name).ok();
        let url = DatabaseUrl::find(self.argument.as_deref(), self.url.as_deref(), variable)?;
        // The driver's words might repeat what it was given.
        url.options().map_err(|_| Stop::usage("the connection settings do not fit together", "give them as one URL"))
    }
}

/// Reads what the catalogs say and a sample of rows, in one read-only transaction.
pub(super) async fn collect(
    options: PgConnectOptions,
    config: &Config,
    rows: bool,
    progress: &dyn Progress,
) -> Result<Facts, Stop> {
    progress.begin("Connecting", None);
    let mut session = Session::open(options).await?;
    progress.begin(if rows { "Reading the catalogs and some rows" } else { "Reading the catalogs" }, None);
    let mut facts = Facts::empty().await?;
    let wanted = Wanted { rows, rules: config.secrets.rules() };
    let collected = collect::collect_wanted(session.connection(), &mut facts, wanted).await;
    session.close().await;
    collected.map(|()| facts)
}
