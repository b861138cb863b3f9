//! For a terminal: what was found, what could not be looked at, what follows.

mod monday;

use super::Settings;
use super::outline::{self, AxisCount, Group, SHOWN};
use crate::assess::{Assessment, Finding};
use crate::check::Axis;
use crate::ui::clean::{clean, clean_lines};
use crate::ui::table::{self, Cell};
use crate::ui::wrap::wrap;
use crate::ui::{Look, Tone, theme};
use std::fmt::Write;

/// The whole screen.
pub(super) fn render(it: &Assessment, settings: &Settings) -> String {
    let screen = Screen { it, settings, look: &settings.look };
    if settings.quiet {
        return format!("{}\n", outline::counts(it));
    }
    let blocks = [
        screen.head(),
        screen.axes(),
        screen.findings(),
        screen.undecided(),
        screen.waived(),
        screen.not_applicable(),
        screen.monday(),
        screen.end(),
    ];
    blocks.into_iter().filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n")
}

struct Screen<'a> {
    it: &'a Assessment,
    settings: &'a Settings,
    look: &'a Look,
}

impl Screen<'_> {
    /// What was looked at, by whom and when, and remarks about the whole.
    fn head(&self) -> String {
        let target = &self.it.target;
        let version = target.server_version.split_whitespace().next().unwrap_or("of unknown version");
        let taken = outline::taken(target);
        let from = match target.kind.as_str() {
            "facts" => ", from saved facts",
            "migrations" => ", replayed from migrations",
            _ => "",
        };
        let line = format!("on PostgreSQL {}, as {}, {}{from}", clean(version), clean(&target.role), clean(&taken));
        let name = self.look.paint(Tone::Strong, clean(&target.database));
        let mut text = wrap(&line, &format!("{name} "), self.look.width);
        if !self.it.tenancy.is_empty() {
            text.push_str(&wrap(&format!("Tenancy, {}", clean(&self.it.tenancy)), "", self.look.width));
        }
        for note in &self.it.notes {
            text.push_str(&wrap(&clean(note), "", self.look.width));
        }
        if self.it.stage.history.is_some() {
            text.push('\n');
            text.push_str(&super::stage::summary(&self.it.stage, self.look));
        }
        text
    }

    /// One row an axis.
    fn axes(&self) -> String {
        let counts = outline::axes(self.it);
        let head = ["Axis", "Passing", "Findings", "Undecided", "Not applicable"];
        let head = head.into_iter().map(|title| Cell::text(title).tone(Tone::Strong)).collect();
        let rows = counts.iter().map(|(axis, count)| self.axis(*axis, count)).collect();
        table::draw(self.look, head, rows, None)
    }

    fn axis(&self, axis: Axis, count: &AxisCount) -> Vec<Cell> {
        let number = |n: usize, tone| if n == 0 { Cell::number(n) } else { Cell::number(n).tone(tone) };
        vec![
            Cell::text(axis),
            Cell::text(self.bar(count)),
            number(count.findings, Tone::Bad),
            number(count.undecided, Tone::Doubt),
            Cell::number(count.not_applicable),
        ]
    }

    /// `██████░░  10 of 14`; only full where all pass.
    fn bar(&self, count: &AxisCount) -> String {
        let length = match self.look.width {
            92.. => 20,
            84.. => 8,
            _ => 6,
        };
        let asked = count.asked();
        if asked == 0 {
            return "no check applies".to_owned();
        }
        let full = count.pass * length / asked;
        let (done, left) = (self.look.sign("█", "#"), self.look.sign("░", "."));
        format!("{}{}  {:>3} of {asked}", done.repeat(full), left.repeat(length - full), count.pass)
    }

    fn findings(&self) -> String {
        outline::groups(self.it).iter().map(|group| self.group(group)).collect::<Vec<_>>().join("\n")
    }

    /// A check, its objects, and the way out.
    fn group(&self, group: &Group<'_>) -> String {
        let word = self.look.paint(theme::severity(group.severity), group.severity);
        let indent = " ".repeat(group.severity.to_string().len() + 2);
        let title = format!("{}  {}", self.look.paint(Tone::Strong, &group.check.id), clean(&group.check.title));
        let mut text = wrap(&title, &format!("{word}  "), self.look.width);
        let shown = if self.settings.all { group.findings.len() } else { group.findings.len().min(SHOWN) };
        let (shown, rest) = group.findings.split_at(shown);
        for finding in shown {
            text.push_str(&wrap(&message(finding), &indent, self.look.width));
        }
        if !rest.is_empty() {
            let dots = self.look.sign("…", "...");
            let more = format!("{dots} {} more (--all)", rest.len());
            let _ = writeln!(text, "{indent}{}", self.look.paint(Tone::Faint, more));
        }
        let fixes = outline::fixes(shown);
        for (at, line) in fixes.iter().flat_map(|fix| clean_lines(fix)).enumerate() {
            let label = if at == 0 { "fix  " } else { "     " };
            let _ = writeln!(text, "{indent}{label}{}", self.look.paint(Tone::Action, line));
        }
        if let (true, Some(ask)) = (fixes.is_empty(), &group.check.ask) {
            text.push_str(&wrap(&clean(ask.trim()), &format!("{indent}ask  "), self.look.width));
        }
        text
    }

    /// What was hidden, and what would show it.
    fn undecided(&self) -> String {
        let causes = outline::undecided(self.it);
        let mut text = String::new();
        let mark = self.look.paint(Tone::Doubt, "?");
        for (cause, checks) in &causes {
            let shown = if self.settings.all { checks.len() } else { checks.len().min(SHOWN) };
            for check in &checks[..shown] {
                let found =
                    if outline::found_something(self.it, check) { "  found something; there may be more" } else { "" };
                let _ = writeln!(text, " {mark}  {}{found}", check.id);
            }
            if shown < checks.len() {
                let _ = writeln!(text, "    {} {} more (--all)", self.look.sign("…", "..."), checks.len() - shown);
            }
            text.push_str(&wrap(&clean(&cause.what), "    ", self.look.width));
        }
        if let Some(n) = Some(self.it.tally().undecided).filter(|n| *n > 0) {
            let (are, them) = if n == 1 { ("is", "it") } else { ("are", "them") };
            let line = format!(
                "{} could not be decided and {are} not counted as passing. To decide {them}:",
                outline::checks(n)
            );
            text.push('\n');
            text.push_str(&wrap(&line, "", self.look.width));
            let mut needs = Vec::new();
            for (cause, _) in &causes {
                if !needs.contains(&&cause.needs) {
                    needs.push(&cause.needs);
                }
            }
            for line in needs.into_iter().flat_map(|needs| clean_lines(needs)) {
                let _ = writeln!(text, "  {}", self.look.paint(Tone::Action, line));
            }
        }
        text
    }

    fn not_applicable(&self) -> String {
        let line = |(reason, checks): (&str, Vec<_>)| {
            let verb = if checks.len() == 1 { "does" } else { "do" };
            let line = format!("{} {verb} not apply: {}", outline::checks(checks.len()), clean(reason));
            wrap(&line, "", self.look.width)
        };
        outline::not_applicable(self.it).into_iter().map(line).collect()
    }

    /// The counts, the consequence, the next command.
    fn end(&self) -> String {
        let (consequence, next) = outline::consequence(self.it, self.settings.fail_on);
        let mut text = wrap(&format!("{}.", outline::counts(self.it)), "", self.look.width);
        text.push_str(&wrap(&consequence, "", self.look.width));
        if let Some(next) = next {
            let _ = writeln!(text, "  {}", self.look.paint(Tone::Action, next));
        }
        text
    }
}

/// The finding's sentence, and since when it is there.
fn message(finding: &Finding) -> String {
    clean(&outline::message(finding)).into_owned()
}
