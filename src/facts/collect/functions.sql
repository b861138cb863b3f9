select p.oid, p.pronamespace as schema_oid, n.nspname as schema, p.proname as name, oidvectortypes(p.proargtypes) as signature,
       case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' when 'w' then 'window' else 'function' end as kind,
       l.lanname as language, p.proowner as owner, p.prosecdef::int as security_definer, p.proleakproof::int as leakproof,
       case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end as volatility,
       p.proisstrict::int as strict, format_type(p.prorettype, null) as returns, p.proretset::int as returns_set,
       coalesce((
         select jsonb_agg(coalesce(p.proargnames[s.i], '') order by coalesce(p.proargmodes[s.i], 'i') not in ('i', 'b', 'v'), s.i)
         from generate_series(1, coalesce(array_length(p.proallargtypes, 1), p.pronargs)) s (i)), '[]')::text as argument_names,
       coalesce((
         select jsonb_agg(format_type(t.type, null) order by t.position)
         from unnest(p.proargtypes::oid[]) with ordinality t (type, position)), '[]')::text as argument_types,
       p.pronargdefaults as default_count, pg_get_expr(p.proargdefaults, 0) as argument_defaults,
       case when p.prosqlbody is null then p.prosrc else pg_get_function_sqlbody(p.oid) end as source,
       (select substr(c.setting, 13) from unnest(p.proconfig) c (setting) where c.setting like 'search\_path=%') as search_path,
       coalesce((select jsonb_agg(split_part(c.setting, '=', 1)) from unnest(p.proconfig) c (setting)), '[]')::text as settings,
       (p.proacl is null)::int as default_acl, 'user' as provenance, m.description as comment
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
left join pg_description m on m.objoid = p.oid and m.classoid = 'pg_proc'::regclass and m.objsubid = 0
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
