select e.enumtypid as type_oid, n.nspname as schema, t.typname as type, e.enumlabel as label, e.enumsortorder as position
from pg_enum e
join pg_type t on t.oid = e.enumtypid
join pg_namespace n on n.oid = t.typnamespace
