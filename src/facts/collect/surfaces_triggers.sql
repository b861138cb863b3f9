select 'trigger argument' as place, 'relation' as object_kind, t.tgrelid as object, 0 as column_number, t.tgname as part,
       null as name, a.argument as text, 0 as code
from pg_trigger t
cross join unnest(string_to_array(encode(t.tgargs, 'escape'), '\000')) a (argument)
where t.tgnargs > 0 and a.argument <> ''
union all
select 'trigger condition', 'relation', t.tgrelid, 0, t.tgname, null, pg_get_triggerdef(t.oid), 1
from pg_trigger t where t.tgqual is not null and not t.tgisinternal
