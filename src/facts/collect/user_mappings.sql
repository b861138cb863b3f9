-- Who may see the options is PostgreSQL's own rule for the view; `hidden_user_mappings.sql` lists the mappings where it says no.
select m.srvid as server, m.umuser as role,
       (select o.option_value from pg_options_to_table(m.umoptions) o where o.option_name = 'user') as remote_user,
       case when v.visible
         then exists (select from pg_options_to_table(m.umoptions) o where o.option_name = 'password')::int end as has_password
from pg_user_mappings m
join pg_foreign_server s on s.oid = m.srvid
cross join lateral (
  select coalesce((select r.rolsuper from pg_roles r where r.rolname = current_user), false)
      or (m.umuser = 0 and pg_has_role(s.srvowner, 'USAGE'))
      or (m.usename = current_user and (pg_has_role(s.srvowner, 'USAGE') or has_server_privilege(s.oid, 'USAGE')))) v (visible)
