select p.partrelid as relation, case p.partstrat when 'r' then 'range' when 'l' then 'list' else 'hash' end as strategy,
       k.position, k.number as column_number
from pg_partitioned_table p
cross join unnest(p.partattrs::int2[]) with ordinality k (number, position)
