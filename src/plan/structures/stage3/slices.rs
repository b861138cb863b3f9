//! Columns by role: support sees what was said and finance sees what was paid, of rows that both may see.
//!
//! Row security hides rows, and grants hide columns. A view with the rights of its reader goes with the grant, so that
//! `select *` works.

use super::super::ground::Ground;
use super::super::holders;
use crate::check::quote::{ident, relation};
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::ddl::Name;
use crate::plan::order::slug;
use crate::plan::{Change, Closes, Phase, Question, Statement};

const CHECK: &str = "rbac/department-crosses";

/// A department that reads what belongs to another, and its roles that do.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Crossing {
    oid: i64,
    schema: String,
    name: String,
    department: String,
    /// Names, as a JSON array; so are their oids.
    roles: String,
    role_oids: String,
    columns: String,
    /// Why nothing is taken away: what it does with the columns.
    needed: Option<String>,
    /// One of the roles reads the whole table, and no view of it.
    wants_view: i64,
}

const CROSSINGS: &str = include_str!("slices.sql");

pub(super) async fn plan(
    facts: &mut Facts,
    config: &Config,
    ground: &Ground,
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<(), Stop> {
    let mut said = Vec::new();
    let chosen = &config.plan.slices;
    for slice in chosen {
        said.push(declared(facts, slice, changes).await?);
    }
    let found: Vec<Crossing> = sqlx::query_as(CROSSINGS).fetch_all(facts.connection()).await?;
    let mut defaults = 0;
    for it in found {
        let object = format!("{}.{}", it.schema, it.name);
        let waived = config.waives(CHECK, &object);
        let mut roles = names(&it.roles);
        roles.sort();
        if waived || chosen.iter().any(|slice| slice.table == object && roles.contains(&slice.role)) {
            continue;
        }
        defaults += 1;
        said.push(sliced(facts, ground, &it, &roles, changes).await?);
    }
    if !said.is_empty() {
        questions.push(Question {
            id: "column-slices".into(),
            question: "Which columns of these tables does each role read?".into(),
            default: said.join("; "),
            key: "plan.slices".into(),
            answered: defaults == 0,
        });
    }
    Ok(())
}

fn names(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}

fn change(schema: &str, name: &str, why: String, phase: Phase, statements: Vec<Statement>) -> Change {
    Change {
        name: format!("slice_columns_of_{}", slug(name)),
        stage: 3,
        phase,
        why,
        statements,
        closes: vec![Closes { check: CHECK.into(), object: format!("{schema}.{name}") }],
        questions: vec!["column-slices".into()],
    }
}

/// What govctl.yaml says a role reads; what came of it, in words.
async fn declared(facts: &mut Facts, slice: &crate::config::Slice, changes: &mut Vec<Change>) -> Result<String, Stop> {
    let (schema, name) = slice.table.split_once('.').unwrap_or(("public", &slice.table));
    let found: Option<(i64, i64, i64)> = sqlx::query_as(
        "select t.oid, r.oid, coalesce(rp.can_select, 0) from relations t, roles r left join relation_privileges rp on rp.role = r.oid and rp.relation = t.oid
         where t.schema = ? and t.name = ? and r.name = ? and t.kind in ('table', 'partitioned table')",
    )
    .bind(schema.to_owned())
    .bind(name.to_owned())
    .bind(slice.role.clone())
    .fetch_optional(facts.connection())
    .await?;
    let Some((table, role, reads)) = found else {
        return Ok(format!("{} or {} is not there", slice.role, slice.table));
    };
    let all: Vec<String> = sqlx::query_scalar("select name from columns where relation = ? order by number")
        .bind(table)
        .fetch_all(facts.connection())
        .await?;
    if let Some(stray) = slice.columns.iter().find(|column| !all.contains(column)) {
        return Ok(format!("{} has no {stray}, and {} reads what it read", slice.table, slice.role));
    }
    let hidden: Vec<&str> = all.iter().filter(|it| !slice.columns.contains(it)).map(String::as_str).collect();
    let named = Name { schema: Some(schema.to_owned()), name: name.to_owned() };
    let mut taken = holders::take(facts, (&named, table), &[role], &hidden, &slice.columns).await?;
    if reads == 0 {
        let list = slice.columns.iter().map(|it| ident(it)).collect::<Vec<_>>().join(", ");
        let to = ident(&slice.role);
        taken.statements.push(Statement::new(format!("grant usage on schema {} to {to}", ident(schema))));
        taken.statements.push(Statement::new(format!("grant select ({list}) on {named} to {to}")));
    }
    if !taken.statements.is_empty() {
        let why = format!("{} reads {} of {name}, as govctl.yaml says.", slice.role, slice.columns.join(", "));
        changes.push(change(schema, name, why, Phase::Right, taken.statements));
    }
    Ok(format!("{} reads {} of {}", slice.role, slice.columns.join(", "), slice.table))
}

/// What the names of roles and columns suggest; what came of it, in words.
async fn sliced(
    facts: &mut Facts,
    ground: &Ground,
    it: &Crossing,
    roles: &[String],
    changes: &mut Vec<Change>,
) -> Result<String, Stop> {
    let columns = names(&it.columns);
    let who = roles.join(", ");
    let what = format!("{} of {}.{}", columns.join(", "), it.schema, it.name);
    if let Some(needed) = &it.needed {
        return Ok(format!("{what} stays with {who}: {needed}"));
    }
    let table = Name { schema: Some(it.schema.clone()), name: it.name.clone() };
    let from: Vec<i64> = serde_json::from_str(&it.role_oids).unwrap_or_default();
    let hidden: Vec<&str> = columns.iter().map(String::as_str).collect();
    let taken = holders::take(facts, (&table, it.oid), &from, &hidden, &[]).await?;
    if !taken.kept.is_empty() {
        let kept = taken.kept.join(", ");
        return Ok(format!("{what} stays with {who}: others become {kept} by SET ROLE"));
    }
    if taken.statements.is_empty() {
        return Ok(format!("{what} stays with {who}: no grant gives it"));
    }
    let why = format!("Of {} {} does without {}.", it.name, it.department, columns.join(", "));
    changes.push(change(&it.schema, &it.name, why.clone(), Phase::Right, taken.statements));
    let view = bounded(&format!("{}_for_{}", it.name, it.department));
    if it.wants_view == 1 && may_have_view(facts, ground, &it.schema, &view).await? {
        let sql = "select name from columns where relation = ? order by number";
        let all: Vec<String> = sqlx::query_scalar(sql).bind(it.oid).fetch_all(facts.connection()).await?;
        let shown: Vec<_> = all.iter().filter(|column| !columns.contains(column)).map(|column| ident(column)).collect();
        let (view, shown) = (relation(Some(&it.schema), &view), shown.join(", "));
        let make =
            format!("create or replace view {view} with (security_invoker = true) as select {shown} from {table}");
        let to = roles.iter().map(|role| ident(role)).collect::<Vec<_>>().join(", ");
        let statements = vec![
            Statement::undone_by(make, format!("drop view if exists {view}")),
            Statement::undone_by(format!("grant select on {view} to {to}"), ""),
        ];
        changes.push(change(&it.schema, &it.name, why, Phase::Table, statements));
    }
    Ok(format!("{what} is not for {who}"))
}

fn bounded(name: &str) -> String {
    let mut end = name.len().min(63);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

/// From PostgreSQL 15 a view has its reader's rights; the deployer may make one in the schema, and nothing is called so.
async fn may_have_view(facts: &mut Facts, ground: &Ground, schema: &str, view: &str) -> Result<bool, Stop> {
    let found: Option<i64> = sqlx::query_scalar(
        "select 1 from schemas s join roles o on o.name = ?
         left join schema_privileges sp on sp.schema_oid = s.oid and sp.role = o.oid
         where s.name = ? and (o.superuser = 1 or s.owner = o.oid or sp.can_create = 1)
           and (select server_version_num from target) >= 150000
           and not exists (select 1 from relations r where r.schema = s.name and r.name = ?) limit 1",
    )
    .bind(ground.roles.deployer.clone())
    .bind(schema.to_owned())
    .bind(view.to_owned())
    .fetch_optional(facts.connection())
    .await?;
    Ok(found.is_some())
}
