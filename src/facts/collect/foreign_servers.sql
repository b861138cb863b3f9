select s.oid, s.srvname as name, w.fdwname as wrapper, s.srvowner as owner,
       (select o.option_value from pg_options_to_table(s.srvoptions) o where o.option_name = 'host') as host,
       (select o.option_value from pg_options_to_table(s.srvoptions) o where o.option_name = 'dbname') as dbname,
       (s.srvacl is null)::int as default_acl
from pg_foreign_server s
join pg_foreign_data_wrapper w on w.oid = s.srvfdw
