//! Whose signatures count: keys named on the command line, and those that `keys:` of the configuration knows.

use super::verify_chain::read;
use crate::chain::note::{Public, Role};
use crate::config::{Config, Key};
use crate::error::Stop;
use std::path::PathBuf;

/// Keys that are trusted.
pub(super) struct Trust<'a> {
    given: Vec<Public>,
    known: &'a [Key],
    /// Only those who keep a log, not those who saw it.
    logs: bool,
}

impl<'a> Trust<'a> {
    /// Of these files, and of the configuration.
    pub(super) fn new(files: &[PathBuf], config: &'a Config) -> Result<Self, Stop> {
        let given = files.iter().map(|path| {
            Public::parse(&read(path)?).ok_or_else(|| {
                let help = "a public key is one line, NAME+ID+BASE64, as govctl checkpoint --new-key prints it; not-before: and not-after: may follow";
                Stop::usage(format!("{} holds no public key", path.display()), help)
            })
        });
        Ok(Self { given: given.collect::<Result<_, _>>()?, known: &config.keys, logs: false })
    }

    /// A key more.
    pub(super) fn and(mut self, key: Public) -> Self {
        self.given.push(key);
        self
    }

    /// Whoever signs a checkpoint next, or cosigns it, does not ask for cosignatures that are yet to come.
    pub(super) fn of_logs(self) -> Self {
        Self { logs: true, ..self }
    }

    /// Those that count for a checkpoint of this origin.
    pub(super) fn of(&self, origin: &str) -> Vec<Public> {
        let table = origin.rsplit_once('/').map_or(origin, |(table, _)| table);
        let all = self.given.iter().chain(self.known(table).map(|key| &key.public));
        all.filter(|key| !self.logs || key.role() == Role::Log).cloned().collect()
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Public> {
        self.given.iter().chain(self.known.iter().map(|key| &key.public))
    }

    /// Why this key may not sign checkpoints of a table now; none where it may, or where no key of it is known.
    pub(super) fn objection(&self, key: &Public, table: &str) -> Option<String> {
        let mut known = self.known(table).filter(|known| known.public.role() == Role::Log).peekable();
        known.peek()?;
        let Some(own) = known.find(|known| known.public.is_same(key)) else {
            return Some(format!("the key of {} is not among the `keys` that are known for it", key.name()));
        };
        let objection = own.public.validity.objection(jiff::Timestamp::now())?;
        Some(format!("the key of {} {objection}", key.name()))
    }

    /// Keys of a table; something that ends in a slash may stand before it, as in an origin.
    fn known<'b>(&'b self, table: &'b str) -> impl Iterator<Item = &'b Key> {
        let is =
            move |known: &String| table.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        self.known.iter().filter(move |key| key.tables.is_empty() || key.tables.iter().any(is))
    }
}
