//! SELECT on some columns of a table in the place of SELECT on all of them.
//!
//! A grant on columns takes nothing away while that on the table stands: REVOKE, then GRANT, as a pair. Where a role is
//! narrowed for two reasons each pair would give back what the other took, so all of them say the same columns.

use super::change::{Change, Statement};
use super::ddl::{self, Ddl, Name};
use crate::check::quote::ident;
use std::collections::{BTreeMap, BTreeSet};

/// From SELECT as it is held to SELECT on these columns; on none where there are none.
pub(crate) fn pair(table: &Name, role: &str, columns: &[String]) -> Vec<Statement> {
    let to = if role == "public" { role.to_owned() } else { ident(role) };
    let mut both = vec![Statement::new(format!("revoke select on {table} from {to}"))];
    if !columns.is_empty() {
        let list = columns.iter().map(|column| ident(column)).collect::<Vec<_>>().join(", ");
        both.push(Statement::new(format!("grant select ({list}) on {table} to {to}")));
    }
    both
}

/// What one pair says.
struct Narrowed {
    table: Name,
    roles: Vec<String>,
    columns: Vec<String>,
    /// Statements it takes.
    length: usize,
}

/// The pair that begins a list of statements.
fn first(statements: &[Statement]) -> Option<Narrowed> {
    let read = |rights: ddl::Rights| {
        let (kind, object) = rights.on?;
        let plain = kind == "table" && rights.privileges.iter().all(|(privilege, _)| privilege == "select");
        let mut at = ddl::Cursor::new(&object);
        let table = at.name().filter(|_| plain && at.is_done())?;
        let columns: Vec<String> = rights.privileges.into_iter().flat_map(|(_, columns)| columns).collect();
        Some((table, rights.roles, columns))
    };
    let Ddl::Revoke(revoked) = ddl::read(&statements.first()?.up) else { return None };
    let (table, roles, none) = read(revoked)?;
    if !none.is_empty() {
        return None;
    }
    let granted = statements.get(1).and_then(|next| match ddl::read(&next.up) {
        Ddl::Grant(granted) => read(granted),
        _ => None,
    });
    let granted = granted.filter(|(other, to, columns)| *other == table && *to == roles && !columns.is_empty());
    let length = 1 + usize::from(granted.is_some());
    let columns = granted.map(|(.., columns)| columns).unwrap_or_default();
    Some(Narrowed { table, roles, columns, length })
}

/// Statements one by one, and pairs as one: half a pair is another wish.
pub(crate) fn units(statements: Vec<Statement>) -> Vec<Vec<Statement>> {
    let mut units = Vec::new();
    let mut rest = statements.as_slice();
    while !rest.is_empty() {
        let length = first(rest).map_or(1, |pair| pair.length);
        let (unit, after) = rest.split_at(length);
        units.push(unit.to_vec());
        rest = after;
    }
    units
}

/// Makes every pair about the same table and role say the columns that all of them leave.
pub(crate) fn reconcile(changes: &mut [Change]) {
    let mut wishes: BTreeMap<(Name, String), Vec<BTreeSet<String>>> = BTreeMap::new();
    for pair in changes.iter().flat_map(|change| pairs(&change.statements)) {
        for role in pair.roles {
            let columns = pair.columns.iter().cloned().collect();
            wishes.entry((pair.table.clone(), role)).or_default().push(columns);
        }
    }
    let disagree = |table: &Name, role: &String| {
        wishes.get(&(table.clone(), role.clone())).filter(|wishes| wishes.iter().any(|wish| *wish != wishes[0]))
    };
    for change in changes.iter_mut() {
        let mut statements = Vec::new();
        for unit in units(std::mem::take(&mut change.statements)) {
            match first(&unit).filter(|pair| pair.roles.iter().any(|role| disagree(&pair.table, role).is_some())) {
                None => statements.extend(unit),
                Some(wish) => {
                    for role in &wish.roles {
                        let all = disagree(&wish.table, role).map(Vec::as_slice).unwrap_or_default();
                        let left = |column: &&String| all.iter().all(|wish| wish.contains(*column));
                        let columns: Vec<_> = wish.columns.iter().filter(left).cloned().collect();
                        statements.extend(pair(&wish.table, role, &columns));
                    }
                }
            }
        }
        change.statements = statements;
    }
}

fn pairs(statements: &[Statement]) -> Vec<Narrowed> {
    let mut pairs = Vec::new();
    let mut at = 0;
    while at < statements.len() {
        match first(&statements[at..]) {
            Some(pair) => {
                at += pair.length;
                pairs.push(pair);
            }
            None => at += 1,
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Phase;

    fn change(statements: &[&str]) -> Change {
        Change {
            name: "narrow".into(),
            stage: 4,
            phase: Phase::Right,
            why: String::new(),
            statements: statements.iter().map(|sql| Statement::new(*sql)).collect(),
            closes: Vec::new(),
            questions: Vec::new(),
        }
    }

    #[test]
    fn what_one_took_away_the_next_does_not_give_back() {
        let mut changes = [
            change(&[
                "revoke select on \"app\".\"users\" from \"Bot\", api",
                "grant select (\"id\", email, \"Key\") on app.users to \"Bot\", api",
                "grant select (k) on app.users to api",
            ]),
            change(&["revoke select on app.users from \"Bot\"", "grant select (\"Key\", id) on app.users to \"Bot\""]),
            change(&["revoke select on app.orders from \"Bot\"", "grant select (id) on app.orders to \"Bot\""]),
        ];
        reconcile(&mut changes);
        let said = |change: &Change| change.statements.iter().map(|it| it.up.clone()).collect::<Vec<_>>();
        assert_eq!(
            said(&changes[0]),
            [
                "revoke select on app.users from \"Bot\"",
                "grant select (id, \"Key\") on app.users to \"Bot\"",
                "revoke select on app.users from api",
                "grant select (id, email, \"Key\") on app.users to api",
                "grant select (k) on app.users to api",
            ]
        );
        assert_eq!(said(&changes[1])[1], "grant select (\"Key\", id) on app.users to \"Bot\"");
        assert_eq!(said(&changes[2])[1], "grant select (id) on app.orders to \"Bot\"");
    }

    #[test]
    fn nothing_at_all_is_less_than_some_columns() {
        let mut changes = [
            change(&["revoke select on app.users from bot"]),
            change(&["revoke select on app.users from bot", "grant select (id) on app.users to bot"]),
        ];
        reconcile(&mut changes);
        assert!(changes.iter().all(|it| it.statements.len() == 1), "{changes:?}");
    }
}
