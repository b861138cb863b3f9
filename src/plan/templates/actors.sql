--> statement
do $$ begin
  if to_regtype('{{ schema }}.actor_kind') is null then
    create type {{ schema }}.actor_kind as enum ('human', 'agent', 'service', 'system');
  end if;
end $$
--> undo
drop type if exists {{ schema }}.actor_kind
--> statement
-- Which login is which actor. Whoever may write here decides who did what: nobody but the owner of the log may.
create table if not exists {{ schema }}.login_actor (
  login text primary key,
  kind {{ schema }}.actor_kind not null,
  actor text not null
)
{%- if logins %}
--> statement
insert into {{ schema }}.login_actor (login, kind, actor) values
  {% for login in logins %}({{ login.name | literal }}, '{{ login.kind }}', {{ login.name | literal }}){% if not loop.last %},
  {% endif %}{% endfor %}
on conflict (login) do nothing
--> undo
{%- endif %}
--> statement
-- Who the session's login is; nobody where it is not registered.
create or replace function {{ schema }}.session_actor() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select a.actor from {{ schema }}.login_actor a where a.login = session_user
$$
--> statement
create or replace function {{ schema }}.session_kind() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select a.kind::text from {{ schema }}.login_actor a where a.login = session_user
$$
--> statement
revoke execute on function {{ schema }}.session_actor(), {{ schema }}.session_kind() from public
--> undo
{%- if writers %}
--> statement
grant execute on function {{ schema }}.session_actor(), {{ schema }}.session_kind() to {{ writers }}
--> undo
{%- endif %}
{%- if strange_writers %}
--> statement
grant usage on schema {{ schema }} to {{ strange_writers }}
--> undo
revoke usage on schema {{ schema }} from {{ strange_writers }}
{%- endif %}
--> statement
comment on table {{ schema }}.login_actor is
  'Which login is which actor. A login that is not here cannot write events.'
--> undo
