//! The first tenant: a tenant table, and its key on every table, where nothing in the database says whose a row is.

use super::key::{self, Child};
use crate::check::quote::ident;
use crate::config::{Config, TenancyMode};
use crate::error::Stop;
use crate::facts::Facts;
use crate::facts::derive::tenancy::TIERS;
use crate::plan::batch;
use crate::plan::change::{Change, Closes, Phase, Question, Statement};
use crate::plan::ddl::Name;
use crate::plan::guard;
use crate::plan::order::slug;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Whose the rows are that were there before there were tenants.
const FIRST: &str = "00000000-0000-0000-0000-000000000001";

/// Words for what a product ships to everybody, or what tools keep for themselves.
const SHARED: &str =
    "lower(r.name) like '%migration%' or lower(r.name) like '%schema_version%' or lower(r.name) like '%alembic%'
  or lower(r.name) like '%flyway%' or lower(r.name) like '%databasechangelog%' or lower(r.name) like '%goose%'
  or lower(r.name) like '%countr%' or lower(r.name) like '%currenc%' or lower(r.name) like '%language%'
  or lower(r.name) like '%timezone%' or lower(r.name) like '%feature_flag%' or lower(r.name) like '%translation%'
  or lower(r.name) like '%permission%' or lower(r.name) like '%template%' or lower(r.name) like '%plans'";

/// Changes where no table has a tenant's key.
pub(super) async fn missing(
    bound: &BTreeSet<Name>,
    facts: &mut Facts,
    config: &Config,
) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let known = match key::tenants(facts).await? {
        Some(known) => Some(known),
        None => named(facts).await?,
    };
    let question = |default: String, answered: bool| Question {
        id: "tenant-table".into(),
        question: "Which table has a row for each tenant?".into(),
        default,
        key: "tenancy.table".into(),
        answered,
    };
    let keyed: i64 =
        sqlx::query_scalar("select count(*) from tenant_keys where role = 'key'").fetch_one(facts.connection()).await?;
    let mode: Option<String> =
        sqlx::query_scalar("select mode from tenancy").fetch_optional(facts.connection()).await?;
    // A schema for each tenant needs no key.
    if config.tenancy.mode == TenancyMode::Single || mode.as_deref() == Some("schemas") {
        return Ok(Default::default());
    }
    if keyed > 0 {
        let said = known.map(|(table, _)| table.said());
        let questions = said.map(|said| question(said, config.tenancy.table.is_some())).into_iter().collect();
        return Ok((Vec::new(), questions));
    }
    let mut tables = tables(facts, known.as_ref().map(|(table, _)| table)).await?;
    if let Some(chosen) = &config.plan.shared {
        tables.iter_mut().for_each(|(table, shared)| *shared = chosen.contains(&table.said()));
    }
    if tables.is_empty() {
        return Ok(Default::default());
    }
    let schema = most(&tables);
    let mut changes = Vec::new();
    let (tenants, id, type_name) = match known {
        Some((table, id)) => {
            let type_name = type_of(facts, &table, &id).await?;
            (table, id, type_name)
        }
        None => {
            let table = Name { schema: Some(schema.clone()), name: "tenants".to_owned() };
            changes.extend(tenant_table(&table));
            (table, "id".to_owned(), "uuid".to_owned())
        }
    };
    let shared = tables.iter().filter(|(_, shared)| *shared).map(|(table, _)| table.said()).collect::<Vec<_>>();
    let questions = vec![
        question(tenants.said(), config.tenancy.table.is_some()),
        Question {
            id: "shared-tables".into(),
            question: "Which tables hold the same for every tenant?".into(),
            default: if shared.is_empty() { "none".into() } else { shared.join(", ") },
            key: "plan.shared".into(),
            answered: config.plan.shared.is_some(),
        },
        Question {
            id: "first-tenant".into(),
            question: "Whose are the rows that are there now?".into(),
            default: "one tenant, the first".into(),
            key: "tenancy.mode".into(),
            answered: false,
        },
    ];
    let first = if changes.is_empty() {
        format!("(select first.{0} from {tenants} first order by first.{0} limit 1)", ident(&id))
    } else {
        format!("'{FIRST}'::uuid")
    };
    for (table, _) in tables.into_iter().filter(|(_, shared)| !shared) {
        let key = if id == "id" { "tenant_id".to_owned() } else { id.clone() };
        let predicate = key::context(&key, &type_name);
        let has_policies = has_policies(facts, &table).await?;
        let forced = key::forced(bound, facts, &[&table]).await?;
        let child = Child {
            table,
            key,
            type_name: type_name.clone(),
            parent: tenants.clone(),
            columns: Vec::new(),
            follows: false,
            tenants: Some((tenants.clone(), id.clone())),
            has_policies,
            policy: key::POLICY.to_owned(),
            forced,
            predicate,
        };
        changes.extend(changes_for(&child, &first));
    }
    Ok((changes, questions))
}

/// The schema of most of them; of several, the first by name.
fn most(tables: &[(Name, bool)]) -> String {
    let mut schemas = BTreeMap::<&str, usize>::new();
    for (table, _) in tables {
        *schemas.entry(table.schema.as_deref().unwrap_or("public")).or_default() += 1;
    }
    let most = schemas.into_iter().max_by_key(|(name, count)| (*count, Reverse(*name)));
    most.map_or_else(|| "public".to_owned(), |(name, _)| name.to_owned())
}

/// The tenant table by its name, where no column is taken for a tenant's key and other tables refer to it all the same: those
/// references say whose rows are whose.
pub(crate) async fn referred_to(facts: &mut Facts, config: &Config) -> Result<Option<String>, Stop> {
    let keyed: Option<i64> = sqlx::query_scalar("select 1 from tenant_keys where role = 'key' limit 1")
        .fetch_optional(facts.connection())
        .await?;
    if keyed.is_some() || config.tenancy.table.is_some() || config.tenancy.mode != TenancyMode::default() {
        return Ok(None);
    }
    let Some((table, _)) = named(facts).await? else { return Ok(None) };
    let sql = "select 1 from constraints c join relations t on t.oid = c.referenced_relation
               join relations r on r.oid = c.relation and r.provenance = 'user' and r.oid <> t.oid
               where c.kind = 'foreign key' and t.schema = ? and t.name = ? limit 1";
    let query = sqlx::query_scalar::<_, i64>(sql).bind(table.schema.clone()).bind(table.name.clone());
    Ok(query.fetch_optional(facts.connection()).await?.map(|_| table.said()))
}

/// A table whose name is the word for a tenant, with a key of one column.
async fn named(facts: &mut Facts) -> Result<Option<(Name, String)>, Stop> {
    let sql = "select r.schema, r.name, min(c.name) from relations r
               join constraints k on k.relation = r.oid and k.kind = 'primary key'
               join constraint_columns kc on kc.constraint_oid = k.oid
               join columns c on c.relation = r.oid and c.number = kc.column_number
               where r.provenance = 'user' and r.kind = 'table' and r.is_partition = 0
                 -- One person's own, by its policies: a workspace that nobody shares is no tenant.
                 and (lower(r.name) like '%tenant%'
                      or not exists (select 1 from tenant_keys u where u.relation = r.oid and u.role = 'user' and r.rls = 1))
               group by r.oid having count(*) = 1";
    let rows: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(facts.connection()).await?;
    let rank = |name: &str| {
        let name = name.to_lowercase();
        let singular =
            name.strip_suffix("ies").map_or_else(|| name.trim_end_matches('s').to_owned(), |stem| format!("{stem}y"));
        // The weakest words are as often a customer's own things.
        TIERS.iter().take(2).flat_map(|tier| tier.iter()).position(|word| *word == name || *word == singular)
    };
    let best = rows.into_iter().filter_map(|row| Some((rank(&row.1)?, row))).min();
    Ok(best.map(|(_, (schema, name, key))| (Name { schema: Some(schema), name }, key)))
}

/// The user's tables, and whether each is shared by its name.
async fn tables(facts: &mut Facts, tenants: Option<&Name>) -> Result<Vec<(Name, bool)>, Stop> {
    let sql = format!(
        "select r.schema, r.name, ({SHARED}) from relations r
         where r.provenance = 'user' and r.kind in ('table', 'partitioned table') and r.is_partition = 0 and r.persistence <> 'temporary'
         order by r.schema, r.name"
    );
    let rows: Vec<(String, String, bool)> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(facts.connection()).await?;
    let named = rows.into_iter().map(|(schema, name, shared)| (Name { schema: Some(schema), name }, shared));
    Ok(named.filter(|(table, _)| Some(table) != tenants).collect())
}

/// Whether anything lets rows of a table through.
async fn has_policies(facts: &mut Facts, table: &Name) -> Result<bool, Stop> {
    let sql = "select count(*) from policies p join relations r on r.oid = p.relation
               where r.schema = ? and r.name = ? and p.permissive = 1";
    let query = sqlx::query_scalar::<_, i64>(sql).bind(table.schema.clone()).bind(table.name.clone());
    Ok(query.fetch_one(facts.connection()).await? > 0)
}

async fn type_of(facts: &mut Facts, table: &Name, column: &str) -> Result<String, Stop> {
    let sql = "select c.type from columns c join relations r on r.oid = c.relation where r.schema = ? and r.name = ? and c.name = ?";
    let query = sqlx::query_scalar(sql).bind(table.schema.clone()).bind(table.name.clone()).bind(column.to_owned());
    Ok(query.fetch_optional(facts.connection()).await?.unwrap_or_else(|| "uuid".to_owned()))
}

/// The table, and apart from it its policy: as long as rows are held against it, its owner has to see them.
fn tenant_table(table: &Name) -> [Change; 2] {
    let change = |name: &str, phase: Phase, why: &str, statements: Vec<Statement>| Change {
        name: name.into(),
        stage: 2,
        phase,
        why: why.into(),
        statements,
        closes: vec![Closes { check: "stage 2".into(), object: "a tenant key, and a policy that uses it".into() }],
        questions: vec!["tenant-table".into(), "first-tenant".into()],
    };
    let rows = [
        Statement::new(format!(
            "create table if not exists {table} (\n  id uuid primary key default gen_random_uuid(),\n  name text not null,\n  created_at timestamptz not null default now()\n)"
        )),
        Statement::undone_by(
            // Once there are policies, it has been there, and may have gone for a reason.
            format!(
                "do $$ begin\n  if not pg_catalog.row_security_active({}) then\n    insert into {table} (id, name) values ('{FIRST}', 'first tenant') on conflict (id) do nothing;\n  end if;\nend $$",
                guard::oid(table)
            ),
            "",
        ),
    ];
    let policy = [
        format!(
            "create policy tenant_isolation on {table} using (id = nullif(current_setting('app.tenant_id', true), '')::uuid)"
        ),
        format!("alter table {table} enable row level security, force row level security"),
    ];
    [
        change(
            "make_tenants",
            Phase::Table,
            "A row for each tenant; what is there already belongs to the first.",
            rows.into(),
        ),
        change(
            "isolate_tenants",
            Phase::Policy,
            "A session sees the row of its own tenant.",
            policy.map(Statement::new).into(),
        ),
    ]
}

fn changes_for(child: &Child, first: &str) -> Vec<Change> {
    let Child { table, key, type_name, .. } = child;
    let (quoted, short) = (ident(key), slug(&table.name));
    let change = |phase: Phase, name: String, statements: Vec<Statement>| Change {
        name,
        stage: 2,
        phase,
        why: format!("{} says whose each of its rows is.", table.said()),
        statements,
        closes: vec![Closes { check: "stage 2".into(), object: "a tenant key, and a policy that uses it".into() }],
        questions: vec!["tenant-table".into(), "shared-tables".into(), "first-tenant".into()],
    };
    let body = format!(
        "begin\n  -- Code that knows of no tenants yet writes the first one's rows.\n  new.{quoted} := coalesce(new.{quoted}, nullif(current_setting('app.tenant_id', true), '')::{type_name}, {first});\n  return new;\nend"
    );
    // A constant is kept in the catalog for the rows there are: none is written anew, and no trigger that keeps rows as they are is in
    // the way. As a default it would go before the session's tenant.
    let constant = first.starts_with('\'');
    let default = if constant { format!(" default {first}") } else { String::new() };
    let mut column =
        vec![Statement::new(format!("alter table {table} add column if not exists {quoted} {type_name}{default}"))];
    if constant {
        column.push(Statement::undone_by(format!("alter table {table} alter column {quoted} drop default"), ""));
    }
    let mut changes = vec![
        change(Phase::Column, format!("add_key_to_{short}"), column),
        change(Phase::Fill, format!("fill_key_of_new_{short}"), key::filling(table, &body)),
    ];
    if !constant {
        changes.push(change(
            Phase::Backfill,
            format!("backfill_key_of_{short}"),
            batch::unbound(
                batch::fill(table, &format!("set {quoted} = {first}"), None, &format!("t.{quoted} is null"), Some(key)),
                &child.forced,
            ),
        ));
    }
    changes.extend(key::held(child, &change));
    changes
}
