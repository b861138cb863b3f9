-- These open the relation, as its constraints and the predicates of its indexes do elsewhere.
select 'trigger' as object_kind, t.oid as object, 0 as number, pg_get_triggerdef(t.oid) as text
from pg_trigger t
where not t.tgisinternal
   or (t.tgparentid <> 0 and t.tgconstraint = 0) -- before 15
union all
-- all but its name and its table
select 'index', i.indexrelid, 0,
       substr(pg_get_indexdef(i.indexrelid), 1 + length(format('CREATE %sINDEX %I ON %s%I.%I ', case when i.indisunique then 'UNIQUE ' end, x.relname,
         case when x.relkind = 'I' then 'ONLY ' end, n.nspname, c.relname)))
from pg_index i
join pg_class x on x.oid = i.indexrelid
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
where i.indexrelid >= 16384 and (i.indexprs is not null or i.indpred is not null)
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
union all
select 'partition key', p.partrelid, 0, regexp_replace(pg_get_partkeydef(p.partrelid), '^\w+ \((.*)\)$', '\1')
from pg_partitioned_table p where p.partexprs is not null
