//! Plans as files: read back as the tool's own, sent as the tool would send them, and never half written.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod plan;
mod send;
mod shapes;

use crate::support::{self, unique};
use govctl::history::History;
use govctl::plan::lint::lint;
use govctl::plan::write::{self, Written};
use govctl::plan::{Plan, Step};
use shapes::{CODE, SQL, Shape};
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
        let missing = unverified(shape.tool, &new, &database).await;
        assert_eq!(missing, [""; 0], "{}", shape.tool);
        let mut connection = database.connect().await;
        for path in new.iter().rev() {
            if let Some(sent) = send::sent(shape.tool, path, false) {
                run(&mut connection, &sent, &path.display().to_string()).await;
            }
        }
        assert_eq!(catalog(&mut connection).await, before, "{}", shape.tool);
        connection.close().await.unwrap();
        let missing = unverified(shape.tool, &new, &database).await;
        assert_eq!(missing.is_empty(), shape.tool != "sqitch", "{}: {missing:?}", shape.tool);
    }
}

/// What the scripts say that Sqitch calls to verify what it deployed.
async fn unverified(tool: &str, deployed: &[&Path], database: &support::Database) -> Vec<String> {
    let mut missing = Vec::new();
    for path in deployed.iter().filter(|_| tool == "sqitch") {
        let text = fs::read_to_string(path.to_str().unwrap().replace("/deploy/", "/verify/")).unwrap();
        let mut connection = database.connect().await;
        if let Err(error) = connection.execute(sqlx::raw_sql(AssertSqlSafe(text))).await {
            missing.push(error.to_string());
        }
        connection.close().await.unwrap();
    }
    missing
}

fn is_new(path: &Path, shape: &Shape) -> bool {
    !shape.files.iter().any(|(name, _)| path.ends_with(name))
}

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
        assert!(history.migrations.len() - new.len() <= 1 && new.len() >= plan.steps.len(), "{}: {new:#?}", shape.tool);
        let names: Vec<String> = new.iter().map(|it| it.path.to_lowercase().replace(['_', '-'], "")).collect();
        let mut names = names.iter();
        for step in &plan.steps {
            let name = step.name.replace('_', "");
            assert!(names.any(|file| file.contains(&name)), "{}: {name} does not come in its order", shape.tool);
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
        let reverts = written.notes.iter().any(|note| note.contains("migration:revert --transaction none"));
        assert_eq!(reverts, tool == "typeorm", "{:?}", written.notes);
    }
}

/// Where no script is there to go by, the project says what they are written in.
#[test]
fn an_empty_folder_gets_what_its_project_runs() {
    let typed = r#"{"type": "module", "devDependencies": {"typescript": "5"}}"#;
    let plain = r#"{"type": "module"}"#;
    for (tool, files, ending, begins) in [
        ("knex", vec![], ".js", "exports.up"),
        ("knex", vec![("package.json", typed), ("knexfile.js", "")], ".js", "export async function up(knex)"),
        ("knex", vec![("package.json", typed)], ".ts", "export async function up(knex: Knex)"),
        ("knex", vec![("knexfile.ts", "")], ".ts", "export async function up(knex: Knex)"),
        ("typeorm", vec![], ".ts", "export class AddTenantIdToInvoices"),
        ("typeorm", vec![("package.json", plain)], ".js", "export class AddTenantIdToInvoices"),
        ("kysely", vec![("tsconfig.json", "{}"), ("package.json", "{}")], ".ts", "export async function up(db: Kysely"),
    ] {
        let project = folder(&files);
        fs::create_dir(project.path().join(".git")).unwrap();
        let written =
            write::write(&plan::plan("readers"), &project.path().join("migrations"), Some(tool), now()).unwrap();
        let first = written.files[0].to_str().unwrap();
        assert!(first.ends_with(ending), "{tool} {files:?}: {first}");
        let text = fs::read_to_string(first).unwrap();
        assert!(text.contains(begins), "{tool} {files:?}:\n{text}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
