//! Roles that stand for a task.

use super::template::statements;
use crate::check::quote::ident;
use crate::error::Stop;
use crate::plan::{Change, Closes, Phase};
use serde_json::{Map, json};

const ROLE: &str = include_str!("../templates/role.sql");

/// A role that is no login, unless it is there.
pub(super) fn create(name: &str, stage: u8, closes: &[Closes], questions: Vec<&'static str>) -> Result<Change, Stop> {
    let values = json!({ "role": name, "name": ident(name) });
    Ok(Change {
        name: format!("create_role_{name}"),
        stage,
        phase: Phase::Ground,
        why: format!("{name} stands for a task and is no login."),
        statements: statements(ROLE, values.as_object().unwrap_or(&Map::new()))?,
        closes: closes.to_vec(),
        questions: questions.into_iter().map(Into::into).collect(),
    })
}
