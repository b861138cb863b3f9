//! What every structure stands on: who deploys, what a tenant is here and how policies say it, who writes, who reviews.

use crate::check::quote::{ident, literal};
use crate::error::Stop;
use crate::facts::{Facts, derive};
use crate::plan::ddl::{Cursor, Name};
use regex::Regex;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// How rows belong to a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    /// The key's column, as new tables call it too.
    pub(crate) name: String,
    /// As a column is declared.
    pub(crate) type_name: String,
    /// `"Tenant ID" = …`: the policy of this database.
    pub(crate) predicate: String,
    /// The setting the predicate reads, where it reads nothing else.
    pub(crate) setting: Option<String>,
    /// The predicate without the function that it asks, where that only reads a setting: who owns the function could let rows of
    /// somebody else's table through.
    plain: Option<String>,
    /// The tenant table and its key, where there is one.
    pub(crate) table: Option<(String, String, String)>,
}

impl Tenant {
    /// The same tenant, without a function that its predicate asks.
    fn in_plain(&self) -> Option<Self> {
        let predicate = self.plain.clone()?;
        let setting = only_setting(predicate.strip_prefix(&ident(&self.name))?);
        Some(Self { predicate, setting, plain: None, ..self.clone() })
    }

    /// The predicate over a row that has a name of its own.
    fn predicate_of(&self, row: &str) -> String {
        let name = ident(&self.name);
        let form = derive::placed(&self.predicate, None, &name);
        form.map_or_else(|| self.predicate.clone(), |form| form.replace(derive::PLACE, &format!("{row}.{name}")))
    }
}

/// Roles by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roles {
    /// Owns most tables: migrations run as it.
    pub(crate) deployer: String,
    /// May make roles and hand objects over to them.
    pub(crate) makes_roles: bool,
    /// Every role there is.
    pub(crate) all: Vec<String>,
    /// Login and purpose.
    pub(crate) logins: Vec<(String, String)>,
    /// Who changes data, and every agent.
    pub(crate) writers: Vec<String>,
    /// Who reviews, and changes nothing.
    pub(crate) auditors: Vec<String>,
}

/// What the facts say.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    /// None where there are no tenants, one, or a schema for each.
    pub(crate) tenant: Option<Tenant>,
    /// Who is who.
    pub(crate) roles: Roles,
    /// Schemas of the user's.
    pub(crate) schemas: Vec<String>,
}

impl Ground {
    /// Reads the facts.
    pub(crate) async fn read(facts: &mut Facts) -> Result<Self, Stop> {
        let version = number(facts, "select server_version_num from target").await?;
        Ok(Self {
            tenant: tenant(facts).await?,
            roles: roles(facts, version).await?,
            schemas: texts(facts, "select name from schemas").await?,
        })
    }

    /// What templates know of the tenant: an object, or null.
    pub(crate) fn tenant_value(&self) -> Value {
        tenant_value(self.tenant.as_ref())
    }

    /// The variables every template has: the tenant, its predicate, and the setting by which functions of an owner that
    /// is bound as well enter a tenant.
    pub(crate) fn values(&self, owner_role: &str) -> Map<String, Value> {
        let mut values = Map::new();
        let plain = self.tenant.as_ref().filter(|_| owner_role != self.roles.deployer).and_then(Tenant::in_plain);
        let tenant = plain.as_ref().or(self.tenant.as_ref());
        let own = tenant.is_some_and(|tenant| tenant.setting.is_none());
        let context = tenant.map(|tenant| tenant.setting.clone().unwrap_or_else(|| OWN_SETTING.to_owned()));
        values.insert("tenant".into(), tenant_value(tenant));
        values.insert("predicate".into(), tenant.map_or(Value::Null, |tenant| json!(tenant.predicate)));
        // In a function, over a row that is called `m`.
        values.insert("predicate_of_m".into(), tenant.map_or(Value::Null, |tenant| json!(tenant.predicate_of("m"))));
        values.insert("own_context".into(), json!(own));
        values.insert(
            "own_predicate".into(),
            tenant.map_or(Value::Null, |tenant| {
                json!(format!(
                    "{} = nullif(current_setting('{OWN_SETTING}', true), '')::{}",
                    ident(&tenant.name),
                    tenant.type_name
                ))
            }),
        );
        values.insert("context".into(), context.map_or(Value::Null, |setting| json!(literal(&setting))));
        values.insert("owner_role".into(), json!(ident(owner_role)));
        values.insert("policy_roles".into(), listed(&self.roles.writers));
        values.insert("writers".into(), listed(&self.roles.writers));
        // Who makes a schema enters it without a grant, and needs to on the way back.
        let strangers: Vec<_> =
            self.roles.writers.iter().filter(|name| **name != self.roles.deployer).cloned().collect();
        values.insert("strange_writers".into(), listed(&strangers));
        let told = [tenant.map_or("", |t| &t.predicate), tenant.map_or("", |t| &t.name)];
        values.insert("q".into(), json!(super::template::dollar(&told)));
        values
    }
}

/// What templates know of a tenant: an object, or null.
fn tenant_value(tenant: Option<&Tenant>) -> Value {
    let Some(tenant) = tenant else { return Value::Null };
    let name = ident(&tenant.name);
    let send = match tenant.type_name.as_str() {
        "uuid" => format!("uuid_send(new.{name})"),
        "bigint" => format!("int8send(new.{name})"),
        "numeric" => format!("numeric_send(new.{name})"),
        _ => format!("convert_to(new.{name}::text, 'UTF8')"),
    };
    let default = tenant.setting.as_ref().and_then(|_| {
        let tail = tenant.predicate.strip_prefix(&name)?.trim().strip_prefix('=')?.trim();
        let plain = tail.to_lowercase().contains(", true)") && !tail.to_lowercase().contains("select");
        plain.then(|| tail.to_owned())
    });
    let (table, key) = match &tenant.table {
        Some((schema, table, key)) => {
            (Value::from(format!("{}.{}", ident(schema), ident(table))), Value::from(ident(key)))
        }
        None => (Value::Null, Value::Null),
    };
    json!({ "name": name, "type": tenant.type_name, "send": send, "default": default, "table": table, "key": key })
}

/// Where policies ask more than a setting, functions of the owner enter a tenant by a setting of their own.
pub(crate) const OWN_SETTING: &str = "audit.tenant";

/// Names as a list in SQL; null where there are none.
pub(crate) fn listed(names: &[String]) -> Value {
    if names.is_empty() {
        return Value::Null;
    }
    Value::from(names.iter().map(|name| ident(name)).collect::<Vec<_>>().join(", "))
}

async fn number(facts: &mut Facts, sql: &'static str) -> Result<i64, Stop> {
    Ok(sqlx::query_scalar(sql).fetch_optional(facts.connection()).await?.unwrap_or_default())
}

/// The first column, as text.
pub(crate) async fn texts(facts: &mut Facts, sql: &'static str) -> Result<Vec<String>, Stop> {
    Ok(sqlx::query_scalar(sql).fetch_all(facts.connection()).await?)
}

/// The key most tables have, and how a policy over it reads.
async fn tenant(facts: &mut Facts) -> Result<Option<Tenant>, Stop> {
    let mode = texts(facts, "select mode from tenancy").await?;
    if mode.first().map(String::as_str) != Some("multi") {
        return Ok(None);
    }
    let keys: Vec<(String, String, String, Option<String>)> = sqlx::query_as(
        "select k.name, c.type, c.type_name, min(p.predicate)
         from tenant_keys k
         join relations r on r.oid = k.relation and r.provenance = 'user' and r.kind in ('table', 'partitioned table')
         join columns c on c.relation = k.relation and c.number = k.column_number and c.type_kind = 'base'
         left join tenant_predicates p on p.relation = k.relation
         where k.role in ('key', 'user')
         group by k.name, c.type
         order by max(k.role = 'key') desc, count(*) desc, k.name limit 1",
    )
    .fetch_all(facts.connection())
    .await?;
    let table: Option<(String, String, String)> = sqlx::query_as(
        "select r.schema, r.name, k.name from tenancy t
         join relations r on r.oid = t.tenant_relation
         join tenant_keys k on k.relation = r.oid and k.role = 'tenant table'
         where exists (select 1 from indexes i join index_columns ic on ic.index_oid = i.oid and ic.column_number = k.column_number
                       where i.relation = r.oid and i.is_unique = 1 and i.predicate is null)",
    )
    .fetch_optional(facts.connection())
    .await?;
    let Some((name, declared, base, predicate)) = keys.into_iter().next() else { return Ok(None) };
    let type_name = match base.as_str() {
        "int2" | "int4" | "int8" => "bigint".to_owned(),
        "text" | "varchar" | "bpchar" | "name" => "text".to_owned(),
        "numeric" => "numeric".to_owned(),
        _ => declared,
    };
    let quoted = ident(&name);
    let predicate = predicate
        .filter(|text| text.starts_with(&quoted) || !derive::asks_relations(text))
        .unwrap_or_else(|| format!("{quoted} = nullif(current_setting('app.tenant_id', true), '')::{type_name}"));
    let predicate = unset_is_none(&predicate, &quoted).unwrap_or(predicate);
    let setting = only_setting(predicate.strip_prefix(&quoted).unwrap_or(&predicate));
    let plain = match &setting {
        None => without_function(facts, &quoted, &predicate).await?,
        Some(_) => None,
    };
    Ok(Some(Tenant { name, type_name, predicate, setting, plain, table }))
}

/// `key = current_setting('x', true)::uuid`, which stops whoever comes after a RESET: tenant-isolation/reset-context-raises. What the plan
/// makes, it would mend itself, once somebody else owns it.
fn unset_is_none(predicate: &str, key: &str) -> Option<String> {
    static CAST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\s*=\s*\(*(current_setting\('[^']*'(?:::text)?, true\))\)*::([a-z0-9 _]+?)\)*$")
            .expect("a constant")
    });
    let found = CAST.captures(predicate.strip_prefix(key)?)?;
    let (setting, to) = (&found[1], &found[2]);
    (to != "text").then(|| format!("{key} = nullif({setting}, '')::{to}"))
}

/// `key = app.current_org()` as `key = …`, where the function is one expression that reads a setting.
async fn without_function(facts: &mut Facts, key: &str, predicate: &str) -> Result<Option<String>, Stop> {
    let Some(called) = predicate.strip_prefix(key).and_then(|tail| tail.trim().strip_prefix('=')) else {
        return Ok(None);
    };
    let mut at = Cursor::new(called);
    let Some(Name { schema: Some(schema), name }) = at.name() else { return Ok(None) };
    if at.parenthesised() != Some("") || !at.is_done() {
        return Ok(None);
    }
    let sql = "select source from functions where schema = ? and name = ? and signature = '' and language = 'sql' and security_definer = 0";
    let source: Option<Option<String>> =
        sqlx::query_scalar(sql).bind(schema).bind(name).fetch_optional(facts.connection()).await?;
    let source = source.flatten().unwrap_or_default();
    let body = source.trim().trim_end_matches(';').trim_end();
    let expression = body.get(..6).filter(|start| start.eq_ignore_ascii_case("select")).map(|_| body[6..].trim());
    let plain = expression.map(|expression| format!("{key} = ({expression})"));
    Ok(plain.filter(|plain| only_setting(&plain[key.len()..]).is_some()))
}

/// The setting that an expression reads, where it does nothing else but cast it.
fn only_setting(tail: &str) -> Option<String> {
    let mut settings = Vec::new();
    let mut rest = tail;
    let mut plain = String::new();
    while let Some(open) = rest.find('\'') {
        let close = open + 1 + rest[open + 1..].find('\'')?;
        plain.push_str(&rest[..open]);
        if plain.trim_end().to_lowercase().ends_with("current_setting(") {
            settings.push(rest[open + 1..close].to_owned());
        }
        plain.push('?');
        rest = &rest[close + 1..];
    }
    plain.push_str(rest);
    let words = plain.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    const KNOWN: &str = "nullif current_setting select as true text uuid bigint integer smallint int int2 int4 int8 numeric character varying varchar name citext";
    let known = words.clone().all(|word| KNOWN.split(' ').any(|known| known.eq_ignore_ascii_case(word)));
    let tail = plain.trim_start();
    (known && tail.starts_with('=') && settings.len() == 1 && !plain.contains("->")).then(|| settings.remove(0))
}

/// Who owns most tables: its oid, its name, whether it is a superuser, whether it makes roles.
async fn owner(facts: &mut Facts) -> Result<(i64, String, bool, bool), Stop> {
    let owner: Option<(i64, String, bool, bool)> = sqlx::query_as(
        "select o.oid, o.name, o.superuser, o.create_role from roles o
         left join (select owner, count(*) as tables from relations where provenance = 'user' and kind in ('table', 'partitioned table')
                    group by owner) owned on owned.owner = o.oid
         where owned.tables is not null or o.oid = (select owner from databases where is_current = 1)
         order by coalesce(owned.tables, 0) desc, o.oid limit 1",
    )
    .fetch_optional(facts.connection())
    .await?;
    Ok(owner.unwrap_or_default())
}

/// Whoever may act as the owner: oid, whether it is a superuser, whether it makes roles. Where the owner is no login, those who may
/// deploy; where nobody may, a superuser does.
async fn acting(facts: &mut Facts, owner: i64) -> Result<Vec<(i64, bool, bool)>, Stop> {
    let acting = sqlx::query_as(
        "select r.oid, r.superuser, r.create_role from role_reach reach join roles r on r.oid = reach.role and r.login = 1
         where reach.reaches = ? and (reach.inherits = 1 or reach.can_set = 1)",
    );
    Ok(acting.bind(owner).fetch_all(facts.connection()).await?)
}

/// Whoever runs the migrations, and what it may do.
#[derive(Debug)]
pub(crate) struct Deployer {
    pub(crate) name: String,
    pub(crate) is_superuser: bool,
    pub(crate) makes_roles: bool,
    /// Every role with whose rights it works, itself among them.
    pub(crate) acts_as: BTreeSet<String>,
}

impl Deployer {
    pub(crate) async fn of(facts: &mut Facts) -> Result<Self, Stop> {
        let (oid, name, superuser, creates) = owner(facts).await?;
        let acting = acting(facts, oid).await?;
        // The owner itself, where it is a login.
        let itself: Vec<_> = acting.iter().filter(|role| role.0 == oid).collect();
        let who = if itself.is_empty() { acting.iter().collect() } else { itself };
        let roles = serde_json::json!(who.iter().map(|role| role.0).collect::<Vec<_>>()).to_string();
        let acts_as: Vec<String> = sqlx::query_scalar(
            "select o.name from role_reach reach join roles o on o.oid = reach.reaches
             where reach.inherits = 1 and reach.role in (select value from json_each(?))",
        )
        .bind(roles)
        .fetch_all(facts.connection())
        .await?;
        Ok(Self {
            is_superuser: superuser || acting.is_empty() || who.iter().any(|role| role.1),
            makes_roles: creates || who.iter().any(|role| role.2),
            acts_as: acts_as.into_iter().chain([name.clone()]).collect(),
            name,
        })
    }
}

async fn roles(facts: &mut Facts, version: i64) -> Result<Roles, Stop> {
    let (oid, deployer, superuser, creates) = owner(facts).await?;
    let logins: Vec<(String, String)> = sqlx::query_as(
        "select r.name, case when r.superuser = 1 and coalesce(p.purpose, 'unknown') not in ('agent', 'person') then 'administration'
                             else coalesce(p.purpose, 'unknown') end
         from roles r left join role_purposes p on p.role = r.oid
         where r.login = 1 and r.name not like 'pg\\_%' escape '\\'
           and (r.superuser = 1
             or exists (select 1 from relation_privileges rp join relations t on t.oid = rp.relation and t.provenance = 'user' where rp.role = r.oid and rp.visible = 1)
             or exists (select 1 from function_privileges fp join functions f on f.oid = fp.function and f.provenance = 'user'
                        where fp.role = r.oid and fp.visible = 1 and f.default_acl = 0)
             or exists (select 1 from role_reach reach join relation_privileges rp on rp.role = reach.reaches and rp.visible = 1
                        join relations t on t.oid = rp.relation and t.provenance = 'user' where reach.role = r.oid and reach.can_set = 1)
             or exists (select 1 from role_reach reach join relations t on t.owner = reach.reaches and t.provenance = 'user'
                        where reach.role = r.oid and (reach.inherits = 1 or reach.can_set = 1)))
         order by r.name",
    )
    .fetch_all(facts.connection())
    .await?;
    let writers = texts(
        facts,
        "with wrote as (
           select distinct g.grantee as role from grants g
           join relations r on r.oid = g.object and r.provenance = 'user' and r.kind in ('table', 'partitioned table') and r.owner <> g.grantee
           where g.object_kind in ('relation', 'column') and g.privilege in ('INSERT', 'UPDATE', 'DELETE') and g.grantee <> 0
         ), chosen as (
           select role from wrote
           union select a.role from agents a
             where exists (select 1 from relation_privileges rp join relations r on r.oid = rp.relation and r.provenance = 'user' where rp.role = a.role and rp.visible = 1)
                or exists (select 1 from function_privileges fp join functions f on f.oid = fp.function and f.provenance = 'user'
                           where fp.role = a.role and fp.visible = 1 and f.default_acl = 0)
           union select p.role from principals p
             where p.kind = 'login' and exists (select 1 from relation_privileges rp join relations r on r.oid = rp.relation and r.provenance = 'user'
                                                where rp.role = p.role and rp.visible = 1 and rp.can_insert + rp.can_update + rp.can_delete > 0)
               and not exists (select 1 from role_reach reach join wrote w on w.role = reach.reaches
                               where reach.role = p.role and reach.reaches <> p.role and reach.inherits = 1)
         )
         select distinct r.name from chosen c
         join roles r on r.oid = c.role and r.superuser = 0 and r.provenance <> 'system' and r.name <> 'anon'
         left join role_purposes p on p.role = r.oid
         where coalesce(p.purpose, 'unknown') not in ('auditor', 'administration', 'monitoring', 'replication')
         order by r.name",
    )
    .await?;
    let auditors = texts(
        facts,
        "select r.name from roles r join role_purposes p on p.role = r.oid and p.purpose = 'auditor'
         where r.superuser = 0 and not exists (select 1 from relation_privileges rp join relations t on t.oid = rp.relation and t.provenance = 'user'
                           where rp.role = r.oid and rp.can_insert + rp.can_update + rp.can_delete > 0)
         order by r.name",
    )
    .await?;
    let all = texts(facts, "select name from roles order by name").await?;
    let acting = acting(facts, oid).await?;
    // From 16 on, who makes roles may hand over to those it made alone.
    let hands_over = version < 160_000 || !all.iter().any(|name| name == "audit_owner");
    let makes_roles = superuser
        || acting.is_empty()
        || acting.iter().any(|role| role.1)
        || (creates || acting.iter().any(|role| role.2)) && hands_over;
    Ok(Roles { deployer, makes_roles, all, logins, writers, auditors })
}

#[cfg(test)]
mod tests {
    use super::{only_setting, unset_is_none};

    #[test]
    fn a_setting_alone_is_told_from_more() {
        let plain = [
            ("= nullif(current_setting('app.tenant_id', true), '')::uuid", "app.tenant_id"),
            ("= (NULLIF(current_setting('a.b'::text, true), ''::text))::bigint", "a.b"),
            ("= ( SELECT (current_setting('x.y'::text))::integer AS current_setting)", "x.y"),
        ];
        for (tail, setting) in plain {
            assert_eq!(only_setting(tail).as_deref(), Some(setting), "{tail}");
        }
        for tail in [
            "= app.current_tenant()",
            "= ((current_setting('request.jwt.claims'::text, true))::json ->> 'org'::text)::uuid",
            "IN ( SELECT m.org_id FROM members m WHERE m.user_id = auth.uid())",
            "= any (string_to_array(current_setting('app.tenants', true), ','))",
            "> current_setting('a.b')",
        ] {
            assert_eq!(only_setting(tail), None, "{tail}");
        }
    }

    #[test]
    fn an_empty_setting_is_no_tenant() {
        let mended = |text: &str| unset_is_none(text, "tenant_id");
        let good = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid";
        assert_eq!(mended("tenant_id = current_setting('app.tenant_id', true)::uuid").as_deref(), Some(good));
        let stored = mended("tenant_id = (current_setting('app.tenant_id'::text, true))::uuid");
        assert_eq!(
            stored.as_deref(),
            Some("tenant_id = nullif(current_setting('app.tenant_id'::text, true), '')::uuid")
        );
        assert_eq!(mended(good), None);
        assert_eq!(mended("tenant_id = current_setting('app.tenant_id', true)"), None);
        assert_eq!(mended("tenant_id = current_setting('app.tenant_id')::uuid"), None);
    }
}
