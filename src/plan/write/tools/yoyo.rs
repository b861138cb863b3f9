//! yoyo: `name.sql` with `name.rollback.sql`; what it depends on and whether it wants a transaction stand in its first
//! comments. Source: yoyo-migrations yoyo/migrations.py.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::script;
use super::{Writer, each};
use crate::error::Stop;
use crate::plan::lint::Way;
use sha2::{Digest, Sha256};

pub(super) const WRITER: Writer =
    Writer { name: "yoyo", sql: true, outside: each, marks: &["transactional:", "depends:"], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let ids: Vec<&str> = ground.known.iter().map(|known| known.version.as_str()).collect();
    let dated = ids.is_empty() || ids.last().is_some_and(|id| is_dated(id));
    let count = Count::of(ids.iter().map(|id| super::digits(id)), Count::first(4));
    let separator = super::separator(ground, '-');
    let mut previous = ids.last().map(|id| (*id).to_owned());
    let today = ground.now.strftime("%Y%m%d").to_string();
    let first = ids.iter().filter(|id| id.starts_with(&today)).count();
    for (n, part) in parts.iter().enumerate() {
        let id = if dated {
            let salt: String =
                Sha256::digest(&part.name).iter().take(5).map(|byte| char::from(b'a' + byte % 26)).collect();
            format!("{today}_{:02}_{salt}-{}", first + n + 1, part.name.replace('_', "-"))
        } else {
            format!("{}{separator}{}", count.next(n, ground.now), part.name)
        };
        let mut lead = previous.map(|previous| format!("-- depends: {previous}\n")).unwrap_or_default();
        let alone = if part.transaction { "" } else { "-- transactional: false\n" };
        lead.push_str(alone);
        let (up, down) = (format!("{id}.sql"), format!("{id}.rollback.sql"));
        draft.file(&up, script::one_way(part, &up, &lead, Way::Up, &format!("see {down}")));
        if !part.down.is_empty() {
            draft.file(&down, script::one_way(part, &down, alone, Way::Down, ""));
        }
        previous = Some(id);
    }
    Ok(draft)
}

/// `20240101_01_abcde-name`, as yoyo names them itself.
fn is_dated(id: &str) -> bool {
    let mut parts = id.splitn(3, '_');
    let mut digits =
        |count: usize| parts.next().is_some_and(|part| part.len() == count && part.bytes().all(|b| b.is_ascii_digit()));
    digits(8) && digits(2)
}
