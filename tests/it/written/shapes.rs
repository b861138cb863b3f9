//! Folders in the shape of each tool.

/// A tool, and a folder in its shape; where govctl is pointed; what the first new file is called.
pub(super) struct Shape {
    pub(super) tool: &'static str,
    pub(super) files: &'static [(&'static str, &'static str)],
    pub(super) at: &'static str,
    pub(super) first: &'static str,
}

/// Tools whose migrations are SQL.
pub(super) const SQL: &[Shape] = &[
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
        files: &[("Cargo.toml", "refinery = \"0.8\""), ("migrations/V1__init.sql", "select 1;")],
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

/// Tools whose migrations are programs.
pub(super) const CODE: &[Shape] = &[
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
    Shape {
        tool: "pgroll",
        files: &[(
            "01_init.json",
            r#"{"operations":[{"create_table":{"name":"a","columns":[{"name":"id","type":"int"}]}}]}"#,
        )],
        at: "",
        first: "02_add_tenant_id_to_invoices.json",
    },
];
