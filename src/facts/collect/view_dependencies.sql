select distinct r.ev_class as view, case d.refclassid when 'pg_class'::regclass then 'relation' else 'function' end as object_kind,
       d.refobjid as object, d.refobjsubid as column_number
from pg_rewrite r
join pg_class c on c.oid = r.ev_class and c.relkind in ('v', 'm')
join pg_namespace n on n.oid = c.relnamespace
join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
where r.rulename = '_RETURN' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass)
  and not (d.refclassid = 'pg_class'::regclass and d.refobjid = r.ev_class)
