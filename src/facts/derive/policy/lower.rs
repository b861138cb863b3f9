//! From PostgreSQL's text to [`Expr`]: the only place that knows the parser's tree.
//!
//! Whatever has no kind here becomes [`Expr::Opaque`], which lets more through, never less.

use super::expr::{Call, Comparison, Expr, Query, Select, Test};
use super::lower_query::{lower_query, returned};
use super::members;
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};
use std::sync::Arc;

/// Parses an expression as `pg_get_expr` prints it.
pub(crate) fn expression(text: &str) -> Expr {
    let query = query(&format!("select {text}"));
    match query.as_ref().and_then(|q| q.arms.first()) {
        Some(Select { targets, star: false, sources, .. }) if targets.len() == 1 && sources.is_empty() => {
            targets[0].1.clone()
        }
        _ => Expr::Opaque(text.to_owned(), Vec::new()),
    }
}

/// Parses one query: a view's definition, or the body of a SQL function.
pub(crate) fn query(text: &str) -> Option<Query> {
    let parse = SourceFile::parse(text);
    let root = parse.syntax_node();
    // A function returns the result of its last statement.
    let statement = root.children().last()?;
    if !parse.errors().is_empty() {
        return None;
    }
    if is_query(statement.kind()) { Some(lower_query(&statement)) } else { returned(&statement) }
}

pub(super) fn is_query(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::SELECT
            | SyntaxKind::COMPOUND_SELECT
            | SyntaxKind::PAREN_SELECT
            | SyntaxKind::VALUES
            | SyntaxKind::TABLE
    )
}

pub(super) fn is_expression(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::ARRAY_EXPR
            | SyntaxKind::BETWEEN_EXPR
            | SyntaxKind::BIN_EXPR
            | SyntaxKind::CALL_EXPR
            | SyntaxKind::CASE_EXPR
            | SyntaxKind::CAST_EXPR
            | SyntaxKind::COLLATE
            | SyntaxKind::FIELD_EXPR
            | SyntaxKind::INDEX_EXPR
            | SyntaxKind::LITERAL
            | SyntaxKind::NAME_REF
            | SyntaxKind::PAREN_EXPR
            | SyntaxKind::POSTFIX_EXPR
            | SyntaxKind::PREFIX_EXPR
            | SyntaxKind::SLICE_EXPR
            | SyntaxKind::TUPLE_EXPR
    )
}

pub(super) fn expressions(node: &SyntaxNode) -> Vec<SyntaxNode> {
    node.children().filter(|n| is_expression(n.kind())).collect()
}

pub(super) fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|n| n.kind() == kind)
}

/// Text without comments, its white space folded.
pub(super) fn folded(node: &SyntaxNode) -> String {
    let words: Vec<String> = node
        .descendants_with_tokens()
        .filter_map(|e| e.into_token())
        .filter(|t| !matches!(t.kind(), SyntaxKind::COMMENT))
        .map(|t| if t.kind() == SyntaxKind::WHITESPACE { " ".to_owned() } else { t.text().to_owned() })
        .collect();
    words.concat().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An identifier as PostgreSQL stores it: quotes removed, else lower case.
pub(super) fn identifier(text: &str) -> String {
    match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}

/// The parts of `a.b.c`, outermost first; none where it is not a plain name.
pub(super) fn path(node: &SyntaxNode) -> Option<Vec<String>> {
    match node.kind() {
        SyntaxKind::NAME_REF => Some(vec![identifier(node.text().to_string().trim())]),
        SyntaxKind::FIELD_EXPR => {
            let parts: Vec<SyntaxNode> = node.children().collect();
            let mut names = path(parts.first()?)?;
            names.extend(path(parts.get(1)?)?);
            Some(names)
        }
        SyntaxKind::PAREN_EXPR => path(&expressions(node).into_iter().next()?),
        _ => None,
    }
}

fn opaque(node: &SyntaxNode) -> Expr {
    let inner = node
        .descendants()
        .skip(1)
        .filter(|n| is_expression(n.kind()) && n.parent().is_none_or(|p| p == *node || !is_expression(p.kind())))
        .map(|n| lower(&n))
        .collect();
    Expr::Opaque(folded(node), inner)
}

fn boxed(node: &SyntaxNode) -> Box<Expr> {
    Box::new(lower(node))
}

pub(super) fn lower(node: &SyntaxNode) -> Expr {
    match node.kind() {
        SyntaxKind::LITERAL => literal(node),
        SyntaxKind::PAREN_EXPR => match node.children().find(|n| is_query(n.kind())) {
            Some(query) => Expr::Scalar(Arc::new(lower_query(&query))),
            None => expressions(node).first().map_or_else(|| opaque(node), lower),
        },
        SyntaxKind::NAME_REF | SyntaxKind::FIELD_EXPR => name(node),
        SyntaxKind::COLLATE => expressions(node).first().map_or_else(|| opaque(node), lower),
        SyntaxKind::CAST_EXPR => cast(node),
        SyntaxKind::PREFIX_EXPR => prefix(node),
        SyntaxKind::POSTFIX_EXPR => postfix(node),
        SyntaxKind::BIN_EXPR => binary(node),
        SyntaxKind::BETWEEN_EXPR => between(node),
        SyntaxKind::CASE_EXPR => case(node),
        SyntaxKind::ARRAY_EXPR => match node.children().find(|n| is_query(n.kind())) {
            Some(query) => Expr::ArrayQuery(Arc::new(lower_query(&query))),
            None => Expr::Array(expressions(node).iter().map(lower).collect()),
        },
        SyntaxKind::TUPLE_EXPR => Expr::Row(expressions(node).iter().map(lower).collect()),
        SyntaxKind::CALL_EXPR => call(node),
        SyntaxKind::INDEX_EXPR => Expr::Operator("[]".into(), expressions(node).iter().map(lower).collect()),
        _ => opaque(node),
    }
}

fn literal(node: &SyntaxNode) -> Expr {
    let Some(token) = node.first_token() else { return opaque(node) };
    let text = node.text().to_string();
    match token.kind() {
        SyntaxKind::NULL_KW => Expr::Null,
        SyntaxKind::TRUE_KW => Expr::Bool(true),
        SyntaxKind::FALSE_KW => Expr::Bool(false),
        SyntaxKind::INT_NUMBER | SyntaxKind::NUMERIC_NUMBER => Expr::Constant(text),
        SyntaxKind::STRING => match text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
            Some(inner) => Expr::Constant(inner.replace("''", "'")),
            None => opaque(node),
        },
        SyntaxKind::ESC_STRING => escaped(&text).map_or_else(|| opaque(node), Expr::Constant),
        SyntaxKind::POSITIONAL_PARAM => text[1..].parse().map_or_else(|_| opaque(node), Expr::Parameter),
        _ => opaque(node),
    }
}

/// `E'…'` with the escapes that `pg_get_expr` writes; none where another is used.
fn escaped(text: &str) -> Option<String> {
    let inner = text[1..].strip_prefix('\'')?.strip_suffix('\'')?;
    let mut out = String::new();
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                c @ ('\\' | '\'' | '"' | '%' | '_') => out.push(c),
                _ => return None,
            },
            '\'' => {
                chars.next_if_eq(&'\'');
                out.push('\'');
            }
            c => out.push(c),
        }
    }
    Some(out)
}

/// A column, or a keyword that is a function without parentheses.
fn name(node: &SyntaxNode) -> Expr {
    let keyword = node.first_token().map(|t| t.kind());
    if node.kind() == SyntaxKind::NAME_REF && keyword.is_some_and(|k| k != SyntaxKind::IDENT) {
        let text = identifier(&node.text().to_string());
        let function = matches!(
            text.as_str(),
            "current_user"
                | "session_user"
                | "user"
                | "current_role"
                | "current_catalog"
                | "current_schema"
                | "current_date"
                | "current_time"
                | "current_timestamp"
                | "localtime"
                | "localtimestamp"
                | "system_user"
        );
        if function {
            return Expr::Call(Call { schema: None, name: text, arguments: Vec::new() });
        }
    }
    match path(node).as_deref() {
        Some([column]) => Expr::Column(None, column.clone()),
        Some([qualifier, column]) => Expr::Column(Some(qualifier.clone()), column.clone()),
        Some([_, table, column]) => Expr::Column(Some(table.clone()), column.clone()),
        _ => opaque(node),
    }
}

fn cast(node: &SyntaxNode) -> Expr {
    let Some(inner) = expressions(node).into_iter().next() else { return opaque(node) };
    let type_node = node.children().find(|n| !is_expression(n.kind()) && n.kind() != SyntaxKind::COLON_COLON);
    let Some(type_node) = type_node else { return opaque(node) };
    let text = folded(&type_node).to_lowercase();
    let text = text.strip_prefix("pg_catalog.").unwrap_or(&text).to_owned();
    Expr::Cast(boxed(&inner), text)
}

fn prefix(node: &SyntaxNode) -> Expr {
    let Some(inner) = expressions(node).into_iter().next() else { return opaque(node) };
    match node.first_token().map(|t| t.kind()) {
        Some(SyntaxKind::NOT_KW) => Expr::Not(boxed(&inner)),
        Some(SyntaxKind::MINUS) => match lower(&inner) {
            Expr::Constant(number) => Expr::Constant(format!("-{number}")),
            other => Expr::Operator("-".into(), vec![other]),
        },
        _ => opaque(node),
    }
}

fn postfix(node: &SyntaxNode) -> Expr {
    let Some(inner) = expressions(node).into_iter().next() else { return opaque(node) };
    let whole = folded(node).to_lowercase();
    if whole.ends_with("isnull") || whole.ends_with("notnull") {
        is(lower(&inner), Test::Null, whole.ends_with("notnull"))
    } else {
        opaque(node)
    }
}

/// What stands between the two operands, folded and in lower case.
fn operator_between(node: &SyntaxNode, left: &SyntaxNode, right: &SyntaxNode) -> String {
    let base = node.text_range().start();
    let text = node.text().to_string();
    let from = usize::from(left.text_range().end() - base);
    let to = usize::from(right.text_range().start() - base);
    text.get(from..to).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn binary(node: &SyntaxNode) -> Expr {
    let sides = expressions(node);
    let (Some(left), Some(right)) = (sides.first(), sides.get(1)) else { return opaque(node) };
    let mut operator = operator_between(node, left, right);
    if let Some(inner) = operator.strip_prefix("operator(").and_then(|o| o.strip_suffix(')')) {
        // Only built-in operators are known; another schema's may do anything.
        let Some(known) = inner.strip_prefix("pg_catalog.") else { return opaque(node) };
        operator = known.trim().to_owned();
    }
    if let Some(comparison) = Comparison::of(&operator) {
        return compare(comparison, left, right);
    }
    let negate = |e: Expr| Expr::Not(Box::new(e));
    match operator.as_str() {
        "and" => Expr::And(flattened(node, SyntaxKind::AND_KW)),
        "or" => Expr::Or(flattened(node, SyntaxKind::OR_KW)),
        "is" | "is not" => match test(right) {
            Some(test) => is(lower(left), test, operator == "is not"),
            None => opaque(node),
        },
        "is distinct from" => Expr::Distinct(boxed(left), boxed(right)),
        "is not distinct from" => negate(Expr::Distinct(boxed(left), boxed(right))),
        "in" => membership(left, right),
        "not in" => negate(membership(left, right)),
        "like" | "~~" => Expr::Like(boxed(left), boxed(right), false),
        "not like" | "!~~" => negate(Expr::Like(boxed(left), boxed(right), false)),
        "ilike" | "~~*" => Expr::Like(boxed(left), boxed(right), true),
        "not ilike" | "!~~*" => negate(Expr::Like(boxed(left), boxed(right), true)),
        "@>" => members::containing(lower(left), lower(right)),
        _ => Expr::Operator(operator, vec![lower(left), lower(right)]),
    }
}

/// `a AND b AND c` is one conjunction, however the parser nests it.
fn flattened(node: &SyntaxNode, keyword: SyntaxKind) -> Vec<Expr> {
    let mut parts = Vec::new();
    for side in expressions(node) {
        let same = side.kind() == SyntaxKind::BIN_EXPR
            && side.children_with_tokens().filter_map(|e| e.into_token()).any(|t| t.kind() == keyword);
        if same {
            parts.extend(flattened(&side, keyword));
        } else {
            parts.push(lower(&side));
        }
    }
    parts
}

fn test(right: &SyntaxNode) -> Option<Test> {
    match folded(right).to_lowercase().as_str() {
        "null" | "unknown" => Some(Test::Null),
        "true" => Some(Test::True),
        "false" => Some(Test::False),
        _ => None,
    }
}

/// A row is null where all its fields are, and not null where none of them is: one test is not the other's opposite.
/// <https://www.postgresql.org/docs/current/functions-comparison.html>
fn is(tested: Expr, test: Test, negated: bool) -> Expr {
    let one = |tested: Expr| {
        let test = Expr::Is(Box::new(tested), test);
        if negated { Expr::Not(Box::new(test)) } else { test }
    };
    match tested {
        Expr::Row(fields) if test == Test::Null => Expr::And(fields.into_iter().map(one).collect()),
        tested => one(tested),
    }
}

/// `left op right`, where the right side may be `ANY (…)` or `ALL (…)`.
fn compare(comparison: Comparison, left: &SyntaxNode, right: &SyntaxNode) -> Expr {
    let quantifier = right.children().find(|n| {
        right.kind() == SyntaxKind::CALL_EXPR
            && matches!(n.kind(), SyntaxKind::ANY_FN | SyntaxKind::ALL_FN | SyntaxKind::SOME_FN)
    });
    let Some(quantifier) = quantifier else { return Expr::Compare(comparison, boxed(left), boxed(right)) };
    let any = quantifier.kind() != SyntaxKind::ALL_FN;
    if let Some(query) = quantifier.children().find(|n| is_query(n.kind())) {
        return Expr::QuantifiedQuery(comparison, boxed(left), any, Arc::new(lower_query(&query)));
    }
    match expressions(&quantifier).first() {
        Some(array) => match lower(array) {
            // ANY ((SELECT …)) with doubled parentheses still is a query.
            Expr::Scalar(query) if !query.arms.is_empty() => {
                Expr::Quantified(comparison, boxed(left), any, Box::new(Expr::Scalar(query)))
            }
            array => Expr::Quantified(comparison, boxed(left), any, Box::new(array)),
        },
        None => opaque(right),
    }
}

fn membership(left: &SyntaxNode, right: &SyntaxNode) -> Expr {
    if let Some(query) = right.children().find(|n| is_query(n.kind())) {
        return Expr::QuantifiedQuery(Comparison::Equal, boxed(left), true, Arc::new(lower_query(&query)));
    }
    let list = expressions(right).iter().map(lower).collect();
    Expr::Quantified(Comparison::Equal, boxed(left), true, Box::new(Expr::Array(list)))
}

fn between(node: &SyntaxNode) -> Expr {
    let parts = expressions(node);
    let [value, low, high] = parts.as_slice() else { return opaque(node) };
    let words = operator_between(node, value, low);
    let range = Expr::And(vec![
        Expr::Compare(Comparison::GreaterEqual, boxed(value), boxed(low)),
        Expr::Compare(Comparison::LessEqual, boxed(value), boxed(high)),
    ]);
    match words.as_str() {
        "between" => range,
        "not between" => Expr::Not(Box::new(range)),
        _ => opaque(node),
    }
}

fn case(node: &SyntaxNode) -> Expr {
    let operand = expressions(node).first().map(boxed);
    let whens = child(node, SyntaxKind::WHEN_CLAUSE_LIST)
        .into_iter()
        .flat_map(|list| list.children().collect::<Vec<_>>())
        .filter_map(|when| match expressions(&when).as_slice() {
            [condition, result] => Some((lower(condition), lower(result))),
            _ => None,
        })
        .collect();
    let otherwise = child(node, SyntaxKind::ELSE_CLAUSE).and_then(|e| expressions(&e).first().map(boxed));
    Expr::Case(operand, whens, otherwise)
}

fn call(node: &SyntaxNode) -> Expr {
    if let Some(exists) = child(node, SyntaxKind::EXISTS_FN) {
        return match exists.children().find(|n| is_query(n.kind())) {
            Some(query) => Expr::Exists(Arc::new(lower_query(&query))),
            None => opaque(node),
        };
    }
    if let Some(position) = child(node, SyntaxKind::POSITION_FN) {
        return match expressions(&position).as_slice() {
            [part, whole] => {
                Expr::Call(Call { schema: None, name: "strpos".into(), arguments: vec![lower(whole), lower(part)] })
            }
            _ => opaque(node),
        };
    }
    let Some(names) = node.children().next().as_ref().and_then(path) else { return opaque(node) };
    // Aggregates with a FILTER or OVER clause, and named arguments, are beyond what the search evaluates.
    let plain = node
        .children()
        .all(|n| matches!(n.kind(), SyntaxKind::NAME_REF | SyntaxKind::FIELD_EXPR | SyntaxKind::ARG_LIST));
    let list = child(node, SyntaxKind::ARG_LIST);
    let mut arguments = Vec::new();
    for argument in list.iter().flat_map(|list| list.children()) {
        match expressions(&argument).first() {
            Some(inner) if argument.kind() == SyntaxKind::ARG => arguments.push(lower(inner)),
            // Of what PostgreSQL brings along only the last argument is ever named: `missing_ok => true`.
            Some(inner) if argument.kind() == SyntaxKind::NAMED_ARG && names.len() == 1 => arguments.push(lower(inner)),
            _ => return opaque(node),
        }
    }
    let (schema, name) = match names.as_slice() {
        [name] => (None, name.clone()),
        [schema, name] => (Some(schema.clone()), name.clone()),
        _ => return opaque(node),
    };
    if !plain {
        return opaque(node);
    }
    Expr::Call(Call { schema: schema.filter(|s| s != "pg_catalog"), name, arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decompiled_policies_have_no_opaque_part() {
        for text in [
            "(tenant_id = (current_setting('app.tenant_id'::text))::integer)",
            "((tenant_id = ANY (ARRAY[1, 2])) AND (NOT (status ~~ 'x%'::text)))",
            "(EXISTS ( SELECT 1 FROM (public.m m JOIN public.u u_1 ON ((m.u = u_1.id))) WHERE (m.t = docs.t)))",
            "CASE WHEN (a IS NOT NULL) THEN true ELSE (NOT (b IS DISTINCT FROM 2)) END",
            "(tenant_id IN ( SELECT m.t FROM public.m WHERE (m.u = auth.uid())))",
            "((NULLIF(current_setting('a.b'::text, true), ''::text))::uuid = COALESCE(x, y))",
            "(((current_setting('request.jwt.claims'::text, true))::json ->> 'tenant_id'::text) = (t)::text)",
            "((a > 1) IS NOT TRUE)",
            "(x <> ALL (ARRAY['a'::text, 'b'::text]))",
            "(ROW(a, b) = ROW(1, 2))",
            "(name = CURRENT_USER)",
        ] {
            let mut opaque = Vec::new();
            expression(text).walk(&mut |e| {
                if let Expr::Opaque(text, _) = e {
                    opaque.push(text.clone());
                }
            });
            assert!(opaque.is_empty(), "{text}: {opaque:?}");
        }
    }

    #[test]
    fn a_row_that_is_not_null_has_no_null_field() {
        let column = |name: &str| Expr::Column(None, name.into());
        let null = |name: &str| Expr::Is(Box::new(column(name)), Test::Null);
        let not = |test: Expr| Expr::Not(Box::new(test));
        assert_eq!(expression("(ROW(a, b) IS NULL)"), Expr::And(vec![null("a"), null("b")]));
        assert_eq!(expression("(ROW(a, b) IS NOT NULL)"), Expr::And(vec![not(null("a")), not(null("b"))]));
        assert_eq!(expression("(NOT (ROW(a, b) IS NOT NULL))"), not(Expr::And(vec![not(null("a")), not(null("b"))])));
    }

    #[test]
    fn literals_keep_their_text() {
        assert_eq!(expression("''"), Expr::Constant(String::new()));
        assert_eq!(expression("'it''s'"), Expr::Constant("it's".into()));
        assert_eq!(expression("'''x'''"), Expr::Constant("'x'".into()));
        assert_eq!(expression("-5"), Expr::Constant("-5".into()));
        assert_eq!(expression("x::integer"), Expr::Cast(Box::new(Expr::Column(None, "x".into())), "integer".into()));
        assert_eq!(
            expression("date '2020-01-01'"),
            Expr::Cast(Box::new(Expr::Constant("2020-01-01".into())), "date".into())
        );
    }

    #[test]
    fn nonsense_is_opaque() {
        assert!(matches!(expression("(((( = "), Expr::Opaque(..)));
    }
}
