//! What a run found, as a folder that an auditor can check without the database: the report, how each chain is hashed,
//! what it is now as a tree, the checkpoints it was compared with, and a second verifier. No row is in it.

use super::checkpoint::{document, note};
use super::encoding::hex;
use super::pins;
use super::verdict::{ChainReport, Verdict};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A file of the folder: its path below it, and what it holds.
pub type File = (String, String);

#[derive(Serialize)]
struct Manifest<'a> {
    schema: &'static str,
    govctl: &'static str,
    made_at: String,
    files: BTreeMap<&'a str, String>,
}

const VERIFIER: &str = include_str!("../../docs/chains/verify.py");

/// Every file, the manifest last. `given`: reports, checkpoints and keys, as they are.
pub fn bundle(database: &str, reports: &[ChainReport], given: Vec<File>, now: jiff::Timestamp) -> Vec<File> {
    let mut files = given;
    for report in reports {
        let column = report.column.as_deref().unwrap_or_default();
        let name = file_name(&report.table, column);
        if let Some(described) = &report.described {
            let text = serde_json::to_string_pretty(described).unwrap_or_default();
            files.push((format!("recipes/{name}.json"), text + "\n"));
        }
        if !report.marks.is_empty() {
            let origin = pins::origin(database, &report.table, column);
            files.push((format!("trees/{name}.checkpoint"), note(&origin, &report.marks)));
            files.push((format!("trees/{name}.checkpoint.json"), document(&origin, &report.marks)));
        }
    }
    files.push(("verify.py".to_owned(), VERIFIER.to_owned()));
    files.push(("README.md".to_owned(), readme(reports)));
    let hash = |text: &String| hex(&Sha256::digest(text));
    let manifest = Manifest {
        schema: "govctl.chain-evidence/1",
        govctl: env!("CARGO_PKG_VERSION"),
        made_at: now.to_string(),
        files: files.iter().map(|(name, text)| (name.as_str(), hash(text))).collect(),
    };
    let manifest = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
    files.push(("manifest.json".to_owned(), manifest));
    files
}

/// A name that no folder is left with, whatever the table is called.
pub fn file_name(table: &str, column: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' }).collect()
    };
    format!("{}.{}", plain(table).trim_start_matches('.'), plain(column))
}

fn readme(reports: &[ChainReport]) -> String {
    let mut text = "# What verify-chain found\n\n\
        * `report.txt`, `report.json`: the verdicts, with heads and counts\n\
        * `recipes/`: which columns link each chain, in which order it was read, and how a row is hashed\n\
        * `trees/`: what each intact chain is now: size and root of the RFC 6962 tree over its row hashes, its right edge, its head\n\
        * `checkpoints/`, `keys/`: what it was compared with, and the public keys that count\n\
        * `manifest.json`: the SHA-256 of every other file. Nobody has signed this folder: keep the SHA-256 of the manifest elsewhere\n\n\
        No row is in it, and what looked like a secret in code is redacted.\n\n\
        ## Without the database\n\n    python3 verify.py --bundle .\n\n\
        compares every file with the manifest, every root with the edge beside it, and, with the Python package `cryptography`, every\n\
        checkpoint with the keys. Whether report and trees are true of the rows, only the rows can say:\n\n\
        ## With the rows, or a copy of them\n\n"
        .to_owned();
    for report in reports {
        let name = file_name(&report.table, report.column.as_deref().unwrap_or_default());
        let head = report.head.as_ref().map(|head| format!("{}:{}", head.position, head.hash));
        let head = head.map(|head| format!(" --expect {}", word(&head))).unwrap_or_default();
        let table = word(&report.table);
        let _ =
            writeln!(text, "{table}, {}:\n\n    govctl verify-chain --table {table}{head}\n", report.verdict.word());
        if let Some(described) = report.described.as_ref().filter(|described| described.is_v1) {
            let note = format!("trees/{name}.checkpoint");
            let note = if report.verdict == Verdict::Intact { format!(" --note {note}") } else { String::new() };
            let stream = &described.stream;
            let _ = writeln!(
                text,
                "or, with neither govctl nor trust in it, run `copy ({stream}) to stdout (format binary)`\ninto a file `rows`, and\n\n    python3 verify.py rows{note}\n"
            );
        }
    }
    text
}

/// One word for a shell, on one line, whatever is in it.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    if text.chars().all(plain) {
        return text.to_owned();
    }
    let safe: String =
        text.chars().map(|c| if crate::ui::clean::is_hostile(c) || c.is_control() { '?' } else { c }).collect();
    format!("'{}'", safe.replace('\'', r"'\''"))
}
