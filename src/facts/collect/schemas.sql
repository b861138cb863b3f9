select n.oid, n.nspname as name, n.nspowner as owner, 'user' as provenance, (n.nspacl is null)::int as default_acl,
       m.description as comment
from pg_namespace n
left join pg_description m on m.objoid = n.oid and m.classoid = 'pg_namespace'::regclass and m.objsubid = 0
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
