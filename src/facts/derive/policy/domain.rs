//! What a variable may be: the values worth trying, which are the session's own, another tenant's, and what it was compared with.

use super::search::{RowInfo, RowKey, RowKind, Search, Var};
use super::value::{self, Value};
use super::world::Class;
use std::collections::BTreeSet;

impl Search<'_> {
    fn learned(&self, var: &Var) -> impl Iterator<Item = Value> {
        self.learned.get(var).into_iter().flatten().cloned()
    }

    pub(super) fn domain(&self, var: &Var) -> Vec<Value> {
        let mut values: Vec<Value> = match var {
            // What SET ROLE has set: the role that acts, which its policies are for.
            Var::Setting(name) if name == "role" => {
                self.asker.is_named();
                let none = (self.principal == self.role).then(|| Value::text("none"));
                self.role_name().into_iter().chain(none).collect()
            }
            Var::Column(row, column) => self.column_domain(*row, *column),
            Var::Owned(row) => match self.rows.get(row).map(|r| r.kind) {
                Some(RowKind::Judged | RowKind::Written) => vec![Value::Bool(false)],
                Some(RowKind::Own) => vec![Value::Bool(true)],
                Some(RowKind::Inner) | None => vec![Value::Bool(true), Value::Bool(false)],
            },
            Var::Present(_) | Var::Session(_, true) | Var::Opaque(_, true) => {
                let mut values = vec![Value::Bool(true), Value::Bool(false)];
                if !matches!(var, Var::Present(_)) {
                    values.push(Value::Null);
                }
                values
            }
            Var::Arm(_, arms) => (0..*arms).map(|arm| Value::text(&arm.to_string())).collect(),
            Var::Setting(name) => {
                let mut values: Vec<Value> = self.own_keys.iter().cloned().chain(self.learned(var)).collect();
                values.extend([value::fresh("text"), Value::Null]);
                if name.contains('.') {
                    values.push(Value::text(""));
                }
                values
            }
            Var::Session(_, false) | Var::Opaque(_, false) | Var::Argument(_) => {
                let mut values: Vec<Value> = self.learned(var).collect();
                if matches!(var, Var::Session(..)) {
                    values.extend(self.own_keys.iter().cloned());
                }
                values.extend([value::fresh("text"), Value::Null]);
                values
            }
            Var::Computed(_) => std::iter::once(value::fresh("text")).chain(self.learned(var)).collect(),
        };
        let mut seen = BTreeSet::new();
        let claims_role = claims_role(var);
        values.retain(|v| !(claims_role && self.is_another_role(v)) && seen.insert(v.clone()));
        values
    }

    fn role_name(&self) -> Option<Value> {
        self.world.catalog.roles.get(&self.role).map(|role| Value::text(&role.name))
    }

    /// A column of the row being judged.
    pub(super) fn is_judged(&self, var: &Var) -> bool {
        let Var::Column(row, _) = var else { return false };
        self.rows.get(row).is_some_and(|row| matches!(row.kind, RowKind::Judged | RowKind::Written))
    }

    /// The row being judged is a person's, and persons are members of the tenants.
    fn judges_a_members(&self) -> bool {
        let is_judged = |row: &&RowInfo| matches!(row.kind, RowKind::Judged | RowKind::Written);
        self.rows.values().filter(is_judged).any(|row| self.world.is_a_members(row.relation))
    }

    /// The name of the role that connected or of the one that asks.
    fn is_own_name(&self, value: &Value) -> bool {
        let own = self.world.is_name_of(value, [self.role, self.role]);
        if !own && self.is_another_role(value) {
            self.asker.is_named();
        }
        own || self.world.is_name_of(value, [self.principal, self.principal])
    }

    /// The name of a role, and not of the one that acts.
    fn is_another_role(&self, value: &Value) -> bool {
        !self.world.is_name_of(value, [self.role, self.role])
            && self.world.catalog.roles.values().any(|role| value.as_text() == Some(role.name.as_str()))
    }

    fn column_domain(&self, row: RowKey, number: i64) -> Vec<Value> {
        let var = Var::Column(row, number);
        let Some(info) = self.rows.get(&row) else { return vec![Value::Null] };
        let Some(relation) = self.world.catalog.relations.get(&info.relation) else { return vec![Value::Null] };
        let Some(column) = relation.column_number(number) else { return vec![Value::Null] };
        let inner = info.kind == RowKind::Inner;
        let type_name = column.type_name.as_str();
        let own = value::own(type_name);
        let foreign = value::foreign(type_name);
        let one_foreign = foreign[0].clone();
        let owned = self.assigned.get(&Var::Owned(row)) == Some(&Value::Bool(true));
        // The name of a role the session is says as much as its tenant's key: one role a tenant.
        let (names, constants): (Vec<_>, Vec<_>) =
            self.learned(&var).filter(|v| *v != own).partition(|v| self.is_own_name(v));
        let own_or_named = || std::iter::once(own.clone()).chain(names.iter().cloned());
        let mut values: Vec<Value> = match self.world.class(relation, column, inner) {
            Class::Key => match info.kind {
                RowKind::Own => own_or_named().collect(),
                _ if owned => own_or_named().collect(),
                _ => {
                    // An empty key is nobody's.
                    let counts = |v: &Value| {
                        let shared = is_shared(v);
                        self.met_shared.set(self.met_shared.get() | shared);
                        v.as_text() != Some("") && (self.judge_shared || !shared)
                    };
                    foreign.into_iter().chain(constants.into_iter().filter(counts)).collect()
                }
            },
            Class::Link => match info.kind {
                RowKind::Written => vec![own, one_foreign],
                _ if owned => vec![own],
                _ => vec![one_foreign],
            },
            Class::User => {
                let named = owned
                    || info.kind == RowKind::Written
                    || match info.kind {
                        RowKind::Inner => info.writable || !self.world.is_owned(relation),
                        _ => !self.world.person_tied(relation),
                    };
                // The session's person is one: another row of the table of persons is another person, and its login is
                // nobody else's.
                let is_person = inner
                    && (relation.primary_key == [number] && self.world.is_person(relation)
                        || self.world.is_login(relation));
                // Another tenant's person is no member of the session's own, and none of its persons.
                let is_colleague = self.judges_a_members() && self.world.tenancy.is_membership(relation)
                    || inner && relation.primary_key == [number] && self.world.is_of_one_tenant(relation);
                let colleague = value::fresh(type_name);
                match (named, is_person) {
                    (true, _) if owned && is_colleague => {
                        let known = constants.into_iter().filter(|value| !foreign.contains(value));
                        own_or_named().chain([colleague]).chain(known).collect()
                    }
                    (true, true) if owned => own_or_named().collect(),
                    // Another tenant's row may name a person of the session's where nothing forbids it.
                    (true, _) if !inner && self.world.persons_have_a_tenant => {
                        own_or_named().chain([one_foreign, colleague]).chain(constants).collect()
                    }
                    (true, _) => own_or_named().chain([one_foreign]).chain(constants).collect(),
                    (false, _) => [one_foreign].into_iter().chain(constants).collect(),
                }
            }
            Class::Identity => {
                let named = owned || info.writable || !self.world.is_owned(relation);
                let mut values: Vec<Value> = if named { own_or_named().collect() } else { vec![one_foreign] };
                values.extend(named.then(|| value::fresh(type_name)));
                values.into_iter().chain(constants).collect()
            }
            Class::Plain => match self.world.catalog.enum_labels.get(&column.type_oid) {
                Some(labels) if column.type_kind == "enum" => labels.iter().map(|l| Value::text(l)).collect(),
                _ if type_name == "bool" => vec![Value::Bool(true), Value::Bool(false)],
                _ => {
                    // Where a column finds one row, the session's role finds its own.
                    let finds_one = relation.uniques.iter().any(|unique| unique == &[number]);
                    let others = self.learned(&var).filter(|v| !finds_one || !names.contains(v));
                    [value::fresh(type_name)].into_iter().chain(others).collect()
                }
            },
        };
        let is_key = self.world.class(relation, column, inner) == Class::Key;
        if !column.not_null && (inner || !is_key) {
            values.push(Value::Null);
        }
        values
    }
}

/// A tenant that stands for everybody: its rows are meant to be seen by all.
pub(crate) fn is_shared(value: &Value) -> bool {
    let Some(text) = value.as_text() else { return false };
    matches!(
        text.to_ascii_lowercase().as_str(),
        "0" | "-1" | "system" | "global" | "public" | "shared" | "default" | "common" | "*"
    ) || text.chars().all(|c| c == '0' || c == '-') && text.len() > 1
}

/// A claim of the role: the server that checks the token sets the role that it claims, so that it names no other.
/// <https://docs.postgrest.org/en/stable/references/auth.html>
fn claims_role(var: &Var) -> bool {
    match var {
        Var::Setting(name) => name == "request.jwt.claim.role",
        Var::Session(text, false) => text.contains("jwt") && text.contains("->> 'role'"),
        _ => false,
    }
}
