//! What a trigger function or a rule does to tables: each of its statements as a query for the rows it touches.
//!
//! An INSERT is the row it makes, with the inserted values as conditions. What a SELECT finds counts where it ends up in
//! the row that fired. A body is read up to the first thing that no condition says (`EXECUTE`, a variable assigned
//! twice); what comes before it stands.

use super::expr::{Comparison, Expr, From, Query, Select, Source, Test};
use super::plpgsql::{declared, expression, into, only, raises};
use super::plpgsql_rows::Path;
use super::{lower, lower_query, plpgsql};
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};
use std::sync::Arc;

/// The name of the row an INSERT makes: no name that a statement could use.
const MADE: &str = "\u{1}made";

/// One statement and the rows it touches.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    /// `INSERT`, `UPDATE`, `DELETE`, or `SELECT` for what is copied into a column of the row that fired.
    pub(crate) command: &'static str,
    /// The table, and its name in the query.
    pub(crate) schema: Option<String>,
    pub(crate) table: String,
    pub(crate) alias: String,
    /// The column of the row that fired which takes what was found.
    pub(crate) into: Option<String>,
    pub(crate) select: Select,
}

/// The effects of a PL/pgSQL trigger function, as far as it can be read.
pub(crate) fn of_trigger(source: &str) -> Vec<Effect> {
    let mut walk = Walk::default();
    if let Some(block) = plpgsql::block(source) {
        let _ = walk.block(&block);
    }
    walk.effects
}

/// The effects of a rule, as `pg_get_ruledef` writes it.
pub(crate) fn of_rule(definition: &str) -> Vec<Effect> {
    let parse = SourceFile::parse(definition);
    let mut walk = Walk::default();
    for node in parse.syntax_node().descendants().filter(|n| is_change(n.kind())) {
        walk.change(&node, &Path::default());
    }
    walk.effects
}

fn is_change(kind: SyntaxKind) -> bool {
    matches!(kind, SyntaxKind::INSERT | SyntaxKind::UPDATE | SyntaxKind::DELETE)
}

#[derive(Default)]
struct Walk {
    effects: Vec<Effect>,
}

impl Walk {
    fn block(&mut self, block: &SyntaxNode) -> Option<()> {
        let mut path = Path::default();
        for (name, value) in declared(block)? {
            if value != Expr::Null {
                path.assign(name, value)?;
            }
        }
        self.body(&lower::child(block, SyntaxKind::PLPGSQL_BODY)?, &mut path).map(drop)
    }

    /// Whether it may go on behind these statements; none where one cannot be read.
    fn body(&mut self, body: &SyntaxNode, path: &mut Path) -> Option<bool> {
        for statement in body.children() {
            if !self.statement(&statement, path)? {
                return Some(false);
            }
        }
        Some(true)
    }

    fn statement(&mut self, statement: &SyntaxNode, path: &mut Path) -> Option<bool> {
        match statement.kind() {
            SyntaxKind::PLPGSQL_RETURN_STMT => return Some(false),
            SyntaxKind::PLPGSQL_RAISE_STMT => return Some(!raises(statement)),
            SyntaxKind::PLPGSQL_NULL_STMT | SyntaxKind::PLPGSQL_PERFORM_STMT => {}
            SyntaxKind::PLPGSQL_EXEC_SQL_STMT => {
                let change = statement.children().find(|n| is_change(n.kind()))?;
                self.change(&change, path);
            }
            SyntaxKind::PLPGSQL_ASSIGN_STMT => {
                let target = lower::child(statement, SyntaxKind::PLPGSQL_ASSIGN_TARGET)?;
                let value = expression(statement)?;
                if let Expr::Scalar(query) = &value {
                    self.copied(&target.text().to_string(), query, path);
                }
                set(path, &target.text().to_string(), value)?;
            }
            SyntaxKind::ERROR => self.with_into(&statement.text().to_string(), path)?,
            SyntaxKind::PLPGSQL_IF_STMT => return self.conditional(statement, path),
            SyntaxKind::PLPGSQL_FOR_QUERY_STMT => {
                let query = statement.children().find(|n| lower::is_query(n.kind()))?;
                let row = plpgsql::name(statement, SyntaxKind::PLPGSQL_FOR_VARIABLE)?;
                let mut inside = path.clone();
                inside.push(row, Vec::new(), From::Query(Arc::new(lower_query::lower_query(&query))));
                self.body(&lower::child(statement, SyntaxKind::PLPGSQL_BODY)?, &mut inside)?;
                (inside.assigned.len() == path.assigned.len()).then_some(())?;
            }
            _ => return None,
        }
        Some(true)
    }

    /// `… INTO target`, which the parser leaves as tokens.
    fn with_into(&mut self, text: &str, path: &mut Path) -> Option<()> {
        let first = text.split_whitespace().next()?.to_ascii_lowercase();
        if matches!(first.as_str(), "insert" | "update" | "delete") {
            let lowered = text.to_ascii_lowercase();
            let statement = &text[..lowered.rfind(" returning ")?];
            let parse = SourceFile::parse(statement);
            let node = parse.syntax_node().children().find(|n| is_change(n.kind()))?;
            self.change(&node, path);
            return Some(());
        }
        let (targets, query) = into(text)?;
        for (index, target) in targets.iter().enumerate() {
            let query = Arc::new(only(&query, index)?);
            self.copied(target, &query, path);
            set(path, target, Expr::Scalar(query))?;
        }
        Some(())
    }

    /// What a query finds and a column of the fired row takes.
    fn copied(&mut self, target: &str, query: &Query, path: &Path) {
        let Some((_, column)) = field(target) else { return };
        for arm in &query.arms {
            for source in &arm.sources {
                let From::Relation(schema, table) = &source.from else { continue };
                let alias = source.alias.clone().unwrap_or_else(|| table.clone());
                let (schema, table) = (schema.clone(), table.clone());
                let mut select = arm.clone();
                select.filters.extend(path.filters.iter().cloned());
                select.sources.splice(0..0, path.sources.iter().cloned());
                self.effects.push(Effect {
                    command: "SELECT",
                    schema,
                    table,
                    alias,
                    into: Some(column.clone()),
                    select,
                });
            }
        }
    }

    fn change(&mut self, node: &SyntaxNode, path: &Path) {
        let Some((schema, table)) = lower_query::relation_name(node) else { return };
        let mut select = Select { sources: path.sources.clone(), filters: path.filters.clone(), ..Select::default() };
        let command = match node.kind() {
            SyntaxKind::INSERT => return self.insert(node, (schema, table), &select),
            SyntaxKind::UPDATE => "UPDATE",
            _ => "DELETE",
        };
        let Some(alias) = lower_query::changed(node, &mut select) else { return };
        self.effects.push(Effect { command, schema, table, alias, into: None, select });
    }

    /// The rows an INSERT makes, as rows of its table that hold what was written.
    fn insert(&mut self, node: &SyntaxNode, (schema, table): (Option<String>, String), before: &Select) {
        let columns: Vec<String> = lower::child(node, SyntaxKind::COLUMN_TARGET_LIST)
            .iter()
            .flat_map(SyntaxNode::children)
            .map(|n| lower::identifier(n.text().to_string().trim()))
            .collect();
        let Some(query) = node.children().find(|n| lower::is_query(n.kind())) else { return };
        let query = lower_query::lower_query(&query);
        for arm in query.arms {
            let mut select = before.clone();
            select.sources.extend(arm.sources);
            select.filters.extend(arm.filters);
            select.sources.push(Source::relation(schema.clone(), &table, MADE));
            select.targets = arm
                .targets
                .into_iter()
                .enumerate()
                .map(|(index, (_, value))| (columns.get(index).cloned(), value))
                .collect();
            let (schema, table) = (schema.clone(), table.clone());
            self.effects.push(Effect { command: "INSERT", schema, table, alias: MADE.to_owned(), into: None, select });
        }
    }

    /// Each branch under its condition and those that were not met before it; what a branch that goes on has set is
    /// what it was or what it was set to.
    fn conditional(&mut self, statement: &SyntaxNode, path: &mut Path) -> Option<bool> {
        let clauses = statement.children().filter(|n| n.kind() == SyntaxKind::PLPGSQL_ELSIF_CLAUSE);
        let otherwise = lower::child(statement, SyntaxKind::PLPGSQL_ELSE_CLAUSE);
        let branches: Vec<SyntaxNode> = std::iter::once(statement.clone()).chain(clauses).collect();
        let mut unmet = path.clone();
        let mut goes_on = false;
        for branch in &branches {
            let condition = expression(branch)?;
            let mut inside = unmet.clone();
            inside.filters.push(condition.clone());
            let through = self.body(&lower::child(branch, SyntaxKind::PLPGSQL_BODY)?, &mut inside)?;
            if through && inside.assigned.len() != path.assigned.len() {
                // The everyday case: a default for a column that came empty.
                let set = inside.assigned.get(path.assigned.len()..)?.to_vec();
                let ([name], 1, None) = (set.as_slice(), branches.len(), &otherwise) else { return None };
                let (_, value) = inside.last()?;
                let (_, column) = field(name)?;
                let kept = Expr::Column(Some("new".to_owned()), column);
                let either = Expr::Case(None, vec![(condition, value)], Some(Box::new(kept)));
                set_field(path, name, either)?;
                return Some(true);
            }
            goes_on |= through;
            unmet.filters.push(Expr::Not(Box::new(Expr::Is(Box::new(condition), Test::True))));
        }
        let mut through = true;
        if let Some(otherwise) = otherwise {
            let mut inside = unmet.clone();
            through = self.body(&lower::child(&otherwise, SyntaxKind::PLPGSQL_BODY)?, &mut inside)?;
            if through && inside.assigned.len() != path.assigned.len() {
                return None;
            }
        }
        if !goes_on {
            path.filters = unmet.filters;
        }
        Some(goes_on || through)
    }
}

/// `new.column`
fn field(target: &str) -> Option<(String, String)> {
    let (row, column) = target.split_once('.')?;
    Some((lower::identifier(row.trim()), lower::identifier(column.trim()))).filter(|(row, _)| row == "new")
}

fn set(path: &mut Path, target: &str, value: Expr) -> Option<()> {
    match field(target) {
        Some(_) => set_field(path, target, value),
        None if target.contains(['.', '[', '(']) => None,
        None => path.assign(lower::identifier(target.trim()), value),
    }
}

/// The row's column from here on: a nearer `new` that has this one.
fn set_field(path: &mut Path, target: &str, value: Expr) -> Option<()> {
    let (row, column) = field(target)?;
    let name = format!("{row}.{column}");
    if path.assigned.contains(&name) {
        return None;
    }
    let from = From::Query(Arc::new(super::body::scalar(value)));
    path.push(row, vec![column], from);
    path.assigned.push(name);
    Some(())
}

impl Effect {
    /// The query for the rows it touches: for an INSERT, those whose keys hold what was written.
    pub(crate) fn query(&self, keys: &[String], columns: &[String]) -> Query {
        let mut select = self.select.clone();
        if self.command == "INSERT" {
            for (index, (name, value)) in self.select.targets.iter().enumerate() {
                let Some(name) = name.as_ref().or_else(|| columns.get(index)) else { continue };
                if keys.contains(name) {
                    let made = Expr::Column(Some(MADE.to_owned()), name.clone());
                    select.filters.push(Expr::Compare(Comparison::Equal, Box::new(made), Box::new(value.clone())));
                }
            }
        }
        // Whose the touched rows are is asked, not what else they hold.
        select.targets = vec![(None, Expr::Bool(true))];
        select.star = false;
        Query { ctes: Vec::new(), arms: vec![select] }
    }

    /// The keys are written at all; else a default says whose the row is.
    pub(crate) fn writes(&self, keys: &[String], columns: &[String]) -> bool {
        self.command != "INSERT"
            || self.select.targets.iter().enumerate().any(|(index, (name, _))| {
                name.as_ref().or_else(|| columns.get(index)).is_some_and(|name| keys.contains(name))
            })
    }

    /// A condition names this column of the row that fired.
    pub(crate) fn asks_for(&self, column: &str) -> bool {
        let mut asks = false;
        let fired = |qualifier: &Option<String>| matches!(qualifier.as_deref(), Some("new" | "old"));
        for filter in &self.select.filters {
            filter.walk(&mut |expr| {
                asks |= matches!(expr, Expr::Column(qualifier, name) if fired(qualifier) && name == column);
            });
        }
        asks
    }

    /// What is true of the touched row because a composite foreign key of the fired row says so: where one names it,
    /// it is of the same tenant.
    pub(crate) fn holds_with(&mut self, pairs: &[(String, String)], key: &(String, String)) {
        let equal = |(own, theirs): &(String, String)| {
            let own = Expr::Column(Some("new".to_owned()), own.clone());
            let theirs = Expr::Column(Some(self.alias.clone()), theirs.clone());
            Expr::Compare(Comparison::Equal, Box::new(theirs), Box::new(own))
        };
        let named = Expr::And(pairs.iter().map(equal).collect());
        let implied = Expr::Or(vec![Expr::Not(Box::new(named)), equal(key)]);
        self.select.filters.push(implied);
    }
}
