//! Calls whose arguments are names: `op.add_column(table, …)` in a loop is one call for each table.

use crate::history::code::bind::Bindings;
use crate::history::code::call::{Argument, Call, Value};

/// How many calls one of them may stand for.
const MOST: usize = 500;

/// The chains with every name that is known put in, once for each of its values.
pub(super) fn filled(chains: Vec<Vec<Call>>, bindings: &Bindings) -> Vec<Vec<Call>> {
    let mut all = Vec::with_capacity(chains.len());
    for chain in chains {
        let mut names = Vec::new();
        chain.iter().flat_map(|call| &call.arguments).for_each(|argument| collect(&argument.value, &mut names));
        let rounds = names.iter().filter_map(|name| bindings.values(name)).map(Vec::len).max().unwrap_or(0);
        if rounds == 0 {
            all.push(chain);
            continue;
        }
        let name = names.iter().find(|name| bindings.values(name).is_some()).cloned().unwrap_or_default();
        all.extend((0..rounds.min(MOST)).map(|round| {
            let fill = |call: &Call| Call {
                at: bindings.call(&name, round, call.at),
                arguments: call.arguments.iter().map(|argument| put(argument, bindings, round)).collect(),
                ..call.clone()
            };
            chain.iter().map(fill).collect()
        }));
    }
    all
}

/// A name that stands alone.
fn name(value: &Value) -> Option<&str> {
    match value {
        Value::Chain(calls) => match calls.as_slice() {
            [only] if !only.called && !only.path.contains(':') => Some(&only.path),
            _ => None,
        },
        _ => None,
    }
}

fn collect(value: &Value, names: &mut Vec<String>) {
    names.extend(name(value).map(str::to_owned));
    match value {
        Value::List(items) | Value::Map(items) => items.iter().for_each(|item| collect(&item.value, names)),
        Value::Chain(calls) => {
            calls.iter().flat_map(|call| &call.arguments).for_each(|argument| collect(&argument.value, names));
        }
        Value::Text(_) | Value::Other => {}
    }
}

fn put(argument: &Argument, bindings: &Bindings, round: usize) -> Argument {
    Argument { name: argument.name.clone(), value: value(&argument.value, bindings, round) }
}

fn value(own: &Value, bindings: &Bindings, round: usize) -> Value {
    if let Some(values) = name(own).and_then(|name| bindings.values(name)) {
        return Value::Text(values[round % values.len()].clone());
    }
    let each = |items: &[Argument]| items.iter().map(|item| put(item, bindings, round)).collect();
    match own {
        Value::List(items) => Value::List(each(items)),
        Value::Map(items) => Value::Map(each(items)),
        Value::Chain(calls) => {
            Value::Chain(calls.iter().map(|call| Call { arguments: each(&call.arguments), ..call.clone() }).collect())
        }
        own => own.clone(),
    }
}
