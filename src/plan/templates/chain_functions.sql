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
{%- if forced and key %}
  before text := current_setting({{ own_setting }}, true);
{%- endif %}
begin
{%- if key %}
  perform 1 from {{ schema }}.log_chain c where c.log = {{ log_name }} and c.chain = new.{{ key }}::text for update;
  if not found then
    insert into {{ schema }}.log_chain (log, chain) values ({{ log_name }}, new.{{ key }}::text) on conflict do nothing;
    perform 1 from {{ schema }}.log_chain c where c.log = {{ log_name }} and c.chain = new.{{ key }}::text for update;
  end if;
{%- if forced %}
  perform set_config({{ own_setting }}, new.{{ key }}::text, true);
{%- endif %}
{%- else %}
  select c.chain into new.chain_lane from {{ schema }}.log_chain c where c.log = {{ log_name }}
    order by c.chain = coalesce(current_setting('audit.lane', true), '') desc, c.chain for update skip locked limit 1;
  if not found then
    select c.chain into new.chain_lane from {{ schema }}.log_chain c
      where c.log = {{ log_name }} and c.chain = (pg_backend_pid() % 32)::text for update;
  end if;
  perform set_config('audit.lane', new.chain_lane, true);
{%- endif %}
  select l.chain_seq, l.row_hash into last from {{ log }} l
    where l.{{ key or 'chain_lane' }} = new.{{ key or 'chain_lane' }} and l.chain_seq is not null order by l.chain_seq desc limit 1;
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
