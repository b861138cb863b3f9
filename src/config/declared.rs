//! Stage, regimes and owners: what the owner of the database says about it.

use crate::check::{AXES, Axis};
use crate::yaml::{Mistake, Node, Reader};
use std::collections::BTreeMap;

/// A body of rules whose first ask opens stage 4 of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Regime {
    /// SOC 2, the trust services criteria.
    Soc2,
    /// HIPAA: health records in the United States.
    Hipaa,
    /// PCI DSS: payment cards.
    Pci,
    /// GLBA: financial institutions in the United States.
    Glba,
    /// GDPR: persons in the European Union.
    Gdpr,
}

/// Every regime, as it is written.
pub const REGIMES: [(&str, Regime); 5] = [
    ("soc2", Regime::Soc2),
    ("hipaa", Regime::Hipaa),
    ("pci", Regime::Pci),
    ("glba", Regime::Glba),
    ("gdpr", Regime::Gdpr),
];

impl Regime {
    /// As it is written.
    pub fn name(self) -> &'static str {
        REGIMES.iter().find(|(_, regime)| *regime == self).map_or("", |(name, _)| name)
    }
}

pub(super) fn stage(reader: &Reader, node: &Node) -> Option<u8> {
    reader.whole(node, 1..=5).and_then(|stage| u8::try_from(stage).ok())
}

pub(super) fn regimes(reader: &Reader, node: &Node) -> Option<Vec<Regime>> {
    let mut regimes = Vec::new();
    for item in reader.list(node)? {
        let Some(regime) = reader.one_of(item, &REGIMES) else { continue };
        if regimes.contains(&regime) {
            let message = format!("`{}` is listed twice", regime.name());
            reader.mistake(Mistake::new(item.place, message, "again"));
        }
        regimes.push(regime);
    }
    Some(regimes)
}

/// Owner by axis: a person or a team, in whatever words lead to them.
pub(super) fn owners(reader: &Reader, node: &Node) -> Option<BTreeMap<Axis, String>> {
    let fields = reader.fields(node, "`owners`", &AXES.map(|(name, _)| name))?;
    let present = AXES.iter().filter_map(|(name, axis)| Some((*axis, fields.optional(name)?)));
    Some(present.filter_map(|(axis, node)| Some((axis, reader.text(node)?))).collect())
}
