select k.oid as constraint_oid, u.position, u.number as column_number, k.confkey[u.position] as referenced_column_number
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
cross join unnest(k.conkey) with ordinality u (number, position)
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  -- What PostgreSQL keeps beside a foreign key to a partitioned table, one for each of its partitions, is no constraint of its own.
  and not exists (select from pg_constraint whole where whole.oid = k.conparentid and whole.conrelid = k.conrelid and k.contype = 'f')
