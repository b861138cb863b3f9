//! The opposite of GRANT and REVOKE, given who held what before.

use super::Undo;
use crate::check::quote::ident;
use crate::error::Stop;
use crate::plan::before::Before;
use crate::plan::ddl::{Cursor, Rights};

/// What PUBLIC and roles held before, for the objects `rights` names.
async fn held(rights: &Rights, before: &mut Before<'_>) -> Result<Vec<Held>, Stop> {
    let Some((kind, object)) = &rights.on else { return Ok(Vec::new()) };
    let mut at = Cursor::new(object);
    let Some(name) = at.name() else { return Ok(Vec::new()) };
    let arguments = at.parenthesised().map(str::to_owned);
    let schema = name.schema.as_deref().unwrap_or("public");
    let (word, oid, default_acl) = match kind.as_str() {
        "function" | "procedure" | "routine" => {
            let sql = "select oid || ' ' || default_acl from functions
                       where schema = ? and name = ? and replace(signature, ' ', '') = replace(?, ' ', '')";
            ("function", before.ask(sql, &[schema, &name.name, arguments.as_deref().unwrap_or("")]).await?.pop(), true)
        }
        "schema" => (
            "schema",
            before.ask("select oid || ' ' || default_acl from schemas where name = ?", &[&name.name]).await?.pop(),
            false,
        ),
        "foreign server" => (
            "foreign server",
            before
                .ask("select oid || ' ' || default_acl from foreign_servers where name = ?", &[&name.name])
                .await?
                .pop(),
            false,
        ),
        "parameter" => (
            "parameter",
            before.ask("select oid || ' 0' from parameters where name = ?", &[object]).await?.pop(),
            false,
        ),
        "database" => (
            "database",
            before.ask("select oid || ' ' || default_acl from databases where name = ?", &[&name.name]).await?.pop(),
            false,
        ),
        _ => {
            let sql = "select oid || ' ' || default_acl from relations where schema = ? and name = ?";
            ("relation", before.ask(sql, &[schema, &name.name]).await?.pop(), false)
        }
    };
    let Some((oid, acl)) = oid.as_deref().and_then(|found| found.split_once(' ')) else { return Ok(Vec::new()) };
    if acl == "1" {
        // Functions alone are everybody's where nobody said otherwise; whatever the object, its owner holds all.
        let owner = owner_of(kind, object, before).await?.filter(|owner| !owner.is_empty());
        let all: &[&str] = match (word, kind.as_str()) {
            ("function", _) => &["execute"],
            ("schema", _) => &["usage", "create"],
            ("relation", "sequence") => &["usage", "select", "update"],
            ("relation", _) => &["select", "insert", "update", "delete", "truncate", "references", "trigger"],
            _ => &[],
        };
        let holds = |grantee: &str, privilege: &str| Held {
            grantee: grantee.to_owned(),
            privilege: privilege.to_owned(),
            column: None,
            grantable: false,
        };
        let of_owner = owner.iter().flat_map(|owner| all.iter().map(|privilege| holds(owner, privilege)));
        return Ok(of_owner.chain(default_acl.then(|| holds("public", "execute"))).collect());
    }
    let sql = "select json_object('grantee', coalesce(r.name, 'public'), 'public', g.grantee = 0, 'privilege', lower(g.privilege),
                 'column', c.name, 'grantable', g.grantable)
               from grants g left join roles r on r.oid = g.grantee
               left join columns c on c.relation = g.object and c.number = g.column_number and g.column_number > 0
               where g.object = ? and (g.object_kind = ? or (? = 'relation' and g.object_kind = 'column'))
               order by 1";
    let rows = before.ask(sql, &[oid, word, word]).await?;
    Ok(rows.iter().filter_map(|row| Held::read(row)).collect())
}

struct Held {
    grantee: String,
    privilege: String,
    column: Option<String>,
    grantable: bool,
}

impl Held {
    fn read(row: &str) -> Option<Self> {
        let row: serde_json::Value = serde_json::from_str(row).ok()?;
        Some(Self {
            grantee: row["grantee"].as_str()?.to_owned(),
            privilege: row["privilege"].as_str()?.to_owned(),
            column: row["column"].as_str().map(str::to_owned),
            grantable: row["grantable"] == 1,
        })
    }
}

fn role_sql(role: &str) -> String {
    if role == "public" { role.to_owned() } else { ident(role) }
}

/// The word before an object in GRANT.
fn said(kind: &str) -> String {
    if kind == "table" { String::new() } else { format!("{kind} ") }
}

pub(super) async fn revoked(rights: &Rights, before: &mut Before<'_>) -> Result<Undo, Stop> {
    let Some((kind, object)) = &rights.on else { return membership(rights, before, true).await };
    let names = |held: &Held| {
        rights.privileges.iter().any(|(privilege, columns)| {
            // Without columns, those of columns go as well.
            let here = columns.is_empty() || held.column.as_ref().is_some_and(|column| columns.contains(column));
            here && (privilege.starts_with("all") || *privilege == held.privilege)
        })
    };
    let mut undo = Undo::default();
    for held in held(rights, before).await? {
        if names(&held) && rights.roles.contains(&held.grantee) {
            let column = held.column.map(|column| format!(" ({})", ident(&column))).unwrap_or_default();
            let option = if held.grantable { " with grant option" } else { "" };
            undo.sql.push(format!(
                "grant {}{column} on {}{object} to {}{option}",
                held.privilege,
                said(kind),
                role_sql(&held.grantee)
            ));
        }
    }
    Ok(undo)
}

/// Who owns what a GRANT names: `""` where that is not known, None where it was not there.
async fn owner_of(kind: &str, object: &str, before: &mut Before<'_>) -> Result<Option<String>, Stop> {
    let mut at = Cursor::new(object);
    let Some(name) = at.name() else { return Ok(Some(String::new())) };
    Ok(match kind {
        "table" | "sequence" => before.owner(&name).await?,
        "schema" => before.schema_owner(&name.name).await?,
        "function" | "procedure" | "routine" => {
            let arguments = at.parenthesised().unwrap_or_default();
            Some(before.routine_owner(&name, arguments).await?.unwrap_or_default())
        }
        _ => Some(String::new()),
    })
}

pub(super) async fn granted(rights: &Rights, before: &mut Before<'_>) -> Result<Undo, Stop> {
    let Some((kind, object)) = &rights.on else { return membership(rights, before, false).await };
    // What an owner holds of its own is no grant that could be taken back: it would stay without. What was not there goes as a whole.
    let Some(owner) = owner_of(kind, object, before).await? else { return Ok(Undo::default()) };
    let held = held(rights, before).await?;
    let mut undo = Undo::default();
    for role in rights.roles.iter().filter(|role| **role != owner) {
        let has = |privilege: &str, column: Option<&String>| {
            let same =
                |held: &&Held| held.grantee == *role && held.privilege == privilege && held.column.as_ref() == column;
            held.iter().find(same).is_some()
        };
        let mut privileges = Vec::new();
        for (privilege, columns) in &rights.privileges {
            let new: Vec<_> =
                columns.iter().filter(|column| !has(privilege, Some(column))).map(|it| ident(it)).collect();
            if columns.is_empty() && !has(privilege, None) {
                privileges.push(privilege.clone());
            } else if !new.is_empty() {
                privileges.push(format!("{privilege} ({})", new.join(", ")));
            }
        }
        if !privileges.is_empty() {
            undo.sql.push(format!(
                "revoke {} on {}{object} from {}",
                privileges.join(", "),
                said(kind),
                role_sql(role)
            ));
        }
    }
    Ok(undo)
}

/// Membership, given or taken. From PostgreSQL 16 its options are part of it.
async fn membership(rights: &Rights, before: &mut Before<'_>, give_back: bool) -> Result<Undo, Stop> {
    let options = before.version().await? >= 160_000;
    let mut undo = Undo::default();
    for (role, _) in &rights.privileges {
        for member in &rights.roles {
            let sql = "select m.admin_option || '' || m.inherit_option || '' || m.set_option from memberships m
                       join roles r on r.oid = m.role join roles u on u.oid = m.member where r.name = ? and u.name = ?";
            let had = before.ask(sql, &[role, member]).await?.pop();
            let (role, member) = (ident(role), ident(member));
            match (had, give_back) {
                (Some(had), true) => {
                    let on = |at: usize| if had.as_bytes().get(at) == Some(&b'1') { "true" } else { "false" };
                    let with = if options {
                        format!(" with admin {}, inherit {}, set {}", on(0), on(1), on(2))
                    } else if on(0) == "true" {
                        " with admin option".to_owned()
                    } else {
                        String::new()
                    };
                    undo.sql.push(format!("grant {role} to {member}{with}"));
                }
                (None, false) => undo.sql.push(format!("revoke {role} from {member}")),
                _ => {}
            }
        }
    }
    Ok(undo)
}

/// `alter default privileges … revoke all on tables from x`: grants what was there.
pub(super) async fn default_privileges(sql: &str, before: &mut Before<'_>) -> Result<Undo, Stop> {
    let mut at = Cursor::new(sql);
    at.take("alter default privileges");
    let owner = if at.take("for role") { at.ident() } else { None };
    let schema = if at.take("in schema") { at.ident() } else { None };
    let Some(owner) = owner.filter(|_| at.take("revoke")) else {
        return Ok(Undo::impossible("default privileges have to be put back by hand"));
    };
    at.up_to(&["from"]);
    at.take("from");
    let grantee = at.ident().unwrap_or_default();
    let rows = before
        .ask(
            "select d.privilege || case d.grantable when 1 then '+' else '' end from default_privileges d
             join roles o on o.oid = d.role left join roles g on g.oid = d.grantee left join schemas s on s.oid = d.schema_oid
             where o.name = ? and coalesce(g.name, 'public') = ? and coalesce(s.name, '') = ? and d.object_kind = 'relation'
             order by 1",
            &[&owner, &grantee, schema.as_deref().unwrap_or("")],
        )
        .await?;
    let within = schema.map(|schema| format!(" in schema {}", ident(&schema))).unwrap_or_default();
    let each = rows.iter().map(|row| {
        let (privilege, option) = row.strip_suffix('+').map_or((row.as_str(), ""), |it| (it, " with grant option"));
        let (owner, to) = (ident(&owner), role_sql(&grantee));
        format!(
            "alter default privileges for role {owner}{within} grant {} on tables to {to}{option}",
            privilege.to_lowercase()
        )
    });
    Ok(Undo { sql: each.collect(), lost: None })
}
