//! Stage 3: a roles table and policies that ask it, an outbox with a worker of its own, for which tenants an
//! agent acts, and which columns a department reads.

mod agents;
mod members;
mod outbox;
mod slices;

use super::ground::Ground;
use super::template::statements;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Closes, Phase, Question};
use serde_json::{Map, Value};

const POLICIES: &str = include_str!("../templates/member_policies.sql");

/// What is missing for stage 3.
pub async fn stage3(facts: &mut Facts, config: &Config) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let ground = Ground::read(facts).await?;
    let mut changes = Vec::new();
    let mut questions = Vec::new();
    members::plan(facts, config, &ground, &mut changes, &mut questions).await?;
    agents::plan(facts, &ground, &mut changes, &mut questions).await?;
    outbox::plan(facts, &ground, &mut changes, &mut questions).await?;
    changes.extend(super::place::made(facts, &ground, &changes, 3).await?);
    slices::plan(facts, config, &ground, &mut changes, &mut questions).await?;
    Ok((changes, questions))
}

/// Restrictive policies on a table, from the values of the template: why, and the question that decided them.
fn restrictive(
    name: &str,
    why: String,
    values: &Value,
    closes: &[Closes],
    question: &'static str,
) -> Result<Change, Stop> {
    Ok(Change {
        name: name.into(),
        stage: 3,
        phase: Phase::Policy,
        why,
        statements: statements(POLICIES, values.as_object().unwrap_or(&Map::new()))?,
        closes: closes.to_vec(),
        questions: vec![question.into()],
    })
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
