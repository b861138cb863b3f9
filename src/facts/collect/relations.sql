-- A view's definition comes by way of `definitions`: decompiling one takes a lock, and a lock refused must not cost the relations.
select c.oid, c.relnamespace as schema_oid, n.nspname as schema, c.relname as name,
       case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
         when 'm' then 'materialized view' when 'f' then 'foreign table' when 'S' then 'sequence' end as kind,
       c.relowner as owner, c.relrowsecurity::int as rls, c.relforcerowsecurity::int as force_rls,
       -- the option is stored as it was typed: on, true, yes, 1
       coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o
                 where o.option_name = 'security_invoker'), false)::int as security_invoker,
       coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o
                 where o.option_name = 'security_barrier'), false)::int as security_barrier,
       c.relispartition::int as is_partition,
       case c.relpersistence when 'p' then 'permanent' when 'u' then 'unlogged' else 'temporary' end as persistence,
       c.reltuples::bigint as rows_estimate, (c.relacl is null)::int as default_acl,
       'user' as provenance, m.description as comment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_description m on m.objoid = c.oid and m.classoid = 'pg_class'::regclass and m.objsubid = 0
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
-- What is named after a table comes behind it: a secret in its name is known by then.
order by c.relkind = 'S'
