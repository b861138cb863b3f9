//! Functions that policies ask, and that read a table of their own owner's: the owner has to read past the policies for an answer. Once
//! FORCE binds it, the policies ask the function, and the function the policies, until the stack is full, and no row comes through for
//! anybody. Such a function belongs to a role that nobody is, and that may read that table whole.

use super::ground::Ground;
use super::role;
use super::template::{dollar, statements};
use crate::check::quote::{ident, relation};
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::change::{Change, Closes, Phase, Statement};
use crate::plan::ddl::{self, Action, Ddl, Name};
use crate::plan::step::Unproved;
use serde_json::{Map, json};
use std::collections::BTreeMap;

const TEMPLATE: &str = include_str!("../templates/lookup.sql");
/// The role that such functions belong to.
const ROLE: &str = "policy_lookup";

/// Functions and the tables they read, whose policies lead back to them, by way of other tables and their functions too, and which do
/// not bind their owner yet.
const ASKED: &str = "
    with recursive reader as (
      select f.oid as function, r.oid as relation
      from functions f
      join roles o on o.oid = f.owner and o.superuser = 0 and o.bypass_rls = 0
      join function_verdicts v on v.function = f.oid, json_each(v.reads) read
      join relations r on r.schema || '.' || r.name = read.value and r.owner = f.owner
      where f.security_definer = 1 and f.kind = 'function' and f.provenance = 'user' and r.provenance = 'user'
        and r.kind in ('table', 'partitioned table')
    ), asks as (
      select distinct p.relation, d.object as function
      from policies p join policy_dependencies d on d.policy = p.oid and d.object_kind = 'function'
    ), way (start, relation) as (
      select relation, relation from reader
      union
      select w.start, coalesce(rd.relation, d.object) from way w
      join policies p on p.relation = w.relation
      join policy_dependencies d on d.policy = p.oid
      left join reader rd on d.object_kind = 'function' and rd.function = d.object
      where d.object_kind = 'relation' or rd.relation is not null
    )
    select distinct f.oid, f.schema, f.name, f.signature, o.name, r.schema, r.name
    from reader join functions f on f.oid = reader.function join roles o on o.oid = f.owner
    join relations r on r.oid = reader.relation and (r.rls = 0 or r.force_rls = 0)
    where exists (select 1 from way w join asks a on a.relation = w.relation where w.start = r.oid and a.function = f.oid)
    order by 2, 3, 4, 6, 7";

type Row = (i64, String, String, String, String, String, String);

/// One function, and what it reads.
struct Asked {
    oid: i64,
    schema: String,
    name: String,
    signature: String,
    owner: String,
    tables: Vec<(String, String)>,
}

async fn asked(facts: &mut Facts) -> Result<Vec<Asked>, Stop> {
    let rows: Vec<Row> = sqlx::query_as(ASKED).fetch_all(facts.connection()).await?;
    let mut all: BTreeMap<i64, Asked> = BTreeMap::new();
    for (oid, schema, name, signature, owner, of, table) in rows {
        let one = all.entry(oid).or_insert(Asked { oid, schema, name, signature, owner, tables: Vec::new() });
        one.tables.push((of, table));
    }
    Ok(all.into_values().collect())
}

/// Whether the deployer makes roles, and may let the new owner into the schema of each function.
async fn may_hand_over(facts: &mut Facts, functions: &[Asked]) -> Result<bool, Stop> {
    if !Ground::read(facts).await?.roles.makes_roles {
        return Ok(false);
    }
    let owned: Vec<(String, String)> = sqlx::query_as(
        "select s.name, o.name from schemas s
         join roles o on o.oid = s.owner or s.owner in (select oid from roles where name = 'pg_database_owner')
           and o.oid = (select owner from databases where is_current = 1)",
    )
    .fetch_all(facts.connection())
    .await?;
    Ok(functions.iter().all(|it| owned.iter().any(|(schema, owner)| *schema == it.schema && *owner == it.owner)))
}

/// The role, and the functions handed over to it, where the deployer may make roles.
pub(super) async fn missing(facts: &mut Facts) -> Result<Vec<Change>, Stop> {
    let functions = asked(facts).await?;
    if functions.is_empty() || !may_hand_over(facts, &functions).await? {
        return Ok(Vec::new());
    }
    let closes: Vec<_> = functions
        .iter()
        .flat_map(|it| &it.tables)
        .map(|(schema, name)| Closes {
            check: "tenant-isolation/owner-not-forced".into(),
            object: format!("{schema}.{name}"),
        })
        .collect();
    let mut changes = vec![role::create(ROLE, 2, &closes, Vec::new())?];
    for it in functions {
        let asks: Vec<(String, String, String)> = sqlx::query_as(
            "select g.schema, g.name, g.signature from functions f join functions g on g.oid <> f.oid and g.provenance <> 'extension'
             where f.oid = ? and instr(f.source, g.schema || '.' || g.name || '(') > 0 and g.schema not in ('pg_catalog')
               and g.owner = f.owner order by 1, 2, 3",
        )
        .bind(it.oid)
        .fetch_all(facts.connection())
        .await?;
        let table =
            |(schema, name): &(String, String)| json!({ "schema": ident(schema), "sql": relation(Some(schema), name) });
        let call = |schema: &str, name: &str, signature: &str| format!("{}({signature})", relation(Some(schema), name));
        let each = asks.iter().map(|(s, n, a)| json!({ "schema": ident(s), "sql": call(s, n, a) }));
        let function = call(&it.schema, &it.name, &it.signature);
        let values = json!({
            "role": ROLE, "tables": it.tables.iter().map(table).collect::<Vec<_>>(), "asks": each.collect::<Vec<_>>(),
            "schema": ident(&it.schema), "function": function, "owner": ident(&it.owner), "q": dollar(&[&function]),
        });
        changes.push(Change {
            name: format!("hand_over_{}", crate::plan::order::slug(&it.name)),
            stage: 2,
            phase: Phase::Constraint,
            why: format!(
                "{}.{} reads what policies that ask it are on: it needs an owner whom they let through.",
                it.schema, it.name
            ),
            statements: statements(TEMPLATE, values.as_object().unwrap_or(&Map::new()))?,
            closes: closes.clone(),
            questions: Vec::new(),
        });
    }
    Ok(changes)
}

/// Puts what is altered about such functions before they are handed over: afterwards the deployer owns them no more.
pub(crate) async fn alter_first(changes: &mut [Change], facts: &mut Facts) -> Result<(), Stop> {
    let mut functions: Vec<(String, String)> = asked(facts).await?.into_iter().map(|it| (it.schema, it.name)).collect();
    let over = "select f.schema, f.name from functions f join roles o on o.oid = f.owner and o.name = ?";
    let over: Vec<(String, String)> = sqlx::query_as(over).bind(ROLE).fetch_all(facts.connection()).await?;
    functions.extend(over);
    for change in changes {
        let altered = |statement: &Statement| match ddl::read(&statement.up) {
            Ddl::AlterRoutine { name, .. } => functions
                .iter()
                .any(|(schema, function)| name.schema.as_ref() == Some(schema) && name.name == *function),
            _ => false,
        };
        if change.statements.iter().all(altered) {
            change.phase = Phase::Ground;
        }
    }
    Ok(())
}

/// Takes FORCE out of what is planned for tables that would show nobody anything any more; says of each what has to be done first.
pub(crate) async fn spare(changes: &mut Vec<Change>, facts: &mut Facts) -> Result<Vec<Unproved>, Stop> {
    let functions = asked(facts).await?;
    if functions.is_empty() || may_hand_over(facts, &functions).await? {
        return Ok(Vec::new());
    }
    let mut spared = Vec::new();
    for change in changes.iter_mut() {
        change.statements.retain(|statement| {
            let Ddl::AlterTable { table, actions } = ddl::read(&statement.up) else { return true };
            let reader = functions.iter().find(|it| {
                it.tables.iter().any(|(schema, name)| {
                    table == Name { schema: Some(schema.clone()), name: name.clone() }
                })
            });
            let Some(it) = reader.filter(|_| actions == [Action::Force]) else { return true };
            spared.push(Unproved {
                check: "tenant-isolation/owner-not-forced".into(),
                object: format!("{}.{}", table.schema.as_deref().unwrap_or_default(), table.name),
                why: format!(
                    "{}.{} reads it as its owner, and its policies ask {0}.{1}: bound by them, it would ask itself without end. Let the plan \
                     be made with {} as the owner of schema {} and with CREATEROLE, or hand the function over to a role that nobody is.",
                    it.schema, it.name, it.owner, it.schema
                ),
            });
            false
        });
    }
    changes.retain(|change| !change.statements.is_empty());
    Ok(spared)
}
