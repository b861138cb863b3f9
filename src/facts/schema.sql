-- The facts: everything a check may know about one database, as SQLite tables.
--
-- This file is a public contract (`govctl facts --schema`). Additions are fine; a change of meaning
-- raises `target.schema_version`. Conventions, everywhere the same:
--   * an object is named by the oid it has in the audited database; role 0 is PUBLIC
--   * a truth value is 0 or 1; what could not be read is a row in `unseen`, never a made-up 0
--   * `provenance` says whose an object is: 'user', 'extension', 'platform' (Supabase, RDS, …) or 'system'
--   * expressions are PostgreSQL's own decompiled text, taken with an empty search_path
-- Part 1 is collected from the catalogs, part 2 is derived in Rust (src/facts/derive).

-- ───────────────────────────── 1. collected ─────────────────────────────

-- One row: where the facts come from. Times are RFC 3339 in UTC.
create table target (
  schema_version integer not null, govctl_version text not null, taken_at text not null,
  kind text not null,                     -- 'database' | 'migrations' | 'facts'
  database text not null, database_oid integer not null,
  server_version text not null, server_version_num integer not null,
  role text not null, role_is_superuser integer not null, in_recovery integer not null);

-- What the connected role could not look at, why, and the statement that would show it.
-- `area` is the name of the table of part 1 that is incomplete.
create table unseen (area text not null, object text, why text not null, needs text not null);

create table databases (
  oid integer primary key, name text not null, owner integer not null, is_current integer not null,
  is_template integer not null, allows_connections integer not null, default_acl integer not null);

create table schemas (
  oid integer primary key, name text not null, owner integer not null, provenance text not null,
  default_acl integer not null, comment text);

-- kind: 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table' | 'sequence'
create table relations (
  oid integer primary key, schema_oid integer not null, schema text not null, name text not null, kind text not null,
  owner integer not null, rls integer not null, force_rls integer not null,
  security_invoker integer not null, security_barrier integer not null, is_partition integer not null,
  persistence text not null,              -- 'permanent' | 'unlogged' | 'temporary'
  rows_estimate integer not null,         -- planner's estimate; -1 where never analysed
  default_acl integer not null,           -- no ACL stored: the owner's built-in rights alone
  definition text,                        -- of a view or materialized view
  provenance text not null, comment text);

create table columns (
  relation integer not null, number integer not null, name text not null,
  type text not null,                     -- format_type, e.g. 'character varying(40)'
  type_name text not null,                -- pg_type.typname of the base type under any domain, e.g. 'varchar', 'uuid', 'vector'
  type_kind text not null,                -- of that base type: 'base' | 'enum' | 'composite' | 'range' | 'array' | 'pseudo'
  type_oid integer not null,              -- of the base type; joins enum_labels.type_oid
  not_null integer not null, default_expression text, is_generated integer not null,
  identity text,                          -- null | 'always' | 'by default'
  comment text, primary key (relation, number)) without rowid;

create table enum_labels (type_oid integer not null, schema text not null, type text not null, label text not null, position real not null);

-- Types somebody made. kind: 'enum' | 'domain' | 'composite' | 'range' | 'base'. Row types, arrays and multiranges come with others.
create table types (
  oid integer primary key, schema_oid integer not null, schema text not null, name text not null, kind text not null,
  owner integer not null, default_acl integer not null, provenance text not null, comment text);

-- CHECK constraints of domains; `domain` as `columns.type` names it.
create table domain_checks (domain text not null, definition text not null);

create table indexes (
  oid integer primary key, relation integer not null, name text not null, method text not null,
  is_unique integer not null, is_primary integer not null, is_valid integer not null, nulls_not_distinct integer not null,
  predicate text, expressions text);
-- column_number is 0 for an expression, which indexes.expressions lists; is_key is 0 for an INCLUDE column.
create table index_columns (
  index_oid integer not null, position integer not null, column_number integer not null, is_key integer not null,
  primary key (index_oid, position)) without rowid;

-- kind: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclusion' | 'not null' | 'trigger'
create table constraints (
  oid integer primary key, relation integer not null, name text not null, kind text not null,
  referenced_relation integer, on_delete text, on_update text,
  validated integer not null, enforced integer not null, definition text not null);
create table constraint_columns (
  constraint_oid integer not null, position integer not null, column_number integer not null, referenced_column_number integer,
  primary key (constraint_oid, position)) without rowid;

-- command: 'ALL' | 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'
create table policies (
  oid integer primary key, relation integer not null, name text not null, permissive integer not null, command text not null,
  using_expression text, check_expression text, comment text);
create table policy_roles (policy integer not null, role integer not null, primary key (policy, role)) without rowid;
-- What a policy's expressions name: object_kind 'relation' | 'function'.
create table policy_dependencies (policy integer not null, object_kind text not null, object integer not null);

create table roles (
  oid integer primary key, name text not null, superuser integer not null, inherit integer not null,
  create_role integer not null, create_db integer not null, login integer not null, replication integer not null,
  bypass_rls integer not null, connection_limit integer not null, valid_until text, comment text,
  provenance text not null);              -- 'system' for pg_* and the bootstrap superuser
-- ALTER ROLE/DATABASE … SET. role 0: every role; database 0: every database. Values are shown only for settings
-- that decide what a session sees and what guards it (row_security, role, search_path, session_preload_libraries,
-- session_replication_role); else null.
create table role_settings (role integer not null, database integer not null, name text not null, value text);
-- `member` was granted `role`. Before PostgreSQL 16 inherit_option is the member's own INHERIT and set_option is 1.
create table memberships (
  role integer not null, member integer not null, grantor integer not null,
  admin_option integer not null, inherit_option integer not null, set_option integer not null);

-- Stored ACLs, exploded. object_kind: 'relation' | 'column' | 'schema' | 'function' | 'database' | 'type' | 'language'
-- | 'foreign server' | 'foreign data wrapper' | 'tablespace' | 'parameter' | 'large object'.
-- column_number is 0 unless object_kind is 'column' (object is then the relation). Objects with default_acl = 1 have no row.
create table grants (
  object_kind text not null, object integer not null, column_number integer not null,
  grantee integer not null, grantor integer not null, privilege text not null, grantable integer not null);
-- Grants on what PostgreSQL itself brings (pg_catalog) that somebody made since. object_kind: 'function'
-- | 'table' | 'view' | 'column'; signature is a function's argument types, column_name a column's.
create table system_grants (
  object_kind text not null, name text not null, signature text, column_name text,
  grantee integer not null, privilege text not null, grantable integer not null);
-- ALTER DEFAULT PRIVILEGES. schema 0: every schema. object_kind: 'relation' | 'sequence' | 'function' | 'type' | 'schema' | 'large object'
create table default_privileges (
  role integer not null, schema_oid integer not null, object_kind text not null,
  grantee integer not null, privilege text not null, grantable integer not null);
create table parameters (oid integer primary key, name text not null);

-- kind: 'function' | 'procedure' | 'aggregate' | 'window'; volatility: 'immutable' | 'stable' | 'volatile'
create table functions (
  oid integer primary key, schema_oid integer not null, schema text not null, name text not null,
  signature text not null,                -- argument types as in DROP FUNCTION, e.g. 'uuid, text'
  kind text not null, language text not null, owner integer not null, security_definer integer not null, leakproof integer not null,
  volatility text not null, strict integer not null, returns text not null, returns_set integer not null,
  argument_names text not null,           -- JSON array, '' where unnamed, input arguments first
  argument_types text not null,           -- JSON array of the input arguments' types
  default_count integer not null,         -- how many of the last input arguments have a default
  argument_defaults text,                 -- those defaults as expressions, separated by commas
  source text,                            -- body; for C functions the symbol
  search_path text,                       -- value pinned by SET search_path, null where none
  settings text not null,                 -- JSON array of the names of the settings the function pins
  default_acl integer not null, provenance text not null, comment text);
create table languages (oid integer primary key, name text not null, trusted integer not null, owner integer not null, default_acl integer not null);

-- timing: 'BEFORE' | 'AFTER' | 'INSTEAD OF'; enabled: 'origin' | 'always' | 'replica' | 'disabled'
create table triggers (
  oid integer primary key, relation integer not null, name text not null, function integer not null, enabled text not null,
  timing text not null, row_level integer not null,
  on_insert integer not null, on_update integer not null, on_delete integer not null, on_truncate integer not null,
  update_columns text,                    -- UPDATE OF: column numbers separated by blanks; null where every column counts
  has_condition integer not null);
create table event_triggers (oid integer primary key, name text not null, event text not null, owner integer not null, function integer not null, enabled text not null);
create table rules (
  oid integer primary key, relation integer not null, name text not null, event text not null, instead integer not null,
  enabled text not null, definition text not null);
-- Relations and functions that a view or materialized view names, directly.
create table view_dependencies (view integer not null, object_kind text not null, object integer not null, column_number integer not null);
create table inheritance (child integer not null, parent integer not null, position integer not null, bound text);
create table partition_keys (relation integer not null, strategy text not null, position integer not null, column_number integer not null);
create table sequences (relation integer primary key, owned_by_relation integer, owned_by_column integer);

create table foreign_servers (
  oid integer primary key, name text not null, wrapper text not null, owner integer not null,
  host text, dbname text, default_acl integer not null);
create table foreign_tables (relation integer primary key, server integer not null);
-- remote_user is null where the connected role may not see it (a row in `unseen` then says so).
create table user_mappings (server integer not null, role integer not null, remote_user text, has_password integer);

create table publications (
  oid integer primary key, name text not null, owner integer not null, all_tables integer not null,
  publishes text not null);               -- e.g. 'insert, update'
-- One row a published relation, also through FOR TABLES IN SCHEMA and FOR ALL TABLES.
create table publication_relations (publication integer not null, relation integer not null, row_filter text, has_column_list integer not null);
create table subscriptions (oid integer primary key, name text not null, owner integer not null, enabled integer not null);
create table replication_slots (name text not null, kind text not null, plugin text, database text, active integer not null);

create table extensions (oid integer primary key, name text not null, version text not null, schema_oid integer not null, owner integer not null);
create table settings (name text primary key, value text, source text not null, context text not null);
create table large_objects (oid integer primary key, owner integer not null, default_acl integer not null);
create table relation_statistics (
  relation integer primary key, live_rows integer, inserted integer, updated integer, deleted integer,
  sequential_scans integer, index_scans integer);
-- pg_cron's jobs; commands are not kept.
create table scheduled_jobs (id integer primary key, schedule text, role_name text not null, database text, active integer not null);

-- Subscriptions of this database, where the connected role may see how they connect.
create table subscription_connections (subscription integer primary key, has_password integer not null, password_required integer not null);

-- Secrets found on the way into the facts: in rows that were sampled, in code, comments, settings, options. The texts
-- themselves are kept without them. One row a place and a rule.
-- place: 'row' | 'function body' | 'argument default' | 'column default' | 'view' | 'policy' | 'constraint' | 'index' | 'rule' | 'comment'
-- | 'enum label' | 'trigger argument' | 'trigger condition' | 'setting of a role' | 'setting of a database' | 'setting of a function'
-- | 'server setting' | 'option of a foreign server' | 'option of a user mapping' | 'scheduled job' | …
-- object_kind: 'relation' | 'function' | 'role' | 'schema' | 'type' | 'database' | 'foreign server' | 'setting' | 'scheduled job' | 'object' | …
-- part: the policy, constraint, trigger, setting or option. rule: of secrets/rules.toml or of a user's gitleaks.toml.
-- count: values. fingerprint: keyed; equal within one run where a value is.
create table secrets (
  place text not null, object_kind text not null, object integer not null, column_number integer not null, part text,
  rule text not null, title text not null, count integer not null, fingerprint text not null);

-- Tables of which rows were read, how many, and whether that were all of them. Nothing of the rows is kept but counts.
create table samples (relation integer primary key, rows integer not null, whole integer not null);
-- Columns of these rows. earliest_days, latest_days: for moments (…_at), how many days ago; negative in the future.
-- distinct_values: of texts alone.
create table sampled_columns (
  relation integer not null, column_number integer not null, filled integer not null, empty integer not null, distinct_values integer,
  earliest_days integer, latest_days integer, primary key (relation, column_number)) without rowid;
-- What the values of a text column look like. shape: 'email' | 'phone' | 'payment card' | 'iban' | 'social security number' | 'address of a network'
-- | 'password hash' | 'hex' | 'uuid' | 'ciphertext' | 'random' | 'provider id'. A value has at most one.
create table sampled_shapes (
  relation integer not null, column_number integer not null, shape text not null, count integer not null,
  primary key (relation, column_number, shape)) without rowid;
-- Values that are, letter case aside, one of a few words govctl knows by itself: kinds of actors, roles, classifications.
-- 'property password': JSON schemas that ask for such a property.
create table sampled_words (
  relation integer not null, column_number integer not null, word text not null, count integer not null,
  primary key (relation, column_number, word)) without rowid;
-- UUIDs and other identifiers that programs make up, among these values or in JSON, that are the primary key of a sampled row of
-- another table, and how many different ones.
create table sampled_references (
  relation integer not null, column_number integer not null, refers_to integer not null, count integer not null,
  primary key (relation, column_number, refers_to)) without rowid;

-- When actors of each kind first stand in a table that names kinds and moments: a log, where event_logs has it too.
-- kind: 'agent' | 'person' | 'machine' | 'other'. first_at: RFC 3339. whole: every row was looked at, not its first alone.
create table first_actors (relation integer not null, kind text not null, first_at text not null, whole integer not null, primary key (relation, kind)) without rowid;

-- What it takes to make an object again and no other table says: the part of its statement in PostgreSQL's own words.
-- object_kind: 'domain' (all after AS) | 'composite', 'range', 'aggregate' (between the parentheses) | 'collation' (all of it)
-- | 'function' (all before the body) | 'trigger' (all of it) | 'index' (from USING on; no row for a plain one) | 'partition key'
-- | 'sequence' (its options) | 'column' (number; its collation, and 'virtual') | 'replica identity' | 'view option' (its check option)
-- | 'published columns' (number is the relation) | 'event trigger' (its tags).
create table ddl (object_kind text not null, object integer not null, number integer not null, text text not null);

-- What is to be said about the run as a whole. topic: 'run' | 'stage' | 'history', which is said of both.
create table remarks (topic text not null, remark text not null);

-- The folder of migrations, where one was given; a row in `unseen` says where none was. `path` is as typed, then the file;
-- lines count from 1; `position` is the order in which the tool runs them. date: RFC 3339; date_source: 'history-table'
-- | 'file-name' | 'journal' | 'plan' | 'header' | 'git'. dormant: in the folder, but never run. applied: by the history table of the database,
-- null where there is none or none was asked.
create table migrations (
  position integer primary key, tool text not null, version text not null, name text not null, path text not null,
  date text, date_source text, dormant integer not null, applied integer, applied_at text);
-- The statement that completed each stage.
create table transitions (
  stage integer primary key, object text not null, version text not null, path text not null, line integer not null,
  date text, date_source text);
-- A guard that a migration took away, and no later one put back.
-- kind: 'rls disabled' | 'force removed' | 'policy dropped' | 'bypassrls' (name is then a role, schema null) | 'append-only removed'
create table regressions (
  kind text not null, schema text, name text not null, version text not null, path text not null, line integer not null,
  date text);
-- Tables whose tenant key came in one migration and the policy that uses it in a later one, or never (isolated_path null).
create table isolation_gaps (
  schema text not null, name text not null, key_path text not null, key_line integer not null, key_date text,
  isolated_path text, isolated_line integer, isolated_date text, migrations integer not null);
-- What is wrong with a migration itself. kind: 'drifted' (changed since it was applied) | 'missing' (applied, and its file is gone)
-- | 'unapplied' | 'out of order' | 'failed' | 'unreadable' | 'dynamic' (put together at run time, and not resolved)
-- | 'not replayed'. line is null where the file as a whole is meant.
create table migration_faults (kind text not null, version text not null, path text not null, line integer, detail text not null);
-- Grants in migrations of every privilege or of every table of a schema, that no later migration takes back. what: 'all on all tables in
-- schema app'; grantee: a role, or 'public'.
create table wide_grants (what text not null, grantee text not null, version text not null, path text not null, line integer not null);
-- Secrets in the files of migrations, a row a line and a rule. Nothing of the value is kept.
create table migration_secrets (
  version text not null, path text not null, line integer not null, rule text not null, title text not null, count integer not null);
-- The statement that brought an object in; of a policy, view or function the last that said what it is. kind: 'table' | 'view'
-- | 'function' (without its arguments) | 'policy' | 'role'; name of a policy is its own, schema and relation those of its table.
create table introductions (kind text not null, schema text, relation text, name text not null, path text not null, line integer not null);
-- What differs between the database and its migrations, replayed. kind: 'table' | 'policy' | 'row security' | 'role' | 'grant' | 'trigger'
-- | 'function' | 'column'; side: 'live' (made by hand) | 'migrations' (lost) | 'both' (otherwise there).
create table replay_differences (kind text not null, schema text, name text not null, side text not null, detail text not null);

-- ───────────────────────────── 2. derived ─────────────────────────────

-- What every role is for. purpose: 'agent' | 'application' | 'dereferencer' | 'auditor' | 'person' | 'administration' | 'monitoring'
-- | 'replication' | 'unknown'. source: who says so: 'config' | 'attribute' | 'name' | 'comment' | 'member of X' | 'nothing'.
-- free_sql: runs SQL nobody has reviewed; null where govctl.yaml does not say.
create table role_purposes (role integer primary key, purpose text not null, source text not null, free_sql integer);
-- `roles:` of govctl.yaml: purpose, or 'free sql'; the name or glob; how many roles of this server it means.
create table declared_roles (purpose text not null, name text not null, roles integer not null);

-- Who a person or program may be when it connects: every role that can log in, and roles that hold grants on relations or
-- functions of others though no login but a superuser can use them yet (kind 'unused': one GRANT away from use; 'superuser'
-- where it is one). 'PUBLIC' (role 0) where all of these are superusers.
-- kind: 'superuser' | 'login' | 'unused' | 'public'.
-- purpose: that of role_purposes.
create table principals (role integer primary key, name text not null, kind text not null, purpose text not null);

-- Role closure of every principal and every agent over memberships. `inherits`: its rights count at once (pg_has_role USAGE);
-- `can_set`: SET ROLE is allowed (SET); `admin`: may grant it on. path: 'agent_ro → ops → admin'. The row of a role to itself is included.
-- A superuser is a member of every role; its rows are those of its memberships, and hold every right.
create table role_reach (
  role integer not null, reaches integer not null, inherits integer not null, can_set integer not null, admin integer not null,
  path text not null, primary key (role, reaches)) without rowid;

-- has_table_privilege of a role, for every principal and every role it may become (role_reach.can_set). 0 no, 1 yes, 2 on some columns only.
-- Rows without any right are left out. Schema USAGE is apart: `visible` is 1 where the role may name the relation at all.
create table relation_privileges (
  role integer not null, relation integer not null, visible integer not null,
  can_select integer not null, can_insert integer not null, can_update integer not null, can_delete integer not null,
  can_truncate integer not null, can_references integer not null, can_trigger integer not null, can_maintain integer not null,
  primary key (role, relation)) without rowid;
-- The columns behind a 2 in relation_privileges; what the whole relation grants counts here too.
create table column_privileges (
  role integer not null, relation integer not null, column_number integer not null,
  can_select integer not null, can_insert integer not null, can_update integer not null, can_references integer not null,
  primary key (role, relation, column_number)) without rowid;
create table schema_privileges (
  role integer not null, schema_oid integer not null, can_use integer not null, can_create integer not null,
  primary key (role, schema_oid)) without rowid;
-- has_function_privilege EXECUTE, for every row of `functions`; `visible`: USAGE on the schema.
create table function_privileges (role integer not null, function integer not null, visible integer not null, primary key (role, function)) without rowid;

-- Every name that some column has: few, in a large schema. word: in lower case and without underscores.
create table column_names (name text primary key, word text not null) without rowid;

-- One row: mode 'multi' | 'single' | 'schemas' (a schema for each tenant, and no login in two: no row needs a key) | 'none' (no
-- tenant key was found), and where that comes from.
create table tenancy (mode text not null, source text not null, tenant_relation integer, reason text not null);
-- Which column says whose a row is. role: 'key' (on a data table) | 'tenant table' (its own primary key) | 'user' (a person, where
-- persons are the tenants or no better key exists). source: 'config' | 'foreign key' | 'name' | 'policy' | 'primary key'.
create table tenant_keys (relation integer not null, column_number integer not null, name text not null, role text not null, source text not null, primary key (relation, column_number)) without rowid;
-- Where no column but a member of a JSON column says whose a row is, by the table's own policies. expression: as SQL reads it.
create table json_keys (relation integer not null, column_number integer not null, member text not null, expression text not null, role text not null);
-- Tables that hold tenant data without a key of their own: the way to one. path: 'chunks.document_id → documents.tenant_id'. hops >= 1
create table tenant_paths (relation integer primary key, key_relation integer not null, hops integer not null, path text not null);

-- Every table whose rows belong to one tenant each, however that is known.
create table tenant_data (relation integer primary key);

-- Tables that say who has which role, by the names of their columns: one row for each person and role column, and for each key beside
-- them; tenant is null where the table has no key of its own and hangs on one that has (tenant_paths). They open stage 3.
create table roles_tables (relation integer not null, tenant text, person text not null, role text not null);

-- For tables with tenant data: the predicate of a policy that would isolate them, written the way this database's own
-- policies say it (else over a setting app.tenant_id). Text for `fix` templates; identifiers in it are quoted.
create table tenant_predicates (relation integer primary key, predicate text not null);

-- What one principal can do to rows of another tenant, for tenant relations. as_role: the role it acts as (itself or by SET ROLE),
-- chosen where it is worst; path says how. command: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'.
-- Views count too (command SELECT alone): what their query lets through with the rights it runs with.
-- Without the privilege there is no row.
-- verdict: 'denied' (no policy for the command) | 'isolated' | 'leaks' | 'may leak' (an expression govctl cannot read decides)
-- | 'rls off' | 'owner' (owner, not forced) | 'bypassrls'. Superusers have no row.
-- counterexample: in words, for 'leaks' and 'may leak'. policy: the permissive policy that lets the row through.
create table verdicts (
  principal integer not null, relation integer not null, command text not null, verdict text not null,
  as_role integer not null, path text not null, policy integer, counterexample text,
  cause text,                             -- 'unset setting' | 'settable flag' | 'tautology' | 'literal tenant' | 'not keyed' | 'writable trust' | 'user key' | 'shared rows' | 'unreadable' | …
  primary key (principal, relation, command)) without rowid;

-- The exposure matrix (TI-10): one row a principal and a relation it can read, and why row security does or does not bind it there.
-- verdict: 'bound' | 'isolated' | 'leaks' | 'may leak' | 'rls off' | 'owner' | 'bypassrls' | 'superuser' | 'definer view' | 'materialized view' | 'foreign table' | 'partition'
-- ('partition': rls off on it, on for a table it is a partition of).
create table exposure (
  principal integer not null, relation integer not null, verdict text not null, as_role integer not null, path text not null,
  is_tenant_data integer not null, primary key (principal, relation)) without rowid;

-- What one principal can read of other tenants through a SECURITY DEFINER function that names tenant relations.
-- verdict: 'isolated' | 'leaks' | 'may leak' | 'unread' (its body cannot be read). reads: the tenant relations, as a JSON array.
create table function_verdicts (
  principal integer not null, function integer not null, verdict text not null, reads text not null, counterexample text,
  primary key (principal, function)) without rowid;

-- What one principal does to rows of other tenants by writing `relation`: a trigger whose function runs with its owner's rights,
-- or a rule, touches rows of `target`. door: 'trigger' | 'rule'; command: what is done, 'SELECT' where rows are copied into the one
-- that is written; verdict: 'leaks' | 'may leak'; by_link: the rows are found by a foreign key of `relation`.
create table fired_effects (
  principal integer not null, relation integer not null, door text not null, name text not null, function integer, runs_as integer not null,
  command text not null, target integer not null, verdict text not null, by_link integer not null, counterexample text,
  primary key (principal, relation, door, name, command, target)) without rowid;

-- What triggers and rules of tenant relations write of a tenant's row into `target`, a table that says of no row whose it is.
-- door: 'trigger' | 'rule'; whole: the whole row, else some of its texts and documents.
create table row_copies (
  relation integer not null, door text not null, name text not null, function integer, target integer not null, whole integer not null,
  primary key (relation, door, name, target)) without rowid;

-- Functions that policies call and whose body cannot be read: the verdict takes what they return as a value of the session.
create table unread_functions (relation integer not null, function text not null, primary key (relation, function)) without rowid;

-- SECURITY DEFINER functions that run text of their caller's: an argument that becomes part of a statement unquoted, and that nothing in
-- the body asks about before ('$2' where it has no name).
create table dynamic_statements (function integer primary key, argument text not null);

-- Settings (GUCs) that policies and the functions they call read. caller_may_set: any role may SET it.
create table policy_settings (policy integer not null, setting text not null, missing_ok integer not null, caller_may_set integer not null);

-- What govctl.yaml declares. One row, where there is a govctl.yaml with anything in it. regimes: JSON array.
create table declared (stage integer, regimes text not null, names_owners integer not null);
-- Who answers for each axis: a row for each of the four, owner null where nobody is named.
create table owners (axis text primary key, owner text, usual text not null) without rowid;
-- What a person answers to the question of an axis. answer: 'yes' | 'no' | 'unsure' | 'not-applicable'.
-- expires: the first day on which it no longer counts; stale: that day has come.
create table attestations (
  axis text primary key, answer text not null, answered_by text not null, answered_on text not null, evidence text,
  expires text not null, stale integer not null) without rowid;
-- The same for questions that belong to no axis: a row for each, answer null where nobody says. topic: 'pooler' | 'encryption-at-rest'
-- | 'secret-actions' | 'retrieval-shape' | 'retrieval-line' | 'permission-sync' | 'content-isolation' | 'internal-adversary'.
create table answered_topics (
  topic text primary key, question text not null, answer text, answered_by text, answered_on text, evidence text, expires text,
  stale integer not null) without rowid;
-- The four answers, there once every other check has run: found, by the database alone, and answer, with what is attested.
create table answers (axis text primary key, found text not null, answer text not null, reason text not null) without rowid;
-- Tables that record events: who did what, when. A partition is part of its parent and has no row.
-- purpose: 'audit' (who did what) | 'tool calls' (what agents called) | 'retrieval' (what was looked up for whom, and what of it
-- was let through) | 'history' (what one table's rows were before). reason: why it is taken for one, a sentence.
create table event_logs (
  relation integer primary key, purpose text not null, reason text not null,
  -- What limits the actor's kind: 'enum' | 'check' | 'lookup' (a foreign key) | 'columns' (one column for agents, one for users)
  -- | 'free' (anything may stand there); null where no column says the kind. actor_kinds: the values, as a JSON array.
  -- names_agent: an agent is a value of its own; null where rows decide ('lookup') or no column does.
  actor_kind_source text, actor_kinds text, names_agent integer,
  -- Who holds UPDATE, DELETE or TRUNCATE on it or a partition, superusers aside: 'nobody' | 'owner' (it and who may become it)
  -- | 'columns' (UPDATE of some columns was granted) | 'others'.
  held_by text not null,
  -- What triggers and rules do with the command on the log itself, whoever asks: 'refused' | 'partly' (there is a way through)
  -- | 'unread' (a language govctl does not read) | 'none'. guards_always: all three also in a session with
  -- session_replication_role = replica (ENABLE ALWAYS).
  on_update text not null, on_delete text not null, on_truncate text not null, guards_always integer not null,
  owner_logins text not null);            -- logins that are its owner or may become it, superusers aside, as a JSON array
-- What its columns say. role: 'time' | 'actor' | 'actor kind' | 'on behalf of' | 'act chain' | 'tenant' | 'acting for tenant' | 'action'
-- | 'tool' | 'object' | 'before' | 'after' | 'payload' | 'payload digest' | 'salt' | 'previous hash' | 'hash' | 'sequence' | 'decision'
-- | 'reason' | 'decision reference' | 'trace' | 'idempotency' | 'redaction' | 'redacted by' | 'signature' | 'key id' | 'database role'
-- | 'snapshot' | 'retrieved' | 'authorized' | 'denied' | 'query' | 'query digest'. One column may play several roles.
-- filled_by_trigger: a row trigger before INSERT sets it, whatever the caller wrote. from_setting: the setting of the session that this
-- trigger takes it from, which any role may set; null where none.
create table event_log_columns (
  relation integer not null, role text not null, column_number integer not null, name text not null,
  filled_by_trigger integer not null, from_setting text, primary key (relation, role)) without rowid;
-- Triggers and rules of a log, and of its partitions, that refuse a command ('UPDATE' | 'DELETE' | 'TRUNCATE').
-- guard_kind: 'trigger' | 'rule'; effect: 'refused' | 'partly' | 'unread'; enabled: as in triggers.
create table event_log_guards (
  log integer not null, relation integer not null, command text not null, guard_kind text not null, name text not null,
  effect text not null, enabled text not null);
-- The chain that a row trigger of a log writes: the column of the row's own hash and of the one before, the trigger, its function.
-- enabled: as in triggers. writers_wait: its function takes a lock that a second writer waits for. The rest is null where the
-- formula could not be read: covers_previous (the hash reads the one before), and as JSON arrays uncovered (columns it does not
-- read), unframed (`left and right`: neighbours without a seam), session_dependent (points in time in the session's zone).
create table event_log_chains (
  relation integer primary key, hash_column integer not null, previous_column integer, trigger_name text not null,
  function integer not null, enabled text not null, writers_wait integer not null, covers_previous integer,
  uncovered text, unframed text, session_dependent text);
-- Trigger functions that insert into a log: what records the changes of other tables. forgives: where the entry fails the change goes
-- on, and nothing is kept of it.
create table event_log_writers (function integer not null, log integer not null, forgives integer not null, primary key (function, log)) without rowid;
-- Who, superusers aside, may do what to a log, or through which of its partitions. command: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'
-- | 'TRUNCATE'. via: 'grant' | 'owner'; on_columns: on some columns only (column_privileges has them). Triggers not considered.
create table event_log_rights (
  principal integer not null, log integer not null, relation integer not null, command text not null, via text not null,
  on_columns integer not null, as_role integer not null, path text not null,
  primary key (principal, relation, command)) without rowid;
-- Roles that speak for an agent: logins, and roles that a login may become. source, free_sql: as in role_purposes.
create table agents (role integer primary key, name text not null, login integer not null, source text not null, free_sql integer);
-- Columns of the user's that hold what somebody should not read, going by their names.
-- class: 'secret' | 'key' (opens other values) | 'ciphertext' | 'hash' | 'reference' (where a secret is kept) | 'personal' | 'finance' | 'transcript' | 'health' | 'card'
create table sensitive_columns (relation integer not null, column_number integer not null, class text not null, primary key (relation, column_number)) without rowid;
-- Who can read these, and columns that were sampled, as far as grants say; rows are for the policies. principal: of principals or agents,
-- superusers aside. as_role: itself or a role it may become; path says how.
create table column_readers (
  principal integer not null, relation integer not null, column_number integer not null, as_role integer not null, path text not null,
  primary key (relation, column_number, principal)) without rowid;

-- Tables that agent frameworks make, recognised by their columns. framework: 'LangGraph' | 'LangChain' | 'LlamaIndex' | 'mem0' | 'Letta'
-- | 'Langfuse' | 'Dify' | 'Google ADK' | 'Agno' | 'LiteLLM' | 'Supabase' | 'pgai' | 'DBOS' | 'Temporal'.
-- part: 'state' | 'memory' | 'documents' | 'messages' | 'credentials' | 'approvals' | 'tool calls' | 'workflow' | 'traces' | 'audit' | 'cache' | 'other'.
-- scope: columns that say whose a row is, by the framework's own idea, as a JSON array. advice: half a sentence.
create table framework_relations (
  relation integer primary key, framework text not null, part text not null, scope text not null, advice text not null);
