//! What every object is called, ready for SQL.

use crate::check::quote::{ident, relation};
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::HashMap;

/// A relation of the original.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) sql: String,
    pub(super) plain: String,
    pub(super) kind: String,
    pub(super) owner: i64,
    /// Made by an extension: it comes with it, or not at all.
    pub(super) foreign: bool,
}

/// Names by oid.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) relations: HashMap<i64, Relation>,
    pub(super) columns: HashMap<(i64, i64), String>,
    pub(super) schemas: HashMap<i64, String>,
    pub(super) roles: HashMap<i64, String>,
    /// With the signature.
    pub(super) functions: HashMap<i64, (String, i64)>,
    pub(super) types: HashMap<i64, (String, i64)>,
    /// Texts of `ddl`.
    ddl: HashMap<(String, i64, i64), String>,
}

impl Names {
    pub(super) async fn read(facts: &mut Facts) -> Result<Self, Stop> {
        let mut names = Self::default();
        let sql = "select oid, schema, name, kind, owner, provenance from relations where persistence <> 'temporary'";
        let rows: Vec<(i64, String, String, String, i64, String)> =
            sqlx::query_as(sql).fetch_all(facts.connection()).await?;
        for (oid, schema, name, kind, owner, provenance) in rows {
            let foreign = matches!(provenance.as_str(), "extension" | "system");
            let (sql, plain) = (relation(Some(&schema), &name), format!("{schema}.{name}"));
            names.relations.insert(oid, Relation { sql, plain, kind, owner, foreign });
        }
        let rows: Vec<(i64, i64, String)> =
            sqlx::query_as("select relation, number, name from columns").fetch_all(facts.connection()).await?;
        names.columns = rows.into_iter().map(|(oid, number, name)| ((oid, number), name)).collect();
        names.schemas = pairs("select oid, name from schemas", facts).await?.into_iter().collect();
        names.roles = pairs("select oid, name from roles", facts).await?.into_iter().collect();
        let rows: Vec<(i64, String, String, String, i64)> =
            sqlx::query_as("select oid, schema, name, signature, owner from functions")
                .fetch_all(facts.connection())
                .await?;
        let function = |(oid, schema, name, signature, owner): (i64, String, String, String, i64)| {
            (oid, (format!("{}({signature})", relation(Some(&schema), &name)), owner))
        };
        names.functions = rows.into_iter().map(function).collect();
        let rows: Vec<(i64, String, String, i64)> =
            sqlx::query_as("select oid, schema, name, owner from types").fetch_all(facts.connection()).await?;
        let of_type =
            |(oid, schema, name, owner): (i64, String, String, i64)| (oid, (relation(Some(&schema), &name), owner));
        names.types = rows.into_iter().map(of_type).collect();
        let rows: Vec<(String, i64, i64, String)> =
            sqlx::query_as("select object_kind, object, number, text from ddl").fetch_all(facts.connection()).await?;
        names.ddl = rows.into_iter().map(|(kind, object, number, text)| ((kind, object, number), text)).collect();
        Ok(names)
    }

    /// A text of `ddl`.
    pub(super) fn ddl(&self, kind: &str, object: i64, number: i64) -> Option<&str> {
        self.ddl.get(&(kind.to_owned(), object, number)).map(String::as_str)
    }

    /// All texts of one kind.
    pub(super) fn ddl_of<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = (i64, &'a str)> {
        self.ddl.iter().filter(move |((kind, ..), _)| kind == wanted).map(|((_, oid, _), text)| (*oid, text.as_str()))
    }

    /// A role, quoted; 0 is PUBLIC. None where it is gone.
    pub(super) fn role(&self, oid: i64) -> Option<String> {
        if oid == 0 { Some("public".to_owned()) } else { self.roles.get(&oid).map(|name| ident(name)) }
    }

    /// A relation that is to be copied.
    pub(super) fn own(&self, oid: i64) -> Option<&Relation> {
        self.relations.get(&oid).filter(|relation| !relation.foreign)
    }

    /// A column, quoted.
    pub(super) fn column(&self, relation: i64, number: i64) -> Option<String> {
        self.columns.get(&(relation, number)).map(|name| ident(name))
    }
}

/// Rows of an oid and a text.
pub(super) async fn pairs(sql: &'static str, facts: &mut Facts) -> Result<Vec<(i64, String)>, Stop> {
    Ok(sqlx::query_as(sql).fetch_all(facts.connection()).await?)
}
