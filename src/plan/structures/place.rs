//! Where new tables go, and under which name.

use super::ground::Ground;
use super::key::bounded;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Closes, Phase, Statement};

/// A schema of its own for what has no other place.
const OWN_SCHEMA: &str = "access_control";

/// The schema for new tables: that of the tenants, else the one most tables are in, where the deployer may create there.
pub(crate) async fn home(facts: &mut Facts, ground: &Ground) -> Result<String, Stop> {
    let schemas: Vec<(String, i64)> = sqlx::query_as(
        "select r.schema, max(o.superuser = 1 or s.owner = o.oid or coalesce(sp.can_create, 0) = 1) as creates
         from relations r
         join schemas s on s.oid = r.schema_oid
         join roles o on o.name = ?
         left join schema_privileges sp on sp.schema_oid = s.oid and (sp.role = o.oid
           or sp.role in (select reach.role from role_reach reach join roles l on l.oid = reach.role and l.login = 1
                          where reach.reaches = o.oid and o.login = 0 and reach.inherits = 1))
         where r.provenance = 'user' and r.kind in ('table', 'partitioned table')
           and not exists (select 1 from event_logs l join relations log on log.oid = l.relation where log.schema = r.schema)
         group by r.schema order by count(*) desc, r.schema",
    )
    .bind(ground.roles.deployer.clone())
    .fetch_all(facts.connection())
    .await?;
    let may = |name: &str| schemas.iter().any(|(schema, creates)| schema == name && *creates == 1);
    let of_tenants = ground.tenant.as_ref().and_then(|tenant| tenant.table.as_ref()).map(|(schema, ..)| schema);
    let found = of_tenants
        .filter(|schema| may(schema))
        .or_else(|| schemas.iter().map(|(schema, _)| schema).find(|schema| may(schema)));
    Ok(found.cloned().unwrap_or_else(|| OWN_SCHEMA.to_owned()))
}

/// A name that no relation of the schema has.
pub(crate) async fn free(facts: &mut Facts, schema: &str, names: &[&str]) -> Result<String, Stop> {
    let taken: Vec<String> = sqlx::query_scalar("select name from relations where schema = ?")
        .bind(schema.to_owned())
        .fetch_all(facts.connection())
        .await?;
    let found = names.iter().find(|name| !taken.iter().any(|known| known == **name));
    Ok((*found.or(names.last()).unwrap_or(&"memberships")).to_owned())
}

/// A name that no policy of the table has.
pub(crate) async fn free_policy(facts: &mut Facts, table: i64, name: &str) -> Result<String, Stop> {
    let taken: Vec<String> = sqlx::query_scalar("select name from policies where relation = ?")
        .bind(table)
        .fetch_all(facts.connection())
        .await?;
    Ok(untaken(&taken, name, |number| format!("{name}_{number}")))
}

/// A name that no function of the schema has.
pub(crate) async fn free_function(facts: &mut Facts, schema: &str, name: &str) -> Result<String, Stop> {
    let taken: Vec<String> = sqlx::query_scalar("select name from functions where schema = ?")
        .bind(schema.to_owned())
        .fetch_all(facts.connection())
        .await?;
    Ok(untaken(&taken, name, |number| bounded(&format!("{number}_"), name)))
}

/// The name, or the first numbered one that is not taken.
fn untaken(taken: &[String], name: &str, numbered: impl Fn(u64) -> String) -> String {
    let mut found = name.to_owned();
    for number in 2.. {
        if !taken.contains(&found) {
            break;
        }
        found = numbered(number);
    }
    found
}

/// The schema of its own, where something is planned for it and it is not there.
pub(crate) async fn made(
    facts: &mut Facts,
    ground: &Ground,
    changes: &[Change],
    stage: u8,
) -> Result<Option<Change>, Stop> {
    let there = ground.schemas.iter().any(|schema| schema == OWN_SCHEMA);
    let needed = !changes.is_empty() && !there && home(facts, ground).await? == OWN_SCHEMA;
    Ok(needed.then(|| Change {
        name: format!("create_schema_{OWN_SCHEMA}"),
        stage,
        phase: Phase::Ground,
        why: "What says who may do what has a schema of its own.".into(),
        statements: vec![Statement::undone_by(
            format!("create schema if not exists {OWN_SCHEMA}"),
            format!("drop schema if exists {OWN_SCHEMA}"),
        )],
        closes: vec![Closes { check: format!("stage {stage}"), object: "a place for new tables".into() }],
        questions: Vec::new(),
    }))
}
