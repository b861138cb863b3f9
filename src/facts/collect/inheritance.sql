-- A bound names no column, and without a relation to open nothing is locked.
select i.inhrelid as child, i.inhparent as parent, i.inhseqno as position, pg_get_expr(c.relpartbound, 0) as bound
from pg_inherits i
join pg_class c on c.oid = i.inhrelid
where c.relkind in ('r', 'p', 'f')
