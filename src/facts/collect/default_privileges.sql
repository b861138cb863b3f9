select d.defaclrole as role, d.defaclnamespace as schema_oid,
       case d.defaclobjtype when 'r' then 'relation' when 'S' then 'sequence' when 'f' then 'function' when 'T' then 'type'
         when 'n' then 'schema' else 'large object' end as object_kind,
       a.grantee, a.privilege_type as privilege, a.is_grantable::int as grantable
from pg_default_acl d
cross join aclexplode(d.defaclacl) a
