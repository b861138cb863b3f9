//! A value of an enum taken away again: PostgreSQL has no statement for it, so the type is made anew and its columns are moved to it.

use super::Undo;
use crate::check::quote::{ident, literal};
use crate::error::Stop;
use crate::plan::before::Before;
use crate::plan::ddl::Name;
use crate::plan::guard;

/// The type with the values it had. Where a row has another by now, or something else depends on the type, a warning says that it stays.
pub(super) async fn undone(name: &Name, before: &mut Before<'_>) -> Result<Undo, Stop> {
    let schema = name.schema.as_deref().unwrap_or("public");
    let labels = before
        .ask(
            "select l.label from enum_labels l join types t on t.oid = l.type_oid where t.schema = ? and t.name = ? order by l.position",
            &[schema, &name.name],
        )
        .await?;
    if labels.is_empty() {
        return Ok(Undo::impossible(format!("a value of the enum {} cannot be taken away again", name.name)));
    }
    let each = labels.iter().map(|label| literal(label)).collect::<Vec<_>>().join(", ");
    // A name that nothing has: it is gone at the end of the block.
    let old = Name { schema: name.schema.clone(), name: "govctl_enum_before".to_owned() };
    let known = literal(&name.to_string());
    let said = format!(
        "values that {} got stay: a row has one of them, or something else than columns depends on the type",
        name.name
    );
    let body = format!(
        "declare
  it record;
  held jsonb;
begin
  if (select array_agg(enumlabel::text order by enumsortorder) from pg_catalog.pg_enum where enumtypid = to_regtype({known})) is distinct from array[{each}] then
    held := (
      select jsonb_agg(jsonb_build_object('on_table', a.attrelid::regclass::text, 'attname', a.attname,
                                          'had_default', pg_catalog.pg_get_expr(d.adbin, d.adrelid)))
      from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
      left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.atttypid = to_regtype({known}) and not a.attisdropped and a.attinhcount = 0);
    alter type {name} rename to {};
    create type {name} as enum ({each});
    for it in select * from jsonb_to_recordset(coalesce(held, '[]')) as x (on_table text, attname text, had_default text) loop
      if it.had_default is not null then
        execute format('alter table %s alter column %I drop default', it.on_table, it.attname);
      end if;
      execute format('alter table %s alter column %I type %s using %I::text::%s', it.on_table, it.attname, {known}, it.attname, {known});
      if it.had_default is not null then
        execute format('alter table %s alter column %I set default %s', it.on_table, it.attname, it.had_default);
      end if;
    end loop;
    drop type {old};
  end if;
exception when invalid_text_representation or dependent_objects_still_exist or feature_not_supported or undefined_function then
  raise warning using message = {};
end",
        ident(&old.name),
        literal(&said),
    );
    let tag = guard::tag(&body);
    Ok(Undo::by(format!("do {tag} {body} {tag}")))
}
