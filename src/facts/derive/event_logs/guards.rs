//! What keeps the rows of a log as they are: triggers and rules that refuse, and who could change rows if they did not.

use super::super::catalog::{Catalog, Oid, Relation};
use super::super::policy::refusal::{Refusal, refusal};

/// The commands that take something away from a log.
pub(crate) const COMMANDS: [&str; 3] = ["UPDATE", "DELETE", "TRUNCATE"];

/// A trigger or rule that refuses a command.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// The log, or one of its partitions.
    pub(crate) relation: Oid,
    pub(crate) command: &'static str,
    pub(crate) name: String,
    /// 'trigger' | 'rule'
    pub(crate) by: &'static str,
    pub(crate) refusal: Refusal,
    /// As `triggers.enabled`.
    pub(crate) enabled: String,
}

impl Guard {
    /// Stands in every session, `session_replication_role = replica` included.
    pub(crate) fn is_always(&self) -> bool {
        self.enabled == "always"
    }

    /// Stands in an ordinary session.
    pub(crate) fn stands(&self) -> bool {
        matches!(self.enabled.as_str(), "always" | "origin")
    }
}

/// Every trigger and rule on the relation that refuses something.
pub(super) fn of(catalog: &Catalog, relation: &Relation) -> Vec<Guard> {
    let mut guards = Vec::new();
    for trigger in catalog.triggers.iter().filter(|trigger| trigger.relation == relation.oid) {
        let Some(function) = catalog.functions.get(&trigger.function) else { continue };
        let fired = [trigger.on_update, trigger.on_delete, trigger.on_truncate];
        for (command, _) in COMMANDS.iter().zip(fired).filter(|(_, fired)| *fired) {
            let before_row = trigger.row_level && trigger.timing != "AFTER";
            let source = function.source.as_deref().unwrap_or_default();
            let mut found = refusal(source, &function.language, command, before_row);
            let narrow = trigger.has_condition || *command == "UPDATE" && trigger.update_columns.is_some();
            if narrow && found == Refusal::Always {
                found = Refusal::Partly;
            }
            if found != Refusal::Never {
                let (name, enabled) = (trigger.name.clone(), trigger.enabled.clone());
                guards.push(Guard { relation: relation.oid, command, name, by: "trigger", refusal: found, enabled });
            }
        }
    }
    for rule in catalog.rules.iter().filter(|rule| rule.relation == relation.oid && rule.instead) {
        let Some(command) = COMMANDS.iter().find(|command| **command == rule.event) else { continue };
        let definition = rule.definition.to_uppercase();
        let (head, action) = definition.split_once(" DO INSTEAD ").unwrap_or(("", ""));
        let nothing = action.trim().trim_end_matches(';') == "NOTHING";
        let refusal = if nothing && !head.contains(" WHERE ") { Refusal::Always } else { Refusal::Partly };
        let (name, enabled) = (rule.name.clone(), rule.enabled.clone());
        guards.push(Guard { relation: relation.oid, command, name, by: "rule", refusal, enabled });
    }
    guards
}

/// How far a command is refused on one relation: 'refused' | 'partly' | 'unread' | 'none', and whether in every session.
pub(super) fn sum(guards: &[Guard], relation: Oid, command: &str) -> (&'static str, bool) {
    let here = guards.iter().filter(|g| g.relation == relation && g.command == command && g.stands());
    let best = here.max_by_key(|guard| (guard.refusal, guard.is_always()));
    match best {
        None => ("none", false),
        Some(guard) => {
            let word = match guard.refusal {
                Refusal::Always => "refused",
                Refusal::Partly => "partly",
                Refusal::Unread => "unread",
                Refusal::Never => "none",
            };
            (word, guard.is_always())
        }
    }
}

/// Columns that a trigger before INSERT takes from a setting of the session, and that setting: any role may set it.
pub(super) fn from_settings(catalog: &Catalog, relation: &Relation) -> Vec<(i64, String)> {
    let sources: Vec<String> =
        fillers(catalog, relation).filter_map(|f| f.source.as_ref()).map(|source| assignments(source)).collect();
    let setting = |column: &str| {
        sources.iter().find_map(|source| setting_of(catalog, source, &format!("new.{}", column.to_lowercase())))
    };
    relation.columns.iter().filter_map(|column| Some((column.number, setting(&column.name)?))).collect()
}

/// The setting that decides what is assigned to `target`, directly, by way of a variable or by a function that answers with it.
fn setting_of(catalog: &Catalog, source: &str, target: &str) -> Option<String> {
    source.match_indices(target).find_map(|(at, _)| {
        let after = &source[at + target.len()..];
        let value = after.strip_prefix(":=").or_else(|| after.strip_prefix('='))?.split(';').next()?;
        let word = |c: char| c.is_alphanumeric() || c == '_';
        if let Some(setting) = read_setting(value) {
            return Some(setting);
        }
        if value.chars().all(word) && !target.starts_with(value) {
            // Declared with it, or assigned before.
            let typed =
                [format!("{value}:="), format!("{value} text:="), format!("{value} uuid:="), format!("{value} name:=")];
            return typed.iter().find_map(|start| {
                let at = source.find(start.as_str())?;
                read_setting(source[at + start.len()..].split(';').next()?)
            });
        }
        let called = |name: &str| value.contains(&format!("{name}(")) && value.contains('(');
        let mut functions = catalog.functions.values().filter(|function| called(&function.name));
        functions.find_map(|function| read_setting(&assignments(function.source.as_deref()?)))
    })
}

/// The first setting of somebody's own making that the expression reads, or the name a client gives itself.
fn read_setting(expression: &str) -> Option<String> {
    expression.split("current_setting('").skip(1).find_map(|rest| {
        let name = rest.split('\'').next()?;
        (name.contains('.') || name == "application_name").then(|| name.to_owned())
    })
}

/// Functions of triggers that look at every row before it is inserted.
fn fillers<'c>(
    catalog: &'c Catalog,
    relation: &'c Relation,
) -> impl Iterator<Item = &'c super::super::catalog::Function> {
    let before_insert = move |t: &&super::super::catalog::Trigger| {
        t.relation == relation.oid
            && t.on_insert
            && t.row_level
            && t.timing == "BEFORE"
            && !t.has_condition
            && matches!(t.enabled.as_str(), "always" | "origin")
    };
    catalog.triggers.iter().filter(before_insert).filter_map(|t| catalog.functions.get(&t.function))
}

/// Columns that a trigger before INSERT sets, whatever the caller wrote: `NEW.column := …` or `… INTO NEW.column`.
pub(super) fn filled(catalog: &Catalog, relation: &Relation) -> Vec<i64> {
    let sources: Vec<String> =
        fillers(catalog, relation).filter_map(|f| f.source.as_ref()).map(|source| assignments(source)).collect();
    let columns = relation.columns.iter();
    columns
        .filter(|column| sources.iter().any(|source| sets(source, &column.name)))
        .map(|column| column.number)
        .collect()
}

/// The source without comments, strings and blanks around signs, in lower case.
fn assignments(source: &str) -> String {
    let mut out = String::new();
    for line in source.lines() {
        let line = line.split("--").next().unwrap_or_default().to_lowercase();
        out.push_str(&line.split_whitespace().collect::<Vec<_>>().join(" "));
        out.push(' ');
    }
    for sign in [":=", "=", ",", ".", ";", "("] {
        out = out.replace(&format!(" {sign}"), sign).replace(&format!("{sign} "), sign);
    }
    out
}

fn sets(source: &str, column: &str) -> bool {
    let column = column.to_lowercase();
    [format!("new.{column}"), format!("new.\"{column}\"")].iter().any(|target| {
        source.match_indices(target.as_str()).any(|(at, _)| {
            let (before, after) = (&source[..at], &source[at + target.len()..]);
            let starts =
                ["begin ", "then ", "else ", "loop ", ";"].iter().any(|end| before.ends_with(end)) || before.is_empty();
            let assigned = after.starts_with(":=") || after.starts_with('=') && starts;
            let statement = before.rsplit(';').next().unwrap_or_default();
            let into = statement
                .rsplit(" from ")
                .next()
                .is_some_and(|tail| tail.contains(" into ") || tail.contains("into new."));
            assigned || into && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_to_new_are_found_and_comparisons_are_not() {
        let source = assignments(
            "begin\n  -- new.at = now();\n  NEW.actor_kind := a.kind;\n  new.seq = 1;\n  select r.hash, r.id into new.prev_hash, new.last\n \
             from t r where r.tenant = new.tenant_id;\n  if new.kind = 'x' then new.\"Row Hash\" := 1; end if; return new; end",
        );
        for column in ["actor_kind", "seq", "prev_hash", "last", "Row Hash"] {
            assert!(sets(&source, column), "{column} in {source}");
        }
        for column in ["at", "tenant_id", "kind"] {
            assert!(!sets(&source, column), "{column} in {source}");
        }
    }
}
