-- Which tables say who has which role, by the names of their columns.
delete from roles_tables;
insert into roles_tables (relation, tenant, person, role)
select r.oid, k.name, person.name, role.name
from relations r
join columns role on role.relation = r.oid and role.type_name <> 'bool'
  and role.name in (select name from column_names where word like '%role' or word like '%roleid' or word in ('roles', 'rolename'))
join columns person on person.relation = r.oid
  and person.name in (select name from column_names
    where word in ('userid', 'memberid', 'profileid', 'personid', 'employeeid', 'uid', 'useruuid'))
left join tenant_keys k on k.relation = r.oid and k.role = 'key'
where r.provenance = 'user' and r.kind in ('table', 'partitioned table')
  and (k.name is not null or exists (select 1 from tenant_paths p where p.relation = r.oid))
  and lower(r.name) not like '%invit%' and lower(r.name) not like '%audit%' and lower(r.name) not like '%log%'
  and lower(r.name) not like '%message%' and lower(r.name) not like '%session%' and lower(r.name) not like '%event%'
  -- Who is let past something.
  and lower(r.name) not like '%whitelist%' and lower(r.name) not like '%allowlist%'
order by r.oid, k.column_number, person.number, role.number;
