select i.indexrelid as oid, i.indrelid as relation, c.relname as name, am.amname as method,
       i.indisunique::int as is_unique, i.indisprimary::int as is_primary, i.indisvalid::int as is_valid,
       i.indnullsnotdistinct::int as nulls_not_distinct, -- since 15
       0 as nulls_not_distinct, -- before 15
       pg_get_expr(i.indpred, i.indrelid) as predicate, pg_get_expr(i.indexprs, i.indrelid) as expressions
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_am am on am.oid = c.relam
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
