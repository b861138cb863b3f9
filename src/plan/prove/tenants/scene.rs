//! Who is to try what: logins, the roles they may become, the tables that hold tenant data, and what a session is told.

use crate::check::quote::relation;
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A role as which somebody acts.
#[derive(Clone, Debug)]
pub(in crate::plan::prove) struct Actor {
    pub(in crate::plan::prove) login: String,
    /// Itself, or what it may SET ROLE to.
    pub(in crate::plan::prove) role: String,
    /// Its platform exempts it from row security.
    pub(in crate::plan::prove) is_exempt: bool,
    principal: i64,
}

/// A table with tenant data.
#[derive(Clone, Debug)]
pub(in crate::plan::prove) struct Data {
    pub(in crate::plan::prove) plain: String,
    /// The tenant's column, where the table has one.
    pub(in crate::plan::prove) key: Option<String>,
    /// A column that can be written without a change.
    pub(in crate::plan::prove) harmless: Option<String>,
    /// Roles that have its owner's rights.
    pub(in crate::plan::prove) owners: Vec<String>,
    /// Other relations that its policies read.
    pub(in crate::plan::prove) policies_read: Vec<String>,
}

/// What is tried, and as whom.
#[derive(Clone, Debug, Default)]
pub(in crate::plan::prove) struct Scene {
    pub(in crate::plan::prove) actors: Vec<Actor>,
    pub(in crate::plan::prove) data: Vec<Data>,
    /// Tables of which a member of a JSON column alone says whose a row is.
    pub(in crate::plan::prove) inside_json: Vec<String>,
    /// Views and materialized views: for SQL, for a reader, oid.
    pub(in crate::plan::prove) views: Vec<(String, String)>,
    /// What policies read of the session, and what it says; none where nobody can guess.
    pub(in crate::plan::prove) settings: BTreeMap<String, Option<Meaning>>,
    verdicts: HashMap<(i64, String, String), String>,
}

impl Scene {
    pub(in crate::plan::prove) async fn read(facts: &mut Facts) -> Result<Self, Stop> {
        let actors: Vec<(i64, String, i64, String, bool)> = sqlx::query_as(
            "select p.role, p.name, r.oid, r.name, r.bypass_rls = 1 and r.provenance = 'platform' from principals p
             join role_reach c on c.role = p.role and (c.can_set = 1 or c.reaches = p.role)
             join roles r on r.oid = c.reaches and r.superuser = 0
             where p.kind in ('login', 'unused') and r.name not glob 'pg_*'
             order by r.oid <> p.role, p.kind, p.name",
        )
        .fetch_all(facts.connection())
        .await?;
        let mut seen = BTreeSet::new();
        let actors = actors.into_iter().filter(|(_, _, role, ..)| seen.insert(*role));
        let actor = |(principal, login, _, role, is_exempt)| Actor { login, role, is_exempt, principal };
        type Row = (i64, String, String, Option<String>, Option<String>);
        let rows: Vec<Row> = sqlx::query_as(
            "select r.oid, r.schema, r.name,
                    (select k.name from tenant_keys k where k.relation = r.oid order by k.role = 'user', k.column_number limit 1),
                    (select c.name from columns c where c.relation = r.oid and c.is_generated = 0 and c.identity is null
                       and c.number not in (select column_number from tenant_keys where relation = r.oid)
                     order by c.not_null, c.number desc limit 1)
             from relations r where r.kind in ('table', 'partitioned table') and r.provenance = 'user' and r.is_partition = 0
               and (r.oid in (select relation from tenant_keys) or r.oid in (select relation from tenant_paths))
             order by 2, 3",
        )
        .fetch_all(facts.connection())
        .await?;
        let mut owners = rows_by_relation(
            "select r.oid, o.name from relations r join roles o on o.oid = r.owner
             union select r.oid, m.name from relations r join role_reach c on c.reaches = r.owner and c.inherits = 1
             join roles m on m.oid = c.role",
            facts,
        )
        .await?;
        let mut policies_read = rows_by_relation(
            "select distinct p.relation, r.schema || '.' || r.name from policies p
             join policy_dependencies d on d.policy = p.oid and d.object_kind = 'relation' join relations r on r.oid = d.object
             -- What functions read for them, with their owner's rights.
             union
             select p.relation, read.value from policies p
             join policy_dependencies d on d.policy = p.oid and d.object_kind = 'function'
             join function_verdicts v on v.function = d.object, json_each(v.reads) read",
            facts,
        )
        .await?;
        let data = rows.into_iter().map(|(oid, schema, name, key, harmless)| Data {
            plain: format!("{schema}.{name}"),
            key,
            harmless,
            owners: owners.remove(&oid).unwrap_or_default(),
            policies_read: policies_read.remove(&oid).unwrap_or_default(),
        });
        let data = data.collect();
        let inside_json = sqlx::query_scalar(
            "select distinct r.schema || '.' || r.name from json_keys j join relations r on r.oid = j.relation
             where r.provenance = 'user' and r.is_partition = 0 and r.kind in ('table', 'partitioned table')
               and r.oid not in (select relation from tenant_keys) and r.oid not in (select relation from tenant_paths) order by 1",
        )
        .fetch_all(facts.connection())
        .await?;
        let views: Vec<(String, String)> = sqlx::query_as(
            "select schema, name from relations where kind in ('view', 'materialized view') and provenance = 'user' order by 1, 2",
        )
        .fetch_all(facts.connection())
        .await?;
        let views =
            views.into_iter().map(|(schema, name)| (relation(Some(&schema), &name), format!("{schema}.{name}")));
        let settings: Vec<String> =
            sqlx::query_scalar("select distinct setting from policy_settings").fetch_all(facts.connection()).await?;
        let keys: Vec<String> = sqlx::query_scalar("select distinct name from tenant_keys where role = 'key'")
            .fetch_all(facts.connection())
            .await?;
        let settings = settings.into_iter().map(|setting| {
            let meaning = meaning(&setting, &keys);
            (setting, meaning)
        });
        let verdicts: Vec<(i64, String, String, String)> = sqlx::query_as(
            "select v.principal, r.schema || '.' || r.name, v.command, v.verdict from verdicts v join relations r on r.oid = v.relation",
        )
        .fetch_all(facts.connection())
        .await?;
        let verdicts = verdicts.into_iter().map(|(who, table, command, verdict)| ((who, table, command), verdict));
        Ok(Self {
            actors: actors.map(actor).collect(),
            data,
            inside_json,
            views: views.collect(),
            settings: settings.collect(),
            verdicts: verdicts.collect(),
        })
    }

    /// What the facts say of a principal's command.
    pub(in crate::plan::prove) fn verdict(&self, actor: &Actor, table: &str, command: &str) -> Option<&str> {
        self.verdicts.get(&(actor.principal, table.to_owned(), command.to_owned())).map(String::as_str)
    }
}

/// Names by relation.
async fn rows_by_relation(sql: &'static str, facts: &mut Facts) -> Result<BTreeMap<i64, Vec<String>>, Stop> {
    let rows: Vec<(i64, String)> = sqlx::query_as(sql).fetch_all(facts.connection()).await?;
    let mut by_relation = BTreeMap::<_, Vec<_>>::new();
    for (relation, name) in rows {
        by_relation.entry(relation).or_default().push(name);
    }
    Ok(by_relation)
}

/// What a setting is to be told by its name: whose session it is. None: nobody can guess.
fn meaning(setting: &str, keys: &[String]) -> Option<Meaning> {
    let plain = |name: &str| name.to_lowercase().replace('_', "");
    let name = setting.to_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    let any = |words: &[&str]| words.iter().any(|word| last.contains(word));
    if any(&["claims", "jwt"]) && last != "jwt_sub" {
        Some(Meaning::Claims)
    } else if keys.iter().any(|key| plain(last).ends_with(&plain(key))) {
        // The word that the tables themselves use.
        Some(Meaning::Tenant)
    } else if any(&[
        "tenant",
        "org",
        "workspace",
        "company",
        "team",
        "account",
        "customer",
        "project",
        "site",
        "client",
        "shop",
        "school",
        "clinic",
    ]) {
        Some(Meaning::Tenant)
    } else if last == "sub" || any(&["user", "uid", "person", "member", "actor", "principal", "subject"]) {
        Some(Meaning::Person)
    } else {
        None
    }
}

/// What a setting says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::plan::prove) enum Meaning {
    /// Which tenant.
    Tenant,
    /// Which person.
    Person,
    /// Both, as JSON.
    Claims,
}
