//! The four questions of the Monday diagnostic, answered: by the database, then by the person who attests to the rest.

mod attested;
mod ground;
mod others;
mod tenant_isolation;

pub(super) use ground::{Ground, LogFacts, RoleFacts};

use super::ladder::{Ladder, Posture};
use crate::check::{Axis, Check};
use crate::config::{Attestation, Config};
use jiff::civil::Date;

/// The answer to one of the four questions of the Monday diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The control holds.
    Yes,
    /// A finding contradicts it.
    No,
    /// Something that would decide it could not be looked at.
    Unsure,
    /// The question does not arise (TI in single-tenant mode).
    NotApplicable,
}

impl Answer {
    /// As contracts spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unsure => "unsure",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// One axis, answered.
#[derive(Clone, Debug)]
pub struct AxisAnswer {
    /// Which of the four.
    pub axis: Axis,
    /// As a heading.
    pub name: String,
    /// Its question, in words.
    pub question: String,
    /// The answer: what was found, and where a database cannot know, what is attested.
    pub answer: Answer,
    /// What the database alone says.
    pub found: Answer,
    /// Why, one sentence.
    pub reason: String,
    /// What the answer rests on, a line each.
    pub evidence: Vec<String>,
    /// The least the stage asks of this axis: the declared one, else the one the database has reached.
    pub posture: Option<Posture>,
    /// What to aim at there.
    pub required: Option<Posture>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Who mostly does.
    pub usual_owner: String,
    /// What a person says, and whether that still counts.
    pub attestation: Option<(Attestation, bool)>,
}

/// Whether a check holds govctl.yaml against itself or the catalog; it says nothing about how an axis is enforced.
pub(super) fn about_declarations(check: &Check) -> bool {
    ["declared", "owners", "attestations", "answered_topics", "answers"]
        .iter()
        .any(|table| check.rests_on.contains(table))
}

/// What the database says by itself.
pub(super) struct Found {
    answer: Answer,
    reason: String,
    evidence: Vec<String>,
    /// Of an answer that is unsure: a person can know what no database does.
    beyond_database: bool,
}

impl Found {
    fn new(answer: Answer, reason: impl Into<String>) -> Self {
        Self { answer, reason: reason.into(), evidence: Vec::new(), beyond_database: false }
    }

    fn beyond_database(self) -> Self {
        Self { beyond_database: true, ..self }
    }
}

/// All four, in the order of the ladder.
pub(super) fn all(
    ladder: &Ladder,
    ground: &Ground<'_>,
    config: &Config,
    today: Date,
    stage: Option<u8>,
) -> Vec<AxisAnswer> {
    let answer = |(axis, rung): (Axis, &super::ladder::Rung)| {
        let found = match axis {
            Axis::TenantIsolation => tenant_isolation::answer(ground),
            Axis::Rbac => others::rbac(ground),
            Axis::SecretSeparation => others::secret_separation(ground),
            Axis::Audit => others::audit(ground),
        };
        let attestation = config.attestations.get(&axis);
        let (answer, reason) = attested::weigh(&found, attestation, today);
        AxisAnswer {
            axis,
            name: rung.name.clone(),
            question: rung.question.clone(),
            answer,
            found: found.answer,
            reason,
            evidence: found.evidence,
            posture: stage.map(|stage| rung.at(stage)),
            required: stage.map(|stage| rung.target(stage)),
            owner: config.owners.get(&axis).cloned(),
            usual_owner: rung.usual_owner.clone(),
            attestation: attestation.map(|it| (it.clone(), it.holds(today))),
        }
    };
    ladder.rungs().map(answer).collect()
}
