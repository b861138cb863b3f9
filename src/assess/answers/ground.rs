//! What the answers stand on: the verdicts of an axis, and a few facts of their own.

use super::about_declarations;
use crate::assess::scene::{Scene, counted};
use crate::assess::{Finding, Verdict};
use crate::check::{Axis, Check, CheckId, Severity};
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::BTreeMap;

/// Everything the answers are drawn from.
pub(in crate::assess) struct Ground<'a> {
    pub(in crate::assess) scene: &'a Scene,
    pub(in crate::assess) checks: &'a BTreeMap<CheckId, (Check, Verdict)>,
    /// A single tenant is declared, and facts say otherwise.
    pub(in crate::assess) refuted: bool,
    /// Checks that were not selected, by axis.
    pub(in crate::assess) left_out: &'a dyn Fn(Axis) -> usize,
    pub(in crate::assess) roles: &'a RoleFacts,
    pub(in crate::assess) logs: &'a [LogFacts],
    /// Some of what event logs are told by was hidden.
    pub(in crate::assess) logs_hidden: bool,
}

/// A table that records who did what.
#[derive(Debug)]
pub(in crate::assess) struct LogFacts {
    pub(in crate::assess) name: String,
    /// Why it is taken for one.
    pub(in crate::assess) reason: String,
    /// An agent is an actor of its own; none where that is not to be told from the catalog.
    pub(in crate::assess) names_agent: Option<bool>,
    /// What its columns say.
    pub(in crate::assess) roles: Vec<String>,
}

impl LogFacts {
    /// Those that hold actions; not what one table's rows were before, and not what was looked up.
    pub(in crate::assess) async fn read(facts: &mut Facts) -> Result<Vec<Self>, Stop> {
        let rows: Vec<(String, String, Option<bool>, String)> = sqlx::query_as(
            "select r.schema || '.' || r.name, l.reason, l.names_agent,
                    (select json_group_array(role) from event_log_columns c where c.relation = l.relation)
             from event_logs l join relations r on r.oid = l.relation
             where l.purpose in ('audit', 'tool calls') order by r.schema, r.name",
        )
        .fetch_all(facts.connection())
        .await?;
        let log = |(name, reason, names_agent, roles): (String, String, Option<bool>, String)| Self {
            name,
            reason,
            names_agent,
            roles: serde_json::from_str(&roles).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(log).collect())
    }

    /// What it lacks to be asked for every action on somebody's behalf in some month.
    pub(super) fn lacks(&self, single_tenant: bool) -> Vec<&'static str> {
        let has = |roles: &[&str]| roles.iter().any(|role| self.roles.iter().any(|own| own == role));
        let parts: [(&str, bool); 4] = [
            ("when", has(&["time"])),
            ("who", has(&["actor", "actor kind", "act chain", "database role"])),
            ("what", has(&["action", "tool", "object", "before", "after", "payload"])),
            ("for whom", single_tenant || has(&["tenant", "acting for tenant", "on behalf of"])),
        ];
        parts.into_iter().filter(|(_, there)| !there).map(|(part, _)| part).collect()
    }
}

/// Who there is, and what agents may become.
#[derive(Debug, Default)]
pub(in crate::assess) struct RoleFacts {
    /// Roles of the user's own.
    pub(in crate::assess) roles: usize,
    /// Logins known to be agents', each with the ways to the roles it may become.
    pub(in crate::assess) agents: BTreeMap<String, Vec<String>>,
    /// Of these, the superusers and those that may become one.
    pub(in crate::assess) superusers: Vec<String>,
}

impl RoleFacts {
    pub(in crate::assess) async fn read(facts: &mut Facts) -> Result<Self, Stop> {
        let roles: i64 = sqlx::query_scalar("select count(*) from roles where provenance = 'user'")
            .fetch_one(facts.connection())
            .await?;
        let rows: Vec<(String, Option<String>)> = sqlx::query_as(
            "select p.name, reach.path from principals p
             left join role_reach reach on reach.role = p.role and reach.reaches <> p.role and (reach.can_set = 1 or reach.inherits = 1)
             where p.purpose = 'agent' and p.kind in ('login', 'superuser') order by p.name, reach.path",
        )
        .fetch_all(facts.connection())
        .await?;
        let mut agents: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (agent, path) in rows {
            agents.entry(agent).or_default().extend(path);
        }
        let superusers = sqlx::query_scalar(
            "select p.name from principals p
             where p.purpose = 'agent' and p.kind in ('login', 'superuser')
               and exists (select 1 from role_reach reach join roles r on r.oid = reach.reaches and r.superuser = 1
                           where reach.role = p.role and (reach.reaches = p.role or reach.can_set = 1))
             order by p.name",
        )
        .fetch_all(facts.connection())
        .await?;
        Ok(Self { roles: usize::try_from(roles).unwrap_or_default(), agents, superusers })
    }
}

/// The verdicts of one axis.
pub(super) struct Verdicts<'a> {
    pub(super) count: usize,
    /// Of its checks, those not selected.
    pub(super) left_out: usize,
    /// Checks that did not see everything.
    pub(super) half_seen: usize,
    pub(super) findings: Vec<&'a Finding>,
}

impl<'a> Ground<'a> {
    pub(super) fn verdicts(&self, axis: Axis) -> Verdicts<'a> {
        let of_axis: Vec<_> = self
            .checks
            .values()
            .filter(|(check, _)| check.axis == axis && !about_declarations(check))
            .map(|(_, verdict)| verdict)
            .collect();
        Verdicts {
            count: of_axis.len(),
            left_out: (self.left_out)(axis),
            half_seen: of_axis.iter().filter(|verdict| !verdict.causes().is_empty()).count(),
            // A waiver accepts what is there; it does not make the answer another one.
            findings: of_axis.iter().flat_map(|verdict| verdict.findings()).collect(),
        }
    }
}

impl Verdicts<'_> {
    /// By what the checks say, not by what the stage makes of it: the question is the same at every stage.
    /// "2 critical and 1 high finding, the worst: …", where there is one.
    pub(super) fn serious(&self) -> Option<String> {
        let count = |severity| self.findings.iter().filter(|finding| finding.unscaled == severity).count();
        let (critical, high) = (count(Severity::Critical), count(Severity::High));
        let worst = self
            .findings
            .iter()
            .filter(|finding| finding.unscaled >= Severity::High)
            .min_by_key(|finding| (std::cmp::Reverse(finding.unscaled), &finding.object, &finding.message))?;
        let counts = match (critical, high) {
            (_, 0) => format!("{critical} critical"),
            (0, _) => format!("{high} high"),
            _ => format!("{critical} critical and {high} high"),
        };
        let noun = if critical + high == 1 { "finding" } else { "findings" };
        Some(format!("{counts} {noun}, the worst: {}", worst.message))
    }

    /// ", 3 lesser findings aside", where there are any.
    pub(super) fn lesser(&self) -> String {
        if self.findings.is_empty() {
            String::new()
        } else {
            format!(", {} aside", counted(self.findings.len(), "lesser finding"))
        }
    }

    /// Why the checks of this axis leave the question open, where they do.
    pub(super) fn open(&self) -> Option<String> {
        if self.half_seen > 0 {
            return Some(format!("{} could not see everything", counted(self.half_seen, "check")));
        }
        if self.count == 0 && self.left_out == 0 {
            return Some("no check looks at this axis".to_owned());
        }
        let all = || counted(self.count + self.left_out, "check");
        (self.left_out > 0).then(|| format!("only {} of {} on this axis were run", self.count, all()))
    }
}
