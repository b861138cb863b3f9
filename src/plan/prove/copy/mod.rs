//! A schema made anew on an empty scratch database, from facts alone: they may come from a live database, a file or
//! replayed migrations. What cannot be made is said.

mod guards;
mod keys;
mod make;
mod names;
mod programs;
mod rights;
mod server;
mod tables;
mod types;

use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::Unproved;
use crate::target::refusal;
use make::Maker;
use names::Names;
use sqlx::PgConnection;

pub(in crate::plan::prove) use make::said;

/// What the copy is made under: names come qualified, and a body is not looked into before all it needs is there.
const PRELUDE: &str = "
    set search_path = '';
    set check_function_bodies = off;
    set standard_conforming_strings = on;
    set client_min_messages = error;
    set row_security = off;
    set statement_timeout = 0;
    set lock_timeout = 0";

/// What was made.
#[derive(Debug, Default)]
pub struct Copied {
    /// Roles that were not on the server before.
    pub roles: Vec<String>,
    /// Roles that were.
    pub before: Vec<String>,
    /// Who made it: the superuser of the scratch server.
    pub superuser: String,
    /// Roles that were on the server before and are none of the original's.
    pub strangers: Vec<String>,
    /// What of the original is not in it, and why.
    pub notes: Vec<Unproved>,
}

/// Copies what `facts` say into the empty database of a superuser's connection. `ours`: nobody else has roles on that server.
/// The session is left as it was found.
pub async fn copy(facts: &mut Facts, connection: &mut PgConnection, ours: bool) -> Result<Copied, Stop> {
    let names = Names::read(facts).await?;
    let version = crate::target::version(connection).await.map_err(refusal::lost)?;
    let (superuser, here): (String, String) =
        sqlx::query_as("select current_user::text, pg_catalog.current_database()::text")
            .persistent(false)
            .fetch_one(&mut *connection)
            .await
            .map_err(refusal::lost)?;
    let there: Vec<String> =
        sqlx::query_scalar("select rolname::text from pg_catalog.pg_roles where rolname !~ '^pg_'")
            .persistent(false)
            .fetch_all(&mut *connection)
            .await
            .map_err(refusal::lost)?;
    let strangers = there.iter().filter(|name| !names.roles.values().any(|role| role == *name)).cloned().collect();
    let mut maker = Maker { connection, notes: Vec::new(), version };
    maker.send(PRELUDE.to_owned()).await?;
    let parents = tables::parents(facts).await?;

    let roles = server::roles(facts, &mut maker, ours, &superuser).await?;
    server::memberships(facts, &names, &mut maker).await?;
    types::schemas(facts, &mut maker, false).await?;
    let missing = types::extensions(facts, &names, &mut maker).await?;
    types::schemas(facts, &mut maker, true).await?;
    if !missing.is_empty() {
        types::stand_ins(facts, &mut maker).await?;
    }
    types::types(facts, &names, &mut maker).await?;
    types::sequences(facts, &names, &mut maker).await?;
    tables::servers(facts, &mut maker).await?;
    tables::tables(facts, &names, &parents, &mut maker).await?;
    programs::programs(facts, &names, &mut maker).await?;
    keys::keys(facts, &names, &parents, &mut maker).await?;
    let mut makings = guards::guards(facts, &names, &parents).await?;
    makings.extend(keys::replica_identities(&names));
    makings.extend(rights::publications(facts, &names).await?);
    makings.extend(tables::comments(facts, &names).await?);
    maker.make(makings).await?;
    maker.make(rights::owners(facts, &names, &here).await?).await?;
    let (grants, further) = rights::grants(facts, &names, &here, maker.version).await?;
    maker.make(grants).await?;
    maker.make(further).await?;
    maker.make(rights::defaults(facts, &names).await?).await?;
    server::settings(facts, &names, &mut maker, &here).await?;
    maker.make(guards::event_triggers(facts, &names).await?).await?;
    maker.send("reset all".to_owned()).await?;
    let Maker { mut notes, .. } = maker;
    notes.sort();
    notes.dedup();
    Ok(Copied { roles, before: there, superuser, strangers, notes })
}
