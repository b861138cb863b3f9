select k.oid, k.conrelid as relation, k.conname as name,
       case k.contype when 'p' then 'primary key' when 'u' then 'unique' when 'f' then 'foreign key' when 'c' then 'check'
         when 'x' then 'exclusion' when 'n' then 'not null' else 'trigger' end as kind,
       nullif(k.confrelid, 0) as referenced_relation,
       case k.confdeltype when 'a' then 'no action' when 'r' then 'restrict' when 'c' then 'cascade'
         when 'n' then 'set null' when 'd' then 'set default' end as on_delete,
       case k.confupdtype when 'a' then 'no action' when 'r' then 'restrict' when 'c' then 'cascade'
         when 'n' then 'set null' when 'd' then 'set default' end as on_update,
       k.convalidated::int as validated,
       k.conenforced::int as enforced, -- since 18
       1 as enforced, -- before 18
       coalesce(pg_get_constraintdef(k.oid), '') as definition
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  -- What PostgreSQL keeps beside a foreign key to a partitioned table, one for each of its partitions, is no constraint of its own.
  and not exists (select from pg_constraint whole where whole.oid = k.conparentid and whole.conrelid = k.conrelid and k.contype = 'f')
