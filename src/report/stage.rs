//! The `stage` part of `govctl.diagnose/1`, and `govctl.stage/1` as a document of its own; the ladder on a screen.

use super::write_json;
use crate::assess::ladder::STAGES;
use crate::assess::{Criterion, FirstActor, Gap, Moment, Regression, Stage, Unread};
use crate::ui::clean::clean;
use crate::ui::wrap::wrap;
use crate::ui::{Look, Tone};
use serde::Serialize;
use std::io;

/// As JSON has it.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'static str>,
    declared: Option<u8>,
    history: Option<u8>,
    evidenced: Option<u8>,
    next: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    migrations: Option<Folder<'a>>,
    transitions: Vec<Transition<'a>>,
    criteria: Vec<Held<'a>>,
    regressions: Vec<Undone<'a>>,
    gaps: Vec<Late<'a>>,
    unread: Vec<NotRead<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_actor: Option<First<'a>>,
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
}

#[derive(Serialize)]
struct Folder<'a> {
    tool: &'a str,
    count: i64,
}

#[derive(Serialize)]
struct Transition<'a> {
    stage: u8,
    version: &'a str,
    path: &'a str,
    line: i64,
    date: Option<&'a str>,
    date_source: Option<&'a str>,
    object: &'a str,
}

#[derive(Serialize)]
struct Held<'a> {
    stage: u8,
    name: &'a str,
    holds: Option<bool>,
    evidence: &'a [String],
}

#[derive(Serialize)]
struct Undone<'a> {
    kind: &'a str,
    object: &'a str,
    path: &'a str,
    line: i64,
    date: Option<&'a str>,
}

#[derive(Serialize)]
struct Late<'a> {
    object: &'a str,
    key: Spot<'a>,
    isolated: Option<Spot<'a>>,
    migrations: i64,
}

#[derive(Serialize)]
struct NotRead<'a> {
    kind: &'a str,
    path: &'a str,
    line: i64,
    detail: &'a str,
}

#[derive(Serialize)]
struct First<'a> {
    stage: u8,
    object: &'a str,
    kind: &'a str,
    date: &'a str,
    date_source: &'static str,
    whole: bool,
}

#[derive(Serialize)]
struct Spot<'a> {
    path: &'a str,
    line: i64,
}

impl<'a> Document<'a> {
    pub(crate) fn of(stage: &'a Stage) -> Self {
        Self {
            schema: None,
            declared: stage.declared,
            history: stage.history,
            evidenced: stage.evidenced,
            next: stage.next,
            migrations: stage.tool.as_deref().map(|tool| Folder { tool, count: stage.migrations }),
            transitions: stage.transitions.iter().map(transition).collect(),
            criteria: stage.criteria.iter().map(held).collect(),
            regressions: stage.regressions.iter().map(undone).collect(),
            gaps: stage.gaps.iter().map(late).collect(),
            unread: stage.unread.iter().map(not_read).collect(),
            first_actor: stage.first_actor.as_ref().map(first),
            notes: &stage.notes,
            exit: None,
        }
    }

    /// As a document of its own.
    ///
    /// # Errors
    /// Those of the writer.
    pub(crate) fn write(stage: &'a Stage, exit: u8, to: &mut dyn io::Write) -> io::Result<()> {
        write_json(&Self { schema: Some("govctl.stage/1"), exit: Some(exit), ..Self::of(stage) }, to)
    }
}

fn transition(it: &Moment) -> Transition<'_> {
    Transition {
        stage: it.stage,
        version: &it.version,
        path: &it.path,
        line: it.line,
        date: it.date.as_deref(),
        date_source: it.date_source.as_deref(),
        object: &it.object,
    }
}

fn held(it: &Criterion) -> Held<'_> {
    Held { stage: it.stage, name: &it.name, holds: it.holds, evidence: &it.evidence }
}

fn undone(it: &Regression) -> Undone<'_> {
    Undone { kind: &it.kind, object: &it.object, path: &it.path, line: it.line, date: it.date.as_deref() }
}

fn late(it: &Gap) -> Late<'_> {
    let isolated = it.isolated_path.as_deref().zip(it.isolated_line).map(|(path, line)| Spot { path, line });
    Late {
        object: &it.object,
        key: Spot { path: &it.key_path, line: it.key_line },
        isolated,
        migrations: it.migrations,
    }
}

fn first(it: &FirstActor) -> First<'_> {
    First { stage: 4, object: &it.object, kind: &it.kind, date: &it.date, date_source: "audit-log", whole: it.whole }
}

fn not_read(it: &Unread) -> NotRead<'_> {
    NotRead { kind: &it.kind, path: &it.path, line: it.line, detail: &it.detail }
}

/// The ladder on a screen: each stage with when it was reached and what holds, then what was undone, then what is next.
pub(crate) fn screen(stage: &Stage, at_least: Option<u8>, look: &Look) -> String {
    let mut text = String::new();
    let mut say = |line: &str, indent: &str| text.push_str(&wrap(line, indent, look.width));
    let known = |stage: Option<u8>| stage.map_or_else(|| "not known".to_owned(), |stage| stage.to_string());
    let head = format!(
        "Declared {}, recorded by migrations {}, evidenced by the database {}",
        known(stage.declared),
        known(stage.history),
        known(stage.evidenced)
    );
    say(&head, "");
    if let Some(tool) = &stage.tool {
        let files = if stage.migrations == 1 { "migration" } else { "migrations" };
        say(&format!("{} {files}, read as {tool}'s", stage.migrations), "");
    }
    for (number, name) in (1..=5).zip(STAGES) {
        say("", "");
        let mark = match (stage.evidenced, stage.transitions.iter().any(|moment| moment.stage == number)) {
            (Some(evidenced), _) if evidenced >= number => look.paint(Tone::Good, look.sign("●", "*")),
            (None, true) => look.paint(Tone::Good, look.sign("●", "*")),
            _ if number == 1 => look.paint(Tone::Good, look.sign("●", "*")),
            _ => look.paint(Tone::Faint, look.sign("○", "-")),
        };
        say(&format!("{} {}", look.paint(Tone::Strong, format!("Stage {number}")), name), &format!("{mark} "));
        for moment in stage.transitions.iter().filter(|moment| moment.stage == number) {
            say(&reached(moment, stage), "  ");
        }
        for criterion in stage.criteria.iter().filter(|criterion| criterion.stage == number) {
            let (word, tone) = match criterion.holds {
                Some(true) => ("holds", Tone::Good),
                Some(false) => ("does not hold", Tone::Bad),
                None => ("could not be decided", Tone::Doubt),
            };
            say(&format!("{}: {}", clean(&criterion.name), look.paint(tone, word)), "  ");
            for line in criterion.evidence.iter().take(3) {
                say(&clean(line), "    ");
            }
            if criterion.evidence.len() > 3 {
                say(&format!("and {} more", criterion.evidence.len() - 3), "    ");
            }
        }
    }
    if !stage.regressions.is_empty() {
        say("", "");
        say("Undone since, and not put back:", "");
        for it in &stage.regressions {
            say(&format!("{} on {}: {}:{}", it.kind, clean(&it.object), clean(&it.path), it.line), "  ");
        }
    }
    if !stage.gaps.is_empty() {
        say("", "");
        say("Tenant keys that waited for their policy:", "");
        for it in stage.gaps.iter().take(10) {
            let until = match (&it.isolated_path, it.isolated_line) {
                (Some(path), Some(line)) => format!("to {}:{line}, {} migrations later", clean(path), it.migrations),
                _ => "and has none yet".to_owned(),
            };
            say(&format!("{} from {}:{} {until}", clean(&it.object), clean(&it.key_path), it.key_line), "  ");
        }
        if stage.gaps.len() > 10 {
            say(&format!("and {} more", stage.gaps.len() - 10), "  ");
        }
    }
    if !stage.unread.is_empty() {
        say("", "");
        say("Not counted, since it cannot be read or is only known when it runs:", "");
        for it in stage.unread.iter().take(10) {
            let detail: String = clean(&it.detail).chars().take(120).collect();
            say(&format!("{}:{}: {detail}", clean(&it.path), it.line), "  ");
        }
        if stage.unread.len() > 10 {
            say(&format!("and {} more", stage.unread.len() - 10), "  ");
        }
    }
    for note in &stage.notes {
        say("", "");
        say(&clean(note), "");
    }
    if let (Some(next), Some(opens)) = (stage.next, &stage.next_opens) {
        say("", "");
        say(&format!("Stage {next} opens when: {opens}."), "");
    }
    if let Some(wanted) = at_least {
        let verdict = if stage.is_at_least(wanted) { "is reached" } else { "is not reached" };
        say("", "");
        say(&format!("Stage {wanted} {verdict}."), "");
    }
    text
}

/// The three numbers, and a line a transition: for the head of a longer report.
pub(super) fn summary(stage: &Stage, look: &Look) -> String {
    let known = |stage: Option<u8>| stage.map_or_else(|| "not known".to_owned(), |stage| stage.to_string());
    let numbers = format!("Stage: recorded {}, evidenced {}", known(stage.history), known(stage.evidenced));
    let mut text = wrap(&numbers, "", look.width);
    for moment in &stage.transitions {
        text.push_str(&wrap(&format!("{} {}", moment.stage, reached(moment, stage)), "  ", look.width));
    }
    text
}

/// `public.orders, by migrations/0004_tenants.sql:12 on 2026-02-03 (file-name), 120 days before stage 3`
fn reached(moment: &Moment, stage: &Stage) -> String {
    let date = moment.date.as_deref().map(|date| {
        let day = date.split('T').next().unwrap_or(date);
        format!(" on {day} ({})", moment.date_source.as_deref().unwrap_or("unknown source"))
    });
    let later = stage.transitions.iter().find(|other| other.stage > moment.stage);
    let days = later.and_then(|later| {
        days_between(moment.date.as_deref()?, later.date.as_deref()?).map(|days| (days, later.stage))
    });
    let days = match days {
        Some((days, later)) if days >= 0 => format!(", {days} days before stage {later}"),
        _ => String::new(),
    };
    format!("{}, by {}:{}{}{days}", clean(&moment.object), clean(&moment.path), moment.line, date.unwrap_or_default())
}

fn days_between(from: &str, to: &str) -> Option<i64> {
    let (from, to): (jiff::Timestamp, jiff::Timestamp) = (from.parse().ok()?, to.parse().ok()?);
    Some((to.as_second() - from.as_second()) / 86_400)
}
