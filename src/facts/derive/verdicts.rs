//! What each principal can do to rows of another tenant: policies decided, doors around them tried, the worst role kept.

use super::catalog::{Oid, PUBLIC, Relation};
use super::policy::{World, decide, outlet, through_view};
use super::principals::{Kind, Principal};
use super::privileges::{self, Rights};
use super::reach::path_text;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(crate) const COMMANDS: [(&str, Rights); 4] = [
    ("SELECT", privileges::SELECT),
    ("INSERT", privileges::INSERT),
    ("UPDATE", privileges::UPDATE),
    ("DELETE", privileges::DELETE),
];

#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) principal: Oid,
    pub(crate) relation: Oid,
    pub(crate) command: &'static str,
    pub(crate) verdict: &'static str,
    pub(crate) as_role: Oid,
    pub(crate) path: String,
    pub(crate) policy: Option<Oid>,
    pub(crate) counterexample: Option<String>,
    pub(crate) cause: Option<&'static str>,
}

/// A role a principal may act as, and how it gets there.
#[derive(Clone, Debug)]
pub(crate) struct Acting {
    pub(crate) role: Oid,
    pub(crate) path: String,
}

/// Itself, and every role it may SET ROLE to. What makes the target all-powerful is a finding about the role, not about
/// each table, so superusers and, by SET ROLE, BYPASSRLS roles are left out here.
pub(crate) fn acting_roles(world: &World<'_>, principal: &Principal) -> Vec<Acting> {
    let own = Acting { role: principal.role, path: principal.name.clone() };
    let mut roles = vec![own];
    if principal.role == PUBLIC {
        return roles;
    }
    for (to, step) in world.reach.of(principal.role) {
        let target = world.catalog.roles.get(&to);
        let powerful = target.is_none_or(|r| r.superuser || r.bypass_rls || r.name.starts_with("pg_"));
        if let (false, false, Some(path)) = (to == principal.role, powerful, &step.set_path) {
            roles.push(Acting { role: to, path: path_text(world.catalog, path) });
        }
    }
    roles
}

/// How much a verdict opens; the worst of the roles a principal may act as is kept.
fn rank(verdict: &str) -> u8 {
    match verdict {
        "denied" => 0,
        "isolated" => 1,
        "may leak" => 2,
        "leaks" => 3,
        "owner" => 4,
        "bypassrls" => 5,
        _ => 6,
    }
}

/// Decides for one principal after the other.
pub(crate) struct Judge<'w> {
    world: &'w World<'w>,
    /// Functions taken on trust, by relation.
    pub(crate) unread: BTreeMap<Oid, BTreeSet<String>>,
}

impl<'w> Judge<'w> {
    pub(crate) fn new(world: &'w World<'w>) -> Self {
        Self { world, unread: BTreeMap::new() }
    }

    /// Verdicts of one principal on every relation with tenant data and every view; of writing through a view, where it passes anything on.
    pub(crate) fn verdicts(&mut self, principal: &Principal) -> Vec<Verdict> {
        if principal.kind == Kind::Superuser {
            return Vec::new();
        }
        let acting = acting_roles(self.world, principal);
        let mut verdicts = Vec::new();
        for relation in self.world.catalog.relations.values() {
            let view = matches!(relation.kind.as_str(), "view" | "materialized view");
            let judged = match relation.kind.as_str() {
                "sequence" => false,
                _ if view => relation.provenance == "user" && self.reads_tenant_data(relation.oid, 0),
                _ => relation.provenance != "extension" && self.world.tenancy.is_tenant_data(relation.oid),
            };
            if !judged {
                continue;
            }
            for (command, right) in COMMANDS {
                let worst = acting.iter().filter_map(|acting| self.one(principal, acting, relation, command, right));
                verdicts.extend(worst.max_by_key(|v| (rank(v.verdict), v.as_role == principal.role)));
            }
        }
        verdicts
    }

    fn one(
        &mut self,
        principal: &Principal,
        acting: &Acting,
        relation: &Relation,
        command: &'static str,
        right: Rights,
    ) -> Option<Verdict> {
        let world = self.world;
        let held = world.privileges.of(acting.role);
        let may = held.on_any_column(relation.oid) & right != 0 && held.schemas_used.contains(&relation.schema_oid);
        let mut verdict = Verdict {
            principal: principal.role,
            relation: relation.oid,
            command,
            verdict: "denied",
            as_role: acting.role,
            path: acting.path.clone(),
            policy: None,
            counterexample: None,
            cause: None,
        };
        if !may {
            return None;
        }
        let decision = if matches!(relation.kind.as_str(), "view" | "materialized view") {
            match command {
                "SELECT" => outlet::view(world, principal.role, acting.role, relation),
                _ => through_view::written(world, principal.role, acting.role, relation, command, right)?,
            }
        } else if let Some(reason) = world.unbound(acting.role, relation) {
            verdict.verdict = reason;
            return Some(verdict);
        } else if world.policies(acting.role, relation, command).0.is_empty() {
            return Some(verdict);
        } else {
            decide(world, principal.role, acting.role, relation, command)
        };
        verdict.verdict = decision.verdict;
        verdict.policy = decision.policy;
        verdict.counterexample = decision.counterexample;
        verdict.cause = decision.cause;
        if !decision.unread.is_empty() {
            self.unread.entry(relation.oid).or_default().extend(decision.unread);
        }
        Some(verdict)
    }

    /// A view is built, at any depth, on tenant data.
    fn reads_tenant_data(&self, view: Oid, depth: usize) -> bool {
        depth < 16
            && self
                .world
                .catalog
                .named_by(view)
                .any(|base| self.world.tenancy.is_tenant_data(base) || self.reads_tenant_data(base, depth + 1))
    }
}

/// What a principal can read through a SECURITY DEFINER function.
#[derive(Debug)]
pub(crate) struct FunctionVerdict {
    pub(crate) principal: Oid,
    pub(crate) function: Oid,
    pub(crate) verdict: &'static str,
    pub(crate) reads: Vec<String>,
    pub(crate) counterexample: Option<String>,
}

/// Definer functions that name tenant relations, decided for every principal that may call them.
pub(crate) fn functions(world: &World<'_>, principals: &[Principal]) -> Vec<FunctionVerdict> {
    let catalog = world.catalog;
    let names = Names::new(world);
    let mut verdicts = Vec::new();
    for function in catalog
        .functions
        .values()
        .filter(|f| f.security_definer && f.returns != "trigger" && f.returns != "event_trigger")
    {
        let reads = names.tenant_relations(function.source.as_deref().unwrap_or_default());
        if reads.is_empty() {
            continue;
        }
        for principal in principals.iter().filter(|p| p.kind != Kind::Superuser) {
            let caller = acting_roles(world, principal).into_iter().find(|acting| {
                let held = world.privileges.of(acting.role);
                held.functions.contains(&function.oid) && held.schemas_used.contains(&function.schema_oid)
            });
            if caller.is_none() || principal.role == function.owner {
                continue;
            }
            let (verdict, counterexample) = if world.body(function).is_none() {
                ("unread", None)
            } else {
                let decision = outlet::function(world, principal.role, function);
                (decision.verdict, decision.counterexample)
            };
            let reads = reads.clone();
            verdicts.push(FunctionVerdict {
                principal: principal.role,
                function: function.oid,
                verdict,
                reads,
                counterexample,
            });
        }
    }
    verdicts
}

/// What a word of a function's text may name, by its name in lower case.
struct Names<'c> {
    tables: HashMap<String, Vec<&'c Relation>>,
    /// Functions and views, each with its text.
    bodies: HashMap<String, Vec<(Oid, &'c str)>>,
}

impl<'c> Names<'c> {
    fn new(world: &World<'c>) -> Self {
        let catalog = world.catalog;
        let mut names = Self { tables: HashMap::new(), bodies: HashMap::new() };
        for relation in catalog.relations.values() {
            let name = relation.name.to_lowercase();
            if relation.kind != "sequence" && world.tenancy.is_tenant_data(relation.oid) {
                names.tables.entry(name.clone()).or_default().push(relation);
            }
            if let Some(text) = relation.definition.as_deref().filter(|_| relation.kind.ends_with("view")) {
                names.bodies.entry(name).or_default().push((relation.oid, text));
            }
        }
        for function in catalog.functions.values() {
            let body = function.source.as_deref().map(|text| (function.oid, text));
            names.bodies.entry(function.name.to_lowercase()).or_default().extend(body);
        }
        names
    }

    /// Tenant relations whose name stands in a text, or in that of a function or view it names.
    fn tenant_relations(&self, text: &'c str) -> Vec<String> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![text];
        while let Some(text) = waiting.pop() {
            // What is quoted may be no word.
            let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).chain(text.split('"'));
            for word in words.map(str::to_lowercase) {
                let tables = self.tables.get(&word).into_iter().flatten();
                found.extend(tables.map(|r| (r.oid, format!("{}.{}", r.schema, r.name))));
                let bodies = self.bodies.get(&word).into_iter().flatten();
                waiting.extend(bodies.filter(|(oid, _)| seen.insert(*oid)).map(|(_, text)| *text));
            }
        }
        found.into_iter().map(|(_, name)| name).collect()
    }
}
