-- What the connected role may not use and an area may name: catalogs, their functions, and the tables of pg_cron.
select c.relname::text as name, format('%I.%I', n.nspname, c.relname) as object,
       case when has_schema_privilege(n.oid, 'usage')
         then format('grant select on %I.%I to %I', n.nspname, c.relname, current_user)
         else format('grant usage on schema %I to %I; grant select on %I.%I to %I',
           n.nspname, current_user, n.nspname, c.relname, current_user) end as needs
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('pg_catalog', 'cron') and c.relkind in ('r', 'v')
  and not (has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select'))
union all
select c.relname::text, format('%I.%I', n.nspname, c.relname), format('alter role %I bypassrls', current_user)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('pg_catalog', 'cron') and c.relkind in ('r', 'v') and row_security_active(c.oid)
  and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')
union all
select p.proname::text, format('%I.%I', n.nspname, p.proname),
       format('grant execute on function %I.%I(%s) to %I', n.nspname, p.proname, oidvectortypes(p.proargtypes), current_user)
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname = 'pg_catalog' and not has_function_privilege(p.oid, 'execute')
order by 1, 2, 3
