//! Who holds SELECT on a table by a grant that also reaches a given kind of role, and who else lives on that grant.

use crate::error::Stop;
use crate::facts::Facts;

/// A grant of SELECT that agents live on.
#[derive(Debug)]
pub(crate) struct Holder {
    /// `public` is PUBLIC.
    pub(crate) role: String,
    /// Empty: the whole table.
    pub(crate) columns: Vec<String>,
    /// Logins that are no agents and have what they read by it alone.
    pub(crate) others: Vec<String>,
    /// Somebody who is no agent becomes the role by SET ROLE: what is taken from it nobody can give back to that one.
    pub(crate) by_set_role: bool,
}

/// The grants on a table by which agents read it, those to its owner aside.
pub(crate) async fn of_agents(facts: &mut Facts, table: i64) -> Result<Vec<Holder>, Stop> {
    let rows: Vec<(String, i64, String, String, bool)> = sqlx::query_as(
        "with holder as (
           select g.grantee, max(g.object_kind = 'relation') as whole, json_group_array(c.name order by c.number) filter (where c.name is not null) as columns
           from grants g join relations r on r.oid = g.object
           left join columns c on g.object_kind = 'column' and c.relation = g.object and c.number = g.column_number
           where g.object = ?1 and g.object_kind in ('relation', 'column') and g.privilege = 'SELECT' and g.grantee <> r.owner
           group by g.grantee
         ), reader as (
           select p.role, p.name from principals p
           join roles me on me.oid = p.role and me.superuser = 0
           join relations r on r.oid = ?1 and r.owner <> p.role
           join relation_privileges rp on rp.role = p.role and rp.relation = ?1 and rp.visible = 1 and rp.can_select > 0
           where p.kind = 'login' and p.purpose <> 'agent'
             and not exists (select 1 from agents a join role_reach reach on reach.role = a.role and reach.reaches = p.role)
         )
         select coalesce(o.name, 'public'), h.whole, h.columns,
           (select json_group_array(p.name order by p.name) from reader p
            where h.grantee not in (select role from agents)
              and (h.grantee = 0 or exists (select 1 from role_reach reach where reach.role = p.role and reach.reaches = h.grantee and reach.reaches <> reach.role and reach.inherits = 1))
              and not exists (select 1 from grants g where g.object = ?1 and g.object_kind = 'relation' and g.privilege = 'SELECT' and g.grantee = p.role)),
           h.grantee <> 0 and h.grantee not in (select role from agents) and exists (
             select 1 from role_reach reach join principals p on p.role = reach.role and p.kind = 'login' and p.purpose not in ('agent', 'administration')
             join roles me on me.oid = p.role and me.superuser = 0
             where reach.reaches = h.grantee and reach.reaches <> reach.role and reach.inherits = 0 and reach.can_set = 1)
         from holder h left join roles o on o.oid = h.grantee
         where h.grantee = 0 and exists (select 1 from agents)
           or exists (select 1 from role_reach reach join agents a on a.role = reach.role
                      where reach.reaches = h.grantee and (reach.reaches = reach.role or reach.inherits = 1 or reach.can_set = 1))
         order by 1",
    )
    .bind(table)
    .fetch_all(facts.connection())
    .await?;
    Ok(rows
        .into_iter()
        .map(|(role, whole, columns, others, by_set_role)| Holder {
            role,
            columns: if whole == 1 { Vec::new() } else { names(&columns) },
            others: names(&others),
            by_set_role,
        })
        .collect())
}

/// Agents that read a table.
pub(crate) async fn agents(facts: &mut Facts, table: i64) -> Result<Vec<String>, Stop> {
    let sql = "select a.name from agents a join roles me on me.oid = a.role and me.superuser = 0
               join relation_privileges rp on rp.role = a.role and rp.visible = 1 and rp.can_select > 0
               where rp.relation = ? order by a.name";
    Ok(sqlx::query_scalar(sql).bind(table).fetch_all(facts.connection()).await?)
}

/// The columns of a table, in order.
pub(crate) async fn columns(facts: &mut Facts, table: i64) -> Result<Vec<String>, Stop> {
    let sql = "select name from columns where relation = ? order by number";
    Ok(sqlx::query_scalar(sql).bind(table).fetch_all(facts.connection()).await?)
}

/// A JSON array of names.
fn names(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}
