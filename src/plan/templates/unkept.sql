{%- if linked == 0 %}
--> statement
alter table {{ table }} add column run_id text
{%- endif %}
{%- if kept == 0 %}
--> statement
alter table {{ table }} add column retain_until date
--> statement
alter table {{ table }} alter column retain_until set default current_date + {{ days }}
{%- endif %}
