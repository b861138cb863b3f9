//! Opaque references: what an agent works on in the place of a secret or of a provider's id, and a function that a narrow
//! role may call to learn what one stands for.
//!
//! The values stay where they are, for applications go on reading them; docs/decisions/0011 says why.

use super::super::ground::{Ground, Tenant, listed};
use super::super::holders;
use super::super::role;
use super::super::template::{dollar, statements};
use super::{Changeable, log, upgrade};
use crate::check::quote::{ident, literal, relation};
use crate::config::Config;
use crate::error::Stop;
use crate::facts::{Facts, derive};
use crate::plan::ddl::Name;
use crate::plan::order::slug;
use crate::plan::{Change, Closes, Phase, Question, Statement};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const OPEN: &str = include_str!("../../templates/schema_open.sql");
const RESOLVE: &str = include_str!("../../templates/dereference.sql");
const IN_REACH: &str = include_str!("references.sql");

/// Owns the functions, reads the columns, and is no login.
const OWNER: &str = "deref_owner";
/// May call the functions.
const CALLER: &str = "dereferencer";

/// A column that agents read and should not.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Found {
    oid: i64,
    schema: String,
    name: String,
    owner: String,
    kind: String,
    column_name: String,
    column_type: String,
    check_id: String,
    /// A column of the same row that is a reference already.
    reference: Option<String>,
    reference_type: Option<String>,
    /// A function that runs as its owner and reads the column.
    resolved: i64,
    key: Option<String>,
    predicate: Option<String>,
}

/// One column, and what stands for it.
struct Reference {
    found: Found,
    table: Name,
    column: String,
    type_name: String,
    is_new: bool,
    function: String,
    predicate: Option<String>,
}

pub(super) async fn plan(
    facts: &mut Facts,
    config: &Config,
    ground: &Ground,
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<(), Stop> {
    let found: Vec<Found> = sqlx::query_as(IN_REACH).fetch_all(facts.connection()).await?;
    let waived = |it: &Found| {
        let object = format!("{}.{}", it.schema, it.name);
        config.waives(&it.check_id, &object)
    };
    let mut references: Vec<Reference> = Vec::new();
    for it in found.into_iter().filter(|it| !waived(it)) {
        references.extend(reference(it, ground, &references));
    }
    if references.is_empty() {
        return Ok(());
    }
    let unresolved: Vec<&Reference> = references.iter().filter(|it| it.found.resolved == 0).collect();
    if !unresolved.is_empty() {
        resolvers(facts, ground, &unresolved, changes, questions).await?;
    }
    let mut tables: BTreeMap<&Name, Vec<&Reference>> = BTreeMap::new();
    for it in &references {
        tables.entry(&it.table).or_default().push(it);
    }
    let mut kept = Vec::new();
    for (table, each) in tables {
        changes.extend(columns(table, &each));
        kept.extend(take_away(facts, table, &each, changes).await?);
    }
    let names = references.iter().map(|it| format!("{}.{}", it.table.said(), it.found.column_name));
    let mut default = format!("they stay, and agents read references: {}", names.collect::<Vec<_>>().join(", "));
    for role in kept {
        default.push_str(&format!("; {role} keeps them, by SET ROLE others act as it too"));
    }
    questions.push(Question {
        id: "secret-values".into(),
        question: "Do the values move out of these columns? That takes an application that asks the functions instead. Does an agent need one of them as it is? A waiver says so.".into(),
        default,
        key: "waivers".into(),
        answered: false,
    });
    Ok(())
}

fn closes(it: &Found) -> Closes {
    Closes { check: it.check_id.clone(), object: format!("{}.{}", it.schema, it.name) }
}

/// What is to stand for a column; none where nobody could say whose the row is.
fn reference(found: Found, ground: &Ground, others: &[Reference]) -> Option<Reference> {
    let table = Name { schema: Some(found.schema.clone()), name: found.name.clone() };
    let key = found.key.as_ref().map(|key| ident(key));
    let predicate = match (&ground.tenant, &key) {
        (Some(tenant), Some(key)) => Some(placed(tenant, &found, key)?),
        // The product's own: the session still says for whom.
        (Some(_), None) if ground.tenant_value()["default"].is_null() => return None,
        _ => None,
    };
    let is_new = found.reference.is_none();
    let column = found.reference.clone().unwrap_or_else(|| named_after(&found.column_name));
    let type_name = found.reference_type.clone().unwrap_or_else(|| "uuid".into());
    let start = if found.schema == "public" { String::new() } else { format!("{}_", found.schema) };
    let mut function = bounded(&format!("{start}{}_{}", found.name, found.column_name), "");
    for number in 2.. {
        if others.iter().all(|other| other.function != function) {
            break;
        }
        function = bounded(&format!("{start}{}_{}", found.name, found.column_name), &number.to_string());
    }
    Some(Reference { found, table, column, type_name, is_new, function, predicate })
}

/// The condition of the table's own policies over a row that is called `t`.
fn placed(tenant: &Tenant, found: &Found, key: &str) -> Option<String> {
    let predicate = found.predicate.clone().unwrap_or_else(|| tenant.predicate.clone());
    let form = derive::placed(&predicate, Some(&ident(&found.name)), key)?;
    Some(form.replace(derive::PLACE, &format!("t.{key}")))
}

/// `api_key_ref`, `apiKeyRef`.
fn named_after(column: &str) -> String {
    let camel = !column.contains('_')
        && column.chars().any(|c| c.is_ascii_lowercase())
        && column.chars().any(|c| c.is_ascii_uppercase());
    bounded(column, if camel { "Ref" } else { "_ref" })
}

/// At most 63 bytes.
fn bounded(start: &str, end: &str) -> String {
    let mut length = start.len().min(63 - end.len());
    while !start.is_char_boundary(length) {
        length -= 1;
    }
    format!("{}{end}", &start[..length])
}

/// The roles, the schema, and a function a column.
async fn resolvers(
    facts: &mut Facts,
    ground: &Ground,
    references: &[&Reference],
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<(), Stop> {
    let roles = &ground.roles;
    let mut closing: Vec<Closes> = references.iter().map(|it| closes(&it.found)).collect();
    closing.dedup();
    let has = |name: &str| roles.all.iter().any(|role| role == name);
    let owner = (roles.makes_roles || has(OWNER)).then_some(OWNER);
    let mut callers: Vec<String> = sqlx::query_scalar(
        "select r.name from roles r join role_purposes p on p.role = r.oid and p.purpose = 'dereferencer'
         where r.superuser = 0 and r.name <> ?1
           and not exists (select 1 from role_reach reach join role_purposes q on q.role = reach.reaches and q.purpose = 'dereferencer'
                           join roles above on above.oid = reach.reaches and above.name <> ?1
                           where reach.role = r.oid and reach.reaches <> r.oid and reach.inherits = 1)
         order by r.name",
    )
    .bind(OWNER)
    .fetch_all(facts.connection())
    .await?;
    let are_there = !callers.is_empty();
    if !are_there && roles.makes_roles {
        callers.push(CALLER.to_owned());
    }
    for name in owner.into_iter().chain(callers.iter().map(String::as_str)).filter(|name| !has(name)) {
        changes.push(role::create(name, 4, &closing, vec!["dereferencers"])?);
    }
    let (schema, is_new) = schema(facts, ground).await?;
    let inbox = inbox(facts, ground).await?;
    let owner_role = owner.unwrap_or(&roles.deployer);
    let mut values = ground.values(owner_role);
    let functions: Vec<Value> = references.iter().map(|it| function(it)).collect();
    let told: Vec<String> = references
        .iter()
        .flat_map(|it| [it.found.name.clone(), it.found.column_name.clone(), it.predicate.clone().unwrap_or_default()])
        .collect();
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    for (key, value) in [
        ("schema", json!(ident(&schema))),
        ("new_schema", json!(is_new)),
        ("owner", owner.map_or(Value::Null, |owner| json!(ident(owner)))),
        ("functions", json!(functions)),
        ("dereferencers", listed(&callers)),
        ("auditors", listed(&roles.auditors)),
        ("inbox", json!(inbox.is_some())),
        ("log_schema", inbox.as_ref().map_or(Value::Null, |(schema, _)| json!(ident(schema)))),
        (
            "log_owner",
            inbox
                .and_then(|(_, owner)| owner)
                .filter(|owner| *owner != roles.deployer)
                .map_or(Value::Null, Value::from),
        ),
        ("q", json!(dollar(&told))),
    ] {
        values.insert(key.to_owned(), value);
    }
    let mut all = statements(OPEN, &values)?;
    all.extend(statements(RESOLVE, &values)?);
    changes.push(Change {
        name: "resolve_references".into(),
        stage: 4,
        phase: Phase::Table,
        why: "What a reference stands for is told to one narrow role, for one tenant, and written down.".into(),
        statements: all,
        closes: closing,
        questions: vec!["dereferencers".into()],
    });
    for it in references {
        changes.extend(readable(facts, it, owner_role).await?);
    }
    questions.push(Question {
        id: "dereferencers".into(),
        question: "Which component learns what a reference stands for? It is no agent, and its login is registered with the log.".into(),
        default: match callers.as_slice() {
            [] => format!("none: an administrator runs `create role {CALLER} nologin`, and grants it EXECUTE on the functions of {schema}"),
            _ if are_there => callers.join(", "),
            _ => format!("none yet: grant {CALLER} to its login"),
        },
        key: "roles.dereferencers".into(),
        answered: are_there,
    });
    Ok(())
}

fn function(it: &Reference) -> Value {
    json!({
        "name": ident(&it.function),
        "table": it.table.to_string(),
        "column": ident(&it.found.column_name),
        "type": it.found.column_type,
        "key": it.found.key.as_ref().map(|key| ident(key)),
        "predicate": it.predicate,
        "reference": ident(&it.column),
        "reference_type": it.type_name,
        "label": literal(&format!("{}.{}", it.table.said(), it.found.column_name)),
    })
}

/// A schema of its own, and whether it has to be made.
async fn schema(facts: &mut Facts, ground: &Ground) -> Result<(String, bool), Stop> {
    let mine: Option<String> = sqlx::query_scalar(
        "select s.name from schemas s join roles o on o.oid = s.owner
         where s.name in ('dereference', 'secret_access') and o.name = ? order by s.name limit 1",
    )
    .bind(ground.roles.deployer.clone())
    .fetch_optional(facts.connection())
    .await?;
    if let Some(mine) = mine {
        return Ok((mine, false));
    }
    let free =
        ["dereference", "secret_access"].into_iter().find(|name| !ground.schemas.iter().any(|known| known == name));
    Ok((free.unwrap_or("govctl_dereference").to_owned(), true))
}

/// The inbox of the log, there or planned: its schema, and who owns it.
async fn inbox(facts: &mut Facts, ground: &Ground) -> Result<Option<(String, Option<String>)>, Stop> {
    if upgrade::logs(facts, &Changeable::new()).await?.is_empty() {
        let owner = ground.roles.makes_roles.then(|| "audit_owner".to_owned());
        return Ok(Some((log::schema(&ground.schemas).to_owned(), owner)));
    }
    let found: Option<(String, String)> = sqlx::query_as(
        "select r.schema, o.name from relations r join roles o on o.oid = r.owner
         join functions f on f.schema = r.schema and f.name = 'fill_event' and f.signature = ''
         where r.name = 'event_inbox' limit 1",
    )
    .fetch_optional(facts.connection())
    .await?;
    Ok(found.map(|(schema, owner)| (schema, Some(owner))))
}

/// What the functions' owner may read: the key, the reference, the value, of rows that the table's own policies mean.
async fn readable(facts: &mut Facts, it: &Reference, owner: &str) -> Result<Vec<Change>, Stop> {
    let change = |phase: Phase, statements: Vec<Statement>| Change {
        name: format!("let_functions_read_{}", slug(&it.found.name)),
        stage: 4,
        phase,
        why: format!(
            "Functions alone read {} of {} for whom a reference is to be resolved.",
            it.found.column_name, it.found.name
        ),
        statements,
        closes: vec![closes(&it.found)],
        questions: vec!["dereferencers".into()],
    };
    let mut changes = Vec::new();
    let to = ident(owner);
    if let (Some(_), Some(key)) = (&it.predicate, &it.found.key) {
        let predicate = it.predicate.as_deref().unwrap_or_default();
        let plain = predicate.replace(&format!("t.{}", ident(key)), &ident(key));
        let create = format!("create policy dereferencing on {} for select to {to} using ({plain})", it.table);
        let drop = format!("drop policy if exists dereferencing on {}", it.table);
        changes.push(change(Phase::Policy, vec![Statement::undone_by(drop, ""), Statement::new(create)]));
    }
    if owner == it.found.owner {
        return Ok(changes);
    }
    let mut columns: Vec<&String> = it.found.key.iter().chain([&it.column, &it.found.column_name]).collect();
    columns.dedup();
    let list = columns.into_iter().map(|column| ident(column)).collect::<Vec<_>>().join(", ");
    let mut all = vec![
        Statement::new(format!("grant usage on schema {} to {to}", ident(&it.found.schema))),
        Statement::new(format!("grant select ({list}) on {} to {to}", it.table)),
    ];
    // What its policies ask.
    let asked: Vec<(String, String, String)> = sqlx::query_as(
        "select distinct f.schema, f.name, f.signature from policies p
         join policy_dependencies d on d.policy = p.oid and d.object_kind = 'function'
         join functions f on f.oid = d.object and f.provenance = 'user' where p.relation = ? order by 1, 2, 3",
    )
    .bind(it.found.oid)
    .fetch_all(facts.connection())
    .await?;
    for (schema, name, signature) in asked {
        all.push(Statement::new(format!("grant usage on schema {} to {to}", ident(&schema))));
        all.push(Statement::new(format!(
            "grant execute on function {}({signature}) to {to}",
            relation(Some(&schema), &name)
        )));
    }
    changes.push(change(Phase::Right, all));
    Ok(changes)
}

/// The new columns of one table, filled in and found.
fn columns(table: &Name, each: &[&Reference]) -> Option<Change> {
    let mut all = Vec::new();
    for it in each.iter().filter(|it| it.is_new) {
        let column = ident(&it.column);
        all.push(Statement::new(format!(
            "alter table {table} add column if not exists {column} uuid not null default gen_random_uuid()"
        )));
        let key = it.found.key.as_ref().map(|key| format!("{}, ", ident(key))).unwrap_or_default();
        // A unique index of a partitioned table would need its partition key.
        let unique = if it.found.kind == "partitioned table" { "" } else { "unique " };
        all.push(Statement::new(format!("create {unique}index on {table} ({key}{column})")));
    }
    (!all.is_empty()).then(|| Change {
        name: format!("refer_to_secrets_of_{}", slug(&table.name)),
        stage: 4,
        phase: Phase::Column,
        why: format!("An agent works on references in {}, and not on what they stand for.", table.said()),
        statements: all,
        closes: each.iter().map(|it| closes(&it.found)).collect(),
        questions: vec!["secret-values".into()],
    })
}

/// Takes the columns away from agents, and from nobody else. Gives roles that had to be left as they are.
async fn take_away(
    facts: &mut Facts,
    table: &Name,
    each: &[&Reference],
    changes: &mut Vec<Change>,
) -> Result<Vec<String>, Stop> {
    let oid = each.first().map_or(0, |it| it.found.oid);
    let hidden: Vec<&str> = each.iter().map(|it| it.found.column_name.as_str()).collect();
    let references: Vec<String> = each.iter().map(|it| it.column.clone()).collect();
    let agents: Vec<i64> = sqlx::query_scalar("select role from agents").fetch_all(facts.connection()).await?;
    let taken = holders::take(facts, (table, oid), &agents, &hidden, &references).await?;
    if !taken.statements.is_empty() {
        changes.push(Change {
            name: format!("take_secrets_of_{}_from_agents", slug(&table.name)),
            stage: 4,
            phase: Phase::Right,
            why: format!("No agent reads {} of {}.", hidden.join(", "), table.said()),
            statements: taken.statements,
            closes: each.iter().map(|it| closes(&it.found)).collect(),
            questions: vec!["secret-values".into()],
        });
    }
    Ok(taken.kept)
}
