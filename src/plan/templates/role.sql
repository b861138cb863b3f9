--> statement
do $$ begin
  if not exists (select from pg_catalog.pg_roles where rolname = {{ role | literal }}) then
    create role {{ name }} nologin;
  end if;
exception when insufficient_privilege then
  raise exception using errcode = 'insufficient_privilege', message = {{ ['an administrator has to run first: create role ', name, ' nologin'] | join | literal }};
end $$
--> undo
drop role if exists {{ name }}
