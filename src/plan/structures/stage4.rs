//! Stage 4: an append-only, hash-chained log of who did what, with a typed actor, an auditor and a replica; and
//! references in the place of secrets.

mod log;
mod references;
mod retrieval;
mod tenant_of_log;
mod upgrade;

use super::ground::Ground;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Question, Unproved};
use std::collections::BTreeSet;

/// What is missing for stage 4.
pub async fn stage4(facts: &mut Facts, config: &Config) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    after(facts, config, &BTreeSet::new()).await
}

/// Searches are recorded from stage 3 on, before there is a log of everything else.
pub(crate) async fn searches(facts: &mut Facts) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let ground = Ground::read(facts).await?;
    let (mut changes, mut questions) = (Vec::new(), Vec::new());
    retrieval::plan(3, facts, &ground, &mut changes, &mut questions).await?;
    changes.extend(super::place::made(facts, &ground, &changes, 3).await?);
    Ok((changes, questions))
}

/// Logs whose rows may be changed, by schema and name.
pub(crate) type Changeable = BTreeSet<(String, String)>;

/// What rows may be changed now; once the plan has run, its own guards refuse.
pub(crate) async fn changeable(facts: &mut Facts) -> Result<Changeable, Stop> {
    let sql = "select r.schema, r.name from event_logs l join relations r on r.oid = l.relation where l.on_update <> 'refused'";
    let rows: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(facts.connection()).await?;
    Ok(rows.into_iter().collect())
}

/// The same, for facts of a copy that has run a part of the plan. `changeable`: before it had.
pub(crate) async fn after(
    facts: &mut Facts,
    config: &Config,
    changeable: &Changeable,
) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let ground = Ground::read(facts).await?;
    let mut changes = Vec::new();
    let mut questions = Vec::new();
    if tenant_of_log::plan(facts, config, &ground, &mut changes, &mut questions).await? {
        // What a log's hash covers is settled once its tenant is there: the next look at the facts sees it.
        return Ok((changes, questions));
    }
    log::plan(facts, config, &ground, changeable, &mut changes, &mut questions).await?;
    retrieval::plan(4, facts, &ground, &mut changes, &mut questions).await?;
    references::plan(facts, config, &ground, &mut changes, &mut questions).await?;
    Ok((changes, questions))
}

pub(crate) use log::payload_tag;

/// The schema in which logins are registered as actors, or will be.
pub(crate) async fn log_schema(facts: &mut Facts, ground: &Ground) -> Result<Option<String>, Stop> {
    let found: Option<String> =
        sqlx::query_scalar("select schema from functions where name = 'session_actor' and signature = '' limit 1")
            .fetch_optional(facts.connection())
            .await?;
    if found.is_some() {
        return Ok(found);
    }
    let logs: Option<i64> = sqlx::query_scalar("select 1 from event_logs where purpose = 'audit' limit 1")
        .fetch_optional(facts.connection())
        .await?;
    Ok(logs.is_none().then(|| log::schema(&ground.schemas).to_owned()))
}

/// Logs whose chain covers the payload itself, by schema and name as a check says them.
pub(crate) async fn sealed(facts: &mut Facts) -> Result<BTreeSet<String>, Stop> {
    let sql = "select r.schema || '.' || r.name from event_logs l join relations r on r.oid = l.relation
               where exists (select 1 from event_log_columns c where c.relation = l.relation and c.role = 'hash')
                 and not exists (select 1 from columns c where c.relation = l.relation and c.name = 'payload_digest')";
    let logs: Vec<String> = sqlx::query_scalar(sql).fetch_all(facts.connection()).await?;
    Ok(logs.into_iter().collect())
}

/// Takes out a column that would say of such a log that payloads may be emptied: emptying one would break the chain from that row on.
pub(crate) fn unsealed(changes: &mut Vec<Change>, logs: &BTreeSet<String>) -> Vec<Unproved> {
    const CHECK: &str = "audit/no-redaction-path";
    let mut open = Vec::new();
    changes.retain(|change| {
        let found = change.closes.iter().find(|it| it.check == CHECK && logs.contains(&it.object));
        open.extend(found.map(|it| Unproved {
            check: CHECK.into(),
            object: it.object.clone(),
            why: "Its chain hashes the payload itself: let the hash cover a salted digest of it first, from a row on that a checkpoint names."
                .into(),
        }));
        found.is_none()
    });
    open
}
