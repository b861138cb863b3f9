//! Whether a trigger function lets a command through: the guards of append-only tables.
//!
//! A row is kept as it is where the function raises, or where a BEFORE trigger for each row returns NULL. What depends on
//! anything but the command (`TG_OP`) may go either way.

use super::expr::{Comparison, Expr};
use super::{lower, plpgsql};
use squawk_syntax::{SyntaxKind, SyntaxNode};

/// What a trigger function does with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// It lets every row pass.
    Never,
    /// Its body is in a language that is not read here.
    Unread,
    /// It refuses under conditions.
    Partly,
    /// It refuses whatever the row and whoever asks.
    Always,
}

/// Ways a run of statements may end.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    refused: bool,
    passed: bool,
    /// Goes on behind the last statement.
    through: bool,
}

impl Ends {
    const THROUGH: Self = Self { refused: false, passed: false, through: true };

    const fn or(self, other: Self) -> Self {
        Self {
            refused: self.refused || other.refused,
            passed: self.passed || other.passed,
            through: self.through || other.through,
        }
    }
}

/// One way of being fired.
#[derive(Clone, Copy, Debug)]
struct Fired<'a> {
    /// As `TG_OP` says it.
    command: &'a str,
    /// `RETURN NULL` keeps the row as it is.
    null_refuses: bool,
}

/// What a trigger function does when `command` (`UPDATE`, `DELETE`, `TRUNCATE`) fires it.
pub(crate) fn refusal(source: &str, language: &str, command: &str, before_row: bool) -> Refusal {
    match language {
        "plpgsql" => {}
        "internal" => return Refusal::Never,
        _ => return Refusal::Unread,
    }
    let fired = Fired { command, null_refuses: before_row };
    let Some(ends) = read(source, fired) else { return Refusal::Unread };
    match (ends.refused || ends.through, ends.passed) {
        // Running off the end of a trigger function without RETURN is an error too.
        (true, false) => Refusal::Always,
        (true, true) => Refusal::Partly,
        (false, _) => Refusal::Never,
    }
}

fn read(source: &str, fired: Fired<'_>) -> Option<Ends> {
    Some(in_block(&plpgsql::block(source)?, fired))
}

fn in_block(block: &SyntaxNode, fired: Fired<'_>) -> Ends {
    let mut ends = lower::child(block, SyntaxKind::PLPGSQL_BODY).map_or(Ends::THROUGH, |body| run(&body, fired));
    if let Some(section) = lower::child(block, SyntaxKind::PLPGSQL_EXCEPTION_SECTION) {
        // Whatever is raised inside may be caught.
        for handler in section.descendants().filter(|n| n.kind() == SyntaxKind::PLPGSQL_BODY) {
            ends = ends.or(run(&handler, fired));
        }
    }
    ends
}

fn run(body: &SyntaxNode, fired: Fired<'_>) -> Ends {
    let mut so_far = Ends::THROUGH;
    for statement in body.children() {
        let next = step(&statement, fired);
        so_far = Ends {
            refused: so_far.refused || next.refused,
            passed: so_far.passed || next.passed,
            through: next.through,
        };
        if !so_far.through {
            break;
        }
    }
    so_far
}

fn step(statement: &SyntaxNode, fired: Fired<'_>) -> Ends {
    match statement.kind() {
        SyntaxKind::PLPGSQL_RAISE_STMT => {
            let level =
                lower::child(statement, SyntaxKind::PLPGSQL_RAISE_LEVEL).map(|l| lower::folded(&l).to_lowercase());
            match level.as_deref() {
                None | Some("exception") => Ends { refused: true, ..Ends::default() },
                Some(_) => Ends::THROUGH,
            }
        }
        SyntaxKind::PLPGSQL_RETURN_STMT => {
            let null = statement.text().to_string().trim_end_matches(';').trim().to_lowercase();
            let null = null.strip_prefix("return").is_some_and(|value| matches!(value.trim(), "null" | "(null)"));
            Ends { refused: null && fired.null_refuses, passed: !(null && fired.null_refuses), through: false }
        }
        SyntaxKind::PLPGSQL_IF_STMT => conditional(statement, fired),
        SyntaxKind::PLPGSQL_BLOCK => in_block(statement, fired),
        _ => {
            // Loops and CASE: each body may run or not.
            let bodies = statement.descendants().filter(|n| n.kind() == SyntaxKind::PLPGSQL_BODY);
            bodies.map(|body| run(&body, fired)).fold(Ends::THROUGH, Ends::or)
        }
    }
}

fn conditional(statement: &SyntaxNode, fired: Fired<'_>) -> Ends {
    let body = |node: &SyntaxNode| {
        lower::child(node, SyntaxKind::PLPGSQL_BODY).map_or(Ends::THROUGH, |body| run(&body, fired))
    };
    let mut ends = Ends::default();
    let clauses = statement.children().filter(|n| n.kind() == SyntaxKind::PLPGSQL_ELSIF_CLAUSE);
    for branch in std::iter::once(statement.clone()).chain(clauses) {
        match condition(&branch, fired.command) {
            Some(true) => return ends.or(body(&branch)),
            Some(false) => {}
            None => ends = ends.or(body(&branch)),
        }
    }
    match statement.children().find(|n| n.kind() == SyntaxKind::PLPGSQL_ELSE_CLAUSE) {
        Some(otherwise) => ends.or(body(&otherwise)),
        None => ends.or(Ends::THROUGH),
    }
}

/// The condition of a branch, where the command alone decides it.
fn condition(branch: &SyntaxNode, command: &str) -> Option<bool> {
    let node = lower::child(branch, SyntaxKind::PLPGSQL_EXPR)?;
    let found = node.descendants().find(|n| lower::is_expression(n.kind()))?;
    truth(&lower::lower(&found), command)
}

fn truth(expr: &Expr, command: &str) -> Option<bool> {
    let operation = |e: &Expr| matches!(strip(e), Expr::Column(None, name) if name.eq_ignore_ascii_case("tg_op"));
    let constant = |e: &Expr| match strip(e) {
        Expr::Constant(text) => Some(text == command),
        _ => None,
    };
    match expr {
        Expr::Bool(value) => Some(*value),
        Expr::Not(inner) => truth(inner, command).map(|value| !value),
        Expr::And(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| truth(part, command)).collect();
            if parts.contains(&Some(false)) {
                Some(false)
            } else {
                parts.iter().all(|p| *p == Some(true)).then_some(true)
            }
        }
        Expr::Or(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| truth(part, command)).collect();
            if parts.contains(&Some(true)) {
                Some(true)
            } else {
                parts.iter().all(|p| *p == Some(false)).then_some(false)
            }
        }
        Expr::Compare(op @ (Comparison::Equal | Comparison::NotEqual), left, right) => {
            let other = if operation(left) {
                right
            } else if operation(right) {
                left
            } else {
                return None;
            };
            constant(other).map(|same| same == (*op == Comparison::Equal))
        }
        Expr::Quantified(Comparison::Equal, left, true, right) if operation(left) => {
            let Expr::Array(items) = strip(right) else { return None };
            let items: Option<Vec<bool>> = items.iter().map(constant).collect();
            items.map(|items| items.contains(&true))
        }
        _ => None,
    }
}

fn strip(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast(inner, _) => strip(inner),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str, command: &str) -> Refusal {
        refusal(body, "plpgsql", command, command != "TRUNCATE")
    }

    #[test]
    fn what_raises_refuses() {
        for body in [
            "begin raise exception 'append-only'; end",
            "BEGIN\n  RAISE EXCEPTION 'no % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';\n  RETURN NULL;\nEND;",
            "declare who name; begin who := current_user; raise 'no'; end",
            "begin raise insufficient_privilege using message = 'no'; end",
        ] {
            assert_eq!(of(body, "UPDATE"), Refusal::Always, "{body}");
            assert_eq!(of(body, "TRUNCATE"), Refusal::Always, "{body}");
        }
    }

    #[test]
    fn what_only_talks_does_not() {
        for body in [
            "begin raise notice 'hm'; return new; end",
            "begin raise warning 'hm'; return coalesce(new, old); end",
            "begin return old; end",
            "begin insert into app.log values (1); return old; end",
            "begin begin raise exception 'no'; exception when others then null; end; return old; end",
        ] {
            assert_ne!(of(body, "DELETE"), Refusal::Always, "{body}");
        }
        assert_eq!(of("begin raise notice 'hm'; return new; end", "UPDATE"), Refusal::Never);
    }

    #[test]
    fn a_row_that_is_swallowed_is_kept_and_a_statement_is_not() {
        assert_eq!(of("begin return null; end", "DELETE"), Refusal::Always);
        assert_eq!(of("begin return null; end", "TRUNCATE"), Refusal::Never);
    }

    #[test]
    fn the_command_decides() {
        let body = "begin if tg_op = 'DELETE' then raise exception 'no'; end if; return new; end";
        assert_eq!(of(body, "DELETE"), Refusal::Always);
        assert_eq!(of(body, "UPDATE"), Refusal::Never);
        let body = "begin if TG_OP in ('UPDATE', 'DELETE') then raise exception 'no'; else return new; end if; end";
        assert_eq!(of(body, "UPDATE"), Refusal::Always);
        assert_eq!(of(body, "TRUNCATE"), Refusal::Never);
    }

    #[test]
    fn a_way_through_is_seen() {
        let body =
            "begin if tg_op = 'UPDATE' and current_user = 'eraser' then return new; end if; raise exception 'no'; end";
        assert_eq!(of(body, "UPDATE"), Refusal::Partly);
        assert_eq!(of(body, "DELETE"), Refusal::Always);
        let body = "begin if current_setting('app.maintenance', true) = 'on' then return old; end if; raise exception 'no'; end";
        assert_eq!(of(body, "DELETE"), Refusal::Partly);
        assert_eq!(refusal("…", "plpython3u", "DELETE", true), Refusal::Unread);
    }
}
