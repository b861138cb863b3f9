-- Which rows the connected role may read, and which columns where not all of them.
select c.oid::bigint as oid, has_schema_privilege(c.relnamespace, 'usage') as usage,
       has_table_privilege(c.oid, 'select') as whole, row_security_active(c.oid) as bound, current_user::text as me,
       case when not has_table_privilege(c.oid, 'select') then coalesce((
         select string_agg(a.attnum::text, ',') from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and has_column_privilege(c.oid, a.attnum, 'select')), '')
       else '' end as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
