//! What roles are and may, and what binds them, by name: so that two states of a database can be held side by side.

use crate::error::Stop;
use crate::facts::Facts;
use serde::Serialize;
use std::collections::BTreeMap;

/// One thing that is different.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// `attribute`, `membership`, `privilege`, `setting`, `row security`, `policy`, `relation`, `function` or `role`.
    pub kind: &'static str,
    /// The role or relation it is about.
    pub subject: String,
    /// What is there now and was not: the other role, the privilege and its object, the expression.
    pub gained: Option<String>,
    /// What was there and is not.
    pub lost: Option<String>,
}

/// Kind and subject, and what about it (a key), with its value.
#[derive(Debug, Default)]
pub struct Rights(BTreeMap<(&'static str, String, String), String>);

/// Each query gives subject, key and value; the kinds are in the order they are told.
const QUERIES: [(&str, &str); 9] = [
    ("role", "select name, '', case login when 1 then 'a login' else 'a role' end from roles where provenance = 'user'"),
    (
        "attribute",
        "select r.name, a.word, a.word from roles r
         join (select oid, 'superuser' as word, superuser as has from roles union all select oid, 'bypassrls', bypass_rls from roles
               union all select oid, 'createrole', create_role from roles union all select oid, 'createdb', create_db from roles
               union all select oid, 'replication', replication from roles union all select oid, 'login', login from roles) a
           on a.oid = r.oid and a.has = 1
         where r.provenance = 'user'",
    ),
    (
        "membership",
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
        "select p.name, held.word || ' on ' || r.schema || '.' || r.name,
                held.word || ' on ' || r.schema || '.' || r.name || case held.much when 2 then ' (some columns)' else '' end
         from principals p
         join (select role, relation, 'SELECT' as word, can_select as much from relation_privileges where visible = 1
               union all select role, relation, 'INSERT', can_insert from relation_privileges where visible = 1
               union all select role, relation, 'UPDATE', can_update from relation_privileges where visible = 1
               union all select role, relation, 'DELETE', can_delete from relation_privileges where visible = 1
               union all select role, relation, 'TRUNCATE', can_truncate from relation_privileges where visible = 1) held
           on held.role = p.role and held.much > 0
         join relations r on r.oid = held.relation and r.provenance = 'user' and r.kind <> 'sequence'
         where p.kind in ('login', 'unused', 'public')",
    ),
    (
        "setting",
        "select coalesce(r.name, 'every role'), s.name, s.name || coalesce(' = ' || s.value, '')
         from role_settings s left join roles r on r.oid = s.role",
    ),
    (
        "relation",
        "select r.schema || '.' || r.name, '', r.kind || ' owned by ' || coalesce(o.name, '?')
         from relations r left join roles o on o.oid = r.owner where r.provenance = 'user' and r.kind <> 'sequence'",
    ),
    (
        "row security",
        "select schema || '.' || name, '', case force_rls when 1 then 'forced' else 'enabled' end
         from relations where provenance = 'user' and rls = 1",
    ),
    (
        "policy",
        "select r.schema || '.' || r.name, p.name,
                p.name || ': ' || case p.permissive when 1 then '' else 'restrictive ' end || 'for ' || lower(p.command)
                || ' to ' || coalesce((select group_concat(coalesce(o.name, 'public'), ', ' order by o.name) from policy_roles t
                                       left join roles o on o.oid = t.role where t.policy = p.oid), 'public')
                || coalesce(' using ' || p.using_expression, '') || coalesce(' with check ' || p.check_expression, '')
         from policies p join relations r on r.oid = p.relation where r.provenance = 'user'",
    ),
    (
        "function",
        "select f.schema || '.' || f.name || '(' || f.signature || ')', '', 'security definer, owned by ' || coalesce(o.name, '?')
         from functions f left join roles o on o.oid = f.owner where f.provenance = 'user' and f.security_definer = 1",
    ),
];

impl Rights {
    /// Reads them from derived facts.
    pub async fn read(facts: &mut Facts) -> Result<Self, Stop> {
        let mut all = BTreeMap::new();
        for (kind, sql) in QUERIES {
            let rows: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(facts.connection()).await?;
            all.extend(rows.into_iter().map(|(subject, key, value)| ((kind, subject, key), value)));
        }
        Ok(Self(all))
    }

    /// What is different later: by kind, then by subject. Of what is new or gone as a whole, its parts are not told:
    /// all a new role may do is told, but not the privileges and policies of a table that was dropped.
    pub fn until(&self, later: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (kind, _) in QUERIES {
            let of_kind = |all: &'_ Self| -> BTreeMap<(String, String), String> {
                let own = all.0.iter().filter(|((own, ..), _)| *own == kind);
                own.map(|((_, subject, key), value)| ((subject.clone(), key.clone()), value.clone())).collect()
            };
            let (before, after) = (of_kind(self), of_kind(later));
            let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let (was, is) = (before.get(key), after.get(key));
                if was != is {
                    changes.push(Change { kind, subject: key.0.clone(), gained: is.cloned(), lost: was.cloned() });
                }
            }
        }
        changes
    }
}
