-- Settings hold secrets at times (app.jwt_secret): a value leaves the database only where its name says that it cannot be one, or
-- where it says nothing: empty, or zeros.
select s.setrole as role, s.setdatabase as database, split_part(c.setting, '=', 1) as name,
       case when substr(c.setting, strpos(c.setting, '=') + 1) ~ '^[0"-]*$' then ''
            when split_part(c.setting, '=', 1) in ('row_security', 'role', 'search_path', 'session_preload_libraries', 'session_replication_role')
              then substr(c.setting, strpos(c.setting, '=') + 1) end as value
from pg_db_role_setting s
cross join unnest(s.setconfig) c (setting)
