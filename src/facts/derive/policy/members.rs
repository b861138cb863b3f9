//! Members of JSON columns that say whose a row is, as columns of their own: `metadata ->> 'tenant_id'` (TI-27).
//!
//! Only those that policies of the table itself read, and only where their name is one that a tenant or a person has.

use super::expr::{Comparison, Expr};
use super::lower;
use crate::check::quote::{ident, literal};
use crate::facts::derive::catalog::{Catalog, Column, Member, Relation};
use crate::facts::derive::tenancy;

/// Numbers of members begin here: no column of PostgreSQL has one as high (`MaxHeapAttributeNumber`, 1,600).
const FIRST: i64 = 10_000;

const TEXT: &str = "text";

/// The type of a key, by its name in `pg_type`, for one to which a member is cast: a number, a UUID, else text.
fn key_type(cast: &str) -> &'static str {
    match cast {
        "smallint" | "int2" => "int2",
        "integer" | "int" | "int4" => "int4",
        "bigint" | "int8" => "int8",
        "uuid" => "uuid",
        _ => TEXT,
    }
}

/// A member that an expression reads as text.
struct Read<'e> {
    qualifier: Option<&'e str>,
    column: &'e str,
    /// From the outermost inwards.
    path: Vec<&'e str>,
}

impl<'e> Read<'e> {
    fn of(expr: &'e Expr) -> Option<Self> {
        let Expr::Operator(operator, operands) = expr else { return None };
        let [document, key] = operands.as_slice() else { return None };
        let mut read = Self::document(document)?;
        match operator.as_str() {
            "->>" => read.path.push(text(key)?),
            "#>>" => read.path.extend(text(key)?.strip_prefix('{')?.strip_suffix('}')?.split(',')),
            _ => return None,
        }
        Some(read)
    }

    fn document(expr: &'e Expr) -> Option<Self> {
        match expr {
            Expr::Column(qualifier, column) => Some(Self { qualifier: qualifier.as_deref(), column, path: Vec::new() }),
            Expr::Cast(inner, type_name) if matches!(type_name.as_str(), "json" | "jsonb") => Self::document(inner),
            Expr::Operator(operator, operands) if operator == "->" => {
                let [document, key] = operands.as_slice() else { return None };
                let mut read = Self::document(document)?;
                read.path.push(text(key)?);
                Some(read)
            }
            _ => None,
        }
    }

    /// The name of the column it is, which is how SQL reads it.
    fn name(&self) -> String {
        let (last, before) = self.path.split_last().unwrap_or((&"", &[]));
        let before: String = before.iter().map(|key| format!(" -> {}", literal(key))).collect();
        format!("{}{before} ->> {}", ident(self.column), literal(last))
    }
}

/// A constant text.
fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Constant(text) => Some(text),
        Expr::Cast(inner, _) => text(inner),
        _ => None,
    }
}

/// The column as which a member is known, where an expression reads one: its qualifier and its name.
pub(crate) fn column(expr: &Expr) -> Option<(Option<&str>, String)> {
    Read::of(expr).map(|read| (read.qualifier, read.name()))
}

/// `document @> jsonb_build_object('tenant_id', x)`: each member that is named is equal.
pub(super) fn containing(document: Expr, part: Expr) -> Expr {
    equal_members(&document, &part).map_or_else(|| Expr::Operator("@>".into(), vec![document, part]), Expr::And)
}

fn equal_members(document: &Expr, part: &Expr) -> Option<Vec<Expr>> {
    Read::document(document)?;
    let built = call(part, "jsonb_build_object").filter(|arguments| arguments.len().is_multiple_of(2))?;
    let mut equal = Vec::new();
    for pair in built.chunks(2) {
        let (key, value) = (&pair[0], &pair[1]);
        text(key)?;
        let member = |operator: &str| Expr::Operator(operator.into(), vec![document.clone(), key.clone()]);
        match equal_members(&member("->"), value) {
            Some(within) => equal.extend(within),
            None => {
                let value = call(value, "to_jsonb").and_then(<[Expr]>::first).unwrap_or(value);
                let type_name = match value {
                    Expr::Cast(_, type_name) => key_type(type_name),
                    _ => TEXT,
                };
                let cast = |expr: Expr| Box::new(Expr::Cast(Box::new(expr), type_name.into()));
                equal.push(Expr::Compare(Comparison::Equal, cast(member("->>")), cast(value.clone())));
            }
        }
    }
    Some(equal)
}

/// The arguments of a call of one of PostgreSQL's own functions.
fn call<'e>(expr: &'e Expr, name: &str) -> Option<&'e [Expr]> {
    match expr {
        Expr::Call(call) if call.name == name && call.schema.as_deref().is_none_or(|schema| schema == "pg_catalog") => {
            Some(&call.arguments)
        }
        _ => None,
    }
}

/// Gives every table the members that its own policies read.
pub(crate) fn add(catalog: &mut Catalog) {
    for relation in catalog.relations.values_mut() {
        relation.members = found(relation);
    }
}

fn found(relation: &Relation) -> Vec<Column> {
    let mut members: Vec<Column> = Vec::new();
    let texts = relation.policies.iter().flat_map(|policy| policy.texts());
    for text in texts.filter(|text| ["->>", "#>>", "@>"].iter().any(|operator| text.contains(operator))) {
        lower::expression(text).walk(&mut |expr| {
            let (inner, cast) = match expr {
                Expr::Cast(inner, cast) => (inner.as_ref(), Some(cast)),
                expr => (expr, None),
            };
            let Some(read) = Read::of(inner) else { return };
            let own = read.qualifier.is_none_or(|qualifier| qualifier == relation.name);
            let base = relation.column(read.column).filter(|c| own && matches!(c.type_name.as_str(), "json" | "jsonb"));
            let (Some(base), Some(word)) = (base, read.path.last()) else { return };
            let whose = tenancy::proposed(word).is_some() || tenancy::PERSONS.contains(&tenancy::plain(word).as_str());
            let name = read.name();
            if !whose || relation.column(&name).is_some() {
                return;
            }
            let type_name = cast.map_or(TEXT, |cast| key_type(cast));
            if let Some(known) = members.iter_mut().find(|member| member.name == name) {
                // A number is a text as well; a text need not be a number.
                if known.type_name == TEXT {
                    (known.type_name, known.type_text) = (type_name.to_owned(), type_name.to_owned());
                }
                return;
            }
            members.push(Column {
                number: FIRST + i64::try_from(members.len()).unwrap_or_default(),
                name,
                type_text: type_name.to_owned(),
                type_name: type_name.to_owned(),
                type_kind: "base".to_owned(),
                type_oid: 0,
                not_null: false,
                member: Some(Member { of: base.number, name: (*word).to_owned() }),
            });
        });
    }
    members
}
