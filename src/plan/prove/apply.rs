//! The steps, run one by one as the login a migration tool would have: it owns what it changes, and is nothing more.

use super::bench::Bench;
use super::copy::said;
use crate::check::quote::{ident, literal};
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Step, Unproved, guard};
use crate::target::refusal;
use regex::Regex;
use sqlx::{AssertSqlSafe, PgConnection};
use std::sync::LazyLock;

/// Who runs the steps.
#[derive(Clone, Debug)]
pub(super) struct Migrator {
    /// The role that speaks.
    role: String,
    /// Where it is none of the original's: who has what it makes.
    heir: Option<String>,
    /// What the migration tool's session is set to.
    search_path: Option<String>,
    /// The embedded server: PL/pgSQL there cannot go on after an error.
    embedded: bool,
    /// The original's name of the database, and the copy's.
    database: (String, String),
    /// What it stands for, where it is not simply the owner.
    pub(super) stands_for: Option<String>,
    /// Takes the session back. RESET does not on the embedded server, whose session was never authenticated.
    back: String,
    /// The owner of the original is exempt from row security, and this role is not.
    pub(super) is_weaker: bool,
}

/// What came of some steps.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Statements that only a superuser could run.
    pub(super) helped: Vec<Unproved>,
    /// The step that could not be run, and why; nothing after it was tried.
    pub(super) failed: Option<String>,
}

/// Owners of the user's relations, the one with the most first: oid, name, superuser, bypassrls, createrole, createdb.
const OWNERS: &str = "select o.oid, o.name, o.superuser, o.bypass_rls, o.create_role, o.create_db from relations r join roles o on o.oid = r.owner
    where r.provenance = 'user' and r.kind <> 'sequence' group by o.oid order by count(*) desc, o.name";

const DEFAULTS: &str =
    "select s.name, d.object_kind, g.name, d.grantee, d.privilege, d.grantable from default_privileges d
    left join schemas s on s.oid = d.schema_oid left join roles g on g.oid = d.grantee
    where d.role = ? and d.object_kind in ('relation', 'sequence', 'function', 'type')";

impl Migrator {
    /// The owner itself where there is one who is neither superuser nor exempt from row security; else a role that may do
    /// what the owners may. `exempt`: it is exempt from row security, where the owner of most tables is.
    pub(super) async fn find(facts: &mut Facts, exempt: bool, bench: &mut Bench) -> Result<Self, Stop> {
        let back = back(&bench.copied.superuser);
        let owners: Vec<(i64, String, bool, bool, bool, bool)> =
            sqlx::query_as(OWNERS).fetch_all(facts.connection()).await?;
        let then: Option<String> = sqlx::query_scalar("select name from databases where is_current = 1")
            .fetch_optional(facts.connection())
            .await?;
        let database = (then.unwrap_or_default(), bench.database_name());
        let embedded = bench.is_embedded();
        if let [(oid, name, false, false, ..)] = owners.as_slice()
            && *name != bench.copied.superuser
        {
            let search_path = search_path(*oid, facts).await?;
            return Ok(Self {
                embedded,
                role: name.clone(),
                heir: None,
                search_path,
                database,
                stands_for: None,
                back,
                is_weaker: false,
            });
        }
        let role = format!("govctl_migrator_{}", std::process::id());
        let it = ident(&role);
        let creates = owners.iter().any(|(_, _, superuser, _, create_role, _)| *superuser || *create_role);
        let mut sql = format!(
            "create role {it} nosuperuser {} {}",
            if exempt { "bypassrls" } else { "nobypassrls" },
            if creates { "createrole" } else { "nocreaterole" }
        );
        for (_, name, ..) in &owners {
            sql += &format!("; grant {} to {it}", ident(name));
        }
        if let Some((oid, ..)) = owners.first() {
            for (schema, kind, name, grantee, privilege, grantable) in
                sqlx::query_as::<_, (Option<String>, String, Option<String>, i64, String, bool)>(DEFAULTS)
                    .bind(oid)
                    .fetch_all(facts.connection())
                    .await?
            {
                let place = schema.map(|schema| format!(" in schema {}", ident(&schema))).unwrap_or_default();
                let to = if grantee == 0 { Some("public".to_owned()) } else { name.map(|name| ident(&name)) };
                let word = if kind == "relation" { "tables".to_owned() } else { format!("{kind}s") };
                let option = if grantable { " with grant option" } else { "" };
                if let Some(to) = to {
                    sql += &format!(
                        "; alter default privileges for role {it}{place} grant {privilege} on {word} to {to}{option}"
                    );
                }
            }
        }
        run(&mut bench.connection, sql).await?.map_or(Ok(()), |(_, said)| Err(Stop::usage(said, "")))?;
        bench.copied.strangers.push(role.clone());
        bench.copied.roles.push(role.clone());
        let named: Vec<_> = owners.iter().map(|(_, name, ..)| name.as_str()).collect();
        let without = if exempt { "" } else { " and BYPASSRLS" };
        let is_weaker = !exempt && owners.first().is_some_and(|(_, _, superuser, bypass, ..)| *superuser || *bypass);
        let stands_for = match named.as_slice() {
            [] => "the plan was run by a role without any right: the schema has no owner".to_owned(),
            [one] => format!("the plan was run with the rights of {one} as owner, without SUPERUSER{without}"),
            many => format!(
                "the objects have {} owners ({}); the plan was run by a role that is a member of each, without SUPERUSER{without}",
                many.len(),
                many.join(", ")
            ),
        };
        let search_path = match owners.first() {
            Some((oid, ..)) => search_path(*oid, facts).await?,
            None => None,
        };
        let heir = owners.first().map(|(_, name, ..)| name.clone());
        Ok(Self { role, heir, search_path, embedded, database, stands_for: Some(stands_for), back, is_weaker })
    }

    /// Its name.
    pub(super) fn role(&self) -> &str {
        &self.role
    }

    /// Runs the steps, or with `down` their way back, in the order given.
    pub(super) async fn apply(&self, steps: &[&Step], down: bool, bench: &mut Bench) -> Result<Applied, Stop> {
        let mut applied = Applied::default();
        for step in steps {
            let statements = if down { &step.down } else { &step.up };
            if statements.is_empty() {
                continue;
            }
            self.begin(&mut bench.connection).await?;
            let outcome = self.step(step, statements, &mut applied, &mut bench.connection).await?;
            let end = format!("rollback; {}; reset all", self.back);
            let end =
                if outcome.is_none() && step.transaction { end.replace("rollback", "commit") } else { end.clone() };
            let committed = run(&mut bench.connection, end).await?;
            if let Some((_, why)) = &committed {
                run(&mut bench.connection, format!("rollback; {}; reset all", self.back)).await?;
                applied.failed = Some(format!("step {} ({}) was refused at its end: {why}", step.n, step.name));
            }
            self.hand_over(&mut bench.connection).await?;
            if let Some(why) = outcome {
                let way = if down { "the way back of step" } else { "step" };
                applied.failed = Some(format!("{way} {} ({}) was refused: {why}", step.n, step.name));
            }
            if applied.failed.is_some() {
                break;
            }
        }
        Ok(applied)
    }

    /// A session as the tool has it.
    async fn begin(&self, connection: &mut PgConnection) -> Result<(), Stop> {
        let path = self.search_path.as_ref().map(|path| format!("; set search_path = {path}")).unwrap_or_default();
        let sql = format!("set session authorization {}; set client_min_messages = error{path}", literal(&self.role));
        run(connection, sql).await.map(drop)
    }

    async fn step(
        &self,
        step: &Step,
        statements: &[String],
        applied: &mut Applied,
        connection: &mut PgConnection,
    ) -> Result<Option<String>, Stop> {
        if step.transaction {
            run(connection, "begin".to_owned()).await?;
        }
        for statement in statements {
            let sql = self.here(statement);
            if step.transaction {
                run(connection, "savepoint govctl".to_owned()).await?;
            }
            if self.embedded && statement.contains("when insufficient_privilege") {
                if let Some(why) = self.helped("", sql, statement, connection).await? {
                    return Ok(Some(why));
                }
                continue;
            }
            let Some((code, why)) = run(connection, sql.clone()).await? else {
                // It may only have warned that an administrator has to do it: then one does.
                if guard::may_warn(statement)
                    && let Some(why) = self.helped("", sql, statement, connection).await?
                {
                    return Ok(Some(why));
                }
                continue;
            };
            // A tool would stop here. That the owner may not do it is said; what it does is still to be seen.
            if code != "42501" {
                return Ok(Some(format!("{why} ({})", first_line(statement))));
            }
            let undone = if step.transaction { "rollback to savepoint govctl; " } else { "" };
            if let Some(why) = self.helped(undone, sql, statement, connection).await? {
                return Ok(Some(why));
            }
            let check = format!("step {}", step.n);
            // One reason a step is enough; mostly it is the same.
            if !applied.helped.iter().any(|known| known.check == check) {
                let why = format!("the owner may not run this, a superuser did: {} ({why})", first_line(statement));
                applied.helped.push(Unproved { check, object: step.name.clone(), why });
            }
        }
        Ok(None)
    }

    /// Lets a superuser run a statement; why it was refused even then.
    async fn helped(
        &self,
        undone: &str,
        sql: String,
        statement: &str,
        connection: &mut PgConnection,
    ) -> Result<Option<String>, Stop> {
        run(connection, format!("{undone}{}", self.back)).await?;
        if let Some((_, why)) = run(connection, sql).await? {
            return Ok(Some(format!("{why} ({})", first_line(statement))));
        }
        run(connection, format!("set session authorization {}", literal(&self.role))).await?;
        Ok(None)
    }

    /// What a stand-in has made is its heir's.
    async fn hand_over(&self, connection: &mut PgConnection) -> Result<(), Stop> {
        if let Some(heir) = &self.heir {
            run(connection, format!("reassign owned by {} to {}", ident(&self.role), ident(heir))).await?;
        }
        Ok(())
    }

    /// The statement with the copy's name of the database.
    fn here(&self, statement: &str) -> String {
        static DATABASE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?i)^((?:\s|--[^\n]*\n)*(?:grant|revoke|alter|comment)\b[^;]*?\bdatabase\s+)("(?:[^"]|"")+"|[a-z_][a-z0-9_]*)"#)
                .expect("a constant")
        });
        let (then, now) = &self.database;
        let replaced = DATABASE.replace(statement, |found: &regex::Captures<'_>| {
            let name = if found[2] == ident(then) { ident(now) } else { found[2].to_owned() };
            format!("{}{name}", &found[1])
        });
        replaced.into_owned()
    }
}

/// What ALTER ROLE or ALTER DATABASE says of a role's search path.
async fn search_path(role: i64, facts: &mut Facts) -> Result<Option<String>, Stop> {
    let sql = "select s.value from role_settings s left join databases d on d.oid = s.database
        where s.name = 'search_path' and s.role in (0, ?1) and (s.database = 0 or d.is_current = 1) and s.value <> ''
        order by s.role = 0, s.database = 0 limit 1";
    Ok(sqlx::query_scalar(sql).bind(role).fetch_optional(facts.connection()).await?)
}

/// Makes the superuser who speaks again.
pub(super) fn back(superuser: &str) -> String {
    format!("set session authorization {}", literal(superuser))
}

/// Runs a message; SQLSTATE and words of a refusal.
pub(super) async fn run(connection: &mut PgConnection, sql: String) -> Result<Option<(String, String)>, Stop> {
    // AssertSqlSafe: a plan of govctl's own, or constants, on a throwaway database.
    match sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await {
        Ok(_) => Ok(None),
        Err(error) if refusal::is_lost(&error) => Err(refusal::lost(error)),
        Err(error) => {
            let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
            Ok(Some((code, said(&error))))
        }
    }
}

/// Of a statement, without what stands before it.
fn first_line(statement: &str) -> String {
    let line =
        statement.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("--")).unwrap_or_default();
    match line.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
