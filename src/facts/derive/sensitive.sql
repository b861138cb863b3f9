-- Roles that speak for an agent: logins, and roles that a login may become.
insert into agents
select r.oid, r.name, r.login, p.source, p.free_sql
from role_purposes p
join roles r on r.oid = p.role
where p.purpose = 'agent';

create temp table wanted_columns as
select relation, column_number from sensitive_columns
union
select object, column_number from secrets where place = 'row'
union
select relation, column_number from sampled_shapes;

-- Of several ways, its own rights before those of a role it may become.
insert into column_readers (principal, relation, column_number, as_role, path)
select principal, relation, column_number, as_role, path
from (
  select reach.role as principal, w.relation, w.column_number, held.role as as_role, reach.path,
         min((reach.reaches <> reach.role) * 100000 + length(reach.path))
  from wanted_columns w
  join relation_privileges held on held.relation = w.relation and held.visible = 1 and held.can_select > 0
  join role_reach reach on reach.reaches = held.role and (reach.can_set = 1 or reach.reaches = reach.role)
  join roles me on me.oid = reach.role and me.superuser = 0
  left join column_privileges c on c.role = held.role and c.relation = held.relation and c.column_number = w.column_number
  where held.can_select = 1 or c.can_select = 1
  group by reach.role, w.relation, w.column_number);
drop table wanted_columns;
