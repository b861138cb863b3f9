//! Checkpoints: what a chain was once, signed and kept outside the database.
//!
//! Two files. The note is a C2SP checkpoint: origin, size, root of the tree over the row hashes, signatures. Beside it
//! stands what the root was made of, as JSON: the right edge of the tree and the head, from which a later run goes on.
//! It needs no signature of its own, since it must give the root that the note signs. Where one table has several
//! chains, the note's tree is over one line a chain, so that a chain that is gone shows, too.

use super::algorithm::Digest;
use super::encoding::{base64, from_base64, from_hex, hex};
use super::merkle::Tree;
use super::note::{Note, Public, Role};
use super::segment::Position;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// One chain at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The key of the chain among those of its table.
    pub key: Vec<u8>,
    /// The values of its key, for people.
    pub partition: Option<String>,
    /// The tree over its row hashes.
    pub tree: Tree,
    /// Its last row.
    pub position: Position,
    /// The hash of that.
    pub hash: Digest,
}

/// What a table was once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// `govctl/database/schema.table/column`.
    pub origin: String,
    /// Its chains; none where only the note is there.
    pub marks: Vec<Mark>,
    /// As the note says.
    pub size: u64,
    /// As the note says.
    pub root: [u8; 32],
    /// Who signed it; none where no key was given to ask.
    pub signer: Option<String>,
}

impl Checkpoint {
    /// Rows of all its chains.
    pub fn rows(&self) -> u64 {
        self.marks.iter().map(|mark| mark.tree.size()).sum::<u64>().max(self.size)
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    schema: String,
    origin: String,
    chains: Vec<Chain>,
}

#[derive(Serialize, Deserialize)]
struct Chain {
    key: String,
    partition: Option<String>,
    size: u64,
    root: String,
    edge: Vec<String>,
    position: Vec<String>,
    hash: String,
}

const SCHEMA: &str = "govctl.checkpoint/1";

/// Clocks of witnesses may run ahead by so much.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Size and root of a table: of its only chain, else of the tree over all of them.
pub fn summary(marks: &[Mark]) -> (u64, [u8; 32]) {
    if let [only] = marks
        && only.key.is_empty()
    {
        return (only.tree.size(), only.tree.root());
    }
    let mut tree = Tree::default();
    for mark in marks {
        tree.push(format!("{} {} {}", hex(&mark.key), mark.tree.size(), hex(&mark.tree.root())).as_bytes());
    }
    (tree.size(), tree.root())
}

/// The text of the note, unsigned.
pub fn note(origin: &str, marks: &[Mark]) -> String {
    let (size, root) = summary(marks);
    format!("{origin}\n{size}\n{}\n", base64(&root))
}

/// The file beside the note.
pub fn document(origin: &str, marks: &[Mark]) -> String {
    let chain = |mark: &Mark| Chain {
        key: hex(&mark.key),
        partition: mark.partition.clone(),
        size: mark.tree.size(),
        root: base64(&mark.tree.root()),
        edge: mark.tree.edge().iter().map(|node| base64(node)).collect(),
        position: mark.position.keys.clone(),
        hash: mark.hash.hex(),
    };
    let written =
        Written { schema: SCHEMA.to_owned(), origin: origin.to_owned(), chains: marks.iter().map(chain).collect() };
    serde_json::to_string_pretty(&written).unwrap_or_default() + "\n"
}

/// Reads both files; says what is wrong with them.
///
/// `trust` holds keys of logs, one of which must have signed, and of witnesses, one of which must have seen it. A key vouches
/// in its own time only: the moment is the one a witness names, else `now`.
pub fn read(note: &str, document: Option<&str>, trust: &[Public], now: Timestamp) -> Result<Checkpoint, String> {
    let note = Note::parse(note).ok_or("it is no signed note")?;
    let mut lines = note.text.lines();
    let (origin, size, root) = (lines.next(), lines.next(), lines.next());
    let origin = origin.filter(|origin| !origin.is_empty()).ok_or("it names no origin")?.to_owned();
    let size = size.and_then(|size| size.parse().ok()).ok_or("it has no size")?;
    let root = root.and_then(from_base64).and_then(|root| root.try_into().ok()).ok_or("it has no root")?;
    let signer = signer(&note, trust, now)?;
    let marks = match document {
        None => Vec::new(),
        Some(document) => marks(document, &origin)?,
    };
    if !marks.is_empty() && summary(&marks) != (size, root) {
        return Err("the file beside it does not give the root that was signed".to_owned());
    }
    Ok(Checkpoint { origin, marks, size, root, signer })
}

/// Who vouches for a note, in words; none where nobody is trusted.
fn signer(note: &Note, trust: &[Public], now: Timestamp) -> Result<Option<String>, String> {
    let of = |role| trust.iter().filter(move |key| key.role() == role);
    let seen = |key: &Public| Some((note.seen_by(key)?, key.name().to_owned()));
    let vouches = |key: &&Public| {
        note.seen_by(key).is_some_and(|at| at <= now + TOLERANCE && key.validity.objection(at).is_none())
    };
    let witness = of(Role::Witness).filter(vouches).filter_map(seen).min();
    if witness.is_none() && of(Role::Witness).next().is_some() {
        return Err("no witness that is trusted cosigned it in the time of its key".to_owned());
    }
    let mut objections = Vec::new();
    let mut signer = None;
    for key in of(Role::Log).filter(|key| note.is_signed_by(key)) {
        match key.validity.objection(witness.as_ref().map_or(now, |(at, _)| *at)) {
            None => signer = Some(key.name().to_owned()),
            Some(objection) => objections.push(format!("the key of {} that signed it {objection}", key.name())),
        }
    }
    if signer.is_none() && of(Role::Log).next().is_some() {
        let unseen = if witness.is_none() { "; a witness that is trusted could say when it was signed" } else { "" };
        return Err(match objections.first() {
            Some(objection) => format!("{objection}{unseen}"),
            None => "no key that is trusted signed it".to_owned(),
        });
    }
    Ok(match (signer, witness) {
        (signer, None) => signer,
        (None, Some((at, name))) => Some(format!("{name} as a witness at {at}")),
        (Some(signer), Some((at, name))) => Some(format!("{signer}, seen by {name} at {at}")),
    })
}

fn marks(document: &str, origin: &str) -> Result<Vec<Mark>, String> {
    let written: Written = serde_json::from_str(document).map_err(|error| error.to_string())?;
    if written.schema != SCHEMA || written.origin != origin {
        return Err("the file beside it belongs to another checkpoint".to_owned());
    }
    let mark = |chain: Chain| {
        let edge = chain.edge.iter().map(|node| from_base64(node)?.try_into().ok()).collect::<Option<Vec<_>>>()?;
        let number = if let [only] = chain.position.as_slice() { only.parse().ok() } else { None };
        Some(Mark {
            key: from_hex(&chain.key)?,
            partition: chain.partition,
            tree: Tree::restore(chain.size, edge)?,
            position: Position { keys: chain.position, number },
            hash: Digest::new(&from_hex(&chain.hash)?),
        })
    };
    written
        .chains
        .into_iter()
        .map(mark)
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| "the file beside it is damaged".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::note::Secret;

    #[test]
    fn a_checkpoint_is_what_was_signed() {
        let mut tree = Tree::default();
        (0..5_u8).for_each(|leaf| tree.push(&[leaf]));
        let position = Position { keys: vec!["5".into()], number: Some(5) };
        let mark = Mark { key: vec![], partition: None, tree, position, hash: Digest::new(&[4; 32]) };
        let secret = Secret::new("tests", Role::Log, &[1; 32]);
        let now = Timestamp::UNIX_EPOCH;
        let signed = secret.sign(&note("govctl/d/s.t/hash", std::slice::from_ref(&mark)), now);
        let beside = document("govctl/d/s.t/hash", std::slice::from_ref(&mark));
        let read_back = read(&signed, Some(&beside), &[secret.public()], now).unwrap();
        assert_eq!((read_back.size, read_back.marks), (5, vec![mark]));
        let forged = beside.replace("\"size\": 5", "\"size\": 6");
        assert!(read(&signed, Some(&forged), &[], now).is_err());
        assert!(read(&signed, Some(&beside), &[Secret::new("tests", Role::Log, &[2; 32]).public()], now).is_err());
        assert!(read("nothing", None, &[], now).is_err());
    }

    #[test]
    fn a_key_vouches_in_its_own_time() {
        let (log, witness) = (Secret::new("log", Role::Log, &[1; 32]), Secret::new("witness", Role::Witness, &[2; 32]));
        let at = |text: &str| super::super::validity::instant(text).unwrap();
        let text = format!("govctl/d/s.t/hash\n5\n{}\n", base64(&[1; 32]));
        let bare = log.sign(&text, at("2026-03-01"));
        let seen = format!("{bare}{}", witness.line(&text, at("2026-03-01")));
        let key = Public::parse(&format!("{}\nnot-after: 2026-04-01", log.public().text())).unwrap();
        let read = |note: &str, trust: &[Public], now: &str| read(note, None, trust, at(now)).map(|read| read.signer);
        let old = "the key of log that signed it was valid until 2026-04-01T00:00:00Z";
        assert_eq!(read(&bare, &[key.clone()], "2026-03-02"), Ok(Some("log".to_owned())));
        assert_eq!(
            read(&bare, &[key.clone()], "2026-05-01"),
            Err(format!("{old}; a witness that is trusted could say when it was signed"))
        );
        let both = [key.clone(), witness.public()];
        let vouched = Some("log, seen by witness at 2026-03-01T00:00:00Z".to_owned());
        assert_eq!(read(&seen, &both, "2026-05-01"), Ok(vouched));
        // Seen too late, by nobody, or in the future.
        let late = format!("{bare}{}", witness.line(&text, at("2026-04-02")));
        assert_eq!(read(&late, &both, "2026-05-01"), Err(old.to_owned()));
        assert!(read(&bare, &both, "2026-03-02").is_err() && read(&late, &both, "2026-03-02").is_err());
    }
}
