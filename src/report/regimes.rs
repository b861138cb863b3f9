//! What each declared regime asks, paragraph by paragraph: the checks that bear on it, and what came of them. A pack for whoever is
//! asked for evidence; it orients, and says of nobody that they comply.

use crate::assess::{Assessment, Verdict};
use crate::check::Check;
use crate::config::Regime;
use serde::Serialize;
use std::collections::BTreeMap;

/// A regime, and what of it govctl looks at.
#[derive(Serialize)]
pub(super) struct Pack<'a> {
    pub(super) regime: &'static str,
    /// As people call it.
    #[serde(skip)]
    pub(super) name: &'static str,
    pub(super) controls: Vec<Control<'a>>,
}

/// One paragraph, and the checks that bear on it by what came of them. One that does not apply stands nowhere.
#[derive(Default, Serialize)]
pub(super) struct Control<'a> {
    pub(super) id: &'a str,
    pub(super) pass: Vec<&'a str>,
    /// With an open finding.
    pub(super) fail: Vec<&'a str>,
    /// Without one, since it was accepted for a while or known from the baseline.
    pub(super) accepted: Vec<&'a str>,
    pub(super) undecided: Vec<&'a str>,
}

impl Control<'_> {
    /// `3 of 5 pass, 1 fails, 1 undecided`
    pub(super) fn counts(&self) -> String {
        let asked = self.pass.len() + self.fail.len() + self.accepted.len() + self.undecided.len();
        let mut words = format!("{} of {asked} pass", self.pass.len());
        for (list, word) in [(&self.fail, "fail"), (&self.accepted, "accepted"), (&self.undecided, "undecided")] {
            if !list.is_empty() {
                words += &format!(", {} {word}", list.len());
            }
        }
        words
    }
}

/// A pack for each regime that govctl.yaml declares.
pub(super) fn packs(it: &Assessment) -> Vec<Pack<'_>> {
    it.declared.regimes.iter().map(|regime| pack(it, *regime)).collect()
}

fn pack(it: &Assessment, regime: Regime) -> Pack<'_> {
    // GLBA's safeguards are not told apart by paragraph.
    let (name, key) = match regime {
        Regime::Soc2 => ("SOC 2", "soc2"),
        Regime::Hipaa => ("HIPAA", "hipaa"),
        Regime::Pci => ("PCI DSS", "pci_dss"),
        Regime::Gdpr => ("GDPR", "gdpr"),
        Regime::Glba => ("GLBA", "glba"),
    };
    let mut controls: BTreeMap<&str, Control<'_>> = BTreeMap::new();
    for (check, verdict) in it.checks.values() {
        for id in ids(check, key) {
            let control = controls.entry(id).or_insert_with(|| Control { id, ..Control::default() });
            let list = match verdict {
                Verdict::Pass => &mut control.pass,
                Verdict::Fail { findings, .. } if findings.iter().any(|finding| finding.is_open()) => &mut control.fail,
                Verdict::Fail { .. } => &mut control.accepted,
                Verdict::Undecided(_) => &mut control.undecided,
                Verdict::NotApplicable(_) => continue,
            };
            list.push(&check.id.0);
        }
    }
    Pack { regime: regime.name(), name, controls: controls.into_values().collect() }
}

fn ids<'a>(check: &'a Check, key: &str) -> impl Iterator<Item = &'a str> {
    check.controls.iter().filter(move |(framework, _)| framework == key).flat_map(|(_, ids)| ids).map(String::as_str)
}
