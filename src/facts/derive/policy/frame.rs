//! The names an expression may use: rows, values and variables, innermost first.

use super::eval::{Sort, Val};
use super::expr::{Expr, Query};
use super::search::{RowKey, Var};
use crate::facts::derive::catalog::{Catalog, Function, Oid, Relation};
use std::cell::OnceCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

/// What a name in a FROM clause stands for.
#[derive(Clone, Debug)]
pub(crate) enum Bound {
    Row(RowKey, Oid),
    Cell(Cell),
    /// A source that cannot be evaluated: its columns may be anything.
    Anything(String),
    /// The missing side of an outer join.
    Absent,
}

#[derive(Debug)]
pub(crate) enum SourceBound {
    Row(RowKey, Oid),
    Columns(Vec<(String, Cell)>),
    Anything(String),
    Absent,
}

/// What a name stands for that is no column of a table.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Value(Val),
    /// An argument that the caller chooses.
    Argument(Var),
    Later(Rc<Later>),
}

impl Cell {
    fn depends_on_session(&self, catalog: &Catalog) -> bool {
        match self {
            Self::Value(val) => val.sort == Sort::Session,
            Self::Argument(_) => false,
            Self::Later(later) => later.frame.depends_on_session(later.expr(), catalog),
        }
    }

    fn depends_on_row(&self, catalog: &Catalog) -> bool {
        match self {
            Self::Value(val) => matches!(val.sort, Sort::Plain | Sort::Key(..)),
            Self::Argument(_) => true,
            Self::Later(later) => later.frame.depends_on_row(later.expr(), catalog),
        }
    }
}

/// A column of a query that is evaluated when something asks for it: most are passed through and asked for by nothing.
#[derive(Debug)]
pub(crate) struct Later {
    column: Column,
    pub(super) frame: Rc<Frame>,
    /// Its value, and the variables it rests on.
    pub(super) known: OnceCell<(Val, Vec<Var>)>,
}

#[derive(Debug)]
enum Column {
    /// Arm and target of a query.
    Target(Arc<Query>, usize, usize),
    /// One that `*` stands for.
    Named(Expr),
}

impl Later {
    fn new(column: Column, frame: &Rc<Frame>) -> Rc<Self> {
        Rc::new(Self { column, frame: Rc::clone(frame), known: OnceCell::new() })
    }

    pub(super) fn target(query: &Arc<Query>, arm: usize, target: usize, frame: &Rc<Frame>) -> Rc<Self> {
        Self::new(Column::Target(Arc::clone(query), arm, target), frame)
    }

    pub(super) fn named(source: &str, name: &str, frame: &Rc<Frame>) -> Rc<Self> {
        Self::new(Column::Named(Expr::Column(Some(source.to_owned()), name.to_owned())), frame)
    }

    pub(super) fn expr(&self) -> &Expr {
        match &self.column {
            Column::Target(query, arm, target) => &query.arms[*arm].targets[*target].1,
            Column::Named(expr) => expr,
        }
    }
}

/// The names an expression may use, innermost first.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub(super) parent: Option<Rc<Self>>,
    pub(super) sources: Vec<(String, SourceBound)>,
    pub(super) variables: Vec<(String, Cell)>,
    pub(super) ctes: Vec<(String, Arc<Query>)>,
    /// Whose rights count here: the caller's, or the owner's inside a definer function or view.
    pub(crate) role: Oid,
    /// Who `current_user` is: a definer function changes it, a view does not.
    pub(crate) user: Oid,
    /// Tells apart two evaluations of one text.
    pub(crate) path: u64,
    /// A function body: names outside are not seen.
    pub(super) closed: bool,
    /// Of a query that aggregates without grouping, which gives one row in any case: whether it has found rows.
    pub(super) aggregated: Option<bool>,
}

pub(super) fn mix(path: u64, parts: &[u64]) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    parts.hash(&mut hasher);
    hasher.finish()
}

impl Frame {
    /// The frame of a policy: the judged row under the relation's own name.
    pub(crate) fn of_row(row: RowKey, relation: &Relation, role: Oid, user: Oid) -> Rc<Self> {
        Self::of_source(row, relation, relation.name.clone(), role, user)
    }

    /// The frame of a row under another name.
    pub(crate) fn of_source(row: RowKey, relation: &Relation, alias: String, role: Oid, user: Oid) -> Rc<Self> {
        let sources = vec![(alias, SourceBound::Row(row, relation.oid))];
        Rc::new(Self { sources, role, user, path: row, ..Self::default() })
    }

    /// The frame of a view or function body, run with the rights of `role`.
    pub(crate) fn of_body(role: Oid, user: Oid, path: u64, variables: Vec<(String, Cell)>) -> Rc<Self> {
        Rc::new(Self { role, user, path, variables, closed: true, ..Self::default() })
    }

    pub(crate) fn with_variable(parent: &Rc<Self>, name: &str, val: Val) -> Rc<Self> {
        Rc::new(Self {
            parent: Some(Rc::clone(parent)),
            variables: vec![(name.to_owned(), Cell::Value(val))],
            role: parent.role,
            user: parent.user,
            path: parent.path,
            ..Self::default()
        })
    }

    /// The frame of targets that aggregate all rows of a query.
    pub(super) fn of_aggregate(parent: &Rc<Self>, found: bool) -> Rc<Self> {
        Rc::new(Self {
            parent: Some(Rc::clone(parent)),
            role: parent.role,
            user: parent.user,
            path: parent.path,
            aggregated: Some(found),
            ..Self::default()
        })
    }

    /// Whether the rows that an aggregate here counts are any; none outside such a query.
    pub(super) fn aggregated(&self) -> Option<bool> {
        self.scopes().find_map(|frame| frame.aggregated)
    }

    fn scopes(&self) -> impl Iterator<Item = &Self> {
        let mut next = Some(self);
        std::iter::from_fn(move || {
            let frame = next?;
            next = if frame.closed { None } else { frame.parent.as_deref() };
            Some(frame)
        })
    }

    pub(crate) fn parameter(&self, number: usize) -> Option<Cell> {
        let name = format!("${number}");
        self.scopes().flat_map(|f| &f.variables).find(|(n, _)| *n == name).map(|(_, cell)| cell.clone())
    }

    pub(super) fn cte(&self, name: &str) -> Option<Arc<Query>> {
        self.scopes().flat_map(|f| &f.ctes).find(|(n, _)| n == name).map(|(_, q)| Arc::clone(q))
    }

    /// What a column name stands for; none where it is unknown.
    pub(crate) fn resolve(&self, qualifier: Option<&str>, name: &str, catalog: &Catalog) -> Option<Bound> {
        for frame in self.scopes() {
            for (alias, source) in &frame.sources {
                if qualifier.is_some_and(|q| q != alias) {
                    continue;
                }
                match source {
                    SourceBound::Row(row, oid) => {
                        if catalog.relations.get(oid).is_some_and(|r| r.column(name).is_some()) {
                            return Some(Bound::Row(*row, *oid));
                        }
                    }
                    SourceBound::Columns(columns) => {
                        // `f` alone names the one column of a function's result.
                        let found = columns.iter().find(|(n, _)| n == name);
                        let whole = columns.first().filter(|_| columns.len() == 1 && name == alias);
                        if let Some((_, cell)) = found.or(whole) {
                            return Some(Bound::Cell(cell.clone()));
                        }
                    }
                    SourceBound::Anything(text) => return Some(Bound::Anything(text.clone())),
                    SourceBound::Absent if qualifier.is_some() => return Some(Bound::Absent),
                    SourceBound::Absent => {}
                }
            }
            let qualified = qualifier.map(|q| format!("{q}.{name}"));
            let wanted = qualified.as_deref().unwrap_or(name);
            if let Some((_, cell)) = frame.variables.iter().find(|(n, _)| n == wanted) {
                return Some(Bound::Cell(cell.clone()));
            }
        }
        None
    }

    /// The type of an expression, as far as it can be read off: a column's, or that of a cast.
    pub(super) fn type_of(&self, expr: &Expr, catalog: &Catalog) -> Option<String> {
        match expr {
            Expr::Cast(_, type_name) => Some(type_name.clone()),
            Expr::Column(qualifier, name) => match self.resolve(qualifier.as_deref(), name, catalog)? {
                Bound::Row(_, oid) => Some(catalog.relations.get(&oid)?.column(name)?.type_text.clone()),
                Bound::Cell(Cell::Later(later)) => later.frame.type_of(later.expr(), catalog),
                Bound::Cell(_) | Bound::Anything(_) | Bound::Absent => None,
            },
            _ => None,
        }
    }

    /// Something in the expression is the session's: a setting, a role, the clock, or what a function of the database says.
    pub(crate) fn depends_on_session(&self, expr: &Expr, catalog: &Catalog) -> bool {
        let mut depends = false;
        expr.walk(&mut |e| match e {
            Expr::Call(call) => {
                depends |= call.arguments.is_empty()
                    || call.schema.is_some()
                    || call.name == "current_setting"
                    || catalog.has_function(&call.name);
            }
            Expr::Column(qualifier, name) => {
                if let Some(Bound::Cell(cell)) = self.resolve(qualifier.as_deref(), name, catalog) {
                    depends |= cell.depends_on_session(catalog);
                }
            }
            Expr::Parameter(n) => depends |= self.parameter(*n).is_some_and(|cell| cell.depends_on_session(catalog)),
            Expr::Opaque(_, inner) => depends |= inner.is_empty(),
            _ => {}
        });
        depends
    }

    /// Something in the expression reads a row.
    pub(crate) fn depends_on_row(&self, expr: &Expr, catalog: &Catalog) -> bool {
        let mut depends = false;
        expr.walk(&mut |e| match e {
            Expr::Column(qualifier, name) => {
                depends |= match self.resolve(qualifier.as_deref(), name, catalog) {
                    Some(Bound::Cell(cell)) => cell.depends_on_row(catalog),
                    _ => true,
                };
            }
            Expr::Parameter(n) => {
                depends |= self.parameter(*n).is_some_and(|cell| cell.depends_on_row(catalog));
            }
            Expr::Exists(q) | Expr::Scalar(q) | Expr::ArrayQuery(q) | Expr::QuantifiedQuery(_, _, _, q) => {
                depends |= q.arms.iter().any(|arm| !arm.sources.is_empty());
            }
            _ => {}
        });
        depends
    }
}

pub(super) fn address<T>(node: &T) -> u64 {
    std::ptr::from_ref(node) as usize as u64
}

pub(super) fn copies(bound: &[(String, SourceBound)]) -> Vec<(String, SourceBound)> {
    bound
        .iter()
        .map(|(alias, source)| {
            let copy = match source {
                SourceBound::Row(row, oid) => SourceBound::Row(*row, *oid),
                SourceBound::Columns(columns) => SourceBound::Columns(columns.clone()),
                SourceBound::Anything(text) => SourceBound::Anything(text.clone()),
                SourceBound::Absent => SourceBound::Absent,
            };
            (alias.clone(), copy)
        })
        .collect()
}

/// An argument is known in the body as `$1`, by its name, and by its name behind the function's.
pub(crate) fn bind(
    variables: &mut Vec<(String, Cell)>,
    function: &Function,
    index: usize,
    name: Option<&String>,
    cell: Cell,
) {
    variables.push((format!("${}", index + 1), cell.clone()));
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        variables.push((format!("{}.{name}", function.name), cell.clone()));
        variables.push((name.clone(), cell));
    }
}
