//! `tenancy:` of the configuration.

use crate::yaml::{Mistake, Node, Reader};

/// How tenants share the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TenancyMode {
    /// Decided from the facts.
    #[default]
    Inferred,
    /// Many tenants.
    Multi,
    /// One tenant; tenant isolation is not applicable.
    Single,
}

/// `tenancy:` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tenancy {
    /// `mode: multi | single`.
    pub mode: TenancyMode,
    /// `keys: [shop_id]`: column names that are the tenant key, beside the well-known ones.
    pub keys: Vec<String>,
    /// `table: public.shops`: the tenant table.
    pub table: Option<String>,
}

pub(super) fn read(reader: &Reader, node: &Node) -> Option<Tenancy> {
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
pub(super) fn table(reader: &Reader, node: &Node) -> Option<String> {
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
