-- The first 10,000; `hidden_large_objects.sql` says where there are more.
select l.oid, l.lomowner as owner, (l.lomacl is null)::int as default_acl
from pg_largeobject_metadata l
order by l.oid
limit 10000
