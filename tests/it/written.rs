//! Plans as files: read back as the tool's own, sent as the tool would send them, and never half written.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod plan;
mod send;

use crate::support::{self, unique};
use govctl::history::History;
use govctl::plan::lint::lint;
use govctl::plan::write::{self, Written};
use govctl::plan::{Plan, Step};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn now() -> jiff::Timestamp {
    "2026-11-22T08:16:58Z".parse().unwrap()
}

/// A folder of these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// A tool, and a folder in its shape; where govctl is pointed; what the first new file is called.
struct Shape {
    tool: &'static str,
    files: &'static [(&'static str, &'static str)],
    at: &'static str,
    first: &'static str,
}

const SQL: [Shape; 12] = [
    Shape {
        tool: "plain-sql",
        files: &[("001_init.sql", "select 1;"), ("002_more.sql", "select 2;")],
        at: "",
        first: "003_add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "sqlx",
        files: &[("Cargo.toml", ""), ("m/20240101000000_init.sql", "-- Add migration script here\nselect 1;")],
        at: "m",
        first: "20261122081658_add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "sqlx",
        files: &[("sqlx.toml", ""), ("m/1_init.up.sql", "select 1;"), ("m/1_init.down.sql", "select 1;")],
        at: "m",
        first: "2_add_tenant_id_to_invoices.up.sql",
    },
    Shape {
        tool: "golang-migrate",
        files: &[("go.mod", ""), ("m/000001_init.up.sql", "select 1;"), ("m/000001_init.down.sql", "select 1;")],
        at: "m",
        first: "000002_add_tenant_id_to_invoices.up.sql",
    },
    Shape {
        tool: "goose",
        files: &[("00001_init.sql", "-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;\n")],
        at: "",
        first: "00002_add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "goose",
        files: &[("20240101000000_init.sql", "-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;\n")],
        at: "",
        first: "20261122081658_add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "dbmate",
        files: &[("db/migrations/20240101000000_init.sql", "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n")],
        at: "db",
        first: "20261122081658_add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "flyway",
        files: &[("V1__init.sql", "select 1;"), ("V1_1__more.sql", "select 2;"), ("R__views.sql", "select 3;")],
        at: "",
        first: "V1_2__add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "flyway",
        files: &[("2024/V001__init.sql", "select 1;"), ("2025/V002__more.sql", "select 2;")],
        at: "",
        first: "2025/V003__add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "prisma",
        files: &[
            ("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n"),
            ("prisma/migrations/20240101000000_init/migration.sql", "select 1;"),
        ],
        at: "prisma/migrations",
        first: "20261122081658_add_tenant_id_to_invoices/migration.sql",
    },
    Shape {
        tool: "supabase",
        files: &[("supabase/config.toml", ""), ("supabase/migrations/20240101000000_start.sql", "select 1;")],
        at: "supabase/migrations",
        first: "20261122081658_add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "supabase",
        files: &[("supabase/config.toml", ""), ("supabase/migrations/20240101000000_start.sql", "select 1;")],
        at: "",
        first: "20261122081658_add_tenant_id_to_invoices.sql",
    },
];

impl Shape {
    fn write(&self, plan: &Plan) -> (TempDir, PathBuf, Written) {
        let folder = folder(self.files);
        let at = folder.path().join(self.at);
        let written = write::write(plan, &at, None, now()).unwrap_or_else(|stop| panic!("{}: {stop:?}", self.tool));
        (folder, at, written)
    }
}

/// Without what sets timeouts, for comparison with tools that send one statement at a time.
fn work(step: &Step) -> impl Iterator<Item = &String> {
    step.up.iter().filter(|statement| !statement.contains("_timeout ="))
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_written_is_read_back_in_order() {
    let plan = plan::plan("readers");
    for shape in &SQL {
        let before = {
            let folder = folder(shape.files);
            History::read(&folder.path().join(shape.at), None).unwrap()
        };
        let (_folder, at, written) = shape.write(&plan);
        assert_eq!(written.tool, shape.tool);
        let first = written.files[0].to_str().unwrap();
        assert!(first.ends_with(shape.first), "{}: {first}", shape.tool);
        let after = History::read(&at, None).unwrap();
        assert_eq!(after.tool, before.tool);
        assert!(after.unreadable().is_empty(), "{}: {:?}", shape.tool, after.unreadable());
        let there = before.statements().len();
        let statements: Vec<String> = after.statements().iter().map(|statement| squeezed(&statement.sql)).collect();
        let is_frame = |sql: &&String| {
            !matches!(sql.as_str(), "begin" | "commit")
                && !sql.contains("_timeout =")
                && !sql.contains("-- squawk-ignore")
        };
        // A repeatable migration of Flyway's runs after all others.
        let last = before.statements().iter().filter(|statement| statement.path.contains("R__")).count();
        let got: Vec<_> = statements[there - last..statements.len() - last].iter().filter(is_frame).collect();
        let wanted: Vec<String> = plan.steps.iter().flat_map(work).map(|sql| squeezed(sql)).collect();
        assert_eq!(got.len(), wanted.len(), "{}: {got:#?}", shape.tool);
        for (got, wanted) in got.iter().zip(&wanted) {
            // Names that would be marks are written by their code points.
            // What looks like a template's hole is read as one.
            assert!(
                *got == wanted || got.contains("U&\"") || wanted.contains("{{x}}"),
                "{}:\n{got}\n{wanted}",
                shape.tool
            );
        }
    }
}

#[test]
fn squawk_has_nothing_to_say() {
    let plan = plan::plan("readers");
    for shape in &SQL {
        let (_folder, _, written) = shape.write(&plan);
        for file in written.files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "sql")) {
            let text = fs::read_to_string(file).unwrap();
            for assumed in [true, false] {
                let warnings = lint(&text, assumed, 150_000);
                assert!(warnings.is_empty(), "{} assumed {assumed}: {warnings:#?}\n{text}", file.display());
            }
        }
    }
}

async fn run(connection: &mut PgConnection, sent: &send::Sent, what: &str) {
    let mut queries = sent.queries.clone();
    if sent.transaction {
        queries.insert(0, "begin".to_owned());
        queries.push("commit".to_owned());
    }
    for query in queries {
        if let Err(error) = connection.execute(sqlx::raw_sql(AssertSqlSafe(query.clone()))).await {
            panic!("{what}: {error}\n{query}");
        }
    }
}

/// Columns, indexes, constraints, policies, triggers, grants and comments of the schema, as text.
async fn catalog(connection: &mut PgConnection) -> Vec<String> {
    let sql = "
        select format('%s %s %s %s', attrelid::regclass, attname, atttypid::regtype, attnotnull) from pg_attribute
            where attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r') and attnum > 0 and not attisdropped
        union all select format('%s %s', pg_get_indexdef(indexrelid), indisvalid) from pg_index where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
        union all select format('%s %s %s', conrelid::regclass, pg_get_constraintdef(oid), convalidated) from pg_constraint where connamespace = 'public'::regnamespace
        union all select format('%s %s %s %s', polrelid::regclass, polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) from pg_policy
        union all select format('%s %s %s', oid::regclass, relrowsecurity, relforcerowsecurity) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
        union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
        union all select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
        union all select format('%s %s', objoid::regclass, description) from pg_description where classoid = 'pg_class'::regclass and objoid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
        order by 1";
    sqlx::query_scalar(sql).fetch_all(connection).await.unwrap()
}

/// Every file sent as its tool sends it, up and then down again.
#[tokio::test]
async fn files_run_as_the_tool_sends_them() {
    let role = unique("readers");
    let plan = plan::plan(&role);
    let mut reached: Option<Vec<String>> = None;
    for shape in &SQL {
        let database = support::database().await;
        database.run(plan::BEFORE).await;
        let mut connection = database.connect().await;
        let before = catalog(&mut connection).await;
        let (_folder, at, _written) = shape.write(&plan);
        let history = History::read(&at, None).unwrap();
        let new: Vec<&Path> =
            history.migrations.iter().map(|it| Path::new(&it.path)).filter(|path| is_new(path, shape)).collect();
        assert!(new.len() >= plan.steps.len(), "{}", shape.tool);
        for path in &new {
            let sent = send::sent(shape.tool, path, true).unwrap();
            run(&mut connection, &sent, &path.display().to_string()).await;
        }
        let after = catalog(&mut connection).await;
        assert_ne!(before, after);
        assert_eq!(*reached.get_or_insert_with(|| after.clone()), after, "{}", shape.tool);
        let nulls: i64 = sqlx::query_scalar("select count(*) from public.invoices where tenant_id is null")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(nulls, 0, "{}", shape.tool);
        connection.close().await.unwrap();
        let mut connection = database.connect().await;
        for path in new.iter().rev() {
            if let Some(sent) = send::sent(shape.tool, path, false) {
                run(&mut connection, &sent, &path.display().to_string()).await;
            }
        }
        assert_eq!(catalog(&mut connection).await, before, "{}", shape.tool);
        connection.close().await.unwrap();
    }
}

fn is_new(path: &Path, shape: &Shape) -> bool {
    !shape.files.iter().any(|(name, _)| path.ends_with(name))
}
