//! A history as facts, so that checks and the ladder can ask about it.

use super::read::{History, Line};
use crate::error::Stop;
use crate::facts::Facts;
use crate::secrets::Rules;
use std::collections::BTreeMap;

/// The tables of the facts that only a folder of migrations fills.
const AREAS: [&str; 9] = [
    "migrations",
    "transitions",
    "regressions",
    "isolation_gaps",
    "migration_faults",
    "migration_secrets",
    "wide_grants",
    "introductions",
    "replay_differences",
];

/// Where no folder was given: what rests on one is undecided by choice.
pub async fn absent(facts: &mut Facts) -> Result<(), Stop> {
    let row = |area: &&str| {
        [*area, "no migrations were read, by choice", "--migrations DIR"].map(|text| Some(text.to_owned())).to_vec()
    };
    facts.insert("unseen", &["area", "why", "needs"], AREAS.iter().map(row).collect()).await
}

/// Without a live database and its replay there is nothing to compare.
pub async fn no_comparison(facts: &mut Facts) -> Result<(), Stop> {
    let row = [
        "replay_differences",
        "the database was not compared with its migrations, by choice",
        "--migrations DIR and a database",
    ];
    let row = row.map(|text| Some(text.to_owned())).to_vec();
    facts.insert("unseen", &["area", "why", "needs"], vec![row]).await
}

fn text(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

fn parts(object: &str) -> (Option<String>, Option<String>) {
    match object.split_once('.') {
        Some((schema, name)) => (text(schema), text(name)),
        None => (text("public"), text(object)),
    }
}

impl History {
    /// Writes which stages the folder reaches and what could not be read of it, and nothing that `rules` know for a secret.
    pub async fn write_stages(&self, facts: &mut Facts, rules: &Rules) -> Result<(), Stop> {
        let migrations = self.migrations.iter().enumerate().map(|(position, migration)| {
            let dated = migration.dated.as_ref();
            vec![
                text(position + 1),
                text(self.tool),
                text(&migration.version),
                text(&migration.name),
                text(&migration.path),
                dated.map(|dated| dated.at.to_string()),
                dated.map(|dated| dated.source.to_owned()),
                text(u8::from(migration.dormant)),
                migration.applied.map(|applied| u8::from(applied).to_string()),
                migration.applied_at.map(|at| at.to_string()),
            ]
        });
        let columns =
            ["position", "tool", "version", "name", "path", "date", "date_source", "dormant", "applied", "applied_at"];
        facts.insert("migrations", &columns, migrations.collect()).await?;
        let notes = self.notes.iter().map(|note| vec![text("history"), text(rules.hide(note))]);
        facts.insert("remarks", &["topic", "remark"], notes.collect()).await?;
        self.write_ladder(facts).await?;
        self.write_faults(facts, rules).await
    }

    /// Writes everything the folder says: also what secrets its files hold, and which line brought what in.
    pub async fn write(&self, facts: &mut Facts, rules: &Rules) -> Result<(), Stop> {
        self.write_stages(facts, rules).await?;
        self.write_secrets(facts, rules).await?;
        let introduced = self.introduced().into_iter().map(|known| {
            let (owner, name) = match known.kind {
                "policy" => {
                    known.name.rsplit_once(" on ").map_or((known.name.clone(), String::new()), |(policy, table)| {
                        (table.to_owned(), policy.to_owned())
                    })
                }
                _ => (known.name.clone(), known.name.clone()),
            };
            let (schema, relation) = if known.kind == "role" { (None, None) } else { parts(&owner) };
            let own = if matches!(known.kind, "table" | "view" | "function") { relation.clone() } else { Some(name) };
            vec![text(known.kind), schema, relation, own, text(&known.line.path), text(known.line.line)]
        });
        let columns = ["kind", "schema", "relation", "name", "path", "line"];
        facts.insert("introductions", &columns, introduced.collect()).await
    }

    async fn write_ladder(&self, facts: &mut Facts) -> Result<(), Stop> {
        let reached = self.transitions().into_iter().map(|it| {
            let Line { path, line, version, date, date_source } = it.line;
            vec![
                text(it.stage),
                text(it.object),
                text(version),
                text(path),
                text(line),
                date,
                date_source.map(str::to_owned),
            ]
        });
        let columns = ["stage", "object", "version", "path", "line", "date", "date_source"];
        facts.insert("transitions", &columns, reached.collect()).await?;
        let undone = self.regressions().into_iter().map(|it| {
            let (schema, name) = if it.kind == "bypassrls" { (None, text(&it.object)) } else { parts(&it.object) };
            vec![
                text(it.kind),
                schema,
                name,
                text(it.line.version),
                text(it.line.path),
                text(it.line.line),
                it.line.date,
            ]
        });
        let columns = ["kind", "schema", "name", "version", "path", "line", "date"];
        facts.insert("regressions", &columns, undone.collect()).await?;
        let gaps = self.gaps().into_iter().map(|it| {
            let (schema, name) = parts(&it.table);
            let (path, line, date) =
                it.isolated.map_or((None, None, None), |at| (text(at.path), text(at.line), at.date));
            vec![schema, name, text(it.key.path), text(it.key.line), it.key.date, path, line, date, text(it.migrations)]
        });
        let columns = [
            "schema",
            "name",
            "key_path",
            "key_line",
            "key_date",
            "isolated_path",
            "isolated_line",
            "isolated_date",
            "migrations",
        ];
        facts.insert("isolation_gaps", &columns, gaps.collect()).await?;
        let wide = self
            .wide_grants()
            .into_iter()
            .map(|(what, to, line)| vec![text(what), text(to), text(line.version), text(line.path), text(line.line)]);
        facts.insert("wide_grants", &["what", "grantee", "version", "path", "line"], wide.collect()).await?;
        if let Some(line) = self.schema_per_tenant() {
            let why = format!("each tenant gets a schema of its own, made at {}:{}", line.path, line.line);
            facts.insert("remarks", &["topic", "remark"], vec![vec![text("stage"), text(why)]]).await?;
        }
        Ok(())
    }

    async fn write_faults(&self, facts: &mut Facts, rules: &Rules) -> Result<(), Stop> {
        let place = |kind: &'static str| {
            move |it: super::read::Unreadable| {
                let why = text(rules.hide(&it.why));
                vec![text(kind), text(it.line.version), text(it.line.path), text(it.line.line), why]
            }
        };
        let mut rows: Vec<_> = self.unreadable().into_iter().map(place("unreadable")).collect();
        rows.extend(self.dynamic().into_iter().map(place("dynamic")));
        rows.extend(self.faults.iter().map(|fault| {
            vec![text(fault.kind), text(&fault.version), text(&fault.path), None, text(rules.hide(&fault.detail))]
        }));
        facts.insert("migration_faults", &["kind", "version", "path", "line", "detail"], rows).await
    }
}

/// What both databases are asked, one row an object: kind, schema, name, and how it is.
const INVENTORY: &str = "
    select 'table' as kind, schema, name, kind as state from relations where provenance = 'user' and kind in ('table', 'partitioned table', 'view', 'materialized view')
    union all select 'row security', schema, name, rls || ' forced ' || force_rls from relations where provenance = 'user' and kind in ('table', 'partitioned table')
    union all select 'column', r.schema, r.name || '.' || c.name, c.type || case when c.not_null then ' not null' else '' end
      from columns c join relations r on r.oid = c.relation where r.provenance = 'user' and r.kind in ('table', 'partitioned table')
    union all select 'policy', r.schema, p.name || ' on ' || r.name,
        p.command || ' ' || p.permissive || ' ' || coalesce(p.using_expression, '') || ' check ' || coalesce(p.check_expression, '')
      from policies p join relations r on r.oid = p.relation where r.provenance = 'user'
    union all select 'trigger', r.schema, t.name || ' on ' || r.name, t.enabled || ' ' || t.timing from triggers t join relations r on r.oid = t.relation where r.provenance = 'user'
    union all select 'function', schema, name || '(' || signature || ')', language || ' ' || security_definer || ' ' || coalesce(source, '') from functions where provenance = 'user'";

/// Tables that the tools themselves keep.
const LEDGERS: [&str; 29] = [
    "_sqlx_migrations",
    "refinery_schema_history",
    "__diesel_schema_migrations",
    "seaql_migrations",
    "flyway_schema_history",
    "databasechangelog",
    "databasechangeloglock",
    "_prisma_migrations",
    "__drizzle_migrations",
    "knex_migrations",
    "knex_migrations_lock",
    "schema_migrations",
    "goose_db_version",
    "goose_db_version_id_seq",
    "alembic_version",
    "django_migrations",
    "pgmigrations",
    "schema_version",
    "ar_internal_metadata",
    "_yoyo_migration",
    "_yoyo_log",
    "_yoyo_version",
    "yoyo_lock",
    "__EFMigrationsHistory",
    "SequelizeMeta",
    "kysely_migration",
    "kysely_migration_lock",
    "mikro_orm_migrations",
    "atlas_schema_revisions",
];

/// Schemas that tools make for their own tables.
const TOOL_SCHEMAS: [&str; 6] =
    ["atlas_schema_revisions", "graphile_migrate", "hdb_catalog", "pgroll", "sqitch", "supabase_migrations"];

type Object = (String, String, String);

async fn inventory(facts: &mut Facts) -> Result<BTreeMap<Object, String>, Stop> {
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(INVENTORY).fetch_all(facts.connection()).await?;
    let ledger = |name: &str| LEDGERS.contains(&name) || name.ends_with("migrations");
    let own = |name: &str| {
        ledger(name.split('.').next().unwrap_or(name)) || ledger(name.rsplit(" on ").next().unwrap_or(name))
    };
    Ok(rows
        .into_iter()
        .filter(|(_, schema, name, _)| !own(name) && !TOOL_SCHEMAS.contains(&schema.as_str()))
        .map(|(kind, schema, name, state)| ((kind, schema, name), state))
        .collect())
}

/// Holds the database against the replay of its migrations. Where the replay is not whole, only what both have is compared.
pub async fn compare(facts: &mut Facts, replayed: Result<Facts, Stop>) -> Result<(), Stop> {
    let mut replayed = match replayed {
        Ok(replayed) => replayed,
        Err(stop) => {
            let why = Rules::own().hide(&format!("the migrations could not be replayed: {stop}"));
            let row = vec![text("replay_differences"), text(why), text("a PostgreSQL to replay them on")];
            return facts.insert("unseen", &["area", "why", "needs"], vec![row]).await;
        }
    };
    let incomplete: Vec<(String, String)> =
        sqlx::query_as("select distinct why, needs from unseen where area = 'relations'")
            .fetch_all(replayed.connection())
            .await?;
    let (live, made) = (inventory(facts).await?, inventory(&mut replayed).await?);
    let mut rows = Vec::new();
    let mut add = |object: &Object, side: &str, detail: String| {
        rows.push(vec![text(&object.0), text(&object.1), text(&object.2), text(side), text(detail)]);
    };
    for (object, state) in &live {
        match made.get(object) {
            Some(other) if other == state => {}
            Some(other) if object.0 == "function" => add(
                object,
                "both",
                if other.len() == state.len() { "its body differs".into() } else { "its definition differs".into() },
            ),
            Some(other) => add(object, "both", format!("{state} in the database, {other} by the migrations")),
            None if incomplete.is_empty() && !parent_missing(object, &made) => {
                add(object, "live", "no migration makes it".to_owned())
            }
            None => {}
        }
    }
    for object in made.keys().filter(|object| !live.contains_key(*object) && !parent_missing(object, &live)) {
        add(object, "migrations", "a migration makes it, and it is not there".to_owned());
    }
    facts.insert("replay_differences", &["kind", "schema", "name", "side", "detail"], rows).await?;
    let unseen =
        incomplete.into_iter().take(5).map(|(why, needs)| vec![text("replay_differences"), text(why), text(needs)]);
    facts.insert("unseen", &["area", "why", "needs"], unseen.collect()).await
}

/// The table itself is missing there: its columns and policies are not said again.
fn parent_missing((kind, schema, name): &Object, there: &BTreeMap<Object, String>) -> bool {
    let table = match kind.as_str() {
        "row security" => name.clone(),
        "column" => name.split('.').next().unwrap_or(name).to_owned(),
        "policy" | "trigger" => name.rsplit(" on ").next().unwrap_or(name).to_owned(),
        _ => return false,
    };
    !there.contains_key(&("table".to_owned(), schema.clone(), table))
}
