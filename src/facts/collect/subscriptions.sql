select s.oid, s.subname as name, s.subowner as owner, s.subenabled::int as enabled
from pg_subscription s
where s.subdbid = (select d.oid from pg_database d where d.datname = current_database())
