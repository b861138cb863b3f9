//! `attestations:`: a person's answers to questions that a database cannot answer, or not alone: those of the four axes,
//! and some that belong to none.

use super::date;
use crate::check::{AXES, Axis};
use crate::yaml::{Mistake, Node, Place, Reader, Value};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// How long an answer counts where it does not say.
const DAYS: i64 = 90;

/// Questions beside those of the axes, as they are written, and in words.
pub const TOPICS: [(&str, &str); 8] = [
    ("pooler", "does a pooler share sessions, and in which mode"),
    ("encryption-at-rest", "are storage and backups encrypted, and who holds the keys"),
    ("secret-actions", "is it written down for each secret which action uses it, outside the prompt"),
    ("retrieval-shape", "can each flow of retrieval be said in one sentence"),
    ("retrieval-line", "who decides where permission ends and recall begins"),
    ("permission-sync", "who sees to it that permissions follow their source"),
    ("content-isolation", "is what was retrieved data to the agent, and never an instruction"),
    ("internal-adversary", "does the threat model include people inside"),
];

/// What a person answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The control holds.
    Yes,
    /// It does not.
    No,
    /// "I am not sure."
    Unsure,
    /// The question does not arise.
    NotApplicable,
}

impl Claim {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unsure => "unsure",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// One answer, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The answer.
    pub answer: Claim,
    /// Who gave it.
    pub by: String,
    /// When.
    pub on: Date,
    /// What it rests on: a sentence, a link.
    pub evidence: Option<String>,
    /// The first day on which it no longer counts.
    pub expires: Date,
    /// Where it stands in the file.
    pub place: Place,
}

impl Attestation {
    /// Whether it still counts.
    pub fn holds(&self, today: Date) -> bool {
        today < self.expires
    }
}

/// The answers to the questions of the axes, and to the others by their topic.
pub(super) type Answers = (BTreeMap<Axis, Attestation>, BTreeMap<&'static str, Attestation>);

pub(super) fn read(reader: &Reader, node: &Node, today: Date) -> Option<Answers> {
    let keys: Vec<_> = AXES.iter().map(|(name, _)| *name).chain(TOPICS.iter().map(|(name, _)| *name)).collect();
    let fields = reader.fields(node, "`attestations`", &keys)?;
    let answer = |name: &str| one(reader, fields.optional(name)?, today);
    let axes = AXES.iter().filter_map(|(name, axis)| Some((*axis, answer(name)?))).collect();
    let topics = TOPICS.iter().filter_map(|(name, _)| Some((*name, answer(name)?))).collect();
    Some((axes, topics))
}

fn one(reader: &Reader, node: &Node, today: Date) -> Option<Attestation> {
    let fields = reader.fields(node, "an attestation", &["answer", "by", "on", "evidence", "expires"])?;
    let answer = fields.required("answer").and_then(|node| claim(reader, node));
    let by = fields.required("by").and_then(|node| reader.text(node));
    let on = fields.required("on").and_then(|node| Some((node, date::read(reader, node)?)));
    let evidence = fields.optional("evidence").and_then(|node| reader.text(node));
    let expires = fields.optional("expires").map(|node| Some((node, date::read(reader, node)?)));
    let (on_node, on) = on?;
    if on > today {
        reader.mistake(Mistake::new(on_node.place, format!("{on} is still to come"), "expected a day that has been"));
    }
    let expires = match expires {
        None => on.saturating_add(DAYS.days()),
        Some(expires) => {
            let (node, expires) = expires?;
            let longest = on.saturating_add(1.year());
            if expires <= on || expires > longest {
                let message = format!("an answer given on {on} cannot expire on {expires}");
                let mistake = Mistake::new(node.place, message, "expected a later day, at most a year later");
                reader.mistake(mistake.help(format!("{longest} at the latest; then ask again")));
            }
            expires
        }
    };
    Some(Attestation { answer: answer?, by: by?, on, evidence, expires, place: node.place })
}

/// `yes` and `no` are words to us; other readers of YAML take them for truth values, and so may whoever wrote the file.
fn claim(reader: &Reader, node: &Node) -> Option<Claim> {
    match node.value {
        Value::Bool(true) => Some(Claim::Yes),
        Value::Bool(false) => Some(Claim::No),
        _ => reader.one_of(
            node,
            &[Claim::Yes, Claim::No, Claim::Unsure, Claim::NotApplicable].map(|claim| (claim.name(), claim)),
        ),
    }
}
