//! What an agent was shown, and what was held back: a row a search, where agents search and nothing records it.

use super::super::ground::{Ground, listed};
use super::super::place::home;
use super::super::template::statements;
use super::log;
use crate::check::quote::ident;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Closes, Phase, Question};
use serde_json::{Value, json};

const TABLE: &str = include_str!("../../templates/retrieval.sql");

/// Tables that are searched: by vectors, by whoever connects (check retrieval/no-retrieval-log); by their names, by agents.
const SEARCHED: &str = "
    select distinct r.schema || '.' || r.name as name from relations r
    join exposure e on e.relation = r.oid
    join principals p on p.role = e.principal and p.kind = 'login' and p.purpose in ('agent', 'application', 'unknown')
    where r.kind in ('table', 'partitioned table') and r.is_partition = 0 and r.provenance = 'user'
      and not exists (select 1 from event_logs where purpose = 'retrieval')
      and (r.oid in (select relation from columns where type_name in ('vector', 'halfvec', 'sparsevec'))
        or p.purpose = 'agent' and (lower(r.name) like '%chunk%' or lower(r.name) like '%embedding%' or lower(r.name) like '%passage%'
          or lower(r.name) like '%knowledge%' or lower(r.name) in ('documents', 'document', 'docs')))
    order by 1";

/// `stage`: at 3 nobody is a registered actor yet, and no role is there to hold a log for itself.
pub(super) async fn plan(
    stage: u8,
    facts: &mut Facts,
    ground: &Ground,
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<(), Stop> {
    let searched: Vec<String> = sqlx::query_scalar(SEARCHED).fetch_all(facts.connection()).await?;
    if searched.is_empty() {
        return Ok(());
    }
    // The map of logins, there or planned; without one the login speaks for itself.
    let planned = changes.iter().any(|change| change.name == "register_logins_as_actors");
    let actors = match super::log_schema(facts, ground).await?.filter(|_| stage > 3) {
        None if planned => Some(log::schema(&ground.schemas).to_owned()),
        found => found,
    };
    let schema = match &actors {
        Some(schema) => schema.clone(),
        None => home(facts, ground).await?,
    };
    let owner = if stage > 3 { owner(facts, ground).await? } else { None };
    let auditors = auditors(ground, changes);
    // Those to whom the schema is not open yet; a log that is made now opens it itself.
    let made = changes.iter().any(|change| change.name == "create_event_log");
    let strangers: Vec<String> = match made {
        true => Vec::new(),
        false => {
            let inside = inside(facts, &schema).await?;
            auditors.iter().filter(|auditor| !inside.contains(auditor)).cloned().collect()
        }
    };
    let mut values = ground.values(owner.as_deref().unwrap_or(&ground.roles.deployer));
    for (key, value) in [
        ("schema", json!(ident(&schema))),
        ("actors", actors.as_ref().map_or(Value::Null, |schema| json!(ident(schema)))),
        ("owner", json!(owner)),
        ("own_schema", json!(actors.is_some())),
        ("auditors", listed(&auditors)),
        ("strangers", listed(&strangers)),
        ("payload_tag", json!(log::payload_tag())),
    ] {
        values.insert(key.to_owned(), value);
    }
    changes.push(Change {
        name: "create_retrieval_log".into(),
        stage,
        phase: Phase::Table,
        why: "What an agent found, what it was shown and what was held back can be shown, search by search.".into(),
        statements: statements(TABLE, &values)?,
        closes: vec![Closes { check: "retrieval/no-retrieval-log".into(), object: "the database".into() }],
        questions: vec!["retrieval".into()],
    });
    let writers = &ground.roles.writers;
    questions.push(Question {
        id: "retrieval".into(),
        question: format!("Which component records what a search found and what it let through? It inserts a row into {schema}.retrieval."),
        default: format!(
            "{}, for searches of {}",
            if writers.is_empty() { "nobody yet".to_owned() } else { writers.join(", ") },
            searched.join(", ")
        ),
        key: "roles.applications".into(),
        answered: false,
    });
    Ok(())
}

/// The role that the log belongs to, or will.
async fn owner(facts: &mut Facts, ground: &Ground) -> Result<Option<String>, Stop> {
    let owner: Option<String> = sqlx::query_scalar(
        "select o.name from event_logs l join relations r on r.oid = l.relation join roles o on o.oid = r.owner
         where l.purpose = 'audit' and o.name = 'audit_owner' limit 1",
    )
    .fetch_optional(facts.connection())
    .await?;
    Ok(owner.or_else(|| ground.roles.makes_roles.then(|| "audit_owner".to_owned())))
}

/// Roles that may enter a schema.
async fn inside(facts: &mut Facts, schema: &str) -> Result<Vec<String>, Stop> {
    let sql = "select r.name from schemas s join schema_privileges p on p.schema_oid = s.oid and p.can_use = 1
               join roles r on r.oid = p.role where s.name = ?";
    Ok(sqlx::query_scalar(sql).bind(schema.to_owned()).fetch_all(facts.connection()).await?)
}

/// Who reviews: those there are, else the role that the plan makes for the log.
fn auditors(ground: &Ground, changes: &[Change]) -> Vec<String> {
    let made = changes.iter().any(|change| change.name == "create_role_auditor_ro");
    match ground.roles.auditors.as_slice() {
        [] if made => vec!["auditor_ro".to_owned()],
        there => there.to_vec(),
    }
}
