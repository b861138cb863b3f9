//! Owners, grants, default privileges.

use super::make::Making;
use super::names::Names;
use crate::check::quote::ident;
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::{BTreeMap, HashMap};

/// Who owns what. A sequence of a column has the owner of its table.
pub(super) async fn owners(facts: &mut Facts, names: &Names, here: &str) -> Result<Vec<Making>, Stop> {
    let mut makings = Vec::new();
    let mut give = |what: String, plain: &str, owner: i64| {
        if let Some(owner) = names.role(owner) {
            makings.push(Making::new("owner", plain, format!("alter {what} owner to {owner}")));
        }
    };
    let rows: Vec<(i64,)> = sqlx::query_as("select relation from sequences where owned_by_relation is not null")
        .fetch_all(facts.connection())
        .await?;
    let owned: std::collections::HashSet<_> = rows.into_iter().map(|(oid,)| oid).collect();
    let mut relations: Vec<_> =
        names.relations.iter().filter(|(oid, it)| !it.foreign && !owned.contains(oid)).collect();
    relations.sort_unstable_by_key(|(oid, _)| **oid);
    for (_, it) in relations {
        let kind = if it.kind == "partitioned table" { "table" } else { &it.kind };
        give(format!("{kind} {}", it.sql), &it.plain, it.owner);
    }
    let rows: Vec<(i64, String)> = sqlx::query_as("select oid, kind from functions where provenance <> 'extension'")
        .fetch_all(facts.connection())
        .await?;
    for (oid, kind) in rows {
        let Some((name, owner)) = names.functions.get(&oid) else { continue };
        let what = match kind.as_str() {
            "aggregate" => {
                format!("aggregate {}", if name.ends_with("()") { name.replace("()", "(*)") } else { name.clone() })
            }
            _ => format!("routine {name}"),
        };
        give(what, name, *owner);
    }
    let rows: Vec<(i64, String)> = sqlx::query_as("select oid, kind from types where provenance <> 'extension'")
        .fetch_all(facts.connection())
        .await?;
    for (oid, kind) in rows {
        let Some((name, owner)) = names.types.get(&oid) else { continue };
        give(format!("{} {name}", if kind == "domain" { "domain" } else { "type" }), name, *owner);
    }
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "select 'schema', name, owner from schemas where provenance <> 'extension'
         union all select 'server', name, owner from foreign_servers
         union all select 'publication', name, owner from publications
         union all select 'database', ?, owner from databases where is_current = 1",
    )
    .bind(here)
    .fetch_all(facts.connection())
    .await?;
    for (kind, name, owner) in rows {
        give(format!("{kind} {}", ident(&name)), &name, owner);
    }
    Ok(makings)
}

/// An object with an ACL of its own, and who its owner is.
struct Holder {
    /// `table public.orders`.
    sql: String,
    plain: String,
    owner: Option<i64>,
}

/// Every object that can have grants, by the facts' kind and oid; and whether an ACL is stored.
async fn holders(
    facts: &mut Facts,
    names: &Names,
    here: &str,
) -> Result<BTreeMap<(String, i64), (Holder, bool)>, Stop> {
    let mut all = BTreeMap::new();
    let rows: Vec<(i64, bool)> =
        sqlx::query_as("select oid, default_acl from relations").fetch_all(facts.connection()).await?;
    for (oid, default) in rows {
        let Some(own) = names.own(oid) else { continue };
        let word = if own.kind == "sequence" { "sequence" } else { "table" };
        let holder = Holder { sql: format!("{word} {}", own.sql), plain: own.plain.clone(), owner: Some(own.owner) };
        all.insert(("relation".to_owned(), oid), (holder, !default));
    }
    let rows: Vec<(i64, bool, String)> =
        sqlx::query_as("select oid, default_acl, kind from functions where provenance <> 'extension'")
            .fetch_all(facts.connection())
            .await?;
    for (oid, default, kind) in rows {
        let Some((name, owner)) = names.functions.get(&oid) else { continue };
        let sql = if kind == "aggregate" && name.ends_with("()") { name.replace("()", "(*)") } else { name.clone() };
        let holder = Holder { sql: format!("routine {sql}"), plain: name.clone(), owner: Some(*owner) };
        all.insert(("function".to_owned(), oid), (holder, !default));
    }
    let rows: Vec<(i64, bool)> = sqlx::query_as("select oid, default_acl from types where provenance <> 'extension'")
        .fetch_all(facts.connection())
        .await?;
    for (oid, default) in rows {
        let Some((name, owner)) = names.types.get(&oid) else { continue };
        let holder = Holder { sql: format!("type {name}"), plain: name.clone(), owner: Some(*owner) };
        all.insert(("type".to_owned(), oid), (holder, !default));
    }
    let rows: Vec<(String, i64, String, i64, bool)> = sqlx::query_as(
        "select 'schema', oid, name, owner, default_acl from schemas where provenance <> 'extension'
         union all select 'foreign server', oid, name, owner, default_acl from foreign_servers
         union all select 'language', oid, name, owner, default_acl from languages where name not in ('c', 'internal')
         union all select 'database', oid, ?, owner, default_acl from databases where is_current = 1",
    )
    .bind(here)
    .fetch_all(facts.connection())
    .await?;
    for (kind, oid, name, owner, default) in rows {
        let holder = Holder { sql: format!("{kind} {}", ident(&name)), plain: name, owner: Some(owner) };
        all.insert((kind, oid), (holder, !default));
    }
    Ok(all)
}

/// First nobody has anything where an ACL is stored, then what it says. What somebody else than the owner granted is
/// granted by that role once more.
pub(super) async fn grants(
    facts: &mut Facts,
    names: &Names,
    here: &str,
    version: u32,
) -> Result<(Vec<Making>, Vec<Making>), Stop> {
    let holders = holders(facts, names, here).await?;
    let (mut makings, mut further) = (Vec::new(), Vec::new());
    for (holder, _) in holders.values().filter(|(_, stored)| *stored) {
        let owner = holder.owner.and_then(|owner| names.role(owner)).map(|owner| format!(", {owner}"));
        let sql = format!("revoke all on {} from public{}", holder.sql, owner.unwrap_or_default());
        makings.push(Making::new("grant", &holder.plain, sql));
    }
    let rows: Vec<(String, i64, i64, i64, i64, String, bool)> = sqlx::query_as(
        "select object_kind, object, column_number, grantee, grantor, privilege, grantable from grants
         order by object_kind, object, column_number, grantee, grantor, privilege",
    )
    .fetch_all(facts.connection())
    .await?;
    let mut grouped = BTreeMap::<_, Vec<String>>::new();
    for (kind, object, column, grantee, grantor, privilege, grantable) in rows {
        // PostgreSQL 17 brings MAINTAIN, which lets nobody see or change a row.
        if version >= 170_000 || privilege != "MAINTAIN" {
            grouped.entry((kind, object, column, grantee, grantor, grantable)).or_default().push(privilege);
        }
    }
    for ((kind, object, column, grantee, grantor, grantable), privileges) in grouped {
        let of = if kind == "column" { "relation" } else { &kind };
        let Some((holder, _)) = holders.get(&(of.to_owned(), object)) else { continue };
        let Some(to) = names.role(grantee) else { continue };
        let column = if kind == "column" { names.column(object, column) } else { None };
        let part = column.map(|column| format!(" ({column})")).unwrap_or_default();
        let privileges: Vec<_> = privileges.iter().map(|it| format!("{it}{part}")).collect();
        let option = if grantable { " with grant option" } else { "" };
        let sql = format!("grant {} on {} to {to}{option}", privileges.join(", "), holder.sql);
        let by_another = holder.owner != Some(grantor) && grantor != 10;
        match names.role(grantor).filter(|_| by_another) {
            Some(by) => further.push(Making::new("grant", &holder.plain, format!("set role {by}; {sql}; reset role"))),
            None => makings.push(Making::new("grant", &holder.plain, sql)),
        }
    }
    Ok((makings, further))
}

/// What new objects grant. Where a role has any for every schema, they take the place of the built-in ones.
pub(super) async fn defaults(facts: &mut Facts, names: &Names) -> Result<Vec<Making>, Stop> {
    let rows: Vec<(i64, i64, String, i64, String, bool)> = sqlx::query_as(
        "select role, schema_oid, object_kind, grantee, privilege, grantable from default_privileges
         where object_kind <> 'large object' order by 1, 2, 3, 4, 6, 5",
    )
    .fetch_all(facts.connection())
    .await?;
    let mut grouped = BTreeMap::<_, BTreeMap<(i64, bool), Vec<String>>>::new();
    for (role, schema, kind, grantee, privilege, grantable) in rows {
        grouped.entry((role, schema, kind)).or_default().entry((grantee, grantable)).or_default().push(privilege);
    }
    let words: HashMap<_, _> = [
        ("relation", "tables"),
        ("sequence", "sequences"),
        ("function", "functions"),
        ("type", "types"),
        ("schema", "schemas"),
    ]
    .into();
    let mut makings = Vec::new();
    for ((role, schema, kind), grants) in grouped {
        let (Some(role), Some(word)) = (names.role(role), words.get(kind.as_str())) else { continue };
        let place = match names.schemas.get(&schema) {
            Some(schema) => format!(" in schema {}", ident(schema)),
            None if schema == 0 => String::new(),
            None => continue,
        };
        let head = format!("alter default privileges for role {role}{place}");
        if schema == 0 {
            makings.push(Making::new(
                "default privilege",
                &role,
                format!("{head} revoke all on {word} from public, {role}"),
            ));
        }
        for ((grantee, grantable), privileges) in grants {
            let Some(to) = names.role(grantee) else { continue };
            let option = if grantable { " with grant option" } else { "" };
            let sql = format!("{head} grant {} on {word} to {to}{option}", privileges.join(", "));
            makings.push(Making::new("default privilege", &role, sql));
        }
    }
    Ok(makings)
}

/// What is published.
pub(super) async fn publications(facts: &mut Facts, names: &Names) -> Result<Vec<Making>, Stop> {
    let rows: Vec<(i64, String, bool, String)> =
        sqlx::query_as("select oid, name, all_tables, publishes from publications order by oid")
            .fetch_all(facts.connection())
            .await?;
    let tables: Vec<(i64, i64, Option<String>)> =
        sqlx::query_as("select publication, relation, row_filter from publication_relations order by relation")
            .fetch_all(facts.connection())
            .await?;
    let mut makings = Vec::new();
    for (oid, name, all, publishes) in rows {
        let listed = tables.iter().filter(|(of, ..)| *of == oid).filter_map(|(_, relation, filter)| {
            let own = names.own(*relation)?;
            let columns =
                names.ddl("published columns", oid, *relation).map(|it| format!(" ({it})")).unwrap_or_default();
            let filter = filter.as_ref().map(|it| format!(" where ({it})")).unwrap_or_default();
            Some(format!("table only {}{columns}{filter}", own.sql))
        });
        let listed: Vec<_> = listed.collect();
        let what = if all {
            " for all tables".to_owned()
        } else if listed.is_empty() {
            String::new()
        } else {
            format!(" for {}", listed.join(", "))
        };
        let sql = format!("create publication {}{what} with (publish = '{publishes}')", ident(&name));
        makings.push(Making::new("publication", name, sql));
    }
    Ok(makings)
}
