-- Tables whose file has no page, and so no row. Only PostgreSQL's own way of storing rows says so by its file:
-- https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-DBSIZE. Asking waits for whoever holds the table.
select c.oid::bigint as oid
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_am m on m.oid = c.relam and m.amname = 'heap'
where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relpages = 0
  and c.oid not in (select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null)
  and pg_relation_size(c.oid) = 0
