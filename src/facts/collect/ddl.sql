-- Nothing in here opens a relation, and so nothing waits for a lock.
-- Few columns have a collation that is neither none (0) nor the database's own (100): they are looked for once.
with special as materialized (
  select a.attrelid, a.attnum, a.atttypid, a.attcollation, a.attgenerated = 'v' as is_virtual
  from pg_attribute a
  where a.attrelid >= 16384 and a.attnum > 0 and not a.attisdropped and (a.attcollation not in (0, 100) or a.attgenerated = 'v'
    or a.atttypid in (select t.oid from pg_type t where t.typcollation not in (0, 100)))
)
select 'domain' as object_kind, t.oid as object, 0 as number,
       concat(format_type(t.typbasetype, t.typtypmod),
         (select format(' collate %I.%I', n.nspname, l.collname) from pg_collation l join pg_namespace n on n.oid = l.collnamespace
          join pg_type b on b.oid = t.typbasetype where l.oid = t.typcollation and l.oid <> b.typcollation),
         ' default ' || t.typdefault, case when t.typnotnull then ' not null' end,
         (select string_agg(format(' constraint %I %s', k.conname, pg_get_constraintdef(k.oid)), '' order by k.conname)
          from pg_constraint k where k.contypid = t.oid and k.contype = 'c' and k.convalidated)) as text
from pg_type t where t.typtype = 'd' and t.oid >= 16384
union all
select 'composite', t.oid, 0,
       coalesce(string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
         (select format(' collate %I.%I', n.nspname, l.collname) from pg_collation l join pg_namespace n on n.oid = l.collnamespace
          join pg_type b on b.oid = a.atttypid where l.oid = a.attcollation and l.oid <> b.typcollation)), ', ' order by a.attnum), '')
from pg_type t
join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where t.oid >= 16384
group by t.oid
union all
select 'range', r.rngtypid, 0,
       concat('subtype = ', format_type(r.rngsubtype, null),
         (select format(', subtype_opclass = %I.%I', n.nspname, o.opcname) from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace
          where o.oid = r.rngsubopc and not o.opcdefault),
         (select format(', collation = %I.%I', n.nspname, l.collname) from pg_collation l join pg_namespace n on n.oid = l.collnamespace
          join pg_type b on b.oid = r.rngsubtype where l.oid = r.rngcollation and l.oid <> b.typcollation),
         (select ', subtype_diff = ' || r.rngsubdiff::text where r.rngsubdiff <> 0),
         (select format(', multirange_type_name = %I.%I', n.nspname, m.typname) from pg_type m join pg_namespace n on n.oid = m.typnamespace
          where m.oid = r.rngmultitypid))
from pg_range r where r.rngtypid >= 16384
union all
select 'collation', l.oid, 0,
       format('%I.%I (provider = %s, deterministic = %s, ', n.nspname, l.collname, case l.collprovider when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end,
         case when l.collisdeterministic then 'true' else 'false' end)
       || case when l.collprovider = 'c' then format('lc_collate = %L, lc_ctype = %L)', l.collcollate, l.collctype)
            else format('locale = %L)', coalesce(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale', l.collcollate)) end
from pg_collation l join pg_namespace n on n.oid = l.collnamespace
where l.oid >= 16384 and n.nspname !~ '^pg_'
union all
select 'sequence', s.seqrelid, 0,
       format('as %s increment by %s minvalue %s maxvalue %s start with %s cache %s%s', format_type(s.seqtypid, null), s.seqincrement,
         s.seqmin, s.seqmax, s.seqstart, s.seqcache, case when s.seqcycle then ' cycle' else '' end)
from pg_sequence s
union all
select 'column', a.attrelid, a.attnum,
       concat_ws(' ', (select format('collate %I.%I', n.nspname, l.collname) from pg_collation l join pg_namespace n on n.oid = l.collnamespace
                       where l.oid = a.attcollation), case when a.is_virtual then 'virtual' end)
from special a
join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'f')
join pg_type t on t.oid = a.atttypid
where a.attcollation <> t.typcollation or a.is_virtual
union all
select 'replica identity', c.oid, 0,
       case c.relreplident when 'f' then 'full' when 'n' then 'nothing' else 'using index '
         || (select quote_ident(x.relname) from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid and i.indisreplident) end
from pg_class c where c.relkind in ('r', 'p') and c.relreplident <> 'd' and c.oid >= 16384
union all
select 'view option', c.oid, 0, o.option_value
from pg_class c cross join pg_options_to_table(c.reloptions) o
where c.relkind = 'v' and o.option_name = 'check_option'
union all
select 'index', i.indexrelid, 0,
       format('using %I (%s)%s', am.amname, string_agg(
         concat(quote_ident(a.attname),
           (select format(' collate %I.%I', n.nspname, l.collname) from pg_collation l join pg_namespace n on n.oid = l.collnamespace
            where l.oid = e.collid and l.oid <> a.attcollation),
           (select format(' %I.%I', n.nspname, o.opcname) from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace
            where o.oid = e.opclass and (not o.opcdefault or am.amname not in ('btree', 'hash'))),
           case e.flags & 3 when 1 then ' desc nulls last' when 2 then ' nulls first' when 3 then ' desc' end), ', ' order by e.position)
         filter (where e.position <= i.indnkeyatts),
         ' include (' || string_agg(quote_ident(a.attname), ', ' order by e.position) filter (where e.position > i.indnkeyatts) || ')')
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_am am on am.oid = c.relam
cross join unnest(i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[], i.indoption::int2[]) with ordinality e (number, opclass, collid, flags, position)
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = e.number
where i.indexrelid >= 16384 and i.indexprs is null and i.indpred is null
  -- most indexes are as plain as can be, which is seen without taking them apart
  and (am.amname not in ('btree', 'hash') or not i.indoption::int2[] <@ '{0}' or not i.indcollation::oid[] <@ '{0,100}'
    or i.indclass::oid[] && (select array_agg(oid) from pg_opclass where not opcdefault)
    or i.indrelid in (select s.attrelid from special s))
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
group by i.indexrelid, i.indnkeyatts, am.amname
-- what the tables of the facts say by themselves
having bool_or(e.flags <> 0 or am.amname not in ('btree', 'hash') or (e.collid <> 0 and e.collid <> a.attcollation)
  or exists (select from pg_opclass o where o.oid = e.opclass and not o.opcdefault))
union all
select 'partition key', p.partrelid, 0,
       string_agg(concat(quote_ident(a.attname),
         (select format(' collate %I.%I', n.nspname, l.collname) from pg_collation l join pg_namespace n on n.oid = l.collnamespace
          where l.oid = e.collid and l.oid <> a.attcollation),
         (select format(' %I.%I', n.nspname, o.opcname) from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace
          where o.oid = e.opclass and not o.opcdefault)), ', ' order by e.position)
from pg_partitioned_table p
cross join unnest(p.partattrs::int2[], p.partclass::oid[], p.partcollation::oid[]) with ordinality e (number, opclass, collid, position)
join pg_attribute a on a.attrelid = p.partrelid and a.attnum = e.number
where p.partexprs is null
group by p.partrelid
union all
select 'published columns', r.prpubid, r.prrelid::int8, -- since 15
       (select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a -- since 15
        where a.attrelid = r.prrelid and a.attnum = any(r.prattrs::int2[])) -- since 15
from pg_publication_rel r where r.prattrs is not null -- since 15
union all -- since 15
select 'event trigger', t.oid, 0, coalesce((select string_agg(quote_literal(g), ', ') from unnest(t.evttags) g), '')
from pg_event_trigger t
union all
select 'aggregate', p.oid, 0,
       concat('sfunc = ', a.aggtransfn, ', stype = ', format_type(a.aggtranstype, null), ', sspace = ', a.aggtransspace,
         ', finalfunc = ' || nullif(a.aggfinalfn::oid, 0)::regproc::text, case when a.aggfinalextra then ', finalfunc_extra' end,
         ', combinefunc = ' || nullif(a.aggcombinefn::oid, 0)::regproc::text, ', initcond = ' || quote_literal(a.agginitval))
from pg_aggregate a join pg_proc p on p.oid = a.aggfnoid
where p.oid >= 16384 and a.aggkind = 'n'
