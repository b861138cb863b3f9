-- What pg_get_functiondef says before the body, which functions.source has. The body is the end: its delimiter is looked for there.
select 'function' as object_kind, f.oid as object, 0 as number,
       case when f.body is not null then left(f.definition, length(f.definition) - length(f.body) - 1)
         else left(f.definition, length(f.definition) - length(f.prosrc) - 2 * length(f.delimiter) - 1) end as text
from (
  select p.oid, p.prosrc, d.definition, substring(d.definition from '(\$(?:function|procedure)x*\$)\n$') as delimiter,
         case when p.prosqlbody is not null then pg_get_function_sqlbody(p.oid) end as body
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_language l on l.oid = p.prolang and l.lanname <> 'c'
  cross join lateral pg_get_functiondef(p.oid) d (definition)
  where p.prokind in ('f', 'p', 'w') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema') f
