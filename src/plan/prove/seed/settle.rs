//! Rows that were put in and cannot stay as they are: what they refer to took no rows, or something took them away again.

use super::{Plot, Seed, run};
use crate::check::quote::ident;
use crate::error::Stop;
use crate::plan::prove::seed::table::{Reference, Table};
use sqlx::{AssertSqlSafe, PgConnection};

impl Plot {
    /// Empties references to nothing where they may be empty, takes the rows away where they may not, and leaves out the tables that
    /// are empty then: no foreign key would hold against the rest, and no probe would find anything.
    pub(super) async fn settle(&self, seed: &mut Seed, connection: &mut PgConnection) -> Result<(), Stop> {
        loop {
            let mut gone = Vec::new();
            for seeded in &seed.tables {
                let Some(table) = self.tables.values().find(|table| table.plain == seeded.plain) else { continue };
                let outward = table.references.iter().filter(|it| it.table != table.oid);
                for (reference, target) in outward.filter_map(|it| Some((it, self.tables.get(&it.table)?))) {
                    if let Some(sql) = loosen(table, reference, target) {
                        run(connection, sql).await?;
                    }
                }
                // AssertSqlSafe: a quoted name.
                let sql = format!("select exists (select from {})", table.sql);
                let stays: bool = sqlx::query_scalar(AssertSqlSafe(sql))
                    .persistent(false)
                    .fetch_one(&mut *connection)
                    .await
                    .map_err(crate::target::refusal::lost)?;
                if !stays {
                    gone.push(seeded.plain.clone());
                }
            }
            if gone.is_empty() {
                return Ok(());
            }
            seed.tables.retain(|seeded| !gone.contains(&seeded.plain));
            let why = "rows put into it do not stay, or refer to rows that could not be put in";
            seed.refused.extend(gone.into_iter().map(|plain| (plain, why.to_owned())));
        }
    }
}

/// What makes a foreign key hold.
fn loosen(table: &Table, reference: &Reference, target: &Table) -> Option<String> {
    let mut full = Vec::new();
    let mut same = Vec::new();
    let mut may_be_empty = None;
    for (own, other) in &reference.columns {
        let (own, other) = (table.column(*own)?, target.column(*other)?);
        full.push(format!("t.{} is not null", ident(&own.name)));
        same.push(format!("p.{} = t.{}", ident(&other.name), ident(&own.name)));
        if !own.not_null && !own.is_generated {
            may_be_empty.get_or_insert(ident(&own.name));
        }
    }
    let dangling =
        format!("{} and not exists (select from {} p where {})", full.join(" and "), target.sql, same.join(" and "));
    Some(match may_be_empty {
        Some(column) => format!("update {} t set {column} = null where {dangling}", table.sql),
        None => format!("delete from {} t where {dangling}", table.sql),
    })
}
