-- Where the facts ($1, tables as JSON) and PostgreSQL disagree. {set} is 'SET', before 16 'MEMBER'; {maintain} the
-- privilege of that name since 17.
with recursive
-- What the facts say.
said_principals as (select * from jsonb_to_recordset($1 -> 'principals') x (role oid, kind text)),
said_reach as (select * from jsonb_to_recordset($1 -> 'role_reach') x (role oid, reaches oid, inherits int, can_set int, admin int)),
said_relations as (
  select * from jsonb_to_recordset($1 -> 'relation_privileges') x (
    role oid, relation oid, visible int, can_select int, can_insert int, can_update int, can_delete int, can_truncate int,
    can_references int, can_trigger int, can_maintain int)),
said_columns as (
  select * from jsonb_to_recordset($1 -> 'column_privileges') x (
    role oid, relation oid, column_number int, can_select int, can_insert int, can_update int, can_references int)),
said_schemas as (select * from jsonb_to_recordset($1 -> 'schema_privileges') x (role oid, schema_oid oid, can_use int, can_create int)),
said_functions as (select * from jsonb_to_recordset($1 -> 'function_privileges') x (role oid, function oid, visible int)),
said_verdicts as (select * from jsonb_to_recordset($1 -> 'verdicts') x (principal oid, relation oid, command text, verdict text, as_role oid)),
said_keys as (select * from jsonb_to_recordset($1 -> 'tenant_keys') x (relation oid)),
said_exposure as (select * from jsonb_to_recordset($1 -> 'exposure') x (principal oid, relation oid, verdict text, as_role oid)),

-- Objects and roles the facts must be about.
schemas as (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'),
relations as (select c.* from pg_class c join schemas s on s.oid = c.relnamespace where relkind in ('r', 'p', 'v', 'm', 'f', 'S')),
functions as (select p.* from pg_proc p join schemas s on s.oid = p.pronamespace),
-- A superuser is a member of every role; the facts keep its memberships.
member (role, reaches) as (
  select oid, oid from pg_roles
  union
  select m.role, next.roleid
  from member m
  join (select member, roleid from pg_auth_members
        union all select datdba, 'pg_database_owner'::regrole from pg_database where datname = current_database()) next
    on next.member = m.reaches),
reach as (
  select a.oid as role, b.oid as reaches, pg_has_role(a.oid, b.oid, 'USAGE') as inherits, pg_has_role(a.oid, b.oid, '{set}') as can_set,
         case when a.oid = b.oid and a.rolcanlogin then s.administers_itself
           else pg_has_role(a.oid, b.oid, 'USAGE WITH ADMIN OPTION') end as admin
  from pg_roles a join session s on s.role = a.oid cross join pg_roles b
  where case when a.rolsuper then exists (select from member m where (m.role, m.reaches) = (a.oid, b.oid)) else pg_has_role(a.oid, b.oid, 'MEMBER') end),
in_use as (select r.reaches from reach r join pg_roles l on l.oid = r.role where l.rolcanlogin and not l.rolsuper and (r.inherits or r.can_set)),
granted as (
  select a.grantee from relations c cross join aclexplode(c.relacl) a where a.grantee <> c.relowner
  union
  select a.grantee from relations c join pg_attribute t on t.attrelid = c.oid and not t.attisdropped cross join aclexplode(t.attacl) a
  where a.grantee <> c.relowner
  union
  select a.grantee from functions p cross join aclexplode(p.proacl) a where a.grantee <> p.proowner),
principals as (
  select oid as role, case when rolsuper then 'superuser' when rolcanlogin then 'login' else 'unused' end as kind, rolsuper
  from pg_roles
  where rolcanlogin or oid >= 16384 and oid in (select grantee from granted) and oid not in (select reaches from in_use)),
acting as (select r.role as principal, r.reaches as role, p.rolsuper from reach r join principals p on p.role = r.role where r.can_set),
subjects as (select distinct role from acting),
-- Those that a verdict may be about: a superuser or BYPASSRLS role behind SET ROLE is a finding about the role.
plain_acting as (
  select a.* from acting a join pg_roles r on r.oid = a.role
  where not a.rolsuper and (a.principal = a.role or not (r.rolsuper or r.rolbypassrls or r.rolname like 'pg\_%'))),
readable as (
  select s.role, c.oid as relation from subjects s cross join relations c
  where c.relkind <> 'S' and has_any_column_privilege(s.role, c.oid, 'SELECT') and has_schema_privilege(s.role, c.relnamespace, 'USAGE')),
commands (command, polcmd) as (values ('SELECT', 'r'), ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd')),
judged as (select distinct k.relation from said_keys k join relations c on c.oid = k.relation where c.relkind in ('r', 'p')),
allowed as (
  select a.principal, j.relation, c.command
  from plain_acting a cross join judged j cross join commands c
  join relations t on t.oid = j.relation
  join session s on s.role = a.role
  where has_schema_privilege(a.role, t.relnamespace, 'USAGE')
    and case c.command when 'DELETE' then has_table_privilege(a.role, j.relation, 'DELETE') else has_any_column_privilege(a.role, j.relation, c.command) end
    and (not j.relation = any (s.bound) or exists (
      select from pg_policy p where p.polrelid = j.relation and p.polpermissive and p.polcmd::text in ('*', c.polcmd)
        and exists (select from unnest(p.polroles) r (oid) where r.oid = 0 or pg_has_role(a.role, r.oid, 'USAGE'))))),

-- Both sides in one shape: what it is about, for whom, on what, and the value.
said (what, role, object, detail, value) as (
  select 'principal', role, 0::oid, '', kind from said_principals
  union all select 'role_reach', role, reaches, '', format('inherits %s, can_set %s, admin %s', inherits, can_set, admin) from said_reach
  union all
  select 'relation_privileges', role, relation, '',
         format('visible %s, select %s, insert %s, update %s, delete %s, truncate %s, references %s, trigger %s, maintain %s', visible,
                can_select, can_insert, can_update, can_delete, can_truncate, can_references, can_trigger, can_maintain)
  from said_relations
  union all
  select 'column_privileges', role, relation, column_number::text,
         format('select %s, insert %s, update %s, references %s', can_select, can_insert, can_update, can_references)
  from said_columns
  union all select 'schema_privileges', role, schema_oid, '', format('use %s, create %s', can_use, can_create) from said_schemas
  union all select 'function_privileges', role, function, '', format('visible %s', visible) from said_functions
  union all select 'exposure', principal, relation, '', 'readable' from said_exposure
  union all
  select 'exposure', e.principal, e.relation, format('%s as %s', e.verdict, e.as_role::regrole),
         case when e.verdict in ('bound', 'isolated', 'leaks', 'may leak') then 'readable, bound' else 'readable, not bound' end
  from said_exposure e join relations c on c.oid = e.relation where c.relkind in ('r', 'p')
  union all select 'verdict', principal, relation, command, 'allowed' from said_verdicts where verdict <> 'denied' and relation in (select relation from judged)
  union all
  select 'verdict', principal, relation, format('%s: %s as %s', command, verdict, as_role::regrole),
         case when verdict in ('isolated', 'leaks', 'may leak') then 'bound' else 'not bound' end
  from said_verdicts where verdict <> 'denied' and relation in (select relation from judged)),

truth (what, role, object, detail, value) as (
  select 'principal', role, 0::oid, '', kind from principals
  union all
  select 'role_reach', r.role, r.reaches, '', format('inherits %s, can_set %s, admin %s', r.inherits::int, r.can_set::int, r.admin::int)
  from reach r join principals p on p.role = r.role
  union all
  select 'relation_privileges', s.role, c.oid, '', p.value
  from subjects s cross join relations c
  cross join lateral (
    select format('visible %s, select %s, insert %s, update %s, delete %s, truncate %s, references %s, trigger %s, maintain %s',
             has_schema_privilege(s.role, c.relnamespace, 'USAGE')::int,
             case when has_table_privilege(s.role, c.oid, 'SELECT') then 1 when has_any_column_privilege(s.role, c.oid, 'SELECT') then 2 else 0 end,
             case when has_table_privilege(s.role, c.oid, 'INSERT') then 1 when has_any_column_privilege(s.role, c.oid, 'INSERT') then 2 else 0 end,
             case when has_table_privilege(s.role, c.oid, 'UPDATE') then 1 when has_any_column_privilege(s.role, c.oid, 'UPDATE') then 2 else 0 end,
             has_table_privilege(s.role, c.oid, 'DELETE')::int, has_table_privilege(s.role, c.oid, 'TRUNCATE')::int,
             case when has_table_privilege(s.role, c.oid, 'REFERENCES') then 1 when has_any_column_privilege(s.role, c.oid, 'REFERENCES') then 2 else 0 end,
             has_table_privilege(s.role, c.oid, 'TRIGGER')::int, {maintain}::int) as value) p
  where p.value ~ '[a-z]+ [12].*' and substr(p.value, 11) ~ '[12]'
  union all
  -- Behind a 2: the columns where a right counts that the whole relation has not.
  select 'column_privileges', s.role, c.oid, a.attnum::text,
         format('select %s, insert %s, update %s, references %s', h.sel::int, h.ins::int, h.upd::int, h.ref::int)
  from subjects s cross join relations c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  cross join lateral (
    select has_column_privilege(s.role, c.oid, a.attnum, 'SELECT') as sel, has_column_privilege(s.role, c.oid, a.attnum, 'INSERT') as ins,
           has_column_privilege(s.role, c.oid, a.attnum, 'UPDATE') as upd, has_column_privilege(s.role, c.oid, a.attnum, 'REFERENCES') as ref) h
  where h.sel and not has_table_privilege(s.role, c.oid, 'SELECT') or h.ins and not has_table_privilege(s.role, c.oid, 'INSERT')
     or h.upd and not has_table_privilege(s.role, c.oid, 'UPDATE') or h.ref and not has_table_privilege(s.role, c.oid, 'REFERENCES')
  union all
  select 'schema_privileges', s.role, n.oid, '', format('use %s, create %s', u.uses::int, u.creates::int)
  from subjects s cross join schemas n
  cross join lateral (select has_schema_privilege(s.role, n.oid, 'USAGE') as uses, has_schema_privilege(s.role, n.oid, 'CREATE') as creates) u
  where u.uses or u.creates
  union all
  select 'function_privileges', s.role, p.oid, '', format('visible %s', has_schema_privilege(s.role, p.pronamespace, 'USAGE')::int)
  from subjects s cross join functions p where has_function_privilege(s.role, p.oid, 'EXECUTE')
  union all
  select distinct 'exposure', a.principal, r.relation, '', 'readable' from acting a join readable r on r.role = a.role
  union all
  -- As the very role the facts name: one the principal may be, that reads the relation, and bound there or not.
  select 'exposure', e.principal, e.relation, format('%s as %s', e.verdict, e.as_role::regrole),
         case when e.relation = any (s.bound) then 'readable, bound' else 'readable, not bound' end
  from said_exposure e join acting a on (a.principal, a.role) = (e.principal, e.as_role)
  join readable r on (r.role, r.relation) = (e.as_role, e.relation)
  join relations c on c.oid = e.relation and c.relkind in ('r', 'p')
  join session s on s.role = e.as_role
  union all
  select 'verdict', a.principal, a.relation, a.command, 'allowed'
  from (select distinct principal, relation, command from allowed) a join principals p on p.role = a.principal where not p.rolsuper
  union all
  select 'verdict', v.principal, v.relation, format('%s: %s as %s', v.command, v.verdict, v.as_role::regrole),
         case when v.relation = any (s.bound) then 'bound' else 'not bound' end
  from said_verdicts v join plain_acting a on (a.principal, a.role) = (v.principal, v.as_role)
  join judged j on j.relation = v.relation join session s on s.role = v.as_role
  where v.verdict <> 'denied')

select coalesce(s.what, t.what) as what, format('%s %s%s%s: facts say %s, PostgreSQL says %s', coalesce(s.what, t.what), coalesce(s.role, t.role)::regrole,
  case coalesce(s.what, t.what) when 'principal' then '' when 'role_reach' then ' → ' || coalesce(s.object, t.object)::regrole
    when 'schema_privileges' then ' on ' || coalesce(s.object, t.object)::regnamespace
    when 'function_privileges' then ' on ' || coalesce(s.object, t.object)::regprocedure
    else ' on ' || coalesce(s.object, t.object)::regclass end,
  case when coalesce(s.detail, t.detail) = '' then '' else ' (' || coalesce(s.detail, t.detail) || ')' end,
  coalesce(s.value, 'nothing'), coalesce(t.value, 'nothing')) as disagreement, s.value is distinct from t.value as differs
from said s full join truth t using (what, role, object, detail)
order by differs desc, disagreement
