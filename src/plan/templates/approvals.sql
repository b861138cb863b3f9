{%- set t = tenant -%}
--> statement
-- What waits for somebody else's signature, and how many it needs.
create table if not exists {{ schema }}.approval_request (
{%- if t %}
  {{ t.name }} {{ t.type }} not null{% if t.default %} default {{ t.default }}{% endif %}{% if t.table %} references {{ t.table }} ({{ t.key }}){% endif %},
{%- endif %}
  id uuid not null default gen_random_uuid(),
  requested_by text not null,
  wants text not null,
  object_type text,
  object_id text,
  run_id text,
  needed bigint not null default 1 check (needed > 0),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '1 day',
  version bigint not null default 0,
  primary key ({% if t %}{{ t.name }}, {% endif %}id),
  unique ({% if t %}{{ t.name }}, {% endif %}id, requested_by)
)
--> statement
-- Who signed. Whoever asked does not sign: the requester stands in the same row, and the foreign key keeps it true.
create table if not exists {{ schema }}.approval_cosignature (
{%- if t %}
  {{ t.name }} {{ t.type }} not null{% if t.default %} default {{ t.default }}{% endif %},
{%- endif %}
  request_id uuid not null,
  requested_by text not null,
  cosigner text not null,
  consents boolean not null default true,
  because text,
  cosigned_at timestamptz not null default now(),
  primary key ({% if t %}{{ t.name }}, {% endif %}request_id, cosigner),
  foreign key ({% if t %}{{ t.name }}, {% endif %}request_id, requested_by) references {{ schema }}.approval_request ({% if t %}{{ t.name }}, {% endif %}id, requested_by),
  check (cosigner <> requested_by)
)
--> statement
-- An agent asks in its own name, whatever it writes.
create or replace function {{ schema }}.fill_approval_request() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as {{ q }}
begin
{%- if actors %}
  if {{ actors }}.session_kind() = 'agent' then
    new.requested_by := {{ actors }}.session_actor();
  end if;
  new.requested_by := coalesce(new.requested_by, {{ actors }}.session_actor(), session_user);
{%- else %}
{%- if agent_names %}
  if session_user in ({{ agent_names }}) then
    new.requested_by := session_user;
  end if;
{%- endif %}
  new.requested_by := coalesce(new.requested_by, session_user);
{%- endif %}
  return new;
end {{ q }}
--> statement
-- An agent signs nothing, and nobody signs late, or for a request that is not there.
create or replace function {{ schema }}.fill_approval_cosignature() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as {{ q }}
declare
  asked {{ schema }}.approval_request;
begin
{%- if actors %}
  if {{ actors }}.session_kind() = 'agent' then
    raise exception 'an agent signs nothing' using errcode = 'insufficient_privilege';
  end if;
{%- elif agent_names %}
  if session_user in ({{ agent_names }}) then
    raise exception 'an agent signs nothing' using errcode = 'insufficient_privilege';
  end if;
{%- endif %}
  select * into asked from {{ schema }}.approval_request r where r.id = new.request_id{% if t %} and r.{{ t.name }} = new.{{ t.name }}{% endif %};
  if not found or asked.expires_at < now() then
    raise exception 'there is no request % that waits for a signature', new.request_id using errcode = 'no_data_found';
  end if;
  new.requested_by := asked.requested_by;
  new.cosigned_at := now();
  return new;
end {{ q }}
--> statement
-- Enough others have signed, and nobody has refused.
create or replace function {{ schema }}.is_approved(request uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as {{ q }}
  select exists (
    select from {{ schema }}.approval_request r
    where r.id = request
      and (select count(*) from {{ schema }}.approval_cosignature c where c.request_id = r.id and c.consents) >= r.needed
      and not exists (select from {{ schema }}.approval_cosignature c where c.request_id = r.id and not c.consents))
{{ q }}
--> statement
create or replace function {{ schema }}.refuse_approval_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as {{ q }}
begin
  raise exception 'what was asked for and signed in %.% stays: % is refused', tg_table_schema, tg_table_name, tg_op
    using errcode = 'restrict_violation';
end {{ q }}
--> statement
revoke execute on function {{ schema }}.fill_approval_request(), {{ schema }}.fill_approval_cosignature(), {{ schema }}.is_approved(uuid),
  {{ schema }}.refuse_approval_change() from public
--> undo
{%- for trigger in [
  ['fill', 'before insert', 'approval_request', 'row', 'fill_approval_request'],
  ['fill', 'before insert', 'approval_cosignature', 'row', 'fill_approval_cosignature'],
  ['no_change', 'before update or delete', 'approval_request', 'row', 'refuse_approval_change'],
  ['no_truncate', 'before truncate', 'approval_request', 'statement', 'refuse_approval_change'],
  ['no_change', 'before update or delete', 'approval_cosignature', 'row', 'refuse_approval_change'],
  ['no_truncate', 'before truncate', 'approval_cosignature', 'statement', 'refuse_approval_change'],
] %}
--> statement
create or replace trigger {{ trigger[0] }} {{ trigger[1] }} on {{ schema }}.{{ trigger[2] }}
  for each {{ trigger[3] }} execute function {{ schema }}.{{ trigger[4] }}()
{%- endfor %}
{%- for table in ['approval_request', 'approval_cosignature'] %}
--> statement
alter table {{ schema }}.{{ table }} enable always trigger fill, enable always trigger no_change, enable always trigger no_truncate
{%- if t %}
--> statement
drop policy if exists tenant_isolation on {{ schema }}.{{ table }}
--> undo
--> statement
create policy tenant_isolation on {{ schema }}.{{ table }}
  using ({{ predicate }}) with check ({{ predicate }})
--> statement
alter table {{ schema }}.{{ table }} enable row level security, force row level security
{%- endif %}
{%- endfor %}
{%- if writers %}
--> statement
grant usage on schema {{ schema }} to {{ writers }}
--> statement
grant select, insert ({% if t %}{{ t.name }}, {% endif %}id, requested_by, wants, object_type, object_id, run_id, needed, expires_at)
  on {{ schema }}.approval_request to {{ writers }}
--> undo
--> statement
grant select on {{ schema }}.approval_cosignature to {{ writers }}
--> undo
--> statement
grant execute on function {{ schema }}.is_approved(uuid) to {{ writers }}
--> undo
{%- endif %}
{%- if signers %}
--> statement
-- Not to agents.
grant insert ({% if t %}{{ t.name }}, {% endif %}request_id, cosigner, consents, because) on {{ schema }}.approval_cosignature to {{ signers }}
--> undo
{%- endif %}
--> statement
comment on table {{ schema }}.approval_request is 'What waits for needed signatures of others until expires_at; is_approved(id) says whether it has them.'
--> undo
--> statement
comment on table {{ schema }}.approval_cosignature is 'Who signed or refused what somebody else asked for. Never changed.'
--> undo
