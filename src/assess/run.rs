//! Every selected check against the facts, and what follows.

use super::answers::{self, Ground, LogFacts, RoleFacts};
use super::judge::outcome;
use super::ladder::{Ladder, stage_in_force};
use super::origin::Origins;
use super::scene::{self, Scene, Tenancy};
use super::state::Expressions;
use super::{Assessment, AxisAnswer, Cause, Declared, Outcome, RoleGraph, Verdict, advice, graph, pardon, stage};
use crate::check::{Axis, Check, CheckId, Library, Row, evaluate_all, needs};
use crate::config::{Config, today};
use crate::error::Stop;
use crate::facts::Facts;
use crate::yaml::Mistakes;
use std::collections::BTreeMap;

/// Assesses facts that were collected and derived. A check that cannot run is undecided and costs only itself;
/// an error means that the facts themselves are unusable.
pub async fn run(facts: &mut Facts, library: &Library, config: &Config) -> Result<Assessment, Stop> {
    let mut run = Run::new(facts, config).await?;
    let (last, rest): (Vec<_>, Vec<_>) = library.iter().partition(|check| check.rests_on.contains("answers"));
    // Those that apply to a single tenant come first: what they find decides whether the others apply.
    let (first, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|check| check.applies_to_single_tenant);
    run.judge(&first, facts).await?;
    run.see_whether_single();
    run.judge_where_they_apply(rest, facts).await?;
    let mut axes = run.answer(library, facts).await?;
    run.judge_where_they_apply(last, facts).await?;
    let graphs = graph::of_agents(facts).await?;
    let audit = axes.iter().find(|axis| axis.axis == Axis::Audit).map(|axis| axis.answer);
    let stage =
        stage::Stage::read(facts, &run.ladder, run.declared.stage, audit, &|tables| run.scene.hidden(tables)).await?;
    run.place(&mut axes, &stage);
    Ok(run.conclude(axes, graphs, stage))
}

/// The same as far as the answers, which are then facts: for the proofs of checks that rest on them.
pub async fn answered(facts: &mut Facts, library: &Library, config: &Config) -> Result<(), Stop> {
    run(facts, library, config).await.map(drop)
}

struct Run<'a> {
    scene: Scene,
    ladder: Ladder,
    config: &'a Config,
    declared: Declared,
    checks: BTreeMap<CheckId, (Check, Verdict)>,
    expressions: Expressions,
    origins: Origins,
    notes: Vec<String>,
    /// There is something that checks of declarations could be about.
    declares: bool,
    /// A single tenant is declared, and something shows that there are more.
    refuted: bool,
}

impl<'a> Run<'a> {
    async fn new(facts: &mut Facts, config: &'a Config) -> Result<Self, Stop> {
        let scene = Scene::read(facts).await?;
        let mut notes = scene::left_out(facts).await?;
        let Config { stage, regimes, owners, attestations, statements, .. } = config;
        let answered = !attestations.is_empty() || !statements.is_empty();
        let declares = stage.is_some() || !regimes.is_empty() || !owners.is_empty() || answered;
        let in_force = stage_in_force(*stage, regimes, scene.tenancy == Tenancy::Multi);
        if let (Some(declared), Some(in_force)) = (stage, in_force)
            && *declared < in_force
        {
            let by = if regimes.is_empty() {
                "several tenants share the database".to_owned()
            } else {
                format!("{} applies", regimes.iter().map(|regime| regime.name()).collect::<Vec<_>>().join(", "))
            };
            notes.push(format!("declared at stage {declared}, judged at stage {in_force}: {by}"));
        }
        let declared = Declared { stage: *stage, regimes: regimes.clone(), in_force };
        let ladder = Ladder::embedded()?;
        let origins = Origins::read(facts).await?;
        let (checks, expressions) = (BTreeMap::new(), Expressions::default());
        Ok(Self { scene, ladder, config, declared, checks, expressions, origins, notes, declares, refuted: false })
    }

    fn see_whether_single(&mut self) {
        let found = |(_, verdict): &(Check, Verdict)| !verdict.findings().is_empty();
        self.refuted = self.scene.tenancy == Tenancy::Single && self.checks.values().any(found);
        if self.refuted {
            self.notes.push(
                "declared single-tenant, yet more than one tenant shows; tenant isolation was checked".to_owned(),
            );
        }
    }

    async fn judge_where_they_apply(&mut self, checks: Vec<&Check>, facts: &mut Facts) -> Result<(), Stop> {
        let mut apply = Vec::new();
        for check in checks {
            match self.why_not(check) {
                Some(reason) => {
                    self.checks.insert(check.id.clone(), (check.clone(), Verdict::NotApplicable(reason)));
                }
                None => apply.push(check),
            }
        }
        self.judge(&apply, facts).await
    }

    /// Why a check has nothing to say here.
    fn why_not(&self, check: &Check) -> Option<String> {
        if !self.declares && answers::about_declarations(check) {
            return Some("govctl.yaml declares no stage, no owner and no answer".to_owned());
        }
        let single = self.scene.tenancy == Tenancy::Single && !self.refuted;
        (single && check.axis == Axis::TenantIsolation)
            .then(|| format!("a single tenant: {}", self.scene.tenancy_reason))
    }

    async fn judge(&mut self, checks: &[&Check], facts: &mut Facts) -> Result<(), Stop> {
        let rows = evaluate_all(checks, facts).await?;
        for (check, rows) in checks.iter().zip(rows) {
            let mut verdict = self.verdict(check, rows);
            if let Verdict::Fail { findings, .. } = &mut verdict {
                for finding in findings.iter_mut() {
                    self.expressions.assign(finding, facts).await?;
                    finding.introduced = finding.introduced.take().or_else(|| self.origins.of(finding));
                    // What is declared weighs the same at every stage: it is about no posture.
                    if !answers::about_declarations(check) {
                        finding.severity = self.ladder.weigh(check.axis, self.declared.in_force, finding.unscaled);
                    }
                }
                findings.sort_by(|a, b| (b.severity, &a.object, &a.message).cmp(&(a.severity, &b.object, &b.message)));
            }
            self.checks.insert(check.id.clone(), ((*check).clone(), verdict));
        }
        Ok(())
    }

    /// A finding stands whatever else was hidden; silence counts only where everything was seen.
    fn verdict(&self, check: &Check, rows: Result<Vec<Row>, Mistakes>) -> Verdict {
        let Outcome { findings, mut undecided } = match rows.and_then(|rows| outcome(check, rows)) {
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
        let tables = &check.rests_on;
        undecided.extend(self.scene.hidden(tables));
        // Without a folder of migrations the question about them does not arise.
        if let Some(cause) = undecided.iter().find(|cause| findings.is_empty() && cause.needs == "--migrations DIR") {
            return Verdict::NotApplicable(cause.what.clone());
        }
        let by_key = check.axis == Axis::TenantIsolation && tables.contains("tenancy");
        if self.scene.tenancy == Tenancy::None && by_key {
            undecided.push(self.no_tenant_key());
        }
        if self.scene.tenancy == Tenancy::Schemas && by_key && findings.is_empty() && undecided.is_empty() {
            return Verdict::NotApplicable(format!("a schema for each tenant: {}", self.scene.tenancy_reason));
        }
        match (findings.is_empty(), undecided.is_empty()) {
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::Undecided(undecided),
            (false, _) => Verdict::Fail { findings, hidden: undecided },
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

    /// The four answers, which from here on are facts too.
    async fn answer(&self, library: &Library, facts: &mut Facts) -> Result<Vec<AxisAnswer>, Stop> {
        let roles = RoleFacts::read(facts).await?;
        let logs = LogFacts::read(facts).await?;
        let ground = Ground {
            scene: &self.scene,
            checks: &self.checks,
            refuted: self.refuted,
            left_out: &|axis| library.left_out(axis),
            roles: &roles,
            logs: &logs,
            logs_hidden: !self.scene.hidden(&needs::of("event_logs")).is_empty(),
        };
        let axes = answers::all(&self.ladder, &ground, self.config, today(), self.declared.in_force);
        let rows = axes.iter().map(|it| {
            vec![it.axis.to_string(), it.found.name().to_owned(), it.answer.name().to_owned(), it.reason.clone()]
        });
        facts.insert("answers", &["axis", "found", "answer", "reason"], rows.collect()).await?;
        Ok(axes)
    }

    /// Where no stage is declared, the one the database has reached says what it asks of each axis. Only a declared one
    /// changes what a finding weighs.
    fn place(&self, axes: &mut [AxisAnswer], stage: &stage::Stage) {
        let Some(reached) = stage.history.max(stage.evidenced).filter(|_| self.declared.in_force.is_none()) else {
            return;
        };
        // More than one tenant is stage 2, whatever of it is still missing.
        let reached = if self.scene.tenancy == Tenancy::Multi { reached.max(2) } else { reached };
        for answer in axes {
            let rung = self.ladder.rungs().find(|(axis, _)| *axis == answer.axis).map(|(_, rung)| rung);
            answer.posture = rung.map(|rung| rung.at(reached));
            answer.required = rung.map(|rung| rung.target(reached));
        }
    }

    fn conclude(mut self, axes: Vec<AxisAnswer>, graphs: Vec<RoleGraph>, stage: stage::Stage) -> Assessment {
        let warnings = pardon::apply(&mut self.checks, self.config, today());
        if let Some(baseline) = &self.config.baseline {
            let gone = baseline.gone(self.checks.values().flat_map(|(_, verdict)| verdict.findings()));
            if gone > 0 {
                self.notes.push(format!("{gone} of {} findings in the baseline are gone", baseline.len()));
            }
        }
        let advice = advice::advise(&axes, &self.checks);
        Assessment {
            tenancy: self.scene.tenancy_in_words(),
            target: self.scene.target,
            checks: self.checks,
            declared: self.declared,
            stage,
            axes,
            advice,
            graphs,
            warnings,
            notes: self.notes,
        }
    }
}
