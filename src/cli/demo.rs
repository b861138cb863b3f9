//! `govctl demo`: the whole tour on a database of its own.

use super::Global;
use super::diagnose::{self, judge};
use super::outputs::Outputs;
use super::source::{Rows, collect};
use crate::assess::{Assessment, Finding};
use crate::check::{Check, Library};
use crate::config::Config;
use crate::error::Stop;
use crate::exit::Exit;
use crate::facts::{Facts, derive};
use crate::plan::{self, Bench, Goal};
use crate::report::{self, Format};
use crate::target::scratch::{Choice, Kind, Scratch};
use crate::ui::clean::{clean, clean_lines};
use crate::ui::progress::Progress;
use crate::ui::wrap::wrap;
use crate::ui::{Tone, Ui};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::fmt::Write;

/// Take the tour: an audit of a made-up product on a PostgreSQL that govctl brings along
///
/// Nothing of yours is contacted and nothing stays behind. Ends with 0 whatever it finds: the findings are nobody's.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Every object, where otherwise five of each check are shown
    #[arg(long)]
    all: bool,
}

/// Run in this order by a superuser of an empty server.
const DATABASE: [&str; 4] = [
    include_str!("../../fixtures/demo/1_schema.sql"),
    include_str!("../../fixtures/demo/2_policies.sql"),
    include_str!("../../fixtures/demo/3_holes.sql"),
    include_str!("../../fixtures/demo/4_data.sql"),
];

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    let library = Library::embedded()?;
    let outputs = Outputs::open(&global.output)?;
    let progress = ui.progress();
    let choice = if cfg!(feature = "embedded") { Choice::Embedded } else { Choice::Auto { scratch_url: None } };
    let scratch = Scratch::start_telling(choice, |line| progress.begin(line, None)).await?;
    let tour = Tour { scratch, library, progress, ui };

    tour.progress.begin("Making the database", None);
    for file in DATABASE {
        tour.execute(file).await?;
    }
    let (mut facts, assessment) = tour.audit().await?;
    tour.progress.end();
    if global.format == Format::Human && !global.quiet {
        tour.database(&mut facts).await?;
        tour.heading(2, "What govctl finds")?;
    }
    diagnose::report(&assessment, args.all, outputs, global, ui)?;
    if global.format == Format::Human && !global.quiet {
        tour.way_out(&assessment).await?;
        tour.next_stage().await?;
        tour.yours()?;
    }
    tour.scratch.stop().await;
    Ok(Exit::Clean)
}

struct Tour<'a> {
    scratch: Scratch,
    library: Library,
    progress: Box<dyn Progress>,
    ui: &'a Ui,
}

impl Tour<'_> {
    /// Runs statements on the demo database, as its superuser.
    async fn execute(&self, sql: &str) -> Result<(), Stop> {
        let run = async {
            let mut connection = self.scratch.options().connect().await?;
            // AssertSqlSafe: our own files, and fixes of our own checks, on a server that is thrown away.
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await
        };
        run.await.map_err(|error: sqlx::Error| Stop::Facts {
            message: format!("the demo database refused a statement: {error}"),
            help: None,
        })
    }

    async fn audit(&self) -> Result<(Facts, Assessment), Stop> {
        let mut facts = collect(self.scratch.options().clone(), &Config::default(), Rows::All, &*self.progress).await?;
        let assessment = judge(&mut facts, &self.library, &Config::default(), &*self.progress).await?;
        Ok((facts, assessment))
    }

    async fn database(&self, facts: &mut Facts) -> Result<(), Stop> {
        let (tables, policies, logins): (i64, i64, i64) = sqlx::query_as(
            "select (select count(*) from relations where kind in ('table', 'partitioned table') and provenance = 'user'),
                    (select count(*) from policies),
                    (select count(*) from roles where login = 1 and provenance = 'user')",
        )
        .fetch_one(facts.connection())
        .await?;
        self.heading(1, "The database")?;
        let version = self.scratch.server_version();
        self.say(&wrap(
            &format!(
                "Northdesk is made up: a product whose AI agent answers its customers' support mail, many customers in one \
                 database. It runs on PostgreSQL {}, started by govctl for this tour: {tables} tables, {policies} \
                 policies, {logins} logins, one of them the agent's. Nothing of yours is contacted, and nothing stays behind.",
                clean(version.split_whitespace().next().unwrap_or(version))
            ),
            "",
            self.ui.out.width,
        ))
    }

    /// Applies the worst check's own fixes and looks again.
    async fn way_out(&self, before: &Assessment) -> Result<(), Stop> {
        let findings = before.findings();
        let Some((check, _)) = findings.iter().find(|(_, finding)| finding.fix.is_some()) else { return Ok(()) };
        let of_check = |(other, finding): &(&Check, &Finding)| (other.id == check.id).then(|| finding.fix.clone())?;
        let mut fixes: Vec<_> = findings.iter().filter_map(of_check).collect();
        fixes.dedup();
        for fix in &fixes {
            self.execute(fix).await?;
        }
        let (_, after) = self.audit().await?;
        self.progress.end();

        self.heading(3, "The way out, proved")?;
        let look = &self.ui.out;
        let mut text = wrap(
            &format!(
                "govctl only ever writes text. Here the database is its own, so it runs the fixes of {}:",
                check.id
            ),
            "",
            look.width,
        );
        for line in fixes.iter().flat_map(|fix| clean_lines(fix)) {
            let _ = writeln!(text, "  {}", look.paint(Tone::Action, line));
        }
        let (count, left) = (of(before, check), of(&after, check));
        let outcome = format!(
            "Asked again, that check has {left} findings where it had {count}; all checks together have {} where they had {}.",
            after.tally().fail,
            before.tally().fail
        );
        text.push_str(&wrap(&outcome, "", look.width));
        self.say(&text)
    }

    /// Plans the way to stage 2, tried on a copy of the schema.
    async fn next_stage(&self) -> Result<(), Stop> {
        let config = Config::default();
        let mut facts = collect(self.scratch.options().clone(), &config, Rows::All, &*self.progress).await?;
        derive::derive(&mut facts, &config).await?;
        let goal = Goal { stage: 2, config: &config, library: &self.library };
        let choice =
            if self.scratch.kind() == Kind::Embedded { Choice::Embedded } else { Choice::Auto { scratch_url: None } };
        let mut bench = Bench::new(choice);
        let plan = plan::make(goal, &mut facts, Some(&mut bench), &*self.progress).await;
        bench.close().await;
        let plan = plan?;
        self.progress.end();

        self.heading(4, "The next stage, planned and proved")?;
        let look = &self.ui.out;
        let known = "One fix is not a way. govctl plan-stage 2 puts them in an order that is safe on a busy database, adds what \
                     is missing, and tries it all on a copy of the schema with rows of two tenants:";
        let text = wrap(known, "", look.width);
        self.say(&format!("{text}\n{}\n{}", report::plan::steps(&plan, look), report::plan::proof(&plan, look)))
    }

    fn yours(&self) -> Result<(), Stop> {
        self.heading(5, "Yours")?;
        let command = self.ui.out.paint(Tone::Action, "govctl diagnose postgres://user@host/dbname");
        self.say(&format!(
            "An ordinary login is enough; what it cannot see is listed, with the grant that would show it.\n  {command}\n"
        ))
    }

    fn heading(&self, number: u8, title: &str) -> Result<(), Stop> {
        let space = if number == 1 { "" } else { "\n" };
        self.say(&format!("{space}{}\n\n", self.ui.out.paint(Tone::Strong, format!("{number}  {title}"))))
    }

    fn say(&self, text: &str) -> Result<(), Stop> {
        self.ui.data(|out| out.write_all(text.as_bytes()))
    }
}

fn of(it: &Assessment, check: &Check) -> usize {
    it.findings().iter().filter(|(other, _)| other.id == check.id).count()
}
