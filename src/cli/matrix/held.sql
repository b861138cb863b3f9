-- What each principal may do to each relation as itself, and as each role it may become that may do more.
with acts as (
  select p.role as principal, p.role as acting, p.name as path from principals p where p.kind <> 'superuser'
  union
  select reach.role, reach.reaches, reach.path
  from role_reach reach join principals p on p.role = reach.role and p.kind <> 'superuser'
  where reach.can_set = 1 and reach.reaches <> reach.role
), own as (
  select * from relation_privileges
)
select a.principal, r.schema, r.name, r.kind, coalesce(acting.name, 'PUBLIC') as as_role, a.path,
       case h.can_select when 0 then 'no' when 1 then 'yes' else 'columns' end as "select",
       case h.can_insert when 0 then 'no' when 1 then 'yes' else 'columns' end as "insert",
       case h.can_update when 0 then 'no' when 1 then 'yes' else 'columns' end as "update",
       case h.can_delete when 0 then 'no' else 'yes' end as "delete",
       case h.can_truncate when 0 then 'no' else 'yes' end as "truncate",
       (select json_object(
          'select', json(coalesce((select json_group_array(c.name) from column_privileges cp join columns c on c.relation = cp.relation and c.number = cp.column_number
            where h.can_select = 2 and cp.role = h.role and cp.relation = h.relation and cp.can_select = 1), '[]')),
          'insert', json(coalesce((select json_group_array(c.name) from column_privileges cp join columns c on c.relation = cp.relation and c.number = cp.column_number
            where h.can_insert = 2 and cp.role = h.role and cp.relation = h.relation and cp.can_insert = 1), '[]')),
          'update', json(coalesce((select json_group_array(c.name) from column_privileges cp join columns c on c.relation = cp.relation and c.number = cp.column_number
            where h.can_update = 2 and cp.role = h.role and cp.relation = h.relation and cp.can_update = 1), '[]')))) as columns,
       coalesce((select json_group_array(distinct s.class) from sensitive_columns s
         left join column_privileges cp on cp.role = h.role and cp.relation = h.relation and cp.column_number = s.column_number
         where s.relation = r.oid and (h.can_select = 1 or cp.can_select = 1)), '[]') as classes,
       r.oid in (select relation from tenant_data) as tenant_data,
       case when h.can_select = 0 then null else e.verdict end as exposure,
       coalesce((select json_group_object(v.command, v.verdict) from verdicts v
         where v.principal = a.principal and v.relation = r.oid and v.verdict <> 'denied'), '{}') as verdicts
from acts a
join relation_privileges h on h.role = a.acting and h.visible = 1
join relations r on r.oid = h.relation and r.provenance = 'user' and r.kind <> 'sequence'
left join roles acting on acting.oid = a.acting
left join own on own.role = a.principal and own.relation = h.relation and own.visible = 1
left join exposure e on e.principal = a.principal and e.relation = r.oid
where h.can_select + h.can_insert + h.can_update + h.can_delete + h.can_truncate > 0
  and (a.acting = a.principal or own.role is null
       or (h.can_select > 0 and own.can_select = 0) or (h.can_insert > 0 and own.can_insert = 0) or (h.can_update > 0 and own.can_update = 0)
       or (h.can_delete > 0 and own.can_delete = 0) or (h.can_truncate > 0 and own.can_truncate = 0)
       or (h.can_select = 1 and own.can_select = 2))
order by a.principal, r.schema, r.name, a.acting <> a.principal, a.path
