//! How the rows of a log are chained, as the trigger that does it says: what its hash reads and leaves open, and whether
//! writers wait for each other.

use super::super::catalog::{Catalog, Function, Relation};
use crate::chain::discover::written;
use crate::chain::hazards::{self, Typed};
use crate::chain::items;
use crate::chain::relation::{Library, Relation as Table, Trigger};
use crate::chain::source::machine;
use crate::chain::source::token::{Token, tokens};
use crate::chain::value::Kind;

/// A chain that a trigger writes.
#[derive(Debug)]
pub(crate) struct Chained {
    /// The column of the row's own hash.
    pub(crate) hash: i64,
    /// The column of the one before.
    pub(crate) previous: Option<i64>,
    pub(crate) trigger: String,
    pub(crate) function: i64,
    /// As `triggers.enabled`.
    pub(crate) enabled: String,
    /// One writer waits for the other.
    pub(crate) waits: bool,
    /// None where it could not be read.
    pub(crate) formula: Option<Formula>,
}

/// What the hash is taken of.
#[derive(Debug)]
pub(crate) struct Formula {
    /// Columns that it does not read.
    pub(crate) uncovered: Vec<String>,
    /// `actor and action`.
    pub(crate) unframed: Vec<String>,
    /// Points in time spelled in the session's zone.
    pub(crate) session: Vec<String>,
    pub(crate) reads_previous: bool,
}

/// The chain of a log; none where no trigger of it writes one.
pub(super) fn of(catalog: &Catalog, relation: &Relation, roles: &[(&'static str, i64)]) -> Option<Chained> {
    let role = |wanted: &str| roles.iter().find(|(role, _)| *role == wanted).map(|(_, number)| *number);
    let hash = role("hash")?;
    let previous = role("previous hash");
    let name = |number: i64| relation.column_number(number).map(|column| column.name.clone());
    let target = name(hash)?;
    let before_insert = |trigger: &&super::super::catalog::Trigger| {
        trigger.relation == relation.oid && trigger.on_insert && trigger.row_level
    };
    let (trigger, function) = catalog.triggers.iter().filter(before_insert).find_map(|trigger| {
        let function = catalog.functions.get(&trigger.function)?;
        let source = function.source.as_deref().filter(|_| function.language == "plpgsql")?;
        assigns(source, &target).then_some((trigger, function))
    })?;
    Some(Chained {
        hash,
        previous,
        trigger: trigger.name.clone(),
        function: function.oid,
        enabled: trigger.enabled.clone(),
        waits: waits(catalog, relation, function),
        formula: formula(catalog, relation, trigger, roles, &target, previous.and_then(name)),
    })
}

/// `new.hash := …`, `select … into new.hash`.
fn assigns(source: &str, target: &str) -> bool {
    tokens(source).windows(3).any(|it| it[0].is_word("new") && it[1].is_sign(".") && it[2].name() == Some(target))
}

/// The function, or one it calls, takes a lock that another writer waits for: an advisory one, the table, or a row of
/// another table. The last row of the log itself is no such row: its successor is not there to be locked.
fn waits(catalog: &Catalog, relation: &Relation, function: &Function) -> bool {
    let source = function.source.as_deref().unwrap_or_default();
    let called: Vec<&Function> = catalog
        .functions
        .values()
        .filter(|other| other.oid != function.oid && matches!(other.language.as_str(), "sql" | "plpgsql"))
        .filter(|other| tokens(source).windows(2).any(|two| two[0].name() == Some(&other.name) && two[1].is_sign("(")))
        .collect();
    std::iter::once(function).chain(called).any(|function| {
        let tokens = tokens(function.source.as_deref().unwrap_or_default());
        let advisory = tokens.iter().filter_map(Token::name).any(|name| {
            name.starts_with("pg_advisory_")
                && name.contains("lock")
                && !name.contains("unlock")
                && !name.contains("shared")
        });
        let table = tokens.windows(2).any(|two| two[0].is_word("lock") && two[1].name().is_some());
        advisory || table || locks_a_head(&tokens, &relation.name)
    })
}

/// `select … from head … for update`, `update head set …`.
fn locks_a_head(tokens: &[Token], log: &str) -> bool {
    // Behind the word, over its schema.
    let named = |at: usize| {
        let dotted = tokens.get(at + 2).is_some_and(|token| token.is_sign("."));
        tokens.get(if dotted { at + 3 } else { at + 1 }).and_then(Token::name)
    };
    let mut from = None;
    for (at, token) in tokens.iter().enumerate() {
        if token.is_word("from") {
            from = named(at);
        }
        let locking = token.is_word("for")
            && tokens.get(at + 1).is_some_and(|token| token.is_word("update") || token.is_word("no"));
        if locking && from.is_some_and(|from| from != log) {
            return true;
        }
        let after_for =
            at.checked_sub(1).is_some_and(|before| tokens[before].is_word("for") || tokens[before].is_word("key"));
        if token.is_word("update") && !after_for && named(at).is_some_and(|of| of != log && of != "set") {
            return true;
        }
    }
    false
}

fn formula(
    catalog: &Catalog,
    relation: &Relation,
    trigger: &super::super::catalog::Trigger,
    roles: &[(&'static str, i64)],
    target: &str,
    previous: Option<String>,
) -> Option<Formula> {
    let table = table(catalog, relation, trigger);
    let library = library(catalog);
    let digests: Vec<String> = roles
        .iter()
        .filter(|(role, _)| matches!(*role, "hash" | "previous hash" | "payload digest" | "query digest"))
        .filter_map(|(_, number)| relation.column_number(*number).map(|column| column.name.clone()))
        .collect();
    let columns: Vec<Typed<'_>> =
        relation.columns.iter().map(|column| Typed { name: &column.name, type_name: &column.type_name }).collect();
    let read = |target: &str, prev: Option<&str>| {
        let own = written::candidates(&table, &library, target, prev, &digests);
        let own = own
            .into_iter()
            .find(|candidate| candidate.source.starts_with("trigger function") && candidate.beside.is_none())?;
        let unread = own.expression.iter().any(|token| matches!(token, Token::Unknown(_)));
        (!unread).then(|| hazards::find(&own.expression, &columns, prev))
    };
    let mut found = read(target, previous.as_deref())?;
    // A digest that the hash reads vouches for what it was taken of.
    for digest in found.reads.clone() {
        if let Some(of) = read(&digest, None) {
            found.reads.extend(of.reads);
            found.session.extend(of.session);
            found.unframed.extend(of.unframed);
        }
    }
    let settings = catalog.functions.get(&trigger.function).map_or("", |function| &function.settings);
    if settings.to_ascii_lowercase().contains("\"timezone\"") {
        found.session.clear();
    }
    // What comes later, or goes away lawfully, cannot be hashed with the row.
    let exempt = |number: i64| {
        roles.iter().any(|(role, of)| {
            *of == number
                && matches!(
                    *role,
                    "hash" | "previous hash" | "redaction" | "redacted by" | "salt" | "signature" | "key id"
                )
        }) || roles.iter().any(|(role, of)| {
            *of == number
                && *role == "payload"
                && roles.iter().any(|(role, digest)| {
                    *role == "payload digest"
                        && relation.column_number(*digest).is_some_and(|digest| found.reads.contains(&digest.name))
                })
        })
    };
    let uncovered =
        relation.columns.iter().filter(|column| !exempt(column.number) && !found.reads.contains(&column.name));
    Some(Formula {
        uncovered: uncovered.map(|column| column.name.clone()).collect(),
        unframed: found.unframed.iter().map(|(left, right)| format!("{left} and {right}")).collect(),
        session: found.session.into_iter().collect(),
        reads_previous: found.reads_previous,
    })
}

/// The log as the reader of formulas knows tables.
fn table(catalog: &Catalog, relation: &Relation, trigger: &super::super::catalog::Trigger) -> Table {
    let columns = relation.columns.iter().map(|column| items::Column {
        name: column.name.clone(),
        kind: Kind::of(&column.type_name, column.type_kind == "enum"),
        type_name: column.type_name.clone(),
        beside: false,
        not_null: column.not_null,
        sequenced: false,
    });
    let function = catalog.functions.get(&trigger.function);
    let function = function.map(|function| (function.schema.clone(), function.name.clone())).unwrap_or_default();
    Table {
        oid: u32::try_from(relation.oid).unwrap_or(0),
        schema: relation.schema.clone(),
        name: relation.name.clone(),
        kind: 'r',
        columns: columns.collect(),
        refused: Vec::new(),
        reachable: true,
        hides_rows: false,
        estimate: 0.0,
        indexes: Vec::new(),
        triggers: vec![Trigger { name: trigger.name.clone(), function, enabled: 'O', arguments: Vec::new() }],
        changed: 0,
    }
}

fn library(catalog: &Catalog) -> Library {
    let parsed = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap_or_default();
    let functions =
        catalog.functions.values().filter(|function| matches!(function.language.as_str(), "sql" | "plpgsql"));
    let functions = functions.filter_map(|function| {
        let names = parsed(&function.argument_names);
        let types = parsed(&function.argument_types);
        Some(machine::Function {
            name: (function.schema.clone(), function.name.clone()),
            language: function.language.clone(),
            source: function.source.clone()?,
            parameters: types
                .into_iter()
                .enumerate()
                .map(|(at, of)| (names.get(at).cloned().unwrap_or_default(), of))
                .collect(),
        })
    });
    Library { functions: functions.collect(), ..Library::default() }
}
