-- Departments and what is another's, as the check rbac/department-crosses tells them apart; a row for each table and department.
with departments as (
  select r.oid, r.name, case when d.value in ('finance', 'billing', 'accounting') then 'finance' else 'support' end as department
  from roles r, json_each('["finance","billing","accounting","support","helpdesk"]') d
  where r.superuser = 0 and ('_' || replace(lower(r.name), '-', '_') || '_') like '%\_' || d.value || '\_%' escape '\'
), crossing as (
  select distinct held.relation, s.column_number, s.class, d.oid, d.name, d.department, held.can_select, held.can_insert, held.can_update,
    coalesce(cp.can_insert, 0) as inserts, coalesce(cp.can_update, 0) as updates
  from departments d
  join relation_privileges held on held.role = d.oid and held.visible = 1 and held.can_select > 0
  join sensitive_columns s on s.relation = held.relation
    and ((d.department = 'support' and s.class = 'finance') or (d.department = 'finance' and s.class = 'transcript'))
  left join column_privileges cp on cp.role = held.role and cp.relation = held.relation and cp.column_number = s.column_number
  where held.can_select = 1 or cp.can_select = 1
), judged as (
  select x.*, max(case
    when exists (select 1 from departments o where o.oid = x.oid and o.department <> x.department) then 'its name says both departments'
    when x.can_insert = 1 or x.can_update = 1 or x.inserts = 1 or x.updates = 1 then 'it writes them'
    when exists (select 1 from view_dependencies d join relations v on v.oid = d.view and v.security_invoker = 1
                 join relation_privileges rp on rp.role = x.oid and rp.relation = v.oid and rp.can_select > 0
                 where d.object_kind = 'relation' and d.object = x.relation and d.column_number = x.column_number) then 'a view with its rights shows them'
    when exists (select 1 from role_reach reach join relations r on r.oid = x.relation and r.owner = reach.reaches where reach.role = x.oid) then 'it acts as the owner'
  end) over (partition by x.relation, x.oid) as needed
  from crossing x
)
select r.oid, r.schema, r.name, x.department, x.needed,
  json_group_array(distinct x.name) as roles, json_group_array(distinct x.oid) as role_oids, json_group_array(distinct c.name) as columns,
  -- An agent's columns are narrowed for other reasons too.
  max(x.can_select = 1 and x.oid not in (select role from agents) and not exists (
    select 1 from view_dependencies d join relation_privileges rp on rp.role = x.oid and rp.relation = d.view and rp.can_select > 0
    where d.object_kind = 'relation' and d.object = r.oid)) as wants_view
from judged x
join relations r on r.oid = x.relation and r.provenance = 'user' and r.kind in ('table', 'partitioned table') and r.is_partition = 0
join columns c on c.relation = x.relation and c.number = x.column_number
group by r.oid, x.department, x.needed
order by r.schema, r.name, x.department, x.needed
