select p.oid, p.polrelid as relation, p.polname as name, p.polpermissive::int as permissive,
       case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' else 'ALL' end as command,
       pg_get_expr(p.polqual, p.polrelid) as using_expression, pg_get_expr(p.polwithcheck, p.polrelid) as check_expression,
       m.description as comment
from pg_policy p
left join pg_description m on m.objoid = p.oid and m.classoid = 'pg_policy'::regclass and m.objsubid = 0
