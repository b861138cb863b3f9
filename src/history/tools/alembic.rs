//! Alembic: `versions/<revision>_slug.py`; each says in `down_revision` what it comes after.
//! Source: sqlalchemy/alembic alembic/script/base.py.

use super::graph::{Node, ordered};
use super::{Claim, Dir, Kind, Planned, Tool};
use crate::history::code::{self, Language};
use crate::history::dates::Dated;

pub(super) const TOOL: Tool = Tool { name: "alembic", claim };

/// Lines in which `Create Date:` is looked for: it stands at the end of what the migration says about itself.
const HEADER: usize = 200;

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let files: Vec<_> = dir.files().filter(|file| file.ends_with(".py") && !file.starts_with("__init__")).collect();
    let names: Vec<_> = files.iter().map(|file| (*file).to_owned()).collect();
    if !dir.any_text(&names, |text| text.contains("down_revision")) {
        return None;
    }
    let nodes: Vec<Node> = files.into_iter().filter_map(|file| node(dir, file)).collect();
    Some(Claim { sure: 90, migrations: ordered(nodes), notes: Vec::new() })
}

fn node(dir: Dir<'_>, file: &str) -> Option<Node> {
    let text = dir.text(file)?;
    let revision = code::assigned(&text, Language::Python, "revision").into_iter().next()?;
    let parents = code::assigned(&text, Language::Python, "down_revision");
    let mut planned =
        Planned::new(dir, file, revision.as_str(), file.trim_end_matches(".py"), Kind::Code(Language::Python));
    let written = text.lines().take(HEADER).find_map(|line| line.trim().strip_prefix("Create Date:"));
    planned.dated = written.and_then(|date| Dated::of_text(date, "header")).or(planned.dated);
    Some((planned, revision, parents))
}
