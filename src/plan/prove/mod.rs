//! A plan, proved: made on a copy of the schema, and looked at afterwards.
//!
//! ```text
//! facts ─► copy ─► seed ─► steps, as the owner ─► facts of the copy ─► judge: stage, findings, tenants, again, back
//! ```

mod apply;
mod bench;
mod catalog;
pub mod copy;
mod judge;
mod look;
mod seed;
mod tenants;

pub use catalog::Catalog;

use super::{Plan, Proof, Step, Unproved};
use crate::check::Library;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::{Facts, derive};
use crate::target::scratch::Scratch;
use crate::ui::progress::Progress;
use apply::Migrator;
use bench::Bench;

/// A database as it would be after some steps.
#[derive(Debug)]
pub struct After {
    /// Its facts, derived. What hangs on rows, on the server and on history is as before.
    pub facts: Facts,
    /// What the copy lacks, and what only a superuser could run.
    pub notes: Vec<Unproved>,
    /// As whom the steps were run, where that is not simply the owner.
    pub remarks: Vec<String>,
    /// The step that was refused, and why; those after it were not run.
    pub failed: Option<String>,
}

/// Copies the schema that `facts` say, runs the steps on the copy, and collects and derives the facts of what is there then.
/// On the embedded server a scratch serves once: it has one database.
pub async fn after(
    steps: &[Step],
    facts: &mut Facts,
    config: &Config,
    scratch: &Scratch,
    progress: &dyn Progress,
) -> Result<After, Stop> {
    progress.begin("Copying the schema to a scratch database", None);
    let mut bench = Bench::set_up(facts, scratch).await?;
    let after = on(&mut bench, steps, facts, config, progress).await;
    bench.clear(scratch, steps).await?;
    after
}

async fn on(
    bench: &mut Bench,
    steps: &[Step],
    facts: &mut Facts,
    config: &Config,
    progress: &dyn Progress,
) -> Result<After, Stop> {
    let mut notes = bench.copied.notes.clone();
    let (mut failed, mut remarks) = (None, Vec::new());
    if !steps.is_empty() {
        progress.begin("Running the plan on the copy", None);
        let migrator = Migrator::find(facts, bench).await?;
        let applied = migrator.apply(&steps.iter().collect::<Vec<_>>(), false, bench).await?;
        notes.extend(applied.helped);
        failed = applied.failed;
        remarks.extend(migrator.stands_for);
    }
    let mut facts = bench.facts(facts).await?;
    derive::derive(&mut facts, config).await?;
    Ok(After { facts, notes, remarks, failed })
}

/// Runs the plan on a copy of the schema with rows of two tenants in it, and looks at what came of it: the stage, what is
/// left to find, what one tenant gets of the other's, a second run, and the way back. On the embedded server a scratch
/// serves once.
pub async fn prove(
    plan: &Plan,
    facts: &mut Facts,
    config: &Config,
    library: &Library,
    scratch: &Scratch,
    progress: &dyn Progress,
) -> Result<Proof, Stop> {
    progress.begin("Copying the schema to a scratch database", None);
    let mut bench = Bench::set_up(facts, scratch).await?;
    let proof = judge::judge(plan, facts, config, library, &mut bench, progress).await;
    bench.clear(scratch, &plan.steps).await?;
    proof
}
