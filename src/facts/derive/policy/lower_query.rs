//! From PostgreSQL's text to [`Query`]: the half of [`lower`](super::lower) that reads SELECT and FROM.

use super::expr::{Comparison, Expr, From, Query, Select, Source};
use super::lower::{child, expressions, folded, identifier, is_query, lower, path};
use squawk_syntax::{SyntaxKind, SyntaxNode};
use std::sync::Arc;

pub(super) fn lower_query(node: &SyntaxNode) -> Query {
    let mut query = Query::default();
    if let Some(with) = child(node, SyntaxKind::WITH_CLAUSE) {
        for table in with.children().filter(|n| n.kind() == SyntaxKind::WITH_TABLE) {
            let name = child(&table, SyntaxKind::CTE_NAME).map(|n| identifier(n.text().to_string().trim()));
            let body =
                table.children().find_map(|n| if is_query(n.kind()) { Some(lower_query(&n)) } else { returned(&n) });
            if let (Some(name), Some(body)) = (name, body) {
                query.ctes.push((name, Arc::new(body)));
            }
        }
    }
    match node.kind() {
        SyntaxKind::SELECT => query.arms.push(select(node)),
        SyntaxKind::VALUES => {
            for row in node.descendants().filter(|n| n.kind() == SyntaxKind::ROW) {
                let targets = expressions(&row).iter().map(|e| (None, lower(e))).collect();
                query.arms.push(Select { targets, ..Select::default() });
            }
        }
        SyntaxKind::TABLE => {
            let named = relation_name(node);
            let from = named.map_or_else(|| From::Opaque(folded(node)), |(schema, name)| From::Relation(schema, name));
            let mut select = Select { star: true, ..Select::default() };
            push(node, from, false, &mut select);
            query.arms.push(select);
        }
        SyntaxKind::COMPOUND_SELECT => {
            let sides: Vec<SyntaxNode> = node.children().filter(|n| is_query(n.kind())).collect();
            let union = child(node, SyntaxKind::UNION).is_some();
            for side in sides.iter().take(if union { 2 } else { 1 }) {
                let inner = lower_query(side);
                query.ctes.extend(inner.ctes);
                query.arms.extend(inner.arms);
            }
            if let (Some(_), Some(right)) = (child(node, SyntaxKind::INTERSECT), sides.get(1)) {
                let right = Arc::new(lower_query(right));
                query.arms.iter_mut().for_each(|arm| arm.filters.extend(among(arm, &right)));
            }
        }
        SyntaxKind::PAREN_SELECT => {
            if let Some(inner) = node.children().find(|n| is_query(n.kind())) {
                let inner = lower_query(&inner);
                query.ctes.extend(inner.ctes);
                query.arms.extend(inner.arms);
            }
        }
        _ => query.arms.push(Select {
            sources: vec![Source {
                alias: None,
                columns: Vec::new(),
                from: From::Opaque(folded(node)),
                optional: false,
                on: None,
            }],
            star: true,
            ..Select::default()
        }),
    }
    query
}

/// The rows that `UPDATE … RETURNING` or `DELETE … RETURNING` gives: any column of those it changes.
pub(super) fn returned(node: &SyntaxNode) -> Option<Query> {
    let changes = matches!(node.kind(), SyntaxKind::UPDATE | SyntaxKind::DELETE);
    child(node, SyntaxKind::RETURNING_CLAUSE).filter(|_| changes)?;
    let mut select = Select { star: true, ..Select::default() };
    changed(node, &mut select)?;
    Some(Query { arms: vec![select], ..Query::default() })
}

/// Adds the rows that an UPDATE or DELETE changes, and gives the name they have in it.
pub(super) fn changed(node: &SyntaxNode, select: &mut Select) -> Option<String> {
    let (schema, table) = relation_name(node)?;
    let alias = child(node, SyntaxKind::OPTIONAL_AS_ALIAS);
    let alias = alias.and_then(|alias| alias.descendants().find(|n| n.kind() == SyntaxKind::TABLE_ALIAS));
    let alias = alias.map_or_else(|| table.clone(), |name| identifier(name.text().to_string().trim()));
    select.sources.push(Source::relation(schema, &table, &alias));
    for clause in [SyntaxKind::FROM_CLAUSE, SyntaxKind::USING_CLAUSE] {
        for item in child(node, clause).iter().flat_map(SyntaxNode::children) {
            sources(&item, false, select);
        }
    }
    let condition = child(node, SyntaxKind::WHERE_CLAUSE).and_then(|c| expressions(&c).into_iter().next());
    select.filters.extend(condition.map(|c| lower(&c)));
    Some(alias)
}

/// What `INTERSECT` asks of a row of its left side; none where the row's columns are not written out.
fn among(arm: &Select, right: &Arc<Query>) -> Option<Expr> {
    let whole = match (arm.targets.as_slice(), arm.star) {
        ([], _) | (_, true) => return None,
        ([(_, target)], _) => target.clone(),
        (targets, _) => Expr::Row(targets.iter().map(|(_, target)| target.clone()).collect()),
    };
    Some(Expr::QuantifiedQuery(Comparison::Equal, Box::new(whole), true, Arc::clone(right)))
}

fn select(node: &SyntaxNode) -> Select {
    let mut select = Select::default();
    let list = child(node, SyntaxKind::SELECT_CLAUSE).and_then(|c| child(&c, SyntaxKind::TARGET_LIST));
    for target in list.into_iter().flat_map(|l| l.children().collect::<Vec<_>>()) {
        let star =
            target.descendants_with_tokens().filter_map(|e| e.into_token()).any(|t| t.kind() == SyntaxKind::STAR);
        let expression = expressions(&target).into_iter().next();
        let bare_star = star
            && expression.as_ref().is_none_or(|e| {
                e.kind() == SyntaxKind::FIELD_EXPR && e.last_token().is_some_and(|t| t.kind() == SyntaxKind::STAR)
            });
        match expression {
            _ if bare_star => select.star = true,
            Some(expression) => {
                let alias = child(&target, SyntaxKind::AS_NAME).and_then(|a| child(&a, SyntaxKind::COLUMN_NAME));
                let name = alias.map(|a| identifier(a.text().to_string().trim())).or_else(|| output_name(&expression));
                select.targets.push((name, lower(&expression)));
            }
            None => {}
        }
    }
    if let Some(from) = child(node, SyntaxKind::FROM_CLAUSE) {
        for item in from.children() {
            sources(&item, false, &mut select);
        }
    }
    select.grouped =
        [SyntaxKind::GROUP_BY_CLAUSE, SyntaxKind::HAVING_CLAUSE].iter().any(|kind| child(node, *kind).is_some());
    for clause in [SyntaxKind::WHERE_CLAUSE, SyntaxKind::HAVING_CLAUSE] {
        let condition = child(node, clause).and_then(|c| expressions(&c).into_iter().next());
        select.filters.extend(condition.map(|c| lower(&c)));
    }
    select
}

/// The name PostgreSQL gives an unnamed output column: the last name of a column or function.
fn output_name(node: &SyntaxNode) -> Option<String> {
    match node.kind() {
        SyntaxKind::CALL_EXPR => node.children().next().as_ref().and_then(path)?.pop(),
        SyntaxKind::CAST_EXPR => expressions(node).first().and_then(output_name),
        _ => path(node)?.pop(),
    }
}

/// The first relation named below a node: its schema, where one is written, and its name.
pub(super) fn relation_name(node: &SyntaxNode) -> Option<(Option<String>, String)> {
    let reference = node.descendants().find(|n| n.kind() == SyntaxKind::RELATION_NAME_REF)?;
    let segments = reference.descendants().filter(|n| n.kind() == SyntaxKind::PATH_SEGMENT_REF);
    let names: Vec<String> = segments.map(|segment| identifier(segment.text().to_string().trim())).collect();
    match names.as_slice() {
        [name] => Some((None, name.clone())),
        [schema, name] => Some((Some(schema.clone()), name.clone())),
        _ => None,
    }
}

pub(super) fn sources(node: &SyntaxNode, optional: bool, select: &mut Select) {
    match node.kind() {
        SyntaxKind::JOIN_EXPR => join(node, optional, select),
        SyntaxKind::PAREN_FROM_ITEM | SyntaxKind::PAREN_EXPR => {
            if let Some(inner) = node.descendants().find(|n| is_query(n.kind())).filter(|_| !has_join(node)) {
                push(node, From::Query(Arc::new(lower_query(&inner))), optional, select);
            } else {
                for inner in node.children() {
                    if !matches!(inner.kind(), SyntaxKind::FROM_ALIAS) {
                        sources(&inner, optional, select);
                    }
                }
            }
        }
        SyntaxKind::RELATION_FROM_ITEM => {
            let from = match relation_name(node) {
                Some((schema, name)) => From::Relation(schema, name),
                None => From::Opaque(folded(node)),
            };
            push(node, from, optional, select);
        }
        SyntaxKind::FUNCTION_FROM_ITEM => {
            let from = expressions(node).first().map_or_else(|| From::Opaque(folded(node)), |e| From::Call(lower(e)));
            push(node, from, optional, select);
        }
        SyntaxKind::FROM_ALIAS => {}
        _ => push(node, From::Opaque(folded(node)), optional, select),
    }
}

/// A join stands inside the parentheses themselves, not in a query below them.
fn has_join(node: &SyntaxNode) -> bool {
    node.children().any(|n| n.kind() == SyntaxKind::JOIN_EXPR || n.kind() == SyntaxKind::PAREN_EXPR && has_join(&n))
}

fn push(node: &SyntaxNode, from: From, optional: bool, select: &mut Select) {
    let alias_node = child(node, SyntaxKind::FROM_ALIAS);
    let alias = alias_node
        .as_ref()
        .and_then(|a| child(a, SyntaxKind::TABLE_ALIAS))
        .map(|a| identifier(a.text().to_string().trim()));
    let columns = alias_node
        .as_ref()
        .and_then(|a| child(a, SyntaxKind::COLUMN_LIST))
        .map(|list| {
            let names = list.descendants().filter(|n| n.kind() == SyntaxKind::COLUMN_NAME);
            names.map(|n| identifier(n.text().to_string().trim())).collect()
        })
        .unwrap_or_default();
    select.sources.push(Source { alias, columns, from, optional, on: None });
}

fn join(node: &SyntaxNode, optional: bool, select: &mut Select) {
    let parts: Vec<SyntaxNode> = node.children().collect();
    let Some((first, joins)) = parts.split_first() else { return };
    let kind = |join: &SyntaxNode| join.children().next().map(|n| n.kind());
    let nullable_left = joins.iter().any(|j| matches!(kind(j), Some(SyntaxKind::JOIN_RIGHT | SyntaxKind::JOIN_FULL)));
    if let ([join], true) = (joins, joins.iter().all(|j| kind(j) == Some(SyntaxKind::JOIN_RIGHT))) {
        // `a RIGHT JOIN b` is `b LEFT JOIN a`.
        join.children().nth(1).iter().for_each(|item| sources(item, optional, select));
        let before = select.sources.len();
        sources(first, true, select);
        let condition = condition(join, select, before);
        if let Some(source) = select.sources.get_mut(before) {
            source.on = condition;
        }
        return;
    }
    sources(first, optional || nullable_left, select);
    for join in joins.iter().filter(|n| n.kind() == SyntaxKind::JOIN) {
        let nullable_right = matches!(kind(join), Some(SyntaxKind::JOIN_LEFT | SyntaxKind::JOIN_FULL));
        let before = select.sources.len();
        let item = join.children().nth(1);
        if let Some(item) = item {
            sources(&item, optional || nullable_right, select);
        }
        let condition = condition(join, select, before);
        match (condition, select.sources.get_mut(before)) {
            // Rows of the right side come through although nothing on the left fits them.
            (Some(_), _) if nullable_left => {}
            (Some(condition), Some(source)) if nullable_right => source.on = Some(condition),
            (Some(condition), _) => select.filters.push(condition),
            (None, _) => {}
        }
    }
}

fn condition(join: &SyntaxNode, select: &Select, at: usize) -> Option<Expr> {
    let on = child(join, SyntaxKind::ON_CLAUSE).and_then(|on| expressions(&on).first().map(lower));
    on.or_else(|| using(join, select, at))
}

/// `USING (a, b)` as equalities with the source just before; only where both sides have names.
fn using(join: &SyntaxNode, select: &Select, at: usize) -> Option<Expr> {
    let clause = child(join, SyntaxKind::JOIN_USING_CLAUSE)?;
    let name_of = |source: &Source| {
        source.alias.clone().or_else(|| match &source.from {
            From::Relation(_, name) => Some(name.clone()),
            From::Query(_) | From::Call(_) | From::Opaque(_) => None,
        })
    };
    let right = name_of(select.sources.get(at)?)?;
    let left = name_of(select.sources.get(at.checked_sub(1)?)?)?;
    let equalities = clause
        .descendants()
        .filter(|n| n.kind() == SyntaxKind::COLUMN_NAME_REF)
        .map(|n| identifier(n.text().to_string().trim()))
        .map(|column| {
            let side = |table: &str| Box::new(Expr::Column(Some(table.to_owned()), column.clone()));
            Expr::Compare(Comparison::Equal, side(&left), side(&right))
        })
        .collect();
    Some(Expr::And(equalities))
}
