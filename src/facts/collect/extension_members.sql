select distinct case d.classid when 'pg_class'::regclass then 'relation' when 'pg_proc'::regclass then 'function' else 'schema' end as object_kind,
       d.objid as object
from pg_depend d
where d.deptype = 'e' and d.classid in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass)
