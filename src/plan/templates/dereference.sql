{#- One function a column: what a reference stands for, for the session's tenant alone, and written down. -#}
{%- set t = tenant -%}
{%- macro tenant_of(f) -%}
{%- if t -%}
{%- if f.key and t.default -%}coalesce(it.tenant::{{ t.type }}, {{ t.default }}), {% elif f.key -%}it.tenant::{{ t.type }}, {% else -%}{{ t.default }}, {% endif -%}
{%- endif -%}
{%- endmacro -%}
{%- if not inbox %}
--> statement
-- Who resolved which reference, and who tried to. Never changed.
create table if not exists {{ schema }}.resolution (
{%- if t %}
  {{ t.name }} {{ t.type }} not null,
{%- endif %}
  resolved_at timestamptz not null default clock_timestamp(),
  login text not null default session_user,
  reference text not null,
  stands_for text not null,
  was_found boolean not null,
  run_id text
)
--> statement
create or replace function {{ schema }}.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as {{ q }}
begin
  raise exception '%.% is append-only: % is refused', tg_table_schema, tg_table_name, tg_op using errcode = 'restrict_violation';
end {{ q }}
--> statement
revoke execute on function {{ schema }}.refuse_change() from public
--> undo
--> statement
create or replace trigger no_change before update or delete on {{ schema }}.resolution for each row execute function {{ schema }}.refuse_change()
--> statement
create or replace trigger no_truncate before truncate on {{ schema }}.resolution for each statement execute function {{ schema }}.refuse_change()
--> statement
alter table {{ schema }}.resolution enable always trigger no_change, enable always trigger no_truncate
{%- if owner %}
--> statement
grant insert on {{ schema }}.resolution to {{ owner }}
--> undo
{%- endif %}
{%- if auditors %}
--> statement
grant usage on schema {{ schema }} to {{ auditors }}
--> undo
revoke usage on schema {{ schema }} from {{ auditors }}
--> statement
grant select on {{ schema }}.resolution to {{ auditors }}
--> undo
{%- endif %}
{%- if t %}
--> statement
drop policy if exists written_by_functions on {{ schema }}.resolution
--> undo
--> statement
create policy written_by_functions on {{ schema }}.resolution for insert to {{ owner_role }} with check (true)
{%- if auditors %}
--> statement
drop policy if exists auditor_reads on {{ schema }}.resolution
--> undo
--> statement
create policy auditor_reads on {{ schema }}.resolution for select to {{ auditors }} using (true)
{%- endif %}
--> statement
alter table {{ schema }}.resolution enable row level security, force row level security
{%- endif %}
{%- endif %}
{%- if inbox %}
--> statement
do $$ declare
  joined boolean := false;
begin
{%- if log_owner %}
  if not pg_has_role(current_user, {{ log_owner | literal }}, 'usage') then
    grant {{ log_owner | ident }} to current_user;
    joined := true;
  end if;
{%- endif %}
  -- Who owns the schema enters it already.
  if not exists (select from pg_catalog.pg_namespace where oid = {{ log_schema | literal }}::regnamespace and nspowner = {{ owner_role | literal }}::regrole) then
    grant usage on schema {{ log_schema }} to {{ owner_role }};
  end if;
  grant insert ({% if t %}{{ t.name }}, {% endif %}action, object_type, object_id, decision, run_id) on {{ log_schema }}.event_inbox to {{ owner_role }};
{%- if own_context %}
  drop policy if exists dereferencing on {{ log_schema }}.event_inbox;
  create policy dereferencing on {{ log_schema }}.event_inbox for insert to {{ owner_role }} with check ({{ predicate }});
{%- endif %}
{%- if log_owner %}
  if joined then
    revoke {{ log_owner | ident }} from current_user;
  end if;
{%- endif %}
end $$
--> undo
do $$ declare
  joined boolean := false;
begin
{%- if log_owner %}
  if not pg_has_role(current_user, {{ log_owner | literal }}, 'usage') then
    grant {{ log_owner | ident }} to current_user;
    joined := true;
  end if;
{%- endif %}
{%- if own_context %}
  drop policy if exists dereferencing on {{ log_schema }}.event_inbox;
{%- endif %}
  revoke insert ({% if t %}{{ t.name }}, {% endif %}action, object_type, object_id, decision, run_id) on {{ log_schema }}.event_inbox from {{ owner_role }};
  if not exists (select from pg_catalog.pg_namespace where oid = {{ log_schema | literal }}::regnamespace and nspowner = {{ owner_role | literal }}::regrole) then
    revoke usage on schema {{ log_schema }} from {{ owner_role }};
  end if;
{%- if log_owner %}
  if joined then
    revoke {{ log_owner | ident }} from current_user;
  end if;
{%- endif %}
end $$
{%- endif %}
{%- for f in functions %}
--> statement
-- What a reference stands for, in the session's tenant. Who asked is written down; another tenant's reference is none.
create or replace function {{ schema }}.{{ f.name }}(reference {{ f.reference_type }}, run_id text default null) returns {{ f.type }}
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as {{ q }}
#variable_conflict use_column
declare
  it record;
  is_known boolean;
begin
  select t.{{ f.column }} as value{% if f.key %}, t.{{ f.key }} as tenant{% endif %} into it
    from {{ f.table }} t where t.{{ f.reference }} = $1{% if f.predicate %} and ({{ f.predicate }}){% endif %};
  is_known := found;
{%- if t and not t.default %}
  if not is_known then
    raise exception 'there is no such reference here' using errcode = 'no_data_found';
  end if;
{%- endif %}
{%- if inbox %}
  insert into {{ log_schema }}.event_inbox ({% if t %}{{ t.name }}, {% endif %}action, object_type, object_id, decision, run_id)
  values ({{ tenant_of(f) }}'secret.resolved', {{ f.label }}, $1::text, case when is_known then 'allow' else 'deny' end, $2);
{%- else %}
  insert into {{ schema }}.resolution ({% if t %}{{ t.name }}, {% endif %}reference, stands_for, was_found, run_id)
  values ({{ tenant_of(f) }}$1::text, {{ f.label }}, is_known, $2);
{%- endif %}
  return it.value;
end {{ q }}
--> statement
revoke execute on function {{ schema }}.{{ f.name }}({{ f.reference_type }}, text) from public
--> undo
{%- endfor %}
{%- if dereferencers %}
--> statement
grant usage on schema {{ schema }} to {{ dereferencers }}
--> undo
revoke usage on schema {{ schema }} from {{ dereferencers }}
{%- for f in functions %}
--> statement
grant execute on function {{ schema }}.{{ f.name }}({{ f.reference_type }}, text) to {{ dereferencers }}
--> undo
{%- endfor %}
{%- endif %}
{%- if owner %}
--> statement
grant usage, create on schema {{ schema }} to {{ owner }}
--> undo
revoke usage, create on schema {{ schema }} from {{ owner }}
{%- for f in functions %}
--> statement
alter function {{ schema }}.{{ f.name }}({{ f.reference_type }}, text) owner to {{ owner }}
--> undo
alter function {{ schema }}.{{ f.name }}({{ f.reference_type }}, text) owner to current_user
{%- endfor %}
--> statement
revoke create on schema {{ schema }} from {{ owner }}
--> undo
--> statement
revoke {{ owner }} from current_user
--> undo
grant {{ owner }} to current_user
{%- endif %}
