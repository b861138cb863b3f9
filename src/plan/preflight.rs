//! The first migration of a plan: what it takes for granted, looked at before anything is changed.

mod ask;
mod held;
mod orphans;

use super::before::Before;
use super::ddl::{self, Action, Ddl, Name};
use super::guard;
use super::step::Step;
use crate::check::quote::literal;
use crate::error::Stop;
use crate::plan::structures::Uncertain;
use std::collections::{BTreeMap, BTreeSet};

/// Stops with a sentence where the server is older than that of the facts, where a table that is changed is not there, where the
/// role may not act as its owner, where rows lack what they are going to be held to, or where somebody may not execute what policies
/// are going to ask. None where nothing that exists is
/// changed.
///
/// `uncertain`: tables whose rows may refer to nothing; `shared`: those of which the owner has said that such rows are everybody's.
pub(crate) async fn step(
    steps: &[Step],
    uncertain: &[Uncertain],
    shared: &[String],
    before: &mut Before<'_>,
) -> Result<Option<Step>, Stop> {
    let mut tables: BTreeMap<Name, String> = BTreeMap::new();
    let (mut asked, mut routines) = (BTreeSet::new(), BTreeMap::new());
    let mut held = held::Held::default();
    for statement in steps.iter().flat_map(|step| &step.up) {
        let statement = guard::inner(statement);
        let ddl = ddl::read(statement);
        held.add(&ddl, steps, before).await?;
        if let Ddl::AlterRoutine { name, arguments, .. } = &ddl
            && let Some(owner) = before.routine_owner(name, arguments).await?
        {
            routines.insert(format!("{name}({arguments})"), owner);
        }
        let (Ddl::AlterTable { table, .. } | Ddl::CreatePolicy { table, .. } | Ddl::CreateTrigger { table, .. }) = ddl
        else {
            continue;
        };
        asked.extend(ask::asked(statement, &ddl::read(statement), before).await?);
        if !tables.contains_key(&table)
            && let Some(owner) = before.owner(&table).await?
        {
            tables.insert(table, owner);
        }
    }
    let Some(stage) = steps.iter().map(|step| step.stage).min().filter(|_| !tables.is_empty()) else { return Ok(None) };
    let major = before.version().await? / 10_000;
    let owners: BTreeSet<&str> = tables.values().chain(routines.values()).map(String::as_str).collect();
    let advice = match owners.len() {
        1 => "run this plan as its owner".to_owned(),
        // In the text of an exception: a quote is doubled, and a percent sign stands for a value.
        _ => {
            let owners = owners.into_iter().collect::<Vec<_>>().join(", ").replace('\'', "''").replace('%', "%%");
            format!("run this plan as a role that may act as each of {owners}")
        }
    };
    let rows = tables.iter().map(|(table, owner)| {
        let schema = literal(table.schema.as_deref().unwrap_or("public"));
        format!("({schema}::text, {}::text, {}::text)", literal(&table.name), literal(owner))
    });
    let uncertain: Vec<_> = uncertain.iter().filter(|it| tables.contains_key(&it.table)).collect();
    let body = format!(
        "declare
  it record;
  owns record;
begin
  if current_setting('server_version_num')::int < {major}0000 then
    raise exception 'this plan was made for PostgreSQL {major}, and this is %: plan again for it', current_setting('server_version');
  end if;
  for it in select * from (values
    {}) as planned (in_schema, name, owner) loop
    select o.oid, o.rolname into owns from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_roles o on o.oid = c.relowner
      where n.nspname = it.in_schema and c.relname = it.name;
    if not found then
      raise exception '%.% is not there: this plan was made for another database', it.in_schema, it.name;
    end if;
    if owns.rolname = it.owner and not pg_catalog.pg_has_role(current_user, owns.oid, 'usage') then
      raise exception '%.% belongs to %, and % may not act as it: {advice}', it.in_schema, it.name, it.owner, current_user;
    end if;
  end loop;{}{}{}
end",
        rows.collect::<Vec<_>>().join(",\n    "),
        of_routines(&routines, &advice),
        ask::loop_over(&asked),
        stop(&held, &uncertain, shared)
    );
    let tag = guard::tag(&body);
    Ok(Some(Step {
        n: 0,
        name: "check_the_ground".to_owned(),
        stage,
        kind: None,
        why: "What the plan takes for granted is looked at before anything is changed.".to_owned(),
        transaction: true,
        up: vec![format!("do {tag} {body} {tag}")],
        down: Vec::new(),
        closes: Vec::new(),
        lock: "none on tables".to_owned(),
        reversible: true,
        notes: Vec::new(),
        questions: Vec::new(),
    }))
}

/// Stops where functions that are changed belong to somebody as whom the role may not act.
fn of_routines(routines: &BTreeMap<String, String>, advice: &str) -> String {
    if routines.is_empty() {
        return String::new();
    }
    let row = |(routine, owner): (&String, &String)| format!("({}::text, {}::text)", literal(routine), literal(owner));
    format!(
        "
  for it in select * from (values
    {}) as planned (routine, owner) loop
    if exists (select from pg_catalog.pg_proc f join pg_catalog.pg_roles o on o.oid = f.proowner
               where f.oid = to_regprocedure(it.routine) and o.rolname = it.owner and not pg_catalog.pg_has_role(current_user, o.oid, 'usage')) then
      raise exception '% belongs to %, and % may not act as it: {advice}', it.routine, it.owner, current_user;
    end if;
  end loop;",
        routines.iter().map(row).collect::<Vec<_>>().join(",\n    ")
    )
}

/// Warns where rows are not what they are going to be held to, and stops where no migration could go on. All of it is told at once, with
/// what to do about it: whose rows are that say nothing, nobody but a person can say.
fn stop(held: &held::Held, uncertain: &[&Uncertain], shared: &[String]) -> String {
    let sentences = held.sentences().into_iter().chain(orphans::sentence(uncertain, shared)).collect::<Vec<_>>();
    if sentences.is_empty() {
        return String::new();
    }
    format!(
        "
  declare
    wrong text[] := '{{}}';
    told text[] := '{{}}';
    found text[];
    shared text[];
  begin{}
    if wrong <> '{{}}' then
      raise exception using message = array_to_string(wrong || told, '. ');
    elsif told <> '{{}}' then
      raise warning using message = array_to_string(told, '. ');
    end if;
  end;",
        sentences.concat()
    )
}

/// What is so from now on for whoever runs migrations: FORCE binds the owner too, and what it then changes without a tenant is no
/// row, and no error.
pub(crate) async fn bound(steps: &[Step], before: &mut Before<'_>) -> Result<Option<String>, Stop> {
    for step in steps {
        for statement in &step.up {
            let Ddl::AlterTable { table, actions } = ddl::read(guard::inner(statement)) else { continue };
            if actions.contains(&Action::Force)
                && !before.row_security(&table).await?.1
                && let Some(owner) = before.ordinary_owner(&table).await?
            {
                return Ok(Some(format!(
                    "From migration {} on, policies bind {owner} as well, who owns the tables: a later migration that changes rows \
                     changes none, and says nothing, unless it sets a tenant for its session or lifts FORCE meanwhile.",
                    step.n
                )));
            }
        }
    }
    Ok(None)
}
