//! The opposite of a statement, given what stood before it.

mod labels;
mod rights;

use super::before::Before;
use super::ddl::{Action, Ddl, Name, switch};
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
        Ddl::AlterEnum { name } => labels::undone(name, before).await?,
        Ddl::Grant(given) => rights::granted(given, before).await?,
        Ddl::Revoke(taken) => rights::revoked(taken, before).await?,
        Ddl::DefaultPrivileges => rights::default_privileges(sql, before).await?,
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
