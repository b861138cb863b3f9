--> statement
alter table {{ log }} add column if not exists chain_seq bigint, add column if not exists prev_hash bytea, add column if not exists row_hash bytea, add column if not exists chain_lane text
{%- if payload %}, add column if not exists payload_salt bytea, add column if not exists payload_digest bytea{% endif %}
