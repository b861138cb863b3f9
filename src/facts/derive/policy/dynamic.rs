//! Whether a PL/pgSQL body runs text that its caller wrote: `EXECUTE` of a statement that an argument is pasted into.
//!
//! What is quoted (`quote_ident`, `quote_literal`, `%I` and `%L` of `format`), passed with `USING`, cast to a type that is no
//! text, or compared first, with an error where it does not fit, is no text of the caller's any more.

use super::expr::{Call, Expr};
use super::{lower, plpgsql};
use squawk_syntax::{SyntaxKind, SyntaxNode};
use std::collections::BTreeMap;

/// An argument: its name, empty where it has none, and its type.
pub(crate) type Argument<'a> = (&'a str, &'a str);

/// The first argument that becomes part of a statement as it is; none where none does or the body cannot be read.
pub(crate) fn inlined(source: &str, arguments: &[Argument<'_>]) -> Option<String> {
    let block = plpgsql::block(source)?;
    let mut scope = Scope::new(arguments);
    let assigned: Vec<_> = block.descendants().filter_map(|node| assignment(&node)).collect();
    for (name, value) in &assigned {
        // An argument that is replaced by what was made of it is what was made of it.
        if scope.written.contains_key(name) && scope.of(value).is_none() {
            scope.written.remove(name);
        }
    }
    block.descendants().filter(refuses).for_each(|condition| scope.check(&condition));
    while assigned.iter().any(|(name, value)| scope.learn(name, value)) {}
    let runs = |node: &SyntaxNode| {
        matches!(
            node.kind(),
            SyntaxKind::PLPGSQL_DYN_EXECUTE_STMT
                | SyntaxKind::PLPGSQL_RETURN_QUERY_EXECUTE_STMT
                | SyntaxKind::PLPGSQL_OPEN_EXECUTE
                | SyntaxKind::PLPGSQL_FOR_DYN_STMT
        )
    };
    block.descendants().filter(runs).find_map(|node| scope.of(&plpgsql::expression(&node)?))
}

/// `name := value`, in the body or where it is declared.
fn assignment(node: &SyntaxNode) -> Option<(String, Expr)> {
    match node.kind() {
        SyntaxKind::PLPGSQL_ASSIGN_STMT => {
            Some((plpgsql::name(node, SyntaxKind::PLPGSQL_VAR_NAME_REF)?, plpgsql::expression(node)?))
        }
        SyntaxKind::PLPGSQL_VAR_DECL => {
            let value = plpgsql::expression(&lower::child(node, SyntaxKind::PLPGSQL_VAR_INIT)?)?;
            Some((plpgsql::name(node, SyntaxKind::PLPGSQL_VAR_NAME)?, value))
        }
        _ => None,
    }
}

/// `IF … THEN RAISE`, or an early return: whatever is asked there is settled behind it.
fn refuses(node: &SyntaxNode) -> bool {
    let ends = |n: &SyntaxNode| {
        matches!(
            n.kind(),
            SyntaxKind::PLPGSQL_RAISE_STMT | SyntaxKind::PLPGSQL_RETURN_STMT | SyntaxKind::PLPGSQL_ASSERT_STMT
        )
    };
    match node.kind() {
        SyntaxKind::PLPGSQL_IF_STMT => node.descendants().any(|n| ends(&n)),
        kind => kind == SyntaxKind::PLPGSQL_ASSERT_STMT,
    }
}

/// Variables that hold text of the caller's, each with the argument it came from.
struct Scope {
    positions: Vec<String>,
    written: BTreeMap<String, String>,
}

impl Scope {
    fn new(arguments: &[Argument<'_>]) -> Self {
        let name = |(at, (name, _)): (usize, &Argument<'_>)| {
            if name.is_empty() { format!("${}", at + 1) } else { (*name).to_owned() }
        };
        let positions: Vec<String> = arguments.iter().enumerate().map(name).collect();
        let textual = positions.iter().zip(arguments).filter(|(_, (_, type_name))| is_text(type_name));
        Self { written: textual.map(|(name, _)| (name.clone(), name.clone())).collect(), positions }
    }

    /// Forgets what a condition asks about.
    fn check(&mut self, statement: &SyntaxNode) {
        let Some(condition) = plpgsql::expression(statement) else { return };
        let only_null = matches!(condition, Expr::Is(..));
        if only_null {
            return;
        }
        let mut asked = Vec::new();
        condition.walk(&mut |inner| match inner {
            Expr::Column(_, name) => asked.push(name.clone()),
            Expr::Parameter(at) => asked.extend(self.positions.get(at.wrapping_sub(1)).cloned()),
            _ => {}
        });
        self.written.retain(|name, _| !asked.contains(name));
    }

    /// Whether something new was learned of a variable.
    fn learn(&mut self, name: &str, value: &Expr) -> bool {
        match self.of(value) {
            Some(argument) if !self.written.contains_key(name) && !self.positions.iter().any(|other| other == name) => {
                self.written.insert(name.to_owned(), argument);
                true
            }
            _ => false,
        }
    }

    /// The argument whose text stands in what an expression gives.
    fn of(&self, expr: &Expr) -> Option<String> {
        let any = |list: &[Expr]| list.iter().find_map(|inner| self.of(inner));
        match expr {
            Expr::Column(_, name) => self.written.get(name).cloned(),
            Expr::Parameter(at) => self.written.get(self.positions.get(at.checked_sub(1)?)?).cloned(),
            Expr::Cast(inner, type_name) if is_text(type_name) => self.of(inner),
            Expr::Operator(operator, operands) if PASTES.contains(&operator.as_str()) => any(operands),
            Expr::Case(_, whens, otherwise) => {
                let then = whens.iter().find_map(|(_, then)| self.of(then));
                then.or_else(|| otherwise.as_ref().and_then(|inner| self.of(inner)))
            }
            Expr::Array(list) | Expr::Row(list) => any(list),
            Expr::Call(call) => self.called(call),
            Expr::Let(_, _, inner) => self.of(inner),
            _ => None,
        }
    }

    fn called(&self, call: &Call) -> Option<String> {
        let own = call.schema.as_deref().is_some_and(|schema| schema != "pg_catalog");
        let cleans = |pattern: &Expr| matches!(pattern, Expr::Constant(text) if text.starts_with("[^"));
        match call.name.as_str() {
            // What a function of the user's own makes of it is not known here.
            _ if own => None,
            "format" => self.formatted(&call.arguments),
            "regexp_replace" if call.arguments.get(1).is_some_and(cleans) => None,
            name if KEEPS.contains(&name) => call.arguments.iter().find_map(|inner| self.of(inner)),
            _ => None,
        }
    }

    /// `format('… %s', a)`: what stands for `%s`, or a format that is the caller's.
    fn formatted(&self, arguments: &[Expr]) -> Option<String> {
        let (format, values) = arguments.split_first()?;
        let Expr::Constant(format) = format else { return self.of(format) };
        let mut next = 0;
        let mut rest = format.as_str();
        while let Some((_, after)) = rest.split_once('%') {
            let end = after.find(|c: char| c.is_ascii_alphabetic() || c == '%')?;
            let (flags, letter) = (&after[..end], after[end..].chars().next()?);
            rest = &after[end + 1..];
            if letter == '%' {
                continue;
            }
            let position = flags.split_once('$').and_then(|(at, _)| at.parse::<usize>().ok());
            let at = position.map_or(next, |at| at.saturating_sub(1));
            next = at + 1;
            if letter == 's'
                && let Some(found) = values.get(at).and_then(|value| self.of(value))
            {
                return Some(found);
            }
        }
        None
    }
}

/// Operators that leave a text what it is, or take a part of it.
const PASTES: [&str; 5] = ["||", "->>", "->", "#>>", "[]"];

/// Functions that do.
const KEEPS: [&str; 20] = [
    "concat",
    "concat_ws",
    "lower",
    "upper",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "replace",
    "regexp_replace",
    "coalesce",
    "left",
    "right",
    "substr",
    "substring",
    "nullif",
    "array_to_string",
    "string_agg",
    "convert_from",
    "translate",
];

fn is_text(type_name: &str) -> bool {
    let base = type_name.trim_end_matches("[]").split('(').next().unwrap_or_default().trim();
    let base = base.strip_prefix("pg_catalog.").unwrap_or(base);
    matches!(
        base.trim_matches('"').to_ascii_lowercase().as_str(),
        "text"
            | "varchar"
            | "character varying"
            | "character"
            | "bpchar"
            | "char"
            | "citext"
            | "json"
            | "jsonb"
            | "anyelement"
            | "anynonarray"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pasted(body: &str) -> Option<String> {
        inlined(body, &[("q", "text"), ("n", "integer"), ("tab", "character varying(20)"), ("", "jsonb")])
    }

    #[test]
    fn text_of_the_caller_is_followed_into_the_statement() {
        for (body, argument) in [
            ("begin execute q; end", "q"),
            ("begin return query execute 'select * from (' || q || ') t'; end", "q"),
            ("begin execute format('select count(*) from %s', tab) into n; end", "tab"),
            ("begin execute format('%2$s %1$I', q, tab); end", "tab"),
            ("begin for r in execute concat('select ', lower(q)) loop null; end loop; end", "q"),
            ("declare s text := 'where ' || q; t text; begin t := 'select 1 ' || s; execute t using n; end", "q"),
            ("begin execute 'select ' || ($4 ->> 'expr')::text; end", "$4"),
            ("begin if q is null then return; end if; execute q; end", "q"),
            (
                "declare s text; begin if n > 1 then s := case when n = 2 then q else 'x' end; end if; execute s; end",
                "q",
            ),
        ] {
            assert_eq!(pasted(body).as_deref(), Some(argument), "{body}");
        }
    }

    #[test]
    fn what_is_quoted_passed_or_asked_first_is_no_text_of_the_callers() {
        for body in [
            "begin execute 'select 1'; end",
            "begin execute 'select $1' using q; end",
            "begin execute format('select %I, %L from t limit %s', q, tab, n); end",
            "begin execute 'select * from ' || quote_ident(q); end",
            "begin execute 'select * from ' || q::regclass || ' limit ' || n; end",
            "begin if q not in ('a', 'b') then raise exception 'no'; end if; execute 'select ' || q; end",
            "declare d text; begin d := case when q = 'desc' then 'desc' else 'asc' end; execute 'select 1 order by 1 ' || d; end",
            "begin q := regexp_replace(q, '[^a-z_]', '', 'g'); execute 'select ' || q; end",
            "begin perform set_config('app.x', q, true); return; end",
            "not plpgsql",
        ] {
            assert_eq!(pasted(body), None, "{body}");
        }
    }
}
