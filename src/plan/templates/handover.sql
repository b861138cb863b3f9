{%- if new_schema %}
--> statement
alter schema {{ schema }} owner to {{ owner }}
--> undo
alter schema {{ schema }} owner to current_user
{%- else %}
--> statement
grant usage, create on schema {{ schema }} to {{ owner }}
--> undo
revoke usage, create on schema {{ schema }} from {{ owner }}
{%- endif %}
{%- for object in objects %}
--> statement
alter {{ object }} owner to {{ owner }}
--> undo
alter {{ object }} owner to current_user
{%- endfor %}
--> statement
-- What the deployer makes later may ask who the session is.
grant execute on function {{ schema }}.session_actor(), {{ schema }}.session_kind() to {{ deployer }}
--> undo
{%- if new_schema %}
--> statement
grant usage on schema {{ schema }} to {{ deployer }}
--> undo
{%- endif %}
{%- if not stays_member %}
--> statement
revoke {{ owner }} from current_user
--> undo
grant {{ owner }} to current_user
{%- endif %}
