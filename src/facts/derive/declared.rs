//! What govctl.yaml declares, as facts: so that a check can hold it against the catalog.

use super::write::Table;
use crate::assess::ladder::Ladder;
use crate::check::AXES;
use crate::config::{Attestation, Config, TOPICS, today};
use crate::facts::value::Value;
use crate::yaml::Mistakes;

/// The tables `declared`, `owners`, `attestations` and `answered_topics`.
pub(super) fn tables(config: &Config) -> Result<Vec<Table>, Mistakes> {
    let ladder = Ladder::embedded()?;
    let number = |n: u8| Some(n.to_string());
    let regimes: Vec<_> = config.regimes.iter().map(|regime| regime.name()).collect();
    let declared = vec![
        config.stage.and_then(number),
        Some(serde_json::json!(regimes).to_string()),
        number(u8::from(!config.owners.is_empty())),
    ];
    let written = config.source.is_some() || *config != Config::default();
    let owners = ladder.rungs().map(|(axis, rung)| {
        vec![Some(axis.to_string()), config.owners.get(&axis).cloned(), Some(rung.usual_owner.clone())]
    });
    let today = today();
    let attestations = AXES.iter().filter_map(|(name, axis)| {
        let it = config.attestations.get(axis)?;
        Some(vec![
            Some((*name).to_owned()),
            Some(it.answer.name().to_owned()),
            Some(it.by.clone()),
            Some(it.on.to_string()),
            it.evidence.clone(),
            Some(it.expires.to_string()),
            number(u8::from(!it.holds(today))),
        ])
    });
    let statements = TOPICS.iter().map(|(topic, question)| {
        let it = config.statements.get(topic);
        let said = |of: fn(&Attestation) -> String| it.map(of);
        vec![
            Some((*topic).to_owned()),
            Some((*question).to_owned()),
            said(|it| it.answer.name().to_owned()),
            said(|it| it.by.clone()),
            said(|it| it.on.to_string()),
            it.and_then(|it| it.evidence.clone()),
            said(|it| it.expires.to_string()),
            number(u8::from(it.is_some_and(|it| !it.holds(today)))),
        ]
    });
    const TOPIC_COLUMNS: [&str; 8] =
        ["topic", "question", "answer", "answered_by", "answered_on", "evidence", "expires", "stale"];
    const ATTESTATIONS: [&str; 7] = ["axis", "answer", "answered_by", "answered_on", "evidence", "expires", "stale"];
    let row = |cells: Vec<Option<String>>| cells.into_iter().map(Value::from).collect();
    Ok(vec![
        ("declared", &["stage", "regimes", "names_owners"], written.then(|| row(declared)).into_iter().collect()),
        ("owners", &["axis", "owner", "usual"], owners.map(row).collect()),
        ("attestations", &ATTESTATIONS, attestations.map(row).collect()),
        ("answered_topics", &TOPIC_COLUMNS, statements.map(row).collect()),
    ])
}
