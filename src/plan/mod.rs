//! The way from an assessment to the next stage: migrations that a careful team would merge.
//!
//! ```text
//! findings ──► fixes ─┐
//! facts ─► structures ┴► changes ─► order ─► harden (safe on a live system, undo, lock) ─► steps ─► lint, write, prove
//! ```
//!
//! Nothing here speaks to the audited database.

mod batch;
mod before;
mod change;
mod ddl;
mod fixes;
mod guard;
mod harden;
pub mod lint;
mod make;
mod narrow;
mod order;
mod piece;
mod planned;
mod preflight;
pub mod prove;
mod step;
pub mod structures;
mod undo;
pub mod write;

pub use change::{Change, Closes, Phase, Question, Statement};
pub use make::{Bench, make};
pub use step::{Plan, Proof, Step, Unproved};

use crate::assess;
use crate::check::Library;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use before::Before;
use lint::Way;
use piece::Piece;
use planned::Planned;
use std::collections::BTreeSet;

/// What a plan is made for.
#[derive(Clone, Copy, Debug)]
pub struct Goal<'a> {
    /// 2 to 5.
    pub stage: u8,
    /// What the owner decided.
    pub config: &'a Config,
    /// What is to hold.
    pub library: &'a Library,
}

/// A plan that is being made: what one look at the facts asks for, and the next.
#[derive(Debug)]
pub struct Draft<'a> {
    goal: Goal<'a>,
    /// More than one look is had.
    in_rounds: bool,
    from: Option<u8>,
    pieces: Vec<Piece>,
    planned: Planned,
    questions: Vec<Question>,
    open: Vec<Unproved>,
    /// Statements that are planned already.
    known: BTreeSet<String>,
    /// Logs whose rows may be changed, at the first look.
    changeable: structures::Changeable,
    /// Logs whose own chain covers the payload, at the first look.
    sealed: BTreeSet<String>,
}

impl<'a> Draft<'a> {
    /// Nothing yet.
    pub fn new(goal: Goal<'a>, in_rounds: bool) -> Self {
        let (planned, known) = (Planned::default(), BTreeSet::new());
        Self {
            goal,
            in_rounds,
            from: None,
            pieces: Vec::new(),
            planned,
            questions: Vec::new(),
            open: Vec::new(),
            known,
            changeable: structures::Changeable::new(),
            sealed: BTreeSet::new(),
        }
    }

    /// Adds what derived facts ask for: those of the database, then those of a copy that has run the plan so far. False:
    /// nothing is added.
    pub async fn look(&mut self, facts: &mut Facts) -> Result<bool, Stop> {
        let it = assess::run(facts, self.goal.library, self.goal.config).await?;
        let first = self.from.is_none();
        self.from.get_or_insert(it.stage.evidenced.unwrap_or(1));
        if first {
            self.changeable = structures::changeable(facts).await?;
            self.sealed = structures::sealed(facts).await?;
            self.planned.bound = Before::new(facts).every_bound().await?;
        }
        let (mut fixes, asked, open) = fixes::fixes(&it, self.goal.stage);
        fixes::leave_to_keys(&mut fixes, &structures::to_be_keyed(facts).await?);
        let grows = |change: &Change| change.closes.iter().any(|it| it.check == "audit/incomplete-record");
        let logs_grow = self.in_rounds && fixes.iter().any(grows);
        let (mut changes, questions) = structures::missing(
            self.goal.stage,
            logs_grow,
            &self.changeable,
            &self.planned.bound,
            facts,
            self.goal.config,
        )
        .await?;
        self.ask(questions);
        if first {
            self.ask(structures::asked(facts, self.goal.config).await?.into_iter().collect());
        }
        changes.extend(fixes);
        let mut spared = structures::spare(&mut changes, facts).await?;
        spared.extend(structures::spared(&mut changes, facts, self.goal.config).await?);
        spared.extend(structures::unforced(&mut changes, facts).await?);
        spared.extend(harden::left::spare(&mut changes, facts).await?);
        if self.from >= Some(self.goal.stage) {
            spared.extend(harden::powers::spare(&mut changes, facts).await?);
        }
        spared.extend(structures::unsealed(&mut changes, &self.sealed));
        self.open.extend(spared.into_iter().filter(|_| first));
        structures::alter_first(&mut changes, facts).await?;
        narrow::reconcile(&mut changes);
        self.ask(asked);
        self.open.extend(open.into_iter().filter(|_| first));
        let mut before = Before::new(facts);
        if first {
            self.planned.names.extend(before.names().await?);
        }
        for change in &changes {
            self.planned.expect(change, &mut before).await?;
        }
        let mut added = false;
        for mut change in changes {
            let known = &mut self.known;
            if harden::is_whole(&change) {
                let text =
                    change.statements.iter().map(|statement| statement.up.as_str()).collect::<Vec<_>>().join(";");
                if !known.insert(text) {
                    continue;
                }
            } else {
                let new = narrow::units(change.statements).into_iter().filter(|unit| {
                    let text = unit.iter().map(|statement| statement.up.as_str()).collect::<Vec<_>>().join(";");
                    known.insert(text)
                });
                change.statements = new.flatten().collect();
            }
            if change.statements.is_empty() {
                continue;
            }
            let pieces = harden::harden(&change, &mut self.planned, &mut before).await?;
            added |= !pieces.is_empty();
            self.pieces.extend(pieces);
        }
        Ok(added)
    }

    fn ask(&mut self, questions: Vec<Question>) {
        for question in questions {
            if !self.questions.iter().any(|known| known.id == question.id && known.default == question.default) {
                self.questions.push(question);
            }
        }
    }

    /// What is planned so far, in the order in which it is run.
    pub async fn steps(&self, facts: &mut Facts) -> Result<Vec<Step>, Stop> {
        let mut steps = order::order(self.pieces.clone());
        let shared = &self.goal.config.plan.shared_rows;
        let mut uncertain = structures::uncertain(facts).await?;
        uncertain.retain(|table| !shared.contains(&table.said()));
        if let Some(first) = preflight::step(&steps, &uncertain, shared, &mut Before::new(facts)).await? {
            steps.insert(0, first);
            steps.iter_mut().zip(1..).for_each(|(step, n)| step.n = n);
        }
        Ok(steps)
    }

    /// The same, with what squawk has to be told, and what is asked.
    pub async fn plan(&self, facts: &mut Facts) -> Result<Plan, Stop> {
        let mut steps = self.steps(facts).await?;
        let server = Before::new(facts).version().await?;
        let mut notes: Vec<_> = preflight::bound(&steps, &mut Before::new(facts)).await?.into_iter().collect();
        for step in &mut steps {
            step.up = lint::excused(&step.up, step.transaction, server, Way::Up);
            step.down = lint::excused(&step.down, step.transaction, server, Way::Down);
            for warning in lint::lint(&step.up_sql(), step.transaction, server) {
                notes.push(format!("squawk warns of migration {}: {} ({})", step.n, warning.message, warning.rule));
            }
        }
        let (from, to) = (self.from.unwrap_or(1), self.goal.stage);
        let closed = |one: &&Unproved| {
            let mut closed = self.pieces.iter().flat_map(|piece| &piece.closes);
            closed.any(|it| it.check == one.check && (it.object == one.object || it.object == "the database"))
        };
        let open = self.open.iter().filter(|one| !closed(one)).cloned().collect();
        let questions = self.questions.clone();
        Ok(Plan { from, to, steps, questions, open, proof: None, notes })
    }
}
