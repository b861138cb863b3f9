//! For which tenants an agent may act: a list, and policies that hold an agent to it once the owner says so.

use super::super::ground::{Ground, listed, texts};
use super::super::place::{free, home};
use super::super::template::statements;
use super::{has_policy, restrictive, tenant_tables};
use crate::check::quote::{ident, relation};
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Closes, Phase, Question};
use serde_json::{Value, json};

const TABLE: &str = include_str!("../../templates/agent_tenants.sql");

pub(super) async fn plan(
    facts: &mut Facts,
    ground: &Ground,
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<(), Stop> {
    let named = texts(facts, "select name from agents order by name").await?;
    let agents: Vec<String> = named.into_iter().filter(|name| ground.roles.writers.contains(name)).collect();
    if ground.tenant.is_none() || agents.is_empty() || has_list(facts).await? {
        return Ok(());
    }
    let schema = home(facts, ground).await?;
    let name = free(facts, &schema, &["agent_tenants", "agent_tenant_list"]).await?;
    let scope = free(facts, &schema, &["agent_scope", "agent_scope_list"]).await?;
    let function = relation(Some(&schema), "agent_may");
    let mut values = ground.values(&ground.roles.deployer);
    for (key, value) in [
        ("schema", json!(ident(&schema))),
        ("table", json!(relation(Some(&schema), &name))),
        ("scope", json!(relation(Some(&schema), &scope))),
        ("scope_plain", json!(scope)),
        ("function", json!(function)),
        ("agents", listed(&agents)),
    ] {
        values.insert(key.to_owned(), value);
    }
    let closes = vec![Closes { check: "stage 3".into(), object: "for which tenants an agent may act".into() }];
    changes.push(Change {
        name: "list_tenants_agents_act_for".into(),
        stage: 3,
        phase: Phase::Table,
        why: "For which tenants an agent may act is written down, apart by what it does there, and ends.".into(),
        statements: statements(TABLE, &values)?,
        closes: closes.clone(),
        questions: vec!["agent-tenants".into()],
    });
    for (schema, table) in tenant_tables(facts, true).await? {
        if !has_policy(facts, &schema, &table, "agent_reads").await? {
            changes.push(policies(&agents, &function, &schema, &table, &closes)?);
        }
    }
    questions.push(Question {
        id: "agent-tenants".into(),
        question: "Which agents act for some tenants only? Listed in agent_scope, an agent is held to its rows of agent_tenants.".into(),
        default: "none yet: each acts for the tenant of its session".into(),
        key: "roles.agents".into(),
        answered: false,
    });
    Ok(())
}

/// In the words of the checks about such lists.
async fn has_list(facts: &mut Facts) -> Result<bool, Stop> {
    let found: Option<i64> = sqlx::query_scalar(
        "select 1 from relations r
         join tenant_keys k on k.relation = r.oid and k.role = 'key'
         join columns c on c.relation = r.oid and lower(replace(c.name, '_', '')) in ('agent', 'agentid', 'agentname', 'agentlogin', 'bot', 'botid', 'serviceaccount')
         where r.kind in ('table', 'partitioned table') and r.provenance = 'user' and r.oid not in (select relation from event_logs)
           and (lower(r.name) like '%grant%' or lower(r.name) like '%access%' or lower(r.name) like '%allow%' or lower(r.name) like '%agent%tenant%'
                or lower(r.name) like '%tenant%agent%' or lower(r.name) like '%permission%') limit 1",
    )
    .fetch_optional(facts.connection())
    .await?;
    Ok(found.is_some())
}

fn policies(agents: &[String], function: &str, schema: &str, table: &str, closes: &[Closes]) -> Result<Change, Stop> {
    let one = |name: &str, command: &str, writes: bool| {
        json!({ "name": name, "command": command, "asks": format!("{function}({writes})"),
                "says": "Acting for: a tenant that the agent is listed for, once it is held to the list." })
    };
    let all: Vec<Value> = [
        ("agent_reads", "select", false),
        ("agent_inserts", "insert", true),
        ("agent_updates", "update", true),
        ("agent_deletes", "delete", true),
    ]
    .map(|(name, command, writes)| one(name, command, writes))
    .to_vec();
    let values = json!({ "policies": all, "table": relation(Some(schema), table), "roles": listed(agents) });
    let why = format!("An agent that is held to a list reaches rows of {table} for tenants on it alone.");
    restrictive("hold_agents_to_their_tenants", why, &values, closes, "agent-tenants")
}
