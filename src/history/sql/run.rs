//! DO blocks and called functions, run on paper: loops over constants and over the tables known so far are unrolled,
//! `EXECUTE format(…)` is put together, every branch is taken, handlers of exceptions are not.

use super::names::{arguments, called, child, word};
use super::run_condition::is_in_vain;
use super::run_rows::rows;
use super::run_value::{Value, evaluate};
use super::{HOLE, one, read, statements};
use crate::history::event::{Function, Name, What};
use squawk_syntax::ast::{AstNode, CreateFunction, CreateProcedure};
use squawk_syntax::plpgsql::Plpgsql;
use squawk_syntax::{SourceFile, SyntaxKind as K, SyntaxNode};
use std::collections::HashMap;

/// How deep functions may call each other, and how many statements one block may run.
const DEPTH: usize = 8;
const STEPS: usize = 20_000;

/// What a running block can ask about the schema as it is by then.
pub(crate) trait Scope {
    /// Schema, name and columns of every table.
    fn tables(&self) -> Vec<(String, String, Vec<String>)>;
    /// Table and name of every policy.
    fn policies(&self) -> Vec<(String, String)>;
    fn function(&self, name: &Name) -> Option<&Function>;
}

/// One run.
pub(crate) struct Runner<'a> {
    scope: &'a dyn Scope,
    steps: usize,
    depth: usize,
    /// What was done, each with its offset into the statement that began the run.
    pub(crate) done: Vec<(usize, What)>,
}

/// Variables by name.
pub(super) type Variables = HashMap<String, Value>;

/// Where a statement of a body stands in the statement that began the run.
type Places<'a> = &'a dyn Fn(&SyntaxNode) -> usize;

impl<'a> Runner<'a> {
    pub(crate) fn new(scope: &'a dyn Scope) -> Self {
        Self { scope, steps: 0, depth: 0, done: Vec::new() }
    }

    /// The body of a DO block that begins at `start` of its text.
    pub(crate) fn block(&mut self, body: &Plpgsql, start: usize) {
        let places = |node: &SyntaxNode| usize::from(body.source_range(node.text_range()).start()) - start;
        self.body(&body.syntax(), &mut Variables::new(), &places);
    }

    /// A statement that calls functions: `SELECT f('a') FROM unnest(…)`, `CALL p('a')`.
    pub(crate) fn call(&mut self, statement: &str) {
        let parse = SourceFile::parse(statement);
        for node in parse.syntax_node().children() {
            let bindings = match child(&node, K::FROM_CLAUSE) {
                Some(_) => rows(&node, &Variables::new(), self.scope).unwrap_or_default(),
                None => vec![Value::Unknown],
            };
            for row in bindings.into_iter().take(STEPS) {
                let variables = match row {
                    Value::Record(fields) => fields.into_iter().collect(),
                    _ => Variables::new(),
                };
                self.calls(&node, &variables, &|_| 0);
            }
        }
    }

    /// A function nobody has called, with arguments nobody knows: what it would do.
    pub(crate) fn rehearse(&mut self, function: &Function) {
        self.function(function, Variables::new(), 0);
    }

    fn function(&mut self, function: &Function, variables: Variables, at: usize) {
        if self.depth >= DEPTH {
            return;
        }
        self.depth += 1;
        let mut variables = variables;
        let parse = SourceFile::parse(&function.statement);
        for node in parse.syntax_node().children() {
            let created = CreateFunction::cast(node.clone());
            let plpgsql = created.as_ref().and_then(CreateFunction::plpgsql);
            let plpgsql = plpgsql.or_else(|| CreateProcedure::cast(node.clone())?.plpgsql());
            if let Some(body) = plpgsql {
                self.body(&body.syntax(), &mut variables, &|_| at);
            } else if let Some(body) = created.and_then(|created| created.sql_body()) {
                for statement in body.syntax().children() {
                    self.sql(&statement, &variables, at);
                }
            }
        }
        self.depth -= 1;
    }

    fn body(&mut self, node: &SyntaxNode, variables: &mut Variables, places: Places<'_>) {
        for statement in node.children() {
            self.steps += 1;
            if self.steps > STEPS {
                return;
            }
            self.statement(&statement, variables, places);
        }
    }

    fn statement(&mut self, node: &SyntaxNode, variables: &mut Variables, places: Places<'_>) {
        match node.kind() {
            K::PLPGSQL_DECLARE_SECTION => {
                for declared in node.children().filter(|n| n.kind() == K::PLPGSQL_VAR_DECL) {
                    let Some(name) = child(&declared, K::PLPGSQL_VAR_NAME) else { continue };
                    let initial = child(&declared, K::PLPGSQL_VAR_INIT);
                    let value = initial.map_or(Value::Unknown, |init| self.value(&init, variables));
                    variables.insert(word(&name), value);
                }
            }
            K::PLPGSQL_EXEC_SQL_STMT => {
                for statement in node.children() {
                    self.sql(&statement, variables, places(node));
                }
            }
            K::PLPGSQL_DYN_EXECUTE_STMT => self.execute(node, variables, places(node)),
            K::PLPGSQL_FOR_EACH_STMT | K::PLPGSQL_FOR_QUERY_STMT => self.repeat(node, variables, places),
            K::PLPGSQL_ASSIGN_STMT => {
                let target = node.descendants().find(|n| n.kind() == K::PLPGSQL_VAR_NAME_REF);
                let value = self.value(node, variables);
                variables.extend(target.map(|target| (word(&target), value)));
            }
            K::PLPGSQL_PERFORM_STMT | K::PLPGSQL_CALL_STMT => self.calls(node, variables, places),
            K::PLPGSQL_EXCEPTION_SECTION => {}
            K::PLPGSQL_IF_STMT | K::PLPGSQL_ELSIF_CLAUSE => {
                let in_vain = is_in_vain(node, variables, self.scope);
                for part in node.children().filter(|part| !(in_vain && part.kind() == K::PLPGSQL_BODY)) {
                    self.statement(&part, variables, places);
                }
            }
            // Whatever holds statements: blocks, branches, loops that nothing is known about.
            _ => self.body(node, variables, places),
        }
    }

    /// The value of the expression that a statement holds.
    fn value(&self, node: &SyntaxNode, variables: &Variables) -> Value {
        let expression = child(node, K::PLPGSQL_EXPR).and_then(|n| n.descendants().find(|n| n.kind() == K::TARGET));
        expression.and_then(|n| n.children().next()).map_or(Value::Unknown, |n| evaluate(&n, variables))
    }

    fn repeat(&mut self, node: &SyntaxNode, variables: &mut Variables, places: Places<'_>) {
        let Some(body) = child(node, K::PLPGSQL_BODY) else { return };
        let names = child(node, K::PLPGSQL_FOR_VARIABLE).map(|n| n.text().to_string()).unwrap_or_default();
        let names: Vec<_> = names.split(',').map(super::identifier).collect();
        let values = if node.kind() == K::PLPGSQL_FOR_EACH_STMT {
            self.value(node, variables).into_list()
        } else {
            node.children().find(|n| n.kind() == K::SELECT).and_then(|query| rows(&query, variables, self.scope))
        };
        // A query that cannot be read yields one row about which nothing is known.
        for value in values.unwrap_or_else(|| vec![Value::Unknown]) {
            match (names.as_slice(), value) {
                ([_, _, ..], Value::Record(fields)) => {
                    let fields = fields.into_iter().map(|(_, value)| value).chain(std::iter::repeat(Value::Unknown));
                    variables.extend(names.iter().cloned().zip(fields));
                }
                (_, value) => {
                    variables.insert(names[0].clone(), value);
                }
            }
            self.body(&body, variables, places);
        }
    }

    fn execute(&mut self, node: &SyntaxNode, variables: &Variables, at: usize) {
        let Value::Text(text) = self.value(node, variables) else {
            let shown = node.text().to_string();
            return self.done.push((at, What::Dynamic(shown.split_whitespace().collect::<Vec<_>>().join(" "))));
        };
        for range in statements(&text).0 {
            let statement = &text[range];
            for what in one(statement).0 {
                self.emit(at, what, statement);
            }
        }
    }

    fn sql(&mut self, statement: &SyntaxNode, variables: &Variables, at: usize) {
        for what in read::statement(statement) {
            match what {
                What::Call { .. } => self.calls(statement, variables, &|_| at),
                what => self.emit(at, what, &statement.text().to_string()),
            }
        }
    }

    /// Every known function that a statement calls.
    fn calls(&mut self, node: &SyntaxNode, variables: &Variables, places: Places<'_>) {
        let at = places(node);
        for call in node.descendants().filter(|n| matches!(n.kind(), K::CALL_EXPR | K::CALL)) {
            let name = if call.kind() == K::CALL {
                super::names::named(&call, &[K::PROCEDURE_NAME_REF])
            } else {
                called(&call)
            };
            let Some(function) = name.and_then(|name| self.scope.function(&name)).filter(|f| !f.returns_trigger) else {
                continue;
            };
            let values = arguments(&call).into_iter().map(|n| evaluate(&n, variables));
            let bound: Variables = function.parameters.iter().cloned().zip(values).collect();
            let positional = function.parameters.iter().enumerate();
            let numbered = positional.filter_map(|(n, name)| Some((format!("${}", n + 1), bound.get(name)?.clone())));
            let bound = numbered.collect::<Vec<_>>().into_iter().chain(bound.clone()).collect();
            self.function(function, bound, at);
        }
    }

    fn emit(&mut self, at: usize, what: What, statement: &str) {
        self.done.extend(resolved(what, statement).map(|what| (at, what)));
    }
}

/// What a statement does, where its object is known; else, where it guards something, that it does so to an unknown one.
pub(crate) fn resolved(what: What, statement: &str) -> Option<What> {
    if !statement.contains(HOLE) || !is_unknown(&what) {
        return Some(what);
    }
    let guards = matches!(
        what,
        What::Rls(..) | What::CreatePolicy(_) | What::DropPolicy { .. } | What::CreateTrigger(_) | What::Role { .. }
    );
    guards.then(|| What::Dynamic(statement.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// The object itself is only known at run time.
fn is_unknown(what: &What) -> bool {
    let hole = |name: &Name| name.name.contains(HOLE) || name.schema.as_ref().is_some_and(|s| s.contains(HOLE));
    match what {
        What::CreateTable(made) => hole(&made.table),
        What::CreatePolicy(policy) | What::AlterPolicy(policy) => hole(&policy.table),
        What::CreateTrigger(trigger) => hole(&trigger.table),
        What::DropTable(table)
        | What::RenameTable(table, _)
        | What::SetSchema(table, _)
        | What::AddColumn(table, _)
        | What::DropColumn(table, _)
        | What::RenameColumn { table, .. }
        | What::SetType { table, .. }
        | What::AddConstraint(table, _)
        | What::Rls(table, _)
        | What::DropPolicy { table, .. }
        | What::DropTrigger { table, .. }
        | What::SwitchTrigger { table, .. }
        | What::NothingRule { table, .. } => hole(table),
        What::CreateView(view) => hole(view),
        What::Role { name, .. } => name.contains(HOLE),
        _ => false,
    }
}
