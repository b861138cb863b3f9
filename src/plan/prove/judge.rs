//! What a plan did to a copy.

use super::apply::Migrator;
use super::bench::Bench;
use super::catalog::Catalog;
use super::copy::said;
use super::seed::{self, Seed, partitions};
use super::tenants::{self, Scene};
use crate::assess::{self, Assessment, Finding};
use crate::check::{Check, Library, Severity};
use crate::config::Config;
use crate::error::Stop;
use crate::facts::{Facts, derive};
use crate::plan::ddl::{self, Action, Ddl};
use crate::plan::guard;
use crate::plan::structures;
use crate::plan::{Plan, Proof, Unproved};
use crate::target::refusal;
use crate::ui::progress::Progress;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How many differences between two catalogs are told.
const TOLD: usize = 12;

/// Columns that the plan holds to have a value: rows without one stop it, which says nothing about the plan.
fn held(plan: &Plan) -> HashSet<(String, String)> {
    let mut held = HashSet::new();
    for statement in plan.steps.iter().flat_map(|step| &step.up) {
        let Ddl::AlterTable { table, actions } = ddl::read(guard::inner(statement)) else { continue };
        for action in actions {
            if let Action::SetNotNull(column) = action {
                held.insert((table.said(), column));
            }
        }
    }
    held
}

/// Seeds the copy, runs the plan on it forth, once more and back, and looks each time. Gives also whether it may be that only
/// an owner who is bound by row security cannot run it, and the original's is not.
pub(super) async fn judge(
    plan: &Plan,
    original: &mut Facts,
    config: &Config,
    library: &Library,
    (bench, exempt): (&mut Bench, bool),
    progress: &dyn Progress,
) -> Result<(Proof, bool), Stop> {
    let mut proof = Proof { remaining: bench.copied.notes.clone(), ..Proof::default() };
    let migrator = Migrator::find(original, exempt, bench).await?;
    partitions::make(original, &mut bench.connection).await?;
    let mut before = bench.facts(original).await?;
    derive::derive(&mut before, config).await?;
    let catalog_before = Catalog::read(&mut before).await?;

    progress.begin("Filling the copy with rows of two tenants", None);
    let mut seeded = seed::seed(&mut before, &mut bench.connection, &HashSet::new(), held(plan)).await?;
    seeded.superuser.clone_from(&bench.copied.superuser);
    refresh(&mut before, &mut bench.connection).await?;
    let own_before = tenants::own_rows(&Scene::read(&mut before).await?, &seeded, &mut bench.connection).await?;

    let rows_before = counted(&seeded, &mut bench.connection).await?;
    progress.begin("Running the plan on the copy", None);
    let steps: Vec<_> = plan.steps.iter().collect();
    let applied = migrator.apply(&steps, false, bench).await?;
    proof.remaining.extend(applied.helped);
    if let Some(why) = applied.failed {
        proof.failed.push(why);
        return Ok((proof, migrator.is_weaker));
    }
    proof.held.push(match &migrator.stands_for {
        Some(stands_for) => format!("{} steps ran; {stands_for}", steps.len()),
        None => format!("{} steps ran as {}, who owns the tables", steps.len(), migrator.role()),
    });

    progress.begin("Looking at what came of it", None);
    let mut after = bench.facts(original).await?;
    derive::derive(&mut after, config).await?;
    let catalog_after = Catalog::read(&mut after).await?;
    let assessment = assess::run(&mut after, library, config).await?;
    proof.stage = assessment.stage.evidenced;
    let open = remains(plan.to, &assessment, &mut proof);
    for meant in structures::meant(&mut after, config).await? {
        let same = proof.remaining.iter_mut().find(|it| (&it.check, &it.object) == (&meant.check, &meant.object));
        same.into_iter().for_each(|it| it.why.clone_from(&meant.why));
    }
    not_shown(plan.to, original, (&mut before, &assessment), library, config, &mut proof).await?;

    progress.begin("Trying to cross from tenant to tenant", None);
    let known: HashSet<_> = seeded.tables.iter().map(|table| table.plain.clone()).collect();
    let lost = lost(&rows_before, &seeded, &mut bench.connection).await?;
    proof.failed.extend(lost);
    let first = tenants::of_the_first(&mut before, &mut after, &seeded, &own_before, bench, &mut proof).await?;
    let known = if first { HashSet::new() } else { known };
    let own_before = if first { tenants::Seen::new() } else { own_before };
    let new = seed::seed(&mut after, &mut bench.connection, &known, HashSet::new()).await?;
    seeded.refused.retain(|(name, _)| new.refused.iter().any(|(other, _)| other == name));
    if first {
        seeded.tables.clear();
    }
    seeded.refused.extend(new.refused);
    seeded.tables.extend(new.tables);
    seeded.tenants = new.tenants;
    refresh(&mut after, &mut bench.connection).await?;
    let more = seed::more(&mut after).await?;
    let scene = Scene::read(&mut after).await?;
    tenants::attempts(&scene, &seeded, &own_before, &more, &open, &mut bench.connection, &mut proof).await?;

    nobodys(plan, &mut proof);

    progress.begin("Running the plan once more", None);
    let again = migrator.apply(&steps, false, bench).await?;
    let only_now = again.helped.iter().filter(|it| !proof.remaining.contains(it));
    let refused: Vec<_> = only_now.map(|it| format!("a second run is not quiet: {}: {}", it.object, it.why)).collect();
    proof.failed.extend(refused);
    let mut facts = bench.facts(original).await?;
    let changes = catalog_after.until(&Catalog::read(&mut facts).await?);
    match again.failed {
        Some(why) => proof.failed.push(format!("a second run is not quiet: {why}")),
        None if changes.is_empty() => proof.held.push("a second run changes nothing".to_owned()),
        None => proof.failed.extend(told("a second run changes", &changes)),
    }

    progress.begin("Taking it back", None);
    let back: Vec<_> = plan.steps.iter().rev().collect();
    let undone = migrator.apply(&back, true, bench).await?;
    let helped = undone.helped.into_iter().filter(|it| !proof.remaining.contains(it));
    let helped: Vec<_> = helped.map(|it| Unproved { object: format!("the way back of {}", it.object), ..it }).collect();
    proof.remaining.extend(helped);
    let mut facts = bench.facts(original).await?;
    let changes = catalog_before.until(&Catalog::read(&mut facts).await?);
    let wholly = plan.steps.iter().all(|step| step.reversible);
    match undone.failed {
        Some(why) => proof.failed.push(why),
        None if changes.is_empty() => proof.held.push("the way back restores the catalog".to_owned()),
        None if wholly => proof.failed.extend(told("the way back leaves", &changes)),
        // The plan says so itself.
        None => proof.remaining.extend(told("the way back leaves", &changes).map(|why| {
            let object = "steps that cannot wholly be undone".to_owned();
            Unproved { check: "way back".to_owned(), object, why }
        })),
    }
    proof.remaining.sort();
    proof.remaining.dedup();
    Ok((proof, false))
}

/// Sentences for differences; of many, the first.
fn told(head: &'static str, changes: &[String]) -> impl Iterator<Item = String> {
    let more = changes.len().saturating_sub(TOLD);
    let more = (more > 0).then(|| format!("{head} {more} things more"));
    let all = changes.iter().take(TOLD).map(move |change| format!("{head} {change}"));
    all.chain(more).collect::<Vec<_>>().into_iter()
}

/// Open findings up to a stage that are more than worth knowing.
fn open(stage: u8, assessment: &Assessment) -> Vec<(&Check, &Finding)> {
    let all = assessment.findings().into_iter();
    all.filter(|(check, finding)| check.stage <= stage && finding.severity > Severity::Info)
        .filter(|(_, finding)| !partitions::is_stand_in(&finding.object.name))
        .collect()
}

/// What is left to find, and criteria of the stage that do not hold. Gives the objects that findings are about.
fn remains(stage: u8, assessment: &Assessment, proof: &mut Proof) -> BTreeSet<String> {
    let found = open(stage, assessment);
    for (check, finding) in &found {
        let why = finding.message.clone();
        proof.remaining.push(Unproved { check: check.id.0.clone(), object: finding.object.to_string(), why });
    }
    let criteria = assessment.stage.criteria.iter().filter(|it| it.stage <= stage && it.holds != Some(true));
    for criterion in criteria {
        proof.remaining.push(Unproved {
            check: format!("stage {}", criterion.stage),
            object: criterion.name.clone(),
            why: criterion.evidence.first().cloned().unwrap_or_else(|| "nothing shows it".to_owned()),
        });
    }
    let mut causes = BTreeMap::<_, Vec<_>>::new();
    for (check, cause) in assessment.undecided().into_iter().filter(|(check, _)| check.stage <= stage) {
        causes.entry(&cause.what).or_default().push(&check.id);
    }
    for (what, checks) in causes {
        let object = match checks.as_slice() {
            [one] => one.to_string(),
            many => format!("{} checks", many.len()),
        };
        proof.remaining.push(Unproved { check: "undecided".to_owned(), object, why: what.clone() });
    }
    found.iter().map(|(_, finding)| finding.object.to_string()).collect()
}

/// Findings of the original that the copy did not show before the plan: that they are gone afterwards says nothing.
async fn not_shown(
    stage: u8,
    original: &mut Facts,
    (before, after): (&mut Facts, &Assessment),
    library: &Library,
    config: &Config,
    proof: &mut Proof,
) -> Result<(), Stop> {
    // The answers are facts once a run has ended, and each run writes them anew.
    original.run("delete from answers").await?;
    let of_original = assess::run(original, library, config).await?;
    let of_copy = assess::run(before, library, config).await?;
    let shown: HashSet<_> = of_copy
        .findings()
        .into_iter()
        .chain(after.findings())
        .map(|(_, finding)| finding.fingerprint.clone())
        .collect();
    for (check, finding) in open(stage, &of_original) {
        if !shown.contains(&finding.fingerprint) {
            let why = format!("the copy does not show it, so that the plan ends it is not proved: {}", finding.message);
            proof.remaining.push(Unproved { check: check.id.0.clone(), object: finding.object.to_string(), why });
        }
    }
    Ok(())
}

/// A log's rows that said no tenant are nobody's afterwards: that is what the plan asked, and no fault of it.
fn nobodys(plan: &Plan, proof: &mut Proof) {
    let closed = plan.steps.iter().flat_map(|step| &step.closes).filter(|it| it.check == "audit/log-without-tenant");
    let logs: BTreeSet<&String> = closed.map(|it| &it.object).collect();
    let (those, failed) = std::mem::take(&mut proof.failed).into_iter().partition::<Vec<_>, _>(|line| {
        logs.iter().any(|log| line.contains(" of its own tenant's ") && line.ends_with(&format!(" rows in {log}")))
    });
    proof.failed = failed;
    proof.remaining.extend(those.into_iter().map(|line| Unproved {
        check: "tenants".to_owned(),
        object: line.rsplit(" rows in ").next().unwrap_or_default().to_owned(),
        why: format!("{line}: those that were there said no tenant"),
    }));
}

/// Rows of each table that was filled: as many as there are, or why they cannot be counted. A row may have gone again by a trigger.
async fn counted(seed: &Seed, connection: &mut PgConnection) -> Result<BTreeMap<String, Result<i64, String>>, Stop> {
    let mut counted = BTreeMap::new();
    for table in &seed.tables {
        let sql = format!("select count(*) from {}", table.sql);
        // AssertSqlSafe: a quoted name.
        let is = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(&mut *connection).await.and_then(|row| row.try_get(0));
        let is = match is {
            Err(error) if refusal::is_lost(&error) => return Err(refusal::lost(error)),
            is => is.map_err(|error| said(&error)),
        };
        counted.insert(table.plain.clone(), is);
    }
    Ok(counted)
}

/// Rows that the plan has lost.
async fn lost(
    before: &BTreeMap<String, Result<i64, String>>,
    seed: &Seed,
    connection: &mut PgConnection,
) -> Result<Vec<String>, Stop> {
    let after = counted(seed, connection).await?;
    let lost = before.iter().filter_map(|(table, had)| match (had, after.get(table)?) {
        (Ok(had), Ok(is)) if is < had => Some(format!("{table} had {had} rows and has {is}")),
        (Ok(_), Err(why)) => Some(format!("the rows of {table} cannot be counted any more: {why}")),
        _ => None,
    });
    Ok(lost.collect())
}

/// Materialized views with what is in the tables now; one that cannot be filled shows nothing to anybody.
async fn refresh(facts: &mut Facts, connection: &mut PgConnection) -> Result<(), Stop> {
    let views: Vec<(String, String)> = sqlx::query_as(
        "select schema, name from relations where kind = 'materialized view' and provenance = 'user' order by oid",
    )
    .fetch_all(facts.connection())
    .await?;
    for (schema, name) in views {
        let sql = format!("refresh materialized view {}", crate::check::quote::relation(Some(&schema), &name));
        super::apply::run(connection, sql).await?;
    }
    Ok(())
}
