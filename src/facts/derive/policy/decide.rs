//! The question, put to the search for each command: can a row of another tenant get through?

use super::asker::Asker;
use super::domain::is_shared;
use super::frame::Frame;
use super::known::Key;
use super::search::{Floors, Outcome, RowInfo, RowKey, RowKind, Search, Var, Witness};
use super::value::{self, Value};
use super::words::{self, Explanation};
use super::world::{Class, World};
use crate::facts::derive::catalog::{Oid, Relation};
use crate::facts::derive::privileges;
use crate::facts::derive::tenancy::KeyRole;
use std::collections::BTreeSet;

pub(super) const JUDGED: RowKey = 1;
pub(super) const WRITTEN: RowKey = 2;

/// Tenants named by the policies that the session is tried as.
const NAMED: usize = 4;

/// What the policies decide for one role, relation and command.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// `isolated`, `leaks` or `may leak`.
    pub(crate) verdict: &'static str,
    pub(crate) cause: Option<&'static str>,
    pub(crate) counterexample: Option<String>,
    /// The permissive policy that lets the row through.
    pub(crate) policy: Option<Oid>,
    /// Functions taken as values of the session though their body could not be read.
    pub(crate) unread: BTreeSet<String>,
}

impl Decision {
    /// Nothing gets through.
    pub(super) fn isolated(unread: BTreeSet<String>) -> Self {
        Self { verdict: "isolated", cause: None, counterexample: None, policy: None, unread }
    }
}

/// Decides a relation with row security in force for `role`, acting for `principal`.
pub(crate) fn decide(world: &World<'_>, principal: Oid, role: Oid, relation: &Relation, command: &str) -> Decision {
    let questions = questions(world, role, relation, command);
    let key = Key::new(world, role, relation, &questions);
    if let Some(known) = world.known.get(world, &key, relation, (principal, role)) {
        return known;
    }
    // Mostly the same policies say which rows are seen and which can be deleted.
    if command == "DELETE" && same_policies(world, role, relation) {
        let seen = decide(world, principal, role, relation, "SELECT");
        if seen.verdict == "isolated" {
            return seen;
        }
    }
    let mut asker = Asker::new(principal, role);
    let decision = afresh(world, &mut asker, (principal, role), relation, &questions);
    // A decision within another one rests on what that one has assumed, unless it looks at no other relation.
    if key.is_alone() || world.deciding.borrow().is_empty() {
        world.known.insert(key, relation, asker, decision.clone());
    }
    decision
}

/// The policies of SELECT are those of DELETE.
fn same_policies(world: &World<'_>, role: Oid, relation: &Relation) -> bool {
    let of = |command| {
        let (permissive, restrictive) = world.policies(role, relation, command);
        permissive.into_iter().chain(restrictive).map(|policy| policy.oid).collect::<Vec<_>>()
    };
    of("SELECT") == of("DELETE")
}

/// Restrictive policies that are tried alone.
const SINGLE_FLOORS: usize = 6;

fn afresh(
    world: &World<'_>,
    asker: &mut Asker,
    (principal, role): (Oid, Oid),
    relation: &Relation,
    questions: &[Question],
) -> Decision {
    let mut found = None;
    let mut unread = BTreeSet::new();
    let has_floors = ["SELECT", "INSERT", "UPDATE", "DELETE"]
        .iter()
        .any(|command| !world.policies(role, relation, command).1.is_empty());
    let search = |judge_shared, own_named, (floors, blind)| {
        let mut search = Search::new(world, principal, role);
        search.blind = blind;
        search.judge_shared = judge_shared;
        search.own_named = own_named;
        search.floors = floors;
        let keys = relation.columns_and_members().filter(|c| world.class(relation, c, false) == Class::Key);
        search.own_keys = keys.map(|c| value::own(&c.type_name)).collect();
        search.visiting.push(relation.oid);
        search
    };
    let mut ask = |question: &Question, judge_shared, own_named: Option<(Value, Value)>| {
        // Restrictive policies only narrow, and what they ask may be much: first without them, then with each by itself, the
        // shortest first. What isolates with one isolates with all.
        let mut some = Vec::new();
        if has_floors {
            let mut floors: Vec<_> = relation.policies.iter().filter(|policy| !policy.permissive).collect();
            floors.sort_by_key(|policy| policy.using.as_ref().or(policy.check.as_ref()).map_or(0, String::len));
            some.push(Floors::Nothing);
            some.extend(floors.iter().take(SINGLE_FLOORS).map(|policy| Floors::Only(policy.oid)));
        }
        some.push(Floors::All);
        // What the policies of other tables say is asked only where it may matter.
        let tries = [true, false].into_iter().flat_map(|blind| some.iter().map(move |floors| (*floors, blind)));
        let (mut found_by, mut witness, mut met_shared) = (None, None, false);
        for one in tries {
            let mut trying = search(judge_shared, own_named.clone(), one);
            witness = question.ask(&mut trying, relation);
            met_shared |= trying.met_shared.get();
            asker.join(trying.take_asker());
            found_by = Some(trying);
            if witness.is_none() {
                break;
            }
        }
        let Some(mut search) = found_by else { return (found.is_some(), BTreeSet::new(), false) };
        if let Some(witness) = witness {
            let policy = question.culprit(&mut search, relation);
            asker.join(search.take_asker());
            let mut explanation = words::explain(world, &witness);
            if let Some((tenant, _)) = &own_named {
                explanation.also(&format!("the session's tenant is {}", words::quoted(tenant)));
            }
            // A certain leak says more than one that hangs on an unreadable expression.
            let better =
                found.as_ref().is_none_or(|(e, ..): &(Explanation, _, _)| e.uncertain && !explanation.uncertain);
            if better {
                found = Some((explanation, policy, question.words()));
            }
        }
        unread.append(&mut search.unread);
        (found.is_some(), search.named_keys, met_shared)
    };
    for judge_shared in [false, true] {
        let mut named = BTreeSet::new();
        let (mut leaks, mut met_shared) = (false, false);
        for question in questions {
            let (found, keys, met) = ask(question, judge_shared, None);
            leaks |= found;
            met_shared |= met;
            named.extend(keys);
        }
        // A constant is some other tenant's key, as long as that leaks; else the session's tenant may be the one it names.
        let named = named.into_iter().filter(|(key, own)| key != own && !is_shared(key)).take(NAMED);
        for (key, question) in named.flat_map(|key| questions.iter().map(move |question| (key.clone(), question))) {
            if leaks {
                break;
            }
            let (found, _, met) = ask(question, judge_shared, Some(key));
            leaks |= found;
            met_shared |= met;
        }
        // Where no key of shared rows has come up, counting them as foreign changes nothing.
        if leaks || !met_shared {
            break;
        }
    }
    match found {
        Some((explanation, policy, what)) => Decision {
            verdict: if explanation.uncertain { "may leak" } else { "leaks" },
            cause: Some(explanation.cause),
            counterexample: Some(format!("{what} {}", explanation.words)),
            policy,
            unread,
        },
        None => Decision::isolated(unread),
    }
}

/// One way a command can cross tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// SELECT, DELETE: an existing row of another tenant passes USING.
    Touch(&'static str),
    /// INSERT: a new row that claims another tenant passes WITH CHECK.
    Plant,
    /// UPDATE: a row of another tenant passes USING and its new form passes WITH CHECK. Flag: the key may be changed.
    Change { key: bool },
    /// UPDATE: the session's own row passes USING and passes WITH CHECK with another tenant's key.
    Move,
}

fn questions(world: &World<'_>, role: Oid, relation: &Relation, command: &str) -> Vec<Question> {
    match command {
        "SELECT" => vec![Question::Touch("SELECT")],
        "DELETE" => vec![Question::Touch("DELETE")],
        // A new row of the tenant table is a new tenant: its own key is unique, so it claims nobody else's.
        "INSERT" if is_tenant_table(world, relation) => Vec::new(),
        "INSERT" => vec![Question::Plant],
        _ => {
            let held = world.privileges.of(role);
            let key = world
                .tenancy
                .keys_of(relation.oid)
                .any(|(column, _)| held.on_column(relation.oid, relation.stored(column)) & privileges::UPDATE != 0)
                || world.tenancy.paths.get(&relation.oid).is_some_and(|path| {
                    path.hops.first().is_some_and(|(_, c)| held.on_column(relation.oid, *c) & privileges::UPDATE != 0)
                });
            let mut questions = vec![Question::Change { key }];
            if key {
                questions.push(Question::Move);
            }
            questions
        }
    }
}

/// The relation's only key is its own primary key.
fn is_tenant_table(world: &World<'_>, relation: &Relation) -> bool {
    let mut keys = world.tenancy.keys_of(relation.oid).peekable();
    keys.peek().is_some()
        && keys.all(|(column, key)| key.role == KeyRole::TenantTable && relation.primary_key == [column])
}

impl Question {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Touch("SELECT") => "rows of another tenant are visible",
            Self::Touch(_) => "rows of another tenant can be deleted",
            Self::Plant => "rows can be written for another tenant",
            Self::Change { .. } => "rows of another tenant can be changed",
            Self::Move => "own rows can be moved to another tenant",
        }
    }

    fn ask(self, search: &mut Search<'_>, relation: &Relation) -> Option<Witness> {
        let row = |kind| RowInfo { relation: relation.oid, kind, writable: false };
        let judged = if self == Self::Move { RowKind::Own } else { RowKind::Judged };
        search.rows.insert(JUDGED, row(judged));
        search.rows.insert(WRITTEN, row(RowKind::Written));
        search.run(&mut |search| self.goal(search, relation))
    }

    fn goal(self, search: &mut Search<'_>, relation: &Relation) -> Outcome<Value> {
        let role = search.role;
        let frame = |row| Frame::of_row(row, relation, role, role);
        // The claim itself: the judged or written row has a key that is not the session's.
        let claimed = |search: &mut Search<'_>, row| foreign_key_is_foreign(search, relation, row);
        let mut written = |search: &mut Search<'_>| match self {
            Self::Touch(_) => Ok(Value::Bool(true)),
            Self::Plant => search.permitted(relation, "INSERT", true, role, &frame(WRITTEN)),
            Self::Change { key: true } => taken_or_kept(search, relation, &frame(WRITTEN)),
            Self::Change { key: false } => search.permitted(relation, "UPDATE", true, role, &frame(JUDGED)),
            Self::Move => search.permitted(relation, "UPDATE", true, role, &frame(WRITTEN)),
        };
        let mut touched = |search: &mut Search<'_>| match self {
            Self::Touch(command) => search.permitted(relation, command, false, role, &frame(JUDGED)),
            Self::Plant => Ok(Value::Bool(true)),
            Self::Change { .. } | Self::Move => search.permitted(relation, "UPDATE", false, role, &frame(JUDGED)),
        };
        let row = if matches!(self, Self::Plant | Self::Move) { WRITTEN } else { JUDGED };
        search.conjoin(&mut [&mut touched, &mut written, &mut |search| claimed(search, row)])
    }

    /// The first permissive policy that is true under the assignment found.
    fn culprit(self, search: &mut Search<'_>, relation: &Relation) -> Option<Oid> {
        let (command, check, row) = match self {
            Self::Touch(command) => (command, false, JUDGED),
            Self::Plant => ("INSERT", true, WRITTEN),
            Self::Change { .. } => ("UPDATE", false, JUDGED),
            Self::Move => ("UPDATE", true, WRITTEN),
        };
        let world = search.world;
        let frame = Frame::of_row(row, relation, search.role, search.role);
        let (permissive, _) = world.policies(search.role, relation, command);
        let passes = |search: &mut Search<'_>, text: Option<&String>| match text {
            Some(text) => {
                let parsed = world.expression(text);
                search.truth(&parsed, &frame).is_ok_and(|v| v.is_true())
            }
            None => true,
        };
        permissive
            .iter()
            .find(|p| passes(search, if check { p.check.as_ref().or(p.using.as_ref()) } else { p.using.as_ref() }))
            .map(|p| p.oid)
    }
}

/// The new form of a changed row: WITH CHECK holds for some key the caller may write, its own tenant's included.
fn taken_or_kept(search: &mut Search<'_>, relation: &Relation, frame: &std::rc::Rc<Frame>) -> Outcome<Value> {
    let own = search.get(Var::Present(WRITTEN))?.is_true();
    let kind = if own { RowKind::Own } else { RowKind::Written };
    search.rows.insert(WRITTEN, RowInfo { relation: relation.oid, kind, writable: false });
    let role = search.role;
    search.permitted(relation, "UPDATE", true, role, frame)
}

/// Reads what says whose the row is, so that a policy without it still has a row of another tenant to judge.
pub(super) fn foreign_key_is_foreign(search: &mut Search<'_>, relation: &Relation, row: RowKey) -> Outcome<Value> {
    let world = search.world;
    // Without a key of its own a row is whose its parent is: a link to the session's own parent claims nothing.
    if let Some(&(_, hop)) = world.tenancy.paths.get(&relation.oid).and_then(|path| path.hops.first()) {
        let own = relation.column_number(hop).map(|column| super::value::own(&column.type_name));
        if Some(search.get(Var::Column(row, hop))?) == own {
            return Ok(Value::Bool(false));
        }
    }
    for column in relation.columns_and_members() {
        if world.class(relation, column, false) == Class::Key {
            search.get(Var::Owned(row))?;
            search.get(Var::Column(row, column.number))?;
        }
    }
    Ok(Value::Bool(true))
}

/// The principal can write rows of this relation for other tenants, so that they prove nothing about it.
pub(crate) fn is_writable(world: &World<'_>, principal: Oid, relation: Oid) -> bool {
    let key = (principal, relation);
    if let Some(&known) = world.writable.borrow().get(&key) {
        return known;
    }
    // A relation whose policies look itself up: assume the best while deciding it, the outer decision stands.
    if !world.deciding.borrow_mut().insert(key) {
        return false;
    }
    let writable = decide_writable(world, principal, relation);
    world.deciding.borrow_mut().remove(&key);
    world.writable.borrow_mut().insert(key, writable);
    writable
}

fn decide_writable(world: &World<'_>, principal: Oid, oid: Oid) -> bool {
    let Some(relation) = world.catalog.relations.get(&oid) else { return false };
    let held = world.privileges.of(principal);
    let writes = [("INSERT", privileges::INSERT), ("UPDATE", privileges::UPDATE)];
    writes.iter().any(|(command, right)| {
        let held = held.on_any_column(oid) & right != 0;
        held && (!world.is_bound(principal, relation)
            || decide(world, principal, principal, relation, command).verdict != "isolated")
    })
}
