//! The tenant's key on every table that holds tenant data without one, taken from the parent it refers to (TI-28).

use super::place::free_policy;
use super::through;
use super::way::{self, Way, Ways};
use crate::check::quote::{ident, relation};
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::batch;
use crate::plan::before::Before;
use crate::plan::change::{Change, Closes, Phase, Statement};
use crate::plan::ddl::Name;
use crate::plan::guard;
use crate::plan::order::slug;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A table without a key, and the parent that says first whose its rows are.
pub(super) struct Child {
    pub(super) table: Name,
    /// Name and type of the key to be.
    pub(super) key: String,
    pub(super) type_name: String,
    /// The parent, and pairs of columns: here, there.
    pub(super) parent: Name,
    pub(super) columns: Vec<(String, String)>,
    /// The parent gets its key by the plan, too.
    pub(super) follows: bool,
    /// The tenant table, and its key.
    pub(super) tenants: Option<(Name, String)>,
    /// Policies let rows through already: the tenant's takes away from them, and adds nothing.
    pub(super) has_policies: bool,
    /// The name of the tenant's.
    pub(super) policy: String,
    /// Of the two, those whose policies bind their owner already.
    pub(super) forced: Vec<Name>,
    /// The policy's predicate, over the key by its name.
    pub(super) predicate: String,
}

/// The policy that rests on the key.
pub(super) const POLICY: &str = "tenant_isolation";

/// A table that is to get a key of its own.
pub(super) struct Keyless {
    pub(super) oid: i64,
    pub(super) table: Name,
    /// Name and type of the key to be.
    pub(super) key: String,
    pub(super) type_name: String,
    /// From where it is taken, first to last.
    pub(super) ways: Vec<Way>,
}

/// The key at the end of the way of each table that has one, and no column of its name.
const WITHOUT: &str = "select r.oid, k.name, c.type
         from tenant_paths t
         join relations r on r.oid = t.relation
         join tenant_keys k on k.relation = t.key_relation
         join columns c on c.relation = k.relation and c.number = k.column_number
         where r.provenance = 'user' and r.kind in ('table', 'partitioned table') and r.is_partition = 0
           and (select mode from tenancy) = 'multi' and k.role = 'key'
           and not exists (select 1 from columns mine where mine.relation = r.oid and mine.name = k.name)
         group by r.oid";

/// Tables that are to get a key of their own, each after those that it takes it from.
pub(super) async fn without(facts: &mut Facts) -> Result<Vec<Keyless>, Stop> {
    let ways = way::ways(facts).await?;
    let need = through::need_a_key(facts, &ways).await?;
    let rows: Vec<(i64, String, String)> = sqlx::query_as(WITHOUT).fetch_all(facts.connection()).await?;
    let mut at_the_end: BTreeMap<i64, (String, String)> =
        rows.into_iter().map(|(oid, key, type_name)| (oid, (key, type_name))).collect();
    // A key is called what the parent's is, which is where its values come from.
    let mut named = BTreeMap::new();
    let mut without = Vec::new();
    for Ways { oid, table, ways } in ways.into_iter().filter(|it| need.contains(&it.oid)) {
        let Some(mut key) = at_the_end.remove(&oid) else { continue };
        let mut sources = Vec::new();
        for way in ways {
            let of_parent = match named.get(&way.parent) {
                Some(known) => Some(Clone::clone(known)),
                None => key_of(facts, way.parent, &key.0).await?,
            };
            match of_parent {
                Some(other) if sources.is_empty() => key = other,
                // Several say the same, or it is another tier's.
                other if !sources.is_empty() && other.as_ref() != Some(&key) => continue,
                _ => {}
            }
            sources.push(way);
        }
        if Before::new(facts).has_column(&table, &key.0).await? {
            continue;
        }
        named.insert(oid, key.clone());
        let (key, type_name) = key;
        without.push(Keyless { oid, table, key, type_name, ways: sources });
    }
    Ok(without)
}

/// Name and type of a table's key: the one of this name, where it has several.
async fn key_of(facts: &mut Facts, table: i64, like: &str) -> Result<Option<(String, String)>, Stop> {
    let sql = "select c.name, c.type from tenant_keys k join columns c on c.relation = k.relation and c.number = k.column_number
               where k.relation = ? and k.role = 'key' order by c.name <> ?, c.number limit 1";
    Ok(sqlx::query_as(sql).bind(table).bind(like.to_owned()).fetch_optional(facts.connection()).await?)
}

/// The same by their names.
pub(crate) async fn to_be_keyed(facts: &mut Facts) -> Result<BTreeSet<Name>, Stop> {
    Ok(without(facts).await?.into_iter().map(|it| it.table).collect())
}

/// Changes for each of them.
pub(super) async fn missing(bound: &BTreeSet<Name>, facts: &mut Facts) -> Result<Vec<Change>, Stop> {
    let mut changes = Vec::new();
    let (mut predicates, mut planned) = (BTreeMap::new(), BTreeSet::new());
    let tenants = tenants(facts).await?;
    for Keyless { oid, table, key, type_name, ways } in without(facts).await? {
        let Some(first) = ways.first() else { continue };
        let (parent, columns) = (first.to.clone(), first.columns.clone());
        let predicate = match predicate(facts, &key).await? {
            Some(predicate) => predicate,
            None => predicates.get(&key).cloned().unwrap_or_else(|| context(&key, &type_name)),
        };
        predicates.insert(key.clone(), predicate.clone());
        let read: Vec<&Name> = [&table].into_iter().chain(ways.iter().map(|way| &way.to)).collect();
        let forced = forced(bound, facts, &read).await?;
        let child = Child {
            table,
            parent,
            columns,
            follows: ways.iter().any(|way| planned.contains(&way.parent)),
            tenants: tenants.clone(),
            has_policies: has_policies(facts, oid).await?,
            policy: free_policy(facts, oid, POLICY).await?,
            forced,
            predicate,
            key,
            type_name,
        };
        let source = |way: Way| Source { parent: way.to, key: child.key.clone(), columns: way.columns };
        let sources: Vec<Source> = ways.into_iter().map(source).collect();
        planned.insert(oid);
        changes.extend(changes_for(&child, &sources));
    }
    Ok(changes)
}

/// The session's tenant, where a policy compares the key with it and does nothing else.
fn of_session<'p>(predicate: &'p str, key: &str) -> Option<&'p str> {
    let value = predicate.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim();
    let lower = value.to_lowercase();
    let reads = !lower.contains("select") && !lower.contains(" and ") && !lower.contains(" or ");
    // A setting that must be there would stop whoever writes without one.
    let quiet = !lower.contains("current_setting") || lower.contains(", true)");
    (reads && quiet).then_some(value)
}

/// The way this database's policies compare a key of this name, else over a setting of its own. What names the table it is on says
/// nothing of another.
pub(super) async fn predicate(facts: &mut Facts, key: &str) -> Result<Option<String>, Stop> {
    let sql = "select r.name, t.predicate from tenant_predicates t join relations r on r.oid = t.relation
               join tenant_keys k on k.relation = t.relation and k.role = 'key'
               where k.name = ? order by t.relation";
    let found: Vec<(String, String)> = sqlx::query_as(sql).bind(key.to_owned()).fetch_all(facts.connection()).await?;
    let bare = |(name, text): &(String, String)| !text.contains(&format!("{}.{}", ident(name), ident(key)));
    Ok(found.into_iter().find(bare).map(|(_, text)| text))
}

/// `tenant_id = …` over the session's setting, which may be unset or empty.
pub(super) fn context(key: &str, type_name: &str) -> String {
    format!("{} = nullif(current_setting('app.tenant_id', true), '')::{type_name}", ident(key))
}

pub(super) async fn tenants(facts: &mut Facts) -> Result<Option<(Name, String)>, Stop> {
    let sql = "select r.schema, r.name, k.name from tenancy t join relations r on r.oid = t.tenant_relation
               join tenant_keys k on k.relation = r.oid and k.role = 'tenant table'";
    let row: Option<(String, String, String)> = sqlx::query_as(sql).fetch_optional(facts.connection()).await?;
    Ok(row.map(|(schema, name, key)| (Name { schema: Some(schema), name }, key)))
}

/// The columns of a foreign key: here, there.
pub(super) async fn pairs(facts: &mut Facts, constraint: i64) -> Result<Vec<(String, String)>, Stop> {
    let sql = "select here.name, there.name from constraint_columns cc
               join constraints c on c.oid = cc.constraint_oid
               join columns here on here.relation = c.relation and here.number = cc.column_number
               join columns there on there.relation = c.referenced_relation and there.number = cc.referenced_column_number
               where c.oid = ? order by cc.position";
    Ok(sqlx::query_as(sql).bind(constraint).fetch_all(facts.connection()).await?)
}

/// Those of these tables, and of their partitions, that bind an owner who is not exempt.
pub(super) async fn forced(bound: &BTreeSet<Name>, facts: &mut Facts, tables: &[&Name]) -> Result<Vec<Name>, Stop> {
    let mut before = Before::new(facts);
    let mut forced = Vec::new();
    for table in tables {
        forced.extend(before.tree(table).await?.into_iter().filter(|name| bound.contains(name)));
    }
    Ok(forced)
}

/// Column, trigger, rows, index, keys, policy.
fn changes_for(child: &Child, sources: &[Source]) -> Vec<Change> {
    let Child { table, key, type_name, .. } = child;
    let quoted = ident(key);
    let schema = table.schema.as_deref();
    let short = slug(&table.name);
    let said = format!("{}.{}", schema.unwrap_or_default(), table.name);
    let from = sources.iter().map(|source| source.parent.name.as_str()).collect::<Vec<_>>().join(", else from ");
    let change = |phase: Phase, name: String, statements: Vec<Statement>| Change {
        name,
        stage: 2,
        phase,
        why: format!("{said} says whose each of its rows is, taken from {from}."),
        statements,
        closes: vec![Closes { check: "tenant-isolation/rls-disabled".into(), object: said.clone() }],
        questions: vec!["tenant-table".into()],
    };
    let mut changes = vec![change(
        Phase::Column,
        format!("add_key_to_{short}"),
        vec![Statement::new(format!("alter table {table} add column if not exists {quoted} {type_name}"))],
    )];

    changes.extend(filled(child, sources, &change));
    changes.extend(held(child, &change));
    changes
}

/// A reference from which rows take their key.
pub(super) struct Source {
    pub(super) parent: Name,
    /// What the parent calls the key.
    pub(super) key: String,
    /// Pairs of columns: here, there.
    pub(super) columns: Vec<(String, String)>,
}

/// The trigger that takes the key for new rows from what they refer to, and the batches that do it for those there are: from the first
/// of the references that says it.
pub(super) fn filled(
    child: &Child,
    sources: &[Source],
    change: &dyn Fn(Phase, String, Vec<Statement>) -> Change,
) -> Vec<Change> {
    let Child { table, key, .. } = child;
    let (quoted, short) = (ident(key), slug(&table.name));
    let same = |columns: &[(String, String)], left: &str, right: &str| {
        let pair = |(here, there): &(String, String)| format!("{right}.{} = {left}.{}", ident(there), ident(here));
        columns.iter().map(pair).collect::<Vec<_>>().join(" and ")
    };
    // A row that refers to nothing is the session's.
    let session = of_session(&child.predicate, &quoted)
        .map(|session| format!("  if new.{quoted} is null then\n    new.{quoted} := {session};\n  end if;\n"))
        .unwrap_or_default();
    let asked: String = sources
        .iter()
        .map(|Source { parent, key, columns }| {
            let (there, same) = (ident(key), same(columns, "new", "p"));
            format!("  if new.{quoted} is null then\n    select p.{there} into new.{quoted} from {parent} p where {same};\n  end if;\n")
        })
        .collect();
    let body = format!("begin\n{asked}{session}  return new;\nend");
    let phase = if child.follows { Phase::Follow } else { Phase::Fill };
    let mut changes = vec![change(phase, format!("fill_key_of_new_{short}"), filling(table, &body))];
    for Source { parent, key: there, columns } in sources {
        let there = ident(there);
        // A parent that says nothing itself would be asked for ever.
        let todo = format!("{} and t.{quoted} is null and p.{there} is not null", same(columns, "t", "p"));
        let (set, from) = (format!("set {quoted} = p.{there}"), format!("{parent} p"));
        let backfill = batch::fill(table, &set, Some(&from), &todo, Some(key));
        let backfill = batch::unbound(backfill, &child.forced);
        changes.push(change(Phase::Backfill, format!("backfill_key_of_{short}"), backfill));
    }
    changes
}

/// The trigger that fills the key of rows as they are written, and its function.
pub(super) fn filling(table: &Name, body: &str) -> Vec<Statement> {
    let function = relation(table.schema.as_deref(), &bounded("fill_key_of_", &table.name));
    let tag = guard::tag(body);
    vec![
        Statement::undone_by(
            format!(
                "create or replace function {function}() returns trigger language plpgsql set search_path = '' as {tag}\n{body} {tag}"
            ),
            format!("drop function if exists {function}()"),
        ),
        Statement::new(format!(
            "create or replace trigger fill_tenant_key before insert or update on {table} for each row execute function {function}()"
        )),
    ]
}

/// What holds the key to be right, and the policy that rests on it.
pub(super) fn held(child: &Child, change: &dyn Fn(Phase, String, Vec<Statement>) -> Change) -> Vec<Change> {
    let Child { table, key, parent, columns, tenants, has_policies, policy, predicate, .. } = child;
    let policy = ident(policy);
    let restrictive = if *has_policies { " as restrictive" } else { "" };
    let (quoted, short) = (ident(key), slug(&table.name));
    let mut changes = vec![change(
        Phase::Index,
        format!("index_key_of_{short}"),
        vec![Statement::new(format!("create index on {table} ({quoted})"))],
    )];
    let mut keys = vec![Statement::new(format!("alter table {table} alter column {quoted} set not null"))];
    if let Some((tenants, id)) = tenants {
        keys.push(Statement::new(format!(
            "alter table {table} add foreign key ({quoted}) references {tenants} ({})",
            ident(id)
        )));
    }
    let held_by: Vec<_> = columns.iter().filter(|(_, there)| there != key).collect();
    let list = |side: &dyn Fn(&(String, String)) -> String| {
        [quoted.clone()].into_iter().chain(held_by.iter().copied().map(side)).collect::<Vec<_>>().join(", ")
    };
    if !columns.is_empty() {
        let there = list(&|(_, there)| ident(there));
        let here = list(&|(here, _)| ident(here));
        // What is referred to by its tenant too is unique within it already.
        if held_by.len() == columns.len() {
            changes.push(change(
                Phase::Constraint,
                format!("key_of_{}", slug(&parent.name)),
                vec![Statement::new(format!("alter table {parent} add unique ({there})"))],
            ));
        }
        keys.push(Statement::new(format!(
            "alter table {table} add foreign key ({here}) references {parent} ({there})"
        )));
    }
    changes.push(change(Phase::Constraint, format!("hold_key_of_{short}"), keys));
    changes.push(change(
        Phase::Policy,
        format!("isolate_{short}"),
        vec![
            Statement::new(format!("create policy {policy} on {table}{restrictive} using ({predicate})")),
            Statement::new(format!("alter table {table} enable row level security, force row level security")),
        ],
    ));
    changes
}

/// Whether anything lets rows of a table through.
pub(super) async fn has_policies(facts: &mut Facts, table: i64) -> Result<bool, Stop> {
    let sql = "select count(*) > 0 from policies where relation = ? and permissive = 1";
    Ok(sqlx::query_scalar(sql).bind(table).fetch_one(facts.connection()).await?)
}

/// A name of at most 63 bytes. One that is cut says which it was by a hash: two long names may differ in their last letter alone.
pub(super) fn bounded(start: &str, name: &str) -> String {
    if start.len() + name.len() <= 63 {
        return format!("{start}{name}");
    }
    let mut end = 63 - start.len() - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let hash: String = Sha256::digest(name).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{start}{}_{hash}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::{Child, Name, bounded, held};
    use crate::plan::change::Change;

    #[test]
    fn no_key_names_a_column_twice() {
        let name = |name: &str| Name { schema: None, name: name.to_owned() };
        let made = |columns: &[(&str, &str)]| -> Vec<String> {
            let child = Child {
                table: name("transfer"),
                key: "merchant".into(),
                type_name: "bigint".into(),
                parent: name("account"),
                columns: columns.iter().map(|(here, there)| ((*here).to_owned(), (*there).to_owned())).collect(),
                follows: false,
                tenants: None,
                has_policies: false,
                policy: "tenant_isolation".into(),
                forced: Vec::new(),
                predicate: "true".into(),
            };
            let change = |phase, name, statements| Change {
                name,
                stage: 2,
                phase,
                why: String::new(),
                statements,
                closes: Vec::new(),
                questions: Vec::new(),
            };
            let all = held(&child, &change).into_iter().flat_map(|change| change.statements).map(|it| it.up);
            all.filter(|up| up.contains("add unique") || up.contains("foreign key")).collect()
        };
        assert_eq!(
            made(&[("debit", "merchant"), ("debit_no", "no")]),
            ["alter table transfer add foreign key (merchant, debit_no) references account (merchant, no)"]
        );
        assert_eq!(
            made(&[("account", "id")]),
            [
                "alter table account add unique (merchant, id)",
                "alter table transfer add foreign key (merchant, account) references account (merchant, id)"
            ]
        );
    }

    #[test]
    fn names_that_are_cut_differ_where_they_did() {
        assert_eq!(bounded("fill_key_of_", "notes"), "fill_key_of_notes");
        let (one, other) =
            (bounded("fill_key_of_", &("é".repeat(31) + "1")), bounded("fill_key_of_", &("é".repeat(31) + "2")));
        assert!(one != other && one.len() <= 63 && other.len() <= 63, "{one} {other}");
    }
}
