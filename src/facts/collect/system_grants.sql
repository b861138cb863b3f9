-- Beyond what initdb and CREATE EXTENSION gave, which pg_init_privs records; where it has no row, the built-in rights.
-- initdb's relations have numbers below 16384.
select o.object_kind, o.name, o.signature, o.part as column_name, a.grantee, a.privilege_type as privilege, a.is_grantable::int as grantable
from (
  select 'function' as object_kind, p.tableoid as catalog, p.oid, 0 as sub, p.proname as name, oidvectortypes(p.proargtypes) as signature,
         null::name as part, p.proacl as acl, acldefault('f', p.proowner) as built_in, p.proowner as owner
  from pg_proc p where p.proacl is not null and p.pronamespace = 'pg_catalog'::regnamespace
  union all
  select case c.relkind when 'r' then 'table' else 'view' end, c.tableoid, c.oid, 0, c.relname, null, null,
         c.relacl, acldefault('r', c.relowner), c.relowner
  from pg_class c
  where c.oid < 16384::oid and c.relacl is not null and c.relkind in ('r', 'v') and c.relnamespace = 'pg_catalog'::regnamespace
  union all
  select 'column', c.tableoid, c.oid, a.attnum, c.relname, null, a.attname, a.attacl, acldefault('c', c.relowner), c.relowner
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  where a.attrelid < 16384::oid and a.attacl is not null and not a.attisdropped and c.relkind in ('r', 'v')
    and c.relnamespace = 'pg_catalog'::regnamespace
) o
left join pg_init_privs i on i.objoid = o.oid and i.classoid = o.catalog and i.objsubid = o.sub
cross join aclexplode(o.acl) a
where a.grantee <> o.owner
  and not exists (
    select from aclexplode(coalesce(i.initprivs, o.built_in)) b
    where b.grantee = a.grantee and b.privilege_type = a.privilege_type and b.is_grantable >= a.is_grantable)
