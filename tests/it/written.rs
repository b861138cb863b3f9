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

const SQL: &[Shape] = &[
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
    Shape {
        tool: "tern",
        files: &[("001_init.sql", "select 1;\n---- create above / drop below ----\nselect 2;\n")],
        at: "",
        first: "002_add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "sql-migrate",
        files: &[("20240101000000-init.sql", "-- +migrate Up\nselect 1;\n-- +migrate Down\nselect 2;\n")],
        at: "",
        first: "20261122081658-add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "rambler",
        files: &[("01_init.sql", "-- rambler up\nselect 1;\n-- rambler down\nselect 2;\n")],
        at: "",
        first: "02_add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "popx",
        files: &[
            ("20240101000000000000_init.postgres.up.sql", "select 1;"),
            ("20240101000000000000_init.postgres.down.sql", "select 2;"),
        ],
        at: "",
        first: "20240101000000000001_add_tenant_id_to_invoices.postgres.up.sql",
    },
    Shape {
        tool: "diesel",
        files: &[
            ("diesel.toml", ""),
            ("migrations/2024-01-01-000000-0000_init/up.sql", "select 1;"),
            ("migrations/2024-01-01-000000-0000_init/down.sql", "select 2;"),
        ],
        at: "migrations",
        first: "2026-11-22-081658-0000_add_tenant_id_to_invoices/up.sql",
    },
    Shape {
        tool: "hasura",
        files: &[
            ("migrations/default/1700000000000_init/up.sql", "select 1;"),
            ("migrations/default/1700000000000_init/down.sql", "select 2;"),
        ],
        at: "migrations",
        first: "1795335418000_add_tenant_id_to_invoices/up.sql",
    },
    Shape {
        tool: "refinery",
        files: &[("Cargo.toml", ""), ("migrations/V1__init.sql", "select 1;")],
        at: "migrations",
        first: "V2__add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "atlas",
        files: &[
            ("20240101000000_init.sql", "select 1;\n"),
            (
                "atlas.sum",
                "h1:xdcx3dP5IBTqbpz5bEQTHa/BXx7swiW+tE50EJHatuI=\n20240101000000_init.sql h1:bzMguXMd4fdINGz/aL5PDYkgp84j0OG8IuVT8qLG7pY=\n",
            ),
        ],
        at: "",
        first: "20261122081658_add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "graphile-migrate",
        files: &[
            (
                "committed/000001.sql",
                "--! Previous: -\n--! Hash: sha1:005c6eb7364156e6b0d158d8b2767a24f1ce6611\n\nselect 1;\n",
            ),
            ("current.sql", ""),
        ],
        at: "",
        first: "committed/000002-add-tenant-id-to-invoices.sql",
    },
    Shape {
        tool: "sqitch",
        files: &[
            (
                "sqitch.plan",
                "%syntax-version=1.0.0\n%project=shop\n\ninit 2024-01-01T00:00:00Z A B <a@b.example> # first\n",
            ),
            ("deploy/init.sql", "select 1;"),
        ],
        at: "",
        first: "deploy/add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "yoyo",
        files: &[
            ("yoyo.ini", ""),
            ("m/0001.init.sql", "-- depends: \nselect 1;"),
            ("m/0001.init.rollback.sql", "select 2;"),
        ],
        at: "m",
        first: "0002-add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "yoyo",
        files: &[("20261122_01_abcde-init.sql", "-- depends: \nselect 1;")],
        at: "",
        first: "-add-tenant-id-to-invoices.sql",
    },
    Shape {
        tool: "drizzle",
        files: &[
            ("0000_init.sql", "select 1;"),
            (
                "meta/_journal.json",
                r#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"version":"7","when":1700000000000,"tag":"0000_init","breakpoints":true}]}"#,
            ),
        ],
        at: "",
        first: "0001_add_tenant_id_to_invoices.sql",
    },
    Shape {
        tool: "drizzle",
        files: &[
            ("20240101000000_init/migration.sql", "select 1;"),
            (
                "20240101000000_init/snapshot.json",
                r#"{"version":"8","dialect":"postgres","id":"a","prevIds":["0"],"ddl":[]}"#,
            ),
        ],
        at: "",
        first: "20261122081658_add_tenant_id_to_invoices/migration.sql",
    },
    Shape {
        tool: "liquibase",
        files: &[
            ("001-init.sql", "--liquibase formatted sql\n--changeset a:1\nselect 1;\n"),
            (
                "changelog.xml",
                "<databaseChangeLog>\n    <include file=\"001-init.sql\" relativeToChangelogFile=\"true\"/>\n</databaseChangeLog>\n",
            ),
        ],
        at: "",
        first: "002-add_tenant_id_to_invoices.sql",
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

fn inside(sql: &str) -> String {
    sql.replace("commit;", "null;").replace("concurrently ", "")
}

#[test]
fn what_is_written_is_read_back_in_order() {
    let plan = plan::plan("readers");
    for shape in SQL {
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
        let unreadable: Vec<_> =
            after.unreadable().into_iter().filter(|it| is_new(Path::new(&it.line.path), shape)).collect();
        assert!(unreadable.is_empty(), "{}: {unreadable:?}", shape.tool);
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
            // The form for tools that never leave their transaction.
            let (got, wanted) = (&inside(got), &inside(wanted));
            // Names that would be marks are written by their code points.
            // What looks like a template's hole is read as one.
            assert!(
                got == wanted || got.contains("U&\"") || wanted.contains("{{x}}"),
                "{}:\n{got}\n{wanted}",
                shape.tool
            );
        }
    }
}

#[test]
fn squawk_has_nothing_to_say() {
    let plan = plan::plan("readers");
    for shape in SQL {
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
    for shape in SQL {
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

const CODE: &[Shape] = &[
    Shape {
        tool: "alembic",
        files: &[(
            "versions/0a1b_init.py",
            "from alembic import op\nrevision = '0a1b'\ndown_revision = None\ndef upgrade():\n    op.execute('create table public.users (id bigint)')\n",
        )],
        at: "",
        first: "_add_tenant_id_to_invoices.py",
    },
    Shape {
        tool: "alembic",
        files: &[
            ("alembic.ini", "[alembic]\nfile_template = %%(year)d_%%(month).2d_%%(day).2d-%%(rev)s_%%(slug)s\n"),
            (
                "versions/0001_init.py",
                "from alembic import op\nrevision = '0001'\ndown_revision = None\ndef upgrade():\n    pass\n",
            ),
        ],
        at: "versions",
        first: "2026_11_22-0002_add_tenant_id_to_invoices.py",
    },
    Shape {
        tool: "django",
        files: &[
            ("orgs/migrations/__init__.py", ""),
            (
                "orgs/migrations/0001_initial.py",
                "from django.db import migrations\nclass Migration(migrations.Migration):\n    dependencies = []\n    operations = []\n",
            ),
        ],
        at: "orgs/migrations",
        first: "0002_add_tenant_id_to_invoices.py",
    },
    Shape {
        tool: "rails",
        files: &[
            ("Gemfile", "gem 'strong_migrations'"),
            (
                "db/migrate/20240101000000_init.rb",
                "class Init < ActiveRecord::Migration[7.1]\n  def change\n  end\nend\n",
            ),
        ],
        at: "db/migrate",
        first: "20261122081658_add_tenant_id_to_invoices.rb",
    },
    Shape {
        tool: "ecto",
        files: &[(
            "20240101000000_init.exs",
            "defmodule Shop.Repo.Migrations.Init do\n  use Ecto.Migration\n  def change do\n  end\nend\n",
        )],
        at: "",
        first: "20261122081658_add_tenant_id_to_invoices.exs",
    },
    Shape {
        tool: "ef-core",
        files: &[
            (
                "20240101000000_Init.cs",
                "namespace Shop.Migrations\n{\n    public partial class Init : Migration\n    {\n        protected override void Up(MigrationBuilder migrationBuilder) { }\n    }\n}\n",
            ),
            (
                "20240101000000_Init.Designer.cs",
                "using Shop;\nnamespace Shop.Migrations\n{\n    [DbContext(typeof(ShopContext))]\n    [Migration(\"20240101000000_Init\")]\n    partial class Init { }\n}\n",
            ),
        ],
        at: "",
        first: "20261122081658_AddTenantIdToInvoices.cs",
    },
    Shape {
        tool: "knex",
        files: &[("20240101000000_init.js", "exports.up = async (knex) => {};\nexports.down = async (knex) => {};\n")],
        at: "",
        first: "20261122081658_add_tenant_id_to_invoices.js",
    },
    Shape {
        tool: "knex",
        files: &[("20240101000000_init.ts", "import { Knex } from 'knex';\nexport async function up(knex: Knex) {}\n")],
        at: "",
        first: "20261122081658_add_tenant_id_to_invoices.ts",
    },
    Shape {
        tool: "kysely",
        files: &[(
            "2024-01-01_init.ts",
            "import { Kysely } from 'kysely';\nexport async function up(db: Kysely<any>) {}\n",
        )],
        at: "",
        first: "2026-11-22T081658_add_tenant_id_to_invoices.ts",
    },
    Shape {
        tool: "kysely",
        files: &[("001_init.ts", "import { Kysely } from 'kysely';\nexport async function up(db: Kysely<any>) {}\n")],
        at: "",
        first: "002_add_tenant_id_to_invoices.ts",
    },
    Shape {
        tool: "typeorm",
        files: &[(
            "1700000000000-Init.ts",
            "import { MigrationInterface, QueryRunner } from 'typeorm';\nexport class Init1700000000000 implements MigrationInterface {\n  async up(queryRunner: QueryRunner) {}\n}\n",
        )],
        at: "",
        first: "1795335418000-AddTenantIdToInvoices.ts",
    },
    Shape {
        tool: "sequelize",
        files: &[(
            "20240101000000-init.js",
            "'use strict';\nmodule.exports = {\n  async up(queryInterface, Sequelize) {},\n};\n",
        )],
        at: "",
        first: "20261122081658-add-tenant-id-to-invoices.js",
    },
    Shape {
        tool: "mikro-orm",
        files: &[(
            "Migration20240101000000.ts",
            "import { Migration } from '@mikro-orm/migrations';\nexport class Migration20240101000000 extends Migration {\n  async up() { this.addSql('select 1'); }\n}\n",
        )],
        at: "",
        first: "Migration20261122081658_add_tenant_id_to_invoices.ts",
    },
    Shape {
        tool: "node-pg-migrate",
        files: &[("1700000000000_init.js", "exports.up = (pgm) => { pgm.sql('select 1'); };\n")],
        at: "",
        first: "1795335418000_add-tenant-id-to-invoices.js",
    },
    Shape {
        tool: "node-pg-migrate",
        files: &[("1700000000000_init.sql", "-- Up Migration\nselect 1;\n-- Down Migration\nselect 2;\n")],
        at: "",
        first: "1795335418000_add-tenant-id-to-invoices.sql",
    },
    Shape {
        tool: "sea-orm",
        files: &[
            ("Cargo.toml", "sea-orm-migration = \"2.0\""),
            (
                "src/lib.rs",
                "mod m20240101_000000_init;\nimpl MigratorTrait for Migrator {\n    fn migrations() -> Vec<Box<dyn MigrationTrait>> {\n        vec![\n            Box::new(m20240101_000000_init::Migration),\n        ]\n    }\n}\n",
            ),
            ("src/m20240101_000000_init.rs", "use sea_orm_migration::prelude::*;\n"),
        ],
        at: "src",
        first: "m20261122_081658_add_tenant_id_to_invoices.rs",
    },
];

/// A program is read as its tool's, in order, and what it does is found in it.
#[test]
fn programs_are_read_back_in_order() {
    let mut plan = plan::plan("readers");
    let mut made = plan.steps[0].clone();
    made.name = "make_notes".into();
    made.up = vec!["create table public.notes (id bigint primary key, tenant_id uuid not null, \"what?\" text default '`${x} #{y} \"\"\" :z \\')".into(),
        "alter table public.notes enable row level security, force row level security".into(),
        "create policy tenant_isolation on public.notes using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))".into()];
    made.down = vec!["drop table if exists public.notes".into()];
    plan.steps.push(made);
    for shape in CODE {
        let (folder, at, written) = shape.write(&plan);
        assert_eq!(written.tool, shape.tool);
        let first = written.files[0].to_str().unwrap();
        assert!(first.ends_with(shape.first), "{}: {first}", shape.tool);
        let history = History::read(&at, None).unwrap();
        assert_eq!(history.tool, shape.tool);
        let new: Vec<_> = history.migrations.iter().filter(|it| is_new(Path::new(&it.path), shape)).collect();
        assert!(history.migrations.len() - new.len() <= 1 && new.len() == plan.steps.len(), "{}: {new:#?}", shape.tool);
        let names: Vec<String> = new.iter().map(|it| it.path.to_lowercase().replace(['_', '-'], "")).collect();
        for (name, step) in names.iter().zip(&plan.steps) {
            assert!(name.contains(&step.name.replace('_', "")), "{}: {names:#?}", shape.tool);
        }
        assert!(history.unreadable().is_empty(), "{}: {:?}", shape.tool, history.unreadable());
        let transitions = history.transitions();
        assert!(
            transitions.iter().any(|it| it.stage == 2 && it.object == "public.invoices"),
            "{}: {transitions:?}",
            shape.tool
        );
        drop(folder);
    }
}

#[test]
fn nothing_is_overwritten_and_nothing_is_left_half_written() {
    let plan = plan::plan("readers");
    // The third file of the plan has somebody else's text.
    let taken = folder(&[("20240101000000_init.up.sql", "select 1;"), ("go.mod", "")]);
    let ours = taken.path().join("20261122081700_backfill_tenant_id_of_invoices.up.sql");
    let before = names(taken.path());
    let found = write::write(&plan, taken.path(), Some("golang-migrate"), now()).unwrap();
    assert!(found.files.contains(&ours));
    let stop = write::write(&plan, taken.path(), Some("golang-migrate"), now()).unwrap();
    assert!(!stop.files.contains(&ours), "a second plan comes after the first");
    for file in names(taken.path()).iter().filter(|name| !before.contains(name)) {
        fs::remove_file(taken.path().join(file)).unwrap();
    }
    // A folder stands where a file is to be: nothing is left of the rest.
    let blocked = folder(&[("m/20240101000000_init.sql", "select 1;"), ("m/supabase.txt", "")]);
    let at = blocked.path().join("m");
    fs::write(at.join("down"), "a file where a folder is to be").unwrap();
    let before = names(&at);
    let stop = write::write(&plan, &at, Some("supabase"), now()).unwrap_err();
    assert!(stop.to_string().contains("down"), "{stop}");
    assert_eq!(names(&at), before);
}

#[test]
fn a_folder_that_does_not_exist_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("a/b");
    let written = write::write(&plan::plan("readers"), &at, None, now()).unwrap();
    assert_eq!(written.tool, "plain-sql");
    assert!(written.files[0].ends_with("a/b/0001_add_tenant_id_to_invoices.sql"));
    assert!(at.join("0001_add_tenant_id_to_invoices.down.sql").exists());
    let text = fs::read_to_string(&written.files[0]).unwrap();
    assert!(text.contains("begin;") && text.contains("commit;") && text.contains("Asked   tenant-table"), "{text}");
}

/// Every tool there is takes a plan into an empty folder, but those that need what only a project can say.
#[test]
fn every_tool_writes_into_an_empty_folder() {
    for tool in govctl::history::tool_names() {
        let folder = tempfile::tempdir().unwrap();
        let written = write::write(&plan::plan("readers"), folder.path(), Some(tool), now());
        if tool == "ef-core" {
            assert!(written.unwrap_err().to_string().contains("DbContext"));
            continue;
        }
        let written = written.unwrap_or_else(|stop| panic!("{tool}: {stop:?}"));
        assert_eq!(written.tool, tool);
        assert!(written.files.len() >= 9, "{tool}: {:?}", written.files);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
