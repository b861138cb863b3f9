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
--> statement
-- Fields framed as recipe govctl.chain/1 says: the length of each, then its bytes. A loop, as an expression over every field is
-- prepared anew in each transaction.
create or replace function {{ schema }}._frames(fields bytea[]) returns bytea
language plpgsql immutable parallel safe as $$
declare
  field bytea;
  framed bytea := '';
begin
  foreach field in array fields loop
    framed := framed || case when field is null then '\xffffffff'::bytea else int4send(octet_length(field)) || field end;
  end loop;
  return framed;
end $$
--> statement
revoke execute on function {{ schema }}._frames(bytea[]) from public
--> undo
