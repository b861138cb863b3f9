-- Folds the staging tables into the facts, and says whose the objects are. The hosters known here name their roles and
-- schemas as listed; a plain name (auth, storage) is theirs only where one of their own roles owns it, since an
-- object wrongly taken for the platform's would be wrongly excused.

-- `oid` alone would be SQLite's name for the row of `definitions` itself.
update relations set definition = (select d.definition from definitions d where d.relation = relations.oid)
where kind in ('view', 'materialized view');

create temp table platform_roles (oid integer primary key);
insert into platform_roles
select oid from roles
where oid <> 10 and (
     name glob 'supabase_*'                                                                             -- Supabase
  or name glob 'rds_*' or name in ('rdsadmin', 'rdsrepladmin', 'rdstopmgr', 'rdswriteforwarduser')      -- Amazon RDS, Aurora
  or name glob 'cloudsql*' or name glob 'alloydb*'                                                      -- Google Cloud
  or name glob 'azure_*' or name in ('azuresu', 'replication_azure')                                    -- Azure
  or name in ('neon_superuser', 'neon_service', 'cloud_admin', 'zenith_admin', 'neondb_admin')          -- Neon
  or name in ('crunchy_superuser', 'ccp_monitoring', 'tsdbexplorer', '_dodb', '_aiven')                 -- Crunchy, Timescale, DigitalOcean, Aiven
  or name glob 'metrics_user_*' or name glob 'heroku_*'                                                 -- Aiven, Heroku
  -- names too plain to be theirs by themselves
  or (name in ('anon', 'authenticated', 'service_role', 'authenticator', 'dashboard_user', 'pgbouncer',
               'pgsodium_keyholder', 'pgsodium_keyiduser', 'pgsodium_keymaker')
      and exists (select 1 from roles where name = 'supabase_admin')));
update roles set provenance = 'platform' where provenance = 'user' and oid in (select oid from platform_roles);

create temp table platform_schemas (oid integer primary key, by_name integer not null);
insert into platform_schemas
select oid, 1 from schemas
where name glob '_timescaledb_*' or name in ('timescaledb_information', 'timescaledb_experimental')
  or name in ('supabase_functions', 'supabase_migrations', '_supavisor', '_supabase', '_realtime', 'pgsodium_masks')
  or name in ('rds_tools', 'heroku_ext', 'aiven_extras', 'google_vacuum_mgmt', 'google_ml')
union
select oid, 0 from schemas
where name in ('auth', 'storage', 'realtime', 'vault', 'graphql', 'graphql_public', 'extensions', 'pgsodium', 'pgbouncer',
               '_analytics', 'net', 'neon', 'neon_auth', 'neon_migration');

-- Where a hoster is at home, what the bootstrap superuser owns in its schemas is the hoster's as well.
insert into platform_roles select 10 where exists (select 1 from platform_roles);

update schemas set provenance = case
  when oid in (select object from extension_members where object_kind = 'schema') then 'extension'
  when oid in (select oid from platform_schemas where by_name) then 'platform'
  when oid in (select oid from platform_schemas) and owner in (select oid from platform_roles) then 'platform'
  else provenance end;
update relations set provenance = case
  when oid in (select object from extension_members where object_kind = 'relation') then 'extension'
  when schema_oid in (select object from extension_members where object_kind = 'schema') then 'extension'
  when schema_oid in (select oid from platform_schemas where by_name) then 'platform'
  when schema_oid in (select oid from platform_schemas) and owner in (select oid from platform_roles) then 'platform'
  else provenance end;
update functions set provenance = case
  when oid in (select object from extension_members where object_kind = 'function') then 'extension'
  when schema_oid in (select object from extension_members where object_kind = 'schema') then 'extension'
  when schema_oid in (select oid from platform_schemas where by_name) then 'platform'
  when schema_oid in (select oid from platform_schemas) and owner in (select oid from platform_roles) then 'platform'
  else provenance end;
-- A partition (a chunk, a child) and an owned sequence are whose their parent is.
with recursive theirs (oid, provenance) as (
  select oid, provenance from relations where provenance <> 'user'
  union
  select below.oid, t.provenance from theirs t
  join (select child as oid, parent from inheritance
        union all select relation, owned_by_relation from sequences where owned_by_relation is not null) below on below.parent = t.oid)
update relations set provenance = (select t.provenance from theirs t where t.oid = relations.oid)
where provenance = 'user' and oid in (select oid from theirs);

-- What inherits from a user's table is the user's wherever it lies: a chunk of TimescaleDB holds the user's rows.
with recursive ours (oid) as (
  select child from inheritance where parent in (select oid from relations where provenance = 'user')
  union
  select i.child from ours o join inheritance i on i.parent = o.oid)
update relations set provenance = 'user'
where provenance <> 'user' and oid in (select oid from ours)
  and oid not in (select object from extension_members where object_kind = 'relation');

drop table platform_schemas;
drop table platform_roles;
drop table extension_members;
drop table definitions;
