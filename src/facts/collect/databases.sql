select d.oid, d.datname as name, d.datdba as owner, (d.datname = current_database())::int as is_current,
       d.datistemplate::int as is_template, d.datallowconn::int as allows_connections, (d.datacl is null)::int as default_acl
from pg_database d
