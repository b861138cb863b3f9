//! Tables with their columns, and whose partitions they are. Defaults, keys and indexes come later: they may need functions.

use super::make::{Maker, Making};
use super::names::Names;
use crate::check::quote::{ident, literal};
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::{BTreeMap, HashMap, HashSet};

#[derive(sqlx::FromRow)]
struct Column {
    relation: i64,
    number: i64,
    name: String,
    r#type: String,
    not_null: bool,
    default_expression: Option<String>,
    is_generated: bool,
    identity: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Table {
    oid: i64,
    is_partition: bool,
    persistence: String,
    /// Of a partitioned one.
    strategy: Option<String>,
    /// Of a foreign one.
    server: Option<String>,
}

/// Parents of each table, in order, with the bound of a partition.
pub(super) type Parents = HashMap<i64, Vec<(i64, Option<String>)>>;

pub(super) async fn parents(facts: &mut Facts) -> Result<Parents, Stop> {
    let rows: Vec<(i64, i64, Option<String>)> =
        sqlx::query_as("select child, parent, bound from inheritance order by child, position")
            .fetch_all(facts.connection())
            .await?;
    let mut parents = Parents::new();
    for (child, parent, bound) in rows {
        parents.entry(child).or_default().push((parent, bound));
    }
    Ok(parents)
}

/// How far below its topmost ancestor a table is.
pub(super) fn depth(table: i64, parents: &Parents) -> usize {
    let above = parents.get(&table).into_iter().flatten();
    above.map(|(parent, _)| depth(*parent, parents) + 1).max().unwrap_or(0)
}

/// Foreign servers, in name: nothing is ever fetched from them, and their options stay where they are.
pub(super) async fn servers(facts: &mut Facts, maker: &mut Maker<'_>) -> Result<(), Stop> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("select name, wrapper from foreign_servers order by oid").fetch_all(facts.connection()).await?;
    let wrappers: HashSet<_> = rows.iter().map(|(_, wrapper)| wrapper.clone()).collect();
    let wrappers = wrappers
        .iter()
        .map(|it| Making::new("foreign data wrapper", it, format!("create foreign data wrapper {}", ident(it))));
    // Refused where an extension has brought it.
    maker.attempt(wrappers.collect()).await?;
    let servers = rows.iter().map(|(name, wrapper)| {
        let sql = format!("create server {} foreign data wrapper {}", ident(name), ident(wrapper));
        Making::new("foreign server", name, sql)
    });
    maker.make(servers.collect()).await
}

/// Tables, then what is a partition of what.
pub(super) async fn tables(
    facts: &mut Facts,
    names: &Names,
    parents: &Parents,
    maker: &mut Maker<'_>,
) -> Result<(), Stop> {
    let mut tables: Vec<Table> = sqlx::query_as(
        "select r.oid, r.is_partition, r.persistence, (select k.strategy from partition_keys k where k.relation = r.oid) as strategy,
                (select s.name from foreign_tables f join foreign_servers s on s.oid = f.server where f.relation = r.oid) as server
         from relations r where r.kind in ('table', 'partitioned table', 'foreign table') order by r.oid",
    )
    .fetch_all(facts.connection())
    .await?;
    let keys: Vec<(i64, i64)> =
        sqlx::query_as("select relation, column_number from partition_keys order by relation, position")
            .fetch_all(facts.connection())
            .await?;
    let columns = columns(facts).await?;
    let identities = identities(facts).await?;
    tables.sort_by_key(|table| depth(table.oid, parents));
    let (mut makings, mut attachments) = (Vec::new(), Vec::new());
    for table in &tables {
        let Some(own) = names.own(table.oid) else { continue };
        let above = parents.get(&table.oid).map(Vec::as_slice).unwrap_or_default();
        // Before PostgreSQL 16 a child may not say again how its parent makes a column.
        let is_inherited = |column: &Column| {
            let mut of_parents = above.iter().filter_map(|(parent, _)| columns.get(parent)).flatten();
            column.is_generated && of_parents.any(|other| other.is_generated && other.name == column.name)
        };
        let lines = columns.get(&table.oid).into_iter().flatten();
        let line = |column: &Column| line(column, table, is_inherited(column), names, &identities, maker.version);
        let lines: Vec<_> = lines.map(line).collect();
        let mut sql = format!("{} {} ({})", head(table), own.sql, lines.join(", "));
        let inherits: Vec<_> = above
            .iter()
            .filter(|(_, bound)| bound.is_none())
            .filter_map(|(parent, _)| names.relations.get(parent).map(|parent| parent.sql.clone()))
            .collect();
        if !inherits.is_empty() {
            sql += &format!(" inherits ({})", inherits.join(", "));
        }
        if let Some(strategy) = &table.strategy {
            let own = keys.iter().filter(|(of, _)| *of == table.oid);
            let plain: Vec<_> = own.filter_map(|(of, number)| names.column(*of, *number)).collect();
            let key = names.ddl("partition key", table.oid, 0).map_or_else(|| plain.join(", "), str::to_owned);
            sql += &format!(" partition by {strategy} ({key})");
        }
        if let Some(server) = &table.server {
            sql += &format!(" server {}", ident(server));
        }
        makings.push(Making::new("table", &own.plain, sql));
        for (parent, bound) in above.iter().filter_map(|(parent, bound)| Some((parent, bound.as_ref()?))) {
            let Some(parent) = names.relations.get(parent) else { continue };
            let sql = format!("alter table only {} attach partition {} {bound}", parent.sql, own.sql);
            attachments.push(Making::new("partition", &own.plain, sql));
        }
    }
    maker.make(makings).await?;
    maker.make(attachments).await
}

fn head(table: &Table) -> &'static str {
    match (table.server.is_some(), table.persistence.as_str()) {
        (true, _) => "create foreign table",
        (_, "unlogged") => "create unlogged table",
        _ => "create table",
    }
}

/// A column as `CREATE TABLE` has it.
fn line(
    column: &Column,
    table: &Table,
    is_inherited: bool,
    names: &Names,
    identities: &HashMap<(i64, i64), i64>,
    version: u32,
) -> String {
    let mut line = format!("{} {}", ident(&column.name), column.r#type);
    let more = names.ddl("column", column.relation, column.number).unwrap_or_default();
    let (collation, is_virtual) = match more.strip_suffix("virtual") {
        Some(rest) => (rest, true),
        None => (more, false),
    };
    if !collation.is_empty() {
        line += &format!(" {}", collation.trim());
    }
    match (&column.default_expression, &column.identity) {
        (Some(_), _) if column.is_generated && is_inherited && !table.is_partition => {}
        (Some(expression), _) if column.is_generated => {
            let stored = if is_virtual && version >= 180_000 { "virtual" } else { "stored" };
            line += &format!(" generated always as ({expression}) {stored}");
        }
        // A partition has that of its parent.
        (_, Some(identity)) if !table.is_partition => {
            line += &format!(" generated {identity} as identity");
            if let Some(sequence) = identities.get(&(column.relation, column.number)) {
                let name = names.relations.get(sequence).map(|it| it.sql.as_str()).unwrap_or_default();
                let options = names.ddl("sequence", *sequence, 0).unwrap_or_default();
                // The type is the column's.
                let options = options.find("increment").map_or("", |from| &options[from..]);
                line += &format!(" (sequence name {name} {options})");
            }
        }
        _ => {}
    }
    if column.not_null {
        line += " not null";
    }
    line
}

async fn columns(facts: &mut Facts) -> Result<BTreeMap<i64, Vec<Column>>, Stop> {
    let rows: Vec<Column> = sqlx::query_as(
        "select relation, number, name, type, not_null, default_expression, is_generated, identity from columns
         order by relation, number",
    )
    .fetch_all(facts.connection())
    .await?;
    let mut columns = BTreeMap::<_, Vec<_>>::new();
    for column in rows {
        columns.entry(column.relation).or_default().push(column);
    }
    Ok(columns)
}

/// The sequence of each identity column.
async fn identities(facts: &mut Facts) -> Result<HashMap<(i64, i64), i64>, Stop> {
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
        "select owned_by_relation, owned_by_column, relation from sequences where owned_by_relation is not null",
    )
    .fetch_all(facts.connection())
    .await?;
    Ok(rows.into_iter().map(|(table, column, sequence)| ((table, column), sequence)).collect())
}

/// Defaults, and whose a sequence is.
pub(super) async fn defaults(facts: &mut Facts, names: &Names) -> Result<Vec<Making>, Stop> {
    let mut makings = Vec::new();
    for column in columns(facts).await?.into_values().flatten() {
        let (Some(own), Some(expression)) = (names.own(column.relation), &column.default_expression) else { continue };
        if column.is_generated {
            continue;
        }
        let what = if own.kind.ends_with("view") { "view" } else { "table only" };
        let sql = format!("alter {what} {} alter column {} set default {expression}", own.sql, ident(&column.name));
        makings.push(Making::new("default", format!("{}.{}", own.plain, column.name), sql));
    }
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
        "select s.relation, s.owned_by_relation, s.owned_by_column from sequences s
         join columns c on c.relation = s.owned_by_relation and c.number = s.owned_by_column where c.identity is null",
    )
    .fetch_all(facts.connection())
    .await?;
    for (sequence, table, column) in rows {
        let (Some(sequence), Some(table), Some(column)) =
            (names.own(sequence), names.own(table), names.column(table, column))
        else {
            continue;
        };
        let sql = format!("alter sequence {} owned by {}.{column}", sequence.sql, table.sql);
        makings.push(Making::new("sequence", &sequence.plain, sql));
    }
    Ok(makings)
}

/// What somebody wrote about objects.
pub(super) async fn comments(facts: &mut Facts, names: &Names) -> Result<Vec<Making>, Stop> {
    let mut makings = Vec::new();
    let mut comment = |what: String, plain: &str, text: &str| {
        makings.push(Making::new("comment", plain, format!("comment on {what} is {}", literal(text))));
    };
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as("select oid, kind, comment from relations where comment is not null")
            .fetch_all(facts.connection())
            .await?;
    for (oid, kind, text) in rows {
        let Some(own) = names.own(oid) else { continue };
        comment(
            format!("{} {}", if kind == "partitioned table" { "table" } else { &kind }, own.sql),
            &own.plain,
            &text,
        );
    }
    let rows: Vec<(i64, i64, String)> =
        sqlx::query_as("select relation, number, comment from columns where comment is not null")
            .fetch_all(facts.connection())
            .await?;
    for (oid, number, text) in rows {
        let (Some(own), Some(column)) = (names.own(oid), names.column(oid, number)) else { continue };
        comment(format!("column {}.{column}", own.sql), &own.plain, &text);
    }
    let rows: Vec<(String, Option<String>)> =
        sqlx::query_as("select name, comment from schemas where comment is not null or name = 'public'")
            .fetch_all(facts.connection())
            .await?;
    for (name, text) in rows {
        comment(format!("schema {}", ident(&name)), &name, &text.unwrap_or_default());
    }
    let rows: Vec<(i64, String)> =
        sqlx::query_as("select oid, comment from functions where comment is not null and provenance <> 'extension'")
            .fetch_all(facts.connection())
            .await?;
    for (oid, text) in rows {
        let Some((function, _)) = names.functions.get(&oid) else { continue };
        comment(format!("routine {}", function), function, &text);
    }
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as("select relation, name, comment from policies where comment is not null")
            .fetch_all(facts.connection())
            .await?;
    for (oid, name, text) in rows {
        let Some(own) = names.own(oid) else { continue };
        comment(format!("policy {} on {}", ident(&name), own.sql), &own.plain, &text);
    }
    Ok(makings)
}
