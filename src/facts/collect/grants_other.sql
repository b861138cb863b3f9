-- Apart from the grants on relations and functions, which a refusal here must not cost.
select o.object_kind, o.object, o.column_number, a.grantee, a.grantor, a.privilege_type as privilege, a.is_grantable::int as grantable
from (
  select 'database' as object_kind, d.oid as object, 0 as column_number, d.datacl as acl from pg_database d
  union all
  select 'type', t.oid, 0, t.typacl from pg_type t
  union all
  select 'language', l.oid, 0, l.lanacl from pg_language l
  union all
  select 'foreign server', s.oid, 0, s.srvacl from pg_foreign_server s
  union all
  select 'foreign data wrapper', w.oid, 0, w.fdwacl from pg_foreign_data_wrapper w
  union all
  select 'tablespace', s.oid, 0, s.spcacl from pg_tablespace s
  union all
  select 'parameter', p.oid, 0, p.paracl from pg_parameter_acl p -- since 15
  union all -- since 15
  (select 'large object', l.oid, 0, l.lomacl from pg_largeobject_metadata l order by l.oid limit 10000)
) o
cross join aclexplode(o.acl) a
