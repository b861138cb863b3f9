//! Columns that rows without a value keep from NOT NULL: whose those rows are only a person can say. The plan goes on without it, and a
//! comment on the column says so, to whoever reads the schema and to the next plan.

use crate::check::quote::{ident, literal};
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::before::Before;
use crate::plan::change::Change;
use crate::plan::ddl::{self, Action, Ddl, Name};
use crate::plan::guard;
use crate::plan::step::Unproved;

/// What such a comment ends with.
pub(crate) const MARK: &str = "May be empty: rows without it were there when govctl wanted to say NOT NULL.";

/// The comment, put there and taken away.
pub(crate) struct Left {
    pub(crate) note: String,
    pub(crate) forget: String,
}

impl Left {
    pub(crate) async fn of(table: &Name, column: &str, before: &mut Before<'_>) -> Result<Self, Stop> {
        let had = before.column_comment(table, column).await?;
        let own =
            had.as_deref().map(|text| text.strip_suffix(MARK).unwrap_or(text).trim_end()).filter(|it| !it.is_empty());
        let said = own.map_or_else(|| MARK.to_owned(), |own| format!("{own}\n{MARK}"));
        let on = format!("comment on column {table}.{} is", ident(column));
        let again = own.map_or_else(|| "null".to_owned(), literal);
        let note = format!("{on} {}", literal(&said));
        Ok(Self { forget: guard::if_commented(table, column, &said, &format!("{on} {again}")), note })
    }
}

/// Takes NOT NULL out of what is planned for such columns, and says what is to be done first.
pub(crate) async fn spare(changes: &mut Vec<Change>, facts: &mut Facts) -> Result<Vec<Unproved>, Stop> {
    let mut before = Before::new(facts);
    let mut spared = Vec::new();
    for change in changes.iter_mut() {
        let mut kept = Vec::new();
        for statement in std::mem::take(&mut change.statements) {
            let left = match ddl::read(&statement.up) {
                Ddl::AlterTable { table, actions } => match actions.as_slice() {
                    [Action::SetNotNull(column)] => {
                        let comment = before.column_comment(&table, column).await?.unwrap_or_default();
                        comment.ends_with(MARK).then(|| open(&table, column))
                    }
                    _ => None,
                },
                _ => None,
            };
            match left {
                Some(open) => spared.push(open),
                None => kept.push(statement),
            }
        }
        change.statements = kept;
    }
    changes.retain(|change| !change.statements.is_empty());
    Ok(spared)
}

fn open(table: &Name, column: &str) -> Unproved {
    let named = format!("{table}.{}", ident(column));
    Unproved {
        check: "tenant-isolation/nullable-tenant-key".into(),
        object: table.said(),
        why: format!(
            "Rows without {column} are left, and no tenant sees them. Fill them in or take them away, then: comment on column {named} is null; \
             and plan again. Where they are everybody's to read, write {} under plan.shared_rows in govctl.yaml.",
            table.said()
        ),
    }
}
