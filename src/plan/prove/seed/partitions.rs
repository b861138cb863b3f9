//! A partition for each partitioned table that has none yet: without one it takes no row, and nothing could be tried on it.

use super::super::apply::run;
use crate::check::quote::{ident, literal, relation};
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::guard;
use sqlx::PgConnection;

/// How these partitions begin; nobody else's do.
const NAME: &str = "govctl rows ";

/// Whether an object is one of them.
pub(in crate::plan::prove) fn is_stand_in(name: &str) -> bool {
    name.starts_with(NAME)
}

/// Makes them, owned as their table is and granted to nobody.
pub(in crate::plan::prove) async fn make(facts: &mut Facts, connection: &mut PgConnection) -> Result<(), Stop> {
    let empty: Vec<(i64, String, String, String, String)> = sqlx::query_as(
        "select r.oid, r.schema, r.name, o.name, (select k.strategy from partition_keys k where k.relation = r.oid limit 1)
         from relations r join roles o on o.oid = r.owner
         where r.kind = 'partitioned table' and exists (select 1 from partition_keys k where k.relation = r.oid)
           and not exists (select 1 from inheritance i where i.parent = r.oid)",
    )
    .fetch_all(facts.connection())
    .await?;
    for (oid, schema, name, owner, strategy) in empty {
        let bound = match strategy.as_str() {
            "hash" => "for values with (modulus 1, remainder 0)",
            _ => "default",
        };
        let (parent, own) = (relation(Some(&schema), &name), relation(Some(&schema), &format!("{NAME}{oid}")));
        // What cannot be made is said where the table takes no rows.
        if run(connection, format!("create table {own} partition of {parent} {bound}")).await?.is_some() {
            continue;
        }
        let name = literal(&own);
        let granted = format!(
            "  for grantee in select distinct case when a.grantee = 0 then 'public' else a.grantee::regrole::text end
      from pg_catalog.pg_class c, aclexplode(c.relacl) a where c.oid = {name}::regclass loop
    execute 'revoke all on ' || {name} || ' from ' || grantee;
  end loop;"
        );
        let tag = guard::tag(&granted);
        run(connection, format!("do {tag} declare grantee text; begin\n{granted}\nend {tag}")).await?;
        run(connection, format!("alter table {own} owner to {}", ident(&owner))).await?;
    }
    Ok(())
}
