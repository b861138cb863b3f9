//! Tables whose rows say whose they are by way of others, and that have policies already: where a restrictive policy over that way
//! would not do, the table needs a key of its own.
//!
//! A policy that reads a table whose policies read the first again is no policy: PostgreSQL refuses every query with "infinite
//! recursion detected in policy". And a row whose reference is NULL would be out of everybody's sight.

use super::way::Ways;
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::{BTreeMap, BTreeSet};

type Edges = BTreeMap<i64, BTreeSet<i64>>;

/// Tables with a way to the key that have policies, and whether rows of other tenants get past those.
const WITH_POLICIES: &str = "select t.relation,
         exists (select 1 from verdicts v where v.relation = t.relation and v.verdict in ('leaks', 'may leak'))
         from tenant_paths t where exists (select 1 from policies p where p.relation = t.relation)";

/// References one hop nearer to the key, and whether they may be empty.
const STEPS: &str = "select c.relation, c.referenced_relation,
           exists (select 1 from constraint_columns cc join columns h on h.relation = c.relation and h.number = cc.column_number
                   where cc.constraint_oid = c.oid and h.not_null = 0)
         from constraints c join tenant_paths t on t.relation = c.relation
         left join tenant_paths u on u.relation = c.referenced_relation
         where c.kind = 'foreign key' and (u.hops = t.hops - 1
           or t.hops = 1 and exists (select 1 from tenant_keys k where k.relation = c.referenced_relation and k.role = 'key'))";

/// Tables that policies of a table read.
const ASKED: &str = "select p.relation, d.object from policies p
         join policy_dependencies d on d.policy = p.oid and d.object_kind = 'relation' and d.object <> p.relation";

/// Tables that get a key of their own: those without any policy, those of which a policy over the way would not do, and what these
/// take it from first.
pub(super) async fn need_a_key(facts: &mut Facts, ways: &[Ways]) -> Result<BTreeSet<i64>, Stop> {
    let policies: Vec<(i64, bool)> = sqlx::query_as(WITH_POLICIES).fetch_all(facts.connection()).await?;
    let steps: Vec<(i64, i64, bool)> = sqlx::query_as(STEPS).fetch_all(facts.connection()).await?;
    let asked: Vec<(i64, i64)> = sqlx::query_as(ASKED).fetch_all(facts.connection()).await?;
    let (mut up, mut reads, mut may_be_empty) = (Edges::new(), Edges::new(), BTreeSet::new());
    for (from, to, empty) in steps {
        up.entry(from).or_default().insert(to);
        may_be_empty.extend(empty.then_some(from));
    }
    for (from, to) in asked {
        reads.entry(from).or_default().insert(to);
    }
    // What the policies would read that are to narrow these.
    let narrowed: BTreeSet<i64> = policies.iter().filter(|(_, leaks)| *leaks).map(|(table, _)| *table).collect();
    let policies: BTreeSet<i64> = policies.into_iter().map(|(table, _)| table).collect();
    for &table in &narrowed {
        reads.entry(table).or_default().extend(reached(&up, table));
    }
    let would_not_do = |table: i64| {
        let way = reached(&up, table);
        may_be_empty.contains(&table)
            || way.iter().any(|it| may_be_empty.contains(it) || reached(&reads, *it).contains(&table))
    };
    let mut need = BTreeSet::new();
    for Ways { oid, ways, .. } in ways.iter().rev() {
        if need.contains(oid) || !policies.contains(oid) || narrowed.contains(oid) && would_not_do(*oid) {
            need.insert(*oid);
            need.extend(ways.first().filter(|way| !way.keyed).map(|way| way.parent));
        }
    }
    Ok(need)
}

/// What is reached from a table.
pub(super) fn reached(edges: &Edges, from: i64) -> BTreeSet<i64> {
    let (mut found, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(at) = left.pop() {
        for &next in edges.get(&at).into_iter().flatten() {
            if found.insert(next) {
                left.push(next);
            }
        }
    }
    found
}
