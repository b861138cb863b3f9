//! `govctl.yaml`, raw, then as a valid [`Config`].

use super::{Config, Roles, Secrets, Tenancy, TenancyMode, roles, secrets};
use crate::yaml::{Mistake, Mistakes, Node, Reader};
use std::path::Path;

/// Reads a configuration. Reports every mistake at once; `path` is how the file is called in messages.
pub fn parse(path: &str, text: &str) -> Result<Config, Mistakes> {
    let fail = |mistakes| Mistakes::new(path, text, mistakes);
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Config::default());
    }
    let root = Node::parse(text).map_err(|mistake| fail(vec![mistake]))?;
    let reader = Reader::default();
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let config = read(&reader, &root, folder);
    let mistakes = reader.into_mistakes();
    match config {
        Some(config) if mistakes.is_empty() => Ok(config),
        _ => Err(fail(mistakes)),
    }
}

/// Reads a configuration out of a tree; a check's proof holds one too. Files it names are looked for in `folder`.
pub(crate) fn read(reader: &Reader, root: &Node, folder: &Path) -> Option<Config> {
    let fields = reader.fields(root, "the configuration", &["tenancy", "roles", "secrets"])?;
    let tenancy = fields.optional("tenancy").map_or_else(|| Some(Tenancy::default()), |node| tenancy(reader, node));
    let roles = fields.optional("roles").map_or_else(|| Some(Roles::default()), |node| roles::read(reader, node));
    let secrets =
        fields.optional("secrets").map_or_else(|| Some(Secrets::default()), |node| secrets::read(reader, node, folder));
    Some(Config { tenancy: tenancy?, roles: roles?, secrets: secrets? })
}

fn tenancy(reader: &Reader, node: &Node) -> Option<Tenancy> {
    let fields = reader.fields(node, "`tenancy`", &["mode", "keys", "table"])?;
    let modes = [("multi", TenancyMode::Multi), ("single", TenancyMode::Single)];
    let mode = fields.optional("mode").map_or(Some(TenancyMode::Inferred), |node| reader.one_of(node, &modes));
    let keys = fields.optional("keys").map_or(Some(Vec::new()), |node| keys(reader, node));
    let table = fields.optional("table").map_or(Some(None), |node| table(reader, node).map(Some));
    Some(Tenancy { mode: mode?, keys: keys?, table: table? })
}

/// Bare column names, as PostgreSQL stores them.
fn keys(reader: &Reader, node: &Node) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    for (node, key) in reader.texts(node)? {
        if let Some((_, column)) = key.rsplit_once('.') {
            let mistake = Mistake::new(node.place, format!("`{key}` is more than a column"), "expected a bare name");
            reader.mistake(mistake.help(format!("a tenant key has the same name in every table: `{column}`")));
        } else if keys.contains(&key) {
            reader.mistake(Mistake::new(node.place, format!("`{key}` is listed twice"), "again"));
        }
        keys.push(key);
    }
    Some(keys)
}

/// `schema.table`: without a schema it would depend on somebody's search_path.
fn table(reader: &Reader, node: &Node) -> Option<String> {
    let table = reader.text(node)?;
    let parts: Vec<_> = table.split('.').collect();
    if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
        let last = parts.last().filter(|part| !part.is_empty()).copied().unwrap_or("tenants");
        let mistake = Mistake::new(node.place, format!("`{table}` does not name a table"), "expected `schema.table`");
        reader.mistake(mistake.help(format!("for example `public.{last}`")));
        return None;
    }
    Some(table)
}
