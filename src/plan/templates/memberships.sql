{%- set t = tenant -%}
--> statement
-- Who may do what for which tenant. Nobody writes here but whoever manages members: grant INSERT and UPDATE to that role.
create table if not exists {{ table }} (
  {{ t.name }} {{ t.type }} not null{% if t.table and user.composite == false %} references {{ t.table }} ({{ t.key }}) on delete cascade{% endif %},
  user_id {{ user.type }} not null{% if user.table and user.composite == false %} references {{ user.table }} ({{ user.key }}) on delete cascade{% endif %},
  role text not null check (role in ({{ roles }})),
  granted_at timestamptz not null default now(),
  granted_by text not null default session_user,
  reviewed_at timestamptz,
  expires_at timestamptz,
  primary key ({{ t.name }}, user_id, role)
{%- if user.composite %},
  foreign key ({{ t.name }}, user_id) references {{ user.table }} ({{ user.tenant }}, {{ user.key }}) on delete cascade
{%- endif %}
)
--> statement
create index if not exists memberships_user_id_idx on {{ table }} (user_id)
--> statement
drop policy if exists tenant_isolation on {{ table }}
--> undo
--> statement
create policy tenant_isolation on {{ table }}
  using ({{ predicate }}) with check ({{ predicate }})
--> statement
alter table {{ table }} enable row level security, force row level security
--> statement
comment on table {{ table }} is 'Which person has which role for which tenant, by whose grant, until when; reviewed_at says when somebody last looked.'
--> undo
