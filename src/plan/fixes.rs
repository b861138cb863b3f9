//! What the checks found, as changes: each check's own fix.

use super::change::{Change, Closes, Phase, Question, Statement};
use super::ddl::{self, Ddl, Name};
use super::harden::split;
use super::order::slug;
use super::step::Unproved;
use crate::assess::{Assessment, Finding};
use crate::check::{Check, Severity};
use std::collections::BTreeSet;

/// Changes from the open findings of stages up to the goal, and the findings for which there is nothing to write.
pub(crate) fn fixes(it: &Assessment, goal: u8) -> (Vec<Change>, Vec<Question>, Vec<Unproved>) {
    let mut changes = Vec::new();
    let mut questions = Vec::new();
    let mut open = Vec::new();
    for (check, finding) in it.findings() {
        if check.stage > goal {
            continue;
        }
        if let Some(decision) = decision(finding).filter(|_| finding.severity > Severity::Info) {
            open.push(Unproved { why: decision.to_owned(), ..undecided(check, finding, &[]) });
            continue;
        }
        let sql = finding.fix.as_deref().or(finding.default.as_deref());
        let statements: Vec<_> = sql.map(split).unwrap_or_default();
        let (manual, statements): (Vec<_>, Vec<_>) = statements.into_iter().partition(|sql| is_for_the_server(sql));
        if statements.is_empty() {
            if finding.severity > Severity::Info {
                open.push(undecided(check, finding, &manual));
            }
            continue;
        }
        let mut change = change(check, finding, statements);
        if let Some(ask) = check.ask.as_ref().filter(|_| finding.fix.is_none()) {
            change.questions.push(check.id.to_string().into());
            questions.push(question(check, finding, ask));
        }
        changes.push(change);
    }
    (changes, questions, open)
}

/// Takes out restrictive policies on tables that get a key of their own: theirs rests on that key.
pub(crate) fn leave_to_keys(changes: &mut Vec<Change>, keyed: &BTreeSet<Name>) {
    for change in changes.iter_mut() {
        change.statements.retain(|statement| {
            let Ddl::CreatePolicy { table, .. } = ddl::read(&statement.up) else { return true };
            !(keyed.contains(&table) && statement.up.contains(" as restrictive "))
        });
    }
    changes.retain(|change| !change.statements.is_empty());
}

/// What somebody has to decide before the fix is taken: it might end what the product lives on.
fn decision(finding: &Finding) -> Option<&str> {
    finding.facts.get("decision")?.as_str()
}

/// Settings of the server are nobody's migration.
fn is_for_the_server(sql: &str) -> bool {
    let lower = sql.to_lowercase();
    lower.starts_with("alter system") || lower.starts_with("set ")
}

fn undecided(check: &Check, finding: &Finding, manual: &[String]) -> Unproved {
    let why = match (manual.first(), &check.ask) {
        (Some(sql), _) => format!("The server's administrator decides: {sql}"),
        (None, Some(ask)) => ask.split_whitespace().collect::<Vec<_>>().join(" "),
        (None, None) => finding.fix.clone().unwrap_or_else(|| finding.message.clone()),
    };
    Unproved { check: check.id.to_string(), object: finding.object.to_string(), why }
}

/// The check's own question; what the plan does without an answer is its default. A waiver is the other answer.
fn question(check: &Check, finding: &Finding, ask: &str) -> Question {
    Question {
        id: check.id.to_string().into(),
        question: ask.to_owned(),
        default: finding.default.clone().unwrap_or_default(),
        key: "waivers".into(),
        answered: false,
    }
}

fn change(check: &Check, finding: &Finding, statements: Vec<String>) -> Change {
    let short = check.id.0.rsplit('/').next().unwrap_or_default();
    let phase = statements.first().map_or(Phase::Note, |sql| match ddl::read(sql) {
        Ddl::CreateTrigger { .. } | Ddl::CreateRoutine { .. } => Phase::Guard,
        _ => Phase::Right,
    });
    Change {
        name: format!("{}_{}", slug(short), slug(&finding.object.name)),
        stage: check.stage,
        phase,
        why: format!("{}.", finding.message.trim_end_matches('.')),
        statements: statements.into_iter().map(Statement::new).collect(),
        closes: vec![Closes { check: check.id.to_string(), object: finding.object.to_string() }],
        questions: Vec::new(),
    }
}
