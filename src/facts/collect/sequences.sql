select c.oid as relation, d.refobjid as owned_by_relation, d.refobjsubid as owned_by_column
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid = 0
  and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
where c.relkind = 'S' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
