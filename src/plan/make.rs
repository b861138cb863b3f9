//! A plan, made in rounds: what the facts ask for is run on a copy, and what the copy then asks for is added.

use super::prove;
use super::structures;
use super::{Draft, Goal, Plan, Unproved};
use crate::assess;
use crate::error::Stop;
use crate::facts::{Facts, derive};
use crate::target::scratch::{Choice, Kind, Scratch};
use crate::ui::progress::Progress;
use std::fmt;

/// A fix may show what it hid; five times over is a plan that goes in circles.
const MOST_ROUNDS: usize = 5;

/// Scratch servers, one after the other where one serves only once.
pub struct Bench {
    choice: Choice,
    current: Option<Scratch>,
}

impl fmt::Debug for Bench {
    /// The choice may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bench").field(&self.current).finish()
    }
}

impl Bench {
    /// Nothing is started yet.
    pub fn new(choice: Choice) -> Self {
        Self { choice, current: None }
    }

    /// A server with nothing on it that would be in the way.
    pub async fn server(&mut self) -> Result<&Scratch, Stop> {
        if let Some(used) = self.current.take_if(|scratch| scratch.kind() == Kind::Embedded) {
            used.stop().await;
        }
        match &mut self.current {
            Some(scratch) => Ok(scratch),
            none => Ok(none.insert(Scratch::start(self.choice.clone()).await?)),
        }
    }

    /// Stops what runs.
    pub async fn close(self) {
        if let Some(scratch) = self.current {
            scratch.stop().await;
        }
    }
}

/// Makes a plan from derived facts; with a bench in rounds, and proved.
pub async fn make(
    goal: Goal<'_>,
    facts: &mut Facts,
    bench: Option<&mut Bench>,
    progress: &dyn Progress,
) -> Result<Plan, Stop> {
    progress.begin("Planning", None);
    let first = match structures::schema_a_tenant(facts, goal.config).await? {
        None => structures::endless(facts).await?,
        Some((question, open)) => Some((question, vec![open])),
    };
    if let Some((question, open)) = first {
        let from = assess::run(facts, goal.library, goal.config).await?.stage.evidenced.unwrap_or(1);
        return Ok(Plan { from, to: goal.stage, questions: vec![question], open, ..Plan::default() });
    }
    let mut config = goal.config.clone();
    config.tenancy.table = structures::referred_to(facts, goal.config).await?.or(config.tenancy.table);
    // That it was taken by its name is a default, and asked.
    let taken = config.tenancy.table != goal.config.tenancy.table;
    if taken {
        derive::derive_anew(facts, &config).await?;
    }
    let mut plan = in_rounds(Goal { config: &config, ..goal }, facts, bench, progress).await?;
    plan.questions.iter_mut().filter(|it| taken && it.id == "tenant-table").for_each(|it| it.answered = false);
    Ok(plan)
}

async fn in_rounds(
    goal: Goal<'_>,
    facts: &mut Facts,
    bench: Option<&mut Bench>,
    progress: &dyn Progress,
) -> Result<Plan, Stop> {
    let mut draft = Draft::new(goal, bench.is_some());
    draft.look(facts).await?;
    let unknown = unknown(facts).await?;
    let Some(bench) = bench else {
        let mut plan = draft.plan(facts).await?;
        plan.notes.extend(unknown);
        plan.notes.push(
            "Not run on a copy: what one migration brings to light, no other mends. Plan again once these have run."
                .into(),
        );
        return Ok(plan);
    };
    for _ in 0..MOST_ROUNDS {
        let steps = draft.steps(facts).await?;
        if steps.is_empty() {
            break;
        }
        let mut after = prove::after(&steps, facts, goal.config, bench.server().await?, progress).await?;
        progress.begin("Planning", None);
        if after.failed.is_some() || !draft.look(&mut after.facts).await? {
            break;
        }
    }
    let mut plan = draft.plan(facts).await?;
    if !plan.steps.is_empty() {
        let proof = prove::prove(&plan, facts, goal.config, goal.library, bench.server().await?, progress).await?;
        // What one migration closes on the way to something else needs nobody's decision.
        if proof.stage.is_some() {
            let left =
                |one: &Unproved| proof.remaining.iter().any(|it| (&it.check, &it.object) == (&one.check, &one.object));
            plan.open.retain(left);
        }
        plan.proof = Some(proof);
    }
    plan.notes.extend(unknown);
    Ok(plan)
}

/// What a plan does not know of, it leaves as it is.
async fn unknown(facts: &mut Facts) -> Result<Option<String>, Stop> {
    let sql = "select why, needs from unseen where area in ('relations', 'columns', 'policies') limit 1";
    let row: Option<(String, Option<String>)> = sqlx::query_as(sql).fetch_optional(facts.connection()).await?;
    Ok(row.map(|(why, needs)| {
        let needs = needs.map_or_else(String::new, |needs| format!("; to plan for all of it: {needs}"));
        format!("This plan is for a part of the schema: {why}{needs}.")
    }))
}
