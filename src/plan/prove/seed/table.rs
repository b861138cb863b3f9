//! What is to be known of a table to put rows into it.

use crate::check::quote::relation;
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::{BTreeMap, HashMap};

/// A column.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Column {
    relation: i64,
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) r#type: String,
    pub(super) type_name: String,
    pub(super) type_kind: String,
    pub(super) type_oid: i64,
    pub(super) not_null: bool,
    pub(super) has_default: bool,
    pub(super) is_generated: bool,
}

/// A constraint that limits what may stand in its columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Constraint {
    pub(super) name: String,
    pub(super) definition: String,
    pub(super) columns: Vec<i64>,
}

/// A foreign key.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub(super) table: i64,
    /// Own column, and the one it refers to.
    pub(super) columns: Vec<(i64, i64)>,
}

/// A table that takes rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) oid: i64,
    pub(super) name: String,
    pub(super) sql: String,
    pub(super) plain: String,
    pub(super) columns: Vec<Column>,
    /// Primary key first.
    pub(super) keys: Vec<Vec<i64>>,
    pub(super) has_primary_key: bool,
    pub(super) references: Vec<Reference>,
    pub(super) checks: Vec<Constraint>,
    /// Of its partitions: a column, and a value that one of them takes.
    pub(super) bounds: Vec<(i64, String)>,
    /// Its policies, as text.
    pub(super) policies: String,
}

impl Table {
    /// Whether a policy may depend on a column.
    pub(super) fn is_asked(&self, column: &Column) -> bool {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        self.policies.match_indices(column.name.as_str()).any(|(at, name)| {
            !self.policies[..at].ends_with(is_word) && !self.policies[at + name.len()..].starts_with(is_word)
        })
    }

    pub(super) fn column(&self, number: i64) -> Option<&Column> {
        self.columns.iter().find(|column| column.number == number)
    }
}

/// Tables of the user's and the platform's that are no partitions, by oid.
pub(super) async fn tables(facts: &mut Facts) -> Result<BTreeMap<i64, Table>, Stop> {
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "select oid, schema, name from relations where kind in ('table', 'partitioned table') and is_partition = 0
           and provenance in ('user', 'platform') and persistence <> 'temporary'",
    )
    .fetch_all(facts.connection())
    .await?;
    let table = |(oid, schema, name): (i64, String, String)| {
        let (sql, plain) = (relation(Some(&schema), &name), format!("{schema}.{name}"));
        (oid, Table { oid, sql, plain, name, ..Table::default() })
    };
    let mut tables: BTreeMap<_, _> = rows.into_iter().map(table).collect();
    let columns: Vec<Column> = sqlx::query_as(
        "select relation, number, name, type, type_name, type_kind, type_oid, not_null, is_generated,
                default_expression is not null or identity is not null as has_default
         from columns order by relation, number",
    )
    .fetch_all(facts.connection())
    .await?;
    for column in columns {
        if let Some(table) = tables.get_mut(&column.relation) {
            table.columns.push(column);
        }
    }
    let policies: Vec<(i64, String)> = sqlx::query_as(
        "select relation, coalesce(using_expression, '') || ' ' || coalesce(check_expression, '') from policies",
    )
    .fetch_all(facts.connection())
    .await?;
    for (relation, text) in policies {
        if let Some(table) = tables.get_mut(&relation) {
            table.policies += &text;
        }
    }
    constraints(facts, &mut tables).await?;
    bounds(facts, &mut tables).await?;
    Ok(tables)
}

async fn constraints(facts: &mut Facts, tables: &mut BTreeMap<i64, Table>) -> Result<(), Stop> {
    let parts: Vec<(i64, i64, Option<i64>)> = sqlx::query_as(
        "select constraint_oid, column_number, referenced_column_number from constraint_columns order by constraint_oid, position",
    )
    .fetch_all(facts.connection())
    .await?;
    let mut columns = HashMap::<_, Vec<_>>::new();
    for (constraint, own, other) in parts {
        columns.entry(constraint).or_default().push((own, other));
    }
    let rows: Vec<(i64, i64, String, String, Option<i64>, String)> = sqlx::query_as(
        "select oid, relation, name, kind, referenced_relation, definition from constraints
         where kind in ('primary key', 'unique', 'foreign key', 'check') order by kind <> 'primary key', oid",
    )
    .fetch_all(facts.connection())
    .await?;
    for (oid, relation, name, kind, referenced, definition) in rows {
        let Some(table) = tables.get_mut(&relation) else { continue };
        let columns = columns.remove(&oid).unwrap_or_default();
        let own = || columns.iter().map(|(own, _)| *own).collect::<Vec<_>>();
        match (kind.as_str(), referenced) {
            ("check", _) => table.checks.push(Constraint { name, definition, columns: own() }),
            ("foreign key", Some(referenced)) => {
                let columns = columns.iter().filter_map(|(own, other)| Some((*own, (*other)?))).collect();
                table.references.push(Reference { table: referenced, columns });
            }
            ("primary key" | "unique", _) => {
                table.has_primary_key |= kind == "primary key";
                table.keys.push(own());
            }
            _ => {}
        }
    }
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "select i.relation, i.oid from indexes i where i.is_unique = 1 and i.expressions is null
           and not exists (select 1 from constraints k where k.relation = i.relation and k.name = i.name)",
    )
    .fetch_all(facts.connection())
    .await?;
    let parts: Vec<(i64, i64)> = sqlx::query_as(
        "select index_oid, column_number from index_columns where is_key = 1 order by index_oid, position",
    )
    .fetch_all(facts.connection())
    .await?;
    for (relation, index) in rows {
        let Some(table) = tables.get_mut(&relation) else { continue };
        table.keys.push(parts.iter().filter(|(of, _)| *of == index).map(|(_, number)| *number).collect());
    }
    Ok(())
}

/// The first value of the bound of one partition, at each level.
async fn bounds(facts: &mut Facts, tables: &mut BTreeMap<i64, Table>) -> Result<(), Stop> {
    let keys: Vec<(i64, i64)> =
        sqlx::query_as("select relation, column_number from partition_keys order by relation, position")
            .fetch_all(facts.connection())
            .await?;
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(
        "select parent, child, bound from inheritance where bound is not null and bound <> 'DEFAULT' order by parent, bound",
    )
    .fetch_all(facts.connection())
    .await?;
    for table in tables.values_mut() {
        let mut level = table.oid;
        while let Some((_, child, bound)) = rows.iter().find(|(parent, ..)| *parent == level) {
            let own = keys.iter().filter(|(of, _)| *of == level).map(|(_, number)| *number);
            let values = bound.split_once(" TO ").map_or(bound.as_str(), |(from, _)| from);
            // By hash, any value has its partition.
            if !values.contains(" WITH (") {
                table.bounds.extend(own.zip(literals(values)));
            }
            level = *child;
        }
    }
    Ok(())
}

/// The string constants and numbers of an expression that PostgreSQL has decompiled, in order.
pub(super) fn literals(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(from) = rest.find(|c: char| c == '\'' || c.is_ascii_digit()) {
        let in_word = rest[..from].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"');
        rest = &rest[from..];
        if let Some(inside) = rest.strip_prefix('\'') {
            let mut value = String::new();
            let mut characters = inside.char_indices().peekable();
            let mut end = inside.len();
            while let Some((at, c)) = characters.next() {
                match (c, characters.peek()) {
                    ('\'', Some((_, '\''))) => {
                        value.push('\'');
                        characters.next();
                    }
                    ('\'', _) => {
                        end = at + 1;
                        break;
                    }
                    _ => value.push(c),
                }
            }
            found.push(value);
            rest = &inside[end..];
        } else {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            if !in_word {
                found.push(rest[..end].to_owned());
            }
            rest = &rest[end..];
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::literals;

    #[test]
    fn constants_are_read_out_of_decompiled_text() {
        assert_eq!(literals("FOR VALUES FROM ('2025-01-01 00:00:00+00', 7) "), ["2025-01-01 00:00:00+00", "7"]);
        assert_eq!(literals("CHECK ((kind = ANY (ARRAY['it''s'::text, 'b'::text])))"), ["it's", "b"]);
        assert_eq!(literals("CHECK ((int4_1 > 0.5))"), ["0.5"]);
    }
}
