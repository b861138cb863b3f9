-- Columns with secrets of the world outside, or a provider's ids, that an agent reads (checks secret-separation/provider-ids-in-reach
-- and agent-reads-credentials). What only has to be recognised again, as a password, needs no reference.
with ids as (
  select c.relation, c.number from columns c
  where (lower(c.name) glob '*stripe*id' or lower(c.name) glob '*stripe*customer*' or lower(c.name) glob '*payment_method_id' or lower(c.name) glob '*payment_intent*'
      or lower(c.name) glob '*braintree*' or lower(c.name) glob '*adyen*' or lower(c.name) glob '*paypal*' or lower(c.name) glob '*plaid*' or lower(c.name) in ('pan', 'card_number', 'provider_customer_id'))
    and not (c.type_name = 'uuid' and (lower(c.name) glob '*_ref' or c.name glob '*[a-z0-9]Ref'))
  union
  select x.relation, x.column_number from sampled_shapes x where x.shape = 'provider id'
), found as (
  select relation, number, 'secret-separation/provider-ids-in-reach' as check_id from ids
  union all
  select s.relation, s.column_number, 'secret-separation/agent-reads-credentials' from sensitive_columns s
  join columns c on c.relation = s.relation and c.number = s.column_number
  join relations r on r.oid = s.relation
  where s.class = 'secret' and not exists (select 1 from ids where ids.relation = s.relation and ids.number = s.column_number)
    and not (lower(c.name) like '%passw%' or lower(c.name) like '%pwd%' or lower(c.name) like '%passphrase%' or lower(c.name) like '%passcode%' or lower(c.name) like '%pin'
          or lower(c.name) like '%otp%' or lower(c.name) like '%mfa%' or lower(c.name) like '%recovery%' or lower(c.name) like '%backup%' or lower(c.name) like '%reset%'
          or lower(c.name) like '%verification%' or lower(c.name) like '%session%' or lower(c.name) like '%invit%' or lower(c.name) like '%cvv%' or lower(c.name) like '%cvc%')
    -- The product's own keys, which are hashed (secret-separation/raw-credentials).
    and not (lower(replace(r.name, '-', '_')) glob '*api*key*' or lower(r.name) glob '*session*' or lower(r.name) glob '*auth*token*' or lower(r.name) in ('tokens', 'personal_tokens'))
    and not exists (select 1 from sampled_shapes x join sampled_columns t on t.relation = x.relation and t.column_number = x.column_number
                    where x.relation = s.relation and x.column_number = s.column_number and x.shape in ('password hash', 'ciphertext') and x.count = t.filled)
)
select r.oid, r.schema, r.name, o.name as owner, r.kind, c.name as column_name, c.type as column_type, f.check_id,
  ref.name as reference, ref.type as reference_type,
  exists (select 1 from functions d where d.security_definer = 1 and d.provenance = 'user' and d.returns <> 'trigger'
          and instr(lower(d.source), lower(r.name)) > 0 and instr(lower(d.source), lower(c.name)) > 0) as resolved,
  (select k.name from tenant_keys k where k.relation = r.oid order by k.role = 'user', k.column_number limit 1) as key,
  (select p.predicate from tenant_predicates p where p.relation = r.oid) as predicate
from found f
join relations r on r.oid = f.relation and r.provenance = 'user' and r.kind in ('table', 'partitioned table') and r.is_partition = 0
join roles o on o.oid = r.owner
join columns c on c.relation = f.relation and c.number = f.number and c.type_name in ('text', 'varchar', 'bpchar', 'citext', 'uuid', 'json', 'jsonb', 'bytea')
left join columns ref on ref.relation = r.oid and ref.number = (
  select coalesce(max(case when lower(x.name) in (lower(c.name) || '_ref', lower(c.name) || 'ref') then x.number end), min(x.number)) from columns x
  where x.relation = r.oid and x.number <> c.number and x.type_name in ('uuid', 'text', 'varchar') and x.not_null = 1
    and (lower(x.name) glob '*_ref' or x.name glob '*[a-z0-9]Ref' or lower(x.name) in ('ref', 'reference', 'opaque_id', 'handle', 'pseudonym', 'alias'))
    -- One row, for one tenant.
    and exists (select 1 from indexes i where i.relation = r.oid and i.is_unique = 1 and i.predicate is null and i.expressions is null
                and exists (select 1 from index_columns ic where ic.index_oid = i.oid and ic.is_key = 1 and ic.column_number = x.number)
                and not exists (select 1 from index_columns ic where ic.index_oid = i.oid and ic.is_key = 1 and ic.column_number <> x.number
                                and ic.column_number not in (select k.column_number from tenant_keys k where k.relation = r.oid))))
where r.oid not in (select relation from event_logs) and r.oid not in (select relation from framework_relations)
  -- By a grant: what is an agent's own table, or its owner's, no grant takes away.
  and exists (
    select 1 from grants g
    join agents a join roles me on me.oid = a.role and me.superuser = 0
    join role_reach reach on reach.role = a.role and (reach.reaches = reach.role or reach.can_set = 1) and (reach.reaches = g.grantee or g.grantee = 0)
    join relation_privileges held on held.role = reach.reaches and held.relation = r.oid and held.visible = 1 and held.can_select > 0
    where g.object = r.oid and g.privilege = 'SELECT' and (g.object_kind = 'relation' or g.object_kind = 'column' and g.column_number = c.number))
  and not exists (select 1 from agents a join role_reach reach on reach.role = a.role and reach.reaches = r.owner)
order by r.schema, r.name, c.number
