//! Messages to the world outside, written in the transaction that decides them, sent by a role that does nothing else.

use super::super::ground::{Ground, listed};
use super::super::place::{free, home};
use super::super::role;
use super::super::template::statements;
use crate::check::quote::{ident, relation};
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Closes, Phase, Question};
use serde_json::{Value, json};

const TABLE: &str = include_str!("../../templates/outbox.sql");

/// The role that sends.
const DRAIN: &str = "outbox_drain";

pub(super) async fn plan(
    facts: &mut Facts,
    ground: &Ground,
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<(), Stop> {
    let there: Option<i64> = sqlx::query_scalar(
        "select 1 from relations r where r.kind in ('table', 'partitioned table') and r.provenance = 'user' and lower(r.name) like '%outbox%' limit 1",
    )
    .fetch_optional(facts.connection())
    .await?;
    if there.is_some() || ground.roles.writers.is_empty() {
        return Ok(());
    }
    let schema = home(facts, ground).await?;
    let name = free(facts, &schema, &["outbox"]).await?;
    let drain = (ground.roles.makes_roles || ground.roles.all.iter().any(|role| role == DRAIN)).then_some(DRAIN);
    let closes = vec![Closes { check: "stage 3".into(), object: "an outbox with a worker of its own".into() }];
    if drain.is_some() && !ground.roles.all.iter().any(|role| role == DRAIN) {
        changes.push(role::create(DRAIN, 3, &closes, vec!["outbox-worker"])?);
    }
    let mut values = ground.values(&ground.roles.deployer);
    for (key, value) in [
        ("schema", json!(ident(&schema))),
        ("table", json!(relation(Some(&schema), &name))),
        ("drain", drain.map_or(Value::Null, Value::from)),
        ("writers", listed(&ground.roles.writers)),
    ] {
        values.insert(key.to_owned(), value);
    }
    changes.push(Change {
        name: "create_outbox".into(),
        stage: 3,
        phase: Phase::Table,
        why: "What is sent and what is stored are decided in one transaction.".into(),
        statements: statements(TABLE, &values)?,
        closes,
        questions: vec!["outbox-worker".into()],
    });
    questions.push(Question {
        id: "outbox-worker".into(),
        question: "Which login sends what is in the outbox?".into(),
        default: match drain {
            Some(drain) => format!("none yet: grant {drain} to it"),
            None => format!(
                "none yet: an administrator runs `create role {DRAIN} nologin`, and a policy lets it read and mark rows"
            ),
        },
        key: "roles.applications".into(),
        answered: false,
    });
    Ok(())
}
