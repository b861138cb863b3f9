//! The matrix, out of the derived facts. Its JSON is a contract: fields may be added.

use crate::error::Stop;
use crate::facts::Facts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::FromRow;
use std::collections::HashMap;

/// `govctl.matrix/1`.
#[derive(Debug, Serialize)]
pub(super) struct Matrix {
    schema: &'static str,
    pub(super) database: String,
    server_version: String,
    /// The role that looked.
    seen_by: String,
    pub(super) principals: Vec<Principal>,
    /// What was hidden from the role that looked.
    pub(super) unseen: Vec<String>,
}

/// Who may connect, or wait for a login.
#[derive(Debug, FromRow, Serialize)]
pub(super) struct Principal {
    #[serde(skip)]
    oid: i64,
    pub(super) role: String,
    /// `login` | `superuser` | `unused` | `public`
    pub(super) kind: String,
    pub(super) purpose: String,
    /// What says so.
    pub(super) purpose_source: String,
    #[sqlx(skip)]
    pub(super) becomes: Vec<Becomes>,
    #[sqlx(skip)]
    pub(super) relations: Vec<Held>,
}

/// A role a principal is a member of.
#[derive(Debug, FromRow, Serialize)]
pub(super) struct Becomes {
    #[serde(skip)]
    principal: i64,
    pub(super) role: String,
    /// Its rights count at once.
    pub(super) inherits: bool,
    /// SET ROLE to it is allowed.
    pub(super) can_set: bool,
    /// May grant it on.
    pub(super) admin: bool,
    pub(super) path: String,
}

/// A value that SQLite put together as JSON.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> TryFrom<String> for Json<T> {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        serde_json::from_str(&text).map(Self)
    }
}

/// What one principal may do to one relation, as one role.
#[derive(Debug, FromRow, Serialize)]
pub(super) struct Held {
    #[serde(skip)]
    principal: i64,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) kind: String,
    /// Itself, or the role it has to become.
    pub(super) as_role: String,
    pub(super) path: String,
    /// `yes` | `columns` | `no`
    pub(super) select: String,
    pub(super) insert: String,
    pub(super) update: String,
    pub(super) delete: String,
    pub(super) truncate: String,
    /// For rights on columns alone: command, then names.
    #[sqlx(try_from = "String")]
    columns: Json<Value>,
    /// Classes of what can be read: `secret`, `personal`, …
    #[sqlx(try_from = "String")]
    pub(super) classes: Json<Vec<String>>,
    /// Holds rows of tenants.
    tenant_data: bool,
    /// Whether row-level security binds this principal's reading: `bound`, `isolated`, `leaks`, `rls off`, `owner`, …
    pub(super) exposure: Option<String>,
    /// What another tenant's rows are to it, for each command that was judged.
    #[sqlx(try_from = "String")]
    verdicts: Json<Value>,
}

pub(super) async fn matrix(facts: &mut Facts) -> Result<Matrix, Stop> {
    let (database, server_version, seen_by) =
        sqlx::query_as("select database, server_version, role from target").fetch_one(facts.connection()).await?;
    let mut principals: Vec<Principal> = sqlx::query_as(
        "select p.role as oid, p.name as role, p.kind, p.purpose, coalesce(pp.source, 'nothing') as purpose_source
         from principals p left join role_purposes pp on pp.role = p.role
         order by p.purpose <> 'agent', p.kind <> 'login', p.name",
    )
    .fetch_all(facts.connection())
    .await?;
    let becomes: Vec<Becomes> = sqlx::query_as(
        "select reach.role as principal, r.name as role, reach.inherits, reach.can_set, reach.admin, reach.path
         from role_reach reach join roles r on r.oid = reach.reaches where reach.reaches <> reach.role order by length(reach.path), r.name",
    )
    .fetch_all(facts.connection())
    .await?;
    let held: Vec<Held> = sqlx::query_as(include_str!("held.sql")).fetch_all(facts.connection()).await?;
    let places: HashMap<i64, usize> = principals.iter().enumerate().map(|(place, p)| (p.oid, place)).collect();
    for one in becomes {
        if let Some(&place) = places.get(&one.principal) {
            principals[place].becomes.push(one);
        }
    }
    for one in held {
        if let Some(&place) = places.get(&one.principal) {
            principals[place].relations.push(one);
        }
    }
    const HIDDEN: &str = "select distinct why from unseen
        where area in ('roles', 'memberships', 'grants', 'relations', 'columns', 'policies', 'functions', 'schemas') order by why";
    let unseen = sqlx::query_scalar(HIDDEN).fetch_all(facts.connection()).await?;
    Ok(Matrix { schema: "govctl.matrix/1", database, server_version, seen_by, principals, unseen })
}
