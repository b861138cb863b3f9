//! Liquibase: SQL in its own format, a change set a step; outside a transaction a change set holds one statement.
//! Source: liquibase/liquibase liquibase-standard parser/AbstractFormattedChangeLogParser.java, issue 3806.

use super::super::draft::{Continued, Draft};
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, alone};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer = Writer {
    name: "liquibase",
    sql: true,
    outside: alone,
    marks: &[
        "changeset",
        "rollback",
        "liquibase",
        "property",
        "precondition",
        "comment:",
        "validchecksum",
        "ignorelines",
    ],
    anywhere: &[],
    draft,
};

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let folder = ground
        .known
        .iter()
        .rev()
        .find(|known| known.path.ends_with(".sql"))
        .and_then(|known| known.path.rsplit_once('/'));
    let folder = folder.map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
    let versions =
        ground.known.iter().filter(|known| known.path.ends_with(".sql")).map(|known| super::digits(&known.path));
    let count = Count::of(versions, Count::first(4));
    let separator = super::separator(ground, '-');
    let mut written = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        let file = format!("{}{separator}{}.sql", count.next(n, ground.now), part.name);
        let how = if part.transaction { "" } else { " runInTransaction:false" };
        let first = format!(
            "--liquibase formatted sql\n\n--changeset govctl:{} splitStatements:false rollbackSplitStatements:false stripComments:false{how}\n",
            part.name
        );
        let head = script::head(part, &file, Way::Up, "below");
        let rollback = script::body(&part.down);
        let lines =
            rollback.lines().filter(|line| !line.trim_start().starts_with("-- squawk-ignore") && !line.is_empty());
        let mut rollback: String = lines.map(|line| format!("--rollback {line}\n")).collect();
        if rollback.is_empty() {
            rollback.push_str("--rollback empty\n");
        }
        let rest = format!("{}\n{rollback}", script::body(&part.up));
        draft.file(format!("{folder}{file}"), script::sheet(part, &first, &head, &rest));
        written.push(format!("{folder}{file}"));
    }
    include(ground, &written, &mut draft)?;
    Ok(draft)
}

/// The change log that names its files has to name the new ones.
fn include(ground: &Ground, files: &[String], draft: &mut Draft) -> Result<(), Stop> {
    let is_log = |path: &&str| [".xml", ".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending));
    for path in ground.files().filter(is_log) {
        let before = ground.must_read(path)?;
        if !before.contains("databaseChangeLog") || before.contains("includeAll") || !before.contains("include") {
            continue;
        }
        let folder = path.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
        let below: Vec<&str> = files.iter().filter_map(|file| file.strip_prefix(&folder)).collect();
        let after = match path.rsplit('.').next() {
            Some("xml") => in_xml(&before, &below),
            Some("yaml" | "yml") => in_yaml(&before, &below),
            _ => None,
        };
        match after.filter(|_| below.len() == files.len()) {
            Some(after) => draft.continued.push(Continued { path: path.to_owned(), before: Some(before), after }),
            None => draft.note(format!("Name the new files in {}, in their order.", ground.shown(path))),
        }
        return Ok(());
    }
    if !ground.files().any(|path| is_log(&path)) {
        draft.note("Name the new files in the change log, in their order, unless it includes the whole folder.");
    }
    Ok(())
}

fn in_xml(text: &str, files: &[&str]) -> Option<String> {
    let at = text.rfind("</databaseChangeLog>")?;
    let lines = files.iter().map(|file| format!("    <include file=\"{file}\" relativeToChangelogFile=\"true\"/>\n"));
    Some(format!("{}{}{}", &text[..at], lines.collect::<String>(), &text[at..]))
}

/// Behind the last entry, which has to be an include, and indented as it is.
fn in_yaml(text: &str, files: &[&str]) -> Option<String> {
    let last = text.lines().rfind(|line| line.trim_start().starts_with("- "))?;
    let indent = last.len() - last.trim_start().len();
    let is_include = last.trim() == "- include:";
    let mut lines = String::new();
    for file in files {
        let pad = " ".repeat(indent);
        lines.push_str(&format!("{pad}- include:\n{pad}    file: {file}\n{pad}    relativeToChangelogFile: true\n"));
    }
    let end = if text.ends_with('\n') { "" } else { "\n" };
    is_include.then(|| format!("{text}{end}{lines}"))
}
