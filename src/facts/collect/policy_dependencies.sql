-- Beside the policy's own table, which every policy depends on.
select distinct d.objid as policy, case d.refclassid when 'pg_class'::regclass then 'relation' else 'function' end as object_kind,
       d.refobjid as object
from pg_depend d
join pg_policy p on p.oid = d.objid
where d.classid = 'pg_policy'::regclass and d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass)
  and not (d.refclassid = 'pg_class'::regclass and d.refobjid = p.polrelid)
