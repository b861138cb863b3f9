-- A role may be named twice.
select distinct p.oid as policy, r.role
from pg_policy p
cross join unnest(p.polroles) r (role)
