-- Texts that nobody keeps and that hold secrets at times. They are looked through as they arrive; no table stores them.
-- `name` is what the value was assigned to, where it was; `code` says that the text is SQL.
select case when s.setrole <> 0 then 'setting of a role' else 'setting of a database' end as place,
       case when s.setrole <> 0 then 'role' else 'database' end as object_kind,
       case when s.setrole <> 0 then s.setrole else s.setdatabase end as object, 0 as column_number,
       split_part(c.setting, '=', 1) as part, split_part(c.setting, '=', 1) as name,
       substr(c.setting, strpos(c.setting, '=') + 1) as text, 0 as code
from pg_db_role_setting s
cross join unnest(s.setconfig) c (setting)
where s.setdatabase = 0 or s.setdatabase = (select d.oid from pg_database d where d.datname = current_database())
union all
select 'setting of a function', 'function', p.oid, 0, split_part(c.setting, '=', 1), split_part(c.setting, '=', 1),
       substr(c.setting, strpos(c.setting, '=') + 1), 0
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
cross join unnest(p.proconfig) c (setting)
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select 'server setting', 'setting', 0, 0, s.name, s.name, s.setting, 0
from pg_settings s
where s.setting <> '' and s.source in ('configuration file', 'command line', 'environment variable')
  and (strpos(s.name, '.') > 0 or s.name ~ 'conninfo|_command$|passphrase')
union all
select 'option of a foreign server', 'foreign server', s.oid, 0, o.option_name, o.option_name, o.option_value, 0
from pg_foreign_server s cross join pg_options_to_table(s.srvoptions) o
union all
select 'option of a foreign data wrapper', 'foreign data wrapper', w.oid, 0, w.fdwname || '.' || o.option_name, o.option_name, o.option_value, 0
from pg_foreign_data_wrapper w cross join pg_options_to_table(w.fdwoptions) o
union all
select 'option of a user mapping', 'foreign server', m.srvid, 0, m.usename, o.option_name, o.option_value, 0
from pg_user_mappings m cross join pg_options_to_table(m.umoptions) o
union all
select 'option of a foreign table', 'relation', t.ftrelid, 0, o.option_name, o.option_name, o.option_value, 0
from pg_foreign_table t cross join pg_options_to_table(t.ftoptions) o
union all
select 'option of a foreign table', 'relation', a.attrelid, a.attnum, o.option_name, o.option_name, o.option_value, 0
from pg_attribute a cross join pg_options_to_table(a.attfdwoptions) o
where a.attfdwoptions is not null
union all
-- Those of schemas, functions, policies, tables and columns are kept, and looked through there.
select 'comment', case when d.classoid = 'pg_constraint'::regclass and k.conrelid <> 0 then 'relation' else 'object' end,
       case when d.classoid = 'pg_constraint'::regclass and k.conrelid <> 0 then k.conrelid else d.objoid end, 0,
       coalesce(k.conname, (pg_identify_object(d.classoid, d.objoid, d.objsubid)).identity), null, d.description, 0
from pg_description d
left join pg_constraint k on d.classoid = 'pg_constraint'::regclass and k.oid = d.objoid
left join pg_class c on d.classoid = 'pg_class'::regclass and c.oid = d.objoid
where d.objoid >= 16384 and d.classoid not in ('pg_namespace'::regclass, 'pg_proc'::regclass, 'pg_policy'::regclass)
  and (c.relkind is null or c.relkind not in ('r', 'p', 'v', 'm', 'f', 'S'))
union all
select 'comment', 'database', d.objoid, 0, b.datname, null, d.description, 0
from pg_shdescription d
join pg_database b on b.oid = d.objoid and b.datname = current_database()
where d.classoid = 'pg_database'::regclass
union all
select 'security label', case when l.classoid = 'pg_class'::regclass then 'relation' else 'object' end, l.objoid, l.objsubid, l.provider, null, l.label, 0
from pg_seclabel l
union all
select 'domain default', 'type', t.oid, 0, t.typname, null, t.typdefault, 1
from pg_type t where t.typtype = 'd' and t.typdefault is not null
union all
select 'domain constraint', 'type', k.contypid, 0, k.conname, null, pg_get_constraintdef(k.oid), 1
from pg_constraint k where k.contypid <> 0 and k.contypid >= 16384
union all
select 'aggregate', 'function', a.aggfnoid, 0, null, null, a.agginitval, 0
from pg_aggregate a where a.agginitval is not null and a.aggfnoid::oid >= 16384
union all
select 'text search dictionary', 'object', d.oid, 0, d.dictname, null, d.dictinitoption, 0
from pg_ts_dict d where d.dictinitoption is not null and d.oid >= 16384
union all
select 'extended statistics', 'relation', s.stxrelid, 0, s.stxname, null, e.expression, 1
from pg_statistic_ext s cross join unnest(pg_get_statisticsobjdef_expressions(s.oid)) e (expression)
where s.stxexprs is not null
