//! Tables that are about to bind their owner and have no policy that lets the owner's rows through: restrictive policies alone, or
//! policies for others. Whoever works as the owner would find them empty from one statement to the next.

use super::key::{context, predicate};
use super::place::free_policy;
use crate::check::quote::ident;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::change::{Change, Closes, Phase, Statement};
use crate::plan::ddl::Name;
use crate::plan::order::slug;

/// Tables with policies that do not bind their owner yet, whom somebody works as; the key, and how it is compared here.
const UNBOUND: &str = "
    select r.oid, r.schema, r.name, o.name, k.name, c.type, t.predicate,
           (select group_concat(command) from (
              select 'select' as command union all select 'insert' union all select 'update' union all select 'delete')
            where not exists (
              select 1 from policies p join policy_roles pr on pr.policy = p.oid
              where p.relation = r.oid and p.permissive = 1 and p.command in ('ALL', upper(command))
                and (pr.role in (0, r.owner) or exists (select 1 from role_reach reach where reach.role = r.owner
                                                        and reach.reaches = pr.role and reach.inherits = 1)))) as missing
    from relations r
    join roles o on o.oid = r.owner and o.superuser = 0 and o.bypass_rls = 0
    join tenant_keys k on k.relation = r.oid and k.role = 'key'
    join columns c on c.relation = r.oid and c.number = k.column_number
    left join tenant_predicates t on t.relation = r.oid
    where r.kind in ('table', 'partitioned table') and r.is_partition = 0 and r.provenance = 'user'
      and (r.rls = 0 or r.force_rls = 0) and exists (select 1 from policies p where p.relation = r.oid)
      and r.oid not in (select relation from event_logs)
      and exists (select 1 from principals p join role_reach reach on reach.role = p.role and reach.reaches = r.owner
                  where p.kind = 'login' and p.purpose <> 'administration')
    group by r.oid order by r.schema, r.name";

type Row = (i64, String, String, String, String, String, Option<String>, Option<String>);

/// A policy for the owner, for each command that none is for.
pub(super) async fn missing(facts: &mut Facts) -> Result<Vec<Change>, Stop> {
    let rows: Vec<Row> = sqlx::query_as(UNBOUND).fetch_all(facts.connection()).await?;
    let mut changes = Vec::new();
    for (oid, schema, name, owner, key, type_name, own, missing) in rows {
        let Some(missing) = missing else { continue };
        let said = match own {
            Some(own) => own,
            None => predicate(facts, &key).await?.unwrap_or_else(|| context(&key, &type_name)),
        };
        let table = Name { schema: Some(schema), name };
        let commands: Vec<_> = if missing.split(',').count() == 4 { vec!["all"] } else { missing.split(',').collect() };
        let mut statements = Vec::new();
        for command in commands {
            let policy = free_policy(facts, oid, &format!("owner_{command}")).await?;
            let expression = match command {
                "insert" => format!("with check ({said})"),
                _ => format!("using ({said})"),
            };
            let sql =
                format!("create policy {} on {table} for {command} to {} {expression}", ident(&policy), ident(&owner));
            statements.push(Statement::new(sql));
        }
        changes.push(Change {
            name: format!("let_owner_through_{}", slug(&table.name)),
            stage: 2,
            phase: Phase::Policy,
            why: format!(
                "Policies are going to bind {owner}, whom an application works as, and none lets {} of {}.{} through.",
                missing.replace(',', ", "),
                table.schema.as_deref().unwrap_or_default(),
                table.name
            ),
            closes: vec![Closes {
                check: "tenant-isolation/owner-not-forced".into(),
                object: format!("{}.{}", table.schema.as_deref().unwrap_or_default(), table.name),
            }],
            statements,
            questions: Vec::new(),
        });
    }
    Ok(changes)
}
