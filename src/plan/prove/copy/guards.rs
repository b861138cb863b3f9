//! Triggers, rules, policies, row security.

use super::make::Making;
use super::names::Names;
use super::tables::Parents;
use crate::check::quote::ident;
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::{BTreeMap, HashSet};

#[derive(sqlx::FromRow)]
struct Trigger {
    oid: i64,
    relation: i64,
    name: String,
    enabled: String,
    row_level: bool,
}

#[derive(sqlx::FromRow)]
struct Policy {
    oid: i64,
    relation: i64,
    name: String,
    permissive: bool,
    command: String,
    using_expression: Option<String>,
    check_expression: Option<String>,
}

/// In this order: triggers and rules, how they are enabled, policies, then row security itself.
pub(super) async fn guards(facts: &mut Facts, names: &Names, parents: &Parents) -> Result<Vec<Making>, Stop> {
    let mut makings = triggers(facts, names, parents).await?;
    makings.extend(rules(facts, names).await?);
    makings.extend(policies(facts, names).await?);
    let rows: Vec<(i64, bool, bool)> =
        sqlx::query_as("select oid, rls, force_rls from relations where rls = 1 or force_rls = 1")
            .fetch_all(facts.connection())
            .await?;
    for (oid, rls, force) in rows {
        let Some(own) = names.own(oid) else { continue };
        let switches = [rls.then_some("enable row level security"), force.then_some("force row level security")];
        let switches: Vec<_> = switches.into_iter().flatten().collect();
        let sql = format!("alter table {} {}", own.sql, switches.join(", "));
        makings.push(Making::new("row security", &own.plain, sql));
    }
    Ok(makings)
}

/// How a trigger or rule is switched, where that is not as it is made.
fn switched(enabled: &str) -> Option<&'static str> {
    match enabled {
        "always" => Some("enable always"),
        "replica" => Some("enable replica"),
        "disabled" => Some("disable"),
        _ => None,
    }
}

async fn triggers(facts: &mut Facts, names: &Names, parents: &Parents) -> Result<Vec<Making>, Stop> {
    let rows: Vec<Trigger> =
        sqlx::query_as("select oid, relation, name, enabled, row_level from triggers order by oid")
            .fetch_all(facts.connection())
            .await?;
    let all: HashSet<_> = rows.iter().map(|it| (it.relation, it.name.clone())).collect();
    // A row trigger of a partitioned table has a clone of its name on each partition.
    let is_clone = |it: &Trigger| {
        let above = parents.get(&it.relation).into_iter().flatten();
        it.row_level
            && above.filter(|(_, bound)| bound.is_some()).any(|(parent, _)| all.contains(&(*parent, it.name.clone())))
    };
    let (mut makings, mut switches) = (Vec::new(), Vec::new());
    for trigger in &rows {
        let Some(own) = names.own(trigger.relation) else { continue };
        let plain = format!("{}.{}", own.plain, trigger.name);
        if !is_clone(trigger) {
            // Without a text it is refused, and said to be missing.
            let sql = names.ddl("trigger", trigger.oid, 0).unwrap_or("create trigger");
            makings.push(Making::new("trigger", &plain, sql));
        }
        if let Some(how) = switched(&trigger.enabled) {
            let sql = format!("alter table only {} {how} trigger {}", own.sql, ident(&trigger.name));
            switches.push(Making::new("trigger", plain, sql));
        }
    }
    makings.extend(switches);
    Ok(makings)
}

async fn rules(facts: &mut Facts, names: &Names) -> Result<Vec<Making>, Stop> {
    let rows: Vec<(i64, String, String, String)> =
        sqlx::query_as("select relation, name, enabled, definition from rules order by oid")
            .fetch_all(facts.connection())
            .await?;
    let (mut makings, mut switches) = (Vec::new(), Vec::new());
    for (relation, name, enabled, definition) in rows {
        let Some(own) = names.own(relation) else { continue };
        let plain = format!("{}.{name}", own.plain);
        makings.push(Making::new("rule", &plain, definition.trim().trim_end_matches(';')));
        if let Some(how) = switched(&enabled) {
            switches.push(Making::new("rule", plain, format!("alter table {} {how} rule {}", own.sql, ident(&name))));
        }
    }
    makings.extend(switches);
    Ok(makings)
}

async fn policies(facts: &mut Facts, names: &Names) -> Result<Vec<Making>, Stop> {
    let rows: Vec<Policy> = sqlx::query_as(
        "select oid, relation, name, permissive, command, using_expression, check_expression from policies order by oid",
    )
    .fetch_all(facts.connection())
    .await?;
    let grantees: Vec<(i64, i64)> = sqlx::query_as("select policy, role from policy_roles order by policy, role")
        .fetch_all(facts.connection())
        .await?;
    let mut roles = BTreeMap::<_, Vec<_>>::new();
    for (policy, role) in grantees {
        roles.entry(policy).or_default().extend(names.role(role));
    }
    let mut makings = Vec::new();
    for it in rows {
        let Some(own) = names.own(it.relation) else { continue };
        let mut sql = format!(
            "create policy {} on {} as {} for {} to {}",
            ident(&it.name),
            own.sql,
            if it.permissive { "permissive" } else { "restrictive" },
            it.command.to_lowercase(),
            roles.get(&it.oid).map_or_else(|| "public".to_owned(), |roles| roles.join(", ")),
        );
        if let Some(expression) = &it.using_expression {
            sql += &format!(" using ({expression})");
        }
        if let Some(expression) = &it.check_expression {
            sql += &format!(" with check ({expression})");
        }
        makings.push(Making::new("policy", format!("{}.{}", own.plain, it.name), sql));
    }
    Ok(makings)
}

/// Event triggers come last of all: they would fire while the rest is made.
pub(super) async fn event_triggers(facts: &mut Facts, names: &Names) -> Result<Vec<Making>, Stop> {
    let rows: Vec<(i64, String, String, i64, i64, String)> =
        sqlx::query_as("select oid, name, event, owner, function, enabled from event_triggers order by oid")
            .fetch_all(facts.connection())
            .await?;
    let mut makings = Vec::new();
    for (oid, name, event, owner, function, enabled) in rows {
        let Some((function, _)) = names.functions.get(&function) else { continue };
        let tags = names.ddl("event trigger", oid, 0).filter(|tags| !tags.is_empty());
        let tags = tags.map(|tags| format!(" when tag in ({tags})")).unwrap_or_default();
        let it = ident(&name);
        let mut sql = format!("create event trigger {it} on {event}{tags} execute function {function}");
        if let Some(owner) = names.role(owner) {
            sql += &format!("; alter event trigger {it} owner to {owner}");
        }
        if let Some(how) = switched(&enabled) {
            sql += &format!("; alter event trigger {it} {how}");
        }
        makings.push(Making::new("event trigger", name, sql));
    }
    Ok(makings)
}
