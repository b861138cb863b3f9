//! The opposite of a statement, given what stood before it.

use super::before::Before;
use super::ddl::{Action, Ddl, Name, Rights, switch};
use crate::check::quote::ident;
use crate::error::Stop;

/// How a statement is taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Undo {
    /// In order. Empty: it changes nothing that would have to be put back.
    pub(crate) sql: Vec<String>,
    /// What is not brought back, one sentence.
    pub(crate) lost: Option<String>,
}

impl Undo {
    fn by(sql: impl Into<String>) -> Self {
        Self { sql: vec![sql.into()], lost: None }
    }

    fn with_loss(sql: impl Into<String>, lost: impl Into<String>) -> Self {
        Self { sql: vec![sql.into()], lost: Some(lost.into()) }
    }

    fn impossible(lost: impl Into<String>) -> Self {
        Self { sql: Vec::new(), lost: Some(lost.into()) }
    }
}

/// Works it out.
pub(crate) async fn undo(sql: &str, ddl: &Ddl, before: &mut Before<'_>) -> Result<Undo, Stop> {
    Ok(match ddl {
        Ddl::AlterTable { table, actions } => {
            let mut all = Undo::default();
            for action in actions.iter().rev() {
                let one = action_undone(table, action, before).await?;
                all.sql.extend(one.sql);
                all.lost = all.lost.or(one.lost);
            }
            all
        }
        Ddl::CreateIndex { name, table, .. } => match name {
            Some(name) => {
                let schema = table.schema.clone();
                Undo::by(format!("drop index if exists {}", Name { schema, name: name.clone() }))
            }
            None => Undo::impossible("the index has a name that the server chooses; drop it by hand"),
        },
        Ddl::DropIndex(index) => Undo::impossible(format!("the index {} has to be built again", index.name)),
        Ddl::CreatePolicy { policy, table } => match before.policy(table, policy).await? {
            None => Undo::by(format!("drop policy if exists {} on {table}", ident(policy))),
            Some(_) => Undo::default(),
        },
        Ddl::AlterPolicy { policy, table } => match before.policy(table, policy).await? {
            Some(was) => Undo::by(format!("alter policy {} on {table}{}", ident(policy), was.alteration())),
            None => Undo::default(),
        },
        Ddl::DropPolicy { policy, table } => match before.policy(table, policy).await? {
            Some(was) => Undo::by(format!("create policy {} on {table}{}", ident(policy), was.definition())),
            None => Undo::default(),
        },
        Ddl::CreateTrigger { name, table, .. } => {
            Undo::by(format!("drop trigger if exists {} on {table}", ident(name)))
        }
        Ddl::DropTrigger { name, .. } => Undo::impossible(format!("the trigger {name} has to be made again by hand")),
        Ddl::DropRule { name, table } => {
            let was = match before.relation(table).await? {
                Some(oid) => {
                    before.ask("select definition from rules where relation = ? and name = ?", &[&oid, name]).await?
                }
                None => Vec::new(),
            };
            was.into_iter().next().map_or_else(Undo::default, |was| Undo::by(was.trim_end_matches(';').to_owned()))
        }
        Ddl::CreateRoutine { kind, name, arguments, replace } => {
            let had = before
                .ask(
                    "select '1' from functions where schema = ? and name = ?",
                    &[name.schema.as_deref().unwrap_or("public"), &name.name],
                )
                .await?;
            if *replace && !had.is_empty() {
                Undo::impossible(format!(
                    "what {} did before has to be put back from the migration that made it",
                    name.name
                ))
            } else {
                Undo::by(format!("drop {kind} if exists {name}({})", types_of(arguments)))
            }
        }
        Ddl::Create { kind, name, replace } => created(kind, name, *replace, before).await?,
        Ddl::AlterView { view, materialized, rest } => altered_view(view, *materialized, rest, before).await?,
        Ddl::AlterRoutine { name, arguments, rest, .. } => altered_routine(name, arguments, rest, before).await?,
        Ddl::AlterRole { role, rest } => altered_role(role, rest, before).await?,
        Ddl::AlterEnum { name } => {
            Undo::impossible(format!("a value of the enum {} cannot be taken away again", name.name))
        }
        Ddl::Grant(rights) => granted(rights, before).await?,
        Ddl::Revoke(rights) => revoked(rights, before).await?,
        Ddl::DefaultPrivileges => default_privileges(sql, before).await?,
        Ddl::Comment { on } => Undo::with_loss(format!("comment on {on} is null"), "a comment that was there before"),
        Ddl::Do | Ddl::Other => Undo::impossible("what this statement did has to be taken back by hand"),
    })
}

async fn action_undone(table: &Name, action: &Action, before: &mut Before<'_>) -> Result<Undo, Stop> {
    let alter = |what: String| Undo::by(format!("alter table {table} {what}"));
    let (enabled, forced) = before.row_security(table).await?;
    Ok(match action {
        Action::EnableRls if !enabled => alter("disable row level security".into()),
        Action::DisableRls if enabled => alter("enable row level security".into()),
        Action::Force if !forced => alter("no force row level security".into()),
        Action::NoForce if forced => alter("force row level security".into()),
        Action::AddColumn(column) if !before.has_column(table, &column.name).await? => Undo::with_loss(
            format!("alter table {table} drop column if exists {}", ident(&column.name)),
            format!("what was written into {}.{}", table.name, column.name),
        ),
        Action::DropColumn(column) => Undo::impossible(format!("the column {column} and what it held")),
        Action::Add(added) => match &added.name {
            Some(name) if !before.has_constraint(table, name).await? => {
                alter(format!("drop constraint if exists {}", ident(name)))
            }
            Some(_) => Undo::default(),
            None => Undo::impossible("the constraint has a name that the server chooses; drop it by hand"),
        },
        Action::DropConstraint(name) => before.constraint(table, name).await?.map_or_else(Undo::default, alter),
        Action::SetNotNull(column) if !before.is_not_null(table, column).await? => {
            alter(format!("alter column {} drop not null", ident(column)))
        }
        Action::DropNotNull(column) if before.is_not_null(table, column).await? => {
            alter(format!("alter column {} set not null", ident(column)))
        }
        Action::SetDefault { column, .. } | Action::DropDefault(column) => {
            let was = before.default(table, column).await?;
            let has = before.has_column(table, column).await?;
            match was {
                Some(was) => alter(format!("alter column {} set default {was}", ident(column))),
                None if has => alter(format!("alter column {} drop default", ident(column))),
                None => Undo::default(),
            }
        }
        Action::SetType { column, rest } => {
            let was = before.column_type(table, column).await?.unwrap_or_default();
            let name = ident(column);
            match was.starts_with("timestamp") && rest.ends_with("at time zone 'UTC'") {
                true => alter(format!("alter column {name} type {was} using {name} at time zone 'UTC'")),
                false => Undo::impossible(format!("the type that {}.{column} had", table.name)),
            }
        }
        Action::Trigger { name, .. } => match before.relation(table).await? {
            Some(oid) => {
                let was =
                    before.ask("select enabled from triggers where relation = ? and name = ?", &[&oid, name]).await?;
                was.first().map_or_else(Undo::default, |was| alter(format!("{} trigger {}", switch(was), ident(name))))
            }
            None => Undo::default(),
        },
        Action::Owner(_) => match before.owner(table).await? {
            Some(was) => alter(format!("owner to {}", ident(&was))),
            None => Undo::default(),
        },
        Action::Validate(_)
        | Action::EnableRls
        | Action::DisableRls
        | Action::Force
        | Action::NoForce
        | Action::AddColumn(_)
        | Action::SetNotNull(_)
        | Action::DropNotNull(_) => Undo::default(),
        Action::Other(_) => Undo::impossible(format!("what was done to {} has to be taken back by hand", table.name)),
    })
}

/// Types of a list of arguments, as DROP FUNCTION takes them: names and defaults may stay, defaults must go.
fn types_of(arguments: &str) -> String {
    let mut at = super::ddl::Cursor::new(arguments);
    let mut each = Vec::new();
    while !at.is_done() {
        let one = at.item();
        let mut inner = super::ddl::Cursor::new(one);
        each.push(inner.up_to(&["default"]).to_owned());
        if !super::ddl::comma(&mut at) {
            break;
        }
    }
    each.join(", ")
}

async fn created(kind: &str, name: &Name, replace: bool, before: &mut Before<'_>) -> Result<Undo, Stop> {
    let had = match kind {
        "table" | "view" | "materialized view" | "sequence" => before.has(name).await?,
        "schema" => !before.ask("select name from schemas where name = ?", &[&name.name]).await?.is_empty(),
        "role" => !before.ask("select name from roles where name = ?", &[&name.name]).await?.is_empty(),
        "publication" => !before.ask("select name from publications where name = ?", &[&name.name]).await?.is_empty(),
        "type" => {
            let schema = name.schema.as_deref().unwrap_or("public");
            !before
                .ask("select type from enum_labels where schema = ? and type = ?", &[schema, &name.name])
                .await?
                .is_empty()
        }
        _ => false,
    };
    Ok(match (had, replace) {
        (true, true) => Undo::impossible(format!("what {} was before", name.name)),
        (true, false) => Undo::default(),
        (false, _) => {
            let drop = format!("drop {kind} if exists {name}");
            if kind == "table" { Undo::with_loss(drop, format!("the rows of {}", name.name)) } else { Undo::by(drop) }
        }
    })
}

async fn altered_view(view: &Name, materialized: bool, rest: &str, before: &mut Before<'_>) -> Result<Undo, Stop> {
    let kind = if materialized { "materialized view" } else { "view" };
    let Some(oid) = before.relation(view).await? else { return Ok(Undo::default()) };
    let was =
        before.ask("select security_invoker || '' || security_barrier from relations where oid = ?", &[&oid]).await?;
    let was = was.first().cloned().unwrap_or_default();
    for (option, on) in [("security_invoker", was.starts_with('1')), ("security_barrier", was.ends_with('1'))] {
        if rest.contains(option) {
            let put = if on { format!("set ({option} = true)") } else { format!("reset ({option})") };
            return Ok(Undo::by(format!("alter {kind} {view} {put}")));
        }
    }
    if rest.starts_with("owner to") {
        let was = before.owner(view).await?;
        return Ok(
            was.map_or_else(Undo::default, |was| Undo::by(format!("alter {kind} {view} owner to {}", ident(&was))))
        );
    }
    Ok(Undo::impossible(format!("what was done to {} has to be taken back by hand", view.name)))
}

async fn altered_routine(name: &Name, arguments: &str, rest: &str, before: &mut Before<'_>) -> Result<Undo, Stop> {
    let schema = name.schema.as_deref().unwrap_or("public");
    let sql = "select json_object('definer', security_definer, 'leakproof', leakproof, 'volatility', volatility,
                 'path', search_path, 'owner', (select name from roles where oid = owner)) from functions
               where schema = ? and name = ? and replace(signature, ' ', '') = replace(?, ' ', '')";
    let Some(was) = before.ask(sql, &[schema, &name.name, arguments]).await?.pop() else { return Ok(Undo::default()) };
    let was: serde_json::Value = serde_json::from_str(&was).unwrap_or_default();
    let text = |key: &str| was[key].as_str().unwrap_or_default().to_owned();
    let lower = rest.to_lowercase();
    let back = if lower.starts_with("security") {
        if was["definer"] == 1 { "security definer".to_owned() } else { "security invoker".to_owned() }
    } else if lower.starts_with("set search_path") {
        match was["path"].as_str() {
            Some(path) => format!("set search_path = {path}"),
            None => "reset search_path".to_owned(),
        }
    } else if lower.contains("leakproof") {
        if was["leakproof"] == 1 { "leakproof".to_owned() } else { "not leakproof".to_owned() }
    } else if ["stable", "immutable", "volatile"].contains(&lower.trim()) {
        text("volatility")
    } else if lower.starts_with("owner to") {
        format!("owner to {}", ident(&text("owner")))
    } else {
        return Ok(Undo::impossible(format!("what was done to {} has to be taken back by hand", name.name)));
    };
    Ok(Undo::by(format!("alter routine {name}({arguments}) {back}")))
}

async fn altered_role(role: &str, rest: &str, before: &mut Before<'_>) -> Result<Undo, Stop> {
    let lower = rest.to_lowercase();
    let attributes = [
        ("superuser", "superuser"),
        ("bypassrls", "bypass_rls"),
        ("replication", "replication"),
        ("login", "login"),
        ("createrole", "create_role"),
        ("createdb", "create_db"),
        ("inherit", "inherit"),
    ];
    for (word, column) in attributes {
        if lower.trim().trim_start_matches("no") == word {
            let sql = "select cast(json_extract(json_object('superuser', superuser, 'bypass_rls', bypass_rls,
                'replication', replication, 'login', login, 'create_role', create_role, 'create_db', create_db,
                'inherit', inherit), '$.' || ?) as text) from roles where name = ?";
            let was = before.ask(sql, &[column, role]).await?.pop();
            let back = if was.as_deref() == Some("1") { word.to_owned() } else { format!("no{word}") };
            return Ok(Undo::by(format!("alter role {} {back}", ident(role))));
        }
    }
    Ok(Undo::impossible(format!("the value that a setting of {role} had; govctl keeps no values of settings")))
}

/// What PUBLIC and roles held before, for the objects `rights` names.
async fn held(rights: &Rights, before: &mut Before<'_>) -> Result<Vec<Held>, Stop> {
    let Some((kind, object)) = &rights.on else { return Ok(Vec::new()) };
    let mut at = super::ddl::Cursor::new(object);
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
        // Functions alone are everybody's where nobody said otherwise.
        let everybody = Held { grantee: "public".into(), privilege: "execute".into(), column: None, grantable: false };
        return Ok(if default_acl { vec![everybody] } else { Vec::new() });
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

async fn revoked(rights: &Rights, before: &mut Before<'_>) -> Result<Undo, Stop> {
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

async fn granted(rights: &Rights, before: &mut Before<'_>) -> Result<Undo, Stop> {
    let Some((kind, object)) = &rights.on else { return membership(rights, before, false).await };
    let held = held(rights, before).await?;
    let mut undo = Undo::default();
    for role in &rights.roles {
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
async fn default_privileges(sql: &str, before: &mut Before<'_>) -> Result<Undo, Stop> {
    let mut at = super::ddl::Cursor::new(sql);
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
