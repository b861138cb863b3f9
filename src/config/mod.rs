//! What the owner of the database has decided: `govctl.yaml`, raw and then valid.

mod accept;
mod attestation;
mod baseline;
mod chains;
mod choices;
mod date;
mod declared;
mod discover;
mod draft;
mod keys;
mod load;
pub(crate) mod roles;
mod secrets;
mod tenancy;
mod waiver;

pub use accept::Accepted;
pub use attestation::{Attestation, Claim, TOPICS};
pub use baseline::Baseline;
pub use choices::{Choices, Slice};
pub use date::today;
pub use declared::{REGIMES, Regime};
pub use discover::FILE;
pub use draft::draft;
pub use keys::Key;
pub use load::parse;
pub(crate) use load::read;
pub use roles::{Purpose, Roles};
pub use secrets::Secrets;
pub use tenancy::{Tenancy, TenancyMode};
pub use waiver::Waiver;

use crate::check::{Axis, Ids};
use crate::yaml::Mistakes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An entry of `chains:`: what govctl does not find out by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// `schema.table`.
    pub table: String,
    /// The column of a row's own hash.
    pub hash: Option<String>,
    /// The column that repeats the hash of the row before.
    pub prev: Option<String>,
    /// Columns that order the rows.
    pub order: Vec<String>,
    /// Columns that tell chains apart.
    pub partition: Vec<String>,
    /// SQL over the columns that gives the hash.
    pub formula: Option<String>,
}

/// A valid configuration; the default is what govctl does without a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `stage: 3`: where the owner says the product is, 1 to 5.
    pub stage: Option<u8>,
    /// `regimes: [hipaa]`: whose rules apply.
    pub regimes: Vec<Regime>,
    /// How tenants share the database.
    pub tenancy: Tenancy,
    /// Hash chains.
    pub chains: Vec<Chain>,
    /// Who signs checkpoints of them.
    pub keys: Vec<Key>,
    /// What the roles are for.
    pub roles: Roles,
    /// What a plan asks.
    pub plan: Choices,
    /// What a secret looks like here.
    pub secrets: Secrets,
    /// Who answers for each axis.
    pub owners: BTreeMap<Axis, String>,
    /// What a person answers where a database cannot.
    pub attestations: BTreeMap<Axis, Attestation>,
    /// The same for questions that belong to no axis, by their topic.
    pub statements: BTreeMap<&'static str, Attestation>,
    /// Findings that are accepted for a while.
    pub waivers: Vec<Waiver>,
    /// What was found before; not part of the file, but of the command line.
    pub baseline: Option<Baseline>,
    /// The file, for carets; none where there is no file.
    pub source: Option<Arc<Source>>,
}

impl Config {
    /// Holds what it says about checks against the checks there are.
    pub fn fits(&self, checks: &Ids) -> Result<(), Mistakes> {
        let mistakes = waiver::unknown(&self.waivers, checks);
        match &self.source {
            Some(source) if !mistakes.is_empty() => Err(Mistakes::new(&source.path, &source.text, mistakes)),
            _ => Ok(()),
        }
    }

    /// A waiver that has not run out is about this check and object.
    pub(crate) fn waives(&self, check: &str, object: &str) -> bool {
        self.waivers.iter().any(|waiver| !waiver.expired(today()) && waiver.covers(check, object))
    }
}

/// The file a configuration was read from.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// As messages call it.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl Source {
    /// The line a place begins on, from 1.
    pub fn line(&self, place: crate::yaml::Place) -> usize {
        self.text[..place.offset()].matches('\n').count() + 1
    }
}
