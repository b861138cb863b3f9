select p.oid as publication, t.relid as relation,
       pg_get_expr(t.qual, t.relid) as row_filter, (r.prattrs is not null)::int as has_column_list -- since 15
       null as row_filter, 0 as has_column_list -- before 15
from pg_publication p
cross join pg_get_publication_tables(p.pubname) t
left join pg_publication_rel r on r.prpubid = p.oid and r.prrelid = t.relid
