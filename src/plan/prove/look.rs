//! Facts of the copy, put in the place of the original's: what hangs on rows, on the server and on the history of the
//! migrations is the original's still, and names lead to it.

use super::copy::Copied;
use crate::error::Stop;
use crate::facts::Facts;
use crate::facts::collect::{self, Wanted};
use crate::target::refusal;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::HashMap;

const BEGIN: &str =
    "begin isolation level repeatable read read only; set local search_path = ''; set local row_security = off;
    set local quote_all_identifiers = off; set local standard_conforming_strings = on; set local jit = off";

/// What a column of a carried table names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Relation,
    /// A column of the relation that the row names.
    Column,
    Role,
    Schema,
    Server,
}

type Carried = (&'static str, &'static [(&'static str, Names)]);

const OF_RELATION: &[(&str, Names)] = &[("relation", Names::Relation)];
const OF_COLUMN: &[(&str, Names)] = &[("relation", Names::Relation), ("column_number", Names::Column)];

/// Tables that a copy of the schema says nothing about.
const CARRIED: &[Carried] = &[
    ("unseen", &[]),
    ("settings", &[]),
    ("parameters", &[]),
    ("replication_slots", &[]),
    ("subscriptions", &[("owner", Names::Role)]),
    ("subscription_connections", &[]),
    ("scheduled_jobs", &[]),
    ("large_objects", &[("owner", Names::Role)]),
    ("extensions", &[("schema_oid", Names::Schema), ("owner", Names::Role)]),
    ("user_mappings", &[("server", Names::Server), ("role", Names::Role)]),
    ("relation_statistics", OF_RELATION),
    ("samples", OF_RELATION),
    ("sampled_columns", OF_COLUMN),
    ("sampled_shapes", OF_COLUMN),
    ("sampled_words", OF_COLUMN),
    ("remarks", &[]),
    ("migrations", &[]),
    ("transitions", &[]),
    ("regressions", &[]),
    ("isolation_gaps", &[]),
    ("migration_faults", &[]),
    ("introductions", &[]),
    ("replay_differences", &[]),
];

/// Collects from the copy; derives nothing.
pub(super) async fn facts(original: &mut Facts, connection: &mut PgConnection, copied: &Copied) -> Result<Facts, Stop> {
    sqlx::raw_sql(BEGIN).execute(&mut *connection).await.map_err(refusal::lost)?;
    let mut facts = Facts::empty().await?;
    let collected = collect::collect_wanted(
        connection,
        None,
        &mut facts,
        Wanted { rows: false, actors: false, ..Wanted::default() },
    )
    .await;
    sqlx::raw_sql("rollback").execute(&mut *connection).await.map_err(refusal::lost)?;
    collected?;
    let places = Places::read(original, &mut facts).await?;
    roles(original, &mut facts, copied).await?;
    for carried in CARRIED {
        carry(original, &mut facts, *carried, &places).await?;
    }
    whose(original, &mut facts).await?;
    secrets(original, &mut facts, &places).await?;
    server(original, &mut facts, &places).await?;
    Ok(facts)
}

/// From an oid of the original to that of the same name in the copy.
struct Places {
    relations: HashMap<i64, i64>,
    columns: HashMap<(i64, i64), i64>,
    functions: HashMap<i64, i64>,
    roles: HashMap<i64, i64>,
    schemas: HashMap<i64, i64>,
    servers: HashMap<i64, i64>,
    types: HashMap<i64, i64>,
}

impl Places {
    async fn read(original: &mut Facts, copy: &mut Facts) -> Result<Self, Stop> {
        let relations = matched("select oid, schema || char(0) || name from relations", original, copy).await?;
        let columns = "select relation, number, name from columns";
        let then: Vec<(i64, i64, String)> = sqlx::query_as(columns).fetch_all(original.connection()).await?;
        let now: Vec<(i64, i64, String)> = sqlx::query_as(columns).fetch_all(copy.connection()).await?;
        let now: HashMap<_, _> = now.into_iter().map(|(relation, number, name)| ((relation, name), number)).collect();
        let column = |(relation, number, name): (i64, i64, String)| {
            Some(((relation, number), *now.get(&(*relations.get(&relation)?, name))?))
        };
        let columns = then.into_iter().filter_map(column).collect();
        Ok(Self {
            columns,
            functions: matched(
                "select oid, schema || char(0) || name || char(0) || signature from functions",
                original,
                copy,
            )
            .await?,
            roles: matched("select oid, name from roles", original, copy).await?,
            schemas: matched("select oid, name from schemas", original, copy).await?,
            servers: matched("select oid, name from foreign_servers", original, copy).await?,
            types: matched("select oid, schema || char(0) || name from types", original, copy).await?,
            relations,
        })
    }

    fn of(&self, names: Names, oid: i64) -> Option<i64> {
        match names {
            Names::Role if oid == 0 => Some(0),
            Names::Role => self.roles.get(&oid).copied(),
            Names::Relation => self.relations.get(&oid).copied(),
            Names::Schema => self.schemas.get(&oid).copied(),
            Names::Server => self.servers.get(&oid).copied(),
            Names::Column => None,
        }
    }
}

async fn matched(sql: &'static str, original: &mut Facts, copy: &mut Facts) -> Result<HashMap<i64, i64>, Stop> {
    let then: Vec<(i64, String)> = sqlx::query_as(sql).fetch_all(original.connection()).await?;
    let now: Vec<(i64, String)> = sqlx::query_as(sql).fetch_all(copy.connection()).await?;
    let now: HashMap<_, _> = now.into_iter().map(|(oid, name)| (name, oid)).collect();
    Ok(then.into_iter().filter_map(|(oid, name)| Some((oid, *now.get(&name)?))).collect())
}

/// A row, as text.
type Line = Vec<Option<String>>;

/// A table's columns and its rows.
async fn rows(facts: &mut Facts, table: &str, condition: &str) -> Result<(Vec<String>, Vec<Line>), Stop> {
    let columns: Vec<String> =
        sqlx::query_scalar("select name from pragma_table_info(?)").bind(table).fetch_all(facts.connection()).await?;
    let texts: Vec<_> = columns.iter().map(|column| format!("cast(\"{column}\" as text)")).collect();
    // AssertSqlSafe: names come from our own schema.
    let sql = format!("select {} from {table} where {condition}", texts.join(", "));
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(facts.connection()).await?;
    let line =
        |row: &sqlx::sqlite::SqliteRow| (0..columns.len()).map(|at| row.try_get(at)).collect::<Result<Line, _>>();
    let lines = rows.iter().map(line).collect::<Result<_, _>>()?;
    Ok((columns, lines))
}

async fn carry(original: &mut Facts, copy: &mut Facts, (table, names): Carried, places: &Places) -> Result<(), Stop> {
    let (columns, lines) = rows(original, table, "true").await?;
    let at = |name: &str| columns.iter().position(|column| column == name);
    let number = |line: &Line, at: usize| line[at].as_ref().and_then(|text| text.parse::<i64>().ok());
    let lines = lines.into_iter().filter_map(|mut line| {
        let relation = at("relation").and_then(|at| number(&line, at));
        for (name, what) in names {
            let at = at(name)?;
            let Some(oid) = number(&line, at) else { continue };
            let now = match what {
                Names::Column if oid == 0 => Some(0),
                Names::Column => places.columns.get(&(relation?, oid)).copied(),
                _ => places.of(*what, oid),
            };
            line[at] = Some(now?.to_string());
        }
        Some(line)
    });
    let lines: Vec<_> = lines.collect();
    clear(copy, table, "true").await?;
    insert(copy, table, &columns, lines).await
}

async fn clear(facts: &mut Facts, table: &str, condition: &str) -> Result<(), Stop> {
    // AssertSqlSafe: constants.
    let sql = format!("delete from {table} where {condition}");
    sqlx::query(AssertSqlSafe(sql)).execute(facts.connection()).await?;
    Ok(())
}

async fn insert(facts: &mut Facts, table: &str, columns: &[String], lines: Vec<Line>) -> Result<(), Stop> {
    let columns: Vec<_> = columns.iter().map(String::as_str).collect();
    facts.insert(table, &columns, lines).await
}

/// Roles of others on the scratch server are left out, and its superuser is what the original has of that name.
async fn roles(original: &mut Facts, copy: &mut Facts, copied: &Copied) -> Result<(), Stop> {
    for name in &copied.strangers {
        if *name == copied.superuser {
            continue;
        }
        for sql in [
            "delete from memberships where (select oid from roles where name = ?1) in (role, member)",
            "delete from role_settings where role = (select oid from roles where name = ?1)",
            "delete from default_privileges where role = (select oid from roles where name = ?1)",
            "delete from roles where name = ?1",
        ] {
            sqlx::query(sql).bind(name).execute(copy.connection()).await?;
        }
    }
    let bootstrap: Option<String> =
        sqlx::query_scalar("select name from roles where oid = 10").fetch_optional(original.connection()).await?;
    let (_, lines) = rows(original, "roles", "name not glob 'pg_*'").await?;
    let (columns, _) = rows(copy, "roles", "false").await?;
    let me = lines.iter().find(|line| line[1].as_deref() == Some(&copied.superuser));
    match me {
        // It could not be altered, so it has the attributes it had.
        Some(line) => {
            for (column, value) in columns.iter().zip(line).skip(2) {
                // AssertSqlSafe: a name from our own schema.
                let sql = format!("update roles set \"{column}\" = ? where name = ?");
                let query = sqlx::query(AssertSqlSafe(sql)).bind(value).bind(&copied.superuser);
                query.execute(copy.connection()).await?;
            }
        }
        // What it has made is the system's own; the original's bootstrap superuser has it there.
        None => {
            if let Some(bootstrap) = bootstrap {
                for table in ["languages", "schemas", "databases"] {
                    let sql = format!(
                        "update {table} set owner = (select oid from roles where name = ?1)
                         where owner = (select oid from roles where name = ?2)"
                    );
                    // AssertSqlSafe: constants.
                    let query = sqlx::query(AssertSqlSafe(sql)).bind(bootstrap.clone()).bind(&copied.superuser);
                    query.execute(copy.connection()).await?;
                }
            }
            sqlx::query("delete from roles where name = ?").bind(&copied.superuser).execute(copy.connection()).await?;
        }
    }
    for line in &lines {
        let [_, Some(name), ..] = line.as_slice() else { continue };
        let provenance = line.last().cloned().flatten();
        let sql = "update roles set provenance = ? where name = ?";
        sqlx::query(sql).bind(provenance).bind(name).execute(copy.connection()).await?;
    }
    Ok(())
}

/// Whose an object is: where an extension is stood in for, what stands in is the extension's.
async fn whose(original: &mut Facts, copy: &mut Facts) -> Result<(), Stop> {
    let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
        "select 'relations', schema, name, provenance, rows_estimate from relations
         union all select 'functions', schema, name || '(' || signature, provenance, 0 from functions
         union all select 'schemas', '', name, provenance, 0 from schemas
         union all select 'types', schema, name, provenance, 0 from types",
    )
    .fetch_all(original.connection())
    .await?;
    for (table, schema, name, provenance, estimate) in rows {
        let sql = match table.as_str() {
            "relations" => "update relations set provenance = ?3, rows_estimate = ?4 where schema = ?1 and name = ?2",
            "functions" => "update functions set provenance = ?3 where schema = ?1 and name || '(' || signature = ?2",
            "schemas" => "update schemas set provenance = ?3 where name = ?2",
            _ => "update types set provenance = ?3 where schema = ?1 and name = ?2",
        };
        let query = sqlx::query(sql).bind(schema).bind(name).bind(provenance).bind(estimate);
        query.execute(copy.connection()).await?;
    }
    copy.run("delete from functions where name glob '*_stand_in_in' or name glob '*_stand_in_out'").await
}

/// What was found in texts: they were copied without it.
async fn secrets(original: &mut Facts, copy: &mut Facts, places: &Places) -> Result<(), Stop> {
    let (columns, lines) = rows(original, "secrets", "true").await?;
    let lines = lines.into_iter().filter_map(|mut line| {
        let oid = line[2].as_ref()?.parse().ok()?;
        let number = line[3].as_ref()?.parse().ok()?;
        let now = match line[1].as_deref()? {
            "relation" => *places.relations.get(&oid)?,
            "function" => *places.functions.get(&oid)?,
            "role" => places.of(Names::Role, oid)?,
            "schema" => *places.schemas.get(&oid)?,
            "foreign server" => *places.servers.get(&oid)?,
            "type" => *places.types.get(&oid)?,
            _ => oid,
        };
        if line[1].as_deref() == Some("relation") && number > 0 {
            line[3] = Some(places.columns.get(&(oid, number))?.to_string());
        }
        line[2] = Some(now.to_string());
        Some(line)
    });
    let lines = lines.collect();
    clear(copy, "secrets", "true").await?;
    insert(copy, "secrets", &columns, lines).await
}

/// The database under its own name, its neighbours, and what is granted and set on the server.
async fn server(original: &mut Facts, copy: &mut Facts, places: &Places) -> Result<(), Stop> {
    let here: Option<i64> =
        sqlx::query_scalar("select oid from databases where is_current = 1").fetch_optional(copy.connection()).await?;
    let then: Option<(i64, String)> = sqlx::query_as("select oid, name from databases where is_current = 1")
        .fetch_optional(original.connection())
        .await?;
    let (here, (then, name)) = (here.unwrap_or_default(), then.unwrap_or_default());
    clear(copy, "databases", "is_current = 0").await?;
    let (columns, lines) = rows(original, "databases", "is_current = 0").await?;
    let elsewhere = |oid: &str| oid.parse::<i64>().ok().map(|oid| if oid == here { -oid } else { oid });
    let lines = lines.into_iter().filter_map(|mut line| {
        line[0] = Some(elsewhere(line[0].as_deref()?)?.to_string());
        line[2] = Some(places.of(Names::Role, line[2].as_ref()?.parse().ok()?)?.to_string());
        Some(line)
    });
    let lines = lines.collect();
    insert(copy, "databases", &columns, lines).await?;
    sqlx::query("update databases set name = ? where is_current = 1").bind(&name).execute(copy.connection()).await?;

    const ELSEWHERE: &str =
        "object_kind in ('parameter', 'tablespace', 'large object', 'foreign data wrapper', 'database')";
    clear(copy, "grants", &format!("{ELSEWHERE} and not (object_kind = 'database' and object = {here})")).await?;
    let (columns, lines) =
        rows(original, "grants", &format!("{ELSEWHERE} and not (object_kind = 'database' and object = {then})"))
            .await?;
    let lines = lines.into_iter().filter_map(|mut line| {
        line[1] = Some(elsewhere(line[1].as_deref()?)?.to_string());
        for at in [3, 4] {
            line[at] = Some(places.of(Names::Role, line[at].as_ref()?.parse().ok()?)?.to_string());
        }
        Some(line)
    });
    let lines = lines.collect();
    insert(copy, "grants", &columns, lines).await?;

    // Set in the copy for this database alone, so as not to disturb others.
    let (columns, lines) = rows(copy, "role_settings", &format!("database = {here}")).await?;
    let set_here: Vec<(Option<String>, Option<String>)> =
        lines.iter().map(|line| (line[0].clone(), line[2].clone())).collect();
    let (_, all) = rows(original, "role_settings", "true").await?;
    clear(copy, "role_settings", "true").await?;
    let carried = all.into_iter().filter_map(|mut line| {
        line[0] = Some(places.of(Names::Role, line[0].as_ref()?.parse().ok()?)?.to_string());
        let database: i64 = line[1].as_ref()?.parse().ok()?;
        let copied = line[3].is_some() && (database == 0 || database == then);
        // What a step has reset is gone.
        if copied && !set_here.contains(&(line[0].clone(), line[2].clone())) {
            return None;
        }
        line[1] = Some(if database == then { here } else { database }.to_string());
        Some(line)
    });
    let mut carried: Vec<_> = carried.collect();
    let known: Vec<_> = carried.iter().map(|line| (line[0].clone(), line[2].clone())).collect();
    carried.extend(lines.into_iter().filter(|line| !known.contains(&(line[0].clone(), line[2].clone()))));
    insert(copy, "role_settings", &columns, carried).await?;

    let (columns, mut lines) = rows(original, "target", "true").await?;
    if let (Some(at), Some(line)) = (columns.iter().position(|it| it == "database_oid"), lines.first_mut()) {
        line[at] = Some(here.to_string());
    }
    clear(copy, "target", "true").await?;
    insert(copy, "target", &columns, lines).await
}
