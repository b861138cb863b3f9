--> statement
-- An agent acts as itself, now; whom it names instead is in whose name it acted.
create or replace function {{ schema }}.{{ function }}() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as {{ q }}
begin
  if {{ schema }}.session_kind() = 'agent' then
{%- if behalf and actor %}
    new.{{ behalf }} := coalesce(new.{{ behalf }}, nullif(new.{{ actor }}, {{ schema }}.session_actor()));
{%- endif %}
{%- if kind %}
    new.{{ kind }} := {{ agent_label }};
{%- endif %}
{%- if actor %}
    new.{{ actor }} := {{ schema }}.session_actor();
{%- endif %}
{%- if time %}
    new.{{ time }} := clock_timestamp();
{%- endif %}
  end if;
  return new;
end {{ q }}
--> statement
revoke execute on function {{ schema }}.{{ function }}() from public
--> undo
