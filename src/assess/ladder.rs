//! The ladder, `checks/ladder.yaml`: the posture of each axis at each stage, its question, and what a finding weighs.

use crate::check::{AXES, Axis, SEVERITIES, Severity};
use crate::config::Regime;
use crate::yaml::{Mistakes, Node, Reader};
use std::collections::BTreeMap;

const PATH: &str = "checks/ladder.yaml";
const TEXT: &str = include_str!("../../checks/ladder.yaml");

/// How much of an axis a stage asks for, from little to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Posture {
    /// Nothing yet.
    Dormant,
    /// It begins to carry load.
    LightsUp,
    /// It has to hold.
    Required,
    /// It has to hold against somebody who tries.
    Hardened,
}

impl Posture {
    /// Every posture, as it is written.
    pub const ALL: [(&'static str, Self); 4] = [
        ("dormant", Self::Dormant),
        ("lights-up", Self::LightsUp),
        ("required", Self::Required),
        ("hardened", Self::Hardened),
    ];

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Dormant => "dormant",
            Self::LightsUp => "lights up",
            Self::Required => "required",
            Self::Hardened => "hardened",
        }
    }
}

/// The stages, as people call them, from 1.
pub const STAGES: [&str; 5] = [
    "Self operated",
    "Co-builders and design partners",
    "Paying customers",
    "Regulated customers",
    "Multi-agent at consequence",
];

/// One axis on the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// As a heading.
    pub name: String,
    /// The question of the Monday diagnostic.
    pub question: String,
    /// Who mostly answers for it.
    pub usual_owner: String,
    /// At stages 1 to 5, the least.
    pub posture: [Posture; 5],
}

impl Rung {
    /// The least at a stage, counted from 1.
    pub fn at(&self, stage: u8) -> Posture {
        self.posture[usize::from(stage.clamp(1, 5)) - 1]
    }

    /// What to aim at there: what lights up is to hold, and at stage 5 everything is hardened.
    pub fn target(&self, stage: u8) -> Posture {
        match self.at(stage) {
            _ if stage >= 5 => Posture::Hardened,
            Posture::LightsUp => Posture::Required,
            posture => posture,
        }
    }
}

/// The whole ladder.
#[derive(Clone, Debug)]
pub struct Ladder {
    rungs: BTreeMap<Axis, Rung>,
    weights: BTreeMap<Severity, BTreeMap<Posture, Severity>>,
    pub(super) stages: Vec<super::stage::Step>,
}

impl Ladder {
    /// The one govctl brings along.
    pub fn embedded() -> Result<Self, Mistakes> {
        let fail = |mistakes| Mistakes::new(PATH, TEXT, mistakes);
        let root = Node::parse(TEXT).map_err(|mistake| fail(vec![mistake]))?;
        let reader = Reader::default();
        let ladder = read(&reader, &root);
        match ladder {
            Some(ladder) if reader.is_content() => Ok(ladder),
            _ => Err(fail(reader.into_mistakes())),
        }
    }

    /// The axes in their order.
    pub fn rungs(&self) -> impl Iterator<Item = (Axis, &Rung)> {
        self.rungs.iter().map(|(axis, rung)| (*axis, rung))
    }

    /// What a finding weighs on an axis at a stage.
    pub fn weigh(&self, axis: Axis, stage: Option<u8>, severity: Severity) -> Severity {
        let posture = stage.and_then(|stage| Some(self.rungs.get(&axis)?.at(stage)));
        let weight = posture.and_then(|posture| self.weights.get(&severity)?.get(&posture));
        weight.copied().unwrap_or(severity)
    }
}

/// The stage whose postures count: the declared one, raised to 4 by a regime (its first ask opens stage 4), and to 2 by a
/// second tenant, whatever is declared. None where nothing was declared.
pub fn stage_in_force(declared: Option<u8>, regimes: &[Regime], many_tenants: bool) -> Option<u8> {
    let by_regime = if regimes.is_empty() { None } else { Some(4) };
    let declared = declared.max(by_regime)?;
    Some(if many_tenants { declared.max(2) } else { declared })
}

fn read(reader: &Reader, root: &Node) -> Option<Ladder> {
    let fields = reader.fields(root, "the ladder", &["axes", "stages", "severity"])?;
    let rungs = fields.required("axes").and_then(|node| {
        let axes = reader.fields(node, "`axes`", &AXES.map(|(name, _)| name))?;
        let each = AXES.iter().map(|(name, axis)| Some((*axis, rung(reader, axes.required(name)?)?)));
        each.collect::<Option<BTreeMap<_, _>>>()
    });
    let weights = fields.required("severity").and_then(|node| {
        let rows = reader.fields(node, "`severity`", &SEVERITIES.map(|(name, _)| name))?;
        let each = SEVERITIES.iter().map(|(name, severity)| Some((*severity, weights(reader, rows.required(name)?)?)));
        each.collect::<Option<BTreeMap<_, _>>>()
    });
    let stages = fields.required("stages").and_then(|node| super::stage::read(reader, node));
    Some(Ladder { rungs: rungs?, weights: weights?, stages: stages? })
}

fn rung(reader: &Reader, node: &Node) -> Option<Rung> {
    let fields = reader.fields(node, "an axis", &["name", "question", "usual_owner", "posture"])?;
    let text = |key| fields.required(key).and_then(|node| reader.text(node));
    let posture = fields.required("posture").and_then(|node| {
        let postures: Vec<_> =
            reader.list(node)?.iter().filter_map(|node| reader.one_of(node, &Posture::ALL)).collect();
        postures.try_into().ok().or_else(|| {
            fields.missing("posture for each of the five stages");
            None
        })
    });
    Some(Rung {
        name: text("name")?,
        question: text("question")?,
        usual_owner: text("usual_owner")?,
        posture: posture?,
    })
}

fn weights(reader: &Reader, node: &Node) -> Option<BTreeMap<Posture, Severity>> {
    let fields = reader.fields(node, "a weight", &Posture::ALL.map(|(name, _)| name))?;
    let one = |(name, posture): &(&'static str, Posture)| {
        Some((*posture, reader.one_of(fields.required(name)?, &SEVERITIES)?))
    };
    Posture::ALL.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder() -> Ladder {
        Ladder::embedded().map_err(miette::Report::new).unwrap()
    }

    #[test]
    fn the_heatmap_is_that_of_the_source_document() {
        let rows: Vec<_> = ladder()
            .rungs()
            .map(|(axis, rung)| format!("{axis}: {}", rung.posture.map(Posture::words).join(", ")))
            .collect();
        assert_eq!(
            rows,
            [
                "tenant-isolation: dormant, lights up, required, hardened, hardened",
                "rbac: dormant, dormant, lights up, required, hardened",
                "secret-separation: dormant, dormant, dormant, lights up, required",
                "audit: dormant, dormant, dormant, lights up, required",
            ]
        );
        let rung = ladder().rungs[&Axis::TenantIsolation].clone();
        assert_eq!(
            [2, 3, 4, 5].map(|stage| rung.target(stage).words()),
            ["required", "required", "hardened", "hardened"]
        );
    }

    #[test]
    fn a_missing_control_weighs_by_posture_and_exposed_data_is_critical_once_the_axis_is_awake() {
        let ladder = ladder();
        let over_stages = |axis, severity| [1, 2, 3, 4, 5].map(|stage| ladder.weigh(axis, Some(stage), severity));
        use Severity::{Critical, High, Info, Low, Medium};
        assert_eq!(over_stages(Axis::TenantIsolation, High), [Info, Medium, High, Critical, Critical]);
        assert_eq!(over_stages(Axis::TenantIsolation, Critical), [Info, Critical, Critical, Critical, Critical]);
        assert_eq!(over_stages(Axis::Rbac, Medium), [Info, Info, Low, Medium, High]);
        assert_eq!(over_stages(Axis::Audit, High), [Info, Info, Info, Medium, High]);
        assert_eq!(over_stages(Axis::SecretSeparation, Low), [Info, Info, Info, Low, Low]);
        for (_, severity) in SEVERITIES {
            assert_eq!(ladder.weigh(Axis::Audit, None, severity), severity, "nothing was declared");
        }
    }

    #[test]
    fn a_declared_stage_is_raised_by_a_regime_and_by_a_second_tenant() {
        assert_eq!(stage_in_force(None, &[], true), None);
        assert_eq!(stage_in_force(Some(1), &[], false), Some(1));
        assert_eq!(stage_in_force(Some(1), &[], true), Some(2));
        assert_eq!(stage_in_force(Some(2), &[Regime::Hipaa], true), Some(4));
        assert_eq!(stage_in_force(None, &[Regime::Soc2], false), Some(4));
        assert_eq!(stage_in_force(Some(5), &[Regime::Soc2], false), Some(5));
    }
}
