//! A catalog by names alone, so that two states of a database can be held side by side, whatever its oids are.

use crate::error::Stop;
use crate::facts::Facts;
use std::collections::BTreeMap;

/// Kind and name of each thing, with all that is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog(BTreeMap<(&'static str, String), String>);

/// Each gives a name and what it is like. Whatever hangs on order of creation (oids, numbers of columns) is left out.
const QUERIES: &[(&str, &str)] = &[
    (
        "schema",
        "select s.name, coalesce(o.name, '?') || coalesce(' ' || s.comment, '') from schemas s
         left join roles o on o.oid = s.owner",
    ),
    (
        "relation",
        "select r.schema || '.' || r.name, r.kind || ' of ' || coalesce(o.name, '?') || ' rls ' || r.rls || r.force_rls || ' options '
           || r.security_invoker || r.security_barrier || ' partition ' || r.is_partition || ' ' || r.persistence
           || coalesce(' ' || r.definition, '') || coalesce(' comment ' || r.comment, '')
         from relations r left join roles o on o.oid = r.owner",
    ),
    (
        "column",
        "select r.schema || '.' || r.name || '.' || c.name, c.type || case c.not_null when 1 then ' not null' else '' end
           || coalesce(case c.is_generated when 1 then ' generated ' else ' default ' end || c.default_expression, '')
           || coalesce(' identity ' || c.identity, '') || coalesce(' ' || d.text, '') || coalesce(' comment ' || c.comment, '')
         from columns c join relations r on r.oid = c.relation
         left join ddl d on d.object_kind = 'column' and d.object = c.relation and d.number = c.number",
    ),
    (
        "type",
        "select t.schema || '.' || t.name, t.kind || ' of ' || coalesce(o.name, '?')
           || coalesce(' ' || (select group_concat(quote(l.label), ', ' order by l.position) from enum_labels l where l.type_oid = t.oid), '')
           || coalesce(' ' || (select d.text from ddl d where d.object = t.oid and d.object_kind in ('domain', 'composite', 'range')), '')
         from types t left join roles o on o.oid = t.owner where t.provenance <> 'extension'",
    ),
    (
        "constraint",
        "select r.schema || '.' || r.name || '.' || k.name, k.kind || ' ' || k.definition || ' ' || k.validated || k.enforced
         from constraints k join relations r on r.oid = k.relation
         where k.kind <> 'not null'", // from PostgreSQL 18 they have names; the column says the same
    ),
    (
        "index",
        "select r.schema || '.' || r.name || '.' || i.name, i.method || ' unique ' || i.is_unique || ' primary ' || i.is_primary
           || ' valid ' || i.is_valid || ' nulls not distinct ' || i.nulls_not_distinct
           || coalesce(' ' || (select group_concat(coalesce(c.name, '?') || k.is_key, ', ' order by k.position) from index_columns k
             left join columns c on c.relation = i.relation and c.number = k.column_number where k.index_oid = i.oid), '')
           || coalesce(' on ' || i.expressions, '') || coalesce(' where ' || i.predicate, '') || coalesce(' ' || d.text, '')
         from indexes i join relations r on r.oid = i.relation
         left join ddl d on d.object_kind = 'index' and d.object = i.oid",
    ),
    (
        "policy",
        "select r.schema || '.' || r.name || '.' || p.name, case p.permissive when 1 then '' else 'restrictive ' end || p.command || ' to '
           || coalesce((select group_concat(coalesce(o.name, 'public'), ', ' order by o.name) from policy_roles t
             left join roles o on o.oid = t.role where t.policy = p.oid), '')
           || coalesce(' using ' || p.using_expression, '') || coalesce(' with check ' || p.check_expression, '')
           || coalesce(' comment ' || p.comment, '')
         from policies p join relations r on r.oid = p.relation",
    ),
    (
        "function",
        "select f.schema || '.' || f.name || '(' || f.signature || ')', f.kind || ' in ' || f.language || ' of ' || coalesce(o.name, '?')
           || ' definer ' || f.security_definer || f.leakproof || ' ' || f.volatility || ' returns ' || f.returns
           || coalesce(' ' || d.text, '') || coalesce(' ' || f.source, '') || coalesce(' comment ' || f.comment, '')
         from functions f left join roles o on o.oid = f.owner
         left join ddl d on d.object_kind in ('function', 'aggregate') and d.object = f.oid
         where f.provenance <> 'extension'",
    ),
    (
        "trigger",
        "select r.schema || '.' || r.name || '.' || t.name, t.enabled || ' ' || coalesce(d.text, '')
         from triggers t join relations r on r.oid = t.relation
         left join ddl d on d.object_kind = 'trigger' and d.object = t.oid",
    ),
    (
        "rule",
        "select r.schema || '.' || r.name || '.' || u.name, u.enabled || ' ' || u.definition from rules u join relations r on r.oid = u.relation",
    ),
    (
        "event trigger",
        "select t.name, t.event || ' ' || t.enabled || ' by ' || coalesce(f.schema || '.' || f.name, '?') || coalesce(' ' || d.text, '')
         from event_triggers t left join functions f on f.oid = t.function
         left join ddl d on d.object_kind = 'event trigger' and d.object = t.oid",
    ),
    (
        "sequence",
        "select r.schema || '.' || r.name, coalesce(d.text, '') || coalesce(' of ' || o.schema || '.' || o.name || '.' || c.name, '')
         from sequences s join relations r on r.oid = s.relation left join relations o on o.oid = s.owned_by_relation
         left join columns c on c.relation = o.oid and c.number = s.owned_by_column
         left join ddl d on d.object_kind = 'sequence' and d.object = s.relation",
    ),
    (
        "partition",
        "select r.schema || '.' || r.name || ' of ' || p.schema || '.' || p.name, coalesce(i.bound, 'inherits')
         from inheritance i join relations r on r.oid = i.child join relations p on p.oid = i.parent",
    ),
    (
        "partition key",
        "select r.schema || '.' || r.name, k.strategy || ' ' || group_concat(coalesce(c.name, '?'), ', ' order by k.position) || coalesce(d.text, '')
         from partition_keys k join relations r on r.oid = k.relation
         left join columns c on c.relation = k.relation and c.number = k.column_number
         left join ddl d on d.object_kind = 'partition key' and d.object = k.relation
         group by r.oid",
    ),
    (
        "replica identity",
        "select r.schema || '.' || r.name, d.text from ddl d join relations r on r.oid = d.object where d.object_kind = 'replica identity'",
    ),
    (
        "view option",
        "select r.schema || '.' || r.name, d.text from ddl d join relations r on r.oid = d.object where d.object_kind = 'view option'",
    ),
    (
        "publication",
        "select p.name, p.all_tables || ' ' || p.publishes || ' of ' || coalesce(o.name, '?') || coalesce(' ' || (
             select group_concat(r.schema || '.' || r.name || coalesce(' (' || d.text || ')', '') || coalesce(' where ' || t.row_filter, ''), ', '
                                 order by r.schema, r.name)
             from publication_relations t join relations r on r.oid = t.relation
             left join ddl d on d.object_kind = 'published columns' and d.object = p.oid and d.number = t.relation
             where t.publication = p.oid), '')
         from publications p left join roles o on o.oid = p.owner",
    ),
    (
        "foreign server",
        "select s.name, s.wrapper || ' of ' || coalesce(o.name, '?') from foreign_servers s left join roles o on o.oid = s.owner",
    ),
    (
        "foreign table",
        "select r.schema || '.' || r.name, s.name from foreign_tables f join relations r on r.oid = f.relation join foreign_servers s on s.oid = f.server",
    ),
    (
        "role",
        "select name, superuser || inherit || create_role || create_db || login || replication || bypass_rls || ' ' || connection_limit
         from roles where name not glob 'pg_*'",
    ),
    (
        "membership",
        "select m.name || ' in ' || r.name, max(g.admin_option) || max(g.inherit_option) || max(g.set_option)
         from memberships g join roles r on r.oid = g.role join roles m on m.oid = g.member group by m.name, r.name",
    ),
    (
        "setting of a role",
        "select coalesce(r.name, 'every role') || ' ' || s.name || case when s.database = 0 then '' else ' here' end, coalesce(s.value, '')
         from role_settings s left join roles r on r.oid = s.role
         where s.database = 0 or s.database = (select oid from databases where is_current = 1)",
    ),
    (
        "default privilege",
        "select o.name || ' ' || coalesce(s.name, 'everywhere') || ' ' || d.object_kind || ' to ' || coalesce(g.name, 'public') || ' ' || d.privilege,
           cast(d.grantable as text)
         from default_privileges d join roles o on o.oid = d.role left join schemas s on s.oid = d.schema_oid
         left join roles g on g.oid = d.grantee",
    ),
    (
        "grant",
        "select g.privilege || ' on ' || g.object_kind || ' ' || coalesce(
             case when g.object_kind = 'column' then (select r.schema || '.' || r.name || '.' || c.name from relations r
                join columns c on c.relation = r.oid and c.number = g.column_number where r.oid = g.object)
              when g.object_kind = 'relation' then (select r.schema || '.' || r.name from relations r where r.oid = g.object)
              when g.object_kind = 'schema' then (select s.name from schemas s where s.oid = g.object)
              when g.object_kind = 'function' then (select f.schema || '.' || f.name || '(' || f.signature || ')' from functions f where f.oid = g.object)
              when g.object_kind = 'type' then (select t.schema || '.' || t.name from types t where t.oid = g.object)
              when g.object_kind = 'database' then (select d.name from databases d where d.oid = g.object)
              when g.object_kind = 'language' then (select l.name from languages l where l.oid = g.object)
              when g.object_kind = 'foreign server' then (select s.name from foreign_servers s where s.oid = g.object) end, '?')
           || ' to ' || coalesce(e.name, 'public') || ' by ' || coalesce(b.name, '?'),
           cast(max(g.grantable) as text)
         from grants g left join roles e on e.oid = g.grantee left join roles b on b.oid = g.grantor
         where g.object_kind not in ('parameter', 'tablespace', 'large object', 'foreign data wrapper') and (g.grantee = 0 or e.name is not null)
           and not (g.object_kind = 'type' and g.object not in (select oid from types))
           and not (g.object_kind = 'relation' and g.object in (select oid from relations where provenance = 'extension'))
           and not (g.object_kind = 'function' and g.object in (select oid from functions where provenance = 'extension'))
           and not (g.object_kind = 'schema' and g.object in (select oid from schemas where provenance = 'extension'))
           -- What an owner and everybody hold is stored only once somebody granted or revoked something.
           and not (g.object_kind = 'relation' and g.grantee = (select owner from relations where oid = g.object))
           and not (g.object_kind = 'schema' and g.grantee = (select owner from schemas where oid = g.object))
           and not (g.object_kind = 'type' and g.grantee in (0, (select owner from types where oid = g.object)))
           and not (g.object_kind = 'function' and g.grantee = (select owner from functions where oid = g.object))
         group by 1
         union all
         select 'EXECUTE on function ' || f.schema || '.' || f.name || '(' || f.signature || ') to public by ' || coalesce(o.name, '?'), '0'
         from functions f left join roles o on o.oid = f.owner where f.default_acl = 1 and f.provenance <> 'extension'",
    ),
    (
        "privilege its owner lacks",
        "with owned (kind, oid, owner, name, privilege) as (
           select 'relation', r.oid, r.owner, r.schema || '.' || r.name, p.value
           from relations r, json_each('[\"SELECT\", \"INSERT\", \"UPDATE\", \"DELETE\", \"TRUNCATE\", \"REFERENCES\", \"TRIGGER\"]') p
           where r.default_acl = 0 and r.kind in ('table', 'partitioned table', 'view', 'materialized view') and r.provenance <> 'extension'
           union all
           select 'schema', s.oid, s.owner, s.name, p.value from schemas s, json_each('[\"USAGE\", \"CREATE\"]') p
           where s.default_acl = 0 and s.provenance <> 'extension'
           union all
           select 'function', f.oid, f.owner, f.schema || '.' || f.name || '(' || f.signature || ')', 'EXECUTE' from functions f
           where f.default_acl = 0 and f.provenance <> 'extension'
         )
         select privilege || ' on ' || kind || ' ' || name, '' from owned
         where not exists (select 1 from grants g where g.object = owned.oid and g.object_kind = owned.kind
                           and g.grantee in (owned.owner, 0) and g.privilege = owned.privilege)",
    ),
];

impl Catalog {
    /// Reads it from collected facts.
    pub async fn read(facts: &mut Facts) -> Result<Self, Stop> {
        let mut all = BTreeMap::new();
        for (kind, sql) in QUERIES {
            let rows: Vec<(String, String)> = sqlx::query_as(*sql).fetch_all(facts.connection()).await?;
            all.extend(rows.into_iter().map(|(name, what)| ((*kind, name), what)));
        }
        Ok(Self(all))
    }

    /// What is different later, a line each: `+ policy app.orders.isolation: …`.
    pub fn until(&self, later: &Self) -> Vec<String> {
        let line =
            |sign: char, ((kind, name), what): (&(&str, String), &String)| format!("{sign} {kind} {name}: {what}");
        let gone = self.0.iter().filter(|(key, what)| later.0.get(*key) != Some(*what)).map(|it| line('-', it));
        let new = later.0.iter().filter(|(key, what)| self.0.get(*key) != Some(*what)).map(|it| line('+', it));
        gone.chain(new).collect()
    }
}
