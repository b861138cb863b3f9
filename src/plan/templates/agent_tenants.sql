{%- set t = tenant -%}
--> statement
-- For which tenants an agent may act, apart by what it does there.
create table if not exists {{ table }} (
  {{ t.name }} {{ t.type }} not null{% if t.table %} references {{ t.table }} ({{ t.key }}) on delete cascade{% endif %},
  agent text not null,
  may_read boolean not null default true,
  may_write boolean not null default false,
  granted_at timestamptz not null default now(),
  granted_by text not null default session_user,
  expires_at timestamptz,
  primary key ({{ t.name }}, agent)
)
--> statement
-- Which agents are held to that list. Until an agent is listed here it acts wherever its session says.
create table if not exists {{ scope }} (
  agent text primary key,
  listed_only boolean not null default true
)
--> statement
drop policy if exists tenant_isolation on {{ table }}
--> undo
--> statement
create policy tenant_isolation on {{ table }}
  using ({{ predicate }}) with check ({{ predicate }})
--> statement
alter table {{ table }} enable row level security, force row level security
--> statement
create or replace function {{ function }}(writes boolean) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as {{ q }}
  select not exists (select from {{ scope }} s where s.agent = current_user and s.listed_only)
    or exists (select from {{ table }} m
               where {{ predicate_of_m }} and m.agent = current_user and m.may_read and (m.may_write or not writes)
                 and (m.expires_at is null or m.expires_at > now()))
{{ q }}
--> statement
revoke execute on function {{ function }}(boolean) from public
--> undo
--> statement
grant execute on function {{ function }}(boolean) to {{ agents }}
--> undo
--> statement
grant select on {{ table }}, {{ scope }} to {{ agents }}
--> undo
--> statement
grant usage on schema {{ schema }} to {{ agents }}
--> statement
comment on table {{ table }} is 'The tenants an agent may act for (acting_for_tenant), with what it may do there and until when.'
--> undo
--> statement
comment on table {{ scope }} is 'insert into {{ scope_plain }} values (''the agent''): from then on it acts only for tenants that are listed.'
--> undo
