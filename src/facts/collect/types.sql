select t.oid, t.typnamespace as schema_oid, n.nspname as schema, t.typname as name,
       case t.typtype when 'e' then 'enum' when 'd' then 'domain' when 'c' then 'composite' when 'r' then 'range' else 'base' end as kind,
       t.typowner as owner, (t.typacl is null)::int as default_acl,
       case when exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
         then 'extension' else 'user' end as provenance,
       m.description as comment
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
left join pg_class c on c.oid = t.typrelid
left join pg_description m on m.objoid = t.oid and m.classoid = 'pg_type'::regclass and m.objsubid = 0
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (t.typtype in ('e', 'd', 'r') or (t.typtype = 'c' and c.relkind = 'c')
    -- not the array that every type brings along
    or (t.typtype = 'b' and not (t.typelem <> 0 and t.typlen = -1 and t.typname ~ '^_')))
