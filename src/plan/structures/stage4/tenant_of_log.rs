//! The tenant's key on a log that is there without one.
//!
//! What a log says already is not written anew: rows there are, and what the product does for itself, belong to a tenant that nobody is.

use super::super::ground::{Ground, listed};
use crate::check::quote::{ident, literal};
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::ddl::Name;
use crate::plan::order::slug;
use crate::plan::{Change, Closes, Phase, Question, Statement};

/// Logs without a tenant and without a chain, whose hash might be of the whole row: whether a policy is on them.
const WITHOUT: &str = "
    select r.schema, r.name, exists (select 1 from policies p where p.relation = r.oid and p.permissive = 1) and r.rls = 1 as has_policies
    from event_logs l
    join relations r on r.oid = l.relation and r.provenance = 'user' and r.kind in ('table', 'partitioned table')
    join tenancy t on t.mode = 'multi'
    where l.purpose in ('audit', 'retrieval')
      and not exists (select 1 from event_log_columns c where c.relation = l.relation and c.role in ('tenant', 'previous hash', 'hash', 'signature'))
      and not exists (select 1 from columns c where c.relation = l.relation and c.name = ?)
      and l.relation not in (select relation from tenant_paths) and l.relation not in (select relation from framework_relations)
    order by 1, 2";

/// Whether something is planned.
pub(super) async fn plan(
    facts: &mut Facts,
    config: &Config,
    ground: &Ground,
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<bool, Stop> {
    let value = ground.tenant_value();
    let (Some(tenant), Some(session)) = (&ground.tenant, value["default"].as_str()) else { return Ok(false) };
    let nobody = match (&config.plan.platform_tenant, tenant.type_name.as_str()) {
        (Some(chosen), _) => chosen.as_str(),
        (None, "uuid") => "00000000-0000-0000-0000-000000000000",
        (None, "bigint" | "numeric") => "0",
        (None, "text") => "platform",
        _ => return Ok(false),
    };
    let found: Vec<(String, String, bool)> =
        sqlx::query_as(WITHOUT).bind(tenant.name.clone()).fetch_all(facts.connection()).await?;
    let key = ident(&tenant.name);
    let constant = format!("{}::{}", literal(nobody), tenant.type_name);
    let predicate = &tenant.predicate;
    let whose = format!("coalesce({session}, {constant})");
    for (schema, name, has_policies) in &found {
        let table = Name { schema: Some(schema.clone()), name: name.clone() };
        let change = |phase: Phase, statements: Vec<Statement>| Change {
            name: format!("say_the_tenant_in_{}", slug(name)),
            // A key and a policy: what stage 2 is about, and before all that rests on them.
            stage: 2,
            phase,
            why: format!("A customer who asks for its own part of {name} can be given it."),
            statements,
            closes: vec![Closes { check: "audit/log-without-tenant".into(), object: format!("{schema}.{name}") }],
            questions: vec!["log-tenant".into()],
        };
        changes.push(change(
            Phase::Column,
            vec![
                Statement::new(format!(
                    "alter table {table} add column {key} {} not null default {constant}",
                    tenant.type_name
                )),
                Statement::undone_by(format!("alter table {table} alter column {key} set default {whose}"), ""),
                Statement::new(format!("create index on {table} ({key})")),
            ],
        ));
        let restrictive = if *has_policies { " as restrictive" } else { "" };
        let mut policies =
            vec![Statement::new(format!("create policy tenant_isolation on {table}{restrictive} using ({predicate})"))];
        if let Some(auditors) = listed(&ground.roles.auditors).as_str().filter(|_| !has_policies) {
            policies.push(Statement::new(format!(
                "create policy auditor_reads on {table} for select to {auditors} using (true)"
            )));
        }
        policies
            .push(Statement::new(format!("alter table {table} enable row level security, force row level security")));
        changes.push(change(Phase::Policy, policies));
    }
    if !found.is_empty() {
        questions.push(Question {
            id: "log-tenant".into(),
            question:
                "Whose are the rows of a log that are there, and what the product records of itself? A session names its tenant before it writes one: the product's own names this."
                    .into(),
            default: format!("{nobody}, who is nobody; readers see one tenant at a time from now on, auditors all"),
            key: "plan.platform_tenant".into(),
            answered: config.plan.platform_tenant.is_some(),
        });
    }
    Ok(!found.is_empty())
}
