//! What roles are and may, and what binds them, by name: so that two states of a database can be held side by side.

use crate::error::Stop;
use crate::facts::Facts;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// One thing that is different.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// `role`, `attribute`, `membership`, `privilege`, `default privilege`, `setting`, `relation`, `view`, `row security`,
    /// `policy`, `trigger`, `rule`, `constraint`, `function`, `body`, `event trigger`, `extension` or `publication`.
    pub kind: &'static str,
    /// The role, relation, function or other object it is about.
    pub subject: String,
    /// What is there now and was not: the other role, the privilege and its object, the expression.
    pub gained: Option<String>,
    /// What was there and is not.
    pub lost: Option<String>,
}

/// Kind and subject, and what about it (a key), with its value.
#[derive(Debug, Default)]
pub struct Rights(BTreeMap<(&'static str, String, String), String>);

/// What a kind is told with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// By itself, whatever else is new or gone.
    Always,
    /// Only where its object (the kind named) is there afterwards: what was dropped has no guards to lose.
    Lives(&'static str),
    /// Only where its object was there before, too: what is new is told as a whole.
    Stays(&'static str),
}

/// Each query gives subject, key and value; the kinds are in the order they are told. The subject of a part is its object's.
const QUERIES: [(&str, Told, &str); 19] = [
    (
        "role",
        Told::Always,
        "select name, '', case login when 1 then 'a login' else 'a role' end from roles where provenance = 'user'",
    ),
    (
        "attribute",
        Told::Always,
        "select r.name, a.word, a.word from roles r
         join (select oid, 'superuser' as word, superuser as has from roles union all select oid, 'bypassrls', bypass_rls from roles
               union all select oid, 'createrole', create_role from roles union all select oid, 'createdb', create_db from roles
               union all select oid, 'replication', replication from roles union all select oid, 'login', login from roles) a
           on a.oid = r.oid and a.has = 1
         where r.provenance = 'user'",
    ),
    (
        "membership",
        Told::Always,
        "select member.name, role.name,
                role.name || case when reach.inherits = 1 then '' else ' by SET ROLE' end
                || case when reach.admin = 1 then ', and may grant it on' else '' end || ' (' || reach.path || ')'
         from role_reach reach
         join roles member on member.oid = reach.role
         join roles role on role.oid = reach.reaches
         where reach.role <> reach.reaches and (reach.inherits = 1 or reach.can_set = 1 or reach.admin = 1)
           and member.provenance = 'user'",
    ),
    (
        "privilege",
        Told::Always,
        "with held as (
           select role, relation, 'SELECT' as word, can_select as much from relation_privileges where visible = 1
           union all select role, relation, 'INSERT', can_insert from relation_privileges where visible = 1
           union all select role, relation, 'UPDATE', can_update from relation_privileges where visible = 1
           union all select role, relation, 'DELETE', can_delete from relation_privileges where visible = 1
           union all select role, relation, 'TRUNCATE', can_truncate from relation_privileges where visible = 1
           union all select role, relation, 'TRIGGER', can_trigger from relation_privileges where visible = 1),
         own as (select role, name from principals where kind in ('login', 'unused', 'public'))
         select o.name, held.word || ' on ' || r.schema || '.' || r.name,
                held.word || ' on ' || r.schema || '.' || r.name || case held.much when 2 then coalesce((
                  select ' (' || group_concat(c.name, ', ' order by c.number) || ')' from column_privileges p
                  join columns c on c.relation = p.relation and c.number = p.column_number
                  where p.role = held.role and p.relation = held.relation
                    and case held.word when 'SELECT' then p.can_select when 'INSERT' then p.can_insert else p.can_update end = 1),
                  ' (some columns)') else '' end
         from own o join held on held.role = o.role and held.much > 0
         join relations r on r.oid = held.relation and r.provenance = 'user' and r.kind <> 'sequence'
         union all
         select o.name, p.word || ' on schema ' || s.name, p.word || ' on schema ' || s.name
         from own o
         join (select role, schema_oid, 'USAGE' as word from schema_privileges where can_use = 1
               union all select role, schema_oid, 'CREATE' from schema_privileges where can_create = 1) p on p.role = o.role
         join schemas s on s.oid = p.schema_oid and s.provenance = 'user'
         union all
         select o.name, 'EXECUTE on ' || f.schema || '.' || f.name || '(' || f.signature || ')',
                'EXECUTE on ' || f.schema || '.' || f.name || '(' || f.signature || ')'
         from own o join function_privileges p on p.role = o.role and p.visible = 1
         join functions f on f.oid = p.function and f.provenance = 'user' and f.returns not in ('trigger', 'event_trigger')
         union all
         select coalesce(g.name, 'public'), 'grant option' || a.object_kind || a.object || a.privilege,
                'GRANT OPTION for ' || a.privilege || ' on ' || a.what
         from (select 'relation' as object_kind, x.object, x.privilege, x.grantee, r.schema || '.' || r.name as what, r.owner
               from grants x join relations r on r.oid = x.object and r.provenance = 'user'
               where x.object_kind in ('relation', 'column') and x.grantable = 1
               union select 'function', x.object, x.privilege, x.grantee, f.schema || '.' || f.name || '(' || f.signature || ')', f.owner
               from grants x join functions f on f.oid = x.object and f.provenance = 'user'
               where x.object_kind = 'function' and x.grantable = 1
               union select 'schema', x.object, x.privilege, x.grantee, 'schema ' || s.name, s.owner
               from grants x join schemas s on s.oid = x.object and s.provenance = 'user'
               where x.object_kind = 'schema' and x.grantable = 1) a
         left join roles g on g.oid = a.grantee
         where a.grantee <> a.owner and (g.oid is null or g.provenance = 'user')
         union all
         select coalesce(g.name, 'public'), x.privilege || ' on ' || w.what, x.privilege || ' on ' || w.what
         from grants x
         join (select 'database' as kind, oid, 'the database' as what, owner from databases where is_current = 1
               union all select 'relation', oid, 'sequence ' || schema || '.' || name, owner from relations
                 where kind = 'sequence' and provenance = 'user'
               union all select 'foreign server', oid, 'foreign server ' || name, owner from foreign_servers
               union all select 'parameter', oid, 'parameter ' || name, 10 from parameters) w on w.kind = x.object_kind and w.oid = x.object
         left join roles g on g.oid = x.grantee
         where x.grantee <> w.owner and (x.grantee = 0 or g.provenance = 'user')",
    ),
    (
        "default privilege",
        Told::Always,
        "select r.name, d.schema_oid || d.object_kind || d.grantee || d.privilege,
                d.privilege || ' on every new ' || d.object_kind || coalesce(' in ' || s.name, '') || ' for ' || coalesce(g.name, 'public')
                || case d.grantable when 1 then ' with GRANT OPTION' else '' end
         from default_privileges d join roles r on r.oid = d.role
         left join schemas s on s.oid = d.schema_oid left join roles g on g.oid = d.grantee
         where d.grantee <> d.role",
    ),
    (
        "setting",
        Told::Always,
        "select coalesce(r.name, 'every role'), s.name || (s.database <> 0),
                s.name || coalesce(' = ' || s.value, '') || case s.database when 0 then '' else ' in this database' end
         from role_settings s left join roles r on r.oid = s.role",
    ),
    (
        "relation",
        Told::Always,
        "select r.schema || '.' || r.name, '', r.kind || ' owned by ' || coalesce(o.name, '?')
         from relations r left join roles o on o.oid = r.owner where r.provenance = 'user' and r.kind <> 'sequence'",
    ),
    (
        "view",
        Told::Stays("relation"),
        "select schema || '.' || name, 'rights', case security_invoker when 1 then 'with the rights of who asks' else 'with the rights of its owner' end
         from relations where provenance = 'user' and kind = 'view'
         union all select schema || '.' || name, 'barrier', 'a security barrier' from relations
         where provenance = 'user' and kind = 'view' and security_barrier = 1",
    ),
    (
        "row security",
        Told::Lives("relation"),
        "select schema || '.' || name, '', case force_rls when 1 then 'forced' else 'enabled' end
         from relations where provenance = 'user' and rls = 1",
    ),
    (
        "policy",
        Told::Lives("relation"),
        "select r.schema || '.' || r.name, p.name,
                p.name || ': ' || case p.permissive when 1 then '' else 'restrictive ' end || 'for ' || lower(p.command)
                || ' to ' || coalesce((select group_concat(coalesce(o.name, 'public'), ', ' order by o.name) from policy_roles t
                                       left join roles o on o.oid = t.role where t.policy = p.oid), 'public')
                || coalesce(' using ' || p.using_expression, '') || coalesce(' with check ' || p.check_expression, '')
         from policies p join relations r on r.oid = p.relation where r.provenance = 'user'",
    ),
    (
        "trigger",
        Told::Lives("relation"),
        "select r.schema || '.' || r.name, t.name,
                t.name || ': ' || lower(t.timing) || case t.on_insert when 1 then ' insert' else '' end || case t.on_update when 1 then ' update' else '' end
                || case t.on_delete when 1 then ' delete' else '' end || case t.on_truncate when 1 then ' truncate' else '' end
                || case t.row_level when 1 then ' for each row' else '' end || case t.has_condition when 1 then ' when a condition holds' else '' end
                || coalesce(' calls ' || f.schema || '.' || f.name, '')
                || case t.enabled when 'origin' then '' when 'always' then ', always' when 'replica' then ', on replicas alone' else ', disabled' end
         from triggers t join relations r on r.oid = t.relation and r.provenance = 'user' left join functions f on f.oid = t.function",
    ),
    (
        "rule",
        Told::Lives("relation"),
        "select r.schema || '.' || r.name, u.name, u.name || ' (' || u.enabled || '): ' || replace(replace(u.definition, char(10), ''), '    ', ' ')
         from rules u join relations r on r.oid = u.relation and r.provenance = 'user'",
    ),
    (
        "constraint",
        Told::Stays("relation"),
        "select r.schema || '.' || r.name, c.name, c.name || ': ' || c.definition
         from constraints c join relations r on r.oid = c.relation and r.provenance = 'user' where c.kind <> 'trigger'",
    ),
    (
        "function",
        Told::Always,
        "select f.schema || '.' || f.name || '(' || f.signature || ')', '',
                case f.security_definer when 1 then 'security definer, ' else '' end || 'owned by ' || coalesce(o.name, '?')
                || coalesce(', search_path ' || case f.search_path when '' then 'empty' else f.search_path end, '')
         from functions f left join roles o on o.oid = f.owner where f.provenance = 'user'",
    ),
    // The text itself is not told: it may be long, and it is nobody's summary. Its digest says that it is another.
    (
        "body",
        Told::Stays("function"),
        "select schema || '.' || name || '(' || signature || ')', '', source from functions where provenance = 'user' and source is not null",
    ),
    (
        "body",
        Told::Stays("relation"),
        "select schema || '.' || name, '', definition from relations where provenance = 'user' and definition is not null",
    ),
    (
        "event trigger",
        Told::Always,
        "select e.name, '', 'on ' || e.event || coalesce(' calls ' || f.schema || '.' || f.name, '') || ' (' || e.enabled || ')'
         from event_triggers e left join functions f on f.oid = e.function",
    ),
    ("extension", Told::Always, "select name, '', version from extensions"),
    (
        "publication",
        Told::Always,
        "select p.name, coalesce(r.schema || '.' || r.name, ''),
                p.publishes || coalesce(' of ' || r.schema || '.' || r.name || case t.has_column_list when 1 then ' (some columns)' else '' end
                                        || coalesce(' where ' || t.row_filter, ''), '')
         from publications p left join publication_relations t on t.publication = p.oid left join relations r on r.oid = t.relation",
    ),
];

impl Rights {
    /// Reads them from derived facts.
    pub async fn read(facts: &mut Facts) -> Result<Self, Stop> {
        let mut all = BTreeMap::new();
        for (kind, _, sql) in QUERIES {
            let rows: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(facts.connection()).await?;
            let value = |text: String| if kind == "body" { digest(&text) } else { text };
            all.extend(rows.into_iter().map(|(subject, key, text)| ((kind, subject, key), value(text))));
        }
        Ok(Self(all))
    }

    /// What is different later: by kind, then by subject. What belongs to an object that is gone, and some of what
    /// belongs to one that is new, is not told beside it: a role's privileges are, a dropped table's policies are not.
    pub fn until(&self, later: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (kind, told, _) in QUERIES {
            let of_kind = |all: &'_ Self| -> BTreeMap<(String, String), String> {
                let own = all.0.iter().filter(|((own, ..), _)| *own == kind);
                own.map(|((_, subject, key), value)| ((subject.clone(), key.clone()), value.clone())).collect()
            };
            let (before, after) = (of_kind(self), of_kind(later));
            let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
            let told = |subject: &str| match told {
                Told::Always => true,
                Told::Lives(object) => later.has(object, subject),
                Told::Stays(object) => self.has(object, subject) && later.has(object, subject),
            };
            for key in keys.into_iter().filter(|(subject, _)| told(subject)) {
                let (was, is) = (before.get(key), after.get(key));
                if was != is {
                    changes.push(Change { kind, subject: key.0.clone(), gained: is.cloned(), lost: was.cloned() });
                }
            }
        }
        changes
    }

    fn has(&self, kind: &'static str, subject: &str) -> bool {
        self.0.contains_key(&(kind, subject.to_owned(), String::new()))
    }
}

/// The first eight bytes, which is enough to tell two texts apart.
fn digest(text: &str) -> String {
    let start: String = Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("sha256 {start}…")
}
