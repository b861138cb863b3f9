//! How each tool sends a file, as `reference` measurements and the tools' sources say: what is one query, what is inside a transaction.

use std::fs;
use std::path::Path;

/// What goes over the wire.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) transaction: bool,
    /// Each a query of its own in the simple protocol.
    pub(super) queries: Vec<String>,
}

fn whole(transaction: bool, text: &str) -> Sent {
    Sent { transaction, queries: vec![text.to_owned()] }
}

/// What the tool sends for the file, on the way up or down; `down` is none where the tool has no way down.
pub(super) fn sent(tool: &str, file: &Path, up: bool) -> Option<Sent> {
    let name = file.to_str().unwrap().to_owned();
    let text = |path: &str| fs::read_to_string(path).unwrap();
    let folder_of = || file.parent().unwrap().to_str().unwrap().to_owned();
    let in_down =
        || format!("{}/down/{}", folder_of(), file.file_name().unwrap().to_str().unwrap().replace(".sql", ".down.sql"));
    let known = |path: String| Path::new(&path).exists().then(|| text(&path));
    match tool {
        "plain-sql" | "sqitch" => {
            let back = || known(name.replace(".sql", ".down.sql")).or_else(|| known(in_down()));
            let revert = || known(name.replace("/deploy/", "/revert/"));
            let text = if up { text(&name) } else { (if tool == "sqitch" { revert() } else { back() })? };
            Some(Sent { transaction: false, queries: split(&text) })
        }
        "sqlx" if !up && !name.ends_with(".up.sql") => known(in_down()).map(|text| psql(&text)),
        "sqlx" => {
            let text = if up { text(&name) } else { known(name.replace(".up.sql", ".down.sql"))? };
            Some(whole(!text.starts_with("-- no-transaction"), &text))
        }
        "golang-migrate" => Some(whole(false, &text(&if up { name } else { name.replace(".up.sql", ".down.sql") }))),
        "prisma" => {
            let text = if up { text(&name) } else { known(name.replace("migration.sql", "down.sql"))? };
            // The way back is psql's, inside a transaction unless it says otherwise.
            if up { Some(whole(false, &text)) } else { Some(psql(&text)) }
        }
        "supabase" => {
            let text = if up { text(&name) } else { return known(in_down()).map(|text| psql(&text)) };
            let queries = split(&text);
            Some(Sent { transaction: queries.len() > 1, queries })
        }
        "flyway" => {
            let path = if up {
                name
            } else {
                let (folder, base) = name.rsplit_once('/').unwrap();
                format!("{folder}/U{}", &base[1..])
            };
            let text = known(path.clone())?;
            let conf = known(format!("{path}.conf")).unwrap_or_default();
            assert!(!text.contains("${") || conf.contains("placeholderReplacement=false"), "{path}");
            Some(Sent { transaction: !conf.contains("executeInTransaction=false"), queries: split(&text) })
        }
        "goose" => Some(goose(&text(&name), up, "+goose", "+goose NO TRANSACTION")),
        "sql-migrate" => Some(goose(&text(&name), up, "+migrate", " notransaction\n")),
        "tern" => {
            let text = text(&name);
            let (create, drop) = text.split_once("\n---- create above / drop below ----\n").unwrap();
            let part = if up { create } else { drop };
            assert!(!part.contains("{{"), "{part}");
            if part.lines().any(|line| line == "---- tern: disable-tx ----") {
                Some(Sent { transaction: false, queries: split(part) })
            } else {
                Some(whole(true, part))
            }
        }
        "rambler" => {
            let mut queries: Vec<String> = Vec::new();
            let mut recording = false;
            for line in text(&name).lines() {
                if let Some(way) = line.strip_prefix("-- rambler ") {
                    recording = way == if up { "up" } else { "down" };
                    queries.extend(recording.then(String::new));
                } else if recording {
                    queries.last_mut().unwrap().push_str(&format!("{line}\n"));
                }
            }
            if !up {
                queries.reverse();
            }
            Some(Sent { transaction: false, queries })
        }
        "popx" => {
            let text = text(&if up { name.clone() } else { name.replace(".up.sql", ".down.sql") });
            Some(whole(!name.contains(".autocommit."), &text))
        }
        "diesel" => {
            let outside = known(format!("{}/metadata.toml", folder_of()))
                .is_some_and(|text| text.contains("run_in_transaction = false"));
            Some(whole(!outside, &text(&if up { name } else { name.replace("/up.sql", "/down.sql") })))
        }
        "hasura" => Some(whole(true, &text(&if up { name } else { name.replace("/up.sql", "/down.sql") }))),
        "refinery" if up => Some(whole(true, &text(&name))),
        "refinery" => {
            let below = name
                .replace("/V2", "/V02")
                .replace("/V", "/down/")
                .replace("down/02", "down/2")
                .replace("__", "_")
                .replace(".sql", ".down.sql");
            known(below).map(|text| psql(&text))
        }
        "atlas" if up => {
            let text = text(&name);
            Some(Sent { transaction: !text.starts_with("-- atlas:txmode none\n"), queries: split(&text) })
        }
        "graphile-migrate" if up => {
            let text = text(&name);
            let (_, body) = text.split_once("\n\n").unwrap();
            Some(whole(!body.starts_with("--! no-transaction\n"), body))
        }
        "graphile-migrate" => known(in_down().replace("committed/down", "down")).map(|text| psql(&text)),
        "yoyo" => {
            let text = if up { text(&name) } else { known(name.replace(".sql", ".rollback.sql"))? };
            let lead: Vec<_> = text.lines().take_while(|line| line.starts_with("--")).collect();
            Some(Sent { transaction: !lead.contains(&"-- transactional: false"), queries: split(&text) })
        }
        "drizzle" if up => {
            let queries = text(&name).split("--> statement-breakpoint").map(str::to_owned).collect();
            Some(Sent { transaction: true, queries })
        }
        "drizzle" => {
            let folder = name.replace("/migration.sql", ".sql");
            let (above, base) = folder.rsplit_once('/').unwrap();
            known(format!("{above}/down/{}", base.replace(".sql", ".down.sql"))).map(|text| psql(&text))
        }
        "liquibase" => {
            let text = text(&name);
            let change = text.lines().find(|line| line.starts_with("--changeset ")).unwrap();
            assert!(
                text.starts_with("--liquibase formatted sql\n") && change.contains("splitStatements:false"),
                "{text}"
            );
            let back: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("--rollback ")).collect();
            let queries = if up { text.clone() } else { back.join("\n") };
            let queries = if change.contains("runInTransaction:false") { vec![queries] } else { split(&queries) };
            Some(Sent {
                transaction: !change.contains("runInTransaction:false"),
                queries: queries.into_iter().filter(|query| query != "empty").collect(),
            })
        }
        "atlas" => known(in_down()).map(|text| psql(&text)),
        "dbmate" => Some(dbmate(&text(&name), up)),
        _ => unreachable!("{tool}"),
    }
}

/// psql: statement by statement, with `-1` unless the file says that it wants none.
fn psql(text: &str) -> Sent {
    Sent { transaction: !text.contains("squawk-disable-assume-in-transaction"), queries: split(text) }
}

/// Statements as psql's scanner finds them; by the lexer, not by govctl's own reader.
pub(super) fn split(text: &str) -> Vec<String> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    for token in squawk_lexer::tokenize(text) {
        at += token.len as usize;
        if token.kind == squawk_lexer::TokenKind::Semi {
            found.push(text[start..at].to_owned());
            start = at;
        }
    }
    found
}

/// internal/sqlparser/parser.go, and sqlparse.go of sql-migrate: line by line; outside of StatementBegin a statement ends with
/// a line that ends with `;`.
fn goose(text: &str, up: bool, mark: &str, outside: &str) -> Sent {
    let (mut way, mut held, mut buffer, mut queries) = (None, false, String::new(), Vec::new());
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("--").and_then(|rest| rest.trim().strip_prefix(mark)) {
            let finished = buffer.trim().is_empty();
            match command.split_whitespace().next().unwrap() {
                "Up" => assert!(way.replace(true).is_none()),
                "Down" => assert!(way.replace(false) == Some(true) && !held && finished),
                "StatementBegin" => held = true,
                "StatementEnd" => {
                    held = false;
                    queries.extend((way == Some(up)).then(|| buffer.clone()));
                    buffer.clear();
                }
                _ => assert_eq!(command.trim(), "NO TRANSACTION"),
            }
            continue;
        }
        if way.is_none() {
            assert!(line.trim().is_empty() || line.starts_with("--"), "{line}");
            continue;
        }
        if (line.trim().is_empty() || line.starts_with("--")) && buffer.is_empty() {
            continue;
        }
        buffer.push_str(line);
        buffer.push('\n');
        let code = line.split("--").next().unwrap().trim_end();
        if !held && code.ends_with(';') {
            queries.extend((way == Some(up)).then(|| buffer.clone()));
            buffer.clear();
        }
    }
    assert!(buffer.trim().is_empty(), "unfinished: {buffer}");
    Sent { transaction: !text.contains(outside), queries }
}

/// pkg/dbmate/migration.go: `(?m)^--\s*migrate:up(\s*$|\s+\S+)`, and the same for down.
fn dbmate(text: &str, up: bool) -> Sent {
    let mark = |line: &str| {
        let rest = line.strip_prefix("--")?.trim_start().strip_prefix("migrate:")?.to_owned();
        Some(rest)
    };
    let marks: Vec<_> = text.lines().filter_map(mark).collect();
    assert_eq!(marks.len(), 2, "{marks:?}");
    let (mut way, mut part) = (None, String::new());
    for line in text.lines() {
        match mark(line) {
            Some(rest) => way = Some(rest.starts_with("up")),
            None if way == Some(up) => {
                part.push_str(line);
                part.push('\n');
            }
            None => {}
        }
    }
    whole(!marks[usize::from(!up)].contains("transaction:false"), &part)
}
