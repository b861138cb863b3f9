{%- set t = tenant -%}
--> statement
-- Whether the session's person has a role here. A session that names nobody, and a tenant that has no memberships yet, are
-- not held to them. Runs with the caller's rights, below the caller's policies.
create or replace function {{ function }}(wanted text[] default null) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as {{ q }}
  select {{ person }} is null
    or not exists (select from {{ table }} m where {{ predicate_of_m }})
    or exists (select from {{ table }} m
               where {{ predicate_of_m }} and m.{{ user_column }} = {{ person }}
                 and (wanted is null or m.{{ role_column }}::text = any (wanted)){% if expires %}
                 and (m.{{ expires }} is null or m.{{ expires }} > now()){% endif %})
{{ q }}
--> statement
revoke execute on function {{ function }}(text[]) from public
--> undo
--> statement
grant execute on function {{ function }}(text[]) to {{ writers }}
--> undo
--> statement
grant select on {{ table }} to {{ writers }}
{%- for schema in schemas %}
--> statement
grant usage on schema {{ schema }} to {{ writers }}
{%- endfor %}
