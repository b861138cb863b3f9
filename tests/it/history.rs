//! Folders of migrations: what a reader finds in them, what broken ones cost, and what a database says about them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use govctl::facts::collect::Wanted;
use govctl::history::History;
use govctl::target::replay;
use govctl::target::scratch::Choice;
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    tool: String,
    transitions: Vec<String>,
    regressions: Vec<String>,
}

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

/// Every folder of `fixtures/<folder>` is read as `expected.yaml` there says.
fn holds(folder: &str) {
    let root = fixtures(folder);
    let expected: BTreeMap<String, Expected> =
        serde_yaml::from_str(&fs::read_to_string(root.join("expected.yaml")).unwrap()).unwrap();
    let folders = fs::read_dir(&root).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(expected.len(), folders, "expected.yaml names every folder of {folder}");
    for (name, expected) in expected {
        let path = root.join(&name);
        let history = History::read(&path, None).unwrap();
        let below =
            |shown: &str| shown.strip_prefix(path.to_str().unwrap()).unwrap().trim_start_matches('/').to_owned();
        let transitions: Vec<_> = history
            .transitions()
            .iter()
            .map(|it| format!("{} {}:{} {}", it.stage, below(&it.line.path), it.line.line, it.object))
            .collect();
        let regressions: Vec<_> = history
            .regressions()
            .iter()
            .map(|it| format!("{} {}:{} {}", it.kind, below(&it.line.path), it.line.line, it.object))
            .collect();
        assert_eq!(history.tool, expected.tool, "{name}");
        assert_eq!(transitions, expected.transitions, "{name}");
        assert_eq!(regressions, expected.regressions, "{name}");
        assert!(history.unreadable().is_empty(), "{name}: {:?}", history.unreadable());
    }
}

#[test]
fn every_tool_is_recognised_and_read() {
    holds("migrations");
}

#[test]
fn stages_are_those_a_reader_finds() {
    holds("stages");
}

/// A folder of these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn read(files: &[(&str, &str)]) -> History {
    History::read(folder(files).path(), None).unwrap()
}

fn reached(files: &[(&str, &str)]) -> Vec<(u8, usize)> {
    read(files).transitions().iter().map(|it| (it.stage, it.line.line)).collect()
}

const ISOLATED: &str = "create table t (tenant_id uuid);\nalter table t enable row level security;\n";

#[test]
fn what_is_no_transition_is_not_called_one() {
    let policy = |using: &str| format!("{ISOLATED}create policy p on t using ({using});");
    assert_eq!(reached(&[("1_a.sql", &policy("tenant_id = current_setting('app.tenant_id')::uuid"))]), [(2, 3)]);
    for using in ["true", "tenant_id is not null", "tenant_id = '00000000-0000-0000-0000-000000000000'"] {
        assert!(reached(&[("1_a.sql", &policy(using))]).is_empty(), "{using}");
    }
    for silent in [
        "-- create policy p on t using (tenant_id = current_setting('x')::uuid);",
        "create table t (user_id uuid); alter table t enable row level security; create policy p on t using (user_id = auth.uid());",
        "create table t (tenant_id uuid); create policy p on t using (tenant_id = current_setting('x')::uuid);",
        "create table projects (id int, owner_id uuid); create table t (project_id int); alter table t enable row level security;
         create policy p on t using (exists (select 1 from projects where projects.id = t.project_id and owner_id = auth.uid()));",
        "create table users (id uuid, tenant_id uuid, role text);",
        "create table audit_log (tenant_id uuid, user_id uuid, role text);",
        "create table audit_log (prev_hash bytea, actor_kind text check (actor_kind in ('user', 'agent')));",
    ] {
        assert!(reached(&[("1_a.sql", silent)]).is_empty(), "{silent}");
    }
}

#[test]
fn only_the_way_up_is_read() {
    let goose = "-- +goose Up\ncreate table a (id int);\n-- +goose Down\nalter table a enable row level security;\n";
    let history = read(&[("0001_a.sql", goose)]);
    assert_eq!((history.tool, history.transitions().len()), ("goose", 0));
    let dbmate = format!(
        "-- migrate:down\ndrop table t;\n-- migrate:up\n{ISOLATED}create policy p on t using (tenant_id = f());\n"
    );
    let history = read(&[("20250101000000_a.sql", &dbmate)]);
    assert_eq!((history.tool, history.transitions()[0].line.line), ("dbmate", 6));
}

#[test]
fn a_broken_file_hides_no_other() {
    let good = format!("{ISOLATED}create policy p on t using (tenant_id = current_setting('x')::uuid);");
    let history = read(&[("1_broken.sql", "create tabel (;\nselect 'never closed;\n"), ("2_good.sql", &good)]);
    assert_eq!(history.transitions().len(), 1);
    assert!(history.unreadable().iter().all(|it| it.line.path.ends_with("1_broken.sql") && it.line.line <= 2));
    assert!(!history.unreadable().is_empty());
}

/// The head of an Alembic revision.
const REVISION: &str = "\"\"\"a\n\nCreate Date: 2025-03-02 09:30:00\n\"\"\"\nfrom alembic import op\nimport sqlalchemy as sa\nrevision = \"a\"\ndown_revision = None\n";

/// SQL that a program puts together is read as it comes to be, where it stands, in the order in which it is used.
#[test]
fn statements_that_a_program_puts_together_are_read() {
    let table = "def upgrade():\n    op.create_table(\"t\", sa.Column(\"tenant_id\", sa.Uuid()))\n    op.execute(\"ALTER TABLE t ENABLE ROW LEVEL SECURITY\")\n";
    for (name, head, tail) in [
        (
            "constants of constants",
            "S = \"current_setting('app.t')::uuid\"\nP = f\"tenant_id = {S}\"\n",
            "    op.execute(f\"CREATE POLICY p ON t USING ({P})\")\n",
        ),
        (
            "names between strings",
            "S = \"tenant_id = current_setting('app.t')::uuid\"\nT = \"t\"\n",
            "    op.execute(\"CREATE POLICY p_\" + T + \" ON \" + T + \" USING (\" + S + \")\")\n",
        ),
        (
            "format by name",
            "S = \"\"\"CREATE POLICY p ON {table} USING (tenant_id = f())\"\"\"\n\n",
            "    for table in [\"t\"]:\n        op.execute(S.format(table=table))\n",
        ),
        (
            "a constant that is given its names",
            "S = \"\"\"CREATE POLICY p ON {table} USING (tenant_id = f())\"\"\"\nT = [\"t\"]\n",
            "    [op.execute(S.format(table=one)) for one in T]\n",
        ),
        (
            "a constant behind percent",
            "S = \"CREATE POLICY p ON %s USING (tenant_id = f())\"\n\n",
            "    for t in frozenset({\"t\"}):\n        op.execute(S % t)\n",
        ),
        (
            "format by place",
            "T = \"t\"\n\n",
            "    op.execute(\"CREATE POLICY p ON {} USING (tenant_id = f())\".format(T))\n",
        ),
        ("percent", "T = \"t\"\n\n", "    op.execute(\"CREATE POLICY %s_p ON %s USING (tenant_id = f())\" % (T, T))\n"),
        (
            "one of two",
            "A = \"user_id = f()\"\nB = \"tenant_id = f()\"\n",
            "    for t in (\"u\", \"t\"):\n        p = A if t == \"u\" else B\n        op.execute(f\"CREATE POLICY p ON {t} USING ({p})\")\n",
        ),
        (
            "a helper above what makes its table",
            "def isolate(t):\n    op.execute(f\"CREATE POLICY p ON {t} USING (tenant_id = f())\")\n",
            "    isolate(\"t\")\n",
        ),
    ] {
        let text = format!("{REVISION}{head}\n{table}{tail}\ndef downgrade():\n    pass\n");
        let history = read(&[("versions/a_a.py", &text)]);
        let line = 1 + text.lines().position(|line| line.contains("CREATE POLICY")).unwrap();
        let found: Vec<_> = history.transitions().iter().map(|it| (it.stage, it.line.line)).collect();
        assert_eq!((found, history.dynamic().len()), (vec![(2, line)], 0), "{name}:\n{text}");
        assert!(history.transitions()[0].line.date_source == Some("header"), "{name}");
    }
}

/// The same in the other languages: lists, loops and formats of each.
#[test]
fn every_language_puts_statements_together_in_its_own_way() {
    let (enable, policy) =
        ("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", "CREATE POLICY p ON {} USING (tenant_id = f())");
    let with = |text: &str, hole: &str| text.replace("{}", hole);
    let go = format!(
        "package m\nfunc up(tx *sql.Tx) error {{\n\ttx.Exec(`CREATE TABLE t (tenant_id uuid)`)\n\tfor _, t := range []string{{\"t\"}} {{\n\t\ttx.Exec(fmt.Sprintf(`{}`, t))\n\t\ttx.Exec(fmt.Sprintf(\"{}\", t))\n\t}}\n}}\n",
        with(enable, "%s"),
        with(policy, "%s")
    );
    let java = format!(
        "public class V1__a extends BaseJavaMigration {{\n  private static final List<String> ALL = List.of(\"t\");\n  public void migrate(Context context) throws Exception {{\n    run(\"create table t (tenant_id uuid)\");\n    for (String t : ALL) {{\n      run(\"{}\");\n      run(String.format(\"{}\", t));\n    }}\n  }}\n}}\n",
        with(enable, "\" + t + \""),
        with(policy, "%s")
    );
    let kotlin = format!(
        "class V1__a : BaseJavaMigration() {{\n  override fun migrate(context: Context) {{\n    run(\"create table t (tenant_id uuid)\")\n    for (t in listOf(\"t\")) {{\n      run(\"{}\")\n      run(\"\"\"{}\"\"\")\n    }}\n  }}\n}}\n",
        with(enable, "$t"),
        with(policy, "${t}")
    );
    let rust = format!(
        "const ALL: [&str; 1] = [\"t\"];\nimpl MigrationTrait for Migration {{\n  async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {{\n    let db = manager.get_connection();\n    db.execute_unprepared(\"create table t (tenant_id uuid)\").await?;\n    for t in ALL {{\n      db.execute_unprepared(&format!(\"{}\")).await?;\n      db.execute_unprepared(&format!(\"{}\", t)).await?;\n    }}\n    Ok(())\n  }}\n}}\n",
        with(enable, "{t}"),
        policy
    );
    let kysely = format!(
        "import {{ Kysely, sql }} from 'kysely'\nexport async function up(db: Kysely<any>) {{\n  await db.schema.createTable('t').addColumn('org_id', 'uuid', (column) => column.notNull().references('orgs.id')).execute()\n  for (const t of ['t']) {{\n    await sql.raw(`{}`).execute(db)\n    await sql`{}`.execute(db)\n  }}\n}}\n",
        with(enable, "${t}"),
        with(policy, "${sql.table(t)}").replace("tenant_id", "org_id")
    );
    for (file, text) in [
        ("00001_a.go", go.as_str()),
        ("V1__a.java", &java),
        ("V1__a.kt", &kotlin),
        ("m20250301_000001_a.rs", &rust),
        ("2025-03-01-a.ts", &kysely),
    ] {
        // goose is known by a file of SQL.
        let history = read(
            &[(file, text), ("00000_a.sql", "-- +goose Up\nselect 1;\n")][..1 + usize::from(file.ends_with("go"))],
        );
        let line = 1 + text.lines().position(|line| line.contains("CREATE POLICY")).unwrap();
        let found: Vec<_> = history.transitions().iter().map(|it| (it.stage, it.line.line)).collect();
        assert_eq!((found, history.dynamic().len()), (vec![(2, line)], 0), "{file}: {:?}\n{text}", history.dynamic());
    }
    // What a helper makes of its parameters before it says them; what is added to it on a condition is left out.
    let rails = "class A < ActiveRecord::Migration[8.0]\n  def up\n    create_table(:t) { |t| t.uuid :tenant_id }\n    execute \"ALTER TABLE t ENABLE ROW LEVEL SECURITY\"\n    allow(\"t\", \"tenant_id = f()\")\n    allow(\"t\", unknown(1))\n  end\n\n  def allow(table, condition)\n    clause = \"USING (#{condition})\"\n    clause += \" WITH CHECK (#{condition})\" if table == \"u\"\n    execute \"CREATE POLICY p ON #{table} #{clause}\"\n  end\nend\n";
    assert_eq!(reached(&[("db/migrate/20250101000000_a.rb", rails)]), [(2, 12)]);
    // And what nobody knows is said, also where it is half a statement.
    let rails = rails.replace("clause = ", "clause = asked || ");
    let history = read(&[("db/migrate/20250101000000_a.rb", &rails)]);
    assert_eq!((history.transitions().len(), history.dynamic().len()), (0, 1), "{:?}", history.dynamic());
    // Enums that a variable holds, and a batch by any name.
    let kept = format!(
        "{REVISION}who = sa.Enum(\"user\", \"agent\", name=\"who\")\n\ndef upgrade():\n    op.create_table(\"log\", sa.Column(\"actor\", who), sa.Column(\"prev_hash\", sa.Text))\n    op.execute(\"REVOKE UPDATE, DELETE ON log FROM app\")\n    with op.batch_alter_table(\"members\") as table:\n        table.add_column(sa.Column(\"role\", sa.Text))\n        table.add_column(sa.Column(\"org_id\", sa.Uuid, sa.ForeignKey(\"orgs.id\")))\n        table.add_column(sa.Column(\"user_id\", sa.Uuid))\n"
    );
    assert_eq!(reached(&[("versions/a_a.py", &kept)]), [(3, 17), (4, 13)]);
}

/// Helpers and constants of the project's own modules are followed, and what they do is done where they are called.
#[test]
fn what_modules_of_the_project_do_is_done_where_they_are_called() {
    let python = format!(
        "{REVISION}from helpers.rls import unused, isolate, ENABLE\n\ndef upgrade():\n    for t in (\"u\", \"t\"):\n        op.create_table(t, sa.Column(\"id\", sa.Uuid()))\n    for t in [\"t\"]:\n        op.add_column(t, sa.Column(\"tenant_id\", sa.Uuid()))\n    op.execute(ENABLE)\n    isolate(\"u\")\n    isolate(\"t\")\n\ndef downgrade():\n    unused()\n"
    );
    let django = "from django.db import migrations, models\nfrom ..rls import Isolate\n\nclass Migration(migrations.Migration):\n    operations = [\n        migrations.CreateModel(name=\"Note\", fields=[(\"tenant_id\", models.UUIDField())]),\n        Isolate(\"app_note\"),\n    ]\n";
    let operation = "from django.db.migrations.operations.base import Operation\n\nSQL = \"CREATE POLICY p ON %s USING (tenant_id = f())\"\n\nclass Isolate(Operation):\n    def __init__(self, table):\n        self.table = table\n\n    def database_forwards(self, label, editor, a, b):\n        editor.execute(\"ALTER TABLE %s ENABLE ROW LEVEL SECURITY\" % self.table)\n        editor.execute(f\"CREATE POLICY p ON {self.table} USING (tenant_id = f())\")\n\n    def database_backwards(self, label, editor, a, b):\n        pass\n";
    let knex = "const { isolate, other } = require('../lib/rls');\nconst NAME = 't';\n\nexports.up = async (knex) => {\n  await knex.schema.createTable(NAME, (table) => {\n    table.uuid('tenant_id');\n  });\n  await isolate(knex, NAME);\n};\n\nexports.down = async (knex) => { await other(knex); };\n";
    let helper = "const using = 'tenant_id = f()';\nconst other = async (knex) => { await knex.raw('drop table t'); };\nasync function isolate(knex, table) {\n  await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);\n  await knex.raw(`CREATE POLICY p ON ${table} USING (${using})`);\n}\nmodule.exports = { isolate, other };\n";
    let typeorm = "import { MigrationInterface, QueryRunner } from 'typeorm';\n\nexport class A1740819600000 implements MigrationInterface {\n  private readonly tables = ['t'];\n\n  public async up(queryRunner: QueryRunner): Promise<void> {\n    await queryRunner.query(`CREATE TABLE t (tenant_id uuid)`);\n    for (const table of this.tables) {\n      await this.isolate(queryRunner, table);\n    }\n  }\n\n  private async isolate(queryRunner: QueryRunner, table: string): Promise<void> {\n    await queryRunner.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);\n    await queryRunner.query(`CREATE POLICY p ON ${table} USING (tenant_id = f())`);\n  }\n\n  public async down(): Promise<void> {}\n}\n";
    let unexported = "import { MigrationInterface } from 'typeorm';\n\n// no longer exported\nclass Old implements MigrationInterface {\n  public async up(q): Promise<void> {\n    await q.query(`CREATE TABLE t (tenant_id uuid); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (tenant_id = f())`);\n  }\n}\n";
    let rails = "require_relative \"../../lib/rls\"\n\nclass A < ActiveRecord::Migration[8.0]\n  include Rls\n\n  def change\n    create_table :t do |t|\n      t.uuid :tenant_id\n    end\n    isolate :t\n  end\nend\n";
    let concern = "module Rls\n  def isolate(table)\n    execute \"ALTER TABLE #{table} ENABLE ROW LEVEL SECURITY\"\n    execute <<~SQL\n      CREATE POLICY p ON #{table} USING (tenant_id = f())\n    SQL\n  end\nend\n";
    let ecto = "defmodule App.Repo.Migrations.A do\n  use Ecto.Migration\n  import App.Rls\n\n  def change do\n    create table(:t) do\n      add :tenant_id, :uuid\n    end\n    isolate(\"t\")\n  end\nend\n";
    let elixir = "defmodule App.Rls do\n  def isolate(table) do\n    execute(\"ALTER TABLE #{table} ENABLE ROW LEVEL SECURITY\")\n    execute(\"CREATE POLICY p ON #{table} USING (tenant_id = f())\")\n  end\nend\n";
    let ef = "using Microsoft.EntityFrameworkCore.Migrations;\n\npublic partial class A : Migration\n{\n    protected override void Up(MigrationBuilder migrationBuilder)\n    {\n        migrationBuilder.Sql(\"CREATE TABLE t (tenant_id uuid)\");\n        migrationBuilder.Isolate(\"t\");\n    }\n}\n";
    let extension = "public static class RlsMigrationExtensions\n{\n    public static void Isolate(this MigrationBuilder builder, string table)\n    {\n        builder.Sql($\"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY\");\n        builder.Sql($@\"CREATE POLICY p ON {table} USING (tenant_id = f())\");\n    }\n}\n";
    let rls = "from alembic import op\n\nENABLE = \"ALTER TABLE t ENABLE ROW LEVEL SECURITY\"\n\ndef isolate(table):\n    _run(f\"CREATE POLICY p ON {table} USING (tenant_id = f())\")\n\ndef _run(sql):\n    op.execute(sql)\n\ndef unused():\n    op.execute(\"ALTER TABLE t DISABLE ROW LEVEL SECURITY\")\n";
    for (name, folder_of, wanted, files) in [
        ("alembic", "alembic", 18, vec![("alembic/versions/a_a.py", python.as_str()), ("helpers/rls.py", rls)]),
        ("django", "app", 7, vec![("app/migrations/0001_a.py", django), ("app/rls.py", operation)]),
        ("knex", "migrations", 8, vec![("migrations/20250101000000_a.js", knex), ("lib/rls.js", helper)]),
        (
            "typeorm",
            "migrations",
            15,
            vec![("migrations/1740819600000-A.ts", typeorm), ("migrations/1740819500000-Old.ts", unexported)],
        ),
        ("rails", "db/migrate", 10, vec![("db/migrate/20250101000000_a.rb", rails), ("lib/rls.rb", concern)]),
        (
            "ecto",
            "priv/repo/migrations",
            9,
            vec![("priv/repo/migrations/20250101000000_a.exs", ecto), ("lib/app/rls.ex", elixir)],
        ),
        (
            "ef-core",
            "Data/Migrations",
            8,
            vec![
                ("Data/Migrations/20250101000000_A.cs", ef),
                ("Data/RlsMigrationExtensions.cs", extension),
                ("Data/Data.csproj", ""),
            ],
        ),
    ] {
        let project = folder(&files);
        let history = History::read(&project.path().join(folder_of), None).unwrap();
        let found: Vec<_> = history.transitions().iter().map(|it| (it.stage, it.line.line)).collect();
        assert_eq!((history.tool, found), (name, vec![(2, wanted)]), "{:?}", history.dynamic());
        assert!(history.regressions().is_empty(), "{name}");
    }
}

#[test]
fn what_only_the_way_down_uses_is_not_read() {
    let up = "    op.create_table(\"t\", sa.Column(\"tenant_id\", sa.Uuid()))\n    op.execute(\"ALTER TABLE t ENABLE ROW LEVEL SECURITY\")\n    op.execute(\"CREATE POLICY p ON t USING (tenant_id = f())\")\n";
    let helper = "def open_up(t):\n    op.execute(f\"DROP POLICY p ON {t}\")\n\nUNDO = \"ALTER TABLE t DISABLE ROW LEVEL SECURITY\"\n";
    let text =
        format!("{REVISION}{helper}def upgrade():\n{up}\ndef downgrade():\n    open_up(\"t\")\n    op.execute(UNDO)\n");
    let history = read(&[("versions/a_a.py", &text)]);
    assert_eq!((history.transitions().len(), history.regressions().len()), (1, 0), "{:?}", history.regressions());

    let django = "# Generated by Django 5.1 on 2025-03-02 09:30\nfrom django.db import migrations\n\nBACK = \"DROP POLICY p ON t\"\n\ndef undo(apps, schema_editor):\n    schema_editor.execute(\"ALTER TABLE t NO FORCE ROW LEVEL SECURITY\")\n\ndef do(apps, schema_editor):\n    schema_editor.execute(\"CREATE TABLE t (tenant_id int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY\")\n\nclass Migration(migrations.Migration):\n    operations = [\n        migrations.RunPython(do, undo),\n        migrations.RunSQL(\"CREATE POLICY p ON t USING (tenant_id = f())\", BACK),\n    ]\n";
    let history = read(&[("app/migrations/0001_a.py", django)]);
    let reached = history.transitions();
    assert_eq!(
        (reached.len(), reached[0].line.line, history.regressions().len()),
        (1, 15, 0),
        "{:?}",
        history.regressions()
    );
    assert_eq!(reached[0].line.date.as_deref(), Some("2025-03-02T09:30:00Z"));
}

/// What dumps, editions and other hands leave in migrations.
#[test]
fn histories_as_they_are_found_are_read_as_a_reader_would() {
    let policy = "create policy p on t using (tenant_id = f());";
    for (name, sql, wanted) in [
        ("a table that no migration makes is not isolated", format!("do $$ begin if exists (select 1 from information_schema.tables where table_name = 'gone') then execute 'alter table gone enable row level security'; execute 'create policy p on gone using (tenant_id = f())'; end if;\nif to_regclass('public.t') is null or to_regclass('public.gone') is not null then null; end if; end $$;\n{ISOLATED}{policy}"), vec![(2, 5)]),
        ("a dump names its keys last, and its roles after who has them", "create table members (org_id uuid, user_id uuid, role_id uuid);\ncreate table organizations (id uuid primary key);\ncreate table roles (id uuid, name text);\nalter table members add foreign key (org_id) references organizations (id);".to_owned(), vec![(3, 1)]),
        ("a key into no roles names none", "create table organizations (id uuid);\ncreate table members (org_id uuid, user_id uuid, role_id uuid);".to_owned(), vec![]),
        ("a person's own row is no membership", "create table organizations (id uuid);\ncreate table users (id uuid, organization_id uuid, role text);".to_owned(), vec![]),
        ("a profile for each organization is", "create table organizations (id uuid);\ncreate table users (id uuid);\ncreate table profiles (id uuid, user_id uuid references users (id), organization_id uuid, role text);".to_owned(), vec![(3, 3)]),
        ("what is referenced is a table", "create table invoices (team_id uuid references teams (id));\nalter table invoices enable row level security;\ncreate policy p on invoices using (team_id in (select my_teams()));".to_owned(), vec![(2, 3)]),
        ("a policy says who the tenant is", "create table jobs (operator_id text);\nalter table jobs enable row level security;\ncreate policy jobs_tenant on jobs using (operator_id = current_setting('app.operator', true));".to_owned(), vec![(2, 3)]),
        ("where it does not, nobody does", "create table jobs (operator_id text);\nalter table jobs enable row level security;\ncreate policy own on jobs using (operator_id = current_setting('app.operator', true));".to_owned(), vec![]),
        ("a person is no tenant, whatever the policy is called", "create table jobs (user_id text);\nalter table jobs enable row level security;\ncreate policy jobs_tenant on jobs using (user_id = current_setting('app.tenant', true));".to_owned(), vec![]),
        ("members are named in many words", "create table teams (id uuid);\ncreate table team_members (role text, team_id uuid, git_profile_id uuid);".to_owned(), vec![(3, 2)]),
        ("a member of a tenant is both", "create table roles (id uuid);\ncreate table member_roles (tenant_member_id uuid, role_id uuid);".to_owned(), vec![(3, 2)]),
        ("who invited somebody is not who has the role", "create table users (id uuid, org_id uuid, auth_user_id uuid);\ncreate table organizations (id uuid);\ncreate table guest_grants (org_id uuid, email text, role text, invited_by_user_id uuid references users (id));\ncreate table seat_activations (org_id uuid, user_id uuid, role text);".to_owned(), vec![]),
        ("the surest of several keys is asked about", "create table accounts (id uuid);\ncreate table t (account_id uuid, workspace_id uuid);\ncreate function seen(account_id uuid, workspace_id uuid) returns boolean language sql as $$ select account_id = a() and workspace_id = w() $$;\ncreate table workspaces (id uuid);\nalter table t enable row level security;\ncreate policy p on t using (seen(account_id, workspace_id));".to_owned(), vec![(2, 6)]),
        ("a role that gets a tenant gives it to whoever has it", "create table people (id uuid);\ncreate table roles (id uuid, name text);\ncreate table user_roles (user_id uuid, role_id uuid references roles (id));\nalter table roles rename to app_roles;\nalter table app_roles add column tenant_id uuid;".to_owned(), vec![(3, 5)]),
        ("roles in a part of a tenant wait for those in the tenant", "create table tenants (id int);\ncreate table projects (id int, tenant_id int);\ncreate table project_members (project_id int references projects (id), user_id int, role text);\ncreate table tenant_users (tenant_id int, user_id int, role text);".to_owned(), vec![(3, 4)]),
        ("and count where none follow", "create table tenants (id int);\ncreate table projects (id int, tenant_id int);\ncreate table project_members (project_id int references projects (id), user_id int, role text);".to_owned(), vec![(3, 3)]),
        ("who signs in is a person, whatever the table is called", "create table tenants (id int);\ncreate table tenant_admin_accounts (tenant_id int, user_id int, role text, password_hash text);".to_owned(), vec![]),
        ("the session says which branch it is of", "create table branches (id int);\ncreate table sales (branch_id int, session_id int);\ncreate table sessions (id int);\nalter table sales enable row level security;\ncreate policy own on sales using (session_id = current_setting('app.session_id')::int);\ncreate policy here on sales using (branch_id = current_setting('app.branch_id')::int);".to_owned(), vec![(2, 6)]),
        ("in the word of the column", "create table branches (id int);\ncreate table sales (branch_id int);\nalter table sales enable row level security;\ncreate policy here on sales using (branch_id = current_setting('app.shift')::int);".to_owned(), vec![]),
        ("a table of tenants may have a prefix", "create table app_tenants (id int);\nalter table app_tenants enable row level security;\ncreate policy own on app_tenants using (id = current_tenant_id());".to_owned(), vec![(2, 3)]),
        ("and so may a key", "create table portals (owning_tenant_id int);\nalter table portals enable row level security;\ncreate policy own on portals using (owning_tenant_id = current_tenant_id());".to_owned(), vec![(2, 3)]),
        ("accounts of a bank are no tenants", "create table bank_accounts (id int);\ncreate table notes (bank_account_id int references bank_accounts (id));\nalter table notes enable row level security;\ncreate policy p on notes using (bank_account_id = current_setting('app.seen')::int);".to_owned(), vec![]),
        ("tenants have names in other languages", "create table mandanten (id int);\ncreate table belege (mandant_id int);\nalter table belege enable row level security;\ncreate policy p on belege using (mandant_id = current_setting('app.m')::int);\ncreate table entreprises (id int);\ncreate table membres (entreprise_id int, utilisateur_id int, role text, unique (entreprise_id, utilisateur_id));".to_owned(), vec![(2, 4), (3, 6)]),
        ("and their keys another order", "create table empresas (id int);\ncreate table facturas (id_empresa int references empresas (id));\nalter table facturas enable row level security;\ncreate policy p on facturas using (id_empresa = current_setting('app.e')::int);".to_owned(), vec![(2, 4)]),
        ("tables of other hands are known by what is said of them", "alter table organizations enable row level security;\nalter table reports enable row level security;\ncreate policy own on reports using (author_id = auth.uid());\ncreate policy own on organizations using (id in (select organization_id from organization_members where user_id = auth.uid()));".to_owned(), vec![(2, 4)]),
        ("signatures chain as well", "create table audit_log (prev_signature text, created_by_kind text check (created_by_kind in ('user', 'ai_agent')));\nrevoke update, delete on audit_log from app;".to_owned(), vec![(4, 2)]),
    ] {
        assert_eq!(reached(&[("1_a.sql", &sql)]), wanted, "{name}");
    }
    let regressed = |files: &[(&str, &str)]| read(files).regressions().len();
    let renamed = format!(
        "{ISOLATED}{policy} drop policy p on t; alter table t rename to n; create policy p on n using (tenant_id = f());"
    );
    assert_eq!(regressed(&[("1_a.sql", &renamed)]), 0);
    // What takes the place of a tenant's policy in the same migration asks the session as well, or leaves it open.
    let isolated = format!("{ISOLATED}alter table t add owner uuid;\n{policy}");
    for (next, wanted) in [
        ("drop policy p on t; create policy o on t using (owner = auth.uid());", 0),
        ("create policy o on t using (reaches(owner)); drop policy p on t;", 0),
        ("drop policy p on t; create policy o on t for insert with check (owner = auth.uid());", 1),
        ("drop policy p on t; create policy o on t using (true);", 1),
        ("drop policy p on t;", 1),
    ] {
        assert_eq!(regressed(&[("1_a.sql", &isolated), ("2_b.sql", next)]), wanted, "{next}");
    }
    let taken = "create table t (id int); revoke all on t from app;";
    assert_eq!(regressed(&[("1_a.sql", &format!("{taken} grant select, update, delete on t to app;"))]), 0);
    assert_eq!(regressed(&[("1_a.sql", taken), ("2_b.sql", "grant all on t to owner;")]), 0);
    assert_eq!(regressed(&[("1_a.sql", taken), ("2_b.sql", "grant all on t to app;")]), 1);
}

#[test]
fn a_folder_is_the_tool_s_whose_it_is() {
    let isolated = format!("{ISOLATED}create policy p on t using (tenant_id = f());");
    let journal = r#"{"entries": [{"idx": 0, "when": 1, "tag": "0000_gone"}]}"#;
    let history = read(&[("meta/_journal.json", journal), ("0001_a.sql", &isolated)]);
    assert_eq!((history.tool, history.transitions().len()), ("drizzle", 1));
    assert!(history.notes.iter().any(|note| note.contains("names no file")), "{:?}", history.notes);

    let tool = |files: &[(&str, &str)]| read(files).tool;
    assert_eq!(tool(&[("20250101000000_a.sql", &isolated)]), "sqlx");
    assert_eq!(tool(&[("001_a.sql", &isolated)]), "plain-sql");
    assert_eq!(tool(&[("20250101000000_a.sql", &isolated), ("package.json", "{}")]), "plain-sql");
    let down = "alter table t disable row level security;";
    let history = read(&[("001_a.sql", &isolated), ("002_rollback.sql", down), ("003_b-down.sql", down)]);
    assert_eq!((history.migrations.len(), history.regressions().len()), (1, 0));
    let versions = read(&[
        ("1.9/01_a.sql", ISOLATED),
        ("1.10/01_b.sql", "create policy p on t using (tenant_id = f());"),
        ("2.0/01_c.up.sql", "select 1;"),
        ("2.0/01_c.down.sql", down),
        ("latest.sql", &isolated),
    ]);
    let found: Vec<_> = versions.transitions().into_iter().map(|it| it.line.path).collect();
    assert!(found.len() == 1 && found[0].ends_with("1.10/01_b.sql") && versions.migrations.len() == 3, "{found:?}");
    // Knex runs its files by name, whatever their digits are worth.
    let table = "exports.up = (knex) => knex.schema.createTable('t', (table) => { table.uuid('tenant_id') })";
    let policy = "exports.up = (knex) => knex.raw(`alter table t enable row level security; create policy p on t using (tenant_id = f())`)";
    let knex = read(&[("20191104003541_a.js", table), ("2019120500000_b.js", policy)]);
    assert_eq!(knex.migrations.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let project = folder(&[("supabase/migrations/20250101000000-6f1c.sql", &isolated)]);
    let built = History::read(&project.path().join("supabase/migrations"), None).unwrap();
    assert_eq!((built.tool, built.transitions().len()), ("supabase", 1));
    let hasura = read(&[
        ("1740819600001_a/up.sql", &isolated),
        ("1740819600002_b/up.sql", "select 1;"),
        ("1740819_c/up.sql", "select 1;"),
    ]);
    assert_eq!(hasura.tool, "hasura");

    let project =
        folder(&[("supabase/config.toml", ""), ("db/sql/001_a.sql", &isolated), ("db/sql/002_b.sql", "select 1;")]);
    assert_ne!(History::read(&project.path().join("db/sql"), None).unwrap().tool, "supabase");
}

/// Of a whole project, the folder that is migrations of a PostgreSQL; of several, the others are named.
#[test]
fn a_project_s_migrations_are_found_in_it() {
    let isolated = format!("{ISOLATED}create policy p on t using (tenant_id = f());");
    let sqlite = r#"{"dialect": "sqlite", "entries": [{"idx": 0, "when": 1, "tag": "0000_a"}]}"#;
    let files: Vec<(&str, &str)> = vec![
        ("db/migrations/mysql/0001_a.sql", "-- +goose Up\nselect 1;"),
        ("db/migrations/mysql/0002_a.sql", "-- +goose Up\nselect 1;"),
        ("db/migrations/postgres/0001_a.sql", "-- +goose Up\nselect 1;"),
        ("desktop/meta/_journal.json", sqlite),
        ("desktop/0000_a.sql", &isolated),
        ("old/archived/migrations/0001_a.sql", "-- +goose Up\nselect 1;"),
        ("billing/migrations/0001_a.sql", "-- +goose Up\nselect 1;"),
    ];
    let history = read(&files);
    assert_eq!((history.tool, history.migrations.len(), history.transitions().len()), ("goose", 1, 0));
    assert_eq!(
        history.notes,
        ["only db/migrations/postgres is read; there are migrations in billing/migrations as well"]
    );
    // What a script runs by name: the folder of migrations, not the dump beside it.
    let own = read(&[("docs/schema.sql", &isolated), ("src/migrations/a.sql", "select 1;")]);
    assert!(own.migrations[0].path.ends_with("src/migrations/a.sql") && own.transitions().is_empty());
    let beside = read(&[
        ("schema.sql", &isolated),
        ("migrations/0002_a.sql", "select 1;"),
        ("migrations/0003_b.sql", "select 1;"),
    ]);
    assert_eq!((beside.migrations.len(), beside.transitions().len()), (2, 0));
    let dump = folder(&[("docs/schema.sql", &isolated)]);
    assert!(History::read(dump.path(), None).is_err());
    assert_eq!(History::read(&dump.path().join("docs"), None).unwrap().transitions().len(), 1);
    let db_migrate = "exports.up = function (db, callback) { db.runSql(`select 1`, callback); };";
    assert_eq!(read(&[("20250101000000-a.js", db_migrate)]).tool, "db-migrate");
}

/// Change sets end where the next begins, those for other databases are not sent, and scripts are read where they are run.
#[test]
fn change_sets_of_liquibase_are_sent_one_by_one() {
    let sql = "--liquibase formatted sql\n--changeset a:1\ncreate table t (tenant_id uuid)\n--changeset a:2 dbms:h2\ncreate policy wrong on t using (tenant_id = f());\n--changeset a:3 dbms:postgresql endDelimiter:/\nalter table t enable row level security\n/\ncreate policy p on t using (tenant_id = f())\n/\n";
    let history = read(&[("db/changelog/1.sql", sql)]);
    assert_eq!((history.transitions()[0].line.line, history.unreadable()), (9, Vec::new()));
    let files = [
        (
            "db/master.yaml",
            "databaseChangeLog:\n  - changeSet:\n      id: 1\n      changes:\n        - createTable: {tableName: t, columns: [{column: {name: tenant_id, type: uuid}}]}\n  - changeSet:\n      id: 2\n      changes:\n        - sqlFile: {path: sql/2.sql, relativeToChangelogFile: true}\n        - sqlFile: {path: sql/gone.sql}\n",
        ),
        ("db/sql/2.sql", "alter table t enable row level security;\ncreate policy p on t using (tenant_id = f());\n"),
        ("db/sql/apart.sql", "alter table t disable row level security;\n"),
    ];
    let history = read(&files);
    assert!(history.transitions()[0].line.path.ends_with("sql/2.sql") && history.regressions().is_empty());
    assert!(history.unreadable().len() == 1 && history.unreadable()[0].why.contains("gone.sql"));
}

/// Encodings, psql's own commands, rows of COPY, and what never ends: each costs itself, and is told where.
#[test]
fn what_stands_among_migrations_costs_only_itself() {
    let files = folder(&[("020_good.sql", &format!("{ISOLATED}create policy p on t using (tenant_id = f());"))]);
    let path = |name: &str| files.path().join(name);
    let wide = |text: &str| -> Vec<u8> {
        [0xFEFF_u16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    fs::write(path("001_bom.sql"), "\u{feff}create table b (id int);").unwrap();
    fs::write(path("002_wide.sql"), wide("create table w (id int);\r\nalter table w enable row level security;\r\n"))
        .unwrap();
    fs::write(path("003_bytes.sql"), [0xC3, 0x28, 0xFF, 0x00, b'\'', b'\n', 0xFE]).unwrap();
    fs::write(path("004_nul.sql"), "create table n (id int);\0\0\ncreate table n2 (id int);\0").unwrap();
    let dump = "\\restrict x\n\\connect db\ncreate table d (id int);\nCOPY d (id) FROM stdin;\n1\t';\n$$\n\\.\ncreate table d2 (id int);\r\n\\unrestrict x\n";
    fs::write(path("005_dump.sql"), dump).unwrap();
    fs::write(path("006_dollar.sql"), "select 1;\ndo $x$ begin\nselect 1;\ncreate table behind (id int);\n").unwrap();
    fs::write(path("007_rows.sql"), "copy d from stdin;\n1\n2\n").unwrap();
    fs::write(path("008_long.sql"), format!("insert into d values {};", "(1),".repeat(200_000))).unwrap();
    fs::write(path("009_deep.sql"), format!("select {}1{};", "(".repeat(20_000), ")".repeat(20_000))).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(".", path("circle")).unwrap();
        std::os::unix::fs::symlink("001_bom.sql", path("010_link.sql")).unwrap();
        std::os::unix::fs::symlink("nowhere", path("011_gone.sql")).unwrap();
    }
    let history = History::read(files.path(), None).unwrap();
    let made: Vec<_> = history.introduced().into_iter().filter(|it| it.kind == "table").map(|it| it.name).collect();
    for name in ["b", "w", "n", "n2", "d", "d2", "behind", "t"] {
        assert!(made.contains(&format!("public.{name}")), "{name}: {made:?}");
    }
    assert_eq!(history.transitions().len(), 1);
    let told: BTreeMap<_, _> = history
        .unreadable()
        .into_iter()
        .map(|it| (it.line.path.rsplit('/').next().unwrap().to_owned(), it.line.line))
        .collect();
    assert_eq!(told.get("006_dollar.sql"), Some(&2));
    if cfg!(unix) {
        assert_eq!(told.get("011_gone.sql"), Some(&1));
    }
    for fine in
        ["001_bom.sql", "002_wide.sql", "004_nul.sql", "005_dump.sql", "007_rows.sql", "008_long.sql", "020_good.sql"]
    {
        assert!(!told.contains_key(fine), "{told:?}");
    }
}

/// What nests or repeats as nobody writes it is told at its line and costs no more than that.
#[test]
fn what_brought_an_object_in_is_known_under_its_name_of_today() {
    let history = read(&[
        ("001.sql", "create table old (id int);\ncreate policy p on old using (true);\ncreate table gone (id int);"),
        ("002.sql", "create schema app;\nalter table old rename to orders;\nalter table orders set schema app;"),
        ("003.sql", "drop table gone;\n\ncreate table gone (id int);\ncreate view v as\nselect 1;"),
        (
            "004.sql",
            "drop view v;\ncreate or replace view v as select 2;\ncreate function app.f(a int) returns int language sql as 'select 1';",
        ),
        (
            "005.sql",
            "create table q (id int);\ncreate policy p on q using (true);\ndrop policy p on q;\ncreate policy p on q using (false);",
        ),
    ]);
    let found: Vec<_> = history
        .introduced()
        .into_iter()
        .map(|it| format!("{} {} {}:{}", it.kind, it.name, it.line.path.rsplit('/').next().unwrap(), it.line.line))
        .collect();
    let wanted = [
        "function app.f 004.sql:3",
        "policy p on app.orders 001.sql:2",
        "policy p on public.q 005.sql:4",
        "table app.orders 001.sql:1",
        "table public.gone 003.sql:3",
        "table public.q 005.sql:1",
        "view public.v 004.sql:2",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn what_nests_too_deep_is_told_and_not_followed() {
    let policy = |using: &str| {
        format!("{ISOLATED}create policy p on t using ({using});\nalter table t force row level security;")
    };
    let around = |open: &str, close: &str| policy(&format!("{}a{}", open.repeat(100_000), close.repeat(100_000)));
    let python = |body: &str| format!("{REVISION}\n{body}\n");
    let began = std::time::Instant::now();
    for (name, text) in [
        ("1_a.sql", around("not ", "")),
        ("1_a.sql", around("(", ")")),
        ("1_a.sql", around("case when a then ", " end")),
        ("1_a.sql", around("", " and a")),
        ("1_a.sql", around("f(", ")")),
        ("1_a.sql", around("", "::text")),
        ("1_a.sql", format!("do $$ {} null; {} $$;", "begin ".repeat(20_000), "end; ".repeat(20_000))),
        ("versions/a_a.py", python(&format!("def upgrade():\n    f({}1{})", "g(".repeat(30_000), ")".repeat(30_000)))),
    ] {
        let history = read(&[(name, &text)]);
        assert_eq!(history.unreadable().len(), 1, "{:?}", history.unreadable());
        assert!(history.transitions().is_empty());
    }
    let many: String = (1..2_000)
        .map(|n| {
            format!("def f{n}(t):\n    op.execute(f'alter table {{t}} enable row level security')\n    f{}(t)\n", n - 1)
        })
        .collect();
    let history = read(&[("versions/a_a.py", &python(&format!("{many}def upgrade():\n    f1999('t')")))]);
    assert!(history.dynamic().len() <= 1);
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

/// Every fixture, for files that are cut or garbled.
fn corpus() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![fixtures("migrations"), fixtures("stages")];
    while let Some(path) = waiting.pop() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|ending| ending != "yaml") {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn cut_and_garbled_files_panic_nowhere(pick in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(), noise in "[\\x00-\\x7f'\"$(){};`\\\\é]{0,12}") {
        let corpus = corpus();
        let (name, text) = pick.get(&corpus);
        let mut at = cut.index(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        for garbled in [text[..at].to_owned(), format!("{}{noise}{}", &text[..at], &text[at..]), format!("{}{noise}", &text[at..])] {
            let lines = garbled.lines().count().max(1);
            if let Ok(history) = History::read(folder(&[(name, &garbled)]).path(), None) {
                for it in history.unreadable() {
                    prop_assert!(it.line.line >= 1 && it.line.line <= lines + 1, "{it:?}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn bytes_that_are_no_text_panic_nowhere(bytes in prop::collection::vec(any::<u8>(), 0..400), ending in 0usize..6, head in 0usize..4) {
        let head: &[u8] = [&b""[..], b"\xFF\xFE", b"create policy p on t using (", b"do $$ begin execute format('"][head];
        let name = ["1_a.sql", "0001_a.py", "20250101000000_a.rb", "20250101000000_a.exs", "20250101000000_A.cs", "1_a.js"][ending];
        let files = folder(&[]);
        fs::write(files.path().join(name), [head, &bytes].concat()).unwrap();
        fs::write(files.path().join("2_b.sql"), "create table b (id int);").unwrap();
        let _ = History::read(files.path(), None);
    }
}

#[tokio::test]
async fn a_history_table_says_what_was_applied_and_what_has_changed_since() {
    let database = crate::support::database().await;
    database
        .run(
            "create table _sqlx_migrations (version bigint primary key, description text, installed_on timestamptz, success boolean, checksum bytea, execution_time bigint);
             insert into _sqlx_migrations values (1, 'a', '2026-01-02T00:00:00Z', true, sha384('create table a ();'), 0),
               (2, 'b', '2026-01-01T00:00:00Z', true, '\\x00', 0), (9, 'gone', now(), true, '\\x00', 0)",
        )
        .await;
    let files = folder(&[
        ("1_a.sql", "create table a ();"),
        ("2_b.sql", "create table b ();"),
        ("3_c.sql", "create table c ();"),
    ]);
    let mut history = History::read(files.path(), Some("sqlx")).unwrap();
    history.compare(database.options().clone()).await.unwrap();
    let mut faults: Vec<_> = history.faults.iter().map(|fault| format!("{} {}", fault.kind, fault.version)).collect();
    faults.sort();
    assert_eq!(faults, ["drifted 2", "missing 9", "out of order 1", "unapplied 3"]);
    let applied: Vec<_> = history.migrations.iter().map(|migration| migration.applied).collect();
    assert_eq!(applied, [Some(true), Some(true), Some(false)]);

    // What waits while a later one was applied is what many tools never come back to.
    database
        .run("insert into _sqlx_migrations values (5, 'e', '2026-01-03T00:00:00Z', true, sha384('select 5;'), 0)")
        .await;
    std::fs::write(files.path().join("5_e.sql"), "select 5;").unwrap();
    let mut history = History::read(files.path(), Some("sqlx")).unwrap();
    history.compare(database.options().clone()).await.unwrap();
    let waiting: Vec<_> = history.faults.iter().filter(|fault| fault.version == "3").collect();
    assert!(waiting.len() == 1 && waiting[0].kind == "out of order", "{waiting:?}");
    assert_eq!(waiting[0].detail, "it was not applied here, and 5 was, which comes later");
}

/// Sqitch and graphile-migrate keep hashes in the database, graphile-migrate and Atlas in the folder too.
#[tokio::test]
async fn a_text_that_changed_is_seen_by_the_tools_own_hash() {
    let database = crate::support::database().await;
    database
        .run(
            "create schema sqitch; create table sqitch.changes (change_id text, change text, script_hash text, committed_at timestamptz);
             insert into sqitch.changes values ('x', 'a', 'f3c940f322fc97b9c6dc83d1694bfc51baaa00ae', now()), ('y', 'b', '00', now());",
        )
        .await;
    let plan = "%project=p\n\na 2026-01-01T00:00:00Z A <a@a> # a\nb 2026-01-01T00:00:00Z A <a@a> # b\n";
    let files = folder(&[
        ("sqitch.plan", plan),
        ("deploy/a.sql", "create table a ();"),
        ("deploy/b.sql", "create table b ();"),
    ]);
    let mut history = History::read(files.path(), None).unwrap();
    history.compare(database.options().clone()).await.unwrap();
    let faults: Vec<_> = history.faults.iter().map(|fault| format!("{} {}", fault.kind, fault.version)).collect();
    assert_eq!(faults, ["drifted b"]);

    // Two at once would wait for each other where somebody wants the server alone.
    drop(database);

    // Of a migration with a message graphile-migrate keeps the number alone.
    let first = "--! Previous: -\n--! Hash: sha1:005c6eb7364156e6b0d158d8b2767a24f1ce6611\n\nselect 1;\n";
    let database = crate::support::database().await;
    database
        .run(
            "create schema graphile_migrate; create table graphile_migrate.migrations (hash text, previous_hash text, filename text, date timestamptz);
             insert into graphile_migrate.migrations values ('sha1:005c6eb7364156e6b0d158d8b2767a24f1ce6611', null, '000001.sql', now())",
        )
        .await;
    for (text, expected) in [(first.to_owned(), 0), (first.replace("select 1", "select 2"), 2)] {
        let files = folder(&[("committed/000001-init.sql", &text), ("current.sql", "")]);
        let mut history = History::read(files.path(), None).unwrap();
        assert_eq!(history.faults.len(), expected / 2, "{:?}", history.faults);
        history.compare(database.options().clone()).await.unwrap();
        assert_eq!(history.faults.len(), expected, "{:?}", history.faults);
    }
    let sum = "h1:xdcx3dP5IBTqbpz5bEQTHa/BXx7swiW+tE50EJHatuI=\n20240101000000_init.sql h1:bzMguXMd4fdINGz/aL5PDYkgp84j0OG8IuVT8qLG7pY=\n";
    for (text, expected) in [("select 1;\n", 0), ("select 2;\n", 1)] {
        let history = read(&[("20240101000000_init.sql", text), ("atlas.sum", sum)]);
        assert_eq!((history.tool, history.faults.len()), ("atlas", expected));
    }
    // Beside pairs the sums are over the way up alone.
    let sum = "h1:h7JbfIt/benR9/cxvalTdSkZaE93O/42zViKsJDXarM=\n20240101000000_init.up.sql h1:Qq/JvRoXNsTSkeiYTraiYmGg8wCaKhy0uByfY4BWVyM=\n";
    let down = ("20240101000000_init.down.sql", "select 2;\n");
    for (text, expected) in [("select 1;\n", 0), ("select 2;\n", 1)] {
        let history = read(&[("20240101000000_init.up.sql", text), down, ("atlas.sum", sum)]);
        assert_eq!(history.faults.len(), expected, "{:?}", history.faults);
    }
}

/// A server of its own: a platform's roles are no business of the one that the other tests share.
fn own_server() -> Choice {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match variable("GOVCTL_TEST_BINDIR") {
        Some(bindir) => Choice::Local { bindir: Some(bindir.into()) },
        None if variable("GOVCTL_TEST_EMBEDDED").is_some() => Choice::Embedded,
        None => Choice::Auto { scratch_url: None },
    }
}

/// What a replay leaves open: the statements that were refused, and the areas that nobody may rest on.
async fn replayed(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let folder = folder(files);
    let history = History::read(folder.path(), None).unwrap();
    let wanted = Wanted { rows: false, actors: false, ..Wanted::default() };
    let mut facts = replay::facts(&history, own_server(), wanted).await.unwrap();
    // What is found in the database is called the same in every run.
    let names = "select t.database || ' ' || d.name from target t join databases d on d.is_current = 1";
    let names: String = sqlx::query_scalar(names).fetch_one(facts.connection()).await.unwrap();
    assert_eq!(names, format!("{0} {0}", history.root));
    let refused = "select line || ' ' || detail from migration_faults where kind = 'not replayed' order by line";
    let refused = sqlx::query_scalar(refused).fetch_all(facts.connection()).await.unwrap();
    let unseen = "select distinct area from unseen where needs like '%as URL%' order by area";
    (refused, sqlx::query_scalar(unseen).fetch_all(facts.connection()).await.unwrap())
}

#[tokio::test]
async fn a_replay_stands_in_for_platforms_and_says_what_it_could_not_run() {
    let project = "create function public.later() returns bigint language sql as 'select count(*) from public.notes';
        create extension if not exists vector;
        create extension if not exists vector;
        create table public.notes (id uuid primary key default extensions.uuid_generate_v4(), owner uuid references auth.users (id), embedding vector(3));
        alter table public.notes enable row level security;
        create policy own on public.notes to authenticated using (owner = auth.uid());
        alter publication supabase_realtime add table public.notes;";
    let (refused, unseen) = replayed(&[("supabase/migrations/20250101000000_a.sql", project)]).await;
    assert_eq!(refused, Vec::<String>::new());
    assert!(unseen.is_empty(), "{unseen:?}");

    // Its own schema of that name, its tool's table, and the platform's words in a text.
    let own = "-- migrate:up\ncreate role reader;\ncreate schema storage;\ncreate table storage.objects (id int);\n\
               create table t (k text default 'for authenticated users');\ngrant select on schema_migrations to reader;\n";
    let (refused, unseen) = replayed(&[("20250101000000_a.sql", own)]).await;
    assert!(refused.is_empty() && unseen.is_empty(), "{refused:?} {unseen:?}");

    // Types of an extension, in whatever schema; one that is nowhere costs what needs it; what the tool fills in is there.
    let places = "create extension if not exists postgis with schema extensions;\ncreate extension nowhere_at_all;\n\
                  create table {{ .Schema }}.farms (id int, place extensions.geometry(MultiPolygonZ, 4326), at geography(point));\n\
                  alter table \"{{ .Schema }}\".farms add e extensions.vector(3);\n";
    let (refused, unseen) = replayed(&[("supabase/migrations/20250101000000_a.sql", places)]).await;
    assert!(refused.len() == 1 && refused[0].starts_with("2 "), "{refused:?}");
    assert_eq!(unseen, ["extension_members", "extensions"]);

    let index = "create table t (id int);\ncreate index on t using nowhere (id);\ncreate view v as select 1 as x;";
    let (refused, unseen) = replayed(&[("1_a.sql", index)]).await;
    assert_eq!((refused.len(), unseen.as_slice()), (1, &["indexes".to_owned()][..]), "{refused:?}");

    let broken = "create table t (id int);\ncreate policy p on gone using (true);\ncreate table u (id int);";
    let (refused, unseen) = replayed(&[("1_a.sql", broken)]).await;
    assert!(refused.len() == 1 && refused[0].starts_with("2 "), "{refused:?}");
    assert!(["policies", "relations", "roles"].iter().all(|area| unseen.contains(&(*area).to_owned())), "{unseen:?}");
}

/// Flyway and refinery name their files alike; whose they are the history table says. The sum is one that refinery 0.8 wrote,
/// the hash one of graphile-migrate 1.4, whose folder of committed migrations may be given itself.
#[tokio::test]
async fn the_history_table_says_whose_the_files_are() {
    let database = crate::support::database().await;
    database
        .run(
            "create table refinery_schema_history (version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255));
             insert into refinery_schema_history values (1, 'first_one', '2026-01-02T03:04:05.802429804Z', '13970502014355525780');
             create schema graphile_migrate; create table graphile_migrate.migrations (hash text, previous_hash text, filename text, date timestamptz);
             insert into graphile_migrate.migrations values ('sha1:aaf01a2bc32b318972d40545116ad3fb71ad4afe', null, '000001.sql', now());
             create table django_migrations (id int, app text, name text, applied timestamptz);
             insert into django_migrations values (1, 'auth', '0001_initial', now()), (2, 'shop', '0001_initial', now()), (3, 'shop', '0003_gone', now());
             create table migrations (id int, name text, run_on timestamp);
             insert into migrations values (1, '/20250101000000-a', now()), (2, '/20250103000000-gone', now())",
        )
        .await;
    let model = "from django.db import migrations, models\nclass Migration(migrations.Migration):\n    operations = [migrations.CreateModel(name='Order', fields=[('id', models.IntegerField())])]\n";
    let files = folder(&[("shop/migrations/0001_initial.py", model), ("shop/migrations/0002_more.py", model)]);
    // The project, the app and its folder of migrations are the same history.
    for named in ["", "shop", "shop/migrations"] {
        let mut history = History::read(&files.path().join(named), None).unwrap();
        assert_eq!(history.introduced()[0].name, "public.shop_order", "{named}");
        history.compare(database.options().clone()).await.unwrap();
        let faults: Vec<_> = history.faults.iter().map(|fault| (fault.kind, fault.version.as_str())).collect();
        assert_eq!(faults, [("missing", "shop.0003_gone"), ("unapplied", "0002_more")], "{named}");
    }
    let script =
        "exports.setup = (options) => { dbm = options.dbmigrate }\nexports.up = (db) => db.runSql('select 1')\n";
    let mut history = read(&[("20250101000000-a.js", script), ("20250102000000-b.js", script)]);
    history.compare(database.options().clone()).await.unwrap();
    let faults: Vec<_> = history.faults.iter().map(|fault| (fault.kind, fault.version.as_str())).collect();
    assert_eq!(
        (history.tool, faults),
        ("db-migrate", vec![("missing", "20250103000000"), ("unapplied", "20250102000000")])
    );
    let committed =
        "--! Previous: -\n--! Hash: sha1:aaf01a2bc32b318972d40545116ad3fb71ad4afe\n--! Message: first one\n\n";
    for (tool, inner, name, head) in [
        ("refinery", "", "V1__first_one.sql", ""),
        ("graphile-migrate", "committed", "committed/000001-first-one.sql", committed),
    ] {
        for (text, faults) in [("create table t (id int);\n", 0), ("create table t (id bigint);\n", 1)] {
            let files = folder(&[(name, &format!("{head}{text}"))]);
            let mut history = History::read(&files.path().join(inner), None).unwrap();
            history.compare(database.options().clone()).await.unwrap();
            let drifted = history.faults.iter().any(|fault| fault.kind == "drifted");
            assert_eq!((history.tool, drifted), (tool, faults > 0), "{text} {:?}", history.faults);
            assert_eq!(history.migrations[0].applied, Some(true));
        }
    }
    let files = folder(&[("V1__first_one.sql", "create table t (id int);\n")]);
    assert_eq!(History::read(files.path(), Some("refinery")).unwrap().tool, "refinery");
}

/// Where migrations record nothing, the audit log's first actor that is no person is the next to say.
#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_says_when_agents_began_to_act() {
    let database = crate::support::database().await;
    database
        .run(
            "create schema app;
             create table app.audit_log (id bigint generated always as identity primary key, actor_type text, actor_id text, action text not null,
               object_id text, occurred_at timestamptz not null default now());
             insert into app.audit_log (actor_type, actor_id, action, occurred_at) values
               ('user', 'ana', 'read', '2025-01-02T03:04:05Z'), ('system', null, 'read', '2025-02-02T00:00:00Z'),
               ('AI_Agent', 'a-1', 'read', '2025-03-02T10:00:00Z'), ('ai_agent', 'a-2', 'read', '2025-03-01T10:00:00Z'),
               ('secretword', 'x', 'read', '2024-01-01T00:00:00Z');
             create table app.comments (id int, author_type text, body text, created_at timestamp);
             insert into app.comments values (1, 'agent', 'x', '2020-01-01');",
        )
        .await;
    let read = async |actors: bool| {
        let mut session = govctl::target::Session::open(database.options().clone()).await.unwrap();
        let mut facts = govctl::facts::Facts::empty().await.unwrap();
        let wanted = Wanted { rows: false, actors, ..Wanted::default() };
        govctl::facts::collect::collect_wanted(session.connection(), None, &mut facts, wanted).await.unwrap();
        session.close().await;
        let config = govctl::config::Config::default();
        govctl::facts::derive::derive(&mut facts, &config).await.unwrap();
        let kinds: Vec<String> =
            sqlx::query_scalar("select kind from first_actors order by 1").fetch_all(facts.connection()).await.unwrap();
        let library = govctl::check::Library::embedded().unwrap();
        (govctl::assess::run(&mut facts, &library, &config).await.unwrap().stage, kinds)
    };
    let (stage, kinds) = read(true).await;
    let first = stage.first_actor.expect("an agent acted");
    assert_eq!((first.object.as_str(), first.kind.as_str()), ("app.audit_log", "agent"));
    assert_eq!((first.date.as_str(), first.whole), ("2025-03-01T10:00:00Z", true));
    assert!(stage.notes.iter().any(|note| note.contains("is of 2025-03-01 (an agent)")), "{:?}", stage.notes);
    assert!(kinds.iter().all(|kind| ["agent", "machine", "other", "person"].contains(&kind.as_str())), "{kinds:?}");
    let (stage, kinds) = read(false).await;
    assert!(stage.first_actor.is_none() && kinds.is_empty());
}
