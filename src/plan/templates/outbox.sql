{%- set t = tenant -%}
--> statement
-- What is to be sent, written in the transaction that decides it; {% if drain %}{{ drain }} sends it{% else %}a worker sends it{% endif %} and marks it.
create table if not exists {{ table }} (
{%- if t %}
  {{ t.name }} {{ t.type }} not null{% if t.default %} default {{ t.default }}{% endif %}{% if t.table %} references {{ t.table }} ({{ t.key }}){% endif %},
{%- endif %}
  id uuid not null default gen_random_uuid(),
  topic text not null,
  payload jsonb not null,
  idempotency_key text not null default gen_random_uuid()::text,
  created_at timestamptz not null default now(),
  published_at timestamptz,
  primary key ({% if t %}{{ t.name }}, {% endif %}id),
  unique ({% if t %}{{ t.name }}, {% endif %}idempotency_key)
)
--> statement
create index if not exists outbox_unpublished_idx on {{ table }} (created_at) where published_at is null
{%- if t %}
--> statement
drop policy if exists tenant_isolation on {{ table }}
--> undo
--> statement
create policy tenant_isolation on {{ table }}
  using ({{ predicate }}) with check ({{ predicate }})
{%- if drain %}
--> statement
drop policy if exists drain on {{ table }}
--> undo
--> statement
-- The worker sends the messages of every tenant, and writes none.
create policy drain on {{ table }} to {{ drain }} using (true) with check (true)
{%- endif %}
--> statement
alter table {{ table }} enable row level security, force row level security
{%- endif %}
{%- if writers %}
--> statement
grant usage on schema {{ schema }} to {{ writers }}
--> statement
grant insert ({% if t %}{{ t.name }}, {% endif %}topic, payload, idempotency_key) on {{ table }} to {{ writers }}
--> undo
{%- endif %}
{%- if drain %}
--> statement
grant usage on schema {{ schema }} to {{ drain }}
--> statement
grant select, update (published_at) on {{ table }} to {{ drain }}
--> undo
{%- endif %}
--> statement
comment on table {{ table }} is 'Messages to the world outside: insert in the same transaction as the change; the worker takes rows without published_at (for update skip locked), sends them, and sets it.'
--> undo
