-- What PostgreSQL hides without an error.
select 'settings' as area, null as object, 'settings that only superusers see are left out of pg_settings' as why,
       format('grant pg_read_all_settings to %I', current_user) as needs
where not pg_has_role('pg_read_all_settings', 'USAGE')
union all
select 'user_mappings', format('%I for %s', m.srvname, case when m.umuser = 0 then 'PUBLIC' else quote_ident(m.usename) end),
       'the options of this user mapping are shown to its user, the owner of the server and superusers',
       case when m.umuser = 0 then format('grant %I to %I', pg_get_userbyid(s.srvowner), current_user)
         else format('run govctl as %I or as a superuser', m.usename) end
from pg_user_mappings m
join pg_foreign_server s on s.oid = m.srvid
where not (coalesce((select r.rolsuper from pg_roles r where r.rolname = current_user), false)
  or (m.umuser = 0 and pg_has_role(s.srvowner, 'USAGE'))
  or (m.usename = current_user and (pg_has_role(s.srvowner, 'USAGE') or has_server_privilege(s.oid, 'USAGE'))))
union all
select 'large_objects', null, 'only the first 10,000 large objects were read', 'fewer large objects'
where exists (select from pg_largeobject_metadata offset 10000)
