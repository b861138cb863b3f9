-- tgtype: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate, 64 instead.
select t.oid, t.tgrelid as relation, t.tgname as name, t.tgfoid as function,
       case t.tgenabled when 'O' then 'origin' when 'A' then 'always' when 'R' then 'replica' else 'disabled' end as enabled,
       case when t.tgtype & 64 > 0 then 'INSTEAD OF' when t.tgtype & 2 > 0 then 'BEFORE' else 'AFTER' end as timing,
       (t.tgtype & 1 > 0)::int as row_level, (t.tgtype & 4 > 0)::int as on_insert, (t.tgtype & 16 > 0)::int as on_update,
       (t.tgtype & 8 > 0)::int as on_delete, (t.tgtype & 32 > 0)::int as on_truncate, nullif(t.tgattr::text, '') as update_columns, (t.tgqual is not null)::int as has_condition
from pg_trigger t
where not t.tgisinternal
   or (t.tgparentid <> 0 and t.tgconstraint = 0) -- before 15
