//! A plan that makes the first tenant: whoever saw the rows that were there sees them still, in its name.

use super::attempt::Session;
use super::{Scene, Seen};
use crate::check::quote::ident;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::Proof;
use crate::plan::prove::apply::run;
use crate::plan::prove::bench::Bench;
use crate::plan::prove::seed::Seed;
use crate::target::refusal;
use sqlx::{AssertSqlSafe, Row};
use std::collections::{BTreeSet, HashMap};

/// Looks, and makes room for rows of two tenants. False, and nothing done, where there were tenants before.
pub(in crate::plan::prove) async fn of_the_first(
    before: &mut Facts,
    after: &mut Facts,
    seed: &Seed,
    had: &Seen,
    bench: &mut Bench,
    proof: &mut Proof,
) -> Result<bool, Stop> {
    if has_keys(before).await? || !has_keys(after).await? {
        return Ok(false);
    }
    let scene = Scene::read(after).await?;
    let Some(key) = key(&scene, seed, bench).await? else { return Ok(false) };
    let mut told = Seed { superuser: seed.superuser.clone(), tenants: seed.tenants.clone(), ..Seed::default() };
    told.tenants.keys = [key.clone(), key];
    // Nobody has a role yet: a session that names a person would be held to it.
    let mut settings = scene.settings.clone();
    settings.retain(|_, meaning| *meaning != Some(super::Meaning::Person));
    let mut kept = 0;
    for actor in &scene.actors {
        // What either person sees: policies may be about persons.
        let mut seen: HashMap<&str, BTreeSet<String>> = HashMap::new();
        for person in 0..2 {
            let session = Session::begin(actor, person, &settings, &told, &mut bench.connection).await?;
            let Some(mut session) = session else { continue };
            for table in seed.tables.iter().filter(|table| scene.data.iter().any(|data| data.plain == table.plain)) {
                let rows = session.read(table).await?.unwrap_or_default();
                let own = rows.into_iter().filter(|row| table.rows.iter().any(|own| own.contains(row)));
                seen.entry(&table.plain).or_default().extend(own);
            }
            session.end().await?;
        }
        for (table, rows) in seen {
            let of = |tenant| had.get(&(actor.role.clone(), table.to_owned(), tenant)).copied().unwrap_or_default();
            let (had, has) = (of(0) + of(1), rows.len());
            if has < had && is_bound_anew(before, &actor.role, table).await? {
                proof.remaining.push(super::not_tried(
                    table,
                    format!(
                        "{} saw {had} rows, and sees {has} for the first tenant: as the owner it was past the policies that were there, and is bound by them",
                        actor.role
                    ),
                ));
            } else if has < had {
                proof
                    .failed
                    .push(format!("{} saw {had} rows in {table} and sees {has} for the first tenant", actor.role));
            } else {
                kept += usize::from(had > 0);
            }
        }
    }
    if kept > 0 {
        proof.held.push(format!("{kept} times a role sees for the first tenant as many rows as before"));
    }
    // Rows of two tenants come in their place.
    for table in &seed.tables {
        let sql = format!(
            "set session_replication_role = replica; delete from {}; reset session_replication_role",
            table.sql
        );
        run(&mut bench.connection, sql).await?;
    }
    Ok(true)
}

/// Whether rows say whose they are; a person is no tenant.
async fn has_keys(facts: &mut Facts) -> Result<bool, Stop> {
    let found: Option<i64> = sqlx::query_scalar("select 1 from tenant_keys where role = 'key' limit 1")
        .fetch_optional(facts.connection())
        .await?;
    Ok(found.is_some())
}

/// What the rows that were there say of whose they are.
async fn key(scene: &Scene, seed: &Seed, bench: &mut Bench) -> Result<Option<String>, Stop> {
    for table in &seed.tables {
        let data = scene.data.iter().find(|data| data.plain == table.plain);
        let Some(column) = data.and_then(|data| data.key.as_ref()) else { continue };
        let sql = format!("select {0}::text from {1} where {0} is not null limit 1", ident(column), table.sql);
        // AssertSqlSafe: quoted names.
        match sqlx::raw_sql(AssertSqlSafe(sql)).fetch_optional(&mut bench.connection).await {
            Ok(Some(row)) => return Ok(row.try_get(0).ok()),
            Ok(None) => {}
            Err(error) if refusal::is_lost(&error) => return Err(refusal::lost(error)),
            Err(_) => {}
        }
    }
    Ok(None)
}

/// Whether a role owned a table past policies that were there before the plan.
async fn is_bound_anew(before: &mut Facts, role: &str, table: &str) -> Result<bool, Stop> {
    let sql =
        "select count(*) > 0 from relations r join roles o on o.oid = r.owner join policies p on p.relation = r.oid
               where r.schema || '.' || r.name = ? and r.rls = 1 and r.force_rls = 0
                 and (o.name = ? or exists (select 1 from role_reach reach join roles m on m.oid = reach.role
                                            where m.name = ? and reach.reaches = o.oid and reach.inherits = 1))";
    let query = sqlx::query_scalar(sql).bind(table.to_owned()).bind(role.to_owned()).bind(role.to_owned());
    Ok(query.fetch_one(before.connection()).await?)
}
