//! Queries that blocks loop over: constants, and the catalog's tables, columns and policies as far as they are known.

use super::names::{child, constants, name, path, word};
use super::run::{Scope, Variables};
use super::run_value::{Value, evaluate};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

/// The rows of a query; none where it cannot be read.
pub(super) fn rows(query: &SyntaxNode, variables: &Variables, scope: &dyn Scope) -> Option<Vec<Value>> {
    let targets = query.descendants().find(|n| n.kind() == K::TARGET_LIST)?;
    let Some(from) = child(query, K::FROM_CLAUSE) else {
        // `SELECT unnest(ARRAY[…])`, also cast.
        let target = targets.children().next()?.children().next()?;
        return match evaluate(&target, variables) {
            Value::Unknown => None,
            Value::List(values) => Some(values),
            value => Some(vec![value]),
        };
    };
    let item = from.children().next()?;
    if let Some(values) = item.descendants().find(|n| n.kind() == K::VALUES) {
        return Some(constant_rows(&values, &item, variables));
    }
    if let Some(call) = item.descendants().find(|n| n.kind() == K::CALL_EXPR)
        && let Value::List(values) = evaluate(&call, variables)
    {
        let names = aliases(&item);
        let column = names.last().cloned().unwrap_or_else(|| "unnest".to_owned());
        return Some(values.into_iter().map(|value| Value::Record(vec![(column.clone(), value)])).collect());
    }
    catalog_rows(query, &from, &targets, variables, scope)
}

/// The names an alias gives: the relation's, then its columns'.
fn aliases(item: &SyntaxNode) -> Vec<String> {
    let alias = child(item, K::FROM_ALIAS);
    let names = alias.iter().flat_map(SyntaxNode::descendants).filter(|n| n.children().next().is_none());
    names.map(|n| word(&n)).filter(|word| word != "as" && !word.is_empty()).collect()
}

fn constant_rows(values: &SyntaxNode, item: &SyntaxNode, variables: &Variables) -> Vec<Value> {
    let names: Vec<_> = aliases(item).into_iter().skip(1).collect();
    let row = |row: SyntaxNode| {
        let fields = row.children().enumerate();
        let named = fields.map(|(n, field)| {
            let name = names.get(n).cloned().unwrap_or_else(|| format!("column{}", n + 1));
            (name, evaluate(&field, variables))
        });
        Value::Record(named.collect())
    };
    let lists = values.descendants().filter(|n| n.kind() == K::ROW);
    lists.map(row).collect()
}

/// A row of the catalog, by the names its views use.
type Entry = Vec<(&'static str, String)>;

fn catalog_rows(
    query: &SyntaxNode,
    from: &SyntaxNode,
    targets: &SyntaxNode,
    variables: &Variables,
    scope: &dyn Scope,
) -> Option<Vec<Value>> {
    let relations: Vec<_> =
        from.descendants().filter(|n| n.kind() == K::RELATION_NAME_REF).filter_map(|n| name(&n)).collect();
    let names = |wanted: &[&str]| relations.iter().any(|relation| wanted.contains(&relation.name.as_str()));
    let mut entries: Vec<Entry> = Vec::new();
    if names(&["pg_policies", "pg_policy"]) {
        for (table, policy) in scope.policies() {
            entries.push(vec![
                ("tablename", table.clone()),
                ("relname", table),
                ("policyname", policy.clone()),
                ("polname", policy),
            ]);
        }
    } else if names(&["columns", "pg_attribute"]) {
        for (schema, table, columns) in scope.tables() {
            for column in columns {
                let mut entry = table_entry(&schema, &table);
                entry.extend([("column_name", column.clone()), ("attname", column)]);
                entries.push(entry);
            }
        }
    } else if names(&["pg_tables", "tables", "pg_class", "pg_stat_user_tables"]) {
        entries.extend(scope.tables().iter().map(|(schema, table, _)| table_entry(schema, table)));
    } else {
        return None;
    }
    let wheres = child(query, K::WHERE_CLAUSE);
    let joins = from.descendants().filter(|n| n.kind() == K::ON_CLAUSE);
    let conditions: Vec<_> = wheres.into_iter().chain(joins).flat_map(|n| n.children()).flat_map(conjuncts).collect();
    entries.retain(|entry| conditions.iter().all(|condition| holds(condition, entry, variables)));
    let first = targets.children().next()?.children().next()?;
    let wanted = path(&first).and_then(|mut parts| parts.pop());
    let row = |entry: Entry| {
        let mut fields: Vec<_> = entry.into_iter().map(|(k, v)| (k.to_owned(), Value::Text(v))).collect();
        // A scalar variable takes the first target.
        if let Some(at) = wanted.as_ref().and_then(|wanted| fields.iter().position(|(name, _)| name == wanted)) {
            fields.swap(0, at);
        }
        Value::Record(fields)
    };
    Some(entries.into_iter().map(row).collect())
}

fn table_entry(schema: &str, table: &str) -> Entry {
    let keys = ["tablename", "table_name", "relname"].map(|key| (key, table.to_owned()));
    let schemas = ["schemaname", "table_schema", "nspname"].map(|key| (key, schema.to_owned()));
    keys.into_iter().chain(schemas).collect()
}

/// The parts that AND joins.
pub(super) fn conjuncts(node: SyntaxNode) -> Vec<SyntaxNode> {
    if node.kind() == K::BIN_EXPR && operator(&node) == "and" {
        node.children().flat_map(conjuncts).collect()
    } else {
        vec![node]
    }
}

/// The words between the two sides of a comparison.
fn operator(node: &SyntaxNode) -> String {
    let sides: Vec<_> = node.children().filter(|n| n.kind() != K::CUSTOM_OP).collect();
    let (Some(left), Some(right)) = (sides.first(), sides.last()) else { return String::new() };
    let text = node.text().to_string();
    let start = usize::from(node.text_range().start());
    let between = usize::from(left.text_range().end()) - start..usize::from(right.text_range().start()) - start;
    let between = text.get(between).unwrap_or_default().to_lowercase();
    between.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A condition on a row; one that cannot be judged lets it through.
fn holds(condition: &SyntaxNode, entry: &Entry, variables: &Variables) -> bool {
    let sides: Vec<_> = condition.children().filter(|n| n.kind() != K::CUSTOM_OP).collect();
    let (Some(left), Some(right)) = (sides.first(), sides.last()) else { return true };
    let Some(column) = path(left).and_then(|mut parts| parts.pop()) else { return true };
    let Some((_, value)) = entry.iter().find(|(key, _)| *key == column) else { return true };
    let mut wanted = constants(right);
    for name in right.descendants().filter(|n| n.kind() == K::NAME_REF) {
        match evaluate(&name, variables) {
            Value::Text(text) => wanted.push(text),
            Value::List(values) => wanted.extend(values.into_iter().filter_map(|value| match value {
                Value::Text(text) => Some(text),
                _ => None,
            })),
            _ => {}
        }
    }
    if wanted.is_empty() {
        return true;
    }
    match operator(condition).as_str() {
        "=" | "in" | "= any" => wanted.contains(value),
        "<>" | "!=" | "not in" | "<> all" => !wanted.contains(value),
        "like" | "ilike" => wanted.iter().any(|pattern| like(pattern, value)),
        "not like" | "not ilike" => !wanted.iter().any(|pattern| like(pattern, value)),
        _ => true,
    }
}

/// `LIKE` with `%` alone; `_` stands for itself or any character.
fn like(pattern: &str, value: &str) -> bool {
    let parts: Vec<_> = pattern.split('%').map(|part| part.replace('\\', "")).collect();
    let mut rest = value;
    for (n, part) in parts.iter().enumerate() {
        match rest.find(part.as_str()) {
            Some(at) if n > 0 || at == 0 => rest = &rest[at + part.len()..],
            _ => return false,
        }
    }
    rest.is_empty() || pattern.ends_with('%')
}
