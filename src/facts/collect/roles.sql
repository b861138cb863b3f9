select r.oid, r.rolname as name, r.rolsuper::int as superuser, r.rolinherit::int as inherit, r.rolcreaterole::int as create_role,
       r.rolcreatedb::int as create_db, r.rolcanlogin::int as login, r.rolreplication::int as replication,
       r.rolbypassrls::int as bypass_rls, r.rolconnlimit as connection_limit,
       case when isfinite(r.rolvaliduntil) then to_char(r.rolvaliduntil at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
         else r.rolvaliduntil::text end as valid_until,
       m.description as comment,
       case when r.rolname ~ '^pg_' or r.oid = 10 then 'system' else 'user' end as provenance
from pg_roles r
left join pg_shdescription m on m.objoid = r.oid and m.classoid = 'pg_authid'::regclass
