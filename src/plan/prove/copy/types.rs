//! Schemas, extensions or what stands in for them, types, sequences.

use super::make::{Maker, Making};
use super::names::{Names, pairs};
use crate::check::quote::{ident, literal, relation};
use crate::error::Stop;
use crate::facts::Facts;
use crate::target::replay;

/// Schemas that are there in the end: those of extensions may come with them.
pub(super) async fn schemas(facts: &mut Facts, maker: &mut Maker<'_>, of_extensions: bool) -> Result<(), Stop> {
    let sql = match of_extensions {
        true => "select oid, name from schemas where provenance = 'extension'",
        false => "select oid, name from schemas where provenance <> 'extension'",
    };
    let makings = pairs(sql, facts).await?.into_iter().map(|(_, name)| {
        let sql = format!("create schema if not exists {}", ident(&name));
        Making::new("schema", name, sql)
    });
    maker.make(makings.collect()).await?;
    if !of_extensions && !facts.has_schema("public").await? {
        maker.send("drop schema if exists public cascade".to_owned()).await?;
    }
    Ok(())
}

/// Extensions as far as the scratch server has them. For the others, what [`replay`] has; the names are given.
pub(super) async fn extensions(facts: &mut Facts, names: &Names, maker: &mut Maker<'_>) -> Result<Vec<String>, Stop> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("select name, schema_oid from extensions where name <> 'plpgsql' order by oid")
            .fetch_all(facts.connection())
            .await?;
    let mut missing = Vec::new();
    for (name, schema) in rows {
        let place = names.schemas.get(&schema).map(|schema| format!(" schema {}", ident(schema))).unwrap_or_default();
        let Some(said) = maker.send(format!("create extension if not exists {}{place} cascade", ident(&name))).await?
        else {
            continue;
        };
        // Not those that fix their own schema.
        if maker.send(format!("create extension if not exists {} cascade", ident(&name))).await?.is_none() {
            continue;
        }
        if let Some(script) = replay::stand_in(&name) {
            maker.send("create schema if not exists extensions; create schema if not exists public".to_owned()).await?;
            maker.send(script.to_owned()).await?;
            if !facts.has_schema("extensions").await? {
                maker.send("drop schema extensions cascade".to_owned()).await?;
            }
        }
        maker.note("extension", &name, format!("{said}; what its functions and types do is not shown by it"));
        missing.push(name);
    }
    Ok(missing)
}

/// For types of extensions that are not there: the name, with text inside. `varchar`'s length stands for any modifier.
pub(super) async fn stand_ins(facts: &mut Facts, maker: &mut Maker<'_>) -> Result<(), Stop> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select schema, name from types where provenance = 'extension' and kind in ('base', 'composite', 'range')",
    )
    .fetch_all(facts.connection())
    .await?;
    let mut makings = Vec::new();
    for (schema, name) in rows {
        let it = relation(Some(&schema), &name);
        let input = relation(Some(&schema), &format!("{name}_stand_in_in"));
        let output = relation(Some(&schema), &format!("{name}_stand_in_out"));
        // Refused as a whole where the extension has made it.
        let sql = format!(
            "create type {it}; create function {input}(cstring) returns {it} language internal strict immutable as 'textin';
             create function {output}({it}) returns cstring language internal strict immutable as 'textout';
             create type {it} (input = {input}, output = {output}, like = pg_catalog.text,
               typmod_in = pg_catalog.varchartypmodin, typmod_out = pg_catalog.varchartypmodout)"
        );
        makings.push(Making::new("type", format!("{schema}.{name}"), sql));
    }
    let rows: Vec<(String, String, String, String, bool, String)> = sqlx::query_as(
        "select schema, name, signature, returns, returns_set, volatility from functions
         where provenance = 'extension' and kind = 'function' and returns not in ('trigger', 'event_trigger', 'internal')
           and returns not glob 'any*' and language in ('c', 'internal', 'plpgsql')",
    )
    .fetch_all(facts.connection())
    .await?;
    makings.extend(rows.into_iter().map(|(schema, name, signature, returns, set, volatility)| {
        let it = relation(Some(&schema), &name);
        let set = if set { "setof " } else { "" };
        let body = if returns == "void" { "select".to_owned() } else { format!("select null::{returns}") };
        let sql =
            format!("create function {it}({signature}) returns {set}{returns} language sql {volatility} as '{body}'");
        Making::new("function", format!("{schema}.{name}"), sql)
    }));
    // What is there, or cannot be, is no loss of its own: the extension was said to be missing.
    maker.attempt(makings).await.map(drop)
}

/// Enums, domains, composite types, ranges, collations.
pub(super) async fn types(facts: &mut Facts, names: &Names, maker: &mut Maker<'_>) -> Result<(), Stop> {
    let rows: Vec<(i64, String, String, String)> =
        sqlx::query_as("select oid, schema, name, kind from types where provenance <> 'extension' order by oid")
            .fetch_all(facts.connection())
            .await?;
    let labels: Vec<(i64, String)> =
        pairs("select type_oid, label from enum_labels order by type_oid, position", facts).await?;
    let mut makings: Vec<_> = names
        .ddl_of("collation")
        .map(|(_, text)| {
            Making::new("collation", text.split(' ').next().unwrap_or(text), format!("create collation {text}"))
        })
        .collect();
    for (oid, schema, name, kind) in rows {
        let (it, plain) = (relation(Some(&schema), &name), format!("{schema}.{name}"));
        let text = |kind| names.ddl(kind, oid, 0);
        let sql = match (kind.as_str(), text("domain"), text("composite"), text("range")) {
            ("enum", ..) => {
                let own = labels.iter().filter(|(of, _)| *of == oid).map(|(_, label)| literal(label));
                format!("create type {it} as enum ({})", own.collect::<Vec<_>>().join(", "))
            }
            ("domain", Some(text), ..) => format!("create domain {it} as {text}"),
            ("composite", _, Some(text), _) => format!("create type {it} as ({text})"),
            ("range", .., Some(text)) => format!("create type {it} as range ({text})"),
            _ => {
                maker.note("type", plain, "govctl does not know how to make one of its kind");
                continue;
            }
        };
        makings.push(Making::new("type", plain, sql));
    }
    maker.make(makings).await
}

/// Sequences that no identity column brings along.
pub(super) async fn sequences(facts: &mut Facts, names: &Names, maker: &mut Maker<'_>) -> Result<(), Stop> {
    let rows: Vec<(i64, bool)> = sqlx::query_as(
        "select r.oid, r.persistence = 'unlogged' from relations r
         left join sequences s on s.relation = r.oid
         left join columns c on c.relation = s.owned_by_relation and c.number = s.owned_by_column
         where r.kind = 'sequence' and c.identity is null order by r.oid",
    )
    .fetch_all(facts.connection())
    .await?;
    let makings = rows.into_iter().filter_map(|(oid, unlogged)| {
        let own = names.own(oid)?;
        let options = names.ddl("sequence", oid, 0).unwrap_or_default();
        let unlogged = if unlogged && maker.version >= 150_000 { "unlogged " } else { "" };
        Some(Making::new("sequence", &own.plain, format!("create {unlogged}sequence {} {options}", own.sql)))
    });
    let makings = makings.collect();
    maker.make(makings).await
}
