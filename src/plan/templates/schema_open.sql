{%- if owner %}
--> statement
grant {{ owner }} to current_user
--> undo
revoke {{ owner }} from current_user
{%- endif %}
--> statement
create schema if not exists {{ schema }}
--> undo
{% if new_schema %}drop schema if exists {{ schema }}{% endif %}
