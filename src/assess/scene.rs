//! What the facts say about the run as a whole: where they are from, the tenancy, what was hidden, what was left out.

use super::{Cause, Target};
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::BTreeSet;

/// How tenants share the database, as derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tenancy {
    /// Many tenants.
    Multi,
    /// One tenant, declared.
    Single,
    /// A schema for each tenant, and no login in two of them.
    Schemas,
    /// No tenant key was found, so nothing is known to be tenant data.
    None,
}

/// What the wall between schemas is seen by.
const WALL: [&str; 8] =
    ["schemas", "relations", "columns", "roles", "memberships", "grants", "functions", "view_dependencies"];

/// Read once, before the checks.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) target: Target,
    pub(super) tenancy: Tenancy,
    /// Why the tenancy is what it is, one sentence.
    pub(super) tenancy_reason: String,
    /// Tables known to hold tenant data.
    pub(super) tenant_tables: usize,
    /// Of these, those that a login which is no superuser's has a privilege on.
    pub(super) tenant_tables_reached: usize,
    /// Of them all, those with row-level security.
    pub(super) tenant_tables_with_policies: usize,
    /// Principals that can log in, superusers aside.
    pub(super) logins: usize,
    /// Area, why and what it needs.
    unseen: Vec<(String, String, String)>,
}

impl Scene {
    pub(super) async fn read(facts: &mut Facts) -> Result<Self, Stop> {
        let connection = facts.connection();
        let target: Option<(String, String, String, String, String)> =
            sqlx::query_as("select kind, database, server_version, role, taken_at from target")
                .fetch_optional(&mut *connection)
                .await?;
        let Some((kind, database, server_version, role, taken_at)) = target else {
            let message = "the facts do not say which database they are from".to_owned();
            return Err(Stop::Facts { message, help: Some("collect them again".to_owned()) });
        };
        let tenancy: Option<(String, String)> =
            sqlx::query_as("select mode, reason from tenancy").fetch_optional(&mut *connection).await?;
        let (tenant_tables, reached, with_policies): (i64, i64, i64) = sqlx::query_as(
            "select count(*),
                    count(*) filter (where exists (select 1 from verdicts v join principals p on p.role = v.principal
                                                   where v.relation = t.relation and p.kind = 'login')),
                    count(*) filter (where r.rls = 1)
             from tenant_data t
             left join relations r on r.oid = t.relation",
        )
        .fetch_one(&mut *connection)
        .await?;
        let logins: i64 = sqlx::query_scalar("select count(*) from principals where kind = 'login'")
            .fetch_one(&mut *connection)
            .await?;
        let unseen: Vec<(String, String, String)> =
            sqlx::query_as("select distinct area, why, needs from unseen order by area, why, needs")
                .fetch_all(connection)
                .await?;
        let (mode, tenancy_reason) = tenancy.unwrap_or_default();
        Ok(Self {
            target: Target { kind, database, server_version, role, taken_at },
            tenancy: match mode.as_str() {
                "single" => Tenancy::Single,
                "multi" if tenant_tables > 0 => Tenancy::Multi,
                // What was hidden of these could be the door between two schemas.
                "schemas" if !unseen.iter().any(|(area, ..)| WALL.contains(&area.as_str())) => Tenancy::Schemas,
                _ => Tenancy::None,
            },
            tenancy_reason,
            tenant_tables: usize::try_from(tenant_tables).unwrap_or_default(),
            tenant_tables_reached: usize::try_from(reached).unwrap_or_default(),
            tenant_tables_with_policies: usize::try_from(with_policies).unwrap_or_default(),
            logins: usize::try_from(logins).unwrap_or_default(),
            unseen,
        })
    }

    /// How tenants share the database, and what that rests on.
    pub(super) fn tenancy_in_words(&self) -> String {
        let mode = match self.tenancy {
            Tenancy::Multi => "many tenants",
            Tenancy::Single => "a single tenant",
            Tenancy::Schemas => "a schema for each tenant",
            Tenancy::None => "not known whose the rows are",
        };
        if self.tenancy_reason.is_empty() { mode.to_owned() } else { format!("{mode}: {}", self.tenancy_reason) }
    }

    /// What was hidden of some tables of the facts.
    pub(super) fn hidden(&self, tables: &BTreeSet<&'static str>) -> Vec<Cause> {
        let rows = self.unseen.iter().filter(|(area, ..)| tables.contains(area.as_str()));
        rows.map(|(_, why, needs)| Cause { kind: kind(why), what: why.clone(), needs: needs.clone() }).collect()
    }
}

/// The collector explains itself in a sentence; these words are the ones it uses where waiting was the reason.
fn kind(why: &str) -> &'static str {
    if why.ends_with("by choice") {
        "by-choice"
    } else if ["timeout", "held a lock", "wait for a lock", "time allowed"].iter().any(|word| why.contains(word)) {
        "timed-out"
    } else {
        "no-privilege"
    }
}

/// One sentence for each provenance whose schemas hold relations that no check judges.
pub(super) async fn left_out(facts: &mut Facts) -> Result<Vec<String>, Stop> {
    let rows: Vec<(String, i64, String)> = sqlx::query_as(
        "select provenance, sum(relations), group_concat(schema || ' (' || relations || ')', ', ' order by schema)
         from (select provenance, schema, count(*) as relations from relations
               where provenance in ('extension', 'platform') group by provenance, schema)
         group by provenance order by provenance",
    )
    .fetch_all(facts.connection())
    .await?;
    let said = rows.into_iter().map(|(provenance, relations, schemas)| {
        let owner = if provenance == "platform" { "the platform" } else { "extensions" };
        format!(
            "{} of {owner} not judged: {schemas}",
            counted(usize::try_from(relations).unwrap_or_default(), "relation")
        )
    });
    let mut said: Vec<_> = said.collect();
    let remarks = sqlx::query_scalar("select remark from remarks where topic in ('run', 'history')")
        .fetch_all(facts.connection())
        .await?;
    said.extend::<Vec<String>>(remarks);
    Ok(said)
}

/// "1 table", "2 tables".
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
