//! Columns of a table, taken from some roles and from nobody else.
//!
//! A grant is taken back as a whole and given again without the columns. Who else lives on it, as a member of the same role or as
//! everybody, is given by name what it had.

use crate::check::quote::ident;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::ddl::Name;
use crate::plan::{Statement, narrow};

/// What takes the columns away.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) statements: Vec<Statement>,
    /// Roles that keep them: somebody else becomes one by SET ROLE, to whom nothing could be given back.
    pub(super) kept: Vec<String>,
}

/// A grant of SELECT that these roles live on.
#[derive(Debug)]
struct Holder {
    /// `public` is PUBLIC.
    role: String,
    /// Empty: the whole table.
    columns: Vec<String>,
    /// Logins beside these roles that have what they read by it alone.
    others: Vec<String>,
    by_set_role: bool,
}

/// Takes columns of a table from roles, which get others `instead`.
pub(super) async fn take(
    facts: &mut Facts,
    (table, oid): (&Name, i64),
    from: &[i64],
    hidden: &[&str],
    instead: &[String],
) -> Result<Taken, Stop> {
    let sql = "select name from columns where relation = ? order by number";
    let all: Vec<String> = sqlx::query_scalar(sql).bind(oid).fetch_all(facts.connection()).await?;
    let mut taken = Taken::default();
    for holder in holders(facts, oid, from).await? {
        let held: Vec<&String> =
            all.iter().filter(|column| holder.columns.is_empty() || holder.columns.contains(column)).collect();
        if !held.iter().any(|column| hidden.contains(&column.as_str())) {
            continue;
        }
        if holder.by_set_role {
            taken.kept.push(holder.role);
            continue;
        }
        for other in &holder.others {
            let columns = match holder.columns.as_slice() {
                [] => String::new(),
                some => format!(" ({})", listed(some)),
            };
            taken.statements.push(Statement::new(format!("grant select{columns} on {table} to {}", ident(other))));
        }
        let left: Vec<String> = held.into_iter().filter(|it| !hidden.contains(&it.as_str())).cloned().collect();
        // What everybody holds is given to them by name: one grant less that nobody thinks of.
        let roles = if holder.role == "public" {
            taken.statements.extend(narrow::pair(table, "public", &[]));
            readers(facts, oid, from).await?
        } else {
            vec![holder.role]
        };
        let new: Vec<String> = instead.iter().filter(|column| !left.contains(column)).cloned().collect();
        for role in roles {
            taken.statements.extend(narrow::pair(table, &role, &left));
            if !new.is_empty() {
                let grant = format!("grant select ({}) on {table} to {}", listed(&new), ident(&role));
                taken.statements.push(Statement::new(grant));
            }
        }
    }
    Ok(taken)
}

fn listed(columns: &[String]) -> String {
    columns.iter().map(|column| ident(column)).collect::<Vec<_>>().join(", ")
}

/// The grants by which the roles read a table, those to its owner aside.
async fn holders(facts: &mut Facts, table: i64, from: &[i64]) -> Result<Vec<Holder>, Stop> {
    let rows: Vec<(String, i64, String, String, bool)> = sqlx::query_as(
        "with subject as (
           select value as role from json_each(?2)
         ), holder as (
           select g.grantee, max(g.object_kind = 'relation') as whole,
             json_group_array(c.name order by c.number) filter (where c.name is not null) as columns
           from grants g join relations r on r.oid = g.object
           left join columns c on g.object_kind = 'column' and c.relation = g.object and c.number = g.column_number
           where g.object = ?1 and g.object_kind in ('relation', 'column') and g.privilege = 'SELECT' and g.grantee <> r.owner
           group by g.grantee
         ), reader as (
           select p.role, p.name from principals p
           join roles me on me.oid = p.role and me.superuser = 0
           join relations r on r.oid = ?1 and r.owner <> p.role
           join relation_privileges rp on rp.role = p.role and rp.relation = ?1 and rp.visible = 1 and rp.can_select > 0
           where p.kind = 'login' and p.role not in (select role from subject)
             and not exists (select 1 from role_reach reach where reach.role in (select role from subject) and reach.reaches = p.role)
         )
         select coalesce(o.name, 'public'), h.whole, h.columns,
           (select json_group_array(p.name order by p.name) from reader p
            where h.grantee not in (select role from subject)
              and (h.grantee = 0 or exists (select 1 from role_reach reach where reach.role = p.role and reach.reaches = h.grantee
                                            and reach.reaches <> reach.role and reach.inherits = 1))
              and not exists (select 1 from grants g where g.object = ?1 and g.object_kind = 'relation' and g.privilege = 'SELECT' and g.grantee = p.role)),
           h.grantee <> 0 and h.grantee not in (select role from subject) and exists (
             select 1 from role_reach reach join principals p on p.role = reach.role and p.kind = 'login' and p.purpose <> 'administration'
               and p.role not in (select role from subject)
             join roles me on me.oid = p.role and me.superuser = 0
             where reach.reaches = h.grantee and reach.reaches <> reach.role and reach.inherits = 0 and reach.can_set = 1)
         from holder h left join roles o on o.oid = h.grantee
         where h.grantee = 0 and exists (select 1 from subject)
           or exists (select 1 from role_reach reach where reach.role in (select role from subject) and reach.reaches = h.grantee
                        and (reach.reaches = reach.role or reach.inherits = 1 or reach.can_set = 1))
           or h.grantee in (select role from subject)
         order by 1",
    )
    .bind(table)
    .bind(serde_json::json!(from).to_string())
    .fetch_all(facts.connection())
    .await?;
    let names = |json: &str| serde_json::from_str::<Vec<String>>(json).unwrap_or_default();
    let holder = |(role, whole, columns, others, by_set_role): (String, i64, String, String, bool)| Holder {
        role,
        columns: if whole == 1 { Vec::new() } else { names(&columns) },
        others: names(&others),
        by_set_role,
    };
    Ok(rows.into_iter().map(holder).collect())
}

/// Those of the roles that read a table.
async fn readers(facts: &mut Facts, table: i64, from: &[i64]) -> Result<Vec<String>, Stop> {
    let sql = "select r.name from roles r join relation_privileges rp on rp.role = r.oid and rp.visible = 1 and rp.can_select > 0
               where r.superuser = 0 and rp.relation = ? and r.oid in (select value from json_each(?)) order by r.name";
    let from = serde_json::json!(from).to_string();
    Ok(sqlx::query_scalar(sql).bind(table).bind(from).fetch_all(facts.connection()).await?)
}
