do $$ begin if not exists (select from pg_roles where rolname = 'anon') then create role anon nologin noinherit; end if; end $$;
do $$ begin if not exists (select from pg_roles where rolname = 'authenticated') then create role authenticated nologin noinherit; end if; end $$;
do $$ begin if not exists (select from pg_roles where rolname = 'service_role') then create role service_role nologin noinherit bypassrls; end if; end $$;
do $$ begin if not exists (select from pg_roles where rolname = 'authenticator') then create role authenticator login noinherit; end if; end $$;
do $$ begin if not exists (select from pg_roles where rolname = 'supabase_auth_admin') then create role supabase_auth_admin nologin noinherit; end if; end $$;
do $$ begin if not exists (select from pg_roles where rolname = 'supabase_admin') then create role supabase_admin nologin noinherit; end if; end $$;
grant anon, authenticated, service_role to authenticator;
grant usage on schema public to anon, authenticated, service_role;
create schema if not exists extensions;
