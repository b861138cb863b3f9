//! `secrets:` of the configuration: what a secret looks like here.

use crate::secrets::Rules;
use crate::yaml::{Mistake, Node, Reader};
use std::path::Path;
use std::sync::Arc;

/// Rules for secrets beside govctl's own.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// `gitleaks: .gitleaks.toml`, as written, and the rules in it.
    gitleaks: Option<(String, Arc<Rules>)>,
}

/// The rules are those of the file, so the file stands for them.
impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        self.file() == other.file()
    }
}

impl Eq for Secrets {}

impl Secrets {
    /// The rules to look with.
    pub fn rules(&self) -> &Rules {
        self.gitleaks.as_ref().map_or_else(|| Rules::own(), |(_, rules)| rules)
    }

    fn file(&self) -> Option<&str> {
        self.gitleaks.as_ref().map(|(file, _)| file.as_str())
    }
}

pub(super) fn read(reader: &Reader, node: &Node, folder: &Path) -> Option<Secrets> {
    let fields = reader.fields(node, "`secrets`", &["gitleaks"])?;
    let Some(node) = fields.optional("gitleaks") else { return Some(Secrets::default()) };
    let file = reader.text(node)?;
    let path = folder.join(&file);
    let read = std::fs::read_to_string(&path).map_err(|error| format!("`{file}` cannot be read: {error}"));
    let rules = read.and_then(|text| Rules::with_file(&path, &text).map_err(|mistakes| mistakes.in_words()));
    match rules {
        Ok(rules) => Some(Secrets { gitleaks: Some((file, Arc::new(rules))) }),
        Err(why) => {
            reader.mistake(Mistake::new(node.place, why, "a gitleaks.toml goes here"));
            None
        }
    }
}
