//! By which references the rows of a table get their tenant: by one that is always there, where there is one, else by all of them, one
//! after the other. A quiz of a course or of a lesson is its institution's either way.

use crate::error::Stop;
use crate::facts::Facts;
use crate::facts::derive::tenancy;
use crate::plan::ddl::Name;
use std::collections::BTreeMap;

/// A reference to a table that has a key, or gets one.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) parent: i64,
    pub(super) to: Name,
    /// Pairs of columns: here, there.
    pub(super) columns: Vec<(String, String)>,
    /// Those of its columns that may be empty.
    pub(super) may_be_empty: Vec<String>,
    /// What it refers to has a key already.
    pub(super) keyed: bool,
    /// It refers to persons, who say less of whose a thing is than other things do.
    persons: bool,
}

/// A table without a key, and its references, best first; none that lead nowhere.
pub(super) struct Ways {
    pub(super) oid: i64,
    pub(super) table: Name,
    pub(super) ways: Vec<Way>,
}

/// References from tables on the way to a key, column by column.
const REFERENCES: &str = "
    select r.oid, r.schema, r.name, c.oid, p.oid, p.schema, p.name,
           exists (select 1 from tenant_keys k where k.relation = p.oid and k.role = 'key') as keyed,
           exists (select 1 from tenant_keys u where u.relation = p.oid and u.role = 'user') as persons,
           here.name, there.name, here.not_null
    from tenant_paths t
    join relations r on r.oid = t.relation
    join constraints c on c.relation = r.oid and c.kind = 'foreign key'
    join relations p on p.oid = c.referenced_relation and p.oid <> r.oid
    join constraint_columns cc on cc.constraint_oid = c.oid
    join columns here on here.relation = r.oid and here.number = cc.column_number
    join columns there on there.relation = p.oid and there.number = cc.referenced_column_number
    where keyed or p.oid in (select relation from tenant_paths)
    order by r.schema, r.name, p.is_partition, c.name, c.oid, cc.position";

/// What is known of the tables that have had their turn: how far each is from a key, and whether every row of it gets one.
#[derive(Default)]
struct Known(BTreeMap<i64, (usize, bool)>);

impl Known {
    fn of(&self, way: &Way) -> Option<(usize, bool)> {
        if way.keyed { Some((0, true)) } else { self.0.get(&way.parent).copied() }
    }

    /// What a reference is sorted by, best first: whether it leads every row to a key, is always there, is to things, and how near
    /// the key is.
    fn order(&self, way: &Way) -> Option<(bool, bool, bool, usize)> {
        let (hops, sure) = self.of(way)?;
        let held = way.may_be_empty.is_empty();
        let unsure = !(held && sure);
        Some((unsure, !held, unsure && way.persons, hops))
    }

    /// When a table has its turn: those with a sure reference first, nearest first; then those of which all references are known;
    /// then, in a circle, the nearest.
    fn turn(&self, ways: &[Way]) -> Option<(u8, usize)> {
        let (unsure, .., hops) = ways.iter().filter_map(|way| self.order(way)).min()?;
        let is_known = ways.iter().all(|way| self.of(way).is_some());
        Some((
            if !unsure {
                0
            } else if is_known {
                1
            } else {
                2
            },
            hops,
        ))
    }
}

/// Every table that gets its key by references, each after those it takes it from.
pub(super) async fn ways(facts: &mut Facts) -> Result<Vec<Ways>, Stop> {
    let mut left = read(facts).await?;
    let (mut known, mut found) = (Known::default(), Vec::new());
    while let Some(turn) = left.iter().filter_map(|it| known.turn(&it.ways)).min() {
        // Those of one turn do not rest on each other, except in a circle, where one has to be the first.
        let (mut ready, mut rest) = (Vec::new(), Vec::new());
        for it in left {
            let is_ready = known.turn(&it.ways) == Some(turn) && (turn.0 < 2 || ready.is_empty());
            if is_ready { ready.push(it) } else { rest.push(it) }
        }
        let mut sure = Vec::new();
        for it in &mut ready {
            it.ways.retain(|way| known.of(way).is_some());
            it.ways.sort_by_key(|way| known.order(way));
            // Nothing else has to say what one reference always says.
            if turn.0 == 0 {
                it.ways.truncate(1);
            }
            sure.push((it.oid, (turn.1 + 1, turn.0 == 0)));
        }
        known.0.extend(sure);
        found.extend(ready);
        left = rest;
    }
    Ok(found)
}

/// All there are, by name of the table.
async fn read(facts: &mut Facts) -> Result<Vec<Ways>, Stop> {
    type Row = (i64, String, String, i64, i64, String, String, bool, bool, String, String, bool);
    let rows: Vec<Row> = sqlx::query_as(REFERENCES).fetch_all(facts.connection()).await?;
    let (mut found, mut last) = (Vec::<Ways>::new(), None);
    for (oid, schema, name, constraint, parent, to_schema, to, keyed, persons, here, there, not_null) in rows {
        let named = |schema: String, name: String| Name { schema: Some(schema), name };
        if found.last().is_none_or(|it| it.oid != oid) {
            found.push(Ways { oid, table: named(schema, name), ways: Vec::new() });
        }
        let Some(Ways { ways, .. }) = found.last_mut() else { continue };
        if last.replace(constraint) != Some(constraint) {
            let persons = persons || tenancy::PERSON_TABLES.contains(&tenancy::plain(&to).as_str());
            let (columns, may_be_empty) = (Vec::new(), Vec::new());
            ways.push(Way { parent, to: named(to_schema, to), columns, may_be_empty, keyed, persons });
        }
        if let Some(way) = ways.last_mut() {
            way.may_be_empty.extend((!not_null).then(|| here.clone()));
            way.columns.push((here, there));
        }
    }
    Ok(found)
}
