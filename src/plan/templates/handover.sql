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
{%- if not stays_member %}
--> statement
revoke {{ owner }} from current_user
--> undo
grant {{ owner }} to current_user
{%- endif %}
