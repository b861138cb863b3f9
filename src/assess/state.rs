//! What a finding is like at the moment: the part of it that a waiver accepts and a baseline knows.
//!
//! A fingerprint names a finding whatever becomes of it. Its state is a hash over how bad it is, the words of its
//! evidence (the logins, the way, the counterexample; never a count) and the expressions of its object: policies, row
//! security and the query of a relation, the body of a function, the rights of a role. So a policy that gets worse under
//! a waiver is not what was accepted.

use super::Finding;
use crate::error::Stop;
use crate::facts::Facts;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Expressions by kind (`relation`, `function` or the kind itself), schema and name.
#[derive(Debug, Default)]
pub(super) struct Expressions(Option<HashMap<(String, String, String), String>>);

/// Policies in the order of their names, without which the same set would not always read the same.
const EXPRESSIONS: &str = "
    with named as materialized (
      select t.policy, group_concat(coalesce(o.name, 'public'), ',' order by o.name) as roles
      from policy_roles t left join roles o on o.oid = t.role group by t.policy
    ), called as materialized (
      select d.policy, group_concat(f.source, x'00' order by f.oid) as sources
      from policy_dependencies d join functions f on f.oid = d.object
      where d.object_kind = 'function' and f.provenance = 'user' group by d.policy
    ), said as materialized (
      select p.relation, p.name || x'00' || p.permissive || p.command || x'00' || coalesce(p.using_expression, '') || x'00'
               || coalesce(p.check_expression, '') || x'00' || coalesce(n.roles, '') || coalesce(c.sources, '') as text
      from policies p left join named n on n.policy = p.oid left join called c on c.policy = p.oid
    ), together as materialized (
      select relation, group_concat(text, x'0a' order by text) as text from said group by relation
    )
    select 'relation', r.schema, r.name,
           r.rls || r.force_rls || r.security_invoker || coalesce(r.definition, '') || coalesce(t.text, '')
    from relations r left join together t on t.relation = r.oid where r.provenance = 'user'
    union all
    select 'function', f.schema, f.name || '(' || f.signature || ')',
           f.security_definer || f.leakproof || coalesce(f.search_path, '') || x'00' || coalesce(f.source, '')
    from functions f where f.provenance = 'user'
    union all
    select 'role', '', r.name,
           r.superuser || r.inherit || r.create_role || r.create_db || r.login || r.replication || r.bypass_rls || coalesce((
             select group_concat(path, x'00' order by path) from role_reach where role = r.oid), '')
    from roles r where r.provenance = 'user'";

impl Expressions {
    /// Sets the state of a finding. Reads the expressions when the first of them is asked for.
    pub(super) async fn assign(&mut self, finding: &mut Finding, facts: &mut Facts) -> Result<(), Stop> {
        if self.0.is_none() {
            let rows: Vec<(String, String, String, String)> =
                sqlx::query_as(EXPRESSIONS).fetch_all(facts.connection()).await?;
            self.0 = Some(rows.into_iter().map(|(kind, schema, name, text)| ((kind, schema, name), text)).collect());
        }
        let object = &finding.object;
        let schema = object.schema.clone().unwrap_or_default();
        let kind = match object.kind.as_str() {
            "function" | "procedure" | "aggregate" | "window" => "function",
            "role" => "role",
            _ => "relation",
        };
        let expressions = self.0.as_ref().and_then(|all| all.get(&(kind.to_owned(), schema, object.name.clone())));
        finding.state = state(finding, expressions.map_or("", String::as_str));
        Ok(())
    }
}

fn state(finding: &Finding, expressions: &str) -> String {
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    field(&finding.fingerprint.0);
    field(&finding.unscaled.to_string());
    for (name, value) in &finding.facts {
        if let Value::String(words) = value {
            field(name);
            field(words);
        }
    }
    field(expressions);
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
