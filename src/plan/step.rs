//! A plan as it is shown, written and proved: migrations, each complete by itself.

use super::change::{Closes, Question};
use std::borrow::Cow;

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// From 1.
    pub n: usize,
    /// In snake_case ASCII, as a file is named.
    pub name: String,
    /// The stage it belongs to, 2 to 5.
    pub stage: u8,
    /// What it does to its table, in a word, where the migrations beside it do the same to others: psql may have them in one file.
    pub kind: Option<&'static str>,
    /// Why, one sentence.
    pub why: String,
    /// Whether `up` and `down` run inside one transaction; else statement by statement, outside of any.
    pub transaction: bool,
    /// Statements in order, each without its semicolon, timeouts first. May hold comments.
    pub up: Vec<String>,
    /// The same for the way back. Empty: there is nothing to undo.
    pub down: Vec<String>,
    /// What it closes.
    pub closes: Vec<Closes>,
    /// The strongest lock it takes on a table that exists, and for how long, in words.
    pub lock: String,
    /// Whether `down` brings everything back.
    pub reversible: bool,
    /// What cannot be undone, and what else a reviewer should know; a sentence each.
    pub notes: Vec<String>,
    /// Ids of the questions that decided something in it.
    pub questions: Vec<Cow<'static, str>>,
}

impl Step {
    /// The text `psql` takes.
    pub fn up_sql(&self) -> String {
        script(&self.up)
    }

    /// The text of the way back.
    pub fn down_sql(&self) -> String {
        script(&self.down)
    }
}

fn script(statements: &[String]) -> String {
    statements.iter().map(|statement| format!("{statement};\n")).collect()
}

/// Something that is not known to be closed after the plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unproved {
    /// Id of the check, or what was tried.
    pub check: String,
    /// The object.
    pub object: String,
    /// What is still wrong, or why it could not be tried.
    pub why: String,
}

/// What running the plan on a copy showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The stage the copy reached; none where the plan could not be run to its end.
    pub stage: Option<u8>,
    /// What is left of the stages up to the goal.
    pub remaining: Vec<Unproved>,
    /// What was tried and held, a sentence each: `18 reads by app across tenants returned nothing`.
    pub held: Vec<String>,
    /// What failed, a sentence each: a step that was refused, a row that was read across tenants, a way back that left traces.
    pub failed: Vec<String>,
}

/// The whole way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The evidenced stage now.
    pub from: u8,
    /// The stage asked for.
    pub to: u8,
    /// In order.
    pub steps: Vec<Step>,
    /// What only the owner can answer.
    pub questions: Vec<Question>,
    /// Findings up to the stage for which there is nothing to write, with what to decide.
    pub open: Vec<Unproved>,
    /// What running it on a copy showed; none where it was not tried.
    pub proof: Option<Proof>,
    /// Why it was not, and remarks about the plan as a whole.
    pub notes: Vec<String>,
}

impl Plan {
    /// Whether it is known not to lead to the stage: nothing is planned on the way there, or a copy that ran it did not reach it.
    pub fn falls_short(&self) -> bool {
        let reached = match &self.proof {
            Some(proof) => proof.stage.unwrap_or(self.from),
            None if self.steps.is_empty() => self.from,
            None => self.to,
        };
        reached < self.to
    }
}
