select m.roleid as role, m.member, m.grantor, m.admin_option::int as admin_option,
       m.inherit_option::int as inherit_option, m.set_option::int as set_option -- since 16
       coalesce(r.rolinherit, false)::int as inherit_option, 1 as set_option -- before 16
from pg_auth_members m
left join pg_roles r on r.oid = m.member
