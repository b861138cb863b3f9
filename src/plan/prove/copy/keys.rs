//! Constraints and indexes. Partitions come before what they are part of, so that theirs keep their names.

use super::make::{Maker, Making};
use super::names::Names;
use super::tables::{Parents, depth};
use crate::check::quote::ident;
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::{HashMap, HashSet};

#[derive(sqlx::FromRow)]
struct Constraint {
    relation: i64,
    name: String,
    kind: String,
    referenced_relation: Option<i64>,
    definition: String,
    /// Its columns' numbers.
    columns: String,
}

#[derive(sqlx::FromRow)]
struct Index {
    oid: i64,
    relation: i64,
    name: String,
    method: String,
    is_unique: bool,
    is_valid: bool,
    nulls_not_distinct: bool,
}

const CONSTRAINTS: &str = "select k.relation, k.name, k.kind, k.referenced_relation, k.definition,
      coalesce((select group_concat(c.column_number) from
        (select column_number from constraint_columns where constraint_oid = k.oid order by position) c), '') as columns
    from constraints k where k.kind not in ('trigger', 'not null') order by k.oid";

/// Keys and checks, then indexes, then foreign keys: a unique index is enough for one to refer to.
pub(super) async fn keys(
    facts: &mut Facts,
    names: &Names,
    parents: &Parents,
    maker: &mut Maker<'_>,
) -> Result<(), Stop> {
    let mut constraints: Vec<Constraint> = sqlx::query_as(CONSTRAINTS).fetch_all(facts.connection()).await?;
    constraints.sort_by_key(|it| std::cmp::Reverse(depth(it.relation, parents)));
    let backed: HashSet<_> = constraints
        .iter()
        .filter(|it| matches!(it.kind.as_str(), "primary key" | "unique" | "exclusion"))
        .map(|it| (it.relation, it.name.clone()))
        .collect();
    let echoes = echoes(&constraints, parents);
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for (at, it) in constraints.iter().enumerate() {
        let Some(own) = names.own(it.relation) else { continue };
        let sql = format!("alter table {} add constraint {} {}", own.sql, ident(&it.name), it.definition);
        let making = Making::new("constraint", format!("{}.{}", own.plain, it.name), sql);
        if it.kind != "foreign key" {
            first.push(making);
        } else if !echoes.contains(&at) {
            last.push(making);
        }
    }
    maker.make(first).await?;
    let indexes = indexes(facts, names, parents, &backed, maker).await?;
    maker.make(indexes).await?;
    maker.make(last).await
}

/// Foreign keys to partitions that PostgreSQL made for one to the partitioned table.
fn echoes(constraints: &[Constraint], parents: &Parents) -> HashSet<usize> {
    let mut targets = HashMap::<_, HashSet<i64>>::new();
    for it in constraints.iter().filter(|it| it.kind == "foreign key") {
        targets.entry((it.relation, &it.columns)).or_default().extend(it.referenced_relation);
    }
    let is_echo = |it: &Constraint| {
        let others = targets.get(&(it.relation, &it.columns))?;
        let mut above = parents.get(&it.referenced_relation?)?.iter();
        above.any(|(parent, bound)| bound.is_some() && others.contains(parent)).then_some(())
    };
    let all = constraints.iter().enumerate();
    all.filter(|(_, it)| it.kind == "foreign key" && is_echo(it).is_some()).map(|(at, _)| at).collect()
}

async fn indexes(
    facts: &mut Facts,
    names: &Names,
    parents: &Parents,
    backed: &HashSet<(i64, String)>,
    maker: &mut Maker<'_>,
) -> Result<Vec<Making>, Stop> {
    let mut indexes: Vec<Index> = sqlx::query_as(
        "select oid, relation, name, method, is_unique, is_valid, nulls_not_distinct from indexes order by oid",
    )
    .fetch_all(facts.connection())
    .await?;
    let rows: Vec<(i64, i64, bool)> =
        sqlx::query_as("select index_oid, column_number, is_key from index_columns order by index_oid, position")
            .fetch_all(facts.connection())
            .await?;
    let mut columns = HashMap::<_, Vec<_>>::new();
    for (index, number, is_key) in rows {
        columns.entry(index).or_default().push((number, is_key));
    }
    indexes.sort_by_key(|it| std::cmp::Reverse(depth(it.relation, parents)));
    let mut makings = Vec::new();
    for index in indexes {
        let Some(own) = names.own(index.relation) else { continue };
        if backed.contains(&(index.relation, index.name.clone())) {
            continue;
        }
        let plain = format!("{}.{}", own.plain, index.name);
        let own_columns = columns.get(&index.oid).map(Vec::as_slice).unwrap_or_default();
        let listed = |keys: bool| {
            let named = own_columns.iter().filter(|(_, is_key)| *is_key == keys);
            named.map(|(number, _)| names.column(index.relation, *number)).collect::<Option<Vec<_>>>()
        };
        let what = match (names.ddl("index", index.oid, 0), listed(true), listed(false)) {
            (Some(text), ..) => text.to_owned(),
            (None, Some(keys), Some(included)) => {
                let included =
                    if included.is_empty() { String::new() } else { format!(" include ({})", included.join(", ")) };
                let nulls = if index.nulls_not_distinct { " nulls not distinct" } else { "" };
                format!("using {} ({}){included}{nulls}", ident(&index.method), keys.join(", "))
            }
            _ => {
                maker.note("index", plain, "its expressions could not be read");
                continue;
            }
        };
        if !index.is_valid && own.kind != "partitioned table" {
            maker.note("index", &plain, "the original is not valid, the copy of it is");
        }
        let unique = if index.is_unique { "unique " } else { "" };
        let sql = format!("create {unique}index {} on {} {what}", ident(&index.name), own.sql);
        makings.push(Making::new("index", plain, sql));
    }
    Ok(makings)
}

/// What an update or a delete tells subscribers.
pub(super) fn replica_identities(names: &Names) -> Vec<Making> {
    let each = names.ddl_of("replica identity").filter_map(|(oid, text)| {
        let own = names.own(oid)?;
        Some(Making::new("replica identity", &own.plain, format!("alter table {} replica identity {text}", own.sql)))
    });
    each.collect()
}
