select t.oid, t.evtname as name, t.evtevent as event, t.evtowner as owner, t.evtfoid as function,
       case t.evtenabled when 'O' then 'origin' when 'A' then 'always' when 'R' then 'replica' else 'disabled' end as enabled
from pg_event_trigger t
