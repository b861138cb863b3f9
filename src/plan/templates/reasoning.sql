{%- set t = tenant -%}
--> statement
-- Why something was done, found from the event and the run it led to, until its date.
create table if not exists {{ schema }}.reasoning_artifact (
{%- if t %}
  {{ t.name }} {{ t.type }} not null{% if t.default %} default {{ t.default }}{% endif %}{% if t.table %} references {{ t.table }} ({{ t.key }}){% endif %},
{%- endif %}
  id uuid not null default gen_random_uuid(),
  event_id uuid,
  run_id text not null,
  model_name text,
  reasoning text,
  reasoning_digest bytea,
  salt bytea,
  created_at timestamptz not null default now(),
  retain_until date not null default current_date + {{ days }},
  legal_hold boolean not null default false,
  redacted_at timestamptz,
  primary key ({% if t %}{{ t.name }}, {% endif %}id),
  check ((reasoning is null) = (redacted_at is not null))
)
--> statement
create index if not exists reasoning_artifact_run_idx on {{ schema }}.reasoning_artifact ({% if t %}{{ t.name }}, {% endif %}run_id)
--> statement
create index if not exists reasoning_artifact_retain_until_idx on {{ schema }}.reasoning_artifact (retain_until) where redacted_at is null
--> statement
-- The digest stays when the text goes; its salt goes with the text.
create or replace function {{ schema }}.fill_reasoning() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as {{ q }}
begin
  new.created_at := now();
  new.redacted_at := null;
  new.salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  new.reasoning_digest := sha256('{{ payload_tag }}'::bytea || new.salt || convert_to(new.reasoning, 'UTF8'));
  return new;
end {{ q }}
--> statement
-- A row changes once: its text and salt go, when its date has passed or somebody has a right to it, and no hold is on it.
create or replace function {{ schema }}.guard_reasoning() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as {{ q }}
begin
  if tg_op = 'UPDATE' and old.redacted_at is null and not old.legal_hold and new.redacted_at is not null
      and new.reasoning is null and new.salt is null
      and (to_jsonb(new) - array['reasoning', 'salt', 'redacted_at']) = (to_jsonb(old) - array['reasoning', 'salt', 'redacted_at']) then
    return new;
  end if;
  if tg_op = 'UPDATE' and to_jsonb(new) - 'legal_hold' = to_jsonb(old) - 'legal_hold' then
    return new;
  end if;
  raise exception '%.% keeps what it has: % is refused', tg_table_schema, tg_table_name, tg_op using errcode = 'restrict_violation';
end {{ q }}
--> statement
-- Empties what is past its date, and says how many: for a job that runs once a day.
create or replace function {{ schema }}.redact_expired_reasoning({% if t %}of_tenant {{ t.type }}, {% endif %}at_most integer default 1000) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as {{ q }}
declare
  emptied bigint;
{%- if context %}
  before text := current_setting({{ context }}, true);
{%- endif %}
begin
{%- if context %}
  perform set_config({{ context }}, of_tenant::text, true);
{%- endif %}
  update {{ schema }}.reasoning_artifact r set reasoning = null, salt = null, redacted_at = now()
  where {% if t %}r.{{ t.name }} = of_tenant and {% endif %}r.id in (
    select x.id from {{ schema }}.reasoning_artifact x
    where {% if t %}x.{{ t.name }} = of_tenant and {% endif %}x.retain_until < current_date and x.redacted_at is null and not x.legal_hold
    order by x.retain_until limit at_most);
  get diagnostics emptied = row_count;
{%- if context %}
  perform set_config({{ context }}, coalesce(before, ''), true);
{%- endif %}
  return emptied;
end {{ q }}
--> statement
revoke execute on function {{ schema }}.fill_reasoning(), {{ schema }}.guard_reasoning(),
  {{ schema }}.redact_expired_reasoning({% if t %}{{ t.type }}, {% endif %}integer) from public
--> undo
--> statement
create or replace trigger fill before insert on {{ schema }}.reasoning_artifact for each row execute function {{ schema }}.fill_reasoning()
--> statement
create or replace trigger no_change before update or delete on {{ schema }}.reasoning_artifact for each row execute function {{ schema }}.guard_reasoning()
--> statement
create or replace trigger no_truncate before truncate on {{ schema }}.reasoning_artifact for each statement execute function {{ schema }}.guard_reasoning()
--> statement
alter table {{ schema }}.reasoning_artifact enable always trigger fill, enable always trigger no_change, enable always trigger no_truncate
{%- if t %}
{%- if not own_context or policy_roles %}
--> statement
drop policy if exists tenant_isolation on {{ schema }}.reasoning_artifact
--> undo
--> statement
create policy tenant_isolation on {{ schema }}.reasoning_artifact{% if own_context %} to {{ policy_roles }}{% endif %}
  using ({{ predicate }}) with check ({{ predicate }})
{%- endif %}
{%- if own_context %}
--> statement
drop policy if exists redaction on {{ schema }}.reasoning_artifact
--> undo
--> statement
-- The owner's own function works on one tenant at a time.
create policy redaction on {{ schema }}.reasoning_artifact to {{ owner_role }}
  using ({{ own_predicate }}) with check ({{ own_predicate }})
{%- endif %}
--> statement
alter table {{ schema }}.reasoning_artifact enable row level security, force row level security
{%- endif %}
{%- if writers %}
--> statement
grant usage on schema {{ schema }} to {{ writers }}
--> statement
grant insert ({% if t %}{{ t.name }}, {% endif %}event_id, run_id, model_name, reasoning, retain_until) on {{ schema }}.reasoning_artifact to {{ writers }}
--> undo
{%- endif %}
{%- if auditors %}
--> statement
grant usage on schema {{ schema }} to {{ auditors }}
--> statement
-- Of one tenant at a time, as everybody.
grant select on {{ schema }}.reasoning_artifact to {{ auditors }}
--> undo
{%- endif %}
--> statement
comment on table {{ schema }}.reasoning_artifact is 'Why an agent did what it did: found by run_id and event_id, emptied after retain_until unless legal_hold.'
--> undo
