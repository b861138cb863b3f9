select i.indexrelid as index_oid, k.position, k.number as column_number, (k.position <= i.indnkeyatts)::int as is_key
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
cross join unnest(i.indkey::int2[]) with ordinality k (number, position)
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
