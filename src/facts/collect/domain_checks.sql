select format_type(t.oid, null) as domain, pg_get_constraintdef(k.oid) as definition
from pg_constraint k
join pg_type t on t.oid = k.contypid
join pg_namespace n on n.oid = t.typnamespace
where k.contype = 'c' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
