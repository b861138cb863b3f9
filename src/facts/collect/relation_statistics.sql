-- What this transaction itself has done comes on top: nothing, except where a check is proved on tables of its own.
select c.oid as relation,
       pg_stat_get_live_tuples(c.oid) + pg_stat_get_xact_tuples_inserted(c.oid) - pg_stat_get_xact_tuples_deleted(c.oid) as live_rows,
       pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_inserted(c.oid) as inserted,
       pg_stat_get_tuples_updated(c.oid) + pg_stat_get_xact_tuples_updated(c.oid) as updated,
       pg_stat_get_tuples_deleted(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid) as deleted,
       pg_stat_get_numscans(c.oid) + pg_stat_get_xact_numscans(c.oid) as sequential_scans, i.scans as index_scans
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join (select x.indrelid, sum(pg_stat_get_numscans(x.indexrelid) + pg_stat_get_xact_numscans(x.indexrelid))::bigint as scans from pg_index x group by x.indrelid) i
  on i.indrelid = c.oid
where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
