//! How mature the database is: what is declared, what the migrations record, and what holds. Three numbers, never mixed.

use super::ladder::Ladder;
use super::{Answer, Cause};
use crate::check::needs;
use crate::error::Stop;
use crate::facts::Facts;
use crate::yaml::{Node, Reader};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;

/// One stage of the ladder, as `checks/ladder.yaml` has it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) stage: u8,
    /// What opens it.
    pub(super) opens: String,
    pub(super) criteria: Vec<Wanted>,
}

/// What has to hold.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    name: String,
    sql: String,
    /// Rows are the evidence; else they are what is in the way.
    shows: bool,
}

/// A criterion, held against the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// Of which stage.
    pub stage: u8,
    /// What has to hold.
    pub name: String,
    /// Whether it does; none where it could not be looked at.
    pub holds: Option<bool>,
    /// Sentences that show it, or what is in the way, or what was hidden.
    pub evidence: Vec<String>,
}

/// A transition as the facts have it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Moment {
    /// 2 to 5.
    pub stage: u8,
    /// As the tool spells it.
    pub version: String,
    /// As typed, then the file.
    pub path: String,
    /// Of the statement, from 1.
    pub line: i64,
    /// RFC 3339.
    pub date: Option<String>,
    /// What says so.
    pub date_source: Option<String>,
    /// The table that completed it.
    pub object: String,
}

/// The first actor in an event log that is no person, where no migration says when agents began to act.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FirstActor {
    /// `schema.table`.
    pub object: String,
    /// `agent` or `machine`.
    pub kind: String,
    /// RFC 3339.
    pub date: String,
    /// Every row was looked at.
    pub whole: bool,
}

/// A guard that was taken away.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Regression {
    /// As in the facts.
    pub kind: String,
    /// `schema.table`, or a role.
    pub object: String,
    /// As typed, then the file.
    pub path: String,
    /// Of the statement, from 1.
    pub line: i64,
    /// RFC 3339.
    pub date: Option<String>,
}

/// A tenant key that stood without its policy.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Gap {
    /// `schema.table`.
    pub object: String,
    /// Where the key came in.
    pub key_path: String,
    /// Of the statement, from 1.
    pub key_line: i64,
    /// Where the policy came in.
    pub isolated_path: Option<String>,
    /// Of the statement, from 1.
    pub isolated_line: Option<i64>,
    /// Migrations between the two, or up to the last.
    pub migrations: i64,
}

/// A place in the migrations that says nothing here: it cannot be read, or is only known when it runs.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Unread {
    /// `unreadable` or `dynamic`.
    pub kind: String,
    /// As typed, then the file.
    pub path: String,
    /// From 1.
    pub line: i64,
    /// Why, or what stands there.
    pub detail: String,
}

/// Everything there is to say about the ladder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// What govctl.yaml says.
    pub declared: Option<u8>,
    /// The highest stage a migration completed; none where no folder was read, or it does not say.
    pub history: Option<u8>,
    /// The highest stage whose criteria hold, with all below; none where no database was looked at.
    pub evidenced: Option<u8>,
    /// The stage after that.
    pub next: Option<u8>,
    /// What opens that stage.
    pub next_opens: Option<String>,
    /// The tool the folder of migrations was recognised by; none where no folder was read.
    pub tool: Option<String>,
    /// Migrations read.
    pub migrations: i64,
    /// By stage.
    pub transitions: Vec<Moment>,
    /// By stage.
    pub criteria: Vec<Criterion>,
    /// In the order of the migrations.
    pub regressions: Vec<Regression>,
    /// By table.
    pub gaps: Vec<Gap>,
    /// In the order of the migrations.
    pub unread: Vec<Unread>,
    /// Where no migration completes stage 4.
    pub first_actor: Option<FirstActor>,
    /// Remarks: entered out of order, a cap, a schema for each tenant.
    pub notes: Vec<String>,
}

/// Reads `stages` of the ladder.
pub(super) fn read(reader: &Reader, node: &Node) -> Option<Vec<Step>> {
    let stages = reader.fields(node, "`stages`", &["1", "2", "3", "4", "5"])?;
    let step = |stage: u8| {
        let fields = reader.fields(stages.required(&stage.to_string())?, "a stage", &["name", "opens", "criteria"])?;
        let opens = reader.text(fields.required("opens")?)?;
        reader.text(fields.required("name")?)?;
        let criteria = reader.list(fields.required("criteria")?)?.iter().map(|node| wanted(reader, node));
        Some(Step { stage, opens, criteria: criteria.collect::<Option<_>>()? })
    };
    (1..=5).map(step).collect()
}

fn wanted(reader: &Reader, node: &Node) -> Option<Wanted> {
    let fields = reader.fields(node, "a criterion", &["name", "shows", "lacks"])?;
    let name = reader.text(fields.required("name")?)?;
    let (shows, sql) = match fields.optional("shows") {
        Some(sql) => (true, sql),
        None => (false, fields.required("lacks")?),
    };
    Some(Wanted { name, sql: reader.text(sql)?, shows })
}

impl Stage {
    /// From facts that were collected, derived and judged. A "no" on audit caps the evidenced stage at 3.
    pub(super) async fn read(
        facts: &mut Facts,
        ladder: &Ladder,
        declared: Option<u8>,
        audit: Option<Answer>,
        hidden: &dyn Fn(&BTreeSet<&'static str>) -> Vec<Cause>,
    ) -> Result<Self, Stop> {
        let mut stage = Self::recorded(facts, declared).await?;
        stage.first_actor(facts).await?;
        let mut reached = 1;
        for step in &ladder.stages {
            let mut all = true;
            for wanted in &step.criteria {
                let criterion = hold(step.stage, wanted, facts, hidden).await?;
                all &= criterion.holds == Some(true);
                stage.criteria.push(criterion);
            }
            if all && step.stage == reached + 1 {
                reached = step.stage;
            }
        }
        if reached > 3 && audit == Some(Answer::No) {
            reached = 3;
            stage.notes.push("the answer on audit is no, which caps the evidenced stage at 3".to_owned());
        }
        stage.evidenced = Some(reached);
        stage.next = (reached < 5).then_some(reached + 1);
        stage.next_opens =
            ladder.stages.iter().find(|step| Some(step.stage) == stage.next).map(|step| step.opens.clone());
        Ok(stage)
    }

    /// What the migrations record, without a look at any database.
    pub async fn recorded(facts: &mut Facts, declared: Option<u8>) -> Result<Self, Stop> {
        let connection = facts.connection();
        let transitions: Vec<Moment> = sqlx::query_as(
            "select stage, version, path, line, date, date_source, object from transitions order by stage",
        )
        .fetch_all(&mut *connection)
        .await?;
        let regressions = sqlx::query_as(
            "select kind, case when schema is null then name else schema || '.' || name end as object, path, line, date
             from regressions order by path, line",
        )
        .fetch_all(&mut *connection)
        .await?;
        let gaps = sqlx::query_as(
            "select schema || '.' || name as object, key_path, key_line, isolated_path, isolated_line, migrations
             from isolation_gaps order by schema, name",
        )
        .fetch_all(&mut *connection)
        .await?;
        let unread = sqlx::query_as(
            "select f.kind, f.path, f.line, f.detail from migration_faults f
             left join migrations m on m.path = f.path
             where f.kind in ('unreadable', 'dynamic') and f.line is not null order by m.position, f.line",
        )
        .fetch_all(&mut *connection)
        .await?;
        let (read, tool): (i64, Option<String>) =
            sqlx::query_as("select count(*), max(tool) from migrations").fetch_one(&mut *connection).await?;
        let notes = sqlx::query_scalar("select remark from remarks where topic in ('stage', 'history')")
            .fetch_all(&mut *connection)
            .await?;
        let history = transitions.iter().map(|moment| moment.stage).max().or((read > 0).then_some(1));
        let mut stage = Self { declared, history, tool, migrations: read, ..Self::default() };
        stage = Self { transitions, regressions, gaps, unread, notes, ..stage };
        stage.order();
        Ok(stage)
    }

    /// Where no migration records stage 4, the audit log is next: its first actor that is no person.
    async fn first_actor(&mut self, facts: &mut Facts) -> Result<(), Stop> {
        if self.transitions.iter().any(|moment| moment.stage == 4) {
            return Ok(());
        }
        let sql = "select r.schema || '.' || r.name as object, f.kind, f.first_at as date, f.whole = 1 as whole
            from first_actors f join event_logs l on l.relation = f.relation join relations r on r.oid = f.relation
            where f.kind in ('agent', 'machine') and l.purpose in ('audit', 'tool calls')
            order by f.kind, f.first_at, object limit 1";
        self.first_actor = sqlx::query_as(sql).fetch_optional(facts.connection()).await?;
        if let Some(FirstActor { object, kind, date, whole }) = &self.first_actor {
            let who = if kind == "agent" { "an agent" } else { "a machine; none names an agent" };
            let day = date.split('T').next().unwrap_or(date);
            let part = if *whole { "" } else { ", of those that were looked at" };
            self.notes.push(format!(
                "no migration records stage 4; by the audit log, the first row of {object} whose actor is no person is of {day} ({who}{part})"
            ));
        }
        Ok(())
    }

    /// The ladder is the typical order, not a guarantee: what came out of order is said, not held against anybody.
    fn order(&mut self) {
        let stages: BTreeSet<u8> = self.transitions.iter().map(|moment| moment.stage).collect();
        let missing: Vec<_> = (2..self.history.unwrap_or(1)).filter(|stage| !stages.contains(stage)).collect();
        if let (false, Some(history)) = (missing.is_empty(), self.history) {
            let missing: Vec<_> = missing.iter().map(u8::to_string).collect();
            let line = format!(
                "entered mid-ladder: stage {history} is recorded, and no migration completes stage {}",
                missing.join(" or ")
            );
            self.notes.push(line);
        }
        for pair in self.transitions.windows(2) {
            if pair[0].date.is_some() && pair[1].date < pair[0].date {
                self.notes.push(format!(
                    "out of order: stage {} was completed before stage {}",
                    pair[1].stage, pair[0].stage
                ));
            }
        }
    }

    /// Every stage up to this one: evidenced where a database was looked at, else recorded and not undone.
    pub fn is_at_least(&self, wanted: u8) -> bool {
        match self.evidenced {
            Some(evidenced) => evidenced >= wanted,
            None => {
                let recorded = |stage| self.transitions.iter().any(|moment| moment.stage == stage);
                (2..=wanted).all(recorded) && (wanted < 2 || self.regressions.is_empty())
            }
        }
    }
}

async fn hold(
    stage: u8,
    wanted: &Wanted,
    facts: &mut Facts,
    hidden: &dyn Fn(&BTreeSet<&'static str>) -> Vec<Cause>,
) -> Result<Criterion, Stop> {
    // AssertSqlSafe: a query of govctl's own ladder.
    let query = sqlx::query_scalar(AssertSqlSafe(wanted.sql.clone()));
    let rows: Vec<String> = query.fetch_all(facts.connection()).await?;
    let causes = hidden(&needs::of(&wanted.sql));
    // What shows something stands whatever was hidden; silence counts only where everything was seen.
    let holds = match (wanted.shows, rows.is_empty()) {
        (true, false) => Some(true),
        (false, false) => Some(false),
        (shows, true) => causes.is_empty().then_some(!shows),
    };
    let evidence = match holds {
        None => causes.into_iter().map(|cause| format!("{}; needs {}", cause.what, cause.needs)).collect(),
        Some(_) => rows,
    };
    Ok(Criterion { stage, name: wanted.name.clone(), holds, evidence })
}
