//! Django: `<app>/migrations/NNNN_name.py`; each says in `dependencies` what it comes after, also of other apps.
//! Source: django db/migrations/{loader,graph}.py.

use super::graph::{Node, ordered};
use super::{Claim, Dir, Kind, Planned, Tool};
use crate::history::code::{self, Language};

pub(super) const TOOL: Tool = Tool { name: "django", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let mut nodes: Vec<Node> = Vec::new();
    for file in dir.all_files().into_iter().filter(|file| file.ends_with(".py") && !file.ends_with("__init__.py")) {
        let path = dir.path(&file);
        let mut parts = path.rsplit('/');
        let base = parts.next().unwrap_or_default();
        let folder = parts.next();
        let here = folder == Some("migrations") || folder.is_none() && dir.is_below("migrations");
        if !here || !base.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let Some(text) = dir.text(&file).filter(|text| text.contains("migrations.Migration")) else { continue };
        let app = parts.next().map(str::to_owned).or_else(|| dir.parent_name()).unwrap_or_default();
        let stem = base.trim_end_matches(".py");
        let parents = code::listed_pairs(&text, Language::Python, "dependencies");
        let parents = parents.into_iter().map(|(app, name)| format!("{app}.{name}")).collect();
        let planned = Planned::new(dir, &file, stem, format!("{app}.{stem}"), Kind::Code(Language::Python));
        nodes.push((planned, format!("{app}.{stem}"), parents));
    }
    Some(Claim { sure: 88, migrations: ordered(nodes), notes: Vec::new() })
}
