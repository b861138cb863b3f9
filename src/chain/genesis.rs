//! What the first row of a chain names as the row before it.

use super::algorithm::{Algorithm, Digest};
use super::encoding;
use super::relation::Relation;

/// Words whose hash begins chains in the wild.
pub(super) const WORDS: [&str; 21] = [
    "GENESIS",
    "genesis",
    "Genesis",
    "",
    "0",
    "root",
    "ROOT",
    "init",
    "INIT",
    "initial",
    "INITIAL",
    "start",
    "START",
    "seed",
    "null",
    "NULL",
    "genesis_block",
    "GENESIS_BLOCK",
    "genesis-block",
    "GENESIS_HASH",
    "AUDIT_GENESIS",
];

/// Digests that are a beginning and not a row: constants of the code, and hashes of well-known words.
pub fn known(constants: &[String], relation: &Relation, hash: &str) -> Vec<Digest> {
    let mut known: Vec<Digest> = constants
        .iter()
        .filter_map(|constant| encoding::decode(constant.as_bytes(), false).map(|(digest, _)| digest))
        .collect();
    let names = [&relation.name, &relation.schema, hash];
    let mut words: Vec<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
    words.extend(constants.iter().cloned());
    for name in names {
        for name in [name.to_owned(), name.to_uppercase()] {
            for glue in ["_", "-", ":", " ", ".", ""] {
                words.extend([
                    format!("{name}{glue}GENESIS"),
                    format!("{name}{glue}genesis"),
                    format!("genesis{glue}{name}"),
                    format!("GENESIS{glue}{name}"),
                ]);
            }
        }
        words.push(name.to_owned());
    }
    for word in &words {
        known.extend(Algorithm::ALL.map(|algorithm| algorithm.digest(None, word.as_bytes())));
    }
    for bytes in constants.iter().filter_map(|constant| encoding::from_hex(constant.strip_prefix("\\x")?)) {
        known.extend(Algorithm::ALL.map(|algorithm| algorithm.digest(None, &bytes)));
    }
    known.push(Algorithm::Sha256.digest(None, &[0]));
    known.push(Algorithm::Sha256.digest(None, &[0; 32]));
    known.sort();
    known.dedup();
    known
}

/// Whether a stored previous hash says that there is no row before: null, a word, a run of one byte, or a known digest.
pub fn is(value: Option<&[u8]>, is_bytes: bool, known: &[Digest]) -> bool {
    let Some(value) = value else { return true };
    match encoding::decode(value, is_bytes) {
        None => true,
        Some((digest, _)) => {
            let bytes = digest.bytes();
            bytes.iter().all(|byte| *byte == bytes[0]) || known.binary_search(&digest).is_ok()
        }
    }
}
