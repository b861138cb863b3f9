{#- In order, each chain for itself. `live` rows go on to be written meanwhile; the last ones are chained under the lock. -#}
do {{ q }}
declare
  member record;
  e {{ log }};
  last_seq bigint;
  last_hash bytea;
  done bigint := 0;
{%- if forced %}
  was_forced boolean;
{%- endif %}
{%- if partitioned and locked %}
  part regclass;
{%- endif %}
begin
  if exists (select from pg_catalog.pg_trigger where tgrelid = {{ oid }} and tgname = 'z_chain') then
    return;
  end if;
{%- if forced %}
  -- Its owner has to see every row meanwhile.
  was_forced := (select c.relforcerowsecurity from pg_catalog.pg_class c where c.oid = {{ oid }});
  if was_forced then
    alter table {{ log }} no force row level security;
  end if;
{%- endif %}
{%- if locked %}
  lock table {{ log }} in share row exclusive mode;
{%- endif %}
{%- if backfill %}
  for member in select distinct {% if key %}l.{{ key }} as own, l.{{ key }}::text || '/0'{% else %}'0'{% endif %} as lane from {{ log }} l where l.chain_seq is null loop
    select l.chain_seq, l.row_hash into last_seq, last_hash from {{ log }} l
      where {% if key %}l.{{ key }} = member.own and {% endif %}l.chain_lane = member.lane and l.chain_seq is not null order by l.chain_seq desc limit 1;
    last_seq := coalesce(last_seq, 0);
    for e in select l.* from {{ log }} l where l.chain_seq is null{% if key %} and l.{{ key }} = member.own{% endif %} order by {{ order }} loop
      last_seq := last_seq + 1;
      e.chain_seq := last_seq;
      e.prev_hash := coalesce(last_hash, sha256('{{ genesis }}'::bytea));
      e.chain_lane := member.lane;
{%- if payload %}
      e.payload_salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
      e.payload_digest := sha256('{{ payload_tag }}'::bytea || e.payload_salt || convert_to(e.{{ payload }}::text, 'UTF8'));
{%- endif %}
      e.row_hash := {{ schema }}.{{ hash }}(e);
      last_hash := e.row_hash;
      update {{ log }} l set chain_seq = e.chain_seq, prev_hash = e.prev_hash, row_hash = e.row_hash, chain_lane = e.chain_lane
        {%- if payload %}, payload_salt = e.payload_salt, payload_digest = e.payload_digest{% endif %}
        where {% for column in pk %}{% if not loop.first %} and {% endif %}l.{{ column }} = e.{{ column }}{% endfor %};
      done := done + 1;
{%- if not locked %}
      if done % 1000 = 0 then
        commit;
      end if;
{%- endif %}
    end loop;
  end loop;
  if done > 0 then
    -- Each row was written once more: whoever compares the count of updates with that of rows needs the second as it is.
    analyze {{ log }};
  end if;
{%- endif %}
{%- if forced %}
  if was_forced then
{%- if locked %}
    drop policy if exists chaining on {{ log }};
    create policy chaining on {{ log }} for select to {{ owner_role }} using ({% if key %}{{ key }} = nullif(current_setting({{ own_setting }}, true), '')::{{ key_type }}{% else %}true{% endif %});
{%- endif %}
    alter table {{ log }} force row level security;
  end if;
{%- endif %}
{%- if locked %}
  create trigger z_chain before insert on {{ log }} for each row execute function {{ schema }}.{{ chain }}();
  alter table {{ log }} enable always trigger z_chain;
{%- if partitioned %}
  for part in select t.relid::regclass from pg_catalog.pg_partition_tree({{ oid }}) t where t.relid <> {{ oid }} loop
    execute format('alter table %s enable always trigger z_chain', part);
  end loop;
{%- endif %}
{%- endif %}
end {{ q }}
