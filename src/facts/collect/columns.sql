with recursive step (domain, type) as (
  select t.oid, t.typbasetype from pg_type t where t.typtype = 'd'
  union all
  select s.domain, t.typbasetype from step s join pg_type t on t.oid = s.type and t.typtype = 'd'
), base (domain, type) as (
  select s.domain, s.type from step s join pg_type t on t.oid = s.type and t.typtype <> 'd'
)
select a.attrelid as relation, a.attnum as number, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
       t.typname as type_name, t.oid as type_oid,
       case when t.typcategory = 'A' and t.typelem <> 0 then 'array'
         when t.typtype = 'e' then 'enum' when t.typtype = 'c' then 'composite' when t.typtype in ('r', 'm') then 'range'
         when t.typtype = 'p' then 'pseudo' else 'base' end as type_kind,
       a.attnotnull::int as not_null,
       -- a plain default names no column, and without a relation to open nothing is locked
       pg_get_expr(d.adbin, case when a.attgenerated = '' then 0 else a.attrelid end) as default_expression,
       (a.attgenerated <> '')::int as is_generated,
       case a.attidentity when 'a' then 'always' when 'd' then 'by default' end as identity,
       m.description as comment
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
left join base b on b.domain = a.atttypid
join pg_type t on t.oid = coalesce(b.type, a.atttypid)
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum and a.atthasdef
left join pg_description m on m.objoid = a.attrelid and m.classoid = 'pg_class'::regclass and m.objsubid = a.attnum
where a.attnum > 0 and not a.attisdropped
  and c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
