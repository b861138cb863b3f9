//! `govctl.yaml`, raw, then as a valid [`Config`].

use super::{
    Config, Source, Tenancy, attestation, chains, choices, declared, keys, roles, secrets, tenancy, today, waiver,
};
use crate::yaml::{Fields, Mistakes, Node, Reader, Value};
use std::path::Path;
use std::sync::Arc;

/// Every section.
const KEYS: [&str; 11] =
    ["stage", "regimes", "tenancy", "roles", "plan", "secrets", "chains", "keys", "owners", "attestations", "waivers"];

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
        Some(config) if mistakes.is_empty() => {
            let source = Source { path: path.to_owned(), text: text.to_owned() };
            Ok(Config { source: Some(Arc::new(source)), ..config })
        }
        _ => Err(fail(mistakes)),
    }
}

/// Reads a configuration out of a tree; a check's proof holds one too. Every section is read before the first `?`, so
/// that no mistake hides another. Files it names are looked for in `folder`.
pub(crate) fn read(reader: &Reader, root: &Node, folder: &Path) -> Option<Config> {
    let fields = reader.fields(root, "the configuration", &KEYS)?;
    let today = today();
    let stage = section(&fields, "stage", |node| declared::stage(reader, node).map(Some));
    let regimes = section(&fields, "regimes", |node| declared::regimes(reader, node));
    let tenancy: Option<Tenancy> = section(&fields, "tenancy", |node| tenancy::read(reader, node));
    let roles = section(&fields, "roles", |node| roles::read(reader, node));
    let plan = section(&fields, "plan", |node| choices::read(reader, node));
    let secrets = section(&fields, "secrets", |node| secrets::read(reader, node, folder));
    let chains = section(&fields, "chains", |node| chains::read(reader, node));
    let keys = section(&fields, "keys", |node| keys::read(reader, node));
    let owners = section(&fields, "owners", |node| declared::owners(reader, node));
    let attestations = section(&fields, "attestations", |node| attestation::read(reader, node, today));
    let waivers = section(&fields, "waivers", |node| waiver::read(reader, node, today));
    let (attestations, statements) = attestations?;
    Some(Config {
        stage: stage?,
        regimes: regimes?,
        tenancy: tenancy?,
        roles: roles?,
        plan: plan?,
        secrets: secrets?,
        chains: chains?,
        keys: keys?,
        owners: owners?,
        attestations,
        statements,
        waivers: waivers?,
        baseline: None,
        source: None,
    })
}

/// A section that may be missing, or have nothing below it yet.
fn section<T: Default>(fields: &Fields<'_>, key: &str, read: impl FnOnce(&Node) -> Option<T>) -> Option<T> {
    let filled = fields.optional(key).filter(|node| !matches!(node.value, Value::Null));
    filled.map_or_else(|| Some(T::default()), read)
}
