//! What rows are going to be held to by columns that are there already: a value, a row to refer to, being the only one.

use crate::check::quote::{ident, literal};
use crate::error::Stop;
use crate::plan::before::Before;
use crate::plan::ddl::{self, Action, Added, Cursor, Ddl, Name};
use crate::plan::guard;
use crate::plan::step::Step;
use std::collections::BTreeSet;

/// A foreign key to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reference {
    name: String,
    table: Name,
    to: Name,
    /// Pairs of columns: here, there.
    columns: Vec<(String, String)>,
}

/// A unique index to be, by its columns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Unique {
    name: String,
    table: Name,
    columns: Vec<String>,
}

/// What to look for before anything is changed. Columns that the plan adds or fills in are right by the way they are filled in.
#[derive(Debug, Default)]
pub(super) struct Held {
    empty: BTreeSet<(Name, String)>,
    dangling: BTreeSet<Reference>,
    twice: BTreeSet<Unique>,
}

/// Of rows that name no tenant; within the quotes of a literal.
const NOBODYS: &str = "they stay as they are, no tenant sees them, and the column goes on taking none until they are filled in; where they are \
                       everybody''s, write the table in govctl.yaml and plan again: plan: {shared_rows: [schema.table]}";

impl Held {
    /// Takes down what a statement of the plan holds rows to.
    pub(super) async fn add(&mut self, ddl: &Ddl, steps: &[Step], before: &mut Before<'_>) -> Result<(), Stop> {
        match ddl {
            Ddl::AlterTable { table, actions } => {
                for action in actions {
                    match action {
                        Action::SetNotNull(column) => self.value(table, column, steps, before).await?,
                        Action::Add(added) if added.kind == "foreign key" => {
                            self.reference(table, added, before).await?
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            Ddl::CreateIndex { unique: true, name: Some(name), table, rest } => {
                self.only_one(name, table, rest, before).await
            }
            _ => Ok(()),
        }
    }

    async fn value(&mut self, table: &Name, column: &str, steps: &[Step], before: &mut Before<'_>) -> Result<(), Stop> {
        let filled = steps.iter().any(|step| !step.transaction && step.up.iter().any(|sql| fills(sql, table, column)));
        if !filled && before.has_column(table, column).await? && !before.is_not_null(table, column).await? {
            self.empty.insert((table.clone(), column.to_owned()));
        }
        Ok(())
    }

    async fn reference(&mut self, table: &Name, added: &Added, before: &mut Before<'_>) -> Result<(), Stop> {
        let mut at = Cursor::new(&added.definition);
        at.take("foreign key");
        let here = at.parenthesised().and_then(ddl::plain_columns).unwrap_or_default();
        let to = if at.take("references") { at.name() } else { None };
        let (Some(name), Some(to)) = (&added.name, to) else { return Ok(()) };
        let there = match at.parenthesised().and_then(ddl::plain_columns) {
            Some(there) => there,
            None => before.primary_key(&to).await?,
        };
        if here.is_empty() || here.len() != there.len() {
            return Ok(());
        }
        for (own, other) in here.iter().zip(&there) {
            if !before.has_column(table, own).await? || !before.has_column(&to, other).await? {
                return Ok(());
            }
        }
        let columns = here.into_iter().zip(there).collect();
        self.dangling.insert(Reference { name: name.clone(), table: table.clone(), to, columns });
        Ok(())
    }

    async fn only_one(&mut self, name: &str, table: &Name, rest: &str, before: &mut Before<'_>) -> Result<(), Stop> {
        let mut at = Cursor::new(rest);
        let Some(columns) = at.parenthesised().and_then(ddl::plain_columns).filter(|_| at.is_done()) else {
            return Ok(());
        };
        for column in &columns {
            if !before.has_column(table, column).await? {
                return Ok(());
            }
        }
        // More columns than those of a key are one, too.
        if !before.is_unique(table, &columns).await? {
            self.twice.insert(Unique { name: name.to_owned(), table: table.clone(), columns });
        }
        Ok(())
    }

    /// Statements that say what rows are not what they are to be held to, each into `told`, or into `wrong` where no migration could
    /// go on.
    pub(super) fn sentences(&self) -> Vec<String> {
        let empty = self.empty.iter().map(|(table, column)| without(table, column)).collect::<String>();
        let dangling = self.dangling.iter().map(nowhere).collect::<String>();
        let twice = self.twice.iter().map(more_than_once).collect::<String>();
        [
            (empty, "told", NOBODYS),
            (dangling, "told", "they stay as they are, and the foreign key binds new rows alone until they are mended"),
            (twice, "wrong", "say which of them is the one, before anything is changed"),
        ]
        .into_iter()
        .filter(|(looks, ..)| !looks.is_empty())
        .map(|(looks, into, advice)| {
            format!(
                "
    found := '{{}}';{looks}
    if found <> '{{}}' then
      {into} := array_append({into}, array_to_string(found, '; ') || ': {advice}');
    end if;"
            )
        })
        .collect()
    }
}

/// Whether a block of the plan fills a column in.
fn fills(sql: &str, table: &Name, column: &str) -> bool {
    sql.contains(&guard::oid(table)) && sql.contains(&format!("set {} = ", ident(column)))
}

/// Notes what is said, where there are such rows. Of a table whose rows are hidden nothing is concluded: the constraint itself sees
/// them, when it is held against them.
fn noted(unless: &str, tables: &[&Name], rows: &str, said: &str) -> String {
    let seen = |table: &&Name| format!(" and not pg_catalog.row_security_active({})", guard::oid(table));
    let seen = tables.iter().map(seen).collect::<String>();
    format!(
        "
    if not exists ({unless}){seen} then
      if exists ({rows}) then
        found := array_append(found, {});
      end if;
    end if;",
        literal(said)
    )
}

fn without(table: &Name, column: &str) -> String {
    noted(
        &format!(
            "select from pg_catalog.pg_attribute where attrelid = {} and attname = {} and attnotnull",
            guard::oid(table),
            literal(column)
        ),
        &[table],
        &format!("select from {table} where {} is null", ident(column)),
        &format!("{} has rows without {column}", table.said()),
    )
}

fn nowhere(it: &Reference) -> String {
    let each =
        |of: &dyn Fn(&(String, String)) -> String, by: &str| it.columns.iter().map(of).collect::<Vec<_>>().join(by);
    let full = each(&|(here, _)| format!("c.{} is not null", ident(here)), " and ");
    let same = each(&|(here, there)| format!("p.{} = c.{}", ident(there), ident(here)), " and ");
    noted(
        &format!(
            "select from pg_catalog.pg_constraint where conrelid = {} and conname = {}",
            guard::oid(&it.table),
            literal(&it.name)
        ),
        &[&it.table, &it.to],
        &format!("select from {} c where {full} and not exists (select from {} p where {same})", it.table, it.to),
        &format!(
            "{} has rows whose {} no row of {} has as {}",
            it.table.said(),
            each(&|(here, _)| here.clone(), ", "),
            it.to.said(),
            each(&|(_, there)| there.clone(), ", ")
        ),
    )
}

fn more_than_once(it: &Unique) -> String {
    let each = |of: &dyn Fn(&String) -> String, by: &str| it.columns.iter().map(of).collect::<Vec<_>>().join(by);
    let index = Name { schema: it.table.schema.clone(), name: it.name.clone() };
    noted(
        &format!("select from pg_catalog.pg_class where oid = {}", guard::oid(&index)),
        &[&it.table],
        &format!(
            "select from {} where {} group by {} having count(*) > 1",
            it.table,
            each(&|column| format!("{} is not null", ident(column)), " and "),
            each(&|column| ident(column), ", ")
        ),
        &format!("{} has more than one row of the same {}", it.table.said(), each(&|column| column.clone(), ", ")),
    )
}
