select o.object_kind, o.object, o.column_number, a.grantee, a.grantor, a.privilege_type as privilege, a.is_grantable::int as grantable
from (
  select 'relation' as object_kind, c.oid as object, 0 as column_number, c.relacl as acl
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  union all
  select 'column', a.attrelid, a.attnum, a.attacl
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  where a.attacl is not null and not a.attisdropped and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  union all
  select 'schema', n.oid, 0, n.nspacl from pg_namespace n where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  union all
  select 'function', p.oid, 0, p.proacl
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
) o
cross join aclexplode(o.acl) a
