select p.oid, p.parname as name from pg_parameter_acl p -- since 15
