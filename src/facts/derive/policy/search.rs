//! A search for one row of another tenant that the policies let through.
//!
//! The formula is evaluated over variables: the columns of the row, the settings of the session, the rows that
//! sub-selects find. A variable gets a value when the evaluation first asks for it; each has a few candidates, and what
//! the formula compares it with joins them, until nothing new is learned. Equality over finitely many constants has this
//! small-model property, so a policy that lets no foreign row through in any try lets none through. What cannot be
//! evaluated is a variable of its own and may be anything: a leak is never missed for that, and is then said to be a "may".

use super::asker::Asker;
use super::value::{self, Value};
use super::world::{Class, World};
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
    learned: HashMap<Var, BTreeSet<Value>>,
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

    fn learned(&self, var: &Var) -> impl Iterator<Item = Value> {
        self.learned.get(var).into_iter().flatten().cloned()
    }

    fn domain(&self, var: &Var) -> Vec<Value> {
        let mut values: Vec<Value> = match var {
            // What SET ROLE has set: the role that acts, which its policies are for.
            Var::Setting(name) if name == "role" => {
                self.asker.is_named();
                let none = (self.principal == self.role).then(|| Value::text("none"));
                self.role_name().into_iter().chain(none).collect()
            }
            Var::Column(row, column) => self.column_domain(*row, *column),
            Var::Owned(row) => match self.rows.get(row).map(|r| r.kind) {
                Some(RowKind::Judged | RowKind::Written) => vec![Value::Bool(false)],
                Some(RowKind::Own) => vec![Value::Bool(true)],
                Some(RowKind::Inner) | None => vec![Value::Bool(true), Value::Bool(false)],
            },
            Var::Present(_) | Var::Session(_, true) | Var::Opaque(_, true) => {
                let mut values = vec![Value::Bool(true), Value::Bool(false)];
                if !matches!(var, Var::Present(_)) {
                    values.push(Value::Null);
                }
                values
            }
            Var::Arm(_, arms) => (0..*arms).map(|arm| Value::text(&arm.to_string())).collect(),
            Var::Setting(name) => {
                let mut values: Vec<Value> = self.own_keys.iter().cloned().chain(self.learned(var)).collect();
                values.extend([value::fresh("text"), Value::Null]);
                if name.contains('.') {
                    values.push(Value::text(""));
                }
                values
            }
            Var::Session(_, false) | Var::Opaque(_, false) | Var::Argument(_) => {
                let mut values: Vec<Value> = self.learned(var).collect();
                if matches!(var, Var::Session(..)) {
                    values.extend(self.own_keys.iter().cloned());
                }
                values.extend([value::fresh("text"), Value::Null]);
                values
            }
            Var::Computed(_) => std::iter::once(value::fresh("text")).chain(self.learned(var)).collect(),
        };
        let mut seen = BTreeSet::new();
        let claims_role = claims_role(var);
        values.retain(|v| !(claims_role && self.is_another_role(v)) && seen.insert(v.clone()));
        values
    }

    fn role_name(&self) -> Option<Value> {
        self.world.catalog.roles.get(&self.role).map(|role| Value::text(&role.name))
    }

    /// The row being judged is a person's, and persons are members of the tenants.
    fn judges_a_members(&self) -> bool {
        let is_judged = |row: &&RowInfo| matches!(row.kind, RowKind::Judged | RowKind::Written);
        self.rows.values().filter(is_judged).any(|row| self.world.is_a_members(row.relation))
    }

    /// The name of the role that connected or of the one that asks.
    fn is_own_name(&self, value: &Value) -> bool {
        let own = self.world.is_name_of(value, [self.role, self.role]);
        if !own && self.is_another_role(value) {
            self.asker.is_named();
        }
        own || self.world.is_name_of(value, [self.principal, self.principal])
    }

    /// The name of a role, and not of the one that acts.
    fn is_another_role(&self, value: &Value) -> bool {
        !self.world.is_name_of(value, [self.role, self.role])
            && self.world.catalog.roles.values().any(|role| value.as_text() == Some(role.name.as_str()))
    }

    fn column_domain(&self, row: RowKey, number: i64) -> Vec<Value> {
        let var = Var::Column(row, number);
        let Some(info) = self.rows.get(&row) else { return vec![Value::Null] };
        let Some(relation) = self.world.catalog.relations.get(&info.relation) else { return vec![Value::Null] };
        let Some(column) = relation.column_number(number) else { return vec![Value::Null] };
        let inner = info.kind == RowKind::Inner;
        let type_name = column.type_name.as_str();
        let own = value::own(type_name);
        let foreign = value::foreign(type_name);
        let one_foreign = foreign[0].clone();
        let owned = self.assigned.get(&Var::Owned(row)) == Some(&Value::Bool(true));
        // The name of a role the session is says as much as its tenant's key: one role a tenant.
        let (names, constants): (Vec<_>, Vec<_>) =
            self.learned(&var).filter(|v| *v != own).partition(|v| self.is_own_name(v));
        let own_or_named = || std::iter::once(own.clone()).chain(names.iter().cloned());
        let mut values: Vec<Value> = match self.world.class(relation, column, inner) {
            Class::Key => match info.kind {
                RowKind::Own => own_or_named().collect(),
                _ if owned => own_or_named().collect(),
                _ => {
                    // An empty key is nobody's.
                    let counts = |v: &Value| {
                        let shared = is_shared(v);
                        self.met_shared.set(self.met_shared.get() | shared);
                        v.as_text() != Some("") && (self.judge_shared || !shared)
                    };
                    foreign.into_iter().chain(constants.into_iter().filter(counts)).collect()
                }
            },
            Class::Link => match info.kind {
                RowKind::Written => vec![own, one_foreign],
                _ if owned => vec![own],
                _ => vec![one_foreign],
            },
            Class::User => {
                let named = owned
                    || info.kind == RowKind::Written
                    || match info.kind {
                        RowKind::Inner => info.writable || !self.world.is_owned(relation),
                        _ => !self.world.person_tied(relation),
                    };
                // The session's person is one: another row of the table of persons is another person, and its login is
                // nobody else's.
                let is_person = inner
                    && (relation.primary_key == [number] && self.world.is_person(relation)
                        || self.world.is_login(relation));
                match (named, is_person) {
                    // Another tenant's person is no member of the session's own.
                    (true, _) if owned && self.judges_a_members() && self.world.tenancy.is_membership(relation) => {
                        let known = constants.into_iter().filter(|value| !foreign.contains(value));
                        own_or_named().chain([value::fresh(type_name)]).chain(known).collect()
                    }
                    (true, true) if owned => own_or_named().collect(),
                    (true, _) => own_or_named().chain([one_foreign]).chain(constants).collect(),
                    (false, _) => [one_foreign].into_iter().chain(constants).collect(),
                }
            }
            Class::Identity => {
                let named = owned || info.writable || !self.world.is_owned(relation);
                let mut values: Vec<Value> = if named { own_or_named().collect() } else { vec![one_foreign] };
                values.extend(named.then(|| value::fresh(type_name)));
                values.into_iter().chain(constants).collect()
            }
            Class::Plain => match self.world.catalog.enum_labels.get(&column.type_oid) {
                Some(labels) if column.type_kind == "enum" => labels.iter().map(|l| Value::text(l)).collect(),
                _ if type_name == "bool" => vec![Value::Bool(true), Value::Bool(false)],
                _ => {
                    // Where a column finds one row, the session's role finds its own.
                    let finds_one = relation.uniques.iter().any(|unique| unique == &[number]);
                    let others = self.learned(&var).filter(|v| !finds_one || !names.contains(v));
                    [value::fresh(type_name)].into_iter().chain(others).collect()
                }
            },
        };
        let is_key = self.world.class(relation, column, inner) == Class::Key;
        if !column.not_null && (inner || !is_key) {
            values.push(Value::Null);
        }
        values
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

/// A tenant that stands for everybody: its rows are meant to be seen by all.
pub(crate) fn is_shared(value: &Value) -> bool {
    let Some(text) = value.as_text() else { return false };
    matches!(
        text.to_ascii_lowercase().as_str(),
        "0" | "-1" | "system" | "global" | "public" | "shared" | "default" | "common" | "*"
    ) || text.chars().all(|c| c == '0' || c == '-') && text.len() > 1
}

/// A claim of the role: the server that checks the token sets the role that it claims, so that it names no other.
/// <https://docs.postgrest.org/en/stable/references/auth.html>
fn claims_role(var: &Var) -> bool {
    match var {
        Var::Setting(name) => name == "request.jwt.claim.role",
        Var::Session(text, false) => text.contains("jwt") && text.contains("->> 'role'"),
        _ => false,
    }
}
