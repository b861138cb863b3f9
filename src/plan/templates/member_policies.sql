{%- for policy in policies %}
--> statement
drop policy if exists {{ policy.name }} on {{ table }}
--> undo
--> statement
create policy {{ policy.name }} on {{ table }} as restrictive for {{ policy.command }} to {{ roles }}
  {% if policy.command == 'insert' %}with check{% else %}using{% endif %} ((select {{ policy.asks }}))
--> statement
comment on policy {{ policy.name }} on {{ table }} is {{ policy.says | literal }}
--> undo
{%- endfor %}
