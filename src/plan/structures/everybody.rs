//! Rows without a tenant on tables whose rows have one: what a product ships to everybody beside what each tenant adds, or what nobody
//! looked after. To show such rows to every tenant may show one tenant's to the rest, so that only a person, or a policy that somebody
//! wrote before, says they are everybody's. Until then no tenant sees them, and the plan says so.

use super::orphans::answer;
use super::place::free_policy;
use crate::check::quote::ident;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::before::Before;
use crate::plan::change::{Change, Closes, Phase, Question, Statement};
use crate::plan::ddl::{self, Action, Ddl, Name};
use crate::plan::harden::left::Left;
use crate::plan::order::slug;
use crate::plan::step::Unproved;

const CHECK: &str = "tenant-isolation/nullable-tenant-key";

const ASKED: &str = "Of which tables are the rows that name no tenant everybody's to read? What a reference says of them is filled in first.";

/// A key that may be empty.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    oid: i64,
    table: Name,
    column: String,
    /// The policy that shows rows without it to whoever it is for.
    shown_by: Option<String>,
    /// The sample has such rows.
    has_rows: bool,
}

/// Every one of them.
async fn keys(facts: &mut Facts) -> Result<Vec<Open>, Stop> {
    type Row = (i64, String, String, String, bool);
    let rows: Vec<Row> = sqlx::query_as(
        "select r.oid, r.schema, r.name, c.name,
                exists (select 1 from sampled_columns s where s.relation = r.oid and s.column_number = c.number and s.empty > 0)
         from tenant_keys k
         join relations r on r.oid = k.relation and r.provenance = 'user' and r.kind in ('table', 'partitioned table') and r.is_partition = 0
         join columns c on c.relation = r.oid and c.number = k.column_number and c.not_null = 0 and c.is_generated = 0
         where k.role = 'key' and r.oid not in (select relation from event_logs)
         order by r.schema, r.name, c.number",
    )
    .fetch_all(facts.connection())
    .await?;
    let mut keys = Vec::new();
    for (oid, schema, name, column, has_rows) in rows {
        let policies: Vec<(String, String)> = sqlx::query_as(
            "select p.name, p.using_expression from policies p
             where p.relation = ? and p.permissive = 1 and p.command in ('ALL', 'SELECT') and p.using_expression is not null order by p.name",
        )
        .bind(oid)
        .fetch_all(facts.connection())
        .await?;
        let empty = format!("({} IS NULL)", ident(&column));
        let shown_by = policies.into_iter().find(|(_, text)| text.contains(&empty)).map(|(name, _)| name);
        keys.push(Open { oid, table: Name { schema: Some(schema), name }, column, shown_by, has_rows });
    }
    Ok(keys)
}

/// The policies that show them, where the owner said that they are everybody's; and the question, where nobody did.
pub(super) async fn missing(facts: &mut Facts, config: &Config) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let (mut changes, mut silent) = (Vec::new(), Vec::new());
    let chosen = &config.plan.shared_rows;
    for key in keys(facts).await? {
        let said = key.table.said();
        if key.shown_by.is_some() {
            continue;
        }
        if !chosen.contains(&said) {
            silent.extend(key.has_rows.then_some(said));
            continue;
        }
        let policy = free_policy(facts, key.oid, "rows_of_everybody").await?;
        let up = format!(
            "create policy {} on {} for select using ({} is null)",
            ident(&policy),
            key.table,
            ident(&key.column)
        );
        changes.push(Change {
            name: format!("show_rows_of_everybody_{}", slug(&key.table.name)),
            stage: 2,
            phase: Phase::Policy,
            why: format!(
                "Rows of {said} without {} are everybody's to read, as the owner says, and no tenant's to write.",
                key.column
            ),
            statements: vec![Statement::new(up)],
            closes: vec![Closes { check: CHECK.into(), object: said }],
            questions: vec!["shared-rows".into()],
        });
    }
    let question = |default: String, answered: bool| Question {
        id: "shared-rows".into(),
        question: ASKED.into(),
        default,
        key: "plan.shared_rows".into(),
        answered,
    };
    let questions = match (silent.is_empty(), chosen.is_empty()) {
        (true, true) => None,
        (true, false) => Some(question(chosen.join(", "), true)),
        (false, _) => {
            let all = answer("shared_rows", chosen.iter().chain(&silent));
            let still = silent.join(", ");
            Some(question(format!("not those of {still}: no tenant sees them; where all of them are: {all}"), false))
        }
    };
    Ok((changes, questions.into_iter().collect()))
}

/// What there is to say of tables whose rows without a tenant the owner says are everybody's: that a restrictive policy hides them
/// all the same, which no other policy can undo, or that this is what the key may be empty for.
pub(crate) async fn meant(facts: &mut Facts, config: &Config) -> Result<Vec<Unproved>, Stop> {
    let mut meant = Vec::new();
    for key in keys(facts).await?.into_iter().filter(|key| config.plan.shared_rows.contains(&key.table.said())) {
        let column = ident(&key.column);
        let restrictive: Vec<(String, String)> = sqlx::query_as(
            "select name, using_expression from policies where relation = ? and permissive = 0 and command in ('ALL', 'SELECT')
               and using_expression is not null order by name",
        )
        .bind(key.oid)
        .fetch_all(facts.connection())
        .await?;
        let hides =
            |(_, text): &(String, String)| text.contains(&column) && !text.contains(&format!("({column} IS NULL)"));
        let why = match restrictive.into_iter().find(hides) {
            Some((policy, text)) => format!(
                "plan.shared_rows says its rows without {0} are everybody's to read, and the policy {policy}, which is restrictive, hides \
                 them all the same. To show them, make it one of inserts, updates and deletes as it is, and for SELECT: {text} OR {column} IS NULL",
                key.column
            ),
            None => format!(
                "{} may be empty for the rows that plan.shared_rows says are everybody's: a waiver says so to diagnose",
                key.column
            ),
        };
        let object = format!("{}.{}", key.table.said(), key.column);
        meant.push(Unproved { check: CHECK.into(), object, why });
    }
    Ok(meant)
}

/// Takes NOT NULL out of what is planned for keys whose empty rows are shown to everybody, or are to be.
pub(crate) async fn spared(
    changes: &mut Vec<Change>,
    facts: &mut Facts,
    config: &Config,
) -> Result<Vec<Unproved>, Stop> {
    let keys = keys(facts).await?;
    let mut open = Vec::new();
    for change in changes.iter_mut() {
        let mut kept = Vec::new();
        for statement in std::mem::take(&mut change.statements) {
            let Some((table, column)) = held(&statement.up) else {
                kept.push(statement);
                continue;
            };
            let is_chosen = config.plan.shared_rows.contains(&table.said());
            match keys.iter().find(|key| key.table == table && key.column == column) {
                Some(key) if key.shown_by.is_some() => open.push(key.left()),
                Some(_) if is_chosen => {}
                // A key that comes by the plan, which holds nothing else of a column that is new: its rows are filled in once.
                None if is_chosen && !Before::new(facts).has_column(&table, &column).await? => {
                    let Left { note, forget } = Left::of(&table, &column, &mut Before::new(facts)).await?;
                    kept.push(Statement::undone_by(note, forget));
                }
                _ => kept.push(statement),
            }
        }
        change.statements = kept;
    }
    changes.retain(|change| !change.statements.is_empty());
    Ok(open)
}

/// The column that a statement says NOT NULL of.
fn held(sql: &str) -> Option<(Name, String)> {
    let Ddl::AlterTable { table, actions } = ddl::read(sql) else { return None };
    match <[Action; 1]>::try_from(actions) {
        Ok([Action::SetNotNull(column)]) => Some((table, column)),
        _ => None,
    }
}

impl Open {
    fn left(&self) -> Unproved {
        let why = format!(
            "The policy {} shows rows without {} to every tenant, as what is everybody's: nothing is changed. Where that is not meant, fill \
             them in and take it out of the policy; where it is, a waiver says so.",
            self.shown_by.as_deref().unwrap_or_default(),
            self.column
        );
        Unproved { check: CHECK.into(), object: self.table.said(), why }
    }
}
