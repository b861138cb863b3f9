{#- One row a search: what was found, what of it was let through, and why the rest was not. -#}
{%- set t = tenant -%}
{%- macro join_owner() -%}
do $$ begin
  if not pg_has_role(current_user, {{ owner | literal }}, 'usage') then
    grant {{ owner | ident }} to current_user;
    perform set_config('govctl.joined', 'yes', true);
  end if;
end $$
{%- endmacro -%}
{%- macro leave_owner() -%}
do $$ begin
  if current_setting('govctl.joined', true) = 'yes' then
    revoke {{ owner | ident }} from current_user;
    perform set_config('govctl.joined', '', true);
  end if;
end $$
{%- endmacro -%}
{%- if owner %}
--> statement
{{ join_owner() }}
--> undo
{{ leave_owner() }}
{%- endif %}
--> statement
-- What a search found for whom, and what of it was let through.
create table if not exists {{ schema }}.retrieval (
{%- if t %}
  {{ t.name }} {{ t.type }} not null{% if t.default %} default {{ t.default }}{% endif %},
{%- endif %}
  id uuid not null default gen_random_uuid(),
  occurred_at timestamptz not null default clock_timestamp(),
  actor text not null default session_user,
{%- if actors %}
  actor_kind {{ actors }}.actor_kind,
{%- endif %}
  db_role text not null default session_user,
  user_id text,
  run_id text,
  source text not null,
  query text,
  query_digest bytea,
  query_salt bytea,
  query_redacted text,
  retrieved_ids text[] not null,
  authorized_ids text[] not null,
  denied jsonb not null default '[]',
  policy_version text,
  redacted_at timestamptz,
  primary key ({% if t %}{{ t.name }}, {% endif %}id),
  check (query is null),
  check (authorized_ids <@ retrieved_ids),
  check (cardinality(retrieved_ids) = cardinality(authorized_ids) + jsonb_array_length(denied))
)
--> statement
create index if not exists retrieval_run_idx on {{ schema }}.retrieval ({% if t %}{{ t.name }}, {% endif %}run_id) where run_id is not null
--> statement
create index if not exists retrieval_time_idx on {{ schema }}.retrieval ({% if t %}{{ t.name }}, {% endif %}occurred_at)
--> statement
-- Who and when are the server's to say. Of the question a digest stays, and the form that the caller redacted.
create or replace function {{ schema }}.fill_retrieval() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as {{ q }}
begin
{%- if actors %}
  new.actor := {{ actors }}.session_actor();
  new.actor_kind := {{ actors }}.session_kind()::{{ actors }}.actor_kind;
  if new.actor is null then
    raise exception 'login % is no registered actor', session_user
      using errcode = 'insufficient_privilege', hint = 'The owner of the log adds it to {{ actors }}.login_actor.';
  end if;
{%- else %}
  new.actor := session_user;
{%- endif %}
  new.db_role := session_user;
  new.occurred_at := clock_timestamp();
  new.redacted_at := null;
  new.query_digest := null;
  new.query_salt := null;
  if new.query is not null then
    new.query_salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    new.query_digest := sha256('{{ payload_tag }}'::bytea || new.query_salt || convert_to(new.query, 'UTF8'));
    new.query := null;
  end if;
  return new;
end {{ q }}
--> statement
-- A row changes once: the redacted question and its salt go, and when is written down.
create or replace function {{ schema }}.guard_retrieval() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as {{ q }}
begin
  if tg_op = 'UPDATE' and old.redacted_at is null and new.redacted_at is not null and new.query_redacted is null and new.query_salt is null
      and (to_jsonb(new) - array['query_redacted', 'query_salt', 'redacted_at']) = (to_jsonb(old) - array['query_redacted', 'query_salt', 'redacted_at']) then
    return new;
  end if;
  raise exception '%.% is append-only: % is refused', tg_table_schema, tg_table_name, tg_op using errcode = 'restrict_violation';
end {{ q }}
{%- if owner %}
--> statement
-- Empties a question that somebody has a right to have forgotten; what was found and let through stays.
create or replace function {{ schema }}.redact_retrieval({% if t %}of_tenant {{ t.type }}, {% endif %}retrieval_id uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as {{ q }}
declare
  is_done boolean;
{%- if context %}
  before text := current_setting({{ context }}, true);
{%- endif %}
begin
{%- if context %}
  perform set_config({{ context }}, of_tenant::text, true);
{%- endif %}
  update {{ schema }}.retrieval r set query_redacted = null, query_salt = null, redacted_at = now()
  where r.id = retrieval_id and r.redacted_at is null{% if t %} and r.{{ t.name }} = of_tenant{% endif %};
  is_done := found;
{%- if context %}
  perform set_config({{ context }}, coalesce(before, ''), true);
{%- endif %}
  return is_done;
end {{ q }}
{%- endif %}
--> statement
revoke execute on function {{ schema }}.fill_retrieval(), {{ schema }}.guard_retrieval(){% if owner %},
  {{ schema }}.redact_retrieval({% if t %}{{ t.type }}, {% endif %}uuid){% endif %} from public
--> undo
{%- for trigger in [['fill', 'before insert', 'row', 'fill'], ['no_change', 'before update or delete', 'row', 'guard'], ['no_truncate', 'before truncate', 'statement', 'guard']] %}
--> statement
create or replace trigger {{ trigger[0] }} {{ trigger[1] }} on {{ schema }}.retrieval for each {{ trigger[2] }} execute function {{ schema }}.{{ trigger[3] }}_retrieval()
{%- endfor %}
--> statement
alter table {{ schema }}.retrieval enable always trigger fill, enable always trigger no_change, enable always trigger no_truncate
{%- if t %}
{%- if not own_context or policy_roles %}
--> statement
drop policy if exists tenant_isolation on {{ schema }}.retrieval
--> undo
--> statement
create policy tenant_isolation on {{ schema }}.retrieval{% if own_context %} to {{ policy_roles }}{% endif %}
  using ({{ predicate }}) with check ({{ predicate }})
{%- endif %}
{%- if own_context %}
--> statement
drop policy if exists redaction on {{ schema }}.retrieval
--> undo
--> statement
create policy redaction on {{ schema }}.retrieval to {{ owner_role }} using ({{ own_predicate }}) with check ({{ own_predicate }})
{%- endif %}
{%- if auditors %}
--> statement
drop policy if exists auditor_reads on {{ schema }}.retrieval
--> undo
--> statement
create policy auditor_reads on {{ schema }}.retrieval for select to {{ auditors }} using (true)
{%- endif %}
--> statement
alter table {{ schema }}.retrieval enable row level security, force row level security
{%- endif %}
{%- if writers %}
--> statement
-- Not the actor, not the time: those are not the caller's to say.
grant insert ({% if t %}{{ t.name }}, {% endif %}id, user_id, run_id, source, query, query_redacted, retrieved_ids, authorized_ids, denied, policy_version)
  on {{ schema }}.retrieval to {{ writers }}
--> undo
{%- if not own_schema %}
--> statement
grant usage on schema {{ schema }} to {{ writers }}
{%- endif %}
{%- endif %}
{%- if auditors %}
--> statement
grant select on {{ schema }}.retrieval to {{ auditors }}
--> undo
{%- if strangers %}
--> statement
grant usage on schema {{ schema }} to {{ strangers }}
--> undo
revoke usage on schema {{ schema }} from {{ strangers }}
{%- endif %}
{%- endif %}
--> statement
comment on table {{ schema }}.retrieval is
  'One row a search: retrieved_ids is what was found, authorized_ids what of it the agent was shown, denied is [{"id": …, "why": …}] for each other. Of query a salted digest is kept.'
--> undo
{%- if owner %}
{%- if not own_schema %}
--> statement
grant usage, create on schema {{ schema }} to {{ owner | ident }}
--> undo
revoke usage, create on schema {{ schema }} from {{ owner | ident }}
{%- endif %}
{%- for object in ['table retrieval', 'function fill_retrieval()', 'function guard_retrieval()', 'function redact_retrieval(' ~ ((t.type ~ ', ') if t else '') ~ 'uuid)'] %}
--> statement
alter {{ object | replace('table ', 'table ' ~ schema ~ '.') | replace('function ', 'function ' ~ schema ~ '.') }} owner to {{ owner | ident }}
--> undo
alter {{ object | replace('table ', 'table ' ~ schema ~ '.') | replace('function ', 'function ' ~ schema ~ '.') }} owner to current_user
{%- endfor %}
{%- if not own_schema %}
--> statement
revoke create on schema {{ schema }} from {{ owner | ident }}
--> undo
{%- endif %}
--> statement
{{ leave_owner() }}
--> undo
{{ join_owner() }}
{%- endif %}
