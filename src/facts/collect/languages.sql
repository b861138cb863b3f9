select l.oid, l.lanname as name, l.lanpltrusted::int as trusted, l.lanowner as owner, (l.lanacl is null)::int as default_acl
from pg_language l
