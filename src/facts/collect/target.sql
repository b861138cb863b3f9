select {schema_version} as schema_version, '{govctl_version}' as govctl_version,
       to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as taken_at,
       'database' as kind, d.datname as database, d.oid as database_oid,
       current_setting('server_version') as server_version, current_setting('server_version_num') as server_version_num,
       current_user as role,
       coalesce((select r.rolsuper from pg_roles r where r.rolname = current_user), false)::int as role_is_superuser,
       pg_is_in_recovery()::int as in_recovery
from pg_database d
where d.datname = current_database()
