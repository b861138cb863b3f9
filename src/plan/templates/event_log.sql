{#- The append-only, hash-chained log: rows wait in event_inbox until the transaction commits, and are chained then. -#}
{%- set t = tenant -%}
{%- macro enter(row) -%}
{%- if context %}
  before := current_setting({{ context }}, true);
  if before is distinct from {{ row }}.{{ t.name }}::text then
    perform set_config({{ context }}, {{ row }}.{{ t.name }}::text, true);
  end if;
{%- endif -%}
{%- endmacro -%}
{%- macro leave() -%}
{%- if context %}
  if before is distinct from current_setting({{ context }}, true) then
    perform set_config({{ context }}, coalesce(before, ''), true);
  end if;
{%- endif -%}
{%- endmacro -%}
--> statement
-- One row a chain. Locked while a row is chained, and never changed.
create table if not exists {{ schema }}.event_chain (
{%- if t %}
  {{ t.name }} {{ t.type }} primary key,
{%- else %}
  only_one boolean primary key default true check (only_one),
{%- endif %}
  opened_at timestamptz not null default clock_timestamp()
)
--> statement
-- What happened, one row an action. hash_v says which columns row_hash covers: 1 is all of them, in this order.
create table if not exists {{ schema }}.event (
  hash_v bigint not null default 1,
{%- if t %}
  {{ t.name }} {{ t.type }} not null,
{%- endif %}
  seq bigint not null,
  event_id uuid not null default gen_random_uuid() unique,
  occurred_at timestamptz not null default clock_timestamp(),
  recorded_at timestamptz not null default clock_timestamp(),
  actor_kind {{ schema }}.actor_kind not null,
  actor text not null,
  db_role text not null default session_user,
  on_behalf_of text,
  run_id text,
  action text not null,
  tool_name text,
  object_type text,
  object_id text,
  decision text not null default 'allow' check (decision in ('allow', 'deny')),
  decided_by_role text,
  policy_version text,
  idempotency_key text not null default gen_random_uuid()::text,
  payload_digest bytea,
  prev_hash bytea not null,
  row_hash bytea not null,
  primary key ({% if t %}{{ t.name }}, {% endif %}seq),
  unique ({% if t %}{{ t.name }}, {% endif %}prev_hash),
  unique ({% if t %}{{ t.name }}, {% endif %}idempotency_key)
)
--> statement
-- What went with an event. An event keeps its digest alone, so that this can be erased and the chain still holds.
create table if not exists {{ schema }}.event_payload (
{%- if t %}
  {{ t.name }} {{ t.type }} not null,
{%- endif %}
  event_id uuid primary key,
  salt bytea not null,
  body jsonb not null,
  retain_until date
)
{%- if t %}
--> statement
create index if not exists event_payload_tenant_idx on {{ schema }}.event_payload ({{ t.name }})
{%- endif %}
--> statement
create index if not exists event_payload_retain_until_idx on {{ schema }}.event_payload (retain_until) where retain_until is not null
--> statement
create index if not exists event_run_id_idx on {{ schema }}.event ({% if t %}{{ t.name }}, {% endif %}run_id) where run_id is not null
--> statement
create index if not exists event_erased_idx on {{ schema }}.event (object_id) where action = 'payload.erased'
--> statement
-- Where events are written to. A row leaves when its transaction commits, chained, for event: no lock is held before.
create unlogged table if not exists {{ schema }}.event_inbox (
  id bigint generated always as identity primary key,
{%- if t %}
  {{ t.name }} {{ t.type }} not null{% if t.default %} default {{ t.default }}{% endif %},
{%- endif %}
  event_id uuid not null default gen_random_uuid() unique,
  occurred_at timestamptz not null default clock_timestamp(),
  actor_kind {{ schema }}.actor_kind not null,
  actor text not null,
  db_role text not null default session_user,
  on_behalf_of text,
  run_id text,
  action text not null,
  tool_name text,
  object_type text,
  object_id text,
  decision text not null default 'allow' check (decision in ('allow', 'deny')),
  decided_by_role text,
  policy_version text,
  idempotency_key text not null default gen_random_uuid()::text,
  payload jsonb,
  payload_digest bytea,
  retain_until date,
  unique ({% if t %}{{ t.name }}, {% endif %}idempotency_key)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)
--> statement
create or replace function {{ schema }}.fill_event() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as {{ q }}
declare
  who {{ schema }}.login_actor;
  salt bytea;
{%- if context %}
  before text;
{%- endif %}
begin
  select * into who from {{ schema }}.login_actor a where a.login = session_user;
  if not found then
    raise exception 'login % is no registered actor', session_user
      using errcode = 'insufficient_privilege', hint = 'The owner of the log adds it to {{ schema }}.login_actor.';
  end if;
  new.actor_kind := who.kind;
  new.actor := who.actor;
  new.db_role := session_user;
  new.occurred_at := clock_timestamp();
  new.payload_digest := null;
  {{- enter('new') }}
  if exists (select from {{ schema }}.event e where {% if t %}e.{{ t.name }} = new.{{ t.name }} and {% endif %}e.idempotency_key = new.idempotency_key) then
    raise exception 'this was done before: %', new.idempotency_key using errcode = 'unique_violation';
  end if;
  if new.payload is not null then
    salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    new.payload_digest := sha256('{{ payload_tag }}'::bytea || salt || convert_to(new.payload::text, 'UTF8'));
    insert into {{ schema }}.event_payload ({% if t %}{{ t.name }}, {% endif %}event_id, salt, body, retain_until)
    values ({% if t %}new.{{ t.name }}, {% endif %}new.event_id, salt, new.payload, new.retain_until);
    new.payload := null;
  end if;
  {{- leave() }}
  return new;
end {{ q }}
--> statement
-- Recipe govctl.chain/1. The lock is that of the row's own chain.
create or replace function {{ schema }}.chain_event() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as {{ q }}
declare
  last record;
{%- if context %}
  before text;
{%- endif %}
begin
  {{- enter('new') }}
  perform 1 from {{ schema }}.event_chain c{% if t %} where c.{{ t.name }} = new.{{ t.name }}{% endif %} for update;
  if not found then
    insert into {{ schema }}.event_chain {% if t %}({{ t.name }}) values (new.{{ t.name }}){% else %}default values{% endif %} on conflict do nothing;
    perform 1 from {{ schema }}.event_chain c{% if t %} where c.{{ t.name }} = new.{{ t.name }}{% endif %} for update;
  end if;
  select e.seq, e.row_hash into last from {{ schema }}.event e{% if t %} where e.{{ t.name }} = new.{{ t.name }}{% endif %} order by e.seq desc limit 1;
  {{- leave() }}
  new.hash_v := 1;
  new.recorded_at := clock_timestamp();
  new.seq := coalesce(last.seq, 0) + 1;
  new.prev_hash := coalesce(last.row_hash, sha256('{{ genesis }}'::bytea));
  new.row_hash := sha256('{{ chain_tag }}'::bytea || new.prev_hash || {{ schema }}._frames(array[
    int8send(new.hash_v),
{%- if t %}
    {{ t.send }},
{%- endif %}
    int8send(new.seq),
    uuid_send(new.event_id),
    timestamptz_send(new.occurred_at),
    timestamptz_send(new.recorded_at),
    convert_to(new.actor_kind::text, 'UTF8'),
    convert_to(new.actor, 'UTF8'),
    convert_to(new.db_role, 'UTF8'),
    convert_to(new.on_behalf_of, 'UTF8'),
    convert_to(new.run_id, 'UTF8'),
    convert_to(new.action, 'UTF8'),
    convert_to(new.tool_name, 'UTF8'),
    convert_to(new.object_type, 'UTF8'),
    convert_to(new.object_id, 'UTF8'),
    convert_to(new.decision, 'UTF8'),
    convert_to(new.decided_by_role, 'UTF8'),
    convert_to(new.policy_version, 'UTF8'),
    convert_to(new.idempotency_key, 'UTF8'),
    new.payload_digest]));
  return new;
end {{ q }}
--> statement
-- At commit: the row leaves the inbox and is chained.
create or replace function {{ schema }}.seal_event() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as {{ q }}
{%- if context %}
declare
  before text;
{%- endif %}
begin
  {{- enter('new') }}
  delete from {{ schema }}.event_inbox i where i.id = new.id;
  if found then
    insert into {{ schema }}.event ({% if t %}{{ t.name }}, {% endif %}event_id, occurred_at, actor_kind, actor, db_role, on_behalf_of, run_id,
      action, tool_name, object_type, object_id, decision, decided_by_role, policy_version, idempotency_key, payload_digest)
    values ({% if t %}new.{{ t.name }}, {% endif %}new.event_id, new.occurred_at, new.actor_kind, new.actor, new.db_role, new.on_behalf_of, new.run_id,
      new.action, new.tool_name, new.object_type, new.object_id, new.decision, new.decided_by_role, new.policy_version,
      new.idempotency_key, new.payload_digest);
  end if;
  {{- leave() }}
  return null;
end {{ q }}
--> statement
create or replace function {{ schema }}.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as {{ q }}
begin
  raise exception '%.% is append-only: % is refused', tg_table_schema, tg_table_name, tg_op
    using errcode = 'restrict_violation';
end {{ q }}
--> statement
-- A payload is erased only in a transaction that also writes down that it was.
create or replace function {{ schema }}.guard_payload() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as {{ q }}
begin
  if tg_op = 'DELETE' and exists (select from {{ schema }}.event_inbox i
      where i.action = 'payload.erased' and i.object_id = old.event_id::text) then
    return old;
  end if;
  raise exception '%.% keeps what it has: % is refused, {{ schema }}.erase_payload erases', tg_table_schema, tg_table_name, tg_op
    using errcode = 'restrict_violation';
end {{ q }}
--> statement
-- Erases what went with an event, and leaves a chained event that says so (GDPR Art. 17). Its salt goes too, so that
-- nobody can confirm a guess.
create or replace function {{ schema }}.erase_payload({% if t %}of_tenant {{ t.type }}, {% endif %}of_event uuid, because text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as {{ q }}
declare
  there boolean;
{%- if context %}
  before text;
{%- endif %}
begin
{%- if context %}
  before := current_setting({{ context }}, true);
  perform set_config({{ context }}, of_tenant::text, true);
{%- endif %}
  there := exists (select from {{ schema }}.event_payload p where p.event_id = of_event{% if t %} and p.{{ t.name }} = of_tenant{% endif %});
  if there then
    insert into {{ schema }}.event_inbox ({% if t %}{{ t.name }}, {% endif %}actor_kind, actor, action, object_type, object_id, policy_version)
    values ({% if t %}of_tenant, {% endif %}'system', session_user, 'payload.erased', 'event', of_event::text, because);
    delete from {{ schema }}.event_payload p where p.event_id = of_event{% if t %} and p.{{ t.name }} = of_tenant{% endif %};
  end if;
  {{- leave() }}
  return there;
end {{ q }}
--> statement
-- Payloads that disagree with the digest in the log, and those that are gone without an event that says so. The reader needs
-- SELECT on both tables.
create or replace function {{ schema }}.payload_faults() returns table (event_id uuid, fault text)
language sql stable set search_path = pg_catalog, pg_temp as {{ q }}
  select e.event_id, case when p.event_id is null then 'missing' else 'changed' end
  from {{ schema }}.event e
  left join {{ schema }}.event_payload p on p.event_id = e.event_id
  where e.payload_digest is not null
    and (p.event_id is not null and e.payload_digest <> sha256('{{ payload_tag }}'::bytea || p.salt || convert_to(p.body::text, 'UTF8'))
      or p.event_id is null and not exists (select from {{ schema }}.event x
           where x.action = 'payload.erased' and x.object_id = e.event_id::text))
{{ q }}
--> statement
-- Erases payloads past their date, and says how many: for a job that runs once a day.
create or replace function {{ schema }}.erase_expired_payloads({% if t %}of_tenant {{ t.type }}, {% endif %}at_most integer default 1000) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as {{ q }}
declare
  expired record;
  erased integer := 0;
{%- if context %}
  before text;
{%- endif %}
begin
{%- if context %}
  before := current_setting({{ context }}, true);
  perform set_config({{ context }}, of_tenant::text, true);
{%- endif %}
  for expired in select p.event_id from {{ schema }}.event_payload p
      where p.retain_until < current_date{% if t %} and p.{{ t.name }} = of_tenant{% endif %} order by p.retain_until limit at_most loop
    perform {{ schema }}.erase_payload({% if t %}of_tenant, {% endif %}expired.event_id, 'retention');
    erased := erased + 1;
  end loop;
  {{- leave() }}
  return erased;
end {{ q }}
--> statement
revoke execute on function {{ schema }}.fill_event(), {{ schema }}.chain_event(), {{ schema }}.seal_event(),
  {{ schema }}.refuse_change(), {{ schema }}.guard_payload(), {{ schema }}.payload_faults(),
  {{ schema }}.erase_payload({% if t %}{{ t.type }}, {% endif %}uuid, text),
  {{ schema }}.erase_expired_payloads({% if t %}{{ t.type }}, {% endif %}integer) from public
--> undo
{%- for trigger in [
  ['fill_event', 'before insert', 'event_inbox', 'row', 'fill_event'],
  ['chain_event', 'before insert', 'event', 'row', 'chain_event'],
  ['no_change', 'before update or delete', 'event', 'row', 'refuse_change'],
  ['no_truncate', 'before truncate', 'event', 'statement', 'refuse_change'],
  ['no_change', 'before update or delete', 'event_payload', 'row', 'guard_payload'],
  ['no_truncate', 'before truncate', 'event_payload', 'statement', 'refuse_change'],
  ['no_change', 'before update or delete', 'event_chain', 'row', 'refuse_change'],
  ['no_truncate', 'before truncate', 'event_chain', 'statement', 'refuse_change'],
] %}
--> statement
create or replace trigger {{ trigger[0] }} {{ trigger[1] }} on {{ schema }}.{{ trigger[2] }}
  for each {{ trigger[3] }} execute function {{ schema }}.{{ trigger[4] }}()
{%- endfor %}
--> statement
do $$ begin
  if not exists (select from pg_catalog.pg_trigger where tgrelid = '{{ schema }}.event_inbox'::regclass and tgname = 'seal_event') then
    create constraint trigger seal_event after insert on {{ schema }}.event_inbox
      deferrable initially deferred for each row execute function {{ schema }}.seal_event();
  end if;
end $$
--> undo
drop trigger if exists seal_event on {{ schema }}.event_inbox
--> statement
alter table {{ schema }}.event_inbox enable always trigger fill_event, enable always trigger seal_event
--> statement
alter table {{ schema }}.event enable always trigger chain_event, enable always trigger no_change, enable always trigger no_truncate
--> statement
alter table {{ schema }}.event_payload enable always trigger no_change, enable always trigger no_truncate
--> statement
alter table {{ schema }}.event_chain enable always trigger no_change, enable always trigger no_truncate
{%- if t %}
{%- for table in ['event_chain', 'event', 'event_payload', 'event_inbox'] %}
{%- if not own_context or policy_roles and table == 'event_inbox' %}
--> statement
drop policy if exists tenant_isolation on {{ schema }}.{{ table }}
--> undo
--> statement
create policy tenant_isolation on {{ schema }}.{{ table }}{% if own_context %} to {{ policy_roles }}{% endif %}
  using ({{ predicate }}) with check ({{ predicate }})
{%- endif %}
{%- if own_context %}
--> statement
drop policy if exists chaining on {{ schema }}.{{ table }}
--> undo
--> statement
-- The owner's own functions work on one tenant at a time.
create policy chaining on {{ schema }}.{{ table }} to {{ owner_role }}
  using ({{ own_predicate }}) with check ({{ own_predicate }})
{%- endif %}
{%- if auditors and table != 'event_inbox' %}
--> statement
drop policy if exists auditor_reads on {{ schema }}.{{ table }}
--> undo
--> statement
create policy auditor_reads on {{ schema }}.{{ table }} for select to {{ auditors }} using (true)
{%- endif %}
--> statement
alter table {{ schema }}.{{ table }} enable row level security, force row level security
{%- endfor %}
{%- endif %}
{%- if writers %}
--> statement
-- Not the actor, not the time, not the hash: those are not the caller's to say.
grant insert ({% if t %}{{ t.name }}, {% endif %}event_id, on_behalf_of, run_id, action, tool_name, object_type, object_id, decision, decided_by_role,
  policy_version, idempotency_key, payload, retain_until) on {{ schema }}.event_inbox to {{ writers }}
--> undo
{%- endif %}
{%- if auditors %}
--> statement
grant usage on schema {{ schema }} to {{ auditors }}
--> undo
revoke usage on schema {{ schema }} from {{ auditors }}
--> statement
grant select on {{ schema }}.event, {{ schema }}.event_payload, {{ schema }}.event_chain, {{ schema }}.login_actor to {{ auditors }}
--> undo
--> statement
grant execute on function {{ schema }}.payload_faults() to {{ auditors }}
--> undo
{%- endif %}
--> statement
do $$ begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'audit_replica') then
    create publication audit_replica for table {{ schema }}.event with (publish = 'insert');
  end if;
end $$
--> undo
drop publication if exists audit_replica
--> statement
comment on table {{ schema }}.event is
  'What happened, by whom, for whom: append-only, one hash chain a {% if t %}tenant{% else %}database{% endif %} (govctl.chain/1). Written through {{ schema }}.event_inbox; verified by govctl verify-chain.'
--> undo
--> statement
comment on table {{ schema }}.event_inbox is
  {{ ['insert into ', schema, '.event_inbox (', (t.name ~ ', ') if t else '', 'action, object_type, object_id, payload) values (…): the row is chained into ', schema, '.event when the transaction commits. Actor and time are the server''s.'] | join | literal }}
--> undo
--> statement
comment on table {{ schema }}.event_payload is
  'What went with an event. Kept until retain_until or until {{ schema }}.erase_payload; the log keeps the digest.'
--> undo
