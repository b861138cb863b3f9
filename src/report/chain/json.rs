//! `govctl.verify-chain/1`. Private structs: what a program may rely on changes only with the version.

use crate::chain::verdict::{Break, ChainReport};
use crate::report::{self, Settings};
use serde::Serialize;
use std::io;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    exit: u8,
    chains: Vec<Chain<'a>>,
}

#[derive(Serialize)]
struct Chain<'a> {
    table: &'a str,
    column: Option<&'a str>,
    recipe: Option<&'a str>,
    verdict: &'static str,
    why: Option<&'a str>,
    needs: Option<&'a str>,
    rows: u64,
    partitions: u64,
    head: Option<Head<'a>>,
    tail: &'static str,
    tail_detail: Option<&'a str>,
    uncovered: &'a [String],
    weaker: bool,
    breaks_total: u64,
    breaks: Vec<OneBreak<'a>>,
    notes: &'a [String],
    seconds: f64,
}

#[derive(Serialize)]
struct Head<'a> {
    position: &'a str,
    hash: &'a str,
}

#[derive(Serialize)]
struct OneBreak<'a> {
    kind: &'static str,
    at: &'a str,
    partition: Option<&'a str>,
    detail: &'a str,
    cause: Option<&'a str>,
    before: Option<&'a str>,
    after: Option<&'a str>,
    look: Option<&'a str>,
}

pub(super) fn write(reports: &[ChainReport], settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    let document = Document {
        schema: "govctl.verify-chain/1",
        exit: settings.exit.code(),
        chains: reports.iter().map(chain).collect(),
    };
    report::write_json(&document, to)
}

fn chain(report: &ChainReport) -> Chain<'_> {
    Chain {
        table: &report.table,
        column: report.column.as_deref(),
        recipe: report.recipe.as_deref(),
        verdict: report.verdict.word(),
        why: report.why.as_deref(),
        needs: report.needs.as_deref(),
        rows: report.rows,
        partitions: report.partitions,
        head: report.head.as_ref().map(|head| Head { position: &head.position, hash: &head.hash }),
        tail: if report.tail.pinned { "pinned" } else { "unpinned" },
        tail_detail: report.tail.detail.as_deref(),
        uncovered: &report.uncovered,
        weaker: report.weaker,
        breaks_total: report.breaks_total,
        breaks: report.breaks.iter().map(one).collect(),
        notes: &report.notes,
        seconds: (report.seconds * 1000.0).round() / 1000.0,
    }
}

fn one(it: &Break) -> OneBreak<'_> {
    OneBreak {
        kind: it.kind.word(),
        at: &it.at,
        partition: it.partition.as_deref(),
        detail: &it.detail,
        cause: it.cause.as_deref(),
        before: it.before.as_deref(),
        after: it.after.as_deref(),
        look: it.look.as_deref(),
    }
}
