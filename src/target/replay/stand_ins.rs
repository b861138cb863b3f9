//! What the migrations of a project find there and did not make: a platform's schemas and roles, the table in which
//! their own tool keeps count.

use crate::history::{History, Statement};
use crate::secrets::literals;
use regex::Regex;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use std::sync::LazyLock;

/// What a platform brings along, in the little that schemas ask of it.
struct StandIn {
    what: &'static str,
    script: &'static str,
    /// Code that asks for it, and code that makes it: then it is the project's own.
    asks: &'static str,
    makes: &'static str,
}

const ROLES: StandIn = StandIn {
    what: "Supabase's roles",
    script: include_str!("supabase_roles.sql"),
    asks: r#"\b(grant|revoke|policy|set\s+role)\s[^;]*[\s,"](anon|authenticated|service_role)\b"#,
    makes: r#"\bcreate\s+role\s+"?(anon|authenticated|service_role)\b"#,
};

const STAND_INS: [StandIn; 3] = [
    StandIn {
        what: "Supabase's schema auth",
        script: include_str!("supabase_auth.sql"),
        asks: r#"(^|[^\w."/:])"?auth"?\s*\.\s*("?(users|sessions|identities)\b|(uid|jwt|role|email)\s*\()"#,
        makes: r#"\bcreate\s+schema\s+(if\s+not\s+exists\s+)?"?auth"?(\s|;|$)"#,
    },
    StandIn {
        what: "Supabase's schema storage",
        script: include_str!("supabase_storage.sql"),
        asks: r#"(^|[^\w."/:])"?storage"?\s*\.\s*"?(objects|buckets|foldername|filename|extension)\b"#,
        makes: r#"\bcreate\s+schema\s+(if\s+not\s+exists\s+)?"?storage"?(\s|;|$)"#,
    },
    ROLES,
];

/// What there is before the first migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    None,
    Supabase,
}

/// Makes what the project asks for and does not make, and says what in words.
pub(super) async fn make(history: &History, connection: &mut PgConnection) -> (Platform, Vec<String>) {
    let code: Vec<String> = history.statements().iter().map(code).collect();
    let says = |pattern: &str| Regex::new(pattern).is_ok_and(|known| code.iter().any(|text| known.is_match(text)));
    let mut made = Vec::new();
    for it in STAND_INS {
        if (history.tool == "supabase" || says(it.asks)) && !says(it.makes) {
            let _ = connection.execute(sqlx::raw_sql(AssertSqlSafe(it.script))).await;
            made.push(it.what.to_owned());
        }
    }
    let platform = if made.is_empty() { Platform::None } else { Platform::Supabase };
    if let Some((table, columns)) = history.own_table() {
        let named = |text: &String| text.contains(&table.to_lowercase());
        let creates = |text: &String| named(text) && text.trim_start().starts_with("create table");
        if code.iter().any(named) && !code.iter().any(creates) {
            // Its types are nobody's business here.
            let columns: Vec<_> = columns.iter().map(|column| format!("\"{column}\" text")).collect();
            let sql = format!("create table if not exists public.\"{table}\" ({})", columns.join(", "));
            // AssertSqlSafe: names of our own list.
            if connection.execute(AssertSqlSafe(sql)).await.is_ok() {
                made.push(format!("the table {table} of {}", history.tool));
            }
        }
    }
    (platform, made)
}

/// A statement in lower case without its remarks and literals, but for those that are statements themselves.
fn code(statement: &Statement) -> String {
    static SQL: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)^\s*(create|alter|grant|revoke|drop|select)\s").ok());
    let sql = &statement.sql;
    let mut text = String::with_capacity(sql.len());
    let mut done = 0;
    for range in literals(sql) {
        let dollar = sql[..range.start].ends_with('$');
        let runs = || SQL.as_ref().is_some_and(|known| known.is_match(&sql[range.clone()]));
        if dollar || range.start < done || runs() && sql[..range.start].ends_with('\'') {
            continue;
        }
        text.push_str(&sql[done..range.start]);
        done = range.end;
    }
    text.push_str(&sql[done..]);
    text.make_ascii_lowercase();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_asked_for_in_code_only() {
        let asked = |sql: &str| {
            let statement = Statement { sql: sql.to_owned(), path: String::new(), line: 1, version: String::new() };
            let code = code(&statement);
            STAND_INS
                .iter()
                .filter(|it| Regex::new(it.asks).unwrap().is_match(&code))
                .map(|it| it.what)
                .collect::<Vec<_>>()
        };
        let roles = ["Supabase's roles"];
        assert_eq!(asked("create policy p on t to authenticated using (true)"), roles);
        assert_eq!(asked("grant select on t to reader, \"anon\";"), roles);
        assert_eq!(asked("do $$ begin execute 'create policy p on t to anon using (true)'; end $$"), roles);
        assert_eq!(asked("select Auth.uid() -- x"), ["Supabase's schema auth"]);
        assert_eq!(asked("create table t (u uuid references \"auth\".\"users\")"), ["Supabase's schema auth"]);
        assert_eq!(asked("insert into storage.buckets values (1)"), ["Supabase's schema storage"]);
        for sql in [
            "insert into t values ('for authenticated users', $$see https://auth.users.com$$)",
            "comment on table t is 'rows of auth.users' -- granted to authenticated",
            "create table oauth.users (id int, my_storage.objects int)",
            "create table t (id int, authenticated boolean)",
            "create role authenticated_user",
            "grant select on t to authenticated_app",
        ] {
            assert_eq!(asked(sql), [""; 0], "{sql}");
        }
    }
}
