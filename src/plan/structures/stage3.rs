//! Stage 3: a roles table and policies that ask it, an outbox with a worker of its own, and for which tenants an agent acts.

mod agents;
mod members;
mod outbox;

use super::ground::Ground;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Closes, Phase, Question, Statement};

/// What is missing for stage 3.
pub async fn stage3(facts: &mut Facts, _config: &Config) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let ground = Ground::read(facts).await?;
    let mut changes = Vec::new();
    let mut questions = Vec::new();
    members::plan(facts, &ground, &mut changes, &mut questions).await?;
    agents::plan(facts, &ground, &mut changes, &mut questions).await?;
    outbox::plan(facts, &ground, &mut changes, &mut questions).await?;
    if !changes.is_empty()
        && !ground.schemas.iter().any(|schema| schema == OWN_SCHEMA)
        && home(facts, &ground).await? == OWN_SCHEMA
    {
        changes.insert(0, own_schema());
    }
    Ok((changes, questions))
}

/// Where the deployer may create in no schema there is, it makes one.
fn own_schema() -> Change {
    Change {
        name: format!("create_schema_{OWN_SCHEMA}"),
        stage: 3,
        phase: Phase::Ground,
        why: "What says who may do what has a schema of its own.".into(),
        statements: vec![Statement::undone_by(
            format!("create schema if not exists {OWN_SCHEMA}"),
            format!("drop schema if exists {OWN_SCHEMA}"),
        )],
        closes: vec![Closes { check: "stage 3".into(), object: "a place for the roles table".into() }],
        questions: Vec::new(),
    }
}

/// A table with tenant data that writers reach: schema and name.
async fn tenant_tables(facts: &mut Facts, agents_alone: bool) -> Result<Vec<(String, String)>, Stop> {
    let rows = sqlx::query_as(
        "select distinct r.schema, r.name from relations r
         join tenant_keys k on k.relation = r.oid and k.role = 'key'
         join relation_privileges rp on rp.relation = r.oid and rp.visible = 1
           and rp.can_select + rp.can_insert + rp.can_update + rp.can_delete > 0
         join principals p on p.role = rp.role and p.kind in ('login', 'unused') and (p.purpose = 'agent' or ?1 = 0)
           and p.purpose not in ('auditor', 'administration', 'monitoring', 'replication')
         where r.provenance = 'user' and r.kind in ('table', 'partitioned table') and r.is_partition = 0
           and r.oid not in (select relation from event_logs) and lower(r.name) not like '%outbox%' and lower(r.name) not like '%inbox%'
           and lower(r.name) not like '%member%' and lower(r.name) not like '%role%' and lower(r.name) not like 'agent_tenant%'
           and not exists (select 1 from relations log join event_logs l on l.relation = log.oid where log.schema = r.schema
                           and substr(r.name, 1, length(log.name) + 1) = log.name || '_')
         order by 1, 2",
    )
    .bind(i64::from(agents_alone))
    .fetch_all(facts.connection())
    .await?;
    Ok(rows)
}

/// Whether a policy of that name is on the table already.
async fn has_policy(facts: &mut Facts, schema: &str, table: &str, policy: &str) -> Result<bool, Stop> {
    let found: Option<i64> = sqlx::query_scalar(
        "select 1 from policies p join relations r on r.oid = p.relation where r.schema = ? and r.name = ? and p.name = ?",
    )
    .bind(schema.to_owned())
    .bind(table.to_owned())
    .bind(policy.to_owned())
    .fetch_optional(facts.connection())
    .await?;
    Ok(found.is_some())
}

/// A name that no relation of the schema has.
async fn free(facts: &mut Facts, schema: &str, names: &[&str]) -> Result<String, Stop> {
    let taken: Vec<String> = sqlx::query_scalar("select name from relations where schema = ?")
        .bind(schema.to_owned())
        .fetch_all(facts.connection())
        .await?;
    let found = names.iter().find(|name| !taken.iter().any(|known| known == **name));
    Ok((*found.or(names.last()).unwrap_or(&"memberships")).to_owned())
}

/// A schema of its own for what has no other place.
const OWN_SCHEMA: &str = "access_control";

/// The schema for new tables: that of the tenants, else the one most tables are in, where the deployer may create there.
async fn home(facts: &mut Facts, ground: &Ground) -> Result<String, Stop> {
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
