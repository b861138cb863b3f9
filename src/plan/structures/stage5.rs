//! Stage 5: somebody else signs, and why something was done is kept for as long as somebody decided.

use super::ground::{Ground, listed, texts};
use super::place::home;
use super::stage4::log_schema;
use super::template::statements;
use crate::check::quote::{ident, literal, relation};
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Closes, Phase, Question};
use serde_json::{Map, Value, json};

const APPROVALS: &str = include_str!("../templates/approvals.sql");
const REASONING: &str = include_str!("../templates/reasoning.sql");
const UNKEPT: &str = include_str!("../templates/unkept.sql");

/// What is missing for stage 5.
pub async fn stage5(facts: &mut Facts, config: &Config) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let ground = Ground::read(facts).await?;
    let days = config.plan.reasoning_days.unwrap_or(730);
    let mut changes = unkept(facts, days).await?;
    let mut questions = Vec::new();
    let schema = home(facts, &ground).await?;
    let mut values = ground.values(&ground.roles.deployer);
    let agents = texts(facts, "select name from agents").await?;
    let signers: Vec<String> = ground.roles.writers.iter().filter(|name| !agents.contains(name)).cloned().collect();
    let actors = log_schema(facts, &ground).await?;
    for (key, value) in [
        ("schema", json!(ident(&schema))),
        ("actors", actors.map_or(Value::Null, |schema| json!(ident(&schema)))),
        ("agent_names", names(&agents)),
        ("signers", listed(&signers)),
        ("auditors", listed(&ground.roles.auditors)),
        ("payload_tag", json!(super::stage4::payload_tag())),
        ("days", json!(days)),
    ] {
        values.insert(key.to_owned(), value);
    }
    if !there(facts, COSIGNED).await? {
        changes.push(change(
            "create_approvals",
            "What is of consequence waits for somebody else's signature.",
            "somebody else signs an action",
            APPROVALS,
            &values,
            vec!["cosigners"],
        )?);
        questions.push(Question {
            id: "cosigners".into(),
            question: "Which roles sign what an agent asks for, and which actions wait for how many of them?".into(),
            default: if signers.is_empty() {
                "nobody yet; one signature".into()
            } else {
                format!("{}; one signature", signers.join(", "))
            },
            key: "roles.people".into(),
            answered: false,
        });
    }
    if !there(facts, KEPT).await? {
        changes.push(change(
            "create_reasoning_artifacts",
            "Why an agent did what it did can be shown, for as long as somebody decided.",
            "reasoning is kept, and for how long",
            REASONING,
            &values,
            vec!["reasoning-retention"],
        )?);
        questions.push(Question {
            id: "reasoning-retention".into(),
            question: "How long must an action be explained?".into(),
            default: format!("{days} days"),
            key: "plan.reasoning_days".into(),
            answered: config.plan.reasoning_days.is_some(),
        });
    }
    changes.extend(super::place::made(facts, &ground, &changes, 5).await?);
    Ok((changes, questions))
}

fn change(
    name: &str,
    why: &str,
    criterion: &str,
    template: &str,
    values: &Map<String, Value>,
    questions: Vec<&'static str>,
) -> Result<Change, Stop> {
    Ok(Change {
        name: name.into(),
        stage: 5,
        phase: Phase::Table,
        why: why.into(),
        statements: statements(template, values)?,
        closes: vec![Closes { check: "stage 5".into(), object: criterion.into() }],
        questions: questions.into_iter().map(Into::into).collect(),
    })
}

fn names(roles: &[String]) -> Value {
    if roles.is_empty() {
        return Value::Null;
    }
    Value::from(roles.iter().map(|name| literal(name)).collect::<Vec<_>>().join(", "))
}

/// The ladder's criteria (checks/ladder.yaml).
const COSIGNED: &str = "
    select 1 from relations r
    join columns c on c.relation = r.oid
      and (lower(replace(c.name, '_', '')) like '%cosign%' or lower(replace(c.name, '_', '')) like '%approver%'
        or lower(replace(c.name, '_', '')) like '%approvedby%' or lower(replace(c.name, '_', '')) like '%signedby%')
    where r.provenance = 'user' and r.kind in ('table', 'partitioned table')
      and (lower(r.name) like '%approv%' or lower(r.name) like '%sign%') limit 1";
const KEPT: &str = "
    select 1 from relations r
    join columns c on c.relation = r.oid
      and (lower(c.name) like '%retain%' or lower(c.name) like '%retention%' or lower(c.name) like '%expire%' or lower(c.name) like '%purge%')
    where r.provenance = 'user' and r.kind in ('table', 'partitioned table')
      and (lower(r.name) like '%reason%' or lower(r.name) like '%trace%' or lower(r.name) like '%transcript%'
        or lower(r.name) like '%thought%' or lower(r.name) like '%rationale%' or lower(r.name) like '%prompt%') limit 1";

async fn there(facts: &mut Facts, sql: &'static str) -> Result<bool, Stop> {
    let found: Option<i64> = sqlx::query_scalar(sql).fetch_optional(facts.connection()).await?;
    Ok(found.is_some())
}

/// Tables of prompts and answers that lead to no run or say not how long they stay: audit/reasoning-unkept.
async fn unkept(facts: &mut Facts, days: u16) -> Result<Vec<Change>, Stop> {
    let found: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "with artifact as (
           select r.oid, r.schema, r.name, r.kind,
             exists (select 1 from columns c where c.relation = r.oid and lower(replace(c.name, '_', '')) in ('runid', 'traceid', 'eventid', 'actionid', 'stepid', 'spanid', 'requestid', 'conversationid', 'threadid', 'sessionid', 'messageid', 'toolcallid', 'auditid', 'decisionid', 'generationid', 'observationid')) as linked,
             exists (select 1 from columns c where c.relation = r.oid and lower(replace(c.name, '_', '')) in ('retainuntil', 'expiresat', 'retentionuntil', 'retentionclass', 'retention', 'deleteafter', 'legalhold', 'purgeafter', 'keepuntil'))
               or r.kind = 'partitioned table' as kept
           from relations r
           where r.kind in ('table', 'partitioned table') and r.is_partition = 0 and r.provenance = 'user'
             and r.oid not in (select relation from event_logs where purpose = 'audit')
             and (exists (select 1 from columns c where c.relation = r.oid and lower(replace(c.name, '_', '')) in ('reasoning', 'reasoningtext', 'chainofthought', 'thinking', 'thoughts', 'rationale', 'scratchpad'))
                  or exists (select 1 from columns c where c.relation = r.oid and lower(c.name) in ('prompt', 'prompts', 'system_prompt', 'prompt_text'))
                     and exists (select 1 from columns c where c.relation = r.oid and lower(c.name) in ('completion', 'response', 'output', 'answer', 'response_text')))
         )
         select schema, name, linked, kept from artifact where linked = 0 or kept = 0 order by 1, 2",
    )
    .fetch_all(facts.connection())
    .await?;
    let mut changes = Vec::new();
    for (schema, name, linked, kept) in found {
        let values = json!({ "table": relation(Some(&schema), &name), "linked": linked, "kept": kept, "days": days });
        changes.push(Change {
            name: "keep_reasoning_for_a_time".into(),
            stage: 5,
            phase: Phase::Column,
            why: format!("Rows of {name} lead to a run, and say until when they are kept."),
            statements: statements(UNKEPT, values.as_object().unwrap_or(&Map::new()))?,
            closes: vec![Closes { check: "audit/reasoning-unkept".into(), object: format!("{schema}.{name}") }],
            questions: vec!["reasoning-retention".into()],
        });
    }
    Ok(changes)
}
