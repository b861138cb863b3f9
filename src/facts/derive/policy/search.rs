//! A search for one row of another tenant that the policies let through.
//!
//! The formula is evaluated over variables: the columns of the row, the settings of the session, the rows that
//! sub-selects find. A variable gets a value when the evaluation first asks for it; each has a few candidates, and what
//! the formula compares it with joins them, until nothing new is learned. Equality over finitely many constants has this
//! small-model property, so a policy that lets no foreign row through in any try lets none through. What cannot be
//! evaluated is a variable of its own and may be anything: a leak is never missed for that, and is then said to be a "may".

use super::asker::Asker;
use super::value::{self, Value};
use super::world::World;
use crate::facts::derive::catalog::Oid;
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Names one row of one try: where in the formula it stands.
pub(crate) type RowKey = u64;

/// Something a try gives a value to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Var {
    Column(RowKey, i64),
    /// The row belongs to the session's own tenant.
    Owned(RowKey),
    /// The sub-select finds this row.
    Present(RowKey),
    /// Which branch of a UNION.
    Arm(RowKey, usize),
    Setting(String),
    /// An argument of a function, which its caller chooses.
    Argument(String),
    /// An expression over the session alone that cannot be evaluated; the flag: it is a condition.
    Session(String, bool),
    /// A text computed from the session: what it is, or what it is compared with, for which the session may be chosen.
    Computed(String),
    /// An expression over the row that cannot be evaluated; the flag: it is a condition.
    Opaque(String, bool),
}

/// What a row is in the world of the try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// The row being judged: it belongs to another tenant.
    Judged,
    /// A row the caller writes: it claims another tenant and is otherwise as the caller likes.
    Written,
    /// A row of the session's own tenant that an UPDATE starts from.
    Own,
    /// A row that a policy looks up.
    Inner,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct RowInfo {
    pub(crate) relation: Oid,
    pub(crate) kind: RowKind,
    /// The caller may write such rows for other tenants, so that they prove nothing.
    pub(crate) writable: bool,
}

/// Why an evaluation stopped.
#[derive(Debug)]
pub(crate) enum Halt {
    /// A variable has no value yet.
    Need(Var),
}

pub(crate) type Outcome<T> = Result<T, Halt>;

/// One assignment that lets the row through.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    pub(crate) values: Vec<(Var, Value)>,
    pub(crate) rows: HashMap<RowKey, RowInfo>,
    /// Rows that a view or function returns columns of.
    pub(crate) output_rows: Vec<RowKey>,
    /// The search was cut short: the policy is too large to try everything.
    pub(crate) exhausted: bool,
}

/// Tries before a formula counts as too large; then it may let anything through.
const BUDGET: usize = 20_000;

/// The same once a database has had [`PLENTY`]: most formulas need less than a hundredth.
const SMALL_BUDGET: usize = 4_000;

/// Tries in all policies and functions of a database after which the large ones are given up earlier.
const PLENTY: usize = 1_500_000;

/// Values a variable may learn beyond its own.
const LEARNED: usize = 24;

/// Variables on one path beyond which a formula counts as too large.
const DEEPEST: usize = 400;

/// Restrictive policies that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Floors {
    All,
    Nothing,
    Only(Oid),
}

/// What a search wants to be true.
pub(crate) type Goal<'g, 'w> = dyn FnMut(&mut Search<'w>) -> Outcome<Value> + 'g;

/// One part of a conjunction or disjunction.
pub(crate) type Part<'p, 'w> = dyn FnMut(&mut Search<'w>) -> Outcome<Value> + 'p;

pub(crate) struct Search<'w> {
    pub(crate) world: &'w World<'w>,
    /// The role that connected, and the role that asks.
    pub(crate) principal: Oid,
    pub(crate) role: Oid,
    pub(super) asker: Asker,
    pub(crate) rows: HashMap<RowKey, RowInfo>,
    pub(crate) assigned: HashMap<Var, Value>,
    trail: Vec<Var>,
    /// Variables the current evaluation rests on.
    pub(super) reads: Vec<Var>,
    pub(super) learned: HashMap<Var, BTreeSet<Value>>,
    grown: bool,
    steps: usize,
    budget: usize,
    /// Relations whose policies are being evaluated: a second visit is infinite recursion, which raises.
    pub(crate) visiting: Vec<Oid>,
    /// Rows whose columns a view or function returns, as the last evaluation found them.
    pub(crate) output_rows: Vec<RowKey>,
    /// Which of `reads` conditions made that only narrow those rows down.
    pub(super) narrowing: Vec<Range<usize>>,
    /// Functions whose body could not be read, taken as values of the session.
    pub(crate) unread: BTreeSet<String>,
    /// The session's own keys in every type the judged rows use: what a setting may hold before any comparison says so.
    pub(crate) own_keys: BTreeSet<Value>,
    /// Keys of shared rows (the all-zero tenant, `public`) count as foreign.
    pub(crate) judge_shared: bool,
    /// Such a key has come up.
    pub(super) met_shared: Cell<bool>,
    /// Whether looked-up rows are visible is anybody's guess: what isolates then isolates whatever the policies on other
    /// tables say, and those need not be read.
    pub(crate) blind: bool,
    /// Which restrictive policies of the relation itself count: what isolates without some isolates with them.
    pub(crate) floors: Floors,
    /// Constants that stood beside a tenant key, each with the session's own key of that type.
    pub(crate) named_keys: BTreeSet<(Value, Value)>,
    /// The session's tenant is one that the policies name: this constant means the session's own key.
    pub(crate) own_named: Option<(Value, Value)>,
}

impl<'w> Search<'w> {
    pub(crate) fn new(world: &'w World<'w>, principal: Oid, role: Oid) -> Self {
        Self {
            world,
            principal,
            role,
            asker: Asker::new(principal, role),
            rows: HashMap::new(),
            assigned: HashMap::new(),
            trail: Vec::new(),
            reads: Vec::new(),
            learned: HashMap::new(),
            grown: false,
            steps: 0,
            budget: BUDGET,
            visiting: Vec::new(),
            blind: false,
            output_rows: Vec::new(),
            narrowing: Vec::new(),
            unread: BTreeSet::new(),
            own_keys: BTreeSet::new(),
            judge_shared: false,
            met_shared: Cell::new(false),
            floors: Floors::All,
            named_keys: BTreeSet::new(),
            own_named: None,
        }
    }

    /// What it went into of who asks, so far.
    pub(super) fn take_asker(&mut self) -> Asker {
        std::mem::replace(&mut self.asker, Asker::new(self.principal, self.role))
    }

    /// What a constant of the policies is in the world of this search.
    pub(crate) fn constant(&self, text: &str) -> Value {
        match &self.own_named {
            Some((named, own)) if named.as_text() == Some(text) => own.clone(),
            _ => Value::text(text),
        }
    }

    /// The same as [`run`](Self::run), which is spared where no policy of a looked-up table matters.
    pub(crate) fn run_unless_blind(&mut self, goal: &mut Goal<'_, 'w>) -> Option<Witness> {
        self.blind = true;
        self.run(goal)?;
        self.blind = false;
        self.steps = 0;
        self.run(goal)
    }

    /// Finds an assignment under which the goal is true, if there is one.
    pub(crate) fn run(&mut self, goal: &mut Goal<'_, 'w>) -> Option<Witness> {
        let before = self.steps;
        self.budget = if self.world.tries.get() < PLENTY { BUDGET } else { SMALL_BUDGET };
        let found = self.search(goal);
        self.world.tries.set(self.world.tries.get() + (self.steps - before));
        found
    }

    fn search(&mut self, goal: &mut Goal<'_, 'w>) -> Option<Witness> {
        loop {
            self.grown = false;
            self.assigned.clear();
            self.trail.clear();
            if self.descend(goal).is_ok() {
                let exhausted = self.steps > self.budget;
                let values = self.minimal(goal);
                return Some(Witness {
                    values,
                    rows: self.rows.clone(),
                    output_rows: self.output_rows.clone(),
                    exhausted,
                });
            }
            if !self.grown {
                return None;
            }
        }
    }

    /// Assigns what the goal asks for until it is true. Where it cannot be, gives the variables to blame: a variable that
    /// had no part in any failure below is not tried with other values (conflict-directed backjumping).
    fn descend(&mut self, goal: &mut Goal<'_, 'w>) -> Result<(), BTreeSet<Var>> {
        self.steps += 1;
        if self.steps > self.budget || self.trail.len() > DEEPEST {
            self.steps = self.budget + 1;
            return Ok(());
        }
        self.reads.clear();
        let var = match goal(self) {
            Ok(value) if value.is_true() => return Ok(()),
            Ok(_) => return Err(self.reads.drain(..).collect()),
            Err(Halt::Need(var)) => var,
        };
        let mut blamed = BTreeSet::new();
        for value in self.domain(&var) {
            self.assigned.insert(var.clone(), value);
            self.trail.push(var.clone());
            let Err(mut below) = self.descend(goal) else { return Ok(()) };
            self.trail.pop();
            self.assigned.remove(&var);
            if !below.remove(&var) {
                return Err(below);
            }
            blamed.append(&mut below);
        }
        // What a column may be depends on whose its row is.
        if let Var::Column(row, _) = var {
            blamed.insert(Var::Owned(row));
            blamed.insert(Var::Present(row));
        }
        Err(blamed)
    }

    /// The assigned variables that matter: changing one of them to any other candidate closes the way.
    fn minimal(&mut self, goal: &mut Goal<'_, 'w>) -> Vec<(Var, Value)> {
        let mut needed = Vec::new();
        for var in self.trail.clone() {
            let Some(value) = self.assigned.get(&var).cloned() else { continue };
            let others: Vec<Value> = self.domain(&var).into_iter().filter(|v| *v != value).collect();
            let indifferent = !others.is_empty()
                && others.into_iter().all(|other| {
                    self.assigned.insert(var.clone(), other);
                    matches!(goal(self), Ok(result) if result.is_true())
                });
            self.assigned.insert(var.clone(), value.clone());
            if !indifferent {
                needed.push((var, value));
            }
        }
        needed
    }

    /// The value of a variable in this try.
    pub(crate) fn get(&mut self, var: Var) -> Outcome<Value> {
        match self.assigned.get(&var) {
            Some(value) => {
                let value = value.clone();
                self.reads.push(var);
                Ok(value)
            }
            None => Err(Halt::Need(var)),
        }
    }

    /// AND over parts, each evaluated: one that is false decides, whatever the others still need, and alone is to blame.
    pub(crate) fn conjoin(&mut self, parts: &mut [&mut Part<'_, 'w>]) -> Outcome<Value> {
        self.combine(parts, false)
    }

    /// OR over parts: one that is true decides.
    pub(crate) fn disjoin(&mut self, parts: &mut [&mut Part<'_, 'w>]) -> Outcome<Value> {
        self.combine(parts, true)
    }

    /// Evaluates every part; one that has the `decisive` value decides, and of several the one that rests on the fewest
    /// variables. OR is AND with everything negated.
    fn combine(&mut self, parts: &mut [&mut Part<'_, 'w>], decisive: bool) -> Outcome<Value> {
        let negated = |value| if decisive { value::not(value) } else { value };
        let start = self.reads.len();
        let mut deciding: Option<Vec<Var>> = None;
        let mut need = None;
        let mut known = Vec::new();
        for part in parts {
            let mark = self.reads.len();
            match part(self) {
                Ok(Value::Bool(value)) if value == decisive => {
                    let reads = self.reads.split_off(mark);
                    if deciding.as_ref().is_none_or(|best| reads.len() < best.len()) {
                        deciding = Some(reads);
                    }
                }
                Ok(value) => known.push(negated(value)),
                Err(halt) => need = need.or(Some(halt)),
            }
        }
        if let Some(reads) = deciding {
            self.reads.truncate(start);
            self.reads.extend(reads);
            return Ok(Value::Bool(decisive));
        }
        need.map_or_else(|| Ok(negated(value::and(known))), Err)
    }

    /// A value computed from the session, or one that it was compared with.
    pub(crate) fn computed(&mut self, text: String, value: Value) -> Outcome<(Value, Var)> {
        let var = Var::Computed(text);
        let lessons = self.learned.contains_key(&var);
        let chosen = if lessons { self.get(var.clone())? } else { value::fresh("text") };
        Ok((if chosen == value::fresh("text") { value } else { chosen }, var))
    }

    /// A comparison has set this variable beside a value: the value becomes a candidate.
    pub(crate) fn learn(&mut self, var: &Var, value: &Value) {
        if !matches!(value, Value::Text(_) | Value::Bool(_)) {
            return;
        }
        let known = self.learned.entry(var.clone()).or_default();
        if known.len() < LEARNED && known.insert(value.clone()) {
            self.grown = true;
        }
    }
}
