//! What lies between two facts files, for a terminal and as `govctl.diff/1`.

use super::{json, outline};
use crate::assess::{Finding, Target};
use crate::check::{Check, Severity};
use crate::diff::{Change, Diff, Found};
use crate::exit::Exit;
use crate::ui::clean::clean;
use crate::ui::wrap::wrap;
use crate::ui::{Look, Tone, theme};
use serde::Serialize;
use std::fmt::Write as _;
use std::io;

/// Changes of one kind shown where not all are asked for.
const SHOWN: usize = 20;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    before: Side<'a>,
    after: Side<'a>,
    opened: Vec<Open<'a>>,
    closed: Vec<Open<'a>>,
    changed: Vec<Changed<'a>>,
    undecided: Vec<&'a str>,
    changes: &'a [Change],
    summary: Summary,
}

#[derive(Serialize)]
struct Side<'a> {
    database: &'a str,
    server_version: &'a str,
    role: &'a str,
    taken_at: &'a str,
}

#[derive(Serialize)]
struct Open<'a> {
    check: &'a str,
    severity: Severity,
    object: String,
    message: &'a str,
    fingerprint: &'a str,
    /// The check saw everything on both sides.
    certain: bool,
}

#[derive(Serialize)]
struct Changed<'a> {
    before: Open<'a>,
    after: Open<'a>,
}

#[derive(Serialize)]
struct Summary {
    opened: usize,
    closed: usize,
    changed: usize,
    changes: usize,
    exit: u8,
}

/// Writes `govctl.diff/1`.
pub(super) fn write(it: &Diff, exit: Exit, to: &mut dyn io::Write) -> io::Result<()> {
    let document = Document {
        schema: "govctl.diff/1",
        before: side(&it.before.target),
        after: side(&it.after.target),
        opened: it.opened.iter().map(|found| one(it, found)).collect(),
        closed: it.closed.iter().map(|found| one(it, found)).collect(),
        changed: it.changed.iter().map(|(was, is)| Changed { before: one(it, was), after: one(it, is) }).collect(),
        undecided: it.unsure.iter().map(|id| id.0.as_str()).collect(),
        changes: &it.changes,
        summary: Summary {
            opened: it.opened.len(),
            closed: it.closed.len(),
            changed: it.changed.len(),
            changes: it.changes.len(),
            exit: exit.code(),
        },
    };
    json::document(&document, to)
}

fn side(target: &Target) -> Side<'_> {
    Side {
        database: &target.database,
        server_version: &target.server_version,
        role: &target.role,
        taken_at: &target.taken_at,
    }
}

fn one<'a>(it: &Diff, (check, finding): &'a Found) -> Open<'a> {
    Open {
        check: &check.id.0,
        severity: finding.severity,
        object: finding.object.to_string(),
        message: &finding.message,
        fingerprint: &finding.fingerprint.0,
        certain: !it.is_unsure(check),
    }
}

/// The screen.
pub(super) fn screen(it: &Diff, all: bool, quiet: bool, look: &Look) -> String {
    let counts = format!(
        "{} opened, {} closed, {} changed; {} of roles, rights and guards.",
        it.opened.len(),
        it.closed.len(),
        it.changed.len(),
        if it.changes.len() == 1 { "1 change".to_owned() } else { format!("{} changes", it.changes.len()) },
    );
    if quiet {
        return format!("{counts}\n");
    }
    let name = look.paint(Tone::Strong, clean(&it.after.target.database));
    let times = format!("from {} to {}", outline::taken(&it.before.target), outline::taken(&it.after.target));
    let mut blocks = vec![wrap(&clean(&times), &format!("{name} "), look.width)];
    let found = |title: &str, list: &[Found]| {
        let lines: String = list.iter().map(|(check, finding)| line(it, check, finding, look)).collect();
        if lines.is_empty() { lines } else { format!("{}\n{lines}", look.paint(Tone::Strong, title)) }
    };
    blocks.push(found("Opened", &it.opened));
    blocks.push(found("Closed", &it.closed));
    blocks.push(changed(it, look));
    blocks.push(changes(it, all, look));
    blocks.push(unsure(it, look));
    blocks.push(wrap(&counts, "", look.width));
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n")
}

fn line(it: &Diff, check: &Check, finding: &Finding, look: &Look) -> String {
    let word = look.paint(theme::severity(finding.severity), finding.severity);
    let doubt = if it.is_unsure(check) { "?  " } else { "" };
    let waived = if finding.is_open() { "" } else { " (accepted)" };
    let text = format!("{}  {}{waived}", check.id, clean(&outline::sentence_of(finding)));
    wrap(&text, &format!("  {doubt}{word}  "), look.width)
}

fn changed(it: &Diff, look: &Look) -> String {
    let mut text = String::new();
    for ((_, was), (check, is)) in &it.changed {
        text.push_str(&line(it, check, is, look));
        let mut before = Vec::new();
        if was.severity != is.severity {
            let how = if is.severity > was.severity { "worse" } else { "better" };
            before.push(format!("{how}: {} before", was.severity));
        }
        if was.is_open() && !is.is_open() {
            before.push("open before".to_owned());
        } else if is.is_open() && !was.is_open() {
            before.push("accepted before".to_owned());
        }
        if was.message != is.message {
            before.push(format!("before: {}", clean(&outline::sentence_of(was))));
        }
        for one in before {
            text.push_str(&wrap(&one, "        ", look.width));
        }
    }
    if text.is_empty() {
        text
    } else {
        format!("{}\n{text}", look.paint(Tone::Strong, "Open before and after, and not the same"))
    }
}

fn changes(it: &Diff, all: bool, look: &Look) -> String {
    let mut text = String::new();
    let mut kinds: Vec<&str> = it.changes.iter().map(|change| change.kind).collect();
    kinds.dedup();
    for kind in kinds {
        let of_kind: Vec<_> = it.changes.iter().filter(|change| change.kind == kind).collect();
        let shown = if all { of_kind.len() } else { of_kind.len().min(SHOWN) };
        for change in &of_kind[..shown] {
            let sign = |tone, sign: &str| format!("  {} ", look.paint(tone, sign));
            for (value, tone, mark) in [(&change.lost, Tone::Faint, "-"), (&change.gained, Tone::Strong, "+")] {
                if let Some(value) = value {
                    let line = format!("{}: {kind} {}", clean(&change.subject), clean(value));
                    text.push_str(&wrap(&line, &sign(tone, mark), look.width));
                }
            }
        }
        if shown < of_kind.len() {
            let _ = writeln!(text, "    {} {} more of {kind} (--all)", look.sign("…", "..."), of_kind.len() - shown);
        }
    }
    if text.is_empty() { text } else { format!("{}\n{text}", look.paint(Tone::Strong, "Roles, rights and guards")) }
}

fn unsure(it: &Diff, look: &Look) -> String {
    if it.unsure.is_empty() {
        return String::new();
    }
    let checks = outline::checks(it.unsure.len());
    let line =
        format!("{checks} could not see everything on one side; what is said of them, marked ?, is not certain.");
    let ids: String = it.unsure.iter().map(|id| format!("  {} {id}\n", look.paint(Tone::Doubt, "?"))).collect();
    wrap(&line, "", look.width) + &ids
}
