--> statement
-- One row a chain of a log that was there before. Locked while a row is chained.
create table if not exists {{ schema }}.log_chain (
  log text not null,
  chain text not null,
  primary key (log, chain)
)
{%- if not key %}
--> statement
-- Lanes: a writer takes one that nobody holds, so that writers do not wait for each other.
insert into {{ schema }}.log_chain (log, chain) select {{ log_name }}, n::text from generate_series(0, 31) n on conflict do nothing
--> undo
{%- endif %}
