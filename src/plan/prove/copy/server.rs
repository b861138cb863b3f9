//! Roles and what they are members of: they belong to the server, and others may have made some of the same name there.

use super::make::{Maker, Making};
use super::names::Names;
use crate::check::quote::{ident, literal};
use crate::error::Stop;
use crate::facts::Facts;

#[derive(sqlx::FromRow, PartialEq, Eq)]
struct Role {
    oid: i64,
    name: String,
    superuser: bool,
    inherit: bool,
    create_role: bool,
    create_db: bool,
    login: bool,
    replication: bool,
    bypass_rls: bool,
    connection_limit: i64,
    comment: Option<String>,
}

impl Role {
    fn attributes(&self) -> String {
        let word = |has: bool, word: &str| format!("{}{word}", if has { "" } else { "no" });
        let words = [
            word(self.superuser, "superuser"),
            word(self.inherit, "inherit"),
            word(self.create_role, "createrole"),
            word(self.create_db, "createdb"),
            word(self.login, "login"),
            word(self.replication, "replication"),
            word(self.bypass_rls, "bypassrls"),
        ];
        format!("{} connection limit {}", words.join(" "), self.connection_limit)
    }
}

const ROLES: &str = "select oid, name, superuser, inherit, create_role, create_db, login, replication, bypass_rls,
    connection_limit, comment from roles where name not glob 'pg_*' order by oid";

/// What there was on the server before.
pub(super) const THERE: &str =
    "select oid::int8 as oid, rolname::text as name, rolsuper as superuser, rolinherit as inherit,
    rolcreaterole as create_role, rolcreatedb as create_db, rolcanlogin as login, rolreplication as replication,
    rolbypassrls as bypass_rls, rolconnlimit::int8 as connection_limit, null::text as comment from pg_catalog.pg_roles";

/// Makes the roles and gives the names of those that were not there. `ours`: the server was started for this, so that
/// a role of the same name may be altered. `me`: the superuser of the scratch, who stays as he is.
pub(super) async fn roles(facts: &mut Facts, maker: &mut Maker<'_>, ours: bool, me: &str) -> Result<Vec<String>, Stop> {
    let wanted: Vec<Role> = sqlx::query_as(ROLES).fetch_all(facts.connection()).await?;
    let there: Vec<Role> = sqlx::query_as(THERE)
        .persistent(false)
        .fetch_all(&mut *maker.connection)
        .await
        .map_err(crate::target::refusal::lost)?;
    let mut makings = Vec::new();
    let mut made = Vec::new();
    for role in &wanted {
        let name = ident(&role.name);
        match there.iter().find(|there| there.name == role.name) {
            _ if role.name == me => continue,
            None => {
                makings.push(Making::new("role", &role.name, format!("create role {name} {}", role.attributes())));
                made.push(role.name.clone());
            }
            Some(there) if there.attributes() == role.attributes() => continue,
            Some(_) if ours => {
                makings.push(Making::new("role", &role.name, format!("alter role {name} {}", role.attributes())));
            }
            Some(_) => {
                maker.note("role", &role.name, "the scratch server has one of this name with other attributes");
                continue;
            }
        }
        if let Some(comment) = &role.comment {
            let sql = format!("comment on role {name} is {}", literal(comment));
            makings.push(Making::new("comment", &role.name, sql));
        }
    }
    maker.make(makings).await?;
    Ok(made)
}

/// `grant role to member`, with the options that PostgreSQL 16 knows.
pub(super) async fn memberships(facts: &mut Facts, names: &Names, maker: &mut Maker<'_>) -> Result<(), Stop> {
    let rows: Vec<(i64, i64, bool, bool, bool, bool)> = sqlx::query_as(
        "select m.role, m.member, max(m.admin_option), max(m.inherit_option), max(m.set_option), coalesce(r.inherit, 1)
         from memberships m left join roles r on r.oid = m.member group by m.role, m.member",
    )
    .fetch_all(facts.connection())
    .await?;
    let mut makings = Vec::new();
    for (role, member, admin, inherit, set, inherits_all) in rows {
        let (Some(of), Some(to)) = (names.role(role), names.role(member)) else { continue };
        let plain = format!("{of} to {to}");
        let options = if maker.version >= 160_000 {
            format!(" with admin {admin}, inherit {inherit}, set {set}")
        } else {
            if inherit != inherits_all || !set {
                maker.note("membership", &plain, "its options need PostgreSQL 16, the scratch server is older");
            }
            if admin { " with admin option".to_owned() } else { String::new() }
        };
        makings.push(Making::new("membership", plain, format!("grant {of} to {to}{options}")));
    }
    maker.make(makings).await
}

/// `alter role … set`, for this database alone: the server may be shared.
pub(super) async fn settings(facts: &mut Facts, names: &Names, maker: &mut Maker<'_>, here: &str) -> Result<(), Stop> {
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "select s.role, s.name, s.value from role_settings s left join databases d on d.oid = s.database
         where s.value is not null and (s.database = 0 or d.is_current = 1) order by s.database",
    )
    .fetch_all(facts.connection())
    .await?;
    let here = ident(here);
    let makings = rows.into_iter().filter_map(|(role, name, value)| {
        // A list is stored as it was written, a single value as it is.
        let value = if matches!(name.as_str(), "search_path" | "session_preload_libraries") && !value.is_empty() {
            value
        } else {
            literal(&value)
        };
        let whose = if role == 0 {
            format!("alter database {here}")
        } else {
            format!("alter role {} in database {here}", names.role(role)?)
        };
        let plain = format!("{name} of {}", if role == 0 { "the database" } else { names.roles.get(&role)? });
        Some(Making::new("setting", plain, format!("{whose} set {} to {value}", setting(&name))))
    });
    maker.make(makings.collect()).await
}

/// The name of a setting: its parts are quoted apart.
fn setting(name: &str) -> String {
    name.split('.').map(ident).collect::<Vec<_>>().join(".")
}
