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
            let text =
                if up { text(&name) } else { known(name.replace(".sql", ".down.sql")).or_else(|| known(in_down()))? };
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
        "goose" => Some(goose(&text(&name), up)),
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

/// internal/sqlparser/parser.go: line by line; outside of StatementBegin a statement ends with a line that ends with `;`.
fn goose(text: &str, up: bool) -> Sent {
    let (mut way, mut held, mut buffer, mut queries) = (None, false, String::new(), Vec::new());
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("--") {
            match command.trim() {
                "+goose Up" => {
                    assert!(way.is_none());
                    way = Some(true);
                    continue;
                }
                "+goose Down" => {
                    assert_eq!(way, Some(true));
                    assert!(!held && buffer.trim().is_empty());
                    way = Some(false);
                    continue;
                }
                "+goose StatementBegin" => {
                    held = true;
                    continue;
                }
                "+goose StatementEnd" => {
                    held = false;
                    queries.extend((way == Some(up)).then(|| buffer.clone()));
                    buffer.clear();
                    continue;
                }
                other if other.starts_with("+goose") => {
                    assert_eq!(other, "+goose NO TRANSACTION");
                    continue;
                }
                _ if buffer.is_empty() => continue,
                _ => {}
            }
        }
        if way.is_none() {
            assert!(line.trim().is_empty(), "{line}");
            continue;
        }
        if line.trim().is_empty() && buffer.is_empty() {
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
    Sent { transaction: !text.contains("+goose NO TRANSACTION"), queries }
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
