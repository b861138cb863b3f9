//! `govctl.plan/1`, and the plan on a screen.

use super::write_json;
use crate::plan::write::Written;
use crate::plan::{Closes, Plan, Step, Unproved};
use crate::ui::clean::{clean, clean_lines};
use crate::ui::table::{self, Cell};
use crate::ui::wrap::wrap;
use crate::ui::{Look, Tone};
use serde::Serialize;
use std::borrow::Cow;
use std::io;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    from: u8,
    to: u8,
    steps: Vec<Migration<'a>>,
    questions: Vec<Question<'a>>,
    open: Vec<Left<'a>>,
    proved: Option<Proved<'a>>,
    notes: &'a [String],
    exit: u8,
}

#[derive(Serialize)]
struct Migration<'a> {
    n: usize,
    name: &'a str,
    stage: u8,
    why: &'a str,
    transaction: bool,
    up: String,
    down: String,
    closes: Vec<String>,
    lock: &'a str,
    reversible: bool,
    notes: &'a [String],
    questions: &'a [Cow<'static, str>],
}

#[derive(Serialize)]
struct Question<'a> {
    id: &'a str,
    question: &'a str,
    default: &'a str,
    key: &'a str,
    answered: bool,
}

#[derive(Serialize)]
struct Left<'a> {
    check: &'a str,
    object: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct Proved<'a> {
    stage: Option<u8>,
    remaining: Vec<Left<'a>>,
    held: &'a [String],
    failed: &'a [String],
}

/// As JSON.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write(plan: &Plan, exit: u8, to: &mut dyn io::Write) -> io::Result<()> {
    let document = Document {
        schema: "govctl.plan/1",
        from: plan.from,
        to: plan.to,
        steps: plan.steps.iter().map(migration).collect(),
        questions: plan
            .questions
            .iter()
            .map(|it| Question {
                id: &it.id,
                question: &it.question,
                default: &it.default,
                key: &it.key,
                answered: it.answered,
            })
            .collect(),
        open: plan.open.iter().map(left).collect(),
        proved: plan.proof.as_ref().map(|proof| Proved {
            stage: proof.stage,
            remaining: proof.remaining.iter().map(left).collect(),
            held: &proof.held,
            failed: &proof.failed,
        }),
        notes: &plan.notes,
        exit,
    };
    write_json(&document, to)
}

fn migration(step: &Step) -> Migration<'_> {
    Migration {
        n: step.n,
        name: &step.name,
        stage: step.stage,
        why: &step.why,
        transaction: step.transaction,
        up: step.up_sql(),
        down: step.down_sql(),
        closes: step.closes.iter().map(closes).collect(),
        lock: &step.lock,
        reversible: step.reversible,
        notes: &step.notes,
        questions: &step.questions,
    }
}

fn closes(it: &Closes) -> String {
    format!("{} {}", it.check, it.object)
}

fn left(it: &Unproved) -> Left<'_> {
    Left { check: &it.check, object: &it.object, why: &it.why }
}

/// What a person sees: one row a migration, the questions, what stays open, what the proof showed.
pub(crate) fn screen(plan: &Plan, look: &Look) -> String {
    let blocks = [
        head(plan, look),
        steps(plan, look),
        questions(plan, look),
        proof(plan, look),
        open(plan, look),
        notes(plan, look),
        next(plan, look),
    ];
    blocks.into_iter().filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What to type to see one of them, and to have them written.
fn next(plan: &Plan, look: &Look) -> String {
    if plan.steps.is_empty() {
        return String::new();
    }
    let of = |flag: &str| look.paint(Tone::Action, format!("govctl plan-stage {} {flag}", plan.to));
    format!(
        "  {}          prints one of them\n  {}    writes them for your migration tool\n",
        of("--show K"),
        of("--write FOLDER")
    )
}

fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

fn head(plan: &Plan, look: &Look) -> String {
    let line = if plan.steps.is_empty() {
        if plan.from >= plan.to {
            format!("Already at stage {}. Nothing to plan.", plan.from)
        } else {
            format!("From stage {} to stage {}: nothing that can be written down.", plan.from, plan.to)
        }
    } else {
        let steps = count(plan.steps.len(), "migration", "migrations");
        format!("From stage {} to stage {}: {steps}. Nothing has been run.", plan.from, plan.to)
    };
    wrap(&look.paint(Tone::Strong, line), "", look.width)
}

/// A row a migration.
pub(crate) fn steps(plan: &Plan, look: &Look) -> String {
    if plan.steps.is_empty() {
        return String::new();
    }
    let head = ["#", "Migration", "Closes", "Lock", "Undo"];
    let head = head.into_iter().map(|title| Cell::text(title).tone(Tone::Strong)).collect();
    let rows = plan.steps.iter().map(|step| {
        let lock = step.lock.split(" on ").next().unwrap_or_default();
        vec![
            Cell::number(step.n),
            Cell::text(clean(&step.name)),
            Cell::text(clean(&closing(step))),
            Cell::text(clean(lock.split(';').next().unwrap_or_default())),
            if step.reversible { Cell::text("yes") } else { Cell::text("partly").tone(Tone::Doubt) },
        ]
    });
    table::draw(look, head, rows.collect(), None)
}

/// The checks of a step, without their axis; the first, and how many more.
fn closing(step: &Step) -> String {
    let mut checks: Vec<_> = step.closes.iter().map(|it| it.check.rsplit('/').next().unwrap_or_default()).collect();
    checks.dedup();
    match checks.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, rest @ ..] => format!("{one} +{}", rest.len()),
    }
}

fn questions(plan: &Plan, look: &Look) -> String {
    let asked: Vec<_> = plan.questions.iter().filter(|question| !question.answered).collect();
    if asked.is_empty() {
        return String::new();
    }
    let mut text = wrap("Only you can answer these; the plan goes by the default, or by govctl.yaml:", "", look.width);
    for (at, question) in asked.iter().enumerate() {
        if asked[..at].iter().all(|known| known.id != question.id) {
            text.push_str(&wrap(&clean(&question.question), "  ", look.width));
        }
        let default = question.default.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = format!("{default} ({})", question.key);
        text.push_str(&wrap(&look.paint(Tone::Faint, clean(&line)), "    default  ", look.width));
    }
    text
}

/// What trying it on a copy showed.
pub(crate) fn proof(plan: &Plan, look: &Look) -> String {
    let Some(proof) = &plan.proof else { return String::new() };
    let mut text = String::new();
    let head = match proof.stage {
        Some(stage) => format!("Run on a copy, the plan reaches stage {stage}."),
        None => "Run on a copy, the plan did not come to its end.".to_owned(),
    };
    let tone = if proof.failed.is_empty() && proof.stage >= Some(plan.to) { Tone::Good } else { Tone::Bad };
    text.push_str(&wrap(&look.paint(tone, head), "", look.width));
    for line in &proof.held {
        text.push_str(&wrap(&clean(line), "  held    ", look.width));
    }
    for line in &proof.failed {
        text.push_str(&wrap(&look.paint(Tone::Bad, clean(line)), "  failed  ", look.width));
    }
    let known =
        |left: &&Unproved| !plan.open.iter().any(|open| (&open.check, &open.object) == (&left.check, &left.object));
    for left in proof.remaining.iter().filter(known) {
        let line = format!("{} {}: {}", left.check, left.object, left.why);
        text.push_str(&wrap(&clean(&line), "  left    ", look.width));
    }
    text
}

fn open(plan: &Plan, look: &Look) -> String {
    if plan.open.is_empty() {
        return String::new();
    }
    let mut text = wrap("A person has to decide, so nothing is written for:", "", look.width);
    for left in &plan.open {
        let line = format!("{} {}: {}", left.check, left.object, left.why);
        text.push_str(&wrap(&clean(&line), "  ", look.width));
    }
    text
}

fn notes(plan: &Plan, look: &Look) -> String {
    plan.notes.iter().map(|note| wrap(&clean(note), "", look.width)).collect()
}

/// One migration as `--show` prints it: SQL, ready to be read.
pub(crate) fn show(step: &Step) -> String {
    let mut text = String::new();
    let mut line = |key: &str, value: &str| {
        for part in clean_lines(value) {
            text.push_str(&format!("-- {key:<7} {part}\n"));
        }
    };
    line("Why", &step.why);
    for it in &step.closes {
        line("Closes", &closes(it));
    }
    line("Lock", &step.lock);
    for note in &step.notes {
        line("Note", note);
    }
    text.push_str(if step.transaction {
        "-- in one transaction\n\n"
    } else {
        "-- statement by statement, outside of a transaction\n\n"
    });
    text.push_str(&step.up_sql());
    if !step.down.is_empty() {
        text.push_str("\n-- the way back:\n");
        text.extend(step.down_sql().lines().map(|line| format!("-- {line}\n")));
    }
    text
}

/// What was written, and what to know before it is run.
pub(crate) fn written(it: &Written, plan: &Plan, look: &Look) -> String {
    let mut text = String::new();
    for file in &it.files {
        text.push_str(&format!("{:>9}  {}\n", look.paint(Tone::Good, "wrote"), clean(&file.display().to_string())));
    }
    text.push('\n');
    let files = count(it.files.len(), "file", "files");
    let line = format!(
        "{files} for {}, from stage {} to stage {}. Review them and run them with your own tool; govctl never does.",
        it.tool, plan.from, plan.to
    );
    text.push_str(&wrap(&line, "", look.width));
    for note in &it.notes {
        text.push_str(&wrap(&clean(note), "", look.width));
    }
    for block in [questions(plan, look), proof(plan, look), open(plan, look), notes(plan, look)] {
        if !block.is_empty() {
            text.push('\n');
            text.push_str(&block);
        }
    }
    text
}
