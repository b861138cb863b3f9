//! Every selected check against the facts, and what follows.

use super::scene::{self, Scene, Tenancy};
use super::tenant_isolation::Circumstances;
use super::{Assessment, Cause, Outcome, Verdict, judge, tenant_isolation};
use crate::check::{Axis, Check, Library, needs};
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::BTreeMap;

/// Assesses facts that were collected and derived. A check that cannot run is undecided and costs only itself;
/// an error means that the facts themselves are unusable.
pub async fn run(facts: &mut Facts, library: &Library, config: &Config) -> Result<Assessment, Stop> {
    let scene = Scene::read(facts).await?;
    let mut run = Run { scene, notes: scene::left_out(facts).await?, half_seen: Vec::new(), config };
    // Those that apply to a single tenant come first: what they find decides whether the others apply.
    let (first, rest): (Vec<_>, Vec<_>) = library.iter().partition(|check| check.applies_to_single_tenant);
    let mut checks = BTreeMap::new();
    for check in first {
        let verdict = run.verdict(check, facts).await;
        checks.insert(check.id.clone(), (check.clone(), verdict));
    }
    let refuted =
        run.scene.tenancy == Tenancy::Single && checks.values().any(|(_, verdict)| matches!(verdict, Verdict::Fail(_)));
    if refuted {
        run.notes
            .push("declared single-tenant, yet more than one tenant shows; tenant isolation was checked".to_owned());
    }
    for check in rest {
        let moot = run.scene.tenancy == Tenancy::Single && check.axis == Axis::TenantIsolation && !refuted;
        let verdict = if moot {
            Verdict::NotApplicable(format!("a single tenant: {}", run.scene.tenancy_reason))
        } else {
            run.verdict(check, facts).await
        };
        checks.insert(check.id.clone(), (check.clone(), verdict));
    }
    let axis = Axis::TenantIsolation;
    let circumstances = Circumstances {
        scene: &run.scene,
        refuted,
        left_out: library.left_out(axis),
        half_seen: run.half_seen.iter().filter(|seen| **seen == axis).count(),
    };
    let axes = vec![tenant_isolation::answer(&checks, &circumstances)];
    Ok(Assessment { target: run.scene.target, checks, axes, notes: run.notes })
}

struct Run<'a> {
    scene: Scene,
    notes: Vec<String>,
    /// The axis of each check that found something and did not see everything.
    half_seen: Vec<Axis>,
    config: &'a Config,
}

impl Run<'_> {
    /// A finding stands whatever else was hidden; silence counts only where everything was seen.
    async fn verdict(&mut self, check: &Check, facts: &mut Facts) -> Verdict {
        let Outcome { findings, mut undecided } = match judge(check, facts).await {
            Ok(outcome) => outcome,
            Err(mistakes) => {
                let cause = Cause {
                    kind: "bad-check",
                    what: mistakes.in_words(),
                    needs: format!("a correction of {}", mistakes.path),
                };
                return Verdict::Undecided(vec![cause]);
            }
        };
        let tables = needs::of(&check.sql);
        undecided.extend(self.scene.hidden(&tables));
        if self.scene.tenancy == Tenancy::None && check.axis == Axis::TenantIsolation && tables.contains("tenancy") {
            undecided.push(self.no_tenant_key());
        }
        match (findings.is_empty(), undecided.is_empty()) {
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::Undecided(undecided),
            (false, true) => Verdict::Fail(findings),
            (false, false) => {
                let notes = undecided.iter().map(|cause| {
                    format!(
                        "{} found something, and did not see everything: {}; needs {}",
                        check.id, cause.what, cause.needs
                    )
                });
                self.notes.extend(notes);
                self.half_seen.push(check.axis);
                Verdict::Fail(findings)
            }
        }
    }

    /// Where no table is known to be tenant data, silence about tenant data means nothing.
    fn no_tenant_key(&self) -> Cause {
        let keys = &self.config.tenancy.keys;
        let needs = if keys.is_empty() {
            "in govctl.yaml, the tenant key `tenancy: {keys: [shop_id]}`, or `tenancy: {mode: single}`".to_owned()
        } else {
            format!("in govctl.yaml, `tenancy.keys` that exist: no table has {}", keys.join(" or "))
        };
        Cause {
            kind: "no-tenant-key",
            what: "no tenant key was found, so no table is known to hold tenant data".to_owned(),
            needs,
        }
    }
}
