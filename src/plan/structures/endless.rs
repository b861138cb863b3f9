//! Policies that read the table they are on, or one whose policies lead back to it: PostgreSQL refuses whatever they bind with "infinite
//! recursion detected in policy", and FORCE would bind the owner as well. What is to be asked instead, only a person can say.

use super::circle;
use super::through::reached;
use crate::check::quote::relation;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::change::{Change, Question};
use crate::plan::ddl::{self, Action, Ddl, Name};
use crate::plan::step::Unproved;
use std::collections::{BTreeMap, BTreeSet};

/// What decides which rows are read, on tables with row security: relation, schema, name, expression. What only checks new rows reads
/// through these, and goes no further.
const SAID: &str = "select r.oid, r.schema, r.name, p.using_expression
         from policies p join relations r on r.oid = p.relation and r.rls = 1 and r.provenance = 'user'
         where p.command in ('ALL', 'SELECT') and p.using_expression is not null";

/// Such tables: schema and name.
pub(super) async fn round(facts: &mut Facts) -> Result<Vec<(String, String)>, Stop> {
    round_without(facts, &BTreeSet::new()).await
}

/// Those that are left where nothing reads these tables.
pub(super) async fn round_without(
    facts: &mut Facts,
    unread: &BTreeSet<(String, String)>,
) -> Result<Vec<(String, String)>, Stop> {
    let said: Vec<(i64, String, String, String)> = sqlx::query_as(SAID).fetch_all(facts.connection()).await?;
    let names: BTreeMap<i64, (&str, &str)> =
        said.iter().map(|(oid, schema, name, _)| (*oid, (schema.as_str(), name.as_str()))).collect();
    let is_read = |(schema, name): &(&str, &str)| !unread.contains(&((*schema).to_owned(), (*name).to_owned()));
    let tables: Vec<_> = names
        .iter()
        .filter(|(_, name)| is_read(name))
        .map(|(oid, (schema, name))| (*oid, relation(Some(schema), name)))
        .collect();
    let mut edges = BTreeMap::<i64, BTreeSet<i64>>::new();
    for (oid, _, _, text) in &said {
        let read = tables.iter().filter(|(_, table)| reads(text, table)).map(|(other, _)| *other);
        edges.entry(*oid).or_default().extend(read);
    }
    let round = names.iter().filter(|(oid, _)| reached(&edges, **oid).contains(oid));
    Ok(round.map(|(_, (schema, name))| ((*schema).to_owned(), (*name).to_owned())).collect())
}

fn open(schema: &str, name: &str) -> Unproved {
    Unproved {
        check: "tenant-isolation/owner-not-forced".into(),
        object: format!("{schema}.{name}"),
        why: format!(
            "The policies of {schema}.{name} lead back to it: whoever they bind gets \"infinite recursion detected in policy\", and so does \
             every policy that reads it. Let them ask a SECURITY DEFINER function that reads the table for the session's user, owned by a role \
             that no login is a member of and that a policy `for select to` that role `using (true)` lets read the table; then plan again."
        ),
    }
}

/// What to ask, and what stays open, where new policies would read such a table: nothing they are on could be read.
pub(crate) async fn endless(facts: &mut Facts) -> Result<Option<(Question, Vec<Unproved>)>, Stop> {
    let round = round(facts).await?;
    // Those that tables without a policy would get.
    let planned: Vec<(String, String, String)> = sqlx::query_as(
        "select r.schema, r.name, t.predicate from tenant_predicates t join relations r on r.oid = t.relation and r.rls = 0 and r.provenance = 'user'
         where r.kind in ('table', 'partitioned table') and r.is_partition = 0",
    )
    .fetch_all(facts.connection())
    .await?;
    let is_read = |(schema, name): &&(String, String)| {
        let table = relation(Some(schema), name);
        planned.iter().any(|(.., text)| reads(text, &table))
    };
    let mut asked: Vec<_> = round.iter().filter(is_read).cloned().collect();
    if !asked.is_empty() && circle::is_broken_by_functions(facts, &round).await? {
        asked.clear();
    }
    // What policies of others ask would go round where the table itself gets it.
    let own = planned.iter().filter(|(schema, name, text)| reads(text, &relation(Some(schema), name)));
    asked.extend(own.map(|(schema, name, _)| (schema.clone(), name.clone())));
    if asked.is_empty() {
        return Ok(None);
    }
    let all = asked.iter().map(|(schema, name)| format!("{schema}.{name}")).collect::<Vec<_>>().join(", ");
    let question = Question {
        id: "policies-without-end".into(),
        question: format!("What are the policies of {all} to ask instead of reading what they are on?"),
        default: "a function, which somebody has to write: nothing is planned until they do".into(),
        key: "plan".into(),
        answered: false,
    };
    Ok(Some((question, asked.iter().map(|(schema, name)| open(schema, name)).collect())))
}

/// Takes FORCE out of what is planned for such tables: it would bind the owner, who reads them still.
pub(crate) async fn unforced(changes: &mut Vec<Change>, facts: &mut Facts) -> Result<Vec<Unproved>, Stop> {
    let round = round(facts).await?;
    let mut spared = Vec::new();
    for change in changes.iter_mut() {
        change.statements.retain(|statement| {
            let Ddl::AlterTable { table, actions } = ddl::read(&statement.up) else { return true };
            let found = round.iter().find(|(schema, name)| {
                actions == [Action::Force] && table == Name { schema: Some(schema.clone()), name: name.clone() }
            });
            spared.extend(found.map(|(schema, name)| open(schema, name)));
            found.is_none()
        });
    }
    changes.retain(|change| !change.statements.is_empty());
    Ok(spared)
}

/// Whether a deparsed expression reads the table.
pub(super) fn reads(text: &str, table: &str) -> bool {
    read_at(text, table).is_some()
}

/// Where a deparsed expression first reads the table: by its schema, where its own columns stand without one.
pub(super) fn read_at(text: &str, table: &str) -> Option<usize> {
    let mut found = text.match_indices(table).filter(|(at, _)| {
        let before = text[..*at].chars().next_back();
        let after = text[at + table.len()..].chars().next();
        before.is_none_or(|c| c.is_whitespace() || c == '(') && after.is_none_or(|c| c.is_whitespace() || c == ')')
    });
    found.next().map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn a_table_is_read_where_it_stands_in_from() {
        let own = "(EXISTS ( SELECT 1 FROM public.members m WHERE (m.org_id = members.org_id)))";
        assert!(reads(own, "public.members"));
        assert!(reads("(a IN ( SELECT b FROM public.members))", "public.members"));
        for other in [
            "public.members_of(members.id)",
            "x = public.members.id",
            "FROM public.members2 m",
            "'public.members'::text",
        ] {
            assert!(!reads(other, "public.members"), "{other}");
        }
    }
}
