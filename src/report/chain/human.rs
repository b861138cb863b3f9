//! For a terminal: four verdicts a chain (rows, links, coverage, tail), never one word for all of them.

use crate::chain::verdict::{Break, BreakKind, ChainReport, Verdict};
use crate::report::Settings;
use crate::ui::clean::clean;
use crate::ui::wrap::wrap;
use crate::ui::{Look, Tone};
use std::fmt::Write;

/// Breaks that are shown of a chain without `--all`.
const SHOWN: usize = 10;

pub(super) fn render(reports: &[ChainReport], settings: &Settings) -> String {
    let look = &settings.look;
    let mut text = String::new();
    if !settings.quiet {
        for report in reports {
            text.push_str(&chain(report, settings, look));
            text.push('\n');
        }
    }
    text.push_str(&wrap(&counts(reports), "", look.width));
    if !settings.quiet && reports.is_empty() {
        text.push_str(&wrap(
            "No table here links its rows by hashes. If one should, name it: --table schema.table.",
            "",
            look.width,
        ));
    }
    text
}

fn counts(reports: &[ChainReport]) -> String {
    let count = |verdict| reports.iter().filter(|report| report.verdict == verdict).count();
    let rows: u64 = reports.iter().map(|report| report.rows).sum();
    let unpinned = reports.iter().filter(|report| report.verdict == Verdict::Intact && !report.tail.pinned).count();
    let mut text = format!(
        "{} {}, {rows} rows: {} intact, {} broken, {} undecided.",
        reports.len(),
        if reports.len() == 1 { "table" } else { "tables" },
        count(Verdict::Intact),
        count(Verdict::Broken),
        count(Verdict::Undecided)
    );
    if unpinned > 0 {
        let _ = write!(
            text,
            " {unpinned} intact without a head from outside: rows cut off the end, or a history written anew, would not show."
        );
    }
    text
}

fn chain(report: &ChainReport, settings: &Settings, look: &Look) -> String {
    let (word, tone) = match report.verdict {
        Verdict::Intact => ("intact", Tone::Good),
        Verdict::Broken => ("broken", Tone::Worst),
        Verdict::Undecided => ("undecided", Tone::Doubt),
    };
    let mut text = format!("{}  {}\n", look.paint(Tone::Strong, clean(&report.table)), look.paint(tone, word));
    let mut line =
        |label: &str, words: &str| text.push_str(&wrap(&clean(words), &format!("  {label:<9} "), look.width));
    if let Some(why) = &report.why {
        line("why", why);
    }
    if let Some(needs) = &report.needs {
        line("needs", needs);
    }
    if report.rows > 0 {
        let count = |of: &[BreakKind]| report.breaks.iter().filter(|it| of.contains(&it.kind)).count();
        let rows = count(&[BreakKind::Content, BreakKind::Payload, BreakKind::Unreadable]);
        let links = count(&[BreakKind::Link, BreakKind::Gap, BreakKind::Fork, BreakKind::Duplicate]);
        let chains = if report.partitions > 1 { format!(" in {} chains", report.partitions) } else { String::new() };
        let recipe =
            report.recipe.as_deref().map_or_else(|| "not recomputed".to_owned(), |recipe| format!("by {recipe}"));
        let wrong = if rows == 0 { String::new() } else { format!(", {rows} wrong") };
        line("rows", &format!("{}{chains} {recipe}{wrong}", report.rows));
        line("links", &if links == 0 { "unbroken".to_owned() } else { format!("{links} broken") });
        if report.recipe.is_some() {
            line(
                "coverage",
                &match report.uncovered.as_slice() {
                    [] => "every column".to_owned(),
                    columns => format!("no hash protects {}", columns.join(", ")),
                },
            );
        }
        let detail = report.tail.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
        line("tail", &format!("{}{detail}", if report.tail.pinned { "pinned" } else { "unpinned" }));
    }
    if let Some(head) = &report.head {
        line("head", &format!("{}:{}", head.position, head.hash));
    }
    for note in &report.notes {
        line("note", note);
    }
    let shown = if settings.all { report.breaks.len() } else { report.breaks.len().min(SHOWN) };
    for it in &report.breaks[..shown] {
        text.push_str(&one(it, look));
    }
    let rest = report.breaks_total.saturating_sub(shown as u64);
    if rest > 0 {
        let _ = writeln!(text, "  {} {rest} more (--all)", look.sign("…", "..."));
    }
    text
}

fn one(it: &Break, look: &Look) -> String {
    let partition = it.partition.as_ref().map(|partition| format!(" of {}", clean(partition))).unwrap_or_default();
    let first = format!("  {} ", look.paint(Tone::Bad, it.kind));
    let mut text = wrap(&format!("at {}{partition}: {}", clean(&it.at), clean(&it.detail)), &first, look.width);
    if let Some(cause) = &it.cause {
        text.push_str(&wrap(&format!("likely: {}", clean(cause)), "      ", look.width));
    }
    if let Some(query) = &it.look {
        let _ = writeln!(text, "      {}", look.paint(Tone::Action, clean(query)));
    }
    text
}
