//! Functions, views and materialized views: each may need the others, so they are made together.

use super::make::{Maker, Making};
use super::names::Names;
use super::tables;
use crate::check::quote::relation;
use crate::error::Stop;
use crate::facts::Facts;

#[derive(sqlx::FromRow)]
struct Function {
    oid: i64,
    schema: String,
    name: String,
    signature: String,
    kind: String,
    language: String,
    source: Option<String>,
    /// By an extension the scratch lacks, and in a language that says all.
    stand_in: bool,
}

#[derive(sqlx::FromRow)]
struct View {
    oid: i64,
    kind: String,
    security_invoker: bool,
    security_barrier: bool,
    definition: Option<String>,
}

/// Functions, defaults, views.
pub(super) async fn programs(facts: &mut Facts, names: &Names, maker: &mut Maker<'_>) -> Result<(), Stop> {
    let functions: Vec<Function> = sqlx::query_as(
        "select oid, schema, name, signature, kind, language, source, provenance = 'extension' as stand_in from functions order by oid",
    )
    .fetch_all(facts.connection())
    .await?;
    let (mut makings, mut stand_ins, mut aggregates) = (Vec::new(), Vec::new(), Vec::new());
    for function in functions {
        let plain = format!("{}.{}({})", function.schema, function.name, function.signature);
        match statement(&function, names) {
            // A range type has brought those of its own name.
            Some(sql) if function.stand_in || function.language == "internal" => {
                stand_ins.push(Making::new("function", plain, sql))
            }
            Some(sql) if function.kind == "aggregate" => aggregates.push(Making::new("aggregate", plain, sql)),
            Some(sql) => makings.push(Making::new("function", plain, sql)),
            None if function.stand_in => {}
            None => maker.note(&function.kind, plain, format!("it is written in {}", function.language)),
        }
    }
    // `or replace` would overwrite what an extension has brought: those are left out where there is one of that name.
    let kept = stand_ins.into_iter().map(|it| Making { sql: it.sql.replacen("CREATE OR REPLACE", "CREATE", 1), ..it });
    maker.attempt(kept.collect()).await?;
    makings.extend(aggregates);
    makings.extend(tables::defaults(facts, names).await?);
    makings.extend(views(facts, names, maker).await?);
    maker.make(makings).await
}

/// None for what SQL cannot say.
fn statement(function: &Function, names: &Names) -> Option<String> {
    if let Some(text) = names.ddl("aggregate", function.oid, 0) {
        let arguments = if function.signature.is_empty() { "*" } else { &function.signature };
        let name = relation(Some(&function.schema), &function.name);
        return Some(format!("create aggregate {name}({arguments}) ({text})"));
    }
    let head = names.ddl("function", function.oid, 0)?;
    let source = function.source.as_deref()?;
    if !head.trim_end().ends_with("\nAS") {
        return Some(format!("{head}{source}"));
    }
    let mut tag = "$body$".to_owned();
    while source.contains(tag.trim_end_matches('$')) {
        tag.insert(5, 'y');
    }
    Some(format!("{head}{tag}{source}{tag}"))
}

async fn views(facts: &mut Facts, names: &Names, maker: &mut Maker<'_>) -> Result<Vec<Making>, Stop> {
    let views: Vec<View> = sqlx::query_as(
        "select oid, kind, security_invoker, security_barrier, definition from relations
         where kind in ('view', 'materialized view') order by oid",
    )
    .fetch_all(facts.connection())
    .await?;
    let mut makings = Vec::new();
    for view in views {
        let Some(own) = names.own(view.oid) else { continue };
        let Some(definition) = &view.definition else {
            maker.note("view", &own.plain, "its definition could not be read");
            continue;
        };
        let query = definition.trim().trim_end_matches(';');
        if view.kind == "materialized view" {
            let sql = format!("create materialized view {} as {query} with no data", own.sql);
            makings.push(Making::new("materialized view", &own.plain, sql));
            continue;
        }
        let mut options = Vec::new();
        if view.security_invoker {
            options.push("security_invoker = true".to_owned());
        }
        if view.security_barrier {
            options.push("security_barrier = true".to_owned());
        }
        options.extend(names.ddl("view option", view.oid, 0).map(|option| format!("check_option = {option}")));
        let options = if options.is_empty() { String::new() } else { format!(" with ({})", options.join(", ")) };
        makings.push(Making::new("view", &own.plain, format!("create view {}{options} as {query}", own.sql)));
    }
    Ok(makings)
}
