//! The first migration of a plan: what it takes for granted, looked at before anything is changed.

use super::before::Before;
use super::ddl::{self, Ddl, Name};
use super::guard;
use super::step::Step;
use crate::check::quote::literal;
use crate::error::Stop;
use std::collections::BTreeMap;

/// Stops with a sentence where the server is older than that of the facts, where a table that is changed is not there, or where the
/// role may not act as its owner. None where nothing that exists is changed.
pub(crate) async fn step(steps: &[Step], before: &mut Before<'_>) -> Result<Option<Step>, Stop> {
    let mut tables: BTreeMap<Name, String> = BTreeMap::new();
    for statement in steps.iter().flat_map(|step| &step.up) {
        let (Ddl::AlterTable { table, .. } | Ddl::CreatePolicy { table, .. } | Ddl::CreateTrigger { table, .. }) =
            ddl::read(guard::inner(statement))
        else {
            continue;
        };
        if !tables.contains_key(&table)
            && let Some(owner) = before.owner(&table).await?
        {
            tables.insert(table, owner);
        }
    }
    let Some(stage) = steps.iter().map(|step| step.stage).min().filter(|_| !tables.is_empty()) else { return Ok(None) };
    let major = before.version().await? / 10_000;
    let rows = tables.iter().map(|(table, owner)| {
        let schema = literal(table.schema.as_deref().unwrap_or("public"));
        format!("({schema}::text, {}::text, {}::text)", literal(&table.name), literal(owner))
    });
    let body = format!(
        "declare
  it record;
  owns record;
begin
  if current_setting('server_version_num')::int < {major}0000 then
    raise exception 'this plan was made for PostgreSQL {major}, and this is %: plan again for it', current_setting('server_version');
  end if;
  for it in select * from (values
    {}) as planned (in_schema, name, owner) loop
    select o.oid, o.rolname into owns from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_roles o on o.oid = c.relowner
      where n.nspname = it.in_schema and c.relname = it.name;
    if not found then
      raise exception '%.% is not there: this plan was made for another database', it.in_schema, it.name;
    end if;
    if owns.rolname = it.owner and not pg_catalog.pg_has_role(current_user, owns.oid, 'usage') then
      raise exception '%.% belongs to %, and % may not act as it: run this plan as its owner', it.in_schema, it.name, it.owner, current_user;
    end if;
  end loop;
end",
        rows.collect::<Vec<_>>().join(",\n    ")
    );
    let tag = guard::tag(&body);
    Ok(Some(Step {
        n: 0,
        name: "check_the_ground".to_owned(),
        stage,
        why: "What the plan takes for granted is looked at before anything is changed.".to_owned(),
        transaction: true,
        up: vec![format!("do {tag} {body} {tag}")],
        down: Vec::new(),
        closes: Vec::new(),
        lock: "none on tables".to_owned(),
        reversible: true,
        notes: Vec::new(),
        questions: Vec::new(),
    }))
}
