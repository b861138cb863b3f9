-- Only whether there is a password: the connection string stays where it is.
select s.oid as subscription,
       (s.subconninfo ~* 'password\s*=\s*[^\s]' or s.subconninfo ~ '://[^:/@]*:[^@]+@')::int as has_password,
       s.subpasswordrequired::int as password_required -- since 16
       1 as password_required -- before 16
from pg_subscription s
where s.subdbid = (select d.oid from pg_database d where d.datname = current_database())
