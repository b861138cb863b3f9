//! Markdown for a pull request: the first two lines carry the verdict, since previews cut there.

use super::{Settings, outline, regimes};
use crate::assess::Assessment;
use crate::check::{Axis, Severity};
use crate::report::outline::{AxisCount, Group};
use crate::ui::clean::{clean, clean_lines};
use std::fmt::Write as _;
use std::io;

/// Writes the assessment.
pub(super) fn write(it: &Assessment, settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    let blocks = [
        head(it, settings),
        axes(it),
        undecided(it),
        findings(it),
        waived(it),
        monday(it),
        regimes(it),
        format!("{}\n", escaped(outline::ORIENTATION)),
    ];
    let text = blocks.into_iter().filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n");
    to.write_all(text.as_bytes())
}

fn head(it: &Assessment, settings: &Settings) -> String {
    let target = &it.target;
    let version = target.server_version.split_whitespace().next().unwrap_or("of unknown version");
    let (consequence, _) = outline::consequence(it, settings.fail_on);
    let mut text = format!("## govctl: {}\n\n", escaped(&outline::headline(it)));
    let _ = writeln!(
        text,
        "{}, PostgreSQL {}, as {}, {}. {}",
        code(&target.database),
        escaped(version),
        code(&target.role),
        escaped(&outline::taken(target)),
        escaped(consequence.trim_end_matches(" Start with:"))
    );
    if !it.tenancy.is_empty() {
        let _ = writeln!(text, "Tenancy, {}.", escaped(&it.tenancy));
    }
    for note in &it.notes {
        let _ = writeln!(text, "\n> {}", escaped(note));
    }
    text
}

fn axes(it: &Assessment) -> String {
    let mut text = String::from("| axis | passing | findings | undecided | not applicable |\n|---|---|--:|--:|--:|\n");
    let row = |(axis, count): (Axis, AxisCount)| {
        let AxisCount { pass, findings, undecided, not_applicable, .. } = count;
        format!("| {axis} | {pass} of {} | {findings} | {undecided} | {not_applicable} |\n", count.asked())
    };
    text.extend(outline::axes(it).into_iter().map(row));
    text
}

/// What each declared regime asks, and how it stands.
fn regimes(it: &Assessment) -> String {
    let mut text = String::new();
    for pack in regimes::packs(it) {
        let _ = writeln!(text, "### What {} asks\n", pack.name);
        if pack.controls.is_empty() {
            let _ = writeln!(text, "govctl maps no paragraphs of it.\n");
            continue;
        }
        text.push_str("| paragraph | checks | failing or undecided |\n|---|---|---|\n");
        for control in &pack.controls {
            let open = control.fail.iter().chain(&control.undecided).map(|id| code(id)).collect::<Vec<_>>().join(" ");
            let _ = writeln!(text, "| {} | {} | {open} |", escaped(control.id), control.counts());
        }
        text.push('\n');
    }
    text
}

/// First what nobody knows: a reader must not take the list of findings for all there is.
fn undecided(it: &Assessment) -> String {
    let causes = outline::undecided(it);
    if causes.is_empty() {
        return String::new();
    }
    let mut text = String::from("### Not decided\n\n| what was hidden | needs | checks |\n|---|---|---|\n");
    for (cause, checks) in causes {
        let ids = checks.iter().map(|check| code(&check.id.0)).collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "| {} | {} | {ids} |", escaped(&cause.what), code(&cause.needs));
    }
    text
}

fn findings(it: &Assessment) -> String {
    let groups = outline::groups(it);
    if groups.is_empty() {
        return String::new();
    }
    let each: String = groups.iter().map(group).collect();
    format!("### Findings\n\n{each}")
}

/// The worst are open, the others a click away.
fn group(group: &Group<'_>) -> String {
    let open = if group.severity == Severity::Critical { " open" } else { "" };
    let count = group.findings.len();
    let objects = if count == 1 { "1 object".to_owned() } else { format!("{count} objects") };
    let mut text = format!(
        "<details{open}><summary><b>{}</b> <code>{}</code> {}: {objects}</summary>\n\n| object | finding |\n|---|---|\n",
        group.severity,
        html(&group.check.id.0),
        html(&group.check.title)
    );
    for finding in &group.findings {
        let object = code(&finding.object.to_string());
        let short = &finding.fingerprint.0[..16];
        let _ = writeln!(text, "| {object} | {} <!-- {short} --> |", escaped(&outline::message(finding)));
    }
    let _ = writeln!(text, "\n{}\n", escaped(&group.check.why.split_whitespace().collect::<Vec<_>>().join(" ")));
    let fixes = outline::fixes(&group.findings);
    if fixes.is_empty() {
        let ask = group.check.ask.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{}\n", escaped(ask));
    } else {
        text.push_str(&fenced(&fixes));
    }
    text.push_str("</details>\n\n");
    text
}

/// SQL in a fence longer than any run of backticks in it.
fn fenced(fixes: &[&str]) -> String {
    let lines: Vec<_> = fixes.iter().flat_map(|fix| clean_lines(fix)).collect();
    let fence = "`".repeat(longest_run(&lines.join("\n")).max(2) + 1);
    format!("{fence}sql\n{}\n{fence}\n\n", lines.join("\n"))
}

fn waived(it: &Assessment) -> String {
    let lines = outline::waived(it);
    if lines.is_empty() {
        return String::new();
    }
    let items: String = lines.iter().map(|line| format!("- {}\n", escaped(line))).collect();
    format!("### Waived\n\n{items}")
}

fn monday(it: &Assessment) -> String {
    if it.axes.is_empty() {
        return String::new();
    }
    let mut text =
        String::from("### Four questions for Monday\n\n| axis | answer | why | owner |\n|---|---|---|---|\n");
    for axis in &it.axes {
        let evidence: String = axis.evidence.iter().map(|line| format!("<br>{}", escaped(line))).collect();
        let owner = axis.owner.as_deref().map_or_else(|| "nobody is named".to_owned(), escaped);
        let (name, answer) = (escaped(&axis.name), axis.answer.name());
        let _ = writeln!(text, "| {name} | **{answer}** | {}{evidence} | {owner} |", escaped(&axis.reason));
    }
    let _ = writeln!(text, "\n{}.", escaped(&outline::quarter(it)));
    for (_, finding) in outline::not_needed_yet(it) {
        let _ = writeln!(text, "- not needed yet: {}", escaped(&finding.message));
    }
    text
}

/// A name as code, in HTML: between backticks a `|` would end the cell of a table, and a backtick the code.
fn code(text: &str) -> String {
    let mut safe = String::from("<code>");
    for character in html(text).chars() {
        match character {
            '|' | '`' | '*' | '[' | ']' | '\\' | '~' | '@' | '#' => _ = write!(safe, "&#{};", u32::from(character)),
            '_' if text.contains("__") || text.starts_with('_') || text.ends_with('_') => safe.push_str("&#95;"),
            other => safe.push(other),
        }
    }
    safe + "</code>"
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Prose in which nothing is markup, and nobody is mentioned.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for character in clean(text).chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                safe.push('\\');
                safe.push(character);
            }
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("&#64;"),
            other => safe.push(other),
        }
    }
    safe
}

fn html(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
