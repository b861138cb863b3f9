--> statement
-- What policies ask reads below them, as a role that nobody is: as the owner it would be held to the policies that ask it.
do {{ q }} declare
  joined boolean := false;
begin
  if not pg_has_role(current_user, {{ role | literal }}, 'usage') then
    grant {{ role | ident }} to current_user;
    joined := true;
  end if;
{%- for table in tables %}
  grant select on {{ table.sql }} to {{ role | ident }};
  grant usage on schema {{ table.schema }} to {{ role | ident }};
  drop policy if exists {{ role | ident }} on {{ table.sql }};
  create policy {{ role | ident }} on {{ table.sql }} for select to {{ role | ident }} using (true);
{%- endfor %}
{%- for asked in asks %}
  grant usage on schema {{ asked.schema }} to {{ role | ident }};
  grant execute on function {{ asked.sql }} to {{ role | ident }};
{%- endfor %}
  grant usage, create on schema {{ schema }} to {{ role | ident }};
  alter function {{ function }} owner to {{ role | ident }};
  -- Who owned it called it as its owner, and policies go on asking it in its name.
  grant execute on function {{ function }} to {{ owner }};
  revoke create on schema {{ schema }} from {{ role | ident }};
  if joined then
    revoke {{ role | ident }} from current_user;
  end if;
end {{ q }}
--> undo
do {{ q }} declare
  joined boolean := false;
begin
  if not pg_has_role(current_user, {{ role | literal }}, 'usage') then
    grant {{ role | ident }} to current_user;
    joined := true;
  end if;
  alter function {{ function }} owner to {{ owner }};
{%- for table in tables %}
  drop policy if exists {{ role | ident }} on {{ table.sql }};
  revoke select on {{ table.sql }} from {{ role | ident }};
  revoke usage on schema {{ table.schema }} from {{ role | ident }};
{%- endfor %}
{%- for asked in asks %}
  revoke execute on function {{ asked.sql }} from {{ role | ident }};
  revoke usage on schema {{ asked.schema }} from {{ role | ident }};
{%- endfor %}
  revoke usage on schema {{ schema }} from {{ role | ident }};
  if joined then
    revoke {{ role | ident }} from current_user;
  end if;
end {{ q }}
