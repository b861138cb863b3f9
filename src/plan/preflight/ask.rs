//! Functions that policies ask. Whoever may not execute one gets an error in the place of rows, from the moment the policies are
//! enabled: PostgreSQL's documentation, section 5.9, and `ExecInitFunc`.

use crate::check::quote::literal;
use crate::error::Stop;
use crate::plan::before::Before;
use crate::plan::ddl::{Action, Cursor, Ddl, Name};
use squawk_lexer::TokenKind;
use std::collections::BTreeSet;

/// A function that is there before the plan, and who is going to need it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    table: Name,
    function: Name,
    /// Types of its arguments.
    signature: String,
    /// Those the policy is for; `public`: everybody.
    roles: Vec<String>,
}

/// What a statement makes policies ask from now on.
pub(super) async fn asked(sql: &str, ddl: &Ddl, before: &mut Before<'_>) -> Result<BTreeSet<Asked>, Stop> {
    match ddl {
        Ddl::CreatePolicy { table, .. } => of_new(sql, table, before).await,
        Ddl::AlterTable { table, actions } if actions.contains(&Action::EnableRls) => of_dormant(table, before).await,
        _ => Ok(BTreeSet::new()),
    }
}

/// Functions in the expressions of a policy that the plan makes; those that it makes itself are granted where they are made.
async fn of_new(sql: &str, table: &Name, before: &mut Before<'_>) -> Result<BTreeSet<Asked>, Stop> {
    let mut found = BTreeSet::new();
    let mut at = Cursor::new(sql);
    at.up_to(&["to", "using", "with"]);
    let roles = if at.take("to") { at.idents() } else { vec!["public".to_owned()] };
    while !at.is_done() {
        match at.name() {
            Some(name) => {
                if at.is_at(TokenKind::OpenParen) {
                    for signature in before.functions(&name).await? {
                        let (function, roles) = (name.clone(), roles.clone());
                        found.insert(Asked { table: table.clone(), function, signature, roles });
                    }
                }
            }
            None => {
                at.any();
            }
        }
    }
    Ok(found)
}

/// Policies that have stood there without effect.
async fn of_dormant(table: &Name, before: &mut Before<'_>) -> Result<BTreeSet<Asked>, Stop> {
    if before.row_security(table).await?.0 {
        return Ok(BTreeSet::new());
    }
    let dormant = before.policy_functions(table).await?;
    let asked = dormant.into_iter().map(|(function, signature, roles)| Asked {
        table: table.clone(),
        function,
        signature,
        roles,
    });
    Ok(asked.collect())
}

/// Stops where a session that reads the table could not ask.
pub(super) fn loop_over(asked: &BTreeSet<Asked>) -> String {
    if asked.is_empty() {
        return String::new();
    }
    let row = |it: &Asked| {
        let roles = it.roles.iter().map(|role| literal(role)).collect::<Vec<_>>().join(", ");
        let of = |name: &Name| {
            format!("{}::text, {}::text", literal(name.schema.as_deref().unwrap_or("public")), literal(&name.name))
        };
        format!("({}, {}, {}::text, array[{roles}]::text[])", of(&it.table), of(&it.function), literal(&it.signature))
    };
    let rows = asked.iter().map(row).collect::<Vec<_>>().join(",\n    ");
    format!(
        "
  for it in select * from (values
    {rows}) as asked (in_schema, name, its_schema, its_name, signature, roles) loop
    select r.rolname into owns from pg_catalog.pg_roles r
      join pg_catalog.pg_class c on c.oid = to_regclass(format('%I.%I', it.in_schema, it.name))
      where not r.rolsuper and not r.rolbypassrls and r.rolname !~ '^pg_'
        and has_table_privilege(r.oid, c.oid, 'select, insert, update, delete') and has_schema_privilege(r.oid, c.relnamespace, 'usage')
        and has_database_privilege(r.oid, current_database(), 'connect')
        and (r.rolcanlogin or exists (select from pg_catalog.pg_roles l where l.rolcanlogin and not l.rolsuper
               and pg_has_role(l.oid, r.oid, 'member') and not pg_has_role(l.oid, r.oid, 'usage')))
        and ('public' = any (it.roles) or exists (select from pg_catalog.pg_roles p where p.rolname = any (it.roles) and pg_has_role(r.oid, p.oid, 'usage')))
        and not has_function_privilege(r.oid, to_regprocedure(format('%I.%I(%s)', it.its_schema, it.its_name, it.signature)), 'execute')
      limit 1;
    if found then
      raise exception '% may not execute %.%, which policies of %.% are going to ask: grant it, or its queries fail',
        owns.rolname, it.its_schema, it.its_name, it.in_schema, it.name;
    end if;
  end loop;"
    )
}
