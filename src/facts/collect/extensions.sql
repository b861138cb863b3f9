select e.oid, e.extname as name, e.extversion as version, e.extnamespace as schema_oid, e.extowner as owner
from pg_extension e
