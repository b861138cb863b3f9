//! Expressions and queries as the search needs them: fewer kinds than SQL has, and a text for everything else.

use std::sync::Arc;

/// A SQL expression. What has no kind of its own is `Opaque`: the search lets it be anything.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Null,
    Bool(bool),
    /// Any other constant, as its text: `'x'`, `5`, `1.5`.
    Constant(String),
    /// `name`, or `qualifier.name`.
    Column(Option<String>, String),
    /// `$1`
    Parameter(usize),
    Cast(Box<Self>, String),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
    Compare(Comparison, Box<Self>, Box<Self>),
    /// Three-valued to two-valued: `IS NULL`, `IS TRUE`, `IS FALSE`, `IS UNKNOWN`.
    Is(Box<Self>, Test),
    /// `IS DISTINCT FROM`
    Distinct(Box<Self>, Box<Self>),
    /// `[NOT] LIKE`; the flag is ILIKE's.
    Like(Box<Self>, Box<Self>, bool),
    Case(Option<Box<Self>>, Vec<(Self, Self)>, Option<Box<Self>>),
    /// `left op ANY (right)`; the flag says ANY, else ALL. The right side is an array.
    Quantified(Comparison, Box<Self>, bool, Box<Self>),
    /// `left op ANY (query)`.
    QuantifiedQuery(Comparison, Box<Self>, bool, Arc<Query>),
    Exists(Arc<Query>),
    Scalar(Arc<Query>),
    ArrayQuery(Arc<Query>),
    Array(Vec<Self>),
    Row(Vec<Self>),
    /// `schema.name(arguments)`; keywords such as `CURRENT_USER` are calls without arguments.
    Call(Call),
    /// Any other operator: arithmetic, `||`, `->>`, `@>`, `~`.
    Operator(String, Vec<Self>),
    /// A local variable of a function body: name, value, and the expression that may use it.
    Let(String, Box<Self>, Box<Self>),
    /// Always raises.
    Raise,
    /// The first, or the second where the first raises.
    Rescue(Box<Self>, Box<Self>),
    /// Not understood; the text, and whatever expressions were recognised inside, so that their columns are known.
    Opaque(String, Vec<Self>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    pub(crate) arguments: Vec<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparison {
    pub(crate) fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            "=" => Self::Equal,
            "<>" | "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterEqual,
            _ => return None,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Null,
    True,
    False,
}

/// `SELECT … UNION …`: one arm a branch. `INTERSECT` is a condition on its left side; `EXCEPT` keeps that, which
/// lets more through.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Query {
    pub(crate) ctes: Vec<(String, Arc<Self>)>,
    pub(crate) arms: Vec<Select>,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Select {
    pub(crate) sources: Vec<Source>,
    pub(crate) filters: Vec<Expr>,
    /// Output name, where one is known, and expression.
    pub(crate) targets: Vec<(Option<String>, Expr)>,
    /// `SELECT *` or `t.*` is among the targets.
    pub(crate) star: bool,
    /// `GROUP BY` or `HAVING`: without rows there is no group, so that aggregates find nothing to speak of.
    pub(crate) grouped: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    pub(crate) alias: Option<String>,
    /// Column aliases: `f(a, b)`.
    pub(crate) columns: Vec<String>,
    pub(crate) from: From,
    /// On the nullable side of an outer join.
    pub(crate) optional: bool,
    pub(crate) on: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum From {
    Relation(Option<String>, String),
    Query(Arc<Query>),
    Call(Expr),
    Opaque(String),
}

impl Source {
    /// A relation under another name.
    pub(crate) fn relation(schema: Option<String>, name: &str, alias: &str) -> Self {
        let from = From::Relation(schema, name.to_owned());
        Self { alias: Some(alias.to_owned()), columns: Vec::new(), from, optional: false, on: None }
    }
}

impl Expr {
    /// A constant or a list written out, through casts.
    pub(crate) fn is_literal(&self) -> bool {
        match self {
            Self::Cast(inner, _) => inner.is_literal(),
            Self::Null | Self::Bool(_) | Self::Constant(_) | Self::Array(_) => true,
            _ => false,
        }
    }

    /// Calls `visit` on this expression and everything below it, queries included.
    pub(crate) fn walk<'e>(&'e self, visit: &mut dyn FnMut(&'e Self)) {
        visit(self);
        match self {
            Self::Null | Self::Bool(_) | Self::Constant(_) | Self::Column(..) | Self::Parameter(_) | Self::Raise => {}
            Self::Cast(e, _) | Self::Not(e) | Self::Is(e, _) => e.walk(visit),
            Self::Compare(_, l, r)
            | Self::Distinct(l, r)
            | Self::Like(l, r, _)
            | Self::Quantified(_, l, _, r)
            | Self::Let(_, l, r)
            | Self::Rescue(l, r) => {
                l.walk(visit);
                r.walk(visit);
            }
            Self::And(list) | Self::Or(list) | Self::Array(list) | Self::Row(list) => {
                list.iter().for_each(|e| e.walk(visit));
            }
            Self::Operator(_, list) | Self::Opaque(_, list) => list.iter().for_each(|e| e.walk(visit)),
            Self::Call(call) => call.arguments.iter().for_each(|e| e.walk(visit)),
            Self::Case(operand, whens, otherwise) => {
                operand.iter().chain(otherwise).for_each(|e| e.walk(visit));
                for (when, then) in whens {
                    when.walk(visit);
                    then.walk(visit);
                }
            }
            Self::QuantifiedQuery(_, l, _, q) => {
                l.walk(visit);
                q.walk(visit);
            }
            Self::Exists(q) | Self::Scalar(q) | Self::ArrayQuery(q) => q.walk(visit),
        }
    }
}

impl Query {
    pub(crate) fn walk<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        self.ctes.iter().for_each(|(_, q)| q.walk(visit));
        for arm in &self.arms {
            for source in &arm.sources {
                match &source.from {
                    From::Query(q) => q.walk(visit),
                    From::Call(e) => e.walk(visit),
                    From::Relation(..) | From::Opaque(_) => {}
                }
                source.on.iter().for_each(|e| e.walk(visit));
            }
            arm.filters.iter().for_each(|e| e.walk(visit));
            arm.targets.iter().for_each(|(_, e)| e.walk(visit));
        }
    }
}
