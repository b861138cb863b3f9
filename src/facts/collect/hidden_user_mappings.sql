-- PostgreSQL hides these without an error: the rule is that of user_mappings.sql.
select 'user_mappings' as area, format('%I for %s', m.srvname, case when m.umuser = 0 then 'PUBLIC' else quote_ident(m.usename) end) as object,
       'the options of this user mapping are shown to its user, the owner of the server and superusers' as why,
       case when m.umuser = 0 then format('grant %I to %I', pg_get_userbyid(s.srvowner), current_user)
         else format('run govctl as %I or as a superuser', m.usename) end as needs
from pg_user_mappings m
join pg_foreign_server s on s.oid = m.srvid
where not (coalesce((select r.rolsuper from pg_roles r where r.rolname = current_user), false)
  or (m.umuser = 0 and pg_has_role(s.srvowner, 'USAGE'))
  or (m.usename = current_user and (pg_has_role(s.srvowner, 'USAGE') or has_server_privilege(s.oid, 'USAGE'))))
