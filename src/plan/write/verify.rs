//! What has to be there once a migration has run: the script that Sqitch calls to verify it. It changes nothing, and stops with a
//! sentence.

use crate::check::quote::literal;
use crate::plan::ddl::{self, Action, Ddl, Name};
use crate::plan::guard;

/// What is asked, under a name by which a later statement replaces or withdraws it.
type Asked = Vec<(String, Option<String>)>;

/// For squawk, which may be told that the tool begins a transaction.
const ALONE: &str = "-- squawk-disable-assume-in-transaction\n";

/// The script, from the statements of the migration.
pub(super) fn script(up: &[String]) -> String {
    let mut asked = Asked::new();
    for statement in up {
        ask(&ddl::read(guard::inner(statement)), &mut asked);
    }
    let lines: String = asked
        .iter()
        .filter_map(|(what, holds)| Some((what, holds.as_ref()?)))
        .map(|(what, holds)| {
            let said = literal(&format!("not there: {what}"));
            format!("  if not ({holds}) then\n    raise exception using message = {said};\n  end if;\n")
        })
        .collect();
    if lines.is_empty() {
        return format!(
            "{ALONE}-- Rows and rights alone: nothing in the catalog says that it ran.\nbegin;\nrollback;\n"
        );
    }
    let body = format!("begin\n{lines}end");
    let tag = guard::tag(&body);
    format!("{ALONE}begin;\n\ndo {tag} {body} {tag};\n\nrollback;\n")
}

fn ask(ddl: &Ddl, asked: &mut Asked) {
    let mut say = |what: String, holds: Option<String>| match asked.iter_mut().find(|(known, _)| *known == what) {
        Some(known) => known.1 = holds,
        None => asked.push((what, holds)),
    };
    let named = |schema: &Option<String>| literal(schema.as_deref().unwrap_or("public"));
    match ddl {
        Ddl::Create { kind, name, .. } => say(format!("{kind} {name}"), there(kind, name)),
        Ddl::CreateIndex { name: Some(index), table, .. } => {
            let name = Name { schema: table.schema.clone(), name: index.clone() };
            let holds = format!("exists (select from pg_catalog.pg_index where indexrelid = {})", guard::oid(&name));
            say(format!("index {name}"), Some(holds));
        }
        Ddl::DropIndex(name) => say(format!("index {name}"), None),
        Ddl::CreatePolicy { policy, table } => {
            let holds = format!(
                "exists (select from pg_catalog.pg_policy where polrelid = {} and polname = {})",
                guard::oid(table),
                literal(policy)
            );
            say(format!("policy {policy} on {table}"), Some(holds));
        }
        Ddl::DropPolicy { policy, table } => say(format!("policy {policy} on {table}"), None),
        Ddl::CreateTrigger { name, table, .. } => {
            let holds = format!(
                "exists (select from pg_catalog.pg_trigger where tgrelid = {} and tgname = {})",
                guard::oid(table),
                literal(name)
            );
            say(format!("trigger {name} on {table}"), Some(holds));
        }
        Ddl::CreateRoutine { kind, name, .. } => {
            let holds = format!(
                "exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace where n.nspname = {} and p.proname = {})",
                named(&name.schema),
                literal(&name.name)
            );
            say(format!("{kind} {name}"), Some(holds));
        }
        Ddl::AlterTable { table, actions } => actions.iter().for_each(|action| altered(table, action, &mut say)),
        _ => {}
    }
}

fn there(kind: &str, name: &Name) -> Option<String> {
    let known = literal(&name.name);
    Some(match kind {
        "table" | "view" | "materialized view" | "sequence" => format!("{} is not null", guard::oid(name)),
        "schema" => format!("exists (select from pg_catalog.pg_namespace where nspname = {known})"),
        "role" => format!("exists (select from pg_catalog.pg_roles where rolname = {known})"),
        "publication" => format!("exists (select from pg_catalog.pg_publication where pubname = {known})"),
        "type" => format!(
            "exists (select from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where n.nspname = {} and t.typname = {known})",
            literal(name.schema.as_deref().unwrap_or("public"))
        ),
        _ => return None,
    })
}

fn altered(table: &Name, action: &Action, say: &mut impl FnMut(String, Option<String>)) {
    let oid = guard::oid(table);
    let class = |holds: &str| Some(format!("exists (select from pg_catalog.pg_class where oid = {oid} and {holds})"));
    let column = |name: &str, holds: &str| {
        let name = literal(name);
        Some(format!(
            "exists (select from pg_catalog.pg_attribute where attrelid = {oid} and attname = {name} and not attisdropped{holds})"
        ))
    };
    let constraint = |name: &str, holds: &str| {
        let name = literal(name);
        Some(format!(
            "exists (select from pg_catalog.pg_constraint where conrelid = {oid} and conname = {name}{holds})"
        ))
    };
    match action {
        Action::EnableRls => say(format!("row security of {table}"), class("relrowsecurity")),
        Action::DisableRls => say(format!("row security of {table}"), None),
        Action::Force => say(format!("row security of {table} for its owner"), class("relforcerowsecurity")),
        Action::NoForce => say(format!("row security of {table} for its owner"), None),
        Action::AddColumn(it) => say(format!("column {} of {table}", it.name), column(&it.name, "")),
        Action::SetNotNull(name) => say(format!("NOT NULL of {name} of {table}"), column(name, " and attnotnull")),
        Action::DropNotNull(name) => say(format!("NOT NULL of {name} of {table}"), None),
        Action::Add(added) => {
            if let Some(name) = &added.name {
                say(format!("constraint {name} of {table}"), constraint(name, ""));
            }
        }
        Action::Validate(name) => {
            say(format!("validation of {name} of {table}"), constraint(name, " and convalidated"));
        }
        Action::DropConstraint(name) => {
            say(format!("constraint {name} of {table}"), None);
            say(format!("validation of {name} of {table}"), None);
        }
        Action::Trigger { name, state } if *state == "always" => {
            let holds = format!(
                "exists (select from pg_catalog.pg_trigger where tgrelid = {oid} and tgname = {} and tgenabled = 'A')",
                literal(name)
            );
            say(format!("trigger {name} on {table} in every session"), Some(holds));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::script;

    #[test]
    fn what_is_made_is_asked_for_and_what_is_dropped_again_is_not() {
        let up = [
            "set local lock_timeout = '1s'",
            "-- why\ncreate table if not exists app.\"T's\" (id int)",
            "alter table app.t no force row level security",
            "alter table app.t add column if not exists k int, force row level security",
            "do $govctl$ begin\n  if not exists (select 1) then\n    alter table app.t add constraint c check (k > 0) not valid;\n  end if;\nend $govctl$",
            "drop policy if exists p on app.t",
            "create policy p on app.t using (true)",
            "alter table app.t add constraint helper check (k is not null)",
            "alter table app.t drop constraint if exists helper",
        ];
        let text = script(&up.map(str::to_owned));
        for part in [
            "to_regclass(format('%I.%I', 'app'::text, 'T''s'::text)) is not null",
            "attname = 'k'",
            "relforcerowsecurity",
            "conname = 'c'",
            "polname = 'p'",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("helper") && text.ends_with("rollback;\n"), "{text}");
        assert!(script(&["update t set a = 1".to_owned()]).contains("nothing in the catalog"));
    }
}
