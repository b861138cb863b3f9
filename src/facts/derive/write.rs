//! Derived facts as rows of part 2 of the schema.

pub(crate) mod access;

use super::catalog::{Catalog, Column, Oid};
use super::policy::dynamic;
use super::policy::refusal::Refusal;
use super::tenancy::Key;
use super::verdicts::Verdict;
use super::{Derived, event_logs};
use crate::facts::value::Value;
use std::collections::BTreeSet;

type Row = Vec<Value>;

/// A table of the facts, its columns, and rows for it.
pub(crate) type Table = (&'static str, &'static [&'static str], Vec<Row>);

fn number(value: i64) -> Value {
    Value::Integer(value)
}

fn flag(value: bool) -> Value {
    Value::Integer(value.into())
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

fn optional<T>(value: Option<T>, known: impl FnOnce(T) -> Value) -> Value {
    value.map_or(Value::Null, known)
}

/// What follows from the rest of the catalog.
pub(crate) fn derived(catalog: &Catalog, derived: &Derived) -> [Table; 20] {
    [
        column_names(catalog),
        tenancy(derived),
        tenant_keys(catalog, derived),
        json_keys(catalog, derived),
        tenant_paths(catalog, derived),
        tenant_data(catalog, derived),
        tenant_predicates(derived),
        function_verdicts(derived),
        fired_effects(derived),
        row_copies(derived),
        unread_functions(derived),
        policy_settings(derived),
        exposure(derived),
        event_logs(derived),
        event_log_columns(catalog, derived),
        event_log_guards(derived),
        event_log_chains(derived),
        event_log_rights(derived),
        event_log_writers(derived),
        dynamic_statements(catalog),
    ]
}

fn tenancy(derived: &Derived) -> Table {
    let (mode, source, reason) = &derived.mode;
    let row = vec![text(*mode), text(*source), optional(derived.tenancy.tenant_relation, number), text(reason)];
    ("tenancy", &["mode", "source", "tenant_relation", "reason"], vec![row])
}

fn tenant_keys(catalog: &Catalog, derived: &Derived) -> Table {
    let rows =
        keys(catalog, derived).filter(|(_, column, _)| column.member.is_none()).map(|(relation, column, key)| {
            let (number, name) = (number(column.number), text(&column.name));
            vec![self::number(relation), number, name, text(key.role.name()), text(key.source)]
        });
    ("tenant_keys", &["relation", "column_number", "name", "role", "source"], rows.collect())
}

fn column_names(catalog: &Catalog) -> Table {
    let columns = catalog.relations.values().flat_map(|relation| &relation.columns);
    let names: BTreeSet<&str> = columns.map(|column| &*column.name).collect();
    let word = |name: &str| name.replace('_', "").to_lowercase();
    ("column_names", &["name", "word"], names.into_iter().map(|name| vec![text(name), text(word(name))]).collect())
}

fn json_keys(catalog: &Catalog, derived: &Derived) -> Table {
    let rows = keys(catalog, derived).filter_map(|(relation, column, key)| {
        let member = column.member.as_ref()?;
        Some(vec![number(relation), number(member.of), text(&member.name), text(&column.name), text(key.role.name())])
    });
    ("json_keys", &["relation", "column_number", "member", "expression", "role"], rows.collect())
}

/// Every key with its column.
fn keys<'a>(catalog: &'a Catalog, derived: &'a Derived) -> impl Iterator<Item = (Oid, &'a Column, &'a Key)> {
    derived.tenancy.keys.iter().filter_map(|(&(relation, column), key)| {
        Some((relation, catalog.relations.get(&relation)?.column_number(column)?, key))
    })
}

fn tenant_paths(catalog: &Catalog, derived: &Derived) -> Table {
    let mut rows = Vec::new();
    for (&relation, path) in &derived.tenancy.paths {
        let place = |oid: Oid, column: i64| {
            let relation = catalog.relations.get(&oid)?;
            Some(format!("{}.{}", relation.name, relation.column_number(column)?.name))
        };
        let key = derived.tenancy.keys_of(path.key_relation).next().map_or(0, |(column, _)| column);
        let steps = path.hops.iter().map(|&(oid, column)| place(oid, column)).chain([place(path.key_relation, key)]);
        let words = steps.flatten().collect::<Vec<_>>().join(" → ");
        let hops = i64::try_from(path.hops.len()).unwrap_or(i64::MAX);
        rows.push(vec![number(relation), number(path.key_relation), number(hops), text(words)]);
    }
    ("tenant_paths", &["relation", "key_relation", "hops", "path"], rows)
}

fn tenant_data(catalog: &Catalog, derived: &Derived) -> Table {
    let keyed = keys(catalog, derived).map(|(relation, ..)| relation);
    let all: BTreeSet<_> = keyed.chain(derived.tenancy.paths.keys().copied()).collect();
    ("tenant_data", &["relation"], all.into_iter().map(|relation| vec![number(relation)]).collect())
}

fn tenant_predicates(derived: &Derived) -> Table {
    let rows = derived.remedy.predicates.iter().map(|(relation, predicate)| vec![number(*relation), text(predicate)]);
    ("tenant_predicates", &["relation", "predicate"], rows.collect())
}

/// What a principal reaches of whose rows, command by command.
pub(crate) fn verdicts(verdicts: &[Verdict]) -> Table {
    let rows = verdicts.iter().map(|v| {
        vec![
            number(v.principal),
            number(v.relation),
            text(v.command),
            text(v.verdict),
            number(v.as_role),
            text(&v.path),
            optional(v.policy, number),
            optional(v.counterexample.as_deref(), text),
            optional(v.cause, text),
        ]
    });
    let columns =
        &["principal", "relation", "command", "verdict", "as_role", "path", "policy", "counterexample", "cause"];
    ("verdicts", columns, rows.collect())
}

fn function_verdicts(derived: &Derived) -> Table {
    let rows = derived.functions.iter().map(|v| {
        let reads = serde_json::Value::from(v.reads.clone()).to_string();
        vec![
            number(v.principal),
            number(v.function),
            text(v.verdict),
            text(reads),
            optional(v.counterexample.as_deref(), text),
        ]
    });
    ("function_verdicts", &["principal", "function", "verdict", "reads", "counterexample"], rows.collect())
}

fn row_copies(derived: &Derived) -> Table {
    let rows = derived.copied.iter().map(|it| {
        vec![
            number(it.relation),
            text(it.door.kind),
            text(&it.door.name),
            optional(it.door.function, number),
            number(it.target),
            flag(it.whole),
        ]
    });
    ("row_copies", &["relation", "door", "name", "function", "target", "whole"], rows.collect())
}

fn fired_effects(derived: &Derived) -> Table {
    let rows = derived.fired.iter().map(|it| {
        vec![
            number(it.principal),
            number(it.relation),
            text(it.door.kind),
            text(&it.door.name),
            optional(it.door.function, number),
            number(it.door.runs_as),
            text(it.command),
            number(it.target),
            text(it.verdict),
            flag(it.by_link),
            optional(it.counterexample.as_deref(), text),
        ]
    });
    const COLUMNS: &[&str] = &[
        "principal",
        "relation",
        "door",
        "name",
        "function",
        "runs_as",
        "command",
        "target",
        "verdict",
        "by_link",
        "counterexample",
    ];
    ("fired_effects", COLUMNS, rows.collect())
}

fn unread_functions(derived: &Derived) -> Table {
    let rows = derived.unread.iter().map(|(relation, function)| vec![number(*relation), text(function)]);
    ("unread_functions", &["relation", "function"], rows.collect())
}

fn policy_settings(derived: &Derived) -> Table {
    let rows = derived
        .settings
        .iter()
        .map(|s| vec![number(s.policy), text(&s.name), flag(s.missing_ok), flag(s.caller_may_set())]);
    ("policy_settings", &["policy", "setting", "missing_ok", "caller_may_set"], rows.collect())
}

fn exposure(derived: &Derived) -> Table {
    let rows = derived.exposure.iter().map(|e| {
        vec![
            number(e.principal),
            number(e.relation),
            text(e.verdict),
            number(e.as_role),
            text(&e.path),
            flag(e.is_tenant_data),
        ]
    });
    ("exposure", &["principal", "relation", "verdict", "as_role", "path", "is_tenant_data"], rows.collect())
}

fn event_logs(derived: &Derived) -> Table {
    let rows = derived.event_logs.iter().map(|log| {
        let kinds = log.kinds.as_ref();
        let values = kinds.map(|kinds| serde_json::Value::from(kinds.values.clone()).to_string());
        let [update, delete, truncate] = log.refused;
        vec![
            number(log.relation),
            text(log.purpose.name()),
            text(&log.reason),
            optional(kinds, |kinds| text(kinds.source)),
            optional(values, text),
            optional(kinds.and_then(event_logs::Kinds::name_agent), flag),
            text(log.held()),
            text(update.0),
            text(delete.0),
            text(truncate.0),
            flag(log.refused.iter().all(|(_, always)| *always)),
            text(serde_json::Value::from(log.owners.clone()).to_string()),
        ]
    });
    let columns = &[
        "relation",
        "purpose",
        "reason",
        "actor_kind_source",
        "actor_kinds",
        "names_agent",
        "held_by",
        "on_update",
        "on_delete",
        "on_truncate",
        "guards_always",
        "owner_logins",
    ];
    ("event_logs", columns, rows.collect())
}

fn event_log_columns(catalog: &Catalog, derived: &Derived) -> Table {
    let rows = derived.event_logs.iter().flat_map(|log| {
        let relation = catalog.relations.get(&log.relation);
        log.columns.iter().map(move |(role, column)| {
            let name = relation.and_then(|r| r.column_number(*column)).map(|column| column.name.clone());
            let filled = flag(log.filled.contains(column));
            let setting = log.from_settings.iter().find(|(of, _)| of == column).map(|(_, setting)| setting.clone());
            vec![
                number(log.relation),
                text(*role),
                number(*column),
                optional(name, text),
                filled,
                optional(setting, text),
            ]
        })
    });
    let columns = &["relation", "role", "column_number", "name", "filled_by_trigger", "from_setting"];
    ("event_log_columns", columns, rows.collect())
}

fn event_log_guards(derived: &Derived) -> Table {
    let rows = derived.event_logs.iter().flat_map(|log| {
        log.guards.iter().map(|guard| {
            let refusal = match guard.refusal {
                Refusal::Always => "refused",
                Refusal::Partly => "partly",
                Refusal::Unread | Refusal::Never => "unread",
            };
            vec![
                number(log.relation),
                number(guard.relation),
                text(guard.command),
                text(guard.by),
                text(&guard.name),
                text(refusal),
                text(&guard.enabled),
            ]
        })
    });
    let columns = &["log", "relation", "command", "guard_kind", "name", "effect", "enabled"];
    ("event_log_guards", columns, rows.collect())
}

fn event_log_chains(derived: &Derived) -> Table {
    let list = |of: &[String]| text(serde_json::Value::from(of.to_vec()).to_string());
    let rows = derived.event_logs.iter().filter_map(|log| {
        let chain = log.chained.as_ref()?;
        let formula = chain.formula.as_ref();
        Some(vec![
            number(log.relation),
            number(chain.hash),
            optional(chain.previous, number),
            text(&chain.trigger),
            number(chain.function),
            text(&chain.enabled),
            flag(chain.waits),
            optional(formula, |formula| flag(formula.reads_previous)),
            optional(formula, |formula| list(&formula.uncovered)),
            optional(formula, |formula| list(&formula.unframed)),
            optional(formula, |formula| list(&formula.session)),
        ])
    });
    let columns = &[
        "relation",
        "hash_column",
        "previous_column",
        "trigger_name",
        "function",
        "enabled",
        "writers_wait",
        "covers_previous",
        "uncovered",
        "unframed",
        "session_dependent",
    ];
    ("event_log_chains", columns, rows.collect())
}

fn event_log_writers(derived: &Derived) -> Table {
    let rows = derived.event_logs.iter().flat_map(|log| {
        log.writers.iter().map(|writer| vec![number(writer.function), number(log.relation), flag(writer.forgives)])
    });
    ("event_log_writers", &["function", "log", "forgives"], rows.collect())
}

/// Bodies that run with their owner's rights alone: what a caller runs with its own rights it could run without them.
fn dynamic_statements(catalog: &Catalog) -> Table {
    let definers = catalog.functions.values().filter(|f| f.security_definer && f.language == "plpgsql");
    let rows = definers.filter_map(|function| {
        let (names, types) = (function.names(), function.types());
        let arguments: Vec<_> = names.iter().zip(&types).map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
        let argument = dynamic::inlined(function.source.as_deref()?, &arguments)?;
        Some(vec![number(function.oid), text(argument)])
    });
    ("dynamic_statements", &["function", "argument"], rows.collect())
}

fn event_log_rights(derived: &Derived) -> Table {
    let rows = derived.event_logs.iter().flat_map(|log| {
        log.rights.iter().map(|right| {
            vec![
                number(right.principal),
                number(right.log),
                number(right.relation),
                text(right.command),
                text(right.via),
                flag(right.on_columns),
                number(right.as_role),
                text(&right.path),
            ]
        })
    });
    let columns = &["principal", "log", "relation", "command", "via", "on_columns", "as_role", "path"];
    ("event_log_rights", columns, rows.collect())
}
