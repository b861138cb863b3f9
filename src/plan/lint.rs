//! squawk's rules, run over every file of a plan before anybody sees it.
//!
//! A rule that has to be broken is excused where it is broken, with the reason behind it, as squawk reads it:
//! `-- squawk-ignore RULE -- reason` above the line. Source: sbdchd/squawk, crates/squawk_linter.

use squawk_linter::Linter;
use squawk_syntax::SourceFile;
use std::collections::BTreeSet;

/// What squawk would say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// `require-lock-timeout`, `ban-drop-column`, …; `syntax-error` for what squawk's parser does not take.
    pub rule: String,
    /// One sentence or two.
    pub message: String,
    /// Counted from 1.
    pub line: usize,
    /// Byte offset into the text.
    at: usize,
}

/// Which way a script leads: what is a danger on the way up is the point of the way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Towards the stage.
    Up,
    /// Back.
    Down,
}

/// The warnings for a file that runs inside one transaction, or outside of any.
pub fn lint(sql: &str, transaction: bool, server_version_num: u32) -> Vec<Warning> {
    let line = |at: usize| 1 + sql.as_bytes()[..at.min(sql.len())].iter().filter(|byte| **byte == b'\n').count();
    let parse = SourceFile::parse(sql);
    let mut warnings: Vec<Warning> = parse
        .errors()
        .into_iter()
        .map(|error| (usize::from(error.range().start()), error.message().to_owned()))
        .map(|(at, message)| Warning { rule: "syntax-error".into(), message, line: line(at), at })
        .collect();
    let mut linter = Linter::with_default_rules();
    linter.settings.assume_in_transaction = transaction;
    let version = format!("{}.{}", server_version_num / 10_000, server_version_num % 10_000);
    if let Ok(version) = version.parse() {
        linter.settings.pg_version = version;
    }
    warnings.extend(linter.lint(&parse, sql).into_iter().map(|violation| {
        let at = usize::from(violation.text_range.start());
        let message = match violation.help {
            Some(help) => format!("{} {help}", violation.message),
            None => violation.message,
        };
        Warning { rule: violation.code.to_string(), message, line: line(at), at }
    }));
    warnings
}

/// Why a rule may be broken here; none where it may not.
fn excuse(rule: &str, way: Way, statement: &str) -> Option<&'static str> {
    match (way, rule) {
        (Way::Up, "require-concurrent-index-creation") if statement.contains(" on only ") => {
            Some("of a partitioned table alone, which holds no rows: its partitions have theirs")
        }
        (Way::Up, "prefer-robust-stmts") => Some("run again, it finds its work done or does it again"),
        (
            Way::Up,
            "prefer-bigint-over-int" | "prefer-bigint-over-smallint" | "prefer-text-field" | "ban-char-field",
        ) => Some("the type of the key that it repeats"),
        (Way::Up, "ban-drop-default") => Some("the rows there are have their value; whoever writes new ones says it"),
        (Way::Up, "ban-drop-constraint") => {
            Some("a helper that has done its work, or one that a stronger one replaces")
        }
        (Way::Up, "ban-drop-not-null") => Some("a payload that was erased is empty; its digest stays"),
        (Way::Down, rule) if rule.starts_with("ban-drop-") => Some("takes back what its migration made"),
        (Way::Down, "renaming-table" | "renaming-column" | "renaming-object" | "ban-set-schema") => {
            Some("gives back the name it had")
        }
        (
            Way::Down,
            "adding-not-nullable-field"
            | "constraint-missing-not-valid"
            | "adding-foreign-key-constraint"
            | "changing-column-type",
        ) => Some("brings back what was there before"),
        _ => None,
    }
}

/// The statements, each without its semicolon, with the ignores that can be answered for.
pub fn excused(statements: &[String], transaction: bool, server_version_num: u32, way: Way) -> Vec<String> {
    let mut starts = Vec::with_capacity(statements.len());
    let mut script = String::new();
    for statement in statements {
        starts.push(script.len());
        script.push_str(statement);
        script.push_str(";\n");
    }
    let mut excused = statements.to_vec();
    let mut places: BTreeSet<(usize, usize, String)> = BTreeSet::new();
    for warning in lint(&script, transaction, server_version_num) {
        let which = starts.partition_point(|start| *start <= warning.at).saturating_sub(1);
        let Some(statement) = statements.get(which) else { continue };
        let offset = (warning.at - starts[which]).min(statement.len());
        let line = statement[..offset].rfind('\n').map_or(0, |end| end + 1);
        places.insert((which, line, warning.rule));
    }
    // From the last place to the first, so that those before it stay where they are.
    let mut places: Vec<_> = places.into_iter().collect();
    while let Some((which, line, rule)) = places.pop() {
        let Some(reason) = excuse(&rule, way, &statements[which]) else { continue };
        let mut rules = vec![rule];
        while let Some((.., rule)) = places.pop_if(|(other, at, rule)| {
            *other == which && *at == line && excuse(rule, way, &statements[which]) == Some(reason)
        }) {
            rules.push(rule);
        }
        rules.reverse();
        excused[which].insert_str(line, &format!("-- squawk-ignore {} -- {reason}\n", rules.join(", ")));
    }
    excused
}

/// Rules that look at more than one statement, or at what surrounds the file, and that this file breaks only where squawk is
/// not told how the file is run: with `assume_in_transaction` or without.
pub(super) fn broken_untold(sql: &str, transaction: bool, server_version_num: u32) -> Vec<String> {
    let told: BTreeSet<_> =
        lint(sql, transaction, server_version_num).into_iter().map(|warning| warning.rule).collect();
    let untold = lint(sql, !transaction, server_version_num).into_iter().map(|warning| warning.rule);
    let rules: BTreeSet<_> = untold.filter(|rule| !told.contains(rule)).collect();
    rules.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(sql: &str, transaction: bool) -> Vec<String> {
        lint(sql, transaction, 150_000).into_iter().map(|warning| warning.rule).collect()
    }

    #[test]
    fn says_what_squawk_says() {
        assert_eq!(
            rules("alter table t drop column c;", true),
            ["require-lock-timeout", "require-statement-timeout", "ban-drop-column"]
        );
        assert!(rules("create tabel x;", true).contains(&"syntax-error".to_owned()));
        let safe = "set lock_timeout = '2s'; set statement_timeout = '30s'; alter table t enable row level security, force row level security;";
        assert!(rules(safe, true).is_empty(), "{:?}", rules(safe, true));
        assert_eq!(broken_untold(safe, true, 150_000), ["prefer-robust-stmts"]);
    }

    #[test]
    fn an_ignore_stands_above_its_line_with_a_reason() {
        let down = [
            "set lock_timeout = '2s'",
            "set statement_timeout = '5s'",
            "alter table a\n  drop constraint if exists c,\n  drop column if exists d",
            "drop table if exists b",
        ];
        let down = down.map(str::to_owned);
        let excused = excused(&down, true, 150_000, Way::Down);
        let script: String = excused.iter().map(|statement| format!("{statement};\n")).collect();
        assert_eq!(rules(&script, true), Vec::<String>::new(), "{script}");
        assert_eq!(script.matches("-- takes back what its migration made").count(), 3, "{script}");
    }

    #[test]
    fn nothing_else_is_excused() {
        let up = ["drop table t".to_owned()];
        assert_eq!(excused(&up, true, 150_000, Way::Up), up);
    }

    #[test]
    fn the_rules_that_are_named_here_exist() {
        for rule in [
            "ban-drop-constraint",
            "renaming-table",
            "renaming-column",
            "renaming-object",
            "ban-set-schema",
            "adding-not-nullable-field",
            "constraint-missing-not-valid",
            "adding-foreign-key-constraint",
            "prefer-bigint-over-int",
            "prefer-bigint-over-smallint",
            "prefer-text-field",
            "ban-char-field",
        ] {
            assert!(squawk_linter::Rule::try_from(rule).is_ok(), "{rule}");
        }
    }
}
