//! Keys that may be empty, on tables with a reference that says whose a row is: what is missing is taken from there, for the rows there
//! are and for new ones, before the key is held to be there.

use super::key::{self, Child, Source};
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::change::{Change, Closes, Phase, Statement};
use crate::plan::ddl::Name;
use std::collections::{BTreeMap, BTreeSet};

/// Such tables, with the reference to take it from: one that is always there before one that may be empty, and a table of things before
/// one of persons, who may be of several tenants. Rows that are not to be changed are left.
const NULLABLE: &str = "
    select r.oid, r.schema, r.name, k.name, c.type, p.oid, p.schema, p.name, coalesce(pk.name, ''), f.oid
    from relations r
    join tenant_keys k on k.relation = r.oid and k.role = 'key'
    join columns c on c.relation = r.oid and c.number = k.column_number and c.not_null = 0 and c.is_generated = 0
    join constraints f on f.relation = r.oid and f.kind = 'foreign key' and f.referenced_relation <> r.oid
      and not exists (select 1 from constraint_columns cc where cc.constraint_oid = f.oid and cc.column_number = c.number)
    join relations p on p.oid = f.referenced_relation and p.kind in ('table', 'partitioned table')
    left join tenant_keys pk on pk.relation = p.oid and pk.role = 'key'
    left join columns pc on pc.relation = p.oid and pc.number = pk.column_number
    where (pc.type_oid = c.type_oid or p.oid in (select value from json_each(?))) and (select mode from tenancy) = 'multi' and r.provenance = 'user' and r.kind in ('table', 'partitioned table') and r.is_partition = 0
      and r.oid not in (select relation from event_logs)
      and not exists (select 1 from triggers t where t.relation = r.oid and t.name = 'fill_tenant_key')
      and not exists (select 1 from triggers t join functions g on g.oid = t.function
                      where t.relation = r.oid and t.on_update = 1 and t.enabled <> 'disabled' and lower(g.source) like '%raise%exception%')
    order by r.oid, k.column_number,
      exists (select 1 from constraint_columns cc join columns h on h.relation = r.oid and h.number = cc.column_number
              where cc.constraint_oid = f.oid and h.not_null = 0),
      exists (select 1 from tenant_keys u where u.relation = p.oid and u.role = 'user')
        or lower(p.name) in ('users', 'user', 'people', 'persons', 'profiles', 'members', 'employees', 'staff'),
      f.name, pk.column_number";

type Row = (i64, String, String, String, String, i64, String, String, String, i64);

/// Triggers and batches for each of them, parents before their children.
///
/// Those whose parents get their own key by the plan come apart: after it.
pub(super) async fn missing(bound: &BTreeSet<Name>, facts: &mut Facts) -> Result<(Vec<Change>, Vec<Change>), Stop> {
    let keyed = key::without(facts).await?;
    let keyed: BTreeMap<i64, (String, String)> = keyed.into_iter().map(|it| (it.oid, (it.key, it.type_name))).collect();
    let oids = serde_json::json!(keyed.keys().collect::<Vec<_>>()).to_string();
    let mut rows: Vec<Row> = sqlx::query_as(NULLABLE).bind(oids).fetch_all(facts.connection()).await?;
    for row in &mut rows {
        if let Some((key, _)) = keyed.get(&row.5).filter(|(_, of)| *of == row.4) {
            row.8.clone_from(key);
        }
    }
    rows.retain(|row| !row.8.is_empty());
    let (mut tables, mut of_table) = (Vec::new(), BTreeMap::<i64, Vec<Row>>::new());
    for row in rows {
        // Of several keys the first, and of a reference's the first.
        let known = of_table.entry(row.0).or_default();
        match known.first() {
            None => tables.push(row.0),
            Some(first) if first.3 != row.3 || known.iter().any(|it| it.9 == row.9) => continue,
            Some(_) => {}
        }
        known.push(row);
    }
    let (mut changes, mut after) = (Vec::new(), Vec::new());
    let mut done = BTreeSet::new();
    while !tables.is_empty() {
        // In a circle of references one has to be the first.
        let ready =
            |table: &i64| of_table[table].iter().all(|row| !of_table.contains_key(&row.5) || done.contains(&row.5));
        let oid = tables.remove(tables.iter().position(ready).unwrap_or_default());
        done.insert(oid);
        let rows = &of_table[&oid];
        let (_, schema, name, key, type_name, ..) = &rows[0];
        let table = Name { schema: Some(schema.clone()), name: name.clone() };
        let mut sources = Vec::new();
        for (.., schema, name, there, constraint) in rows {
            let parent = Name { schema: Some(schema.clone()), name: name.clone() };
            let columns = key::pairs(facts, *constraint).await?;
            sources.push(Source { parent, key: there.clone(), columns });
        }
        let read: Vec<&Name> = [&table].into_iter().chain(sources.iter().map(|it| &it.parent)).collect();
        let forced = key::forced(bound, facts, &read).await?;
        let predicate = key::predicate(facts, key).await?.unwrap_or_else(|| key::context(key, type_name));
        let late = rows.iter().any(|row| keyed.contains_key(&row.5));
        let child = Child {
            follows: late || rows.iter().any(|row| of_table.contains_key(&row.5)),
            parent: sources[0].parent.clone(),
            columns: Vec::new(),
            tenants: None,
            has_policies: false,
            policy: String::new(),
            key: key.clone(),
            type_name: type_name.clone(),
            forced,
            table,
            predicate,
        };
        let said = child.table.said();
        let change = |phase: Phase, name: String, statements: Vec<Statement>| Change {
            name,
            stage: 2,
            phase,
            why: format!("Rows of {said} without {key} take it from {}, which they refer to.", child.parent.name),
            statements,
            closes: vec![Closes { check: "tenant-isolation/nullable-tenant-key".into(), object: said.clone() }],
            questions: Vec::new(),
        };
        let filled = key::filled(&child, &sources, &change);
        if late { after.extend(filled) } else { changes.extend(filled) }
    }
    Ok((changes, after))
}
