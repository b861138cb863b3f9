//! What an INSERT of a trigger or a rule takes along of the row that fired.

use super::effects::Effect;
use super::expr::{Expr, From};
use super::plpgsql_rows::VARIABLE;
use std::collections::HashSet;

impl Effect {
    /// Whether the inserted values hold one of these columns of the row that fired; true where they hold all of it.
    pub(crate) fn copies(&self, columns: &HashSet<&str>) -> Option<bool> {
        let tables = self.select.sources.iter().filter(|source| matches!(source.from, From::Relation(..)));
        // `SELECT NEW.*` reads no table but the one that is written.
        if self.select.star && tables.count() <= 1 {
            return Some(true);
        }
        let mut reading = Reading { effect: self, columns, part: false, whole: false };
        for (_, value) in &self.select.targets {
            reading.value(value, 0);
        }
        (reading.part || reading.whole).then_some(reading.whole)
    }
}

struct Reading<'a> {
    effect: &'a Effect,
    columns: &'a HashSet<&'a str>,
    part: bool,
    whole: bool,
}

impl Reading<'_> {
    fn value(&mut self, value: &Expr, depth: usize) {
        let mut digested: HashSet<*const Expr> = HashSet::new();
        let mut variables = Vec::new();
        value.walk(&mut |expr| match expr {
            Expr::Call(call) if hides(&call.name) => {
                for argument in &call.arguments {
                    argument.walk(&mut |inner| {
                        digested.insert(inner);
                    });
                }
            }
            _ if digested.contains(&std::ptr::from_ref(expr)) => {}
            Expr::Column(Some(row), name) if is_fired(row) => self.part |= self.columns.contains(name.as_str()),
            Expr::Column(None, row) if is_fired(row) => self.whole = true,
            Expr::Column(None, name) => variables.push(format!("{VARIABLE}{name}")),
            Expr::Opaque(text, _) => {
                let text = text.to_lowercase();
                self.whole |= text.contains("new.*") || text.contains("old.*");
            }
            _ => {}
        });
        // A variable that could name itself would end nowhere.
        if depth > 8 {
            return;
        }
        for source in &self.effect.select.sources {
            let is_read = source.alias.as_ref().is_some_and(|alias| variables.contains(alias));
            let (true, From::Query(query)) = (is_read, &source.from) else { continue };
            for (_, assigned) in query.arms.iter().flat_map(|arm| &arm.targets) {
                self.value(assigned, depth + 1);
            }
        }
    }
}

fn is_fired(row: &str) -> bool {
    matches!(row, "new" | "old")
}

/// What these give says nothing of what they took.
fn hides(name: &str) -> bool {
    matches!(
        name,
        "md5" | "sha224" | "sha256" | "sha384" | "sha512" | "digest" | "hmac" | "length" | "octet_length" | "hashtext"
    )
}
