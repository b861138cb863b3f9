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
