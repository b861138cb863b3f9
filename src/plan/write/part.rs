//! Steps as the tool can send them: some send a file as one query, and some never leave their transaction.

use super::ground::Ground;
use super::{inside, tame};
use crate::error::Stop;
use crate::plan::lint::{self, Way};
use crate::plan::{Plan, Question, Step};
use std::collections::BTreeMap;

/// squawk is asked for the oldest server that govctl knows: what is safe there is safe on newer ones.
pub(super) const SERVER: u32 = 140_000;

/// What a tool can run outside a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outside {
    /// The statements of a file, one by one.
    Each,
    /// The one statement of a file: the file is sent as one query, and PostgreSQL puts several into a transaction.
    Alone,
    /// One statement after the other, each over any connection of a pool: what one sets, another may not have.
    Pooled,
    /// Nothing.
    Never,
}

/// What goes into one migration.
#[derive(Debug)]
pub(super) struct Part<'p> {
    pub(super) step: &'p Step,
    /// Of the file: that of the step, counted where it is taken.
    pub(super) name: String,
    /// Steps there are.
    pub(super) steps: usize,
    /// Stage the plan leads to.
    pub(super) to: u8,
    /// Which part of the step, and how many there are.
    pub(super) nth: (usize, usize),
    pub(super) transaction: bool,
    /// Each without its semicolon, with ignores and marks.
    pub(super) up: Vec<String>,
    pub(super) down: Vec<String>,
    /// What is to be run by hand beforehand, because the tool cannot.
    pub(super) by_hand: Option<Vec<String>>,
    /// Timeouts were left out: one statement is all there may be.
    pub(super) alone: bool,
    pub(super) questions: Vec<&'p Question>,
}

/// A plan, cut into what the tool can send.
pub(super) fn parts<'p>(plan: &'p Plan, outside: Outside, ground: &Ground) -> Result<Vec<Part<'p>>, Stop> {
    let mut parts = Vec::new();
    for step in &plan.steps {
        let questions: Vec<_> =
            plan.questions.iter().filter(|question| step.questions.contains(&question.id)).collect();
        for cut in cut(step, outside) {
            let ready = |statements: Vec<String>, transaction: bool, way: Way| -> Result<Vec<String>, Stop> {
                let tamed = tame::all(statements, ground.writer, &step.name)?;
                Ok(if ground.writer.sql { lint::excused(&tamed, transaction, SERVER, way) } else { tamed })
            };
            let mut up = ready(cut.up, cut.transaction, Way::Up)?;
            mark(&mut up, &questions);
            parts.push(Part {
                step,
                name: file_name(&step.name),
                steps: plan.steps.len(),
                to: plan.to,
                nth: cut.nth,
                transaction: cut.transaction,
                up,
                down: ready(cut.down, cut.transaction, Way::Down)?,
                by_hand: cut.by_hand,
                alone: cut.alone,
                questions: questions.clone(),
            });
        }
    }
    // Names of files are names of classes for some tools, and of migrations for others.
    let mut taken: BTreeMap<String, usize> = ground.known.iter().map(|known| (plain(&known.name), 1)).collect();
    for part in &mut parts {
        let count = taken.entry(part.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            part.name = format!("{}_{count}", part.name);
        }
    }
    Ok(parts)
}

struct Cut {
    nth: (usize, usize),
    transaction: bool,
    up: Vec<String>,
    down: Vec<String>,
    by_hand: Option<Vec<String>>,
    alone: bool,
}

fn cut(step: &Step, outside: Outside) -> Vec<Cut> {
    let whole = |transaction| Cut {
        nth: (1, 1),
        transaction,
        up: step.up.clone(),
        down: step.down.clone(),
        by_hand: None,
        alone: false,
    };
    if step.transaction || outside == Outside::Each {
        return vec![whole(step.transaction)];
    }
    let work = |statements: &[String]| -> Vec<String> {
        statements.iter().filter(|statement| !inside::is_timeout(statement)).cloned().collect()
    };
    let (up, down) = (work(&step.up), work(&step.down));
    let sets = up.iter().chain(&down).any(|statement| inside::is_setting(statement));
    if outside == Outside::Never || sets {
        return vec![Cut {
            transaction: true,
            up: inside::within(&step.up),
            down: inside::within(&step.down),
            by_hand: Some(step.up.clone()),
            ..whole(true)
        }];
    }
    if outside == Outside::Pooled {
        return vec![Cut { up, down, ..whole(false) }];
    }
    // The way back runs from the last file to the first.
    let of = up.len().max(down.len()).max(1);
    let nothing = || "select 1 /* nothing to do this way */".to_owned();
    let mut ups = up.into_iter();
    let mut downs = down.into_iter().map(Some).chain(std::iter::repeat_with(|| None)).take(of).collect::<Vec<_>>();
    (1..=of)
        .map(|n| Cut {
            nth: (n, of),
            transaction: false,
            up: vec![ups.next().unwrap_or_else(nothing)],
            down: downs.pop().flatten().into_iter().collect(),
            by_hand: None,
            alone: true,
        })
        .collect()
}

/// Statements that a question decided say so, by the default's name in them; where none does, the first that works.
fn mark(statements: &mut [String], questions: &[&Question]) {
    for question in questions {
        let names: Vec<String> = question
            .default
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter_map(|name| name.rsplit('.').next())
            .map(|name| name.trim_matches('"').to_owned())
            .filter(|name| name.len() > 1)
            .collect();
        let says = |statement: &String| names.iter().any(|name| statement.contains(name.as_str()));
        let mut decided: Vec<usize> = (0..statements.len()).filter(|at| says(&statements[*at])).collect();
        if decided.is_empty() {
            decided.extend(statements.iter().position(|statement| !inside::is_setting(statement)));
        }
        for at in decided {
            let mark = format!("-- Decided by {}: {}\n", question.id, super::header::line(&question.default));
            statements[at].insert_str(0, &mark);
        }
    }
}

/// A name as part of a file's: lower case, digits, underscores.
pub(super) fn file_name(name: &str) -> String {
    let name = plain(name);
    let name = name.trim_matches('_');
    if name.is_empty() { "step".to_owned() } else { name.chars().take(60).collect() }
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// What the way of sending means for whoever runs the files.
pub(super) fn notes(parts: &[Part<'_>], outside: Outside, ground: &Ground) -> Vec<String> {
    let tool = ground.writer.name;
    let mut notes = Vec::new();
    if parts.iter().any(|part| part.alone) {
        let who = if tool == "plain-sql" { "A runner of one's own mostly" } else { tool };
        notes.push(format!(
            "{who} sends a file as one query, so what must run outside a transaction stands alone in its file, without \
             timeouts: set lock_timeout and statement_timeout for the role that migrates."
        ));
    }
    if outside == Outside::Pooled && parts.iter().any(|part| !part.transaction) {
        notes.push(format!(
            "Outside a transaction {tool} may send each statement over another connection, so timeouts are left out there: set \
             lock_timeout and statement_timeout for the role that migrates."
        ));
    }
    if parts.iter().any(|part| part.by_hand.is_some()) {
        notes.push(if outside == Outside::Never {
            format!(
                "{tool} runs every migration inside a transaction. What must not (indexes built concurrently, batches) is \
                 done in it all the same, which is right for an empty or small database; where the table is busy, run the \
                 file ending in .by_hand.sql with psql first, after the migrations before it are applied: the migration \
                 then finds nothing left to do."
            )
        } else {
            "A step sets more than timeouts and cannot stand alone in a file: its file ending in .by_hand.sql is for psql, \
             before the migration, where the table is busy."
                .to_owned()
        });
    }
    notes
}
