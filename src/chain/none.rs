//! Tables whose rows say nothing: empty ones, and those that only look like chains.

use super::checkpoint::Checkpoint;
use super::definition::Chain;
use super::pins;
use super::relation;
use super::verdict::{ChainReport, Verdict};
use super::workers::Outcome;
use crate::error::Stop;
use sqlx::PgConnection;

/// By its names a chain: a previous hash and a hash.
pub fn looks_chained(table: &relation::Relation) -> bool {
    // Passwords have previous hashes, too.
    if table.name.to_ascii_lowercase().contains("passw") {
        return false;
    }
    let names: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .chain(table.refused.iter().map(String::as_str))
        .collect();
    let holds =
        |part: &[&str]| names.iter().any(|name| part.iter().any(|part| name.to_ascii_lowercase().contains(part)));
    holds(&["prev", "parent_hash", "hash_anterior"]) && holds(&["hash", "digest", "checksum", "signature", "hmac"])
        || holds(&["chain_hash", "hash_chain"])
        || names.iter().any(|name| names_previous_hash(name))
}

/// A column that can hold nothing but the hash of the row before.
pub fn names_previous_hash(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "");
    ["prevhash", "previoushash", "prevrowhash", "previousrowhash", "preventryhash", "previousentryhash"]
        .contains(&name.as_str())
}

/// A chain without rows: one that was emptied looks like one that was never written.
///
/// # Errors
/// The session is lost.
pub async fn empty(
    connection: &mut PgConnection,
    chain: &Chain,
    checkpoints: &[&Checkpoint],
) -> Result<ChainReport, Stop> {
    let oid = i64::from(chain.relation.oid);
    let sql = "
        select coalesce((select n_tup_ins > 0 from pg_catalog.pg_stat_all_tables where relid = $1::int8::oid), false)
          or coalesce((select bool_or(pg_catalog.pg_sequence_last_value(s.objid::pg_catalog.regclass) is not null)
            from pg_catalog.pg_depend s where s.refobjid = $1::int8::oid and s.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
              and s.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and s.deptype in ('a', 'i')
              and exists (select from pg_catalog.pg_class q where q.oid = s.objid and q.relkind = 'S')), false)";
    let written = sqlx::query_scalar::<_, bool>(sql).bind(oid).fetch_one(connection).await.unwrap_or(true);
    let mut report = ChainReport::undecided(chain.relation.shown(), "", "");
    report.column = chain.column(chain.hash).map(|column| column.name.clone());
    report.recipe = chain.recipe();
    if written {
        report.why = Some("the table is empty, and it once had rows".to_owned());
        report.needs = Some("name the head that was last seen: --expect HASH, or --checkpoint FILE".to_owned());
    } else {
        report.verdict = Verdict::Intact;
        (report.why, report.needs) = (None, None);
        report.notes.push("no row was written yet".to_owned());
    }
    // It had rows when they were signed.
    let column = report.column.clone().unwrap_or_default();
    let of_it: Vec<&Checkpoint> =
        checkpoints.iter().copied().filter(|known| pins::concerns(known, &report.table, &column)).collect();
    if !of_it.is_empty() {
        pins::compare(&of_it, &Outcome::default(), &mut report);
        if report.verdict == Verdict::Broken {
            (report.why, report.needs) = (None, None);
        }
    }
    Ok(report)
}
