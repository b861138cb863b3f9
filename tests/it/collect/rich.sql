-- One of everything the facts have a table for. Roles are prefixed with the name of the database by the test: `{db}` stands for it.
create role "{db}_owner" nologin;
create role "{db}_app" login noinherit password 'never-to-be-seen' valid until '2031-02-03 04:05:06+00' connection limit 7;
create role "{db}_agent" login bypassrls;
comment on role "{db}_agent" is 'the agent';
grant "{db}_owner" to "{db}_app" with admin option;
alter role "{db}_app" set search_path = app, public;
alter role "{db}_app" in database "{db}" set "app.jwt_secret" = 'never-to-be-seen';
alter role "{db}_agent" set row_security = off;
alter database "{db}" set work_mem = '5MB';

create schema app authorization "{db}_owner";
comment on schema app is 'the shop';
create type app.mood as enum ('sad', 'glad', 'o''clock');
create domain app.money as numeric(12, 2) check (value >= 0);
create domain app.price as app.money;
create type app.pair as (a int, b text);

create table app.tenants (id uuid primary key default gen_random_uuid(), name text not null unique);
create table app.orders (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references app.tenants on delete cascade on update restrict,
  mood app.mood, moods app.mood[], price app.price, twice numeric generated always as (2 * 3) stored,
  span int4range, pair app.pair, label character varying(40) default 'none',
  gone int, note text collate "C",
  exclude using gist (span with &&));
alter table app.orders drop column gone, add constraint priced check (price < 1000) not valid;
comment on table app.orders is 'what was bought';
comment on column app.orders.label is 'a label';
create index orders_by_tenant on app.orders (tenant_id, lower(note)) include (label) where price > 10;
create table app.counters (n serial, at timestamptz default now());
create unlogged table app.scratch (a int);

alter table app.orders enable row level security;
alter table app.orders force row level security;
create function app.tenant() returns uuid language sql stable
  as $body$ select nullif(current_setting('app.tenant', true), '')::uuid $body$;
create policy mine on app.orders as permissive for all to public
  using (tenant_id = app.tenant()) with check (tenant_id = app.tenant());
create policy "only known" on app.orders as restrictive for select to "{db}_app", "{db}_agent", "{db}_app"
  using (tenant_id in (select id from app.tenants));
comment on policy mine on app.orders is 'one tenant';

create view app.open_orders with (security_barrier = on) as select id, tenant_id, app.tenant() as me from app.orders where price > 0;
create materialized view app.totals as select tenant_id, count(*) from app.orders group by 1;
create rule no_delete as on delete to app.tenants do instead nothing;

create function app.added(a int, inout b text, out c text, variadic rest int[] default '{}') returns record
  language plpgsql security definer strict leakproof set search_path = app, pg_temp set work_mem = '1MB'
  as $body$ begin c := b; end $body$;
comment on function app.added is 'adds';
create function app.modern(a int) returns setof int language sql immutable return a + 1;
create function app.atomic(a int) returns int language sql begin atomic select 1; select a + 2; end;
create procedure app.proceed(int) language plpgsql as $body$ begin end $body$;
create aggregate app.total(int) (sfunc = int4pl, stype = int);
create function app.touched() returns trigger language plpgsql as $body$ begin return new; end $body$;
create function app.watched() returns event_trigger language plpgsql as $body$ begin end $body$;
create trigger touch before insert or update on app.orders for each row when (new.price > 1) execute function app.touched();
alter table app.orders enable always trigger touch;
create trigger wiped after truncate on app.orders for each statement execute function app.touched();
create event trigger "{db}_watch" on ddl_command_end execute function app.watched();
alter event trigger "{db}_watch" disable;

create table app.events (tenant_id uuid not null, at date not null, body text) partition by list (tenant_id);
create trigger touch after insert on app.events for each row execute function app.touched();
create table app.events_1 partition of app.events for values in ('11111111-1111-1111-1111-111111111111') partition by range (at);
create table app.events_1_2030 partition of app.events_1 for values from ('2030-01-01') to (maxvalue);
create table app.events_rest partition of app.events default;
create table app.old_orders () inherits (app.counters);

create extension postgres_fdw;
create server far foreign data wrapper postgres_fdw options (host 'far.example', dbname 'shop', port '5433');
create user mapping for public server far options (user 'shared', password 'never-to-be-seen');
create user mapping for "{db}_app" server far options (user 'app', password 'never-to-be-seen');
create foreign table app.far_orders (id int) server far options (table_name 'orders');
grant usage on foreign server far to "{db}_app";
grant usage on foreign data wrapper postgres_fdw to "{db}_app";

create publication "{db}_some" for table app.tenants with (publish = 'insert, update');
create publication "{db}_all" for all tables;
create subscription "{db}_pull" connection 'host=nowhere.invalid password=never-to-be-seen' publication p
  with (connect = false, enabled = false, slot_name = none, create_slot = false);

grant usage on schema app to "{db}_app", public;
grant execute on function pg_ls_dir(text) to "{db}_app";
grant select, insert on app.orders to "{db}_app" with grant option;
grant update (note), select (id) on app.orders to "{db}_agent";
grant select on app.tenants to public;
revoke execute on function app.tenant() from public;
grant usage on type app.mood to "{db}_app";
grant connect, temporary on database "{db}" to "{db}_app";
revoke all on app.scratch from postgres;
alter default privileges for role "{db}_owner" in schema app grant select on tables to "{db}_app";
alter default privileges for role "{db}_owner" revoke execute on functions from public;
select lo_create(4711);
grant select on large object 4711 to "{db}_app";

create schema "quote"" and 'tick'";
create table "quote"" and 'tick'"."select" ("Größe" int, "line
break" text, "\033[31mred" text, "👩‍🚀" text);
create table "quote"" and 'tick'".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ("table" int);
create table "quote"" and 'tick'".U&"\001B[31mred" (";drop" int);
alter table "quote"" and 'tick'"."select" enable row level security;
create policy "p; -- ""x""
y" on "quote"" and 'tick'"."select" using ("Größe" > 0);
create view "quote"" and 'tick'"."v""" as select "line
break" from "quote"" and 'tick'"."select";

-- pg_cron's table as it makes it; the extension itself is seldom at hand.
create schema cron;
create table cron.job (jobid bigint primary key, schedule text, command text, nodename text, nodeport int, database text, username text, active boolean);
insert into cron.job values (1, '0 3 * * *', 'select ''never-to-be-seen''', 'localhost', 5432, '{db}', '{db}_app', true);
alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);
grant usage on schema cron to public;
grant select on cron.job to public;

insert into app.tenants (id, name) values ('00000000-0000-4000-8000-000000000001', 'never-to-be-seen@one.example'), (default, 'Agent');

create table app.acted (id int, actor_kind text, occurred_at timestamptz, whose uuid);
insert into app.acted values (1, 'agent', '2030-01-01T00:00:00Z', '00000000-0000-4000-8000-000000000001');
