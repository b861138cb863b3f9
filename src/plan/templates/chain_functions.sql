{#- The lanes of a tenant are its own; a log without tenants has one set of them. -#}
{%- set member = ('new.' ~ key ~ '::text') if key else "''" -%}
{%- macro lane(n) -%}{% if key %}{{ member }} || '/' || {{ n }}{% else %}{{ n }}::text{% endif %}{%- endmacro -%}
--> statement
-- Recipe govctl.chain/1 over the columns that stay as they are.
create or replace function {{ schema }}.{{ hash }}(e {{ log }}) returns bytea
language plpgsql stable set search_path = pg_catalog, pg_temp as {{ q }}
begin
  return sha256('{{ chain_tag }}'::bytea || e.prev_hash || {{ schema }}._frames(array[
{%- for frame in frames %}
    {{ frame }}{% if not loop.last %},{% endif %}
{%- endfor %}]));
end {{ q }}
--> statement
create or replace function {{ schema }}.{{ chain }}() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as {{ q }}
declare
  last record;
  free integer;
  lanes integer;
{%- if forced and key %}
  before text := current_setting({{ own_setting }}, true);
{%- endif %}
begin
{%- if forced and key %}
  perform set_config({{ own_setting }}, new.{{ key }}::text, true);
{%- endif %}
  loop
    -- The one that this transaction has already, else the first that is free: as long as nobody writes at once, that is the same one.
    select c.lane into free from {{ schema }}.log_lane c where c.log = {{ log_name }} and c.chain = {{ member }}
      order by {{ lane('c.lane') }} = current_setting('audit.lane', true) desc nulls last, c.lane for update skip locked limit 1;
    exit when found;
    select count(*) into lanes from {{ schema }}.log_lane c where c.log = {{ log_name }} and c.chain = {{ member }};
    if lanes >= 32 then
      select c.lane into free from {{ schema }}.log_lane c
        where c.log = {{ log_name }} and c.chain = {{ member }} and c.lane = pg_backend_pid() % 32 for update;
      exit;
    end if;
    insert into {{ schema }}.log_lane (log, chain, lane)
      select {{ log_name }}, {{ member }}, n from generate_series(lanes, lanes + 7) n on conflict do nothing;
  end loop;
  new.chain_lane := {{ lane('free') }};
  perform set_config('audit.lane', new.chain_lane, true);
  select l.chain_seq, l.row_hash into last from {{ log }} l
    where {% if key %}l.{{ key }} = new.{{ key }} and {% endif %}l.chain_lane = new.chain_lane and l.chain_seq is not null order by l.chain_seq desc limit 1;
{%- if forced and key %}
  perform set_config({{ own_setting }}, coalesce(before, ''), true);
{%- endif %}
{%- if payload %}
  new.payload_salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  new.payload_digest := sha256('{{ payload_tag }}'::bytea || new.payload_salt || convert_to(new.{{ payload }}::text, 'UTF8'));
{%- endif %}
  new.chain_seq := coalesce(last.chain_seq, 0) + 1;
  new.prev_hash := coalesce(last.row_hash, sha256('{{ genesis }}'::bytea));
  new.row_hash := {{ schema }}.{{ hash }}(new);
  return new;
end {{ q }}
--> statement
revoke execute on function {{ schema }}.{{ hash }}({{ log }}), {{ schema }}.{{ chain }}() from public
--> undo
