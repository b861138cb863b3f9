//! Who has which role for which tenant, and policies that ask.
//!
//! The policies are restrictive and lock nobody out: a session that names no person, and a tenant without memberships, go on
//! as before.

use super::super::ground::{Ground, listed};
use super::super::place::{free, home};
use super::super::template::statements;
use super::{has_policy, restrictive, tenant_tables};
use crate::check::quote::{ident, literal, relation};
use crate::config::{Choices, Config};
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Closes, Phase, Question, Statement};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const TABLE: &str = include_str!("../../templates/memberships.sql");
const ASK: &str = include_str!("../../templates/member_may.sql");

/// Roles of a table that did not say any yet.
const ROLES: [&str; 4] = ["owner", "admin", "member", "viewer"];

/// A roles table, there or to be made.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Members {
    schema: String,
    name: String,
    tenant: String,
    person: String,
    person_type: String,
    role: String,
    /// When a membership ends.
    expires: Option<String>,
    /// A review of it is recorded, or its end.
    reviewed: i64,
    /// Those of its roles that write, where that is known.
    #[sqlx(skip)]
    writers: Option<Vec<String>>,
}

/// The persons of this database.
#[derive(Debug, sqlx::FromRow)]
struct Persons {
    schema: String,
    name: String,
    key: String,
    type_name: String,
    /// The tenant's column, where it is part of the key.
    tenant: Option<String>,
}

pub(super) async fn plan(
    facts: &mut Facts,
    config: &Config,
    ground: &Ground,
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<(), Stop> {
    let Some(tenant) = &ground.tenant else { return Ok(()) };
    let chosen = &config.plan;
    let members = match existing(facts).await? {
        Some(mut members) => {
            changes.extend(reviews(&members));
            if !chosen.member_roles.is_empty() && !chosen.read_only_roles.is_empty() {
                members.writers = Some(writers(chosen));
            }
            members
        }
        // One that gets its tenant by this plan: the next look at the facts sees it.
        None if coming(facts).await? => return Ok(()),
        None => create(facts, chosen, ground, changes, questions).await?,
    };
    if ground.roles.writers.is_empty() || members.tenant != tenant.name {
        return Ok(());
    }
    ask(facts, (chosen, ground), &members, changes, questions).await
}

/// Whether a table says who has which role, and says the tenant only by what it refers to.
async fn coming(facts: &mut Facts) -> Result<bool, Stop> {
    let found: Option<i64> = sqlx::query_scalar(
        "select 1 from roles_tables t
         where t.tenant is null and not exists (select 1 from policies p where p.relation = t.relation) limit 1",
    )
    .fetch_optional(facts.connection())
    .await?;
    Ok(found.is_some())
}

async fn existing(facts: &mut Facts) -> Result<Option<Members>, Stop> {
    let found = sqlx::query_as(
        "select r.schema, r.name, t.tenant, t.person, c.type as person_type, t.role,
           (select e.name from columns e where e.relation = r.oid and e.type_name in ('timestamptz', 'timestamp', 'date')
              and (lower(e.name) glob '*expire*' or lower(e.name) glob '*valid_until*' or lower(e.name) glob '*ends_at*') limit 1) as expires,
           exists (select 1 from columns e where e.relation = r.oid and (lower(e.name) glob '*review*' or lower(e.name) glob '*expire*'
              or lower(e.name) glob '*valid_until*' or lower(e.name) glob '*ends_at*' or lower(e.name) glob '*attested*')) as reviewed
         from roles_tables t
         join relations r on r.oid = t.relation
         join columns c on c.relation = r.oid and c.name = t.person
         where t.tenant is not null
         order by lower(r.name) like '%member%' desc, t.rowid limit 1",
    )
    .fetch_optional(facts.connection())
    .await?;
    Ok(found)
}

/// The roles that write: all but those that read only.
fn writers(chosen: &Choices) -> Vec<String> {
    let reads_only = |role: &&str| match chosen.read_only_roles.as_slice() {
        [] => *role == "viewer",
        some => some.iter().any(|known| known == role),
    };
    roles(chosen).into_iter().filter(|role| !reads_only(role)).map(str::to_owned).collect()
}

/// Those of the owner's choice, else those that most products have.
fn roles(chosen: &Choices) -> Vec<&str> {
    match chosen.member_roles.as_slice() {
        [] => ROLES.to_vec(),
        some => some.iter().map(String::as_str).collect(),
    }
}

async fn persons(facts: &mut Facts, users: Option<&String>) -> Result<Option<Persons>, Stop> {
    let found = sqlx::query_as(
        "with pk as (
           select i.relation, c.name, c.type, c.number, (select count(*) from index_columns n where n.index_oid = i.oid and n.is_key = 1) as columns,
                  (select k.name from tenant_keys k join index_columns n on n.index_oid = i.oid and n.column_number = k.column_number
                   where k.relation = i.relation and k.role = 'key' limit 1) as tenant
           from indexes i join index_columns ic on ic.index_oid = i.oid and ic.is_key = 1
           join columns c on c.relation = i.relation and c.number = ic.column_number and c.type_kind = 'base'
           where i.is_primary = 1 and not exists (select 1 from tenant_keys k where k.relation = i.relation and k.column_number = c.number and k.role = 'key')
         )
         select r.schema, r.name, pk.name as key, pk.type as type_name, case when pk.columns = 2 then pk.tenant end as tenant
         from relations r join pk on pk.relation = r.oid and (pk.columns = 1 or pk.columns = 2 and pk.tenant is not null)
         where r.provenance = 'user' and r.kind in ('table', 'partitioned table')
           and not exists (select 1 from tenancy t where t.tenant_relation = r.oid)
           and case when ?1 is not null then r.schema || '.' || r.name = ?1 else lower(replace(r.name, '_', '')) in ('users', 'user', 'profiles', 'profile', 'people', 'persons', 'person', 'employees', 'userprofiles', 'appusers', 'useraccounts', 'accounts', 'members') end
         order by lower(r.name) in ('users', 'user') desc, r.oid limit 1",
    )
    .bind(users.cloned())
    .fetch_optional(facts.connection())
    .await?;
    Ok(found)
}

async fn create(
    facts: &mut Facts,
    chosen: &Choices,
    ground: &Ground,
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<Members, Stop> {
    let persons = persons(facts, chosen.users.as_ref()).await?;
    let schema = home(facts, ground).await?;
    let name = free(facts, &schema, &["memberships", "tenant_memberships", "tenant_member_roles"]).await?;
    let mut values = ground.values(&ground.roles.deployer);
    let table = relation(Some(&schema), &name);
    let mut user = Map::new();
    let person_type = persons.as_ref().map_or_else(|| "text".to_owned(), |persons| declared(&persons.type_name));
    user.insert("type".into(), json!(person_type));
    user.insert("composite".into(), json!(persons.as_ref().is_some_and(|persons| persons.tenant.is_some())));
    for (key, value) in [
        ("table", persons.as_ref().map(|it| relation(Some(&it.schema), &it.name))),
        ("key", persons.as_ref().map(|it| ident(&it.key))),
        ("tenant", persons.as_ref().and_then(|it| it.tenant.as_deref().map(ident))),
    ] {
        user.insert(key.into(), value.map_or(Value::Null, Value::from));
    }
    values.insert("user".into(), Value::Object(user));
    values.insert("table".into(), json!(table));
    let listed_roles = roles(chosen);
    let literals: Vec<_> = listed_roles.iter().map(|role| literal(role)).collect();
    values.insert("roles".into(), json!(literals.join(", ")));
    changes.push(Change {
        name: "create_memberships".into(),
        stage: 3,
        phase: Phase::Table,
        why: "One table ties a tenant, a person and a named role, with who granted it and until when.".into(),
        statements: statements(TABLE, &values)?,
        closes: vec![
            Closes {
                check: "stage 3".into(),
                object: "a roles table that ties tenant, person and a named role".into(),
            },
            Closes { check: "rbac/no-roles-table".into(), object: table.clone() },
        ],
        questions: vec!["user-table".into(), "member-roles".into()],
    });
    questions.push(Question {
        id: "user-table".into(),
        question: "Which table holds the people?".into(),
        default: match (&persons, &chosen.users) {
            (Some(persons), _) => format!("{}.{}", persons.schema, persons.name),
            (None, Some(users)) => {
                format!("{users} is not there, or has no key of one column: user_id is text, without a foreign key")
            }
            (None, None) => "none was found: user_id is text, without a foreign key".to_owned(),
        },
        key: "plan.users".into(),
        answered: chosen.users.is_some() && persons.is_some(),
    });
    questions.push(Question {
        id: "member-roles".into(),
        question: "Which roles do people have inside a tenant?".into(),
        default: listed_roles.join(", "),
        key: "plan.member_roles".into(),
        answered: !chosen.member_roles.is_empty(),
    });
    let tenant = ground.tenant.as_ref().map_or_else(String::new, |tenant| tenant.name.clone());
    Ok(Members {
        schema,
        name,
        tenant,
        person: "user_id".into(),
        person_type,
        role: "role".into(),
        expires: Some("expires_at".into()),
        reviewed: 1,
        writers: Some(writers(chosen)),
    })
}

/// A type as a new column has it: the widest of its family.
fn declared(type_name: &str) -> String {
    match type_name {
        "smallint" | "integer" => "bigint".to_owned(),
        other if other.starts_with("character") => "text".to_owned(),
        other => other.to_owned(),
    }
}

/// Columns for the review of a membership and its end.
fn reviews(members: &Members) -> Option<Change> {
    if members.reviewed == 1 {
        return None;
    }
    let table = relation(Some(&members.schema), &members.name);
    let up = format!("alter table {table} add column reviewed_at timestamptz, add column expires_at timestamptz");
    Some(Change {
        name: "record_reviews_of_memberships".into(),
        stage: 3,
        phase: Phase::Column,
        why: "A role somebody was given is looked at again, or ends by itself.".into(),
        statements: vec![Statement::new(up)],
        closes: vec![Closes {
            check: "rbac/reviews-not-recorded".into(),
            object: format!("{}.{}", members.schema, members.name),
        }],
        questions: Vec::new(),
    })
}

/// The function that asks the table, and the policies that call it.
async fn ask(
    facts: &mut Facts,
    (chosen, ground): (&Choices, &Ground),
    members: &Members,
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<(), Stop> {
    let asked: Option<i64> = sqlx::query_scalar(
        "select 1 from relations r
         where r.schema = ?1 and r.name = ?2 and (
           exists (select 1 from policy_dependencies d join policies p on p.oid = d.policy
                   where d.object_kind = 'relation' and d.object = r.oid and p.relation <> r.oid)
           or exists (select 1 from functions f join policy_dependencies d on d.object_kind = 'function' and d.object = f.oid
                      where instr(lower(f.source), lower(r.name)) > 0))",
    )
    .bind(members.schema.clone())
    .bind(members.name.clone())
    .fetch_optional(facts.connection())
    .await?;
    if asked.is_some() {
        return Ok(());
    }
    let schema = home(facts, ground).await?;
    let function = relation(Some(&schema), "member_may");
    let table = relation(Some(&members.schema), &members.name);
    let mut values = ground.values(&ground.roles.deployer);
    let mut schemas = vec![ident(&schema)];
    if members.schema != schema {
        schemas.push(ident(&members.schema));
    }
    values.insert("function".into(), json!(function));
    values.insert("table".into(), json!(table));
    values.insert("schemas".into(), json!(schemas));
    values.insert("person".into(), json!(person(facts, &members.person_type).await?));
    values.insert("user_column".into(), json!(ident(&members.person)));
    values.insert("role_column".into(), json!(ident(&members.role)));
    values.insert("expires".into(), members.expires.as_deref().map_or(Value::Null, |name| json!(ident(name))));
    let closes = vec![Closes {
        check: "rbac/roles-table-unused".into(),
        object: format!("{}.{}", members.schema, members.name),
    }];
    let below = below(facts, members).await?;
    let mut bound = Vec::new();
    for (schema, name) in tenant_tables(facts, true).await?.into_iter().filter(|table| !below.contains(table)) {
        if !has_policy(facts, &schema, &name, "member_reads").await? {
            bound.push(policies(ground, members, &function, &schema, &name, &closes)?);
        }
    }
    if bound.is_empty() {
        for (schema, name) in tenant_tables(facts, false).await?.into_iter().filter(|table| !below.contains(table)) {
            bound.push(policies(ground, members, &function, &schema, &name, &closes)?);
        }
    }
    // A function that nothing asks holds nobody to anything.
    if bound.is_empty() {
        return Ok(());
    }
    changes.push(Change {
        name: "ask_memberships".into(),
        stage: 3,
        // Kept whole: a policy that calls a function nobody may call yet would refuse everybody.
        phase: Phase::Table,
        why: "One function says what the session's person may do, and policies can ask it.".into(),
        statements: statements(ASK, &values)?,
        closes: closes.clone(),
        questions: vec!["role-policies".into()],
    });
    changes.extend(bound);
    questions.push(Question {
        id: "role-policies".into(),
        question: "What may a role do? The policies are restrictive, and bind a session that names a person, in a tenant that has memberships.".into(),
        default: match &members.writers {
            Some(writers) => format!("{} write, and every member reads; who is no member sees nothing", writers.join(", ")),
            None => "who is no member sees nothing".to_owned(),
        },
        key: "plan.read_only_roles".into(),
        answered: !chosen.read_only_roles.is_empty(),
    });
    Ok(())
}

/// The roles table, and what its own policies read on the way to an answer: a policy there that asks it would ask itself without end.
async fn below(facts: &mut Facts, members: &Members) -> Result<BTreeSet<(String, String)>, Stop> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "with recursive asked (kind, object) as (
           select 'relation', oid from relations where schema = ?1 and name = ?2
           union
           select d.object_kind, d.object from asked a
           join policies p on a.kind = 'relation' and p.relation = a.object
           join policy_dependencies d on d.policy = p.oid and d.object_kind in ('relation', 'function')
           union
           select 'relation', r.oid from asked a
           join function_verdicts v on a.kind = 'function' and v.function = a.object, json_each(v.reads) read
           join relations r on r.schema || '.' || r.name = read.value
         )
         select r.schema, r.name from asked a join relations r on a.kind = 'relation' and r.oid = a.object",
    )
    .bind(members.schema.clone())
    .bind(members.name.clone())
    .fetch_all(facts.connection())
    .await?;
    let own = (members.schema.clone(), members.name.clone());
    Ok(rows.into_iter().chain([own]).collect())
}

fn policies(
    ground: &Ground,
    members: &Members,
    function: &str,
    schema: &str,
    name: &str,
    closes: &[Closes],
) -> Result<Change, Stop> {
    let policy = |name: &str, command: &str, asks: String, says: &str| json!({ "name": name, "command": command, "asks": asks, "says": says });
    let mut all = vec![policy("member_reads", "select", format!("{function}()"), "Role: any member of the tenant.")];
    if let Some(writers) = members.writers.as_ref().filter(|writers| !writers.is_empty()) {
        let each: Vec<_> = writers.iter().map(|role| literal(role)).collect();
        let writers = format!("{function}(array[{}])", each.join(", "));
        for command in ["insert", "update", "delete"] {
            all.push(policy(&format!("member_{command}s"), command, writers.clone(), "Role: a member that writes."));
        }
    }
    let values = json!({
        "policies": all,
        "table": relation(Some(schema), name),
        "roles": listed(&ground.roles.writers),
    });
    let why = format!("Which role decides about rows of {name} is in the database.");
    restrictive("hold_sessions_to_their_membership", why, &values, closes, "role-policies")
}

/// The session's person, as this database's policies say it.
async fn person(facts: &mut Facts, person_type: &str) -> Result<String, Stop> {
    let uid: Option<i64> =
        sqlx::query_scalar("select 1 from functions where schema = 'auth' and name = 'uid' and signature = ''")
            .fetch_optional(facts.connection())
            .await?;
    if uid.is_some() && person_type == "uuid" {
        return Ok("auth.uid()".to_owned());
    }
    let setting: Option<String> = sqlx::query_scalar(
        "select setting from policy_settings where caller_may_set = 1 and lower(setting) like '%user%'
         group by setting order by count(*) desc, setting limit 1",
    )
    .fetch_optional(facts.connection())
    .await?;
    let setting = literal(setting.as_deref().unwrap_or("app.user_id"));
    Ok(format!("nullif(current_setting({setting}, true), '')::{person_type}"))
}
